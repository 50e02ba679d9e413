"""The service as a program: killed with its worker, started again, going on."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]


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
            **environment,
        }
        log = (tmp_path / f"service-{len(started)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "service"], cwd=ROOT, env=os.environ | variables, stderr=log, stdout=log
        )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        started.append((process, client, log))
        deadline = time.monotonic() + 60
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


def wait(client, job_id, until=lambda job: job["status"] in {"succeeded", "failed", "cancelled"}, *, within_s=90):
    deadline = time.monotonic() + within_s
    while not until(job := client.get(f"/v1/jobs/{job_id}").json()):
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return job


def test_a_service_that_is_killed_finishes_its_jobs_when_it_is_back(plant, serve):
    process, client = serve()
    content = b"".join(json.dumps({"title": f"line cook {n % 89}"}).encode() + b"\n" for n in range(5_000))
    file_id = client.post("/v1/files", files={"file": ("a.jsonl", content)}, data={"purpose": "batch"}).json()["id"]
    asked = client.post("/v1/jobs", json={"kind": "run", "pipeline": "job-titles", "input_file_id": file_id})
    assert asked.status_code == 202
    job_id = asked.json()["id"]
    expected = plant.expected(job_id)
    wait(client, job_id, lambda job: job["progress"]["done"] > 0)
    (worker,) = plant.queue.workers()
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Its worker does not outlive it.
    pid = int(re.fullmatch(r"worker-(\d+)-.*", worker)[1])
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "service.jobs.worker" in Path(f"/proc/{pid}/cmdline").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not plant.jobs.get(job_id).ended
    process, client = serve()
    job = wait(client, job_id)
    assert job["status"] == "succeeded"
    assert client.get(f"/v1/jobs/{job_id}/result").content == expected
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) in {0, -signal.SIGTERM}
