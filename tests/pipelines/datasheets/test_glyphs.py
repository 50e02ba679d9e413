"""Damaged text comes back as printed, or not at all."""

import pytest

from pipelines.datasheets.glyphs import NAMED, SYMBOL, is_symbol, repair, symbol_fonts

SIGNS = [(109, "µ"), (87, "Ω"), (113, "θ"), (68, "Δ"), (176, "°"), (177, "±"), (163, "≤"), (179, "≥"), (98, "β"),
         (104, "η"), (214, "√"), (183, "•")]  # fmt: skip


@pytest.mark.parametrize(("code", "sign"), SIGNS)
def test_the_symbol_encoding_has_the_signs_of_datasheets(code, sign):
    assert SYMBOL[code] == sign


@pytest.mark.parametrize("font", ["Symbol", "ABCDEF+SymbolMT", "AdvPSSym"])
def test_a_symbol_font_has_no_latin_letters(font):
    assert is_symbol(font)
    assert repair("m", font=font) == "µ"
    assert repair("W", font=font) == "Ω"


def test_a_text_font_keeps_its_letters():
    assert repair("mA", font="Helvetica") == "mA"
    assert not is_symbol("SegoeUISymbol")


def test_private_use_is_the_symbol_code():
    assert repair("\uf06d", font="Arial") == "µ"
    assert repair("\uf0b0", font="ABCDEF+SymbolMT") == "°"


def test_private_use_that_nobody_knows_stays_unknown():
    assert repair("\ue123", font="Arial") == "\ufffd"


def test_a_font_that_names_a_handful_of_signs_by_code_is_laid_out_as_symbol():
    assert symbol_fonts({"T3Font7": [109, 87], "T3Font8": list(range(97, 123))}) == {"T3Font7"}
    mark = chr(NAMED + 109)
    assert repair(mark, font="T3Font7", symbols=frozenset({"T3Font7"})) == "µ"
    assert repair(mark, font="T3Font8") == "m"


def test_an_unmapped_cid_is_read_by_its_font():
    assert repair("(cid:109)", font="Symbol") == "µ"
