"""Lines on a cluster of raylets: the bytes of one box, and those of a lost machine done again."""

import functools
import itertools
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.batch_ray import SPANS, _Answerer, _found, _lines, _spans, cluster, run_lines_on_ray
from pipelines.errors import ClusterUnavailable, SourceError
from pipelines.lines import Answered, Tally, chunks_of, joined, numbered_parts, read_lines, run_lines
from service.cli import app

ROOT = Path(__file__).resolve().parents[2]


def answer(lines, *, pause_s=0.0):
    time.sleep(pause_s)
    return [Answered(f"{line.number}:{line.value}".encode(), line.fault is None) for line in lines]


def make_answer(pause_s=0.0):
    return functools.partial(answer, pause_s=pause_s)


def write(path, count):
    path.write_bytes(b"".join(b"nonsense\n" if n % 50 == 7 else b'{"title": "%d"}\n' % n for n in range(count)))
    return path


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf1\n2\n3", b"1\n\n" + b"x" * (2 << 20) + b"\n2\n", b"", b"1"])
def test_spans_are_the_chunks_of_one_box(tmp_path, content):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    chunks = list(chunks_of(read_lines(path), chunk_lines=2))
    assert [list(_lines(path, span)) for span in _found(path, 2)] == chunks


def test_packed_files_are_refused(tmp_path):
    pytest.importorskip("ray")
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(SourceError, match="packed"):
        run_lines_on_ray(make_answer, path, tmp_path / "parts", workers=1)
    table = tmp_path / "a.csv"
    table.write_text("title\nnurse\n")
    with pytest.raises(SourceError, match="table"):
        run_lines_on_ray(make_answer, table, tmp_path / "parts", workers=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_lost_raylets_chunks_are_done_again_and_the_bytes_are_the_same(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests' / 'faults'}")
    source = write(tmp_path / "a.jsonl", 3000)
    expected = run_lines(answer, source, tmp_path / "one", chunk_lines=50)
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 2, "object_store_memory": 80 << 20, "include_dashboard": False},
    )
    try:
        lost = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
        ray.init(address=cluster.address, log_to_driver=False)
        folder = tmp_path / "many"

        def lose():
            while len(numbered_parts(folder)) < 10:
                time.sleep(0.05)
            cluster.remove_node(lost, allow_graceful=False)

        folder.mkdir()
        thread = threading.Thread(target=lose)
        thread.start()
        tally = run_lines_on_ray(
            functools.partial(make_answer, 0.1), source, folder, workers=(1, 3), cpus=0.5, chunk_lines=50
        )
        thread.join()
        assert tally == expected == Tally(2940, 60)
        assert b"".join(joined(folder)) == b"".join(joined(tmp_path / "one"))
        assert (folder / SPANS).exists()
        # What is there is not done again; what is missing is.
        for part in itertools.islice(numbered_parts(folder).values(), 3):
            part.unlink()
        told = []
        run_lines_on_ray(
            make_answer, source, folder, workers=1, cpus=0.5, chunk_lines=50,
            on_progress=lambda tally, total: told.append(tally.lines),
        )  # fmt: skip
        assert told[0] == 2850
        assert b"".join(joined(folder)) == b"".join(joined(tmp_path / "one"))
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_a_worker_process_makes_the_parts_of_one_box(tmp_path):
    source = write(tmp_path / "a.jsonl", 230)
    run_lines(answer, source, tmp_path / "one", chunk_lines=50)
    (tmp_path / "many").mkdir()
    answerer = _Answerer(make_answer, str(source), str(tmp_path / "many"))
    for span in reversed(_spans(source, tmp_path / "many", 50)):
        told = answerer({name: [value] for name, value in asdict(span).items()})
        assert told["ok"][0] + told["failed"][0] == span.lines
    assert b"".join(joined(tmp_path / "many")) == b"".join(joined(tmp_path / "one"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_command_line_spreads_lines_and_puts_out_the_same_bytes(plant, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COGNOMEN_DATA", str(plant.settings.data))
    source = tmp_path / "titles.jsonl"
    source.write_bytes(b"".join(b'{"title": "line cook %d", "id": %d}\n' % (n % 50, n) for n in range(5000)) + b"no\n")
    asked = ["run", "job-titles", str(source), "-t", "twelve", "--artifacts", str(plant.settings.artifacts)]
    for output, spread in (("one", []), ("many", ["--ray", "local", "--ray-workers", "2"])):
        done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / output), *spread], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert done.stdout.strip().endswith("5,000 answered, 1 errors in place")
    assert (tmp_path / "many").read_bytes() == (tmp_path / "one").read_bytes()
    assert not list(tmp_path.glob(".many*"))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:nothing"])
def test_a_cluster_that_does_not_answer_is_said_to(address):
    pytest.importorskip("ray")
    with pytest.raises(ClusterUnavailable, match="no Ray cluster answers"), cluster(address):
        pass
