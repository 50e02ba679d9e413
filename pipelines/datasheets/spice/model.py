"""A SPICE model as data: its parameters with their origins, and the text it is written as."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.datasheets.spice.facts import Fact

Origin = Literal["datasheet", "derived", "assumed"]
Dialect = Literal["ngspice", "ltspice"]
_LTSPICE: Final = {"NKF": "NK"}
"""What LTspice calls otherwise."""
_NAME: Final = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class ModelParameter:
    """One number of a model.

    Attributes:
        unit: SI; "" for a plain number.
        origin: copied from the sheet, computed from it, or a usual value where the sheet says nothing.
        sources: canonical names of what it comes from.
        formula: how it was computed, or why it was assumed.
    """

    name: str
    value: float
    unit: str
    origin: Origin
    sources: tuple[str, ...] = ()
    formula: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model.

    Attributes:
        name: of the part, as SPICE may call it.
        kind: "D", "NPN", "PNP", "VDMOS", "NMOS", "PMOS", "NJF", "PJF" or "SUBCKT".
        parameters: in the order they are written.
        polarity: 1 for NPN and N-channel, -1 for PNP and P-channel.
        nodes: of an instance, in order.
        body: lines of a subcircuit; empty for a plain `.model`.
        notes: what to know of it.
    """

    name: str
    kind: str
    parameters: tuple[ModelParameter, ...]
    nodes: tuple[str, ...]
    polarity: int = 1
    body: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def value(self, name: str) -> float:
        """The value of a parameter. Raises: KeyError."""
        return {p.name: p.value for p in self.parameters}[name]

    def instance(self, label: str, *nodes: str) -> str:
        """A line that places it between these nodes."""
        letter = {"D": "D", "NPN": "Q", "PNP": "Q", "NJF": "J", "PJF": "J", "VDMOS": "M"}.get(self.kind, "X")
        return f"{letter}{label} {' '.join(nodes)} {self.name}"


class Sheet:
    """Collects the parameters of a model as they are found."""

    def __init__(self) -> None:
        self.parameters: list[ModelParameter] = []
        self.notes: list[str] = []

    def copied(self, name: str, fact: Fact, unit: str) -> float:
        """A number as the sheet has it."""
        return self._add(name, fact.magnitude, unit, "datasheet", (fact.name,), f"{fact.slot} as printed")

    def derived(self, name: str, value: float, unit: str, sources: Sequence[Fact], formula: str) -> float:
        """A number computed from the sheet."""
        return self._add(name, value, unit, "derived", tuple(dict.fromkeys(f.name for f in sources)), formula)

    def assumed(self, name: str, value: float, unit: str, why: str) -> float:
        """A usual number."""
        return self._add(name, value, unit, "assumed", (), why)

    def note_bounds(self, facts: Sequence[Fact]) -> None:
        """Say where a model is of the worst part that the sheet allows."""
        bounds = sorted({f.name for f in facts if f.slot in ("min", "max")})
        if bounds:
            self.notes.append(
                f"only a bound is printed of {', '.join(bounds)}: there the model is the worst part allowed"
            )

    def _add(self, name: str, value: float, unit: str, origin: Origin, sources: tuple[str, ...], how: str) -> float:
        value = float(value)
        if not math.isfinite(value):
            raise ArithmeticError(f"{name} comes to {value}")
        self.parameters.append(ModelParameter(name, value, unit, origin, sources, how))
        return value


def spice_name(text: str | None, fallback: str) -> str:
    """A part number as SPICE may call a model: letters, digits and underscores, a letter first."""
    name = _NAME.sub("_", text or "").strip("_")[:32]
    return (name if name[:1].isalpha() else f"D{name}") if name else fallback


def number(value: float) -> str:
    """A number as SPICE reads it, without suffixes that mean different things in different houses."""
    return f"{value:.6g}"


def card(model: Model, *, dialect: Dialect) -> str:
    """The model as text; each parameter has a line that says where it comes from."""
    lines = [f"* {model.name}: made from its datasheet by cognomen; for {dialect}, fitted at 25 C"]
    width = max(len(p.name) for p in model.parameters)
    for p in model.parameters:
        sources = f" from {', '.join(p.sources)}" if p.sources else ""
        formula = f": {p.formula}" if p.formula else ""
        lines.append(_ascii(f"* {p.name:<{width}} = {number(p.value)} {p.unit} [{p.origin}{sources}]{formula}"))
    lines += [_ascii(f"* note: {note}") for note in model.notes]
    if model.body:
        lines.append(f".subckt {model.name} {' '.join(model.nodes)}")
        lines += [*model.body, f".ends {model.name}"]
    else:
        lines.append(f".model {model.name} {model.kind}({_flags(model)}{_pairs(model, dialect)})")
    return "\n".join(lines) + "\n"


def _flags(model: Model) -> str:
    return "pchan " if model.kind == "VDMOS" and model.polarity < 0 else ""


def _pairs(model: Model, dialect: Dialect) -> str:
    called = _LTSPICE if dialect == "ltspice" else {}
    pairs = [f"{called.get(p.name, p.name)}={number(p.value)}" for p in model.parameters]
    if dialect == "ltspice":
        pairs.append("mfg=cognomen")  # LTspice shows it in its lists; ngspice would warn of it.
    return " ".join(pairs)


def _ascii(text: str) -> str:
    """SPICE files are read in whatever encoding the machine has: only ASCII is safe."""
    table = {"Ω": "Ohm", "µ": "u", "°": "deg", "√": "sqrt", "π": "pi", "·": "*", "²": "^2", "–": "-", "−": "-"}
    for char, plain in table.items():
        text = text.replace(char, plain)
    return " ".join(text.encode("ascii", "replace").decode().split())
