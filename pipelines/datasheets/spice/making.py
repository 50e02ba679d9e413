"""Facts of a part → its model, its card, and the checks of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.datasheets.errors import ModelImpossible, SimulatorFailed
from pipelines.datasheets.parameters import DIODES
from pipelines.datasheets.spice.bjt import bjt
from pipelines.datasheets.spice.checks import Check, checks
from pipelines.datasheets.spice.diode import diode
from pipelines.datasheets.spice.facts import Fact, Facts
from pipelines.datasheets.spice.jfet import jfet
from pipelines.datasheets.spice.model import Dialect, Model, card, spice_name
from pipelines.datasheets.spice.mosfet import mosfet
from pipelines.datasheets.spice.op_amp import op_amp
from pipelines.datasheets.spice.simulate import simulator

Polarity = Literal["npn", "pnp", "n", "p"]
Level = Literal["vdmos", "1"]
MODELLED: Final = (*DIODES, "bjt", "mosfet", "jfet", "op_amp")
"""The kinds of device that there are models of."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model as text, with what simulation makes of it.

    Attributes:
        checks: empty where there is no simulator.
        simulator: its name and version; None where there is none.
        notes: what to know of the model and its checks.
    """

    model: Model
    text: str
    device_type: str
    checks: tuple[Check, ...]
    simulator: str | None
    notes: tuple[str, ...]


def make_card(
    found: Sequence[Fact],
    *,
    device_type: str,
    part: str | None = None,
    polarity: str | None = None,
    dialect: Dialect = "ngspice",
    level: Level = "vdmos",
    simulate: bool = True,
) -> Card:
    """The card of a part.

    Args:
        found: what its sheet says.
        device_type: which kind of device it is.
        part: what the model is called.
        polarity: "npn", "pnp", "n" or "p"; N where nobody says.
        level: how a MOSFET is modelled.
        simulate: run it where ngspice is installed.

    Raises: ModelImpossible.
    """
    facts = Facts(found)
    model = make_model(facts, device_type=device_type, part=part, polarity=polarity, level=level)
    runs = simulator() if simulate else None
    found_checks, notes = _checked(model, facts, dialect) if runs else ((), ())
    return Card(model, card(model, dialect=dialect), device_type, found_checks, runs, (*model.notes, *notes))


def _checked(model: Model, facts: Facts, dialect: Dialect) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """The checks, or a note on why there are none: a card is of use without them."""
    try:
        return tuple(checks(model, facts, dialect=dialect)), ()
    except SimulatorFailed as error:
        return (), (f"not checked: {error}",)


def make_model(
    facts: Facts, *, device_type: str, part: str | None, polarity: str | None, level: Level = "vdmos"
) -> Model:
    """The model of a part. Raises: ModelImpossible."""
    try:
        return _model(facts, device_type, spice_name(part, device_type.upper()), polarity, level)
    except (ArithmeticError, ValueError) as error:
        # Roots that no numbers of a real part have: what was brought contradicts itself.
        raise ModelImpossible("the parameters contradict each other: no model has them all") from error


def _model(facts: Facts, device_type: str, name: str, polarity: str | None, level: Level) -> Model:
    sign = -1 if polarity in ("pnp", "p") else 1
    if device_type in DIODES:
        return diode(facts, kind=device_type, name=name)
    if device_type == "bjt":
        return bjt(facts, polarity=sign, name=name)
    if device_type == "mosfet":
        return mosfet(facts, polarity=sign, name=name, level=level)
    if device_type == "jfet":
        return jfet(facts, polarity=sign, name=name)
    if device_type == "op_amp":
        return op_amp(facts, name=name)
    raise ModelImpossible(f"there are models of {', '.join(MODELLED)}", pointer="/device_type")
