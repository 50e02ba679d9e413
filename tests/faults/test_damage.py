"""Bits that flip, disks that are full: noticed, said, and the last good generation answers."""

import errno
import os
import random

import pytest

from models import artifacts
from pipelines import registry
from pipelines.build import artifact_name, build
from pipelines.results import Request
from service import files as service_files
from service.host import PipelineHost
from service.jobs import working

SPEC = registry.spec("job_titles")
BUILD = artifact_name(SPEC, "twelve")


def attempt(plant, job_id):
    return working.attempt(
        job_id, jobs=plant.jobs, settings=plant.settings, store=plant.store, files=plant.files, library=plant.library
    )


def files_of_a_build():
    return ["MANIFEST.json", "config.json", "concepts.jsonl", "dense.faiss", "lexical.json", "lexical.safetensors",
            "calibration.json", "hubness.json", "hubness.safetensors"]  # fmt: skip


@pytest.mark.parametrize("file", files_of_a_build())
def test_a_flipped_bit_in_any_file_is_noticed_at_start_up_and_the_last_good_generation_answers(
    plant, encoder, terminology, file, caplog
):
    good = plant.store.current(BUILD)
    build(SPEC, terminology, encoder=encoder, store=plant.store, config=SPEC.config(encoder="hashing")).artifact.close()
    folder = plant.store.root / BUILD / plant.store.current(BUILD)
    assert sorted(p.name for p in folder.iterdir() if p.name != ".lease") == sorted(files_of_a_build())
    chance = random.Random(file)
    for _ in range(3):
        content = bytearray((folder / file).read_bytes())
        bit = chance.randrange(8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
        (folder / file).write_bytes(content)
        host = PipelineHost(plant.store, device="cpu")
        host.load()
        assert host.ready
        assert host.pipeline("job-titles").generation == good
        assert "falling back" in caplog.text
        assert host.pipeline("job-titles").pipeline.run([Request("nurse")])[0].mentions
        host.close()
        content[bit // 8] ^= 1 << bit % 8
        (folder / file).write_bytes(content)


def full(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_fails_an_index_clearly_and_the_old_generation_answers(plant, terminology, monkeypatch):
    host = PipelineHost(plant.store, device="cpu")
    host.load()
    before = host.pipeline("job-titles").generation
    job_id = plant.index(terminology)
    monkeypatch.setattr(artifacts, "_fsync_folder", full)
    outcome = attempt(plant, job_id)
    monkeypatch.undo()
    assert outcome["status"] == "failed"
    assert outcome["error"]["type"] == "urn:cognomen:problem:storage-full"
    host.refresh()
    assert host.pipeline("job-titles").generation == plant.store.current(BUILD) == before
    assert not list(plant.store.root.rglob(".tmp-*"))
    host.close()


def test_a_full_disk_fails_a_run_clearly_and_leaves_no_output(plant, monkeypatch):
    job_id = plant.run(b'{"title": "cook"}\n')
    monkeypatch.setattr(os, "fsync", full)
    outcome = attempt(plant, job_id)
    monkeypatch.undo()
    assert outcome["error"]["type"] == "urn:cognomen:problem:storage-full"
    assert len(plant.files.ids()) == 1
    assert outcome["status"] == "failed"


def test_a_hiccup_of_the_disk_is_tried_again(plant, monkeypatch):
    job_id = plant.run(b'{"title": "cook"}\n')
    monkeypatch.setattr(working, "_PAUSE_S", 0.0)
    original, calls = service_files.write_atomically, []

    def hiccups(path, content):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(errno.ETIMEDOUT, "Connection timed out")
        original(path, content)

    monkeypatch.setattr("service.jobs.task.write_atomically", hiccups)
    outcome = attempt(plant, job_id)
    assert outcome["status"] == "succeeded", outcome
    assert len(calls) >= 3


def test_a_half_written_generation_is_never_seen(plant):
    home = plant.store.root / BUILD
    whole = plant.store.generations(BUILD)
    half = home / ".tmp-20991231T235959000000-abcdef"
    half.mkdir()
    (half / "dense.faiss").write_bytes(b"half")
    bare = home / "20991231T235959000000-abcdef"
    bare.mkdir()
    (bare / "dense.faiss").write_bytes(b"no manifest")
    host = PipelineHost(plant.store, device="cpu")
    host.load()
    assert plant.store.generations(BUILD) == whole
    assert host.pipeline("job-titles").generation == whole[-1]
    host.close()
