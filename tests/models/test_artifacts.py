import errno
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from models import artifacts
from models.artifacts import ArtifactStore
from models.errors import ArtifactCorrupt, ArtifactInvalid, ArtifactMissing, ArtifactWriteFailed


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path / "artifacts")


def write(store, number, *, name="encoders/x", **kwargs):
    with store.write(name, kind="encoder", parents={"weights": "sha"}, **kwargs) as writer:
        writer.add_tensors("a.safetensors", {"a": np.full(3, number)})
        writer.add_json("b.json", {"number": number})
        writer.details["number"] = number
    return store.current(name)


def number_in(store, name="encoders/x"):
    with store.open(name, kind="encoder") as artifact:
        assert artifact.read_tensors("a.safetensors")["a"].tolist() == [artifact.read_json("b.json")["number"]] * 3
        return artifact.manifest.details["number"]


def test_a_written_artifact_reads_back_with_its_manifest(store):
    generation = write(store, 1)
    with store.open("encoders/x", kind="encoder") as artifact:
        assert artifact.generation == generation
        assert artifact.manifest.parents == {"weights": "sha"}
        assert set(artifact.manifest.files) == {"a.safetensors", "b.json"}
        assert "unicode" in artifact.manifest.versions
    assert number_in(store) == 1
    assert store.names() == ["encoders/x"]


def test_equal_bytes_give_equal_fingerprints(store):
    write(store, 1, name="encoders/x")
    write(store, 1, name="encoders/y")
    write(store, 2, name="encoders/z")
    x, y, z = (store.open(f"encoders/{n}").fingerprint for n in "xyz")
    assert x == y != z


def test_a_block_that_raises_leaves_the_last_generation(store):
    write(store, 1)

    def interrupted():
        with store.write("encoders/x", kind="encoder") as writer:
            writer.add_bytes("half", b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert number_in(store) == 1
    assert not list(store.root.rglob(".tmp-*"))


def test_a_failed_check_leaves_the_last_generation(store):
    write(store, 1)

    def refuse(folder: Path) -> None:
        assert (folder / "b.json").is_file()
        raise ArtifactInvalid("canary query failed")

    with pytest.raises(ArtifactInvalid):
        write(store, 2, check=refuse)
    assert number_in(store) == 1


def test_a_full_disk_is_a_clear_failure_that_keeps_the_last_generation(store, monkeypatch):
    write(store, 1)

    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifacts.os, "fsync", no_space)
    with pytest.raises(ArtifactWriteFailed, match="untouched"):
        write(store, 2)
    monkeypatch.undo()
    assert number_in(store) == 1


@pytest.mark.parametrize("victim", ["a.safetensors", "b.json", "MANIFEST.json"])
def test_any_damaged_file_falls_back_to_the_last_good_generation_loudly(store, victim, caplog):
    write(store, 1)
    bad = write(store, 2)
    path = store.root / "encoders/x" / bad / victim
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert number_in(store) == 1
    assert "falling back" in caplog.text


def test_every_generation_damaged_is_an_error_not_an_empty_answer(store):
    only = write(store, 1)
    (store.root / "encoders/x" / only / "b.json").unlink()
    with pytest.raises(ArtifactCorrupt):
        store.open("encoders/x")


def test_a_missing_current_takes_the_newest_whole_generation(store, caplog):
    write(store, 1)
    write(store, 2)
    (store.root / "encoders/x/CURRENT").unlink()
    assert number_in(store) == 2
    assert "CURRENT" in caplog.text


def test_what_a_crash_left_is_never_read_and_swept_by_the_next_write(store):
    write(store, 1)
    left = store.root / "encoders/x/.tmp-20991231T235959000000-ffffff"
    shutil.copytree(store.root / "encoders/x" / store.current("encoders/x"), left)
    assert store.generations("encoders/x") == [store.current("encoders/x")]
    write(store, 2)
    assert not left.exists()


def test_two_generations_are_kept_and_a_leased_one_stays(store):
    first = write(store, 1)
    reader = store.open("encoders/x")
    for number in (2, 3, 4):
        write(store, number)
    kept = store.generations("encoders/x")
    assert first in kept
    assert len(kept) == 3
    assert reader.read_json("b.json") == {"number": 1}
    reader.close()
    write(store, 5)
    assert len(store.generations("encoders/x")) == 2


def test_rollback_goes_back_one_and_refuses_to_go_past_the_first(store):
    first = write(store, 1)
    write(store, 2)
    assert store.rollback("encoders/x") == first
    assert number_in(store) == 1
    with pytest.raises(ArtifactMissing):
        store.rollback("encoders/x")


def test_names_cannot_leave_the_root(store):
    for name in ("../x", "/etc/x", "a//b", "A", "a/../b", ".hidden", "a/b/c/d/e"):
        with pytest.raises(ArtifactInvalid):
            store.open(name)


def test_another_kind_is_refused(store):
    write(store, 1)
    with pytest.raises(ArtifactInvalid, match="expected 'build'"):
        store.open("encoders/x", kind="build")


def test_a_manifest_of_a_later_schema_is_not_read(store):
    generation = write(store, 1)
    path = store.root / "encoders/x" / generation / "MANIFEST.json"
    content = json.loads(path.read_text()) | {"schema": 99}
    content.pop("sha256")
    path.write_text(json.dumps(content | {"sha256": artifacts._json_sha256(content)}))
    with pytest.raises(ArtifactCorrupt):
        store.open("encoders/x")


def test_a_pinned_generation_stays_until_it_is_unpinned(store):
    first = publish(store, b"1")
    store.pin("encoders/a", first, holder="job-1")
    store.pin("encoders/a", first, holder="job-2")
    for content in (b"2", b"3", b"4"):
        publish(store, content)
    assert first in store.generations("encoders/a")
    assert len(store.generations("encoders/a")) == 3
    store.unpin("encoders/a", first, holder="job-1")
    publish(store, b"5")
    assert first in store.generations("encoders/a")
    store.unpin("encoders/a", first, holder="job-2")
    store.unpin("encoders/a", first, holder="job-2")
    publish(store, b"6")
    assert first not in store.generations("encoders/a")
    with pytest.raises(ArtifactMissing):
        store.pin("encoders/a", first, holder="job-3")
    with pytest.raises(ArtifactInvalid):
        store.pin("encoders/a", store.current("encoders/a"), holder="../x")
    assert store.names() == ["encoders/a"]


def publish(store, content):
    with store.write("encoders/a", kind="encoder") as writer:
        writer.add_bytes("a", content)
    return store.current("encoders/a")
