"""SPICE cards over the wire."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from pipelines.datasheets.spice.facts import Fact, condition_key, condition_si
from pipelines.datasheets.spice.making import Card
from pipelines.datasheets.units import parse_unit, to_si
from service.schemas import Sized, Wire, exactly_one, whole_numbers
from service.schemas.datasheets import DeviceType

_MOST_PARAMETERS = 1000
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Given(BaseModel):
    """What /v1/datasheets/extract answers may be sent back as it is: what is not needed is not looked at."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        return whole_numbers(value)


class GivenCondition(_Given):
    """A test condition."""

    symbol: str | None = Field(None, max_length=64)
    value: Number | None = None
    unit: str | None = Field(None, max_length=64)


class GivenSi(_Given):
    """Numbers in SI."""

    unit: str | None = Field(None, max_length=64)
    min: Number | None = None
    typ: Number | None = None
    max: Number | None = None


class GivenParameter(_Given):
    """A parameter as extracted, or as the caller knows it; `si` is taken before `unit`."""

    name: str = Field(min_length=1, max_length=64, description="Canonical.")
    min: Number | None = None
    typ: Number | None = None
    max: Number | None = None
    unit: str | None = Field(None, max_length=64)
    si: GivenSi | None = None
    conditions: Annotated[list[GivenCondition], BeforeValidator(Sized(most=64))] = Field(default_factory=list)
    page: int | None = Field(None, ge=1, le=100_000)
    quote: str | None = Field(None, max_length=4000)

    @model_validator(mode="after")
    def _measured(self) -> "GivenParameter":
        # Where there is an `si`, what is printed does not matter: it may be a unit that nobody knows.
        if self.si is None and self.unit and self.unit.strip() and parse_unit(self.unit) is None:
            raise PydanticCustomError("unit", "The unit is not known")
        return self


class SpiceRequest(Wire):
    """A document that was extracted before, or a device with its parameters."""

    model_config = ConfigDict(
        json_schema_extra={
            **exactly_one("document_id", "parameters"),
            "if": {"required": ["parameters"], "properties": {"parameters": {"type": "array"}}},
            "then": {"required": ["device_type"], "properties": {"device_type": {"type": "string"}}},
        }
    )

    document_id: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="From an extraction's `document.id`.")
    part: str | None = Field(None, min_length=1, max_length=64, description="Needed where the document has several.")
    device_type: DeviceType | None = Field(None, description="Needed with `parameters`; else overrides the guess.")
    polarity: Literal["npn", "pnp", "n", "p"] | None = Field(None, description="Overrides what the document says.")
    parameters: Annotated[list[GivenParameter], BeforeValidator(Sized(most=_MOST_PARAMETERS))] | None = None
    dialect: Literal["ngspice", "ltspice"] = "ngspice"
    level: Literal["vdmos", "1"] = Field("vdmos", description="How a MOSFET is modelled.")
    plot: Literal["svg", "png"] | None = Field(None, description="A picture of the simulated curve with the points.")

    @model_validator(mode="after")
    def _one_source(self) -> "SpiceRequest":
        if (self.document_id is None) == (self.parameters is None):
            raise PydanticCustomError("one_source", "Send either document_id or parameters")
        if self.parameters is not None and self.device_type is None:
            raise PydanticCustomError("device_type", "device_type is needed with parameters")
        return self

    def facts(self) -> list[Fact]:
        """The parameters in SI; those whose unit nobody knows have no number there, and say nothing."""
        return [_fact(p) for p in self.parameters or []]


class ModelParameterAnswer(BaseModel):
    """One number of the model."""

    name: str
    value: float
    unit: str
    origin: Literal["datasheet", "derived", "assumed"]
    from_: list[str] = Field(alias="from", description="Canonical names of what it comes from.")
    formula: str


class CheckSource(BaseModel):
    """Where the quantity stands in the sheet."""

    page: int | None
    quote: str | None


class CheckAnswer(BaseModel):
    """A quantity of the sheet, simulated."""

    quantity: str
    datasheet: float = Field(description="What was to be met: `slot` says which number of the row.")
    simulated: float
    unit: str
    relative_error: float
    slot: str = Field(description="typ, min, max, or mean of min and max.")
    within: bool = Field(description="Whether the simulated value keeps within what is printed.")
    fitted: bool = Field(description="Whether the model was made from this quantity.")
    conditions: dict[str, float] = Field(description="In SI.")
    source: CheckSource


class PlotAnswer(BaseModel):
    """A picture."""

    format: Literal["svg", "png"]
    data: str = Field(description="SVG as text, PNG in base64.")


class SpiceAnswer(BaseModel):
    """A card and what simulation makes of it."""

    card: str
    device_type: str
    part: str | None
    model: str = Field(description="D, NPN, PNP, VDMOS, NMOS, PMOS, NJF, PJF or SUBCKT.")
    dialect: str
    model_parameters: list[ModelParameterAnswer]
    checks: list[CheckAnswer]
    simulator: str | None = Field(description="Null where none is installed: then nothing is checked.")
    plot: PlotAnswer | None
    notes: list[str]


def card_to_wire(card: Card) -> dict[str, Any]:
    """CONTRACT.md's answer."""
    return {
        "card": card.text,
        "device_type": card.device_type,
        "model": card.model.kind,
        "model_parameters": [
            {"name": p.name, "value": p.value, "unit": p.unit, "origin": p.origin, "from": list(p.sources),
             "formula": p.formula}
            for p in card.model.parameters
        ],
        "checks": [
            {"quantity": c.quantity, "datasheet": c.datasheet, "simulated": c.simulated, "unit": c.unit,
             "relative_error": round(c.relative_error, 6), "slot": c.slot, "within": c.within, "fitted": c.fitted,
             "conditions": dict(c.conditions), "source": {"page": c.page, "quote": c.quote}}
            for c in card.checks
        ],
        "simulator": card.simulator,
        "notes": list(card.notes),
    }  # fmt: skip


def _fact(given: GivenParameter) -> Fact:
    numbers: GivenSi | GivenParameter = given.si or given
    measured = parse_unit(numbers.unit)

    def si(value: float | None) -> float | None:
        return value if value is None or measured is None else to_si(value, measured)

    return Fact(
        name=given.name,
        min=si(numbers.min),
        typ=si(numbers.typ),
        max=si(numbers.max),
        unit=measured.si if measured else None,
        conditions=_held(given.conditions),
        page=given.page,
        quote=given.quote,
    )


def _held(conditions: Sequence[GivenCondition]) -> dict[str, float]:
    found: dict[str, float] = {}
    for condition in conditions:
        if condition.symbol and condition.value is not None:
            value = condition_si(condition.value, condition.unit)
            if value is not None:
                found.setdefault(condition_key(condition.symbol), value)
    return found
