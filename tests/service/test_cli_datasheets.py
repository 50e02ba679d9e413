"""Datasheets at the command line."""

import json

import pytest
from typer.testing import CliRunner

from service.cli import app


@pytest.fixture
def cli(named_store):
    runner = CliRunner()

    def run(*arguments, ok=True):
        done = runner.invoke(app, [*map(str, arguments), "--artifacts", str(named_store.root)], catch_exceptions=False)
        assert (done.exit_code == 0) == ok, done.output
        return done

    return run


def test_a_datasheet_becomes_a_table_a_document_and_a_card(cli, tmp_path, synthetic_sheets):
    sheet = tmp_path / "sheet.pdf"
    sheet.write_bytes(synthetic_sheets.unruled_stacked().pdf)
    assert "v_f" in cli("extract", sheet).stdout
    found = json.loads(cli("extract", sheet, "--json", "--parameter", "i_r").stdout)
    assert [p["name"] for p in found["parameters"]] == ["i_r"]
    assert ".model QS2835 D(" in cli("spice", sheet).stdout
    assert json.loads(cli("spice", sheet, "--json", "--dialect", "ltspice").stdout)["model"] == "D"
    cli("spice", sheet, "--dialect", "pspice", ok=False)


def test_a_datasheet_of_several_parts_asks_which(cli, tmp_path, synthetic_sheets):
    sheet = tmp_path / "sheet.pdf"
    sheet.write_bytes(synthetic_sheets.stacked_variants().pdf)
    done = cli("extract", sheet, ok=False)
    assert "QJ112" in done.stderr
    assert "QJ112" in cli("extract", sheet, "--part", "qj112").stdout
