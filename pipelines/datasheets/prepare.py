"""A printed row as text → one mention: its symbol, its name in full words, its unit, device and section read out.

    VCE(sat); Coll.-emitter saturation voltage (IC = 10 mA) [mV] {bjt, static}

Only the name is needed. `[]` says that the row has no unit; without brackets the unit is unknown. `row_request` writes
the text of a row; anyone may send such lines in a file to `cognomen normalize --pipeline datasheets`.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

from pipelines.datasheets.parameter import ParameterRow
from pipelines.datasheets.symbols import looks_like_symbol, telling
from pipelines.datasheets.units import explain_unit
from pipelines.flow import Prepared
from pipelines.results import Mention, Options, Request

_ROW: Final = re.compile(
    r"(?:(?P<symbol>[^;]{1,48});)?(?P<name>[^\[{]*)(?:\[(?P<unit>[^\]]{0,40})\])?\s*(?:\{(?P<held>[^}]{0,80})\})?\s*",
    re.S,
)
_LONGEST: Final = 240
_DASHES: Final = str.maketrans("−–—‐‑", "-----")
_HELD: Final = re.compile(
    r"\([^()]*(?:[=≤≥<>]|note)[^()]*(?:\)|$)|(?:\bat|@|\bfor|\bwith) [^,]*[=≤≥].*$", re.IGNORECASE
)
_ASIDE: Final = re.compile(
    r"(?:\b(?:at|@|above|below|up to) T?\w{0,4} ?=? ?-?\d+ ?°? ?[CK]\b.*$)|\(\d\)|[*†‡]+|\bnotes? ?\d[\d, ]*",
    re.IGNORECASE,
)
_SHORT: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(rf"(?<![^\W\d]){short}(?![^\W\d])\.?", re.IGNORECASE), long)
    for short, long in (
        ("volt", "voltage"), ("curr?", "current"), ("temp", "temperature"), ("cap", "capacitance"),
        ("diss?", "dissipation"), ("res", "resistance"), ("coll?", "collector"), ("emit", "emitter"),
        ("sat", "saturation"), ("freq", "frequency"), ("repet?", "repetitive"), ("rep", "repetitive"),
        ("cont", "continuous"), ("rev", "reverse"), ("fwd", "forward"), ("bkdn", "breakdown"), ("leak", "leakage"),
        ("resp", "response"), ("therm", "thermal"), ("junc", "junction"), ("amb", "ambient"), ("avg", "average"),
        ("trans", "transfer"), ("pwr", "power"), ("max", ""), ("min", ""), ("typ", ""), ("typical", ""),
        ("maximum", ""),
    )
)  # fmt: skip


class RowPreparer:
    """One mention per request: the whole row."""

    def prepare(self, requests: Sequence[Request]) -> list[Prepared]:
        """One Prepared per request, in order."""
        return [Prepared([_mention(request)], request.language) for request in requests]


def row_request(row: ParameterRow, *, device: str | None = None, top_k: int = 5) -> Request:
    """A row as a request: its text holds all that naming looks at."""
    symbol = f"{row.symbol.replace(';', ',')}; " if row.symbol else ""
    name = re.sub(r"[;\[\]{}]", " ", row.raw_name)
    # What is printed in S may be a time: the unit as understood is the better witness.
    unit = row.measured.symbol if row.measured else row.unit or ""
    held = ", ".join(filter(None, [device, row.section]))
    return Request(f"{symbol}{name} [{unit}] {{{held}}}", options=Options(top_k=top_k))


def split_query(query: str) -> tuple[str, str]:
    """Symbol and name of a mention's query; either may be empty."""
    symbol, found, name = query.partition("; ")
    return (symbol, name) if found else ("", query)


def clean_name(name: str) -> str:
    """The name in full words, without the conditions that stand in it."""
    name = _ASIDE.sub(" ", _HELD.sub(" ", name[:_LONGEST].translate(_DASHES)))
    for pattern, long in _SHORT:
        name = pattern.sub(long, name)
    name = re.sub(r"\s+", " ", name).strip(" ,:;.-–—/")
    return name if "(" in name and ")" in name else name.strip(" ()")


@cache
def not_parameters() -> tuple[str, ...]:
    """Texts that stand in tables and name no parameter, written by us."""
    content = resources.files("pipelines.datasheets").joinpath("not_parameters.txt").read_text(encoding="utf-8")
    return tuple(line for line in content.splitlines() if line and not line.startswith("#"))


def _mention(request: Request) -> Mention:
    match = _ROW.fullmatch(request.text[:_LONGEST])
    symbol, name = (match["symbol"] or "", match["name"]) if match else ("", request.text[:_LONGEST])
    if not symbol:
        symbol, name = _leading_symbol(name.strip())
    name = clean_name(name)
    held = [word.strip().lower().replace("-", "_") for word in (match["held"] or "" if match else "").split(",")]
    query = f"{symbol.strip()}; {name}" if symbol.strip() else name
    return Mention(
        text=request.text,
        query=query,
        start=0,
        end=len(request.text),
        language=request.language,
        facts={"dimension": _dimension(match["unit"] if match else None), "held": tuple(word for word in held if word)},
    )


def _leading_symbol(name: str) -> tuple[str, str]:
    first, _, rest = name.partition(" ")
    if looks_like_symbol(first) and telling(first, before=rest):
        return first, rest
    return "", name


def _dimension(unit: str | None) -> object:
    """What the unit measures: () for none printed, None where nothing is known."""
    if unit is None:
        return None
    measured, _ = explain_unit(unit)
    if measured:
        return measured.dimension
    return None if unit.strip(" -–—") else ()
