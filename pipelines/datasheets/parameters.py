"""The parameters of discrete and linear parts: what each is called, in which unit, of which devices, in which section.

Written for this project: `terminology/*.csv`, one file a family of devices. A parameter's canonical name is its symbol
in snake_case ("v_ce_sat"); where two houses mean different things by one symbol, one of them has a longer name.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from pipelines.datasheets.units import Dimension, dimension_of
from pipelines.terminology import Concept, Term, Terminology

NAME: Final = "parameters"
VERSION: Final = "2026.11"
LANGUAGES: Final = ("en", "de", "fr", "zh")
DIODES: Final = ("diode", "schottky", "zener", "rectifier", "led")
DEVICES: Final = (*DIODES, "bjt", "mosfet", "jfet", "op_amp", "regulator", "optocoupler")
_GROUPS: Final[Mapping[str, Sequence[str]]] = {"all": DEVICES, "diodes": DIODES}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One canonical parameter.

    Attributes:
        name: canonical, snake_case.
        symbols: as houses print it; the first is the commonest.
        names: language → names, the preferred one first.
        units: SI units it may be given in; "1" is a plain number.
        devices: the kinds of device that have it.
        sections: kinds of section that datasheets print it in.
    """

    name: str
    symbols: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    units: tuple[str, ...]
    devices: tuple[str, ...]
    sections: tuple[str, ...]

    @property
    def dimensions(self) -> frozenset[Dimension]:
        """What its units measure."""
        return frozenset(() if unit == "1" else dimension_of(unit) for unit in self.units)


@cache
def parameters() -> tuple[Parameter, ...]:
    """All of them, family by family."""
    folder = resources.files("pipelines.datasheets").joinpath("terminology")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".csv")), key=lambda f: f.name)
    rows = [row for f in files for row in csv.DictReader(io.StringIO(f.read_text(encoding="utf-8")), delimiter=";")]
    return tuple(
        Parameter(
            name=row["name"],
            symbols=_listed(row["symbols"]),
            names={language: _listed(row[language]) for language in LANGUAGES},
            units=_listed(row["unit"]),
            devices=tuple(dict.fromkeys(d for word in _listed(row["devices"]) for d in _GROUPS.get(word, (word,)))),
            sections=_listed(row["sections"]),
        )
        for row in rows
    )


def starter() -> Terminology:
    """The parameters as a terminology: `codes` has the units and sections, `semantic_types` the devices.

    Symbols are terms without a language; names have one.
    """
    return Terminology(
        NAME,
        version=VERSION,
        title="Parameters of discrete and linear parts",
        concepts=[_concept(p) for p in parameters()],
    )


def _concept(parameter: Parameter) -> Concept:
    preferred = parameter.names["en"][0]
    named = [Term(text, language) for language in LANGUAGES for text in parameter.names[language] if text != preferred]
    return Concept(
        id=parameter.name,
        name=preferred,
        terms=[Term(preferred, "en", "preferred"), *named, *(Term(symbol) for symbol in parameter.symbols)],
        codes={"unit": "|".join(parameter.units), "sections": "|".join(parameter.sections)},
        semantic_types=parameter.devices,
    )


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for part in cell.split("|") if (text := part.strip())))
