"""POST, GET and DELETE /v1/files: streamed, whole or not at all, never a path made of what was sent."""

import asyncio
import errno
import hashlib
import os

import pytest

from service.files import FileStore, FileUnknown, Incoming, StorageFull, new_id
from service.uploads import clean_filename

PATH = "/v1/files"
FORM = {"content-type": "multipart/form-data; boundary=BoUnD"}


def form(*parts: tuple[str, bytes], end: bytes = b"--BoUnD--\r\n") -> bytes:
    return (
        b"".join(
            b"--BoUnD\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
            for head, content in parts
        )
        + end
    )


FILE = ('name="file"; filename="a.jsonl"', b'{"title": "cook"}\n')
PURPOSE = ('name="purpose"', b"batch")


@pytest.fixture
def served(serve, tmp_path):
    return serve(data=tmp_path / "data", max_file_bytes=100_000, max_files_bytes=250_000)


def upload(served, content=b"x\n", *, name="titles.jsonl", purpose="batch"):
    return served.run(served.client.post(PATH, files={"file": (name, content)}, data={"purpose": purpose}))


def raw(served, body, **headers):
    return served.run(served.client.post(PATH, content=body, headers=FORM | headers))


def stored(served):
    root = served.services.files.root
    return [path.name for path in root.iterdir()] if root.exists() else []


def test_a_file_is_kept_and_given_back(served):
    content = os.urandom(50_000)
    response = upload(served, content, name="Löhne/../../etc/passwd \u202e.jsonl", purpose="queries")
    assert response.status_code == 201
    about = response.json()
    assert about["bytes"] == len(content)
    assert about["sha256"] == hashlib.sha256(content).hexdigest()
    assert about["purpose"] == "queries"
    assert "/" not in about["filename"]
    assert served.get(f"{PATH}/{about['id']}").json() == about
    got = served.get(f"{PATH}/{about['id']}/content")
    assert got.content == content
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert served.delete(f"{PATH}/{about['id']}").status_code == 204
    assert stored(served) == []


def test_fields_may_come_before_or_after_the_file(served):
    for parts in ((FILE, PURPOSE), (PURPOSE, FILE)):
        response = raw(served, form(*parts))
        assert response.status_code == 201, response.text
        assert response.json()["bytes"] == len(FILE[1])


def test_a_file_far_larger_than_json_bodies_may_be_is_taken(serve, tmp_path):
    served = serve(data=tmp_path, max_body_bytes=1024)
    assert upload(served, b"x" * 3_000_000).status_code == 201
    assert served.post("/v1/job-titles/normalize", {"items": [{"title": "x" * 900}] * 2}).status_code == 413


def test_files_are_listed_in_pages_and_by_purpose(served):
    ids = [upload(served, purpose=p).json()["id"] for p in ("batch", "terminology", "batch")]
    first = served.get(PATH, params={"page_size": 2}).json()
    assert [f["id"] for f in first["files"]] == ids[:2]
    second = served.get(PATH, params={"page_size": 2, "page_token": first["next_page_token"]}).json()
    assert ([f["id"] for f in second["files"]], second["next_page_token"]) == (ids[2:], None)
    assert [f["id"] for f in served.get(PATH, params={"purpose": "batch"}).json()["files"]] == [ids[0], ids[2]]


@pytest.mark.parametrize("size", [100_001, 400_000])
def test_a_file_beyond_the_limit_is_413_declared_or_not(served, assert_problem, size):
    assert_problem(upload(served, b"x" * size), 413, "body-too-large")

    async def chunks():
        yield form(PURPOSE, FILE, end=b"")[:-2]
        for _ in range(size // 1000):
            yield b"x" * 1000
            await asyncio.sleep(0)

    assert_problem(raw(served, chunks()), 413, "body-too-large")
    assert stored(served) == []


def test_the_quota_is_a_clear_503_until_files_are_deleted(served, assert_problem):
    ids = [upload(served, b"x" * 99_000).json()["id"] for _ in range(2)]
    refused = upload(served, b"x" * 99_000)
    assert_problem(refused, 503, "storage-full")
    assert refused.headers["retry-after"]
    served.delete(f"{PATH}/{ids[0]}")
    assert upload(served, b"x" * 99_000).status_code == 201


@pytest.mark.parametrize("where", ["write", "finish"])
def test_a_full_disk_is_a_clear_503_and_leaves_nothing_behind(served, assert_problem, monkeypatch, where):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    upload(served)
    if where == "write":
        original = Incoming.__init__

        class Full:
            def __init__(self, stream):
                self._stream = stream

            write = full

            def close(self):
                self._stream.close()
                full()

        def replaced(self, *args, **options):
            original(self, *args, **options)
            self._stream = Full(self._stream)

        monkeypatch.setattr(Incoming, "__init__", replaced)
    else:
        monkeypatch.setattr(os, "fsync", full)
    assert_problem(upload(served), 503, "storage-full")
    monkeypatch.undo()
    assert len(stored(served)) == 1
    assert upload(served).status_code == 201


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"{}", {"content-type": "application/json"}, 415, "unsupported-media-type"),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
        (b"x", {"content-type": ""}, 415, "unsupported-media-type"),
        (form(FILE, PURPOSE), {"content-type": "multipart/form-data"}, 400, "malformed"),
        (form(FILE, PURPOSE), {"content-type": "multipart/form-data; boundary="}, 400, "malformed"),
        (form(FILE, PURPOSE), {"content-type": f"multipart/form-data; boundary={'x' * 300}"}, 400, "malformed"),
        (form(FILE, PURPOSE), {"content-type": "multipart/form-data; boundary=other"}, 400, "malformed"),
        (b"", {}, 400, "malformed"),
        (b"not a form", {}, 400, "malformed"),
        (form(FILE, PURPOSE, end=b""), {}, 400, "malformed"),
        (form(FILE, PURPOSE)[:-30], {}, 400, "malformed"),
        (b"--BoUnD\r\nContent-Type: text/plain\r\n\r\nx\r\n--BoUnD--\r\n", {}, 400, "malformed"),
        (b"--BoUnD\r\n" + b"X-Y: " + b"z" * 100_000 + b"\r\n\r\nx\r\n--BoUnD--\r\n", {}, 400, "malformed"),
        (b"--BoUnD\r\n" + b"X-Y: z\r\n" * 5000 + b"\r\nx\r\n--BoUnD--\r\n", {}, 400, "malformed"),
        (form(*[('name="purpose"', b"batch")] * 100, FILE), {}, 400, "malformed"),
        (form(PURPOSE), {}, 422, "invalid-request"),
        (form(FILE), {}, 422, "invalid-request"),
        (form(FILE, FILE, PURPOSE), {}, 422, "invalid-request"),
        (form(FILE, PURPOSE, PURPOSE), {}, 422, "invalid-request"),
        (form(FILE, ('name="purpose"', b"espionage")), {}, 422, "invalid-request"),
        (form(FILE, ('name="purpose"', b"batch_output")), {}, 422, "invalid-request"),
        (form(FILE, ('name="purpose"', b"\xff\xfe")), {}, 422, "invalid-request"),
        (form(FILE, ('name="purpose"', b"x" * 10_000)), {}, 422, "invalid-request"),
        (form(FILE, PURPOSE, ('name="zanzibar"', b"x")), {}, 422, "invalid-request"),
    ],
)
def test_what_is_no_upload_is_refused_and_leaves_nothing_behind(served, assert_problem, body, headers, status, slug):
    problem = assert_problem(raw(served, body, **headers), status, slug)
    assert "zanzibar" not in str(problem)
    assert "espionage" not in str(problem)
    assert stored(served) == []


@pytest.mark.parametrize(
    "file_id",
    ["nope", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "file-20261124T114512123456-9f3a1c2b", "x" * 3000, "%00", "é"],
)
def test_an_unknown_id_is_404_whatever_it_looks_like(served, assert_problem, file_id):
    upload(served)
    for response in (
        served.get(f"{PATH}/{file_id}"),
        served.get(f"{PATH}/{file_id}/content"),
        served.delete(f"{PATH}/{file_id}"),
    ):
        assert response.status_code in {404, 405} or file_id == ".."
        if file_id != "..":
            assert_problem(response, response.status_code)


@pytest.mark.parametrize("params", [{"page_size": 0}, {"page_size": "x"}, {"purpose": "x"}, {"page_token": "x" * 999}])
def test_a_list_that_cannot_be_is_422(served, assert_problem, params):
    assert_problem(served.get(PATH, params=params), 422)


def test_filenames_are_for_people():
    assert clean_filename("../../etc/passwd") == "passwd"
    assert clean_filename("C:\\fakepath\\jobs.csv") == "jobs.csv"
    assert clean_filename("a\x00b\nc.csv") == "abc.csv"
    for nothing in ("", "..", "/", " . ", "\x00"):
        assert clean_filename(nothing) == "upload"
    assert len(clean_filename("x" * 5000 + ".csv")) == 200
    assert clean_filename("x" * 300 + ".csv").endswith(".csv")
    clean_filename("\ud800.csv").encode()


def put(store, content=b"x"):
    with store.incoming() as incoming:
        incoming.write(content)
        return incoming.finish(filename="a", purpose="batch")


def test_old_files_and_leftovers_are_swept(tmp_path):
    store = FileStore(tmp_path / "files", quota_bytes=1000)
    kept = put(store)
    leftover = store.root / ".tmp-file"
    leftover.mkdir()
    os.utime(leftover, (1, 1))
    assert store.sweep(older_than_s=60) == 0
    assert store.ids() == [kept.id]
    assert not leftover.exists()
    assert store.sweep(older_than_s=-1) == 1
    assert store.ids() == []
    with pytest.raises(FileUnknown):
        store.get(kept.id)


def test_the_same_id_again_keeps_the_first(tmp_path):
    store = FileStore(tmp_path, quota_bytes=1000)
    file_id = new_id("file")
    for content in (b"first", b"second"):
        with store.incoming(file_id=file_id) as incoming:
            incoming.write(content)
            about = incoming.finish(filename="a", purpose="batch")
    assert about.size == 5
    assert store.path(file_id).read_bytes() == b"first"
    with pytest.raises(StorageFull):
        store.incoming(expected_bytes=2000)
