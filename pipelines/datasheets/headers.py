"""Column headers: which column is the symbol, the name, the condition, min, typ, max, the unit; in four languages."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.datasheets.page import Word
from pipelines.datasheets.parts import looks_like_variant
from pipelines.datasheets.quantities import parse_quantity, parse_unit
from pipelines.datasheets.symbols import looks_like_symbol, telling

Role = Literal["symbol", "name", "conditions", "min", "typ", "max", "value", "unit", "part", "note", "none"]
VALUES: Final = frozenset({"min", "typ", "max", "value"})

_PHRASES: Final[dict[Role, str]] = {
    "symbol": "symbol symbols sym symb symbole formelzeichen kurzzeichen zeichen 符号 代号",
    "name": "parameter parameters characteristic characteristics description rating ratings item items paramètre "
    "paramètres parametre caractéristique caractéristiques bezeichnung kenngröße kenngrösse kennwert kennwerte "
    "benennung 参数 参数名称 项目 特性 test_parameter parameter_name quantity désignation definition",
    "conditions": "test_condition test_conditions conditions condition testconditions testcondition testbedingung "
    "testbedingungen bedingung bedingungen prüfbedingungen messbedingungen messbedingung conditions_de_mesure "
    "conditions_de_test 测试条件 条件 test note__test_condition "
    "note__test_conditions note_test_condition note_test_conditions",
    "min": "min minimum mini 最小值 最小",
    "typ": "typ typical typi nom nominal typisch typique 典型值 典型",
    "max": "max maximum maxi 最大值 最大",
    "value": "value values limit limits wert werte grenzwert grenzwerte valeur valeurs 数值 值 额定值 极限值 data",
    "unit": "unit units einheit einheiten unité unités unite 单位",
    "part": "part_number part_no part type_number type_no type device devices model product part_name partnumber 型号",
    "note": "notes note remarks remark fig figure comments comment ref 备注",
}
_LOOKUP: Final[dict[tuple[str, ...], Role]] = {
    tuple(phrase.split("_")): role for role, phrases in _PHRASES.items() for phrase in phrases.split()
}
_LONGEST: Final = max(map(len, _LOOKUP))
_MOST_WORDS: Final = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        header: all that stands above it.
        role: what its cells are.
        variant: the part or package that its values are of; None for all.
        unit: a unit that its header gives: "VRRM (V)".
    """

    x0: float
    x1: float
    header: str
    role: Role
    variant: str | None = None
    unit: str | None = None

    @property
    def centre(self) -> float:
        """Middle of its width."""
        return (self.x0 + self.x1) / 2

    @property
    def holds_values(self) -> bool:
        """Whether numbers of the parameter stand in it."""
        return self.role in VALUES


@dataclass(frozen=True, slots=True)
class Keyword:
    """A header phrase found in a line."""

    role: Role
    words: tuple[Word, ...]

    @property
    def x0(self) -> float:
        """Its left end."""
        return self.words[0].x0

    @property
    def x1(self) -> float:
        """Its right end."""
        return self.words[-1].x1


def keywords(words: Sequence[Word]) -> list[Keyword]:
    """The header phrases among the words of a line, left to right."""
    tokens = [_token(w.text) for w in words]
    found: list[Keyword] = []
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            role = _LOOKUP.get(tuple(tokens[at : at + length]))
            if role and all(b.x0 - a.x1 < 1.2 * a.size for a, b in _pairs(words[at : at + length])):
                found.append(Keyword(role, tuple(words[at : at + length])))
                at += length
                break
        else:
            at += 1
    return found


def roles_in(tokens: Sequence[str]) -> list[Role]:
    """The header phrases among the words of a line of text, without regard to where they stand."""
    found: list[Role] = []
    plain = [_token(t) for t in tokens]
    at = 0
    while at < len(plain):
        for length in range(min(_LONGEST, len(plain) - at), 0, -1):
            role = _LOOKUP.get(tuple(plain[at : at + length]))
            if role:
                found.append(role)
                at += length - 1
                break
        at += 1
    return found


def role_of(text: str) -> Role:
    """The role of a ruled header cell; "none" where it has none of the known words."""
    tokens = [t for t in map(_token, re.split(r"[\s/]+", text)) if t]
    if not tokens or len(tokens) > _MOST_WORDS:
        return "none"
    roles: list[Role] = []
    for at in range(len(tokens)):
        for length in range(min(_LONGEST, len(tokens) - at), 0, -1):
            role = _LOOKUP.get(tuple(tokens[at : at + length]))
            if role:
                roles.append(role)
                break
    for wanted in ("min", "typ", "max"):
        if wanted in roles and len({"min", "typ", "max"} & set(roles)) == 1:
            return wanted
    return roles[0] if roles else "none"


def residue(text: str) -> str:
    """What a header says beside its role: the part, the package, the unit."""
    kept = [t for t in text.split() if _LOOKUP.get((_token(t),)) is None and _token(t)]
    return " ".join(kept)


def is_header(roles: Sequence[Role]) -> bool:
    """Whether a row with these roles heads a table of parameters."""
    distinct = set(roles) - {"none", "note"}
    valued = distinct & VALUES
    described = distinct & {"symbol", "name", "conditions"}
    return bool(described and (valued or "unit" in distinct)) or len(distinct & {"min", "typ", "max"}) >= 2


def columns(spans: Sequence[tuple[float, float]], headers: Sequence[str]) -> list[Column]:
    """Columns from the text above them, left to right.

    A column headed by a part or a package between the description and the unit holds values; a second "rating" beside
    a name is a value column.
    """
    roles = [role_of(h) for h in headers]
    roles = with_ratings(roles, headers)
    described = {"symbol", "name"} & set(roles)
    found = []
    for (x0, x1), header, role in zip(spans, headers, roles, strict=True):
        rest = residue(header)
        variant = rest if rest and looks_like_variant(rest) else None
        if role == "none" and variant and described:
            role = "value"
        elif role in ("part", "none") and variant is None and _is_grade(rest) and described:
            role, variant = "value", rest
        found.append(Column(x0, x1, header, role, variant if role in VALUES else None, _unit(header, role)))
    return found


def inferred(spans: Sequence[tuple[float, float]], cells: Sequence[Sequence[str]]) -> list[Column]:
    """Columns of a table without a header, from what stands in them; [] where that does not tell.

    Args:
        spans: left and right of each column.
        cells: per column the texts of its cells, empty ones included.
    """
    roles: list[Role] = []
    for texts in cells:
        filled = [t for t in texts if t]
        share = len(filled) / max(len(texts), 1)
        roles.append(_content_role(filled) if share >= 0.3 and len(filled) > 1 else "none")
    if roles.count("unit") != 1 or roles.count("value") not in (1, 3) or not {"name", "symbol"} & set(roles):
        return []
    slots: list[Role] = ["min", "typ", "max"] if roles.count("value") == 3 else ["value"]
    named = [slots.pop(0) if role == "value" else role for role in roles]
    return [Column(x0, x1, "", role) for (x0, x1), role in zip(spans, named, strict=True)]


def _content_role(texts: Sequence[str]) -> Role:
    most = 0.6 * len(texts)
    if sum(parse_unit(t) is not None for t in texts) >= most:
        return "unit"
    if sum(parse_quantity(t) is not None for t in texts) >= most:
        return "value"
    if sum("=" in t for t in texts) >= most:
        return "conditions"
    if sum(looks_like_symbol(t) and telling(t) for t in texts) >= most:
        return "symbol"
    return "name" if sum(len(t.split()) > 1 for t in texts) >= most else "none"


def with_ratings(roles: list[Role], headers: Sequence[str]) -> list[Role]:
    """The roles, a second "rating" beside a name taken for the column of its values."""
    if VALUES & set(roles) or roles.count("name") < 2:
        return roles
    last = max(i for i, role in enumerate(roles) if role == "name")
    if re.search(r"rating|characteristic|quantity", headers[last], re.IGNORECASE):
        return [*roles[:last], "value", *roles[last + 1 :]]
    return roles


def _is_grade(text: str) -> bool:
    """Suffixes that vendors head columns with: -16, A, 111."""
    return bool(re.fullmatch(r"-\d{2,3}|\d{3,5}[A-Z]?", text))


def _unit(header: str, role: Role) -> str | None:
    if role not in VALUES and role != "none":
        return None
    match = re.search(r"[(\[]([^()\[\]]{1,10})[)\]]\s*$", header)
    return match[1] if match else None


def _token(text: str) -> str:
    return re.sub(r"[^\w]+", "", text.lower())


def _pairs(words: Sequence[Word]) -> list[tuple[Word, Word]]:
    return list(itertools.pairwise(words))
