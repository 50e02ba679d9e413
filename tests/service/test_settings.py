"""The environment is read in one place, and misread by nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

import models
from service.house import HouseBroken, check_house
from service.settings import Settings, SettingsInvalid, read_settings
from service.telemetry import SAFE_KEYS, keep_safe

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_listen_on_loopback_only():
    settings = read_settings()
    assert (settings.host, settings.port, settings.loopback) == ("127.0.0.1", 8000, True)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("box.lan", False)],
)
def test_loopback_is_told_from_the_rest(host, loopback):
    assert Settings(host=host).loopback is loopback


def test_the_environment_sets_and_the_command_line_wins(monkeypatch):
    monkeypatch.setenv("COGNOMEN_PORT", "9000")
    monkeypatch.setenv("COGNOMEN_DOCS", "false")
    assert read_settings().port == 9000
    settings = read_settings(port=9001, host=None)
    assert (settings.port, settings.host, settings.docs) == (9001, "127.0.0.1", False)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("COGNOMEN_PROT", "9000", "did you mean COGNOMEN_PORT?"),
        ("COGNOMEN_XYZZY", "1", "COGNOMEN_XYZZY is no setting"),
        ("COGNOMEN_PORT", "http", "COGNOMEN_PORT: "),
        ("COGNOMEN_DEVICE", "abacus", "COGNOMEN_DEVICE: "),
        ("COGNOMEN_WORKERS", "0", "COGNOMEN_WORKERS: "),
    ],
)
def test_a_bad_variable_stops_the_start_with_one_line(monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsInvalid) as raised:
        read_settings()
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_python_m_service_stops_with_one_line(monkeypatch):
    monkeypatch.setenv("COGNOMEN_PROT", "9000")
    done = subprocess.run([sys.executable, "-m", "service"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "cognomen: COGNOMEN_PROT is no setting; did you mean COGNOMEN_PORT?\n"


def test_every_setting_says_what_it_is():
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_every_setting_is_documented():
    text = (ROOT / "docs" / "api.md").read_text()
    for name in Settings.model_fields:
        assert f"COGNOMEN_{name.upper()}" in text, name


def test_the_house_is_whole():
    check_house()


def test_an_intruder_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(models, "__path__", [str(tmp_path / "models")])
    with pytest.raises(HouseBroken, match=str(tmp_path)):
        check_house()


def test_a_log_line_keeps_safe_keys_only():
    assert keep_safe(None, "info", {"event": "x", "title": "secret", "status": 200}) == {"event": "x", "status": 200}
    assert not {"title", "text", "path", "query", "body", "headers", "url"} & SAFE_KEYS
