"""/v1/jobs: asked for, done by a worker, watched, cancelled, fetched."""

import json
import os
import signal
import time

import numpy as np
import orjson
import pytest

from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import build

RUN = {"kind": "run", "pipeline": "job-titles", "input_file_id": "file-20261124T114512123456-9f3a1c2b"}
INDEX = {**RUN, "kind": "index", "terminology": "x", "format": "jsonl"}
del INDEX["pipeline"]
COLLECT = {**INDEX, "collection": "y"}
del COLLECT["terminology"]
TITLES = ["line cook", "staff nurse", "Lkw-Fahrer (m/w/d)", "web developer", "zzz qqq"]
CONCEPTS = [
    {"id": "X:1", "name": "Glass blowers", "terms": ["glass blower", "glassblower", "Glasbläser"]},
    {"id": "X:2", "name": "Beekeepers", "terms": ["beekeeper", "apiarist", "Imker"]},
    {"id": "X:3", "name": "Lighthouse keepers", "terms": ["lighthouse keeper", "Leuchtturmwärter"]},
]


def rebuild(store, encoder, terminology):
    spec = registry.spec("job_titles")
    build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing")).artifact.close()


def lines(*values) -> bytes:
    return b"".join(orjson.dumps(value) + b"\n" for value in values)


def normalize(jobs, *titles, **options):
    response = jobs.served.post("/v1/job-titles/normalize", {"items": [{"title": t} for t in titles], **options})
    assert response.status_code == 200, response.text
    return response.json()


def test_a_run_answers_each_line_as_http_does(jobs):
    content = lines(*({"title": title} for title in TITLES))
    job = jobs.done(kind="run", pipeline="job-titles", input_file_id=jobs.upload(content), options={"top_k": 2})
    assert job["kind"] == "run"
    assert job["counts"] == {"ok": 5, "failed": 0}
    assert job["progress"] | {"per_second": 0, "eta_s": 0} == {
        "done": 5, "total": 5, "unit": "lines", "per_second": 0, "eta_s": 0,
    }  # fmt: skip
    assert job["created_at"] <= job["started_at"] <= job["finished_at"] + 1
    answered = normalize(jobs, *TITLES, top_k=2)
    assert [json.loads(line) for line in jobs.result(job["id"]).splitlines()] == answered["results"]
    assert job["result"] == {k: answered[k] for k in ("terminology", "encoder", "generation")}
    about = jobs.served.get(f"/v1/files/{job['output_file_id']}").json()
    assert about["purpose"] == "batch_output"


def test_bad_lines_are_answered_in_place_and_counted(jobs):
    content = b"\n".join(
        [
            b'{"title": "line cook", "id": "a-1"}',
            b"not json",
            b"",
            b"[]",
            b'{"title": ""}',
            b'{"title": "x", "zanzibar": 1}',
            b'{"title": "\\ud800"}',
            b'{"title": "x", "id": {"a": 1}}',
            b'{"title": "' + b"x" * 2_000_000 + b'"}',
            b"\xff\xfe",
            b'{"title": "nurse", "id": 7}',
            b'{"title": "plumber"}',
        ]
    )
    job = jobs.done(kind="run", pipeline="job-titles", input_file_id=jobs.upload(content))
    answers = [json.loads(line) for line in jobs.result(job["id"]).splitlines()]
    assert len(answers) == 12
    assert job["counts"] == {"ok": 3, "failed": 9}
    assert [a.get("line") for a in answers] == [None, *range(2, 11), None, None]
    assert (answers[0]["id"], answers[10]["id"]) == ("a-1", 7)
    for answer in answers[1:10]:
        assert answer["error"]["type"] == "urn:cognomen:problem:invalid-request"
        assert answer["error"]["status"] == 422
    assert answers[4]["error"]["errors"][0]["pointer"] == "/title"
    assert answers[0]["decision"]["concept_id"] == "T:5120"


def test_a_terminology_is_indexed_and_answers_at_once(jobs):
    file_id = jobs.upload(lines(*CONCEPTS), purpose="terminology")
    job = jobs.done(kind="index", terminology="zoo", format="jsonl", input_file_id=file_id, encoder="hashing")
    assert {k: job["counts"][k] for k in ("ok", "failed", "concepts_added", "concepts_changed")} == {
        "ok": 3, "failed": 0, "concepts_added": 3, "concepts_changed": 0,
    }  # fmt: skip
    assert job["counts"]["texts_encoded"] >= 8  # confidence is calibrated on some more
    answered = normalize(jobs, "apiarist", terminology="zoo")
    assert answered["results"][0]["decision"]["concept_id"] == "X:2"
    assert answered["generation"] == job["result"]["builds"][0]["generation"]
    # One concept changed, one gone, one new: only what is new is encoded.
    changed = [CONCEPTS[0], {**CONCEPTS[1], "terms": ["beekeeper", "apiarist", "bee farmer"]}]
    new = {"id": "X:4", "name": "Falconers", "terms": ["falconer"]}
    file_id = jobs.upload(lines(*changed, new), purpose="terminology")
    job = jobs.done(kind="index", terminology="zoo", format="jsonl", input_file_id=file_id)
    counts = job["counts"]
    assert {k: counts[k] for k in counts if k.startswith("concepts")} == {
        "concepts_added": 1, "concepts_changed": 1, "concepts_deleted": 1, "concepts_unchanged": 1,
    }  # fmt: skip
    assert 2 <= counts["texts_encoded"] < 8
    assert counts["texts_reused"] >= 5
    again = normalize(jobs, "falconer", "lighthouse keeper", terminology="zoo")
    assert again["results"][0]["decision"]["concept_id"] == "X:4"
    assert again["generation"] == job["result"]["builds"][0]["generation"] > answered["generation"]
    assert all("X:3" not in str(result) for result in again["results"])


def test_an_index_over_nothing_makes_the_service_ready(tmp_path, serve_jobs, own_store, assert_problem):
    own_store.delete("pipelines/job_titles/twelve")
    jobs = serve_jobs(wait=False)
    assert_problem(jobs.served.get("/readyz"), 503)
    file_id = jobs.upload(lines(*CONCEPTS), purpose="terminology")
    jobs.done(kind="index", terminology="zoo", format="jsonl", input_file_id=file_id, encoder="hashing")
    assert jobs.served.get("/readyz").status_code == 200
    assert normalize(jobs, "apiarist")["results"][0]["decision"]["concept_id"] == "X:2"


def test_a_terminology_is_indexed_with_a_bank_and_a_correction(jobs):
    file_id = jobs.upload(lines(*CONCEPTS), purpose="terminology")
    bank = jobs.upload(lines({"text": "bee wanted"}, {"text": "glass wanted"}), purpose="queries")
    hubness = {"method": "nnn", "queries_file_id": bank}
    jobs.done(
        kind="index", terminology="zoo-hubs", format="jsonl", input_file_id=file_id, encoder="hashing", hubness=hubness
    )
    answered = normalize(jobs, "apiarist", terminology="zoo-hubs")
    assert "corrected" in answered["results"][0]["candidates"][0]["scores"]
    assert "corrected" not in str(normalize(jobs, "apiarist", terminology="zoo-hubs", hubness="none")["results"])


def test_a_collection_is_indexed_and_answers_at_once(jobs, assert_problem):
    documents = [
        {"id": f"{c}-{t}", "text": f"{c} {t}", "metadata": {"colour": c}}
        for c in ("red", "old")
        for t in ("car", "hat")
    ]
    file_id = jobs.upload(lines(*documents), purpose="documents")
    bank = jobs.upload(lines({"text": "a car"}, {"text": "hats"}), purpose="queries")
    known = jobs.upload(lines({"text": "red car", "relevant": ["red-car"]}), purpose="queries")
    asked = {"kind": "index", "collection": "shop", "format": "jsonl", "encoder": "hashing", "input_file_id": file_id}
    hubness = {"method": "auto", "queries_file_id": bank, "gallery": "items", "development_file_id": known}
    job = jobs.done(**asked, hubness=hubness, options={"fields": ["colour"], "lexical": 0.2})
    assert job["counts"] == {"ok": 4, "failed": 0}
    assert job["result"]["hubness"]["method"] == "none"
    query = {"queries": [{"text": "car"}], "filter": {"colour": "old"}, "hubness": "dual_is"}
    answer = jobs.served.post("/v1/retrieval/shop/search", query).json()
    assert answer["results"][0]["hits"][0]["id"] == "old-car"
    assert answer["generation"] == job["result"]["generation"]
    # Another generation, of vectors; and one that fails, which changes nothing.
    vectors = jobs.upload(lines(*({"id": str(i), "vector": [1.0, i]} for i in range(3))), purpose="documents")
    again = jobs.done(**{**asked, "encoder": None, "input_file_id": vectors})
    broken = jobs.upload(lines({"id": "a", "vector": [0, 0]}), purpose="documents")
    failed = jobs.wait(jobs.started(**{**asked, "encoder": None, "input_file_id": broken}))
    assert failed["status"] == "failed"
    assert "line 1" in failed["error"]["detail"]
    for _ in range(100):
        if (listed := {c["name"]: c for c in jobs.served.get("/v1/retrieval").json()["collections"]})["shop"][
            "items"
        ] == 3:
            break
        time.sleep(0.1)
    assert listed["shop"]["generation"] == again["result"]["generation"]
    wrong = jobs.ask(**{**asked, "hubness": {"method": "is", "queries_file_id": file_id}})
    assert assert_problem(wrong, 422)["errors"][0]["pointer"] == "/hubness/queries_file_id"


def test_demand_is_adapted_and_used(jobs):
    file_id = jobs.upload(lines(*[{"title": "nurse"}] * 50, {"text": "cook"}, "broken"))
    job = jobs.done(kind="adapt", pipeline="job-titles", input_file_id=file_id)
    assert job["counts"] == {"ok": 51, "failed": 1}
    assert job["result"]["artifact"] == "demand/job_titles/twelve"


@pytest.mark.parametrize(
    ("name", "content", "slug"),
    [
        ("a.jsonl", b'{"id": "X:1", "name": "zanzibar", "terms": 7}\n', "input-unreadable"),
        ("a.jsonl", b"\x1f\x8bnot gzip", "input-unreadable"),
        ("a.jsonl", b"", "input-unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_job_and_changes_nothing(jobs, name, content, slug):
    store = jobs.served.services.host.store
    before = {name: store.current(name) for name in store.names()}
    file_id = jobs.upload(content, name=name, purpose="terminology")
    job = jobs.wait(
        jobs.started(kind="index", terminology="twelve", format="jsonl", input_file_id=file_id, encoder="hashing")
    )
    assert job["status"] == "failed"
    assert job["error"]["type"] == f"urn:cognomen:problem:{slug}"
    assert "zanzibar" not in str(job)
    assert {name: store.current(name) for name in store.names()} == before
    assert normalize(jobs, "nurse")["results"][0]["decision"]["concept_id"] == "T:2221"


def test_the_same_key_is_the_same_job(jobs, assert_problem):
    before = len(jobs.served.get("/v1/jobs").json()["jobs"])
    body = {"kind": "run", "pipeline": "job-titles", "input_file_id": jobs.upload(lines({"title": "cook"}))}
    first = jobs.ask("key 1", **body)
    assert first.headers["location"] == f"/v1/jobs/{first.json()['id']}"
    assert jobs.ask("key 1", **body).json()["id"] == first.json()["id"]
    jobs.wait(first.json()["id"])
    jobs.served.delete(f"/v1/files/{body['input_file_id']}")
    assert jobs.ask("key 1", **body).json()["id"] == first.json()["id"]
    assert_problem(jobs.ask("key 1", **body, options={"top_k": 1}), 409, "idempotency-conflict")
    assert_problem(jobs.ask("key 2", **body), 422)
    assert len(jobs.served.get("/v1/jobs").json()["jobs"]) == before + 1


def test_jobs_are_listed_newest_first_in_pages(serve_jobs):
    jobs = serve_jobs(job_workers=0)
    file_id = jobs.upload(lines({"title": "cook"}))
    ids = [jobs.started(kind="run", pipeline="job-titles", input_file_id=file_id) for _ in range(3)]
    first = jobs.served.get("/v1/jobs", params={"page_size": 2}).json()
    assert [job["id"] for job in first["jobs"]] == [ids[2], ids[1]]
    second = jobs.served.get("/v1/jobs", params={"page_size": 2, "page_token": first["next_page_token"]}).json()
    assert ([job["id"] for job in second["jobs"]], second["next_page_token"]) == ([ids[0]], None)
    assert {job["status"] for job in first["jobs"]} == {"queued"}


def test_a_queued_job_can_be_cancelled_and_has_no_result(serve_jobs, assert_problem):
    jobs = serve_jobs(job_workers=0)
    job_id = jobs.started(kind="run", pipeline="job-titles", input_file_id=jobs.upload(lines({"title": "cook"})))
    assert_problem(jobs.served.get(f"/v1/jobs/{job_id}/result"), 409, "job-not-finished")
    assert jobs.served.post(f"/v1/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert jobs.served.post(f"/v1/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert_problem(jobs.served.get(f"/v1/jobs/{job_id}/result"), 404, "no-result")


def test_a_running_job_can_be_cancelled(jobs):
    file_id = jobs.upload(lines(*({"title": f"cook {n}"} for n in range(30_000))))
    job_id = jobs.started(kind="run", pipeline="job-titles", input_file_id=file_id)
    jobs.wait(job_id, lambda job: job["progress"]["done"] > 0)
    jobs.served.post(f"/v1/jobs/{job_id}/cancel")
    assert jobs.get(job_id)["status"] == "cancelled"
    # The worker is free, or has been ended, soon; the next job is done.
    jobs.done(kind="run", pipeline="job-titles", input_file_id=jobs.upload(lines({"title": "cook"})))
    assert jobs.get(job_id)["status"] == "cancelled"
    assert jobs.get(job_id)["output_file_id"] is None


def test_events_tell_each_change_until_the_end(jobs):
    file_id = jobs.upload(lines(*({"title": f"cook {n}"} for n in range(3000))))
    job_id = jobs.started(kind="run", pipeline="job-titles", input_file_id=file_id)
    response = jobs.served.get(f"/v1/jobs/{job_id}/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    assert {job["id"] for job in told} == {job_id}
    assert told[-1]["status"] == "succeeded"
    assert told[-1] == jobs.get(job_id)
    done = [job["progress"]["done"] for job in told]
    assert done == sorted(done)


def test_the_input_may_be_deleted_while_the_job_waits(serve_jobs):
    jobs = serve_jobs(job_workers=0)
    file_id = jobs.upload(lines({"title": "cook"}))
    job_id = jobs.started(kind="run", pipeline="job-titles", input_file_id=file_id)
    jobs.served.delete(f"/v1/files/{file_id}")
    jobs.served.close()
    jobs = serve_jobs()
    assert jobs.wait(job_id)["status"] == "succeeded"


def test_a_run_answers_from_the_generation_it_was_asked_of(serve_jobs, own_store, encoder, terminology):
    jobs = serve_jobs(job_workers=0)
    before = normalize(jobs, "nurse")["generation"]
    file_id = jobs.upload(lines({"title": "nurse"}))
    job_id = jobs.started(kind="run", pipeline="job-titles", input_file_id=file_id)
    for _ in range(3):
        rebuild(own_store, encoder, terminology)
    jobs.served.close()
    jobs = serve_jobs()
    job = jobs.wait(job_id)
    assert job["status"] == "succeeded"
    assert job["result"]["generation"] == before != normalize(jobs, "nurse")["generation"]
    rebuild(own_store, encoder, terminology)
    assert before not in own_store.generations("pipelines/job_titles/twelve")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/kind"),
        ({"kind": "zanzibar"}, 422, "/kind"),
        ({"kind": "run"}, 422, "/pipeline"),
        (RUN, 422, "/input_file_id"),
        ({**RUN, "input_file_id": "../../etc/passwd"}, 422, "/input_file_id"),
        ({**RUN, "pipeline": "zanzibar"}, 404, None),
        ({**RUN, "x": 1}, 422, "/x"),
        ({**RUN, "options": {"top_k": 0}}, 422, "/options/top_k"),
        ({**RUN, "options": {"items": []}}, 422, "/options/items"),
        ({**RUN, "options": {"terminology": 5}}, 422, "/options/terminology"),
        ({**RUN, "options": {"terminology": "zanzibar"}}, 404, None),
        ({**INDEX, "terminology": None}, 422, ""),
        ({**INDEX, "collection": "y"}, 422, ""),
        ({**INDEX, "terminology": None, "collection": "y"}, 422, "/input_file_id"),
        ({**COLLECT, "format": "csv"}, 422, "/format"),
        ({**COLLECT, "encoder": "../x"}, 422, "/input_file_id"),
        ({**COLLECT, "collection": "../x"}, 422, "/collection"),
        ({**COLLECT, "pipeline": "job-titles"}, 422, "/pipeline"),
        ({**COLLECT, "options": {"shape": "zanzibar"}}, 422, "/options/shape"),
        ({**COLLECT, "options": {"metric": "zanzibar"}}, 422, "/options/metric"),
        ({**COLLECT, "options": {"encoder": "hashing"}}, 422, "/options/encoder"),
        ({**COLLECT, "hubness": {"method": "zanzibar"}}, 422, "/hubness/method"),
        ({**INDEX, "options": {"metric": "cosine"}}, 422, "/options"),
        ({**INDEX, "hubness": {"gallery": "items"}}, 422, "/hubness/gallery"),
        ({**INDEX, "terminology": "../x"}, 422, "/terminology"),
        ({**INDEX, "format": "exe"}, 422, "/format"),
        ({**INDEX, "format": "parquet"}, 422, "/format"),
        ({**INDEX, "encoder": "../x"}, 404, None),
        ({**INDEX, "encoder": ""}, 404, None),
        ({**INDEX, "pipeline": "zanzibar"}, 404, None),
        ({**INDEX, "encoder": "hashing", "hubness": {"method": "csls"}}, 422, "/input_file_id"),
        ({**INDEX, "encoder": "hashing"}, 422, "/input_file_id"),
        ({**RUN, "kind": "adapt"}, 422, "/input_file_id"),
        ({**RUN, "kind": "train"}, 422, None),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(idle, assert_problem, body, status, pointer):
    problem = assert_problem(idle.ask(**body), status)
    assert "zanzibar" not in str(problem)
    if pointer is not None:
        assert pointer in [fault["pointer"] for fault in problem["errors"]]
    assert idle.served.get("/v1/jobs").json()["jobs"] == []


def test_a_file_uploaded_for_something_else_is_refused(idle, assert_problem):
    file_id = idle.upload(b"x", purpose="documents")
    response = idle.ask(kind="run", pipeline="job-titles", input_file_id=file_id)
    assert "batch" in assert_problem(response, 422)["errors"][0]["detail"]


@pytest.mark.parametrize("job_id", ["nope", "job-", "job-x", "..", "job-..%2f..%2fkeys", "%00", "x" * 4000])
def test_an_unknown_job_is_404_whatever_it_looks_like(idle, assert_problem, job_id):
    for suffix in ("", "/events", "/result"):
        if job_id != ".." or suffix:
            assert_problem(idle.served.get(f"/v1/jobs/{job_id}{suffix}"), 404)
    if job_id != "..":
        assert_problem(idle.served.post(f"/v1/jobs/{job_id}/cancel"), 404)


def test_a_collection_is_indexed_and_searched_at_once_with_its_bank(jobs):
    rng = np.random.default_rng(0)
    documents = [
        {"id": f"d{i}", "vector": v.tolist(), "metadata": {"even": i % 2 == 0}}
        for i, v in enumerate(rng.normal(size=(60, 8)))
    ]
    bank = [{"vector": v.tolist()} for v in rng.normal(size=(40, 8))]
    job = jobs.done(
        kind="index",
        collection="points",
        format="jsonl",
        input_file_id=jobs.upload(lines(*documents), purpose="documents"),
        hubness={"method": "is", "queries_file_id": jobs.upload(lines(*bank), purpose="queries"), "beta": 5.0},
    )
    assert job["counts"] == {"ok": 60, "failed": 0}
    assert job["result"]["hubness"]["method"] == "is"
    body = {"queries": [{"vector": documents[3]["vector"]}], "top_k": 2}
    answer = jobs.served.post("/v1/retrieval/points/search", {**body, "hubness": "none"}).json()
    assert answer["generation"] == job["result"]["generation"]
    assert answer["results"][0]["hits"][0]["id"] == "d3"
    corrected = jobs.served.post("/v1/retrieval/points/search", body).json()["results"][0]["hits"][0]
    assert corrected["score"] != corrected["raw_score"]


def test_documents_that_are_none_fail_the_job_and_publish_nothing(jobs):
    file_id = jobs.upload(lines({"id": "a", "vector": [1.0]}, {"id": "b", "text": "x"}), purpose="documents")
    job = jobs.wait(jobs.started(kind="index", collection="broken", format="jsonl", input_file_id=file_id))
    assert job["status"] == "failed"
    assert job["error"]["status"] == 422
    assert jobs.served.post("/v1/retrieval/broken/search", {"queries": [{"text": "x"}]}).status_code == 404


def test_a_worker_that_dies_is_started_again(jobs):
    file_id = jobs.upload(lines(*({"title": f"cook {n}"} for n in range(5000))))
    job_id = jobs.started(kind="run", pipeline="job-titles", input_file_id=file_id)
    jobs.wait(job_id, lambda job: job["progress"]["done"] > 0)
    (worker,) = jobs.served.services.supervisor.pids
    os.kill(worker, signal.SIGKILL)
    assert jobs.wait(job_id)["status"] == "succeeded"
    assert jobs.served.services.supervisor.pids != [worker]
    assert len(jobs.result(job_id).splitlines()) == 5000


def test_old_jobs_are_forgotten_with_all_they_hold(jobs):
    job = jobs.done(kind="run", pipeline="job-titles", input_file_id=jobs.upload(lines({"title": "cook"})))
    store = jobs.served.services.jobs
    assert store.sweep(older_than_s=3600) == 0
    assert jobs.get(job["id"]) == job
    assert store.sweep(older_than_s=-5) > 0
    assert jobs.served.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert jobs.served.get("/v1/jobs").json()["jobs"] == []


def test_jobs_and_files_are_documented(idle):
    document = idle.served.get("/openapi.json").json()
    for path in ("/v1/files", "/v1/files/{file_id}/content", "/v1/jobs", "/v1/jobs/{job_id}/events"):
        assert path in document["paths"]
    for schema in ("IndexJob", "RunJob"):
        example = document["components"]["schemas"][schema]["example"]
        assert idle.ask(**example).status_code in {404, 422}  # Its file is not there; the rest is right.
    assert "multipart/form-data" in document["paths"]["/v1/files"]["post"]["requestBody"]["content"]


def test_a_queue_that_is_away_or_damaged_is_a_clear_503_and_answers_go_on(serve_jobs, tmp_path, assert_problem):
    jobs = serve_jobs(job_workers=0)
    file_id = jobs.upload(lines({"title": "cook"}))
    path = tmp_path / "data" / "jobs" / "queue.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"this is no database" * 1000)
    response = jobs.ask(kind="run", pipeline="job-titles", input_file_id=file_id)
    assert_problem(response, 503, "jobs-unavailable")
    assert response.headers["retry-after"]
    assert not list((tmp_path / "data" / "jobs").glob("job-*"))
    assert normalize(jobs, "nurse")["results"][0]["decision"]["concept_id"] == "T:2221"


def test_a_pipeline_is_trained_as_a_job(serve_jobs, own_store):
    pytest.importorskip("torch")
    spec = registry.spec("medical")
    build(spec, spec.starter(), encoder=HashingEncoder(), store=own_store, config=spec.config(encoder="hashing"))
    jobs = serve_jobs()
    mentions = [{"start": 0, "end": 5, "concept_ids": ["HP:0001945"]}]
    notes = lines(*({"id": f"d{i}", "text": "Fever.", "language": "en", "mentions": mentions} for i in range(20)))
    asked = {"kind": "train", "pipeline": "medical", "input_file_id": jobs.upload(notes)}
    options = {"language": "en", "folds": 2, "evidence": {"steps": 2}}
    job = jobs.done(**asked, options=options)
    # What retrieval gets right already needs no re-ranker.
    assert job["result"]["generation"] is None
    assert job["result"]["card"]["evidence"]["kept"] is False
    for wrong in ({"cross": {"base": "/etc"}}, {"folds": 0}, {"data": []}, {"zanzibar": 1}):
        failed = jobs.wait(jobs.started(**asked, options={**options, **wrong}))
        assert failed["status"] == "failed", failed
        assert "options" in failed["error"]["detail"], failed
        assert "/etc" not in str(failed["error"])
