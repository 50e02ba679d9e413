"""Characters as they were printed, where a font's encoding says something else.

Three kinds of damage, each of which turns a µ into an m and so 75 µA into 75 mA:

- a Symbol font whose text layer answers with the Latin letter on the same code (m for µ, W for Ω);
- private use U+F0xx, the Symbol code plus U+F000;
- glyphs named by their code alone (`C0109`), which the worker hands over as `NAMED` + code.
"""

from collections.abc import Iterable, Mapping
from typing import Final

NAMED: Final = 0xE000
"""The worker's mark for "the glyph's name says its code and nothing else": U+E000 + code."""
UNKNOWN: Final = "\ufffd"

_SYMBOL_RANGES: Final = (
    (0x20, " !∀#∃%&∋()∗+,−./0123456789:;<=>?"),
    (0x40, "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_"),
    (0x60, "‾αβχδεφγηιϕκλµνοπθρστυϖωξψζ{|}∼"),
    (0xA0, "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵"),
    (0xC0, "ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓"),
    (0xE0, "◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪"),
    (0xF1, "〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"),
)
SYMBOL: Final[Mapping[int, str]] = {
    start + offset: sign for start, signs in _SYMBOL_RANGES for offset, sign in enumerate(signs)
}
"""The Symbol encoding: code → Unicode. Source: PDF 32000-1:2008, annex D.5."""

_CORPORATE: Final = {0xF8E8: "®", 0xF8E9: "©", 0xF8EA: "™", 0xF8E5: "‾", 0xF8E6: "⏐", 0xF8E7: "⎯"}
_WINGDINGS: Final = {0x6C: "•", 0x6E: "■", 0x9F: "•", 0xA7: "▪", 0xA8: "□", 0xE0: "→", 0xE8: "→", 0xF0: "→", 0xFC: "✓"}
_ONE_SIGN: Final = {
    "μ": "µ",
    "\u2126": "Ω",
    "\u2206": "Δ",
    "℃": "°C",
    "\u00ad": "-",
    "\u00a0": " ",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬀ": "ff",
    "∗": "*",
}
_TELLING: Final = 14
"""A font that names more glyphs by code than this is a text font: a sheet needs few signs from Symbol. A guess."""


def is_symbol(font: str) -> bool:
    """Whether a font of that name is laid out as Symbol is."""
    name = font.rsplit("+", 1)[-1].lower()
    return ("symbol" in name or name.endswith("sym")) and not name.startswith(("segoe", "apple"))


def symbol_fonts(codes: Mapping[str, Iterable[int]]) -> frozenset[str]:
    """The fonts, of those that name glyphs by code, that are laid out as Symbol is.

    Args:
        codes: font name → the codes it was used with.

    Returns: those whose name says so, and those that print a handful of signs only: no text font does.
    """
    found = set()
    for font, used in codes.items():
        distinct = set(used)
        if is_symbol(font) or (len(distinct) <= _TELLING and distinct <= SYMBOL.keys() and not _looks_latin(distinct)):
            found.add(font)
    return frozenset(found)


def repair(text: str, *, font: str, symbols: frozenset[str] = frozenset()) -> str:
    """The text as printed; what nobody can know becomes U+FFFD, never a guess.

    Args:
        text: one run of characters in one font.
        font: its name.
        symbols: fonts known to be laid out as Symbol is, beside those that say so.
    """
    if text.startswith("(cid:") and text.endswith(")"):
        text = "".join(
            chr(NAMED + int(code)) for code in text[5:-1].split(")(cid:") if code.isdigit() and len(code) < 4
        )
        text = text or UNKNOWN
    if text.isascii() and not is_symbol(font):
        return text
    return "".join(_sign(sign, font, symbols) for sign in text)


def _sign(sign: str, font: str, symbols: frozenset[str]) -> str:
    code = ord(sign)
    if NAMED <= code < NAMED + 256:
        return _named(code - NAMED, font, symbols)
    if 0xF000 <= code < 0xF100:
        return _private(code - 0xF000, font)
    if code in _CORPORATE:
        return _CORPORATE[code]
    if 0xE000 <= code < 0xF900:
        return UNKNOWN
    if is_symbol(font) and sign.isascii() and sign.isalpha():
        return SYMBOL[code]
    return _ONE_SIGN.get(sign, sign)


def _named(code: int, font: str, symbols: frozenset[str]) -> str:
    if font in symbols or is_symbol(font):
        return SYMBOL.get(code, UNKNOWN)
    return chr(code) if 0x20 <= code < 0x7F or code >= 0xA0 else UNKNOWN


def _private(code: int, font: str) -> str:
    if "dings" in font.lower():
        return _WINGDINGS.get(code, "•")
    return SYMBOL.get(code, UNKNOWN)


def _looks_latin(codes: set[int]) -> bool:
    """Whether the codes are those of running text: several of the commonest letters and no sign of a unit."""
    common = {ord(c) for c in "etaoinrsl"} & codes
    return len(common) >= 3 or (bool(codes) and all(0x30 <= c < 0x3A or c in (0x2E, 0x2C, 0x2D) for c in codes))
