"""The service as a program: killed with its worker, started again, going on."""

import json
import re
import signal
import time
from pathlib import Path


def test_a_service_that_is_killed_finishes_its_jobs_when_it_is_back(plant, serve, wait_for):
    content = b"".join(json.dumps({"title": f"line cook {n}"}).encode() + b"\n" for n in range(6_000))
    expected = plant.expected(content)
    process, client = serve()
    file_id = client.post("/v1/files", files={"file": ("a.jsonl", content)}, data={"purpose": "batch"}).json()["id"]
    asked = client.post("/v1/jobs", json={"kind": "run", "pipeline": "job-titles", "input_file_id": file_id})
    assert asked.status_code == 202
    job_id = asked.json()["id"]
    wait_for(client, job_id, lambda job: job["progress"]["done"] > 0)
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
    job = wait_for(client, job_id)
    assert job["status"] == "succeeded"
    assert client.get(f"/v1/jobs/{job_id}/result").content == expected
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) in {0, -signal.SIGTERM}
