"""Datasheets by the dozen: a job over uploaded PDFs or a zip of them, and the same at the command line."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("reportlab")
pytest.importorskip("pdfplumber")

from models.artifacts import ArtifactStore
from service.cli import app
from service.jobs.sheets import pdfs_below

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def jobs(named_store, tmp_path_factory, hosted):
    from tests.service.conftest import Jobs

    folder = tmp_path_factory.mktemp("sheet-jobs")
    shutil.copytree(named_store.root, folder / "artifacts")
    served = hosted(ArtifactStore(folder / "artifacts"), data=folder / "data", job_nice=0)
    yield Jobs(served)
    served.close()


def lines(*values) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def answers(jobs, job) -> list[dict]:
    return [json.loads(line) for line in jobs.result(job["id"]).splitlines()]


def extracted(jobs, pdf: bytes, **fields) -> dict:
    form = {"files": {"file": ("sheet.pdf", pdf, "application/pdf")}, "data": fields}
    return jobs.served.run(jobs.served.client.post("/v1/datasheets/extract", **form)).json()


def test_each_file_is_answered_as_http_does_and_a_bad_one_in_its_place(jobs, synthetic_sheets):
    plain, several = synthetic_sheets.ruled_plain().pdf, synthetic_sheets.stacked_variants().pdf
    good = jobs.upload(plain, name="a.pdf", purpose="documents")
    many = jobs.upload(several, name="b.pdf", purpose="documents")
    broken = jobs.upload(b"%PDF-1.7 nothing", name="c.pdf", purpose="documents")
    letter = jobs.upload(synthetic_sheets.prose().pdf, name="d.pdf", purpose="documents")
    content = lines(
        {"file_id": good, "id": "first"},
        {"file_id": many},
        {"file_id": many, "part": "QJ112"},
        {"file_id": broken},
        {"file_id": "file-20260101T000000000000-00000000"},
        {"file_id": letter},
        {"file": "/etc/passwd"},
        {"file_id": good, "zanzibar": 1},
        {"file_id": good, "parameters": ["v_f"]},
    )
    job = jobs.done(kind="run", pipeline="datasheets", input_file_id=jobs.upload(content))
    assert job["counts"] == {"ok": 4, "failed": 5}
    assert (job["progress"]["unit"], job["progress"]["done"]) == ("files", 9)
    found = answers(jobs, job)
    alone = extracted(jobs, plain)
    assert found[0]["id"] == "first"
    assert found[0]["parameters"] == alone["parameters"]
    assert all(p["page"] and p["quote"] and len(p["bbox"]) == 4 for p in found[0]["parameters"])
    assert found[1]["error"]["status"] == 409
    assert set(found[1]["error"]["candidates"]) == {"QJ111", "QJ112", "QJ113"}
    assert found[2]["part"] == "QJ112"
    assert (found[3]["line"], found[3]["file_id"]) == (4, broken)
    assert found[3]["error"]["type"] == "urn:cognomen:problem:document-unreadable"
    assert found[4]["error"]["status"] == 404
    assert found[5]["parameters"] == []
    assert found[5]["notes"]
    assert [found[i]["error"]["status"] for i in (6, 7)] == [422, 422]
    assert [p["name"] for p in found[8]["parameters"]] == ["v_f"]


def test_a_zip_is_read_file_by_file_and_options_hold_for_all(jobs, synthetic_sheets):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vendor/one.pdf", synthetic_sheets.ruled_plain().pdf)
        archive.writestr("__MACOSX/vendor/._one.pdf", b"x")
        archive.writestr("read me.txt", b"no sheet")
        archive.writestr("vendor/bomb.PDF", b"%PDF-1.7" + bytes(30 * 2**20))
        for way in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            archive.writestr(f"vendor/bomb-{way}.pdf", b"%PDF-1.7" + bytes(30 * 2**20), compress_type=way)
        archive.writestr("vendor/two.pdf", synthetic_sheets.stacked_variants().pdf)
    file_id = jobs.upload(packed.getvalue(), name="sheets.zip", purpose="documents")
    job = jobs.done(kind="run", pipeline="datasheets", input_file_id=file_id, options={"variants": "all"})
    found = answers(jobs, job)
    bombs = ["vendor/bomb.PDF", "vendor/bomb-12.pdf", "vendor/bomb-14.pdf"]
    assert [line["file"] for line in found] == ["vendor/one.pdf", *bombs, "vendor/two.pdf"]
    assert {line["error"]["status"] for line in found[1:4]} == {422}
    assert len(found[4]["parameters"]) == 6
    assert job["counts"] == {"ok": 2, "failed": 3}


def test_a_zip_without_sheets_or_damaged_fails_the_job(jobs):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", b"x")
    for content in (packed.getvalue(), b"PK\x03\x04" + bytes(100)):
        file_id = jobs.upload(content, name="sheets.zip", purpose="documents")
        job = jobs.wait(jobs.started(kind="run", pipeline="datasheets", input_file_id=file_id))
        assert (job["status"], job["error"]["status"]) == ("failed", 422)


def test_options_that_are_none_are_refused_at_once(jobs, assert_problem):
    file_id = jobs.upload(lines({"file_id": "x"}))
    problem = assert_problem(
        jobs.ask(kind="run", pipeline="datasheets", input_file_id=file_id, options={"variants": "zanzibar"}), 422
    )
    assert problem["errors"][0]["pointer"] == "/options/variants"
    assert "zanzibar" not in str(problem)


def test_a_killed_worker_goes_on_and_the_answers_are_the_same(jobs, synthetic_sheets):
    pdfs = [make().pdf for make in synthetic_sheets.MAKERS[:6]]
    ids = [jobs.upload(pdf, name="a.pdf", purpose="documents") for pdf in pdfs]
    content = lines(*({"file_id": file_id, "variants": "all"} for file_id in ids))
    whole = jobs.done(kind="run", pipeline="datasheets", input_file_id=jobs.upload(content))
    job_id = jobs.started(kind="run", pipeline="datasheets", input_file_id=jobs.upload(content))
    jobs.wait(job_id, lambda job: job["progress"]["done"] >= 2)
    (worker,) = jobs.served.services.supervisor.pids
    os.kill(worker, signal.SIGKILL)
    assert jobs.wait(job_id)["status"] == "succeeded"
    assert jobs.result(job_id) == jobs.result(whole["id"])


@pytest.fixture
def folder(tmp_path, synthetic_sheets):
    below = tmp_path / "sheets" / "deep"
    below.mkdir(parents=True)
    for make in synthetic_sheets.MAKERS[:5]:
        (below / f"{make.__name__}.pdf").write_bytes(make().pdf)
    (below.parent / "broken.PDF").write_bytes(b"%PDF-1.4 x")
    (below.parent / "notes.txt").write_text("no sheet")
    return below.parent


def test_a_folder_becomes_a_line_a_file(folder, tmp_path, named_store):
    out = tmp_path / "results.jsonl"
    arguments = ["extract", folder, "--all-parts", "--out", out, "--artifacts", named_store.root]
    done = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [Path(line["file"]) for line in found] == pdfs_below([folder])
    assert [line["error"]["status"] for line in found if "error" in line] == [422]
    assert sum(len(line.get("parameters", [])) for line in found) > 20
    assert not list(tmp_path.glob(".results*"))
    again = tmp_path / "again.jsonl"
    arguments = ["run", "datasheets", folder, "--set", "variants=all", "-o", again, "--artifacts", named_store.root]
    assert CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False).exit_code == 0
    assert again.read_bytes() == out.read_bytes()
    refused = CliRunner().invoke(app, ["extract", str(folder), "--artifacts", str(named_store.root)])
    assert refused.exit_code == 1
    assert "--out" in refused.output


def test_lines_at_the_command_line_name_files_beside_them(folder, tmp_path, named_store):
    source = folder / "list.jsonl"
    source.write_bytes(lines({"file": "deep/ruled_plain.pdf", "parameters": ["i_r"]}, {"file": "gone.pdf"}))
    out = tmp_path / "out.jsonl"
    arguments = ["run", "datasheets", source, "-o", out, "--artifacts", named_store.root]
    assert CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False).exit_code == 0
    first, second = (json.loads(line) for line in out.read_text().splitlines())
    assert [p["name"] for p in first["parameters"]] == ["i_r"]
    assert second["error"]["errors"][0]["pointer"] == "/file"


def test_the_command_goes_on_where_it_was_killed(folder, tmp_path, named_store):
    out, whole = tmp_path / "results.jsonl", tmp_path / "whole.jsonl"
    common = [
        sys.executable,
        "-c",
        "from service.cli import app; app()",
        "extract",
        str(folder),
        "--all-parts",
        "--artifacts",
    ]
    common += [str(named_store.root), "--out"]
    process = subprocess.Popen([*common, str(out)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob(".results.jsonl.*.parts/0*.jsonl")):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not out.exists()
    done = subprocess.run([*common, str(out)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "going on after" in done.stdout
    subprocess.run([*common, str(whole)], cwd=ROOT, capture_output=True, check=True)
    assert out.read_bytes() == whole.read_bytes()
