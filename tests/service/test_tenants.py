"""Tenants: keys bound to prefixes see and make only what is theirs; the rest is 404, whether it exists or not."""

import asyncio
import json

import pytest

from pipelines import registry
from pipelines.build import build
from pipelines.retrieval import collections
from pipelines.retrieval.config import CollectionConfig
from pipelines.terminology import Terminology
from service.keys import Scope

LINES = b'{"title": "cook"}\n{"title": "staff nurse"}\n'
CONCEPTS = b'{"id": "X:1", "name": "Glass blowers", "terms": ["glass blower", "Glasblaeser"]}\n'
DOCUMENTS = b'{"id": "a", "text": "red car"}\n{"id": "b", "text": "green boat"}\n'
JOB = "job-20261124T114512123456-9f3a1c2b"
FILE = "file-20261124T114512123456-9f3a1c2b"


class Tenant:
    """A key's holder, and what they do over HTTP."""

    def __init__(self, served, *prefixes: str, scope: Scope = Scope.ADMIN) -> None:
        self.served = served
        key, token = served.services.keys.create(name="/".join(prefixes) or "all", scopes=[scope], prefixes=prefixes)
        self.id = key.id
        self.headers = {"authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, **options):
        headers = {**self.headers, **options.pop("headers", {})}
        return self.served.run(self.served.client.request(method, path, headers=headers, **options))

    def get(self, path: str):
        return self.ask("GET", path)

    def post(self, path: str, content: object = None, **headers: str):
        return self.ask("POST", path, json=content, headers=headers)

    def upload(self, content: bytes = LINES, *, purpose: str = "batch") -> str:
        form = {"files": {"file": ("lines.jsonl", content)}, "data": {"purpose": purpose}}
        response = self.ask("POST", "/v1/files", **form)
        assert response.status_code == 201, response.text
        return response.json()["id"]

    def job(self, **body) -> dict:
        response = self.post("/v1/jobs", body)
        assert response.status_code == 202, response.text
        return response.json()

    def done(self, **body) -> dict:
        job_id = self.job(**body)["id"]

        async def waited() -> dict:
            async with asyncio.timeout(240):
                while True:
                    job = (await self.served.client.get(f"/v1/jobs/{job_id}", headers=self.headers)).json()
                    if job["status"] in {"succeeded", "failed", "cancelled"}:
                        return job
                    await asyncio.sleep(0.05)

        job = self.served.run(waited())
        assert job["status"] == "succeeded", job
        return job

    def files(self) -> list[str]:
        return [file["id"] for file in self.get("/v1/files").json()["files"]]

    def jobs(self) -> list[str]:
        return [job["id"] for job in self.get("/v1/jobs").json()["jobs"]]


@pytest.fixture(scope="module")
def tenanted_store(tmp_path_factory, encoder, terminology):
    """Both tenants have a terminology and a collection of their own."""
    from models.artifacts import ArtifactStore

    folder = tmp_path_factory.mktemp("tenants")
    store = ArtifactStore(folder / "artifacts")
    spec = registry.spec("job-titles")
    (folder / "documents.jsonl").write_bytes(DOCUMENTS)
    for tenant in ("acme", "bolt"):
        named = Terminology(f"{tenant}-jobs", version="1", concepts=terminology.concepts)
        build(spec, named, encoder=encoder, store=store, config=spec.config(encoder="hashing")).artifact.close()
        collections.build_collection(
            f"{tenant}-papers",
            folder / "documents.jsonl",
            store=store,
            encoder_of=lambda name: encoder,
            config=CollectionConfig(encoder="hashing"),
        )
    return store


@pytest.fixture(scope="module")
def tenants(tenanted_store, tmp_path_factory, hosted):
    """A service with a worker, and the holders of three keys: acme's, bolt's and one that sees all."""
    data = tmp_path_factory.mktemp("tenants-data")
    served = hosted(tenanted_store, require_keys=True, data=data, job_nice=0)
    yield Tenant(served, "acme-"), Tenant(served, "bolt-"), Tenant(served)
    served.close()


@pytest.fixture(scope="module")
def acmes(tenants):
    """A file, a job that ran over it, and what it put out: acme's."""
    acme, *_ = tenants
    file_id = acme.upload()
    return file_id, acme.done(kind="run", pipeline="job-titles", input_file_id=file_id)


def test_what_a_tenant_makes_is_there_for_it_and_for_who_sees_all(tenants, acmes):
    acme, _, everybody = tenants
    file_id, job = acmes
    for holder in (acme, everybody):
        assert {file_id, job["output_file_id"]} <= set(holder.files())
        assert job["id"] in holder.jobs()
        assert holder.get(f"/v1/files/{file_id}/content").content == LINES
        assert len(holder.get(f"/v1/jobs/{job['id']}/result").content.splitlines()) == 2
        assert holder.get(f"/v1/files/{job['output_file_id']}").json()["purpose"] == "batch_output"
    assert job["result"]["terminology"]["name"] == "acme-jobs"


def test_what_a_key_made_that_sees_all_is_not_a_tenants(tenants, assert_problem):
    acme, _, everybody = tenants
    file_id = everybody.upload()
    assert file_id not in acme.files()
    assert_problem(acme.get(f"/v1/files/{file_id}"), 404, "file-unknown")


def test_a_wider_key_sees_what_a_narrower_made_and_not_the_other_way_round(tenants, acmes):
    acme, *_ = tenants
    narrow = Tenant(acme.served, "acme-jobs")
    both = Tenant(acme.served, "acme-", "bolt-")
    own = narrow.upload()
    assert own in acme.files()
    assert acmes[0] not in narrow.files()
    assert acmes[0] in both.files()
    assert both.upload() not in acme.files()


def test_keys_of_the_same_prefixes_are_one_tenant(tenants, acmes):
    reader = Tenant(tenants[0].served, "acme-", scope=Scope.WRITE)
    assert acmes[1]["id"] in reader.jobs()


def _probes(acmes):
    """Every route that names something, with what is acme's in its place and with what nobody has."""
    file_id, job = acmes
    known = {
        "file_id": (file_id, FILE),
        "job_id": (job["id"], JOB),
        "collection": ("acme-papers", "acme-none"),
        "concept_id": ("T:5120", "T:5120"),
    }

    def filled(path: str, which: int) -> str:
        names = {k: v[which] for k, v in known.items()}
        return path.format(name=("acme-jobs", "acme-none")[which], **names)

    return filled


def test_no_route_tells_what_is_anothers_from_what_is_not_there(tenants, acmes, assert_problem):
    acme, bolt, _ = tenants
    filled = _probes(acmes)
    bodies = {"search": {"queries": [{"text": "car"}]}}
    probed = []
    for path, item in acme.served.app.openapi()["paths"].items():
        if "{" not in path or path.startswith(("/v1/keys", "/v1/pipelines", "/v1/{pipeline}", "/console")):
            continue  # Keys and feedback have tests of their own, and pipelines are everybody's.
        for method in item:
            body = {"json": bodies[path.rsplit("/", 1)[1]]} if path.rsplit("/", 1)[1] in bodies else {}
            theirs, nobodys = (bolt.ask(method.upper(), filled(path, which), **body) for which in (0, 1))
            problems = [assert_problem(response, 404) for response in (theirs, nobodys)]
            assert len({json.dumps({k: p[k] for k in ("type", "title", "detail")}) for p in problems}) == 1, path
            assert "acme" not in theirs.text
            probed.append((method, path))
    assert len(probed) >= 12
    # Nothing was lost by it, and the same asked by its owner is there.
    assert acmes[0] in acme.files()
    assert acme.get(f"/v1/jobs/{acmes[1]['id']}").json()["status"] == "succeeded"


def test_no_list_shows_what_is_anothers(tenants, acmes):
    acme, bolt, _ = tenants
    listed = [p for p, item in acme.served.app.openapi()["paths"].items() if "get" in item and "{" not in p]
    listed = [p for p in listed if p.startswith("/v1/")] + ["/v1/job-titles/feedback", "/v1/pipelines/job-titles"]
    assert len(listed) >= 8
    for path in listed:
        said = bolt.get(path)
        assert said.status_code == 200, path
        assert "acme" not in said.text, path
        assert acmes[0] not in said.text, path
        assert acmes[1]["id"] not in said.text, path
    assert "acme" in acme.get("/v1/generations").text


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "run", "pipeline": "job-titles", "options": {"terminology": "acme-jobs"}},
        {"kind": "adapt", "pipeline": "job-titles", "terminology": "acme-jobs"},
        {"kind": "index", "format": "jsonl", "terminology": "acme-jobs"},
        {"kind": "index", "format": "jsonl", "terminology": "acme-new"},
        {"kind": "index", "format": "jsonl", "collection": "acme-papers"},
        {"kind": "index", "format": "jsonl", "collection": "acme-new"},
        {"kind": "index", "format": "jsonl", "terminology": "bol"},
    ],
)
def test_a_job_on_anothers_name_is_404(tenants, assert_problem, body):
    _, bolt, _ = tenants
    before = bolt.jobs()
    for purpose in ("batch", "terminology", "documents"):
        asked = bolt.post("/v1/jobs", {**body, "input_file_id": bolt.upload(purpose=purpose)})
        assert "acme" not in str(assert_problem(asked, 404))
    assert bolt.jobs() == before


def test_a_job_over_anothers_file_says_that_it_is_not_there(tenants, acmes, assert_problem):
    _, bolt, _ = tenants
    ask = {"kind": "run", "pipeline": "job-titles"}
    theirs, nobodys = (bolt.post("/v1/jobs", {**ask, "input_file_id": file_id}) for file_id in (acmes[0], FILE))
    assert assert_problem(theirs, 422)["errors"] == assert_problem(nobodys, 422)["errors"]
    bank = {"kind": "index", "format": "jsonl", "collection": "bolt-new", "encoder": "hashing"}
    bank |= {"input_file_id": bolt.upload(DOCUMENTS, purpose="documents"), "hubness": {"queries_file_id": acmes[0]}}
    assert_problem(bolt.post("/v1/jobs", bank), 422)


def test_an_idempotency_key_is_its_tenants(tenants, assert_problem):
    acme, bolt, everybody = tenants
    asked = [
        holder.post(
            "/v1/jobs",
            {"kind": "run", "pipeline": "job-titles", "input_file_id": holder.upload()},
            **{"idempotency-key": "same"},
        )
        for holder in (acme, bolt, everybody)
    ]
    assert [response.status_code for response in asked] == [202] * 3
    assert len({response.json()["id"] for response in asked}) == 3


def test_a_tenant_builds_its_own_names(tenants, assert_problem):
    acme, bolt, _ = tenants
    build = {"kind": "index", "format": "jsonl", "terminology": "acme-glass", "encoder": "hashing"}
    job = acme.done(**build, input_file_id=acme.upload(CONCEPTS, purpose="terminology"))
    assert job["output_file_id"] is None
    body = {"items": [{"title": "glassblower"}], "terminology": "acme-glass"}
    assert acme.post("/v1/job-titles/normalize", body).json()["terminology"]["name"] == "acme-glass"
    assert_problem(bolt.post("/v1/job-titles/normalize", body), 404)
    papers = {"kind": "index", "format": "jsonl", "collection": "acme-more", "encoder": "hashing"}
    acme.done(**papers, input_file_id=acme.upload(DOCUMENTS, purpose="documents"))
    search = {"queries": [{"text": "car"}]}
    assert acme.post("/v1/retrieval/acme-more/search", search).status_code == 200
    assert_problem(bolt.post("/v1/retrieval/acme-more/search", search), 404)


def test_a_tenant_cannot_ask_for_training(tenants, assert_problem):
    acme, *_ = tenants
    body = {"kind": "train", "pipeline": "job-titles", "input_file_id": acme.upload()}
    assert_problem(acme.post("/v1/jobs", body), 403, "forbidden")


def test_events_of_a_job_are_its_tenants(tenants, acmes, assert_problem):
    acme, bolt, _ = tenants
    told = acme.get(f"/v1/jobs/{acmes[1]['id']}/events").text
    assert '"succeeded"' in told
    assert_problem(bolt.get(f"/v1/jobs/{acmes[1]['id']}/events"), 404, "job-unknown")


def test_a_tenant_goes_back_to_its_own_generations_only(tenants, assert_problem, tenanted_store, encoder, terminology):
    acme, bolt, everybody = tenants
    spec = registry.spec("job-titles")
    named = Terminology("acme-jobs", version="2", concepts=terminology.concepts)
    build(spec, named, encoder=encoder, store=tenanted_store, config=spec.config(encoder="hashing")).artifact.close()
    own = {"artifact": "pipelines/job_titles/acme-jobs"}
    theirs = assert_problem(bolt.post("/v1/generations/rollback", own), 404)
    nobodys = assert_problem(bolt.post("/v1/generations/rollback", {"artifact": "pipelines/job_titles/x"}), 404)
    assert (theirs["type"], theirs["detail"]) == (nobodys["type"], nobodys["detail"])
    artifacts = {one["artifact"] for one in bolt.get("/v1/generations").json()["artifacts"]}
    assert artifacts == {"pipelines/job_titles/bolt-jobs", "collections/bolt-papers"}
    assert acme.post("/v1/generations/rollback", own).status_code == 200
    assert len(everybody.get("/v1/generations").json()["artifacts"]) > len(artifacts)


def test_an_old_file_without_an_owner_is_nobodys(tenants, assert_problem):
    acme, _, everybody = tenants
    file_id = everybody.upload()
    about = acme.served.services.files.root / file_id / "about.json"
    known = json.loads(about.read_text())
    assert known.pop("owner") == {"id": everybody.id, "prefixes": []}
    about.write_text(json.dumps(known))
    assert everybody.get(f"/v1/files/{file_id}").status_code == 200
    assert_problem(acme.get(f"/v1/files/{file_id}"), 404)


def test_what_a_tenant_deletes_is_gone_and_anothers_stays(tenants, assert_problem):
    acme, bolt, _ = tenants
    file_id = acme.upload()
    assert_problem(bolt.ask("DELETE", f"/v1/files/{file_id}"), 404, "file-unknown")
    assert acme.ask("DELETE", f"/v1/files/{file_id}").status_code == 204
    assert_problem(acme.get(f"/v1/files/{file_id}"), 404, "file-unknown")


def test_pages_of_jobs_count_only_the_tenants(tenants):
    acme, bolt, _ = tenants
    for holder in (bolt, acme, bolt, acme, bolt):
        holder.job(kind="run", pipeline="job-titles", input_file_id=holder.upload())
    everything, token, pages = [], None, 0
    while pages == 0 or token:
        page = bolt.get(f"/v1/jobs?page_size=2{f'&page_token={token}' if token else ''}").json()
        everything += [job["id"] for job in page["jobs"]]
        token, pages = page["next_page_token"], pages + 1
        assert len(page["jobs"]) == 2 or token is None
    assert everything == bolt.jobs()
    assert len(everything) >= 3
