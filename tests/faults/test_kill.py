"""SIGKILL at any moment: nothing lost, nothing twice, nothing half."""

import os
import random
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path

import orjson
import pytest

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import artifact_name, open_build
from pipelines.terminology import Terminology

SPEC = registry.spec("job_titles")
WORDS = ["line cook", "staff nurse", "Lkw-Fahrer", "web developer", "plumber", "zzz", "teacher", "Elektriker"]


def titles(count):
    return b"".join(orjson.dumps({"title": f"{WORDS[n % 8]} {n}"}) + b"\n" for n in range(count))


def kill_until_done(plant, job_id, kills, chance, *, pause_s):
    """Start a worker, kill it at a random moment, again and again; then let one finish. The job, and the kills."""
    killed = 0
    while killed < kills:
        worker = plant.start()
        done = plant.jobs.get(job_id).progress["done"]
        # Half of the kills hit while it starts or takes the job up, half while it is at work.
        if chance.random() < 0.5:
            plant.wait(job_id, until=lambda job, done=done: job.ended or job.progress["done"] > done)
        time.sleep(chance.random() * pause_s)
        plant.kill(worker)
        killed += 1
        if plant.jobs.get(job_id).ended:
            break
    if not plant.jobs.get(job_id).ended:
        plant.start()
    return plant.wait(job_id), killed


def said(record_property, **figures):
    """For benchmarks/faults.py, which counts them."""
    for name, value in figures.items():
        record_property(name, value)


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_puts_out_the_same_bytes(plant, kills, record_property):
    chance = random.Random(kills)
    content = titles(5_000 if kills < 10 else 100_000)
    expected = plant.expected(content)
    job_id = plant.run(content)
    job, killed = kill_until_done(plant, job_id, kills, chance, pause_s=1.0)
    assert job.status == "succeeded"
    wanted, found = (Counter(lines.splitlines()) for lines in (expected, plant.output(job_id)))
    lost, twice = (wanted - found).total(), (found - wanted).total()
    said(record_property, kills=killed, lines=wanted.total(), lost=lost, twice=twice)
    assert plant.output(job_id) == expected
    assert len(plant.files.ids()) == 2
    assert job.counts == {"ok": len(expected.splitlines()), "failed": 0}
    assert not list(plant.jobs.folder(job_id).glob("parts"))


@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_an_index_killed_at_random_moments_is_published_once_and_whole(plant, terminology, kills, record_property):
    chance = random.Random(kills)
    many = Terminology("many", version="1", concepts=terminology.concepts)
    job_id = plant.index(many)
    job, killed = kill_until_done(plant, job_id, kills, chance, pause_s=1.0)
    assert job.status == "succeeded"
    name = artifact_name(SPEC, "many")
    made = plant.store.generations(name)
    said(record_property, kills=killed, generations=1, lost=int(not made), twice=max(len(made) - 1, 0))
    assert made == [job.result["builds"][0]["generation"]]
    opened = open_build(SPEC, "many", store=plant.store, encoder_of=lambda _: HashingEncoder())
    assert len(opened.terminology) == len(terminology)
    opened.artifact.close()


def test_a_worker_that_dies_is_replaced_by_another_that_stands_by(plant):
    job_id = plant.run(titles(5_000))
    first, second = plant.start(), plant.start()
    plant.wait(job_id, until=lambda job: job.progress["done"] > 0)
    busy, standing_by = (first, second) if _works_on(plant, first) else (second, first)
    plant.kill(busy)
    assert plant.wait(job_id).status == "succeeded"
    assert standing_by.poll() is None
    assert plant.jobs.get(job_id).counts == {"ok": 5_000, "failed": 0}


def test_a_worker_leaves_with_whoever_started_it(plant):
    worker = plant.start()
    worker.stdin.close()
    assert worker.wait(timeout=60) == 0


def test_a_job_that_kills_its_workers_fails_in_the_end(plant, monkeypatch):
    from service.jobs import working

    job_id = plant.run(titles(1))
    task_folder = plant.jobs.folder(job_id)
    for _ in range(working._FRUITLESS):
        working._fruitless(_task(plant, job_id))
    outcome = working.attempt(
        job_id, jobs=plant.jobs, settings=plant.settings, store=plant.store, files=plant.files, library=plant.library
    )
    assert outcome["status"] == "failed"
    assert "died" in outcome["error"]["detail"]
    assert not list(task_folder.glob("input*"))


def _task(plant, job_id):
    from service.jobs.task import Task

    return Task(
        job_id, folder=plant.jobs.folder(job_id), settings=plant.settings, store=plant.store, files=plant.files,
        library=plant.library,
    )  # fmt: skip


def _works_on(plant, worker):
    return any(str(worker.pid) == name.split("-")[1] for name in plant.queue.workers())


# -- the writing of one artifact, killed at each step ----------------------------------------------


def killed_at(step: int, work) -> bool:
    """Do work in a child that is killed at its n-th call that changes the disk; whether it was killed by then."""
    child = os.fork()
    if child == 0:
        try:
            _count_down(step)
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _count_down(step):
    left = [step]

    def counted(original):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return call

    for owner, name in [(os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "mkdir"), (Path, "open")]:
        setattr(owner, name, counted(getattr(owner, name)))


def test_an_artifact_killed_at_each_step_of_its_writing_is_never_half_visible(tmp_path, record_property):
    store = ArtifactStore(tmp_path)

    def write(content):
        with store.write("pipelines/a/b", kind="x") as writer:
            for number in range(3):
                writer.add_bytes(f"{number}.bin", content)
            writer.add_json("a.json", {"content": content.decode()})

    write(b"0")
    step, content, half = 0, b"0", 0
    while killed_at(step, partial(write, str(step + 1).encode())):
        with store.open("pipelines/a/b") as artifact:
            seen = {artifact.read_bytes(f"{number}.bin") for number in range(3)}
            seen.add(artifact.read_json("a.json")["content"].encode())
            half += seen not in ({content}, {str(step + 1).encode()})
            content = seen.pop()
        step += 1
    said(record_property, kills=step, half_visible=half)
    assert not half
    assert step > 15
    with store.open("pipelines/a/b") as artifact:
        assert artifact.read_bytes("0.bin") == str(step + 1).encode()
    write(b"last")
    assert not list(tmp_path.glob("pipelines/a/b/.tmp-*"))


def test_an_upload_killed_at_each_step_is_whole_or_not_there(tmp_path, record_property):
    from service.files import FileStore

    store = FileStore(tmp_path / "files", quota_bytes=1 << 20)

    def upload():
        with store.incoming() as incoming:
            incoming.write(b"x" * 100_000)
            incoming.finish(filename="a", purpose="batch")

    step = half = 0
    while killed_at(step, upload):
        for file_id in store.ids():
            half += not store.get(file_id).size == store.path(file_id).stat().st_size == 100_000
        step += 1
    said(record_property, kills=step, half_visible=half)
    assert not half
    assert step > 5
    assert store.ids()
