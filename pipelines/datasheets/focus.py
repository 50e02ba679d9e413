"""AGDF: what the document is about, and the lock on one part of it.

Attention-guided document focusing (D2S-FLOW, Chen et al. 2025), as far as it is published, without a model: where a
part number stands decides how much attention it gets — title, running heads, ordering table, columns — and the caller
chooses one, unless there is but one. Differs from the paper: ambiguity is an answer here, never resolved by a guess.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.datasheets.devices_known import DEVICE_WORDS, MAKERS, POLARITY, SYMBOLS
from pipelines.datasheets.page import Document, Line, Page
from pipelines.datasheets.parts import PACKAGE, looks_like_package, looks_like_part, parts_in
from pipelines.datasheets.rows import ParameterRow

_ATTENTION: Final = {"title": 5.0, "running head": 3.0, "ordering": 2.0, "column": 2.0, "metadata": 1.5, "text": 0.2}
"""What a place is worth. A guess: the order matters, not the numbers."""
_COVERED: Final = 3.0
_ASIDE: Final = re.compile(
    r"complement|equivalent|replace|similar|substitut|compatible|see also|successor|improved|upgrade|mark",
    re.IGNORECASE,
)
_TITLE: Final = 0.4
_SPECIAL: Final = ("schottky", "zener", "led")


@dataclass(frozen=True, slots=True)
class PartCandidate:
    """A part that the document may be about.

    Attributes:
        score: the attention it got; comparable within one document.
        evidence: where it stands: "title", "running head", "ordering", "column", "metadata", "text".
    """

    name: str
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceGuess:
    """What kind of device it is.

    Attributes:
        kind: "diode", "schottky", "zener", "rectifier", "led", "bjt", "mosfet", "jfet", "op_amp", "regulator" or
            "optocoupler"; None where nothing tells.
        polarity: "npn", "pnp", "n" or "p"; None where it does not apply or nothing tells.
        evidence: the words and symbols that tell, best first.
        scores: per kind; comparable within one document.
    """

    kind: str | None
    polarity: str | None
    evidence: tuple[str, ...]
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Focus:
    """What the document is about.

    Attributes:
        title: of the document, as printed.
        candidates: the parts it covers, most attention first.
        part: the one chosen; None while it is ambiguous, or where the part asked for is not in the document.
        reason: why there is no part: "ambiguous", "not_in_document", "no_part"; None where there is one.
        manufacturer: as its house writes itself; None where nothing tells.
        packages: part → package, where the document says which comes in which.
    """

    title: str
    candidates: tuple[PartCandidate, ...]
    part: str | None
    reason: str | None
    manufacturer: str | None
    device: DeviceGuess
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The candidates' names, most attention first."""
        return [c.name for c in self.candidates]

    def concerns(self, row: ParameterRow) -> bool:
        """Whether a row is about the chosen part: its variant names no other one."""
        return self.part is None or concerns(row.variant, self.part, names=self.names, packages=self.packages)


def focus(document: Document, rows: Sequence[ParameterRow] = (), *, part: str | None = None) -> Focus:
    """What the document is about, locked on a part if that can be done without a guess.

    Args:
        document: as read.
        rows: its rows, whose variants and symbols are evidence.
        part: the caller's choice, as anyone may write it: case, blanks and order suffixes do not matter.
    """
    candidates = covered(document, rows)
    names = [c.name for c in candidates]
    chosen, reason = _choose(document, names, part)
    return Focus(
        title=_title(document),
        candidates=tuple(candidates),
        part=chosen,
        reason=reason,
        manufacturer=manufacturer(document),
        device=device_guess(document, rows),
        packages=_packages(document, names),
    )


def covered(document: Document, rows: Sequence[ParameterRow] = ()) -> list[PartCandidate]:
    """The parts that a document covers, most attention first; parts it merely mentions are none of them."""
    seen: dict[str, set[str]] = defaultdict(set)
    for name, place in _mentions(document, rows):
        seen[name].add(place)
    found = [PartCandidate(n, round(sum(_ATTENTION[p] for p in ps), 2), tuple(sorted(ps))) for n, ps in seen.items()]
    order = {name: i for i, name in enumerate(seen)}
    found.sort(key=lambda c: (-c.score, order[c.name]))
    strong = [c for c in found if c.score >= _COVERED or "column" in c.evidence]
    titled = [c.name for c in strong if "title" in c.evidence or "running head" in c.evidence]
    if not titled:
        return strong or found[:1]
    family = {_stem(name) for name in titled}
    return [c for c in strong if c.name in titled or _stem(c.name) in family]


def concerns(
    variant: str | None, part: str, *, names: Sequence[str] = (), packages: Mapping[str, str] | None = None
) -> bool:
    """Whether a label ("111", "J111-113", "TO-92", "MMBT3904") includes a part.

    Args:
        variant: as printed; None is for all.
        part: the one chosen.
        names: the other parts of the document.
        packages: part → package.
    """
    if not variant:
        return True
    label, wanted = _plain(variant), _plain(part)
    package = (packages or {}).get(part)
    if looks_like_package(variant):
        return package is None or _plain(package).startswith(label) or label.startswith(_plain(package))
    pieces = [p for p in re.split(r"[/,;&\s]+", label) if p]
    if any(p == wanted or (p.startswith(wanted) and len(p) - len(wanted) < 4) for p in pieces):
        return True
    if any(_in_range(p, wanted) for p in pieces):
        return True
    others = {_plain(n) for n in names} - {wanted}
    if any(p in others or any(_in_range(p, o) for o in others) for p in pieces):
        return False
    return any(p.isdigit() and re.search(rf"(?<!\d){p}(?!\d)", wanted) for p in pieces) or not any(
        looks_like_part(p) or p.isdigit() for p in pieces
    )


def manufacturer(document: Document) -> str | None:
    """Who made the sheet: a known house in the copyright line, else anywhere on the first pages, else the copyright."""
    lines = [line.text for page in document.pages[:3] for line in page.lines]
    own = [t for t in lines if re.search(r"©|\(c\)|copyright|www\.|corporation|semiconductors? ", t, re.IGNORECASE)]
    for texts in (own, lines):
        counts: dict[str, int] = defaultdict(int)
        for name, pattern in MAKERS:
            counts[name] += sum(len(pattern.findall(t)) for t in texts)
        best = max(counts, key=lambda n: counts[n])
        if counts[best]:
            return best
    for text in own:
        match = re.search(r"(?:©|\(c\)|copyright)[ ,\d-]*([A-Z][\w&.,' -]{3,50})", text, re.IGNORECASE)
        if match:
            return re.sub(r"(?: all rights.*| rev.*|[ ,.]+)$", "", match[1], flags=re.IGNORECASE).strip() or None
    return None


def device_guess(document: Document, rows: Sequence[ParameterRow] = ()) -> DeviceGuess:
    """The kind of device, from the words of the first page, the heavier the higher they stand, and from the symbols."""
    scores: dict[str, float] = defaultdict(float)
    evidence: list[tuple[float, str]] = []
    named: set[str] = set()
    lines = document.pages[0].lines if document.pages else ()
    head = [(line.text, 3.0 if i < 12 or line.size > 11 else 0.5) for i, line in enumerate(lines[:60])]
    head.append((document.metadata.get("Title", ""), 1.0))
    for kind, pattern, weight in DEVICE_WORDS:
        best = max(((w, m[0]) for text, w in head if (m := pattern.search(text))), default=None)
        if best:
            scores[kind] += weight * best[0]
            named |= {kind} if best[0] > 1 else set()
            evidence.append((weight * best[0], best[1]))
    printed = {re.sub(r"\W", "", r.symbol or "").upper() for r in rows} | {r.raw_name.lower() for r in rows}
    for kind, wanted in SYMBOLS.items():
        hits = [w for w in wanted if w in printed or (" " in w and any(w in p for p in printed))]
        if hits:
            scores[kind] += 1.5 * len(hits)
            evidence.append((1.5 * len(hits), ", ".join(hits)))
    special = {kind: scores[kind] for kind in _SPECIAL if kind in named}
    winner = max(scores, key=lambda k: scores[k]) if scores else None
    if winner == "diode" and special:
        # Every kind of diode has the symbols of a diode: its name tells.
        winner = max(special, key=lambda k: special[k])
    if winner == "rectifier" and "schottky" in special:
        winner = "schottky"  # a Schottky rectifier
    text = "\n".join(t for t, _ in head)
    polarity = next((p for p, pattern in POLARITY.get(winner or "", ()) if pattern.search(text)), None)
    told = tuple(t for _, t in sorted(evidence, reverse=True))
    return DeviceGuess(winner, polarity, told, {k: round(v, 2) for k, v in scores.items()})


def _mentions(document: Document, rows: Sequence[ParameterRow]) -> Iterable[tuple[str, str]]:
    if not document.pages:
        return
    first = document.pages[0]
    titles = _title_lines(first)
    for line in titles:
        for name in _parts(line.text):
            yield name, "title"
    for text in _running_heads(document):
        for name in _parts(text):
            yield name, "running head"
    for line in _ordering_lines(document):
        for name in _parts(line.text):
            yield name, "ordering"
    for row in rows:
        for name in parts_in(row.variant or ""):
            yield name, "column"
    for name in _parts(document.metadata.get("Title", "")):
        yield name, "metadata"
    for line in first.lines:
        for name in _parts(line.text):
            yield name, "text"


def _parts(text: str) -> list[str]:
    """The parts that a line names for itself: not those it calls complements or equivalents."""
    aside = _ASIDE.search(text)
    return parts_in(text[: aside.start()] if aside else text)


def _title_lines(page: Page) -> list[Line]:
    sizes = sorted(w.size for w in page.words)
    body = sizes[len(sizes) // 2] if sizes else 0.0
    upper = [line for line in page.lines if line.box[1] < _TITLE * page.height]
    large = [line for line in upper if max(w.size for w in line.words) >= 1.25 * body and _parts(line.text)]
    return large or [line for line in upper[:6] if _parts(line.text)][:2]


def _title(document: Document) -> str:
    """The largest lines at the top of the first page."""
    if not document.pages:
        return ""
    upper = [line for line in document.pages[0].lines if line.box[1] < _TITLE * document.pages[0].height]
    sizes = sorted({round(line.size, 1) for line in upper}, reverse=True)[:2]
    large = [line.text for line in upper if round(line.size, 1) in sizes and len(line.text) > 2]
    return " ".join(large[:3]) or document.metadata.get("Title", "")


def _running_heads(document: Document) -> list[str]:
    """Texts that stand at the edge of half of the pages."""
    counts: dict[str, int] = defaultdict(int)
    for page in document.pages:
        edge = {w for line in [*page.lines[:3], *page.lines[-4:]] if len(line.words) < 16 for w in parts_in(line.text)}
        for name in edge:
            counts[name] += 1
    return [name for name, n in counts.items() if len(document.pages) > 1 and 2 * n >= len(document.pages)]


def _ordering_lines(document: Document) -> list[Line]:
    """The lines below a heading that sells: "Order codes", "Parts table"."""
    found: list[Line] = []
    for page in document.pages:
        left = 0
        for line in page.lines:
            if re.search(r"\border(?:ing|er)?\b|parts? table|device (?:marking|summary)", line.text, re.IGNORECASE):
                left = 8
            elif left:
                left -= 1
                found.append(line)
    return found


def _stem(name: str) -> str:
    """What the parts of a family share: 1N4002 is between 1N4001 and 1N4007."""
    match = re.match(r"(.*?)\d{1,3}[A-Z]{0,2}$", name)
    return match[1] if match else name


def _choose(document: Document, names: Sequence[str], part: str | None) -> tuple[str | None, str | None]:
    if part:
        wanted = _plain(part)
        exact = [n for n in names if _plain(n) == wanted]
        suffixed = [n for n in names if wanted.startswith(_plain(n))]
        if exact or suffixed:
            return (exact or sorted(suffixed, key=len, reverse=True))[0], None
        mentioned = any(wanted in _plain(line.text) for page in document.pages for line in page.lines)
        return (part, None) if mentioned and wanted else (None, "not_in_document")
    if len(names) == 1:
        return names[0], None
    return None, "ambiguous" if names else "no_part"


def _plain(text: str) -> str:
    return re.sub(r"[\s*†()]+", "", text).upper()


def _in_range(label: str, part: str) -> bool:
    """J111-113 and 1N4001-1N4007 hold what lies between."""
    match = re.fullmatch(r"([A-Z0-9]*?)(\d+)([A-Z]*)(?:-|–|~|THRU|TO)([A-Z0-9]*?)(\d+)([A-Z]*)", label)
    own = re.fullmatch(r"([A-Z0-9]*?)(\d+)([A-Z]*)", part)
    if not match or not own or own[1] != match[1] or (match[4] and match[4] != match[1]):
        return False
    low, high = match[2], match[5]
    high = low[: len(low) - len(high)] + high if len(high) < len(low) else high
    return int(low) <= int(own[2]) <= int(high)


def _packages(document: Document, names: Sequence[str]) -> dict[str, str]:
    """Part → package from lines that name one of each."""
    found: dict[str, str] = {}
    for page in document.pages[:2]:
        for line in page.lines:
            parts = [p for p in parts_in(line.text) if p in names]
            packages = [m[0] for m in PACKAGE.finditer(line.text) if looks_like_package(m[0])]
            if len(set(parts)) == 1 and len(set(packages)) == 1:
                found.setdefault(parts[0], packages[0])
    return found if len(set(found.values())) > 1 else {}
