"""Jobs put on the queue by a test, done by workers that the test starts and kills."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import artifact_name, build, open_build, snapshot
from pipelines.lines import CHUNK_LINES, line_of
from service.files import FileStore
from service.jobs.queue import Queue, queue_url
from service.jobs.store import JobStore, Plan
from service.jobs.wire_lines import LINE_FORMATS, WireLines
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SPEC = registry.spec("job_titles")
BUILD = artifact_name(SPEC, "twelve")


class Plant:
    """Files, jobs and artifacts as a service has them, without one."""

    def __init__(self, folder: Path, *, jobs_url: str | None = None) -> None:
        self.settings = Settings(artifacts=folder / "artifacts", data=folder / "data", jobs_url=jobs_url, job_nice=0)
        data = self.settings.data
        self.store = ArtifactStore(self.settings.artifacts)
        self.files = FileStore(data / "files", quota_bytes=1 << 30)
        self.use_queue(queue_url(jobs_url, data))
        self.library = EncoderLibrary(self.store, device="cpu")
        self.workers: list[subprocess.Popen] = []

    def use_queue(self, url: str) -> None:
        self.queue = Queue(url)
        self.jobs = JobStore(self.settings.data / "jobs", queue=self.queue, files=self.files, artifacts=self.store)

    @staticmethod
    def is_child(worker: str, pid: int) -> bool:
        """Whether a worker, by its name, was started by that process."""
        status = Path(f"/proc/{worker.split('-')[1]}/status")
        return status.exists() and f"PPid:\t{pid}\n" in status.read_text()

    def file(self, content: bytes, *, name: str = "lines.jsonl", purpose: str = "batch") -> str:
        with self.files.incoming() as incoming:
            incoming.write(content)
            return incoming.finish(filename=name, purpose=purpose).id

    def run(self, content: bytes, **options) -> str:
        file_id = self.file(content)
        at = snapshot(SPEC, "twelve", store=self.store)
        spec = {"pipeline": "job-titles", "terminology": "twelve", "options": options, "at": at}
        return self.jobs.ask("run", {}, Plan(spec, file_id, pins=at)).id

    def index(self, terminology) -> str:
        file_id = self.file(b"\n".join(terminology.to_lines()), purpose="terminology")
        spec = {"terminology": terminology.name, "format": "jsonl", "version": None, "languages": None,
                "encoder": "hashing", "pipelines": ["job-titles"], "hubness": None}  # fmt: skip
        return self.jobs.ask("index", {}, Plan(spec, file_id)).id

    def expected(self, content: bytes) -> bytes:
        """What a job over these lines has to put out, by a plain loop."""
        built = open_build(SPEC, "twelve", store=self.store, encoder_of=lambda _: HashingEncoder())
        answer = WireLines(built.pipeline, LINE_FORMATS["job-titles"], options={})
        lines = [line_of(number, line) for number, line in enumerate(content.splitlines(), 1)]
        with built.artifact:
            chunks = [lines[start : start + CHUNK_LINES] for start in range(0, len(lines), CHUNK_LINES)]
            answers = [answered for chunk in chunks for answered in answer(chunk)]
        return b"".join(answer.content + b"\n" for answer in answers)

    def output(self, job_id: str) -> bytes:
        return self.files.path(self.jobs.get(job_id).output_file_id).read_bytes()

    def start(self) -> subprocess.Popen:
        worker = subprocess.Popen([sys.executable, "-m", "service.jobs.worker"], stdin=subprocess.PIPE, cwd=ROOT)
        worker.stdin.write(self.settings.model_dump_json().encode() + b"\n")
        worker.stdin.flush()
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen) -> None:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdin.close()

    def wait(self, job_id: str, *, within_s: float = 240, until=lambda job: job.ended):
        deadline = time.monotonic() + within_s
        while not until(job := self.jobs.get(job_id)):
            assert time.monotonic() < deadline, job
            time.sleep(0.01)
        return job

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                self.kill(worker)
        self.jobs.close()


@pytest.fixture(scope="session")
def built_folder(tmp_path_factory, encoder, terminology) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    build(
        SPEC, terminology, encoder=encoder, store=ArtifactStore(folder), config=SPEC.config(encoder="hashing")
    ).artifact.close()
    return folder


@pytest.fixture
def plant(built_folder, tmp_path):
    shutil.copytree(built_folder, tmp_path / "artifacts")
    made = Plant(tmp_path)
    yield made
    made.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def serve(plant, tmp_path):
    """Starts `python -m service` over the plant's folders; gives the process and a client."""
    started = []

    def start(**environment):
        port = free_port()
        variables = {
            "COGNOMEN_PORT": str(port),
            "COGNOMEN_ARTIFACTS": str(plant.settings.artifacts),
            "COGNOMEN_DATA": str(plant.settings.data),
            "COGNOMEN_PIPELINES_FILE": str(tmp_path / "none.toml"),
            "COGNOMEN_DRAIN_S": "0",
            "COGNOMEN_JOB_NICE": "0",
            **environment,
        }
        log = (tmp_path / f"service-{len(started)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "service"], cwd=ROOT, env=os.environ | variables, stderr=log, stdout=log
        )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        started.append((process, client, log))
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, Path(log.name).read_text()
            assert time.monotonic() < deadline
            try:
                if client.get("/readyz").status_code == 200:
                    return process, client
            except httpx.TransportError:
                pass
            time.sleep(0.05)

    yield start
    for process, client, log in started:
        client.close()
        if process.poll() is None:
            process.kill()
        process.wait()
        log.close()


@pytest.fixture
def wait_for():
    """The job, once it has ended, or once something holds of it."""

    def wait(client, job_id, until=lambda job: job["status"] in {"succeeded", "failed", "cancelled"}, *, within_s=240):
        deadline = time.monotonic() + within_s
        while not until(job := client.get(f"/v1/jobs/{job_id}").json()):
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
        return job

    return wait
