import hashlib
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from models.encoders import packages
from models.encoders.packages import KNOWN, check_pins, find_weights
from models.errors import EncoderError, EncoderUnknown, MissingExtra, WeightsMismatch


@pytest.fixture
def model_folder(tmp_path):
    folder = tmp_path / "my-titles"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_folder_is_taken_first(model_folder, monkeypatch):
    named = model_folder.rename(model_folder.parent / "minilm")
    monkeypatch.chdir(named.parent)
    weights = find_weights("minilm")
    assert weights.source["origin"] == "local folder"
    assert weights.sha256 == hashlib.sha256(b"weights").hexdigest()


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(EncoderError, match="not read"):
        find_weights(str(tmp_path))


@pytest.mark.parametrize("name", ["no-such-encoder", "a/b/c", "../elsewhere", "/no/such/folder"])
def test_an_unknown_name_is_told_what_is_known(name):
    with pytest.raises(EncoderUnknown, match="minilm"):
        find_weights(name)


def test_a_missing_package_names_the_extra(monkeypatch):
    def nothing_installed(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "distribution", nothing_installed)
    with pytest.raises(MissingExtra, match="'encoders' extra"):
        find_weights("minilm")


def test_changed_weights_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"poisoned")
    with pytest.raises(WeightsMismatch, match="sha256"):
        check_pins(tmp_path, {"model.safetensors": "0" * 64}, origin="some-package 1.0")


def test_missing_weights_are_refused(tmp_path):
    with pytest.raises(WeightsMismatch, match="no such file"):
        check_pins(tmp_path, {"model.safetensors": "0" * 64}, origin="some-package 1.0")


def test_a_hub_that_cannot_be_reached_is_said_plainly(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def offline(*_, **options):
        assert "*.bin" in options["ignore_patterns"]
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "snapshot_download", offline)
    with pytest.raises(EncoderUnknown, match="cannot be had here"):
        find_weights("intfloat/multilingual-e5-base")


def test_no_hub_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match="'encoders' extra"):
        find_weights("intfloat/multilingual-e5-base")


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_installed_packages_carry_the_pinned_weights(name):
    try:
        weights = find_weights(name)
    except MissingExtra as missing:
        pytest.skip(str(missing))
    assert weights.sha256 == KNOWN[name].sha256[KNOWN[name].weights]
    assert weights.source["licence"]
