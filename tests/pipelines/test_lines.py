"""Lines in, lines out: order, faults in place, and going on where it was killed."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import SourceError
from pipelines.lines import Answered, Tally, joined, parts, read_lines, run_lines, suffix_of


def echo(lines):
    return [Answered(f"{line.number}:{line.value}".encode(), line.fault is None) for line in lines]


def write(path, count, start=1):
    path.write_text("".join(f"{n}\n" for n in range(start, start + count)))
    return path


def test_every_line_is_answered_in_order(tmp_path):
    source = write(tmp_path / "a.jsonl", 25)
    told = []
    tally = run_lines(
        echo, source, tmp_path / "parts", chunk_lines=10, on_progress=lambda t, n: told.append((t.lines, n))
    )
    assert tally == Tally(25, 0)
    assert told == [(0, 25), (10, 25), (20, 25), (25, 25)]
    assert b"".join(joined(tmp_path / "parts")).decode().split() == [f"{n}:{n}" for n in range(1, 26)]
    assert [path.name for path in parts(tmp_path / "parts")] == [
        "00000000.10.0.jsonl", "00000001.10.0.jsonl", "00000002.5.0.jsonl",
    ]  # fmt: skip


@pytest.mark.parametrize("killed_at", range(1, 26, 3))
def test_what_was_killed_goes_on_and_ends_with_the_same_bytes(tmp_path, killed_at):
    source = write(tmp_path / "a.jsonl", 25)
    run_lines(echo, source, tmp_path / "whole", chunk_lines=4)
    seen = []

    def dying(lines):
        seen.extend(line.number for line in lines)
        if killed_at in {line.number for line in lines}:
            raise KeyboardInterrupt
        return echo(lines)

    with pytest.raises(KeyboardInterrupt):
        run_lines(dying, source, tmp_path / "parts", chunk_lines=4)
    again = []

    def going_on(lines):
        again.extend(line.number for line in lines)
        return echo(lines)

    assert run_lines(going_on, source, tmp_path / "parts", chunk_lines=4) == Tally(25, 0)
    assert again[0] == (killed_at - 1) // 4 * 4 + 1
    assert b"".join(joined(tmp_path / "parts")) == b"".join(joined(tmp_path / "whole"))


def test_a_part_after_a_missing_one_is_made_again(tmp_path):
    source = write(tmp_path / "a.jsonl", 12)
    run_lines(echo, source, tmp_path / "parts", chunk_lines=4)
    before = b"".join(joined(tmp_path / "parts"))
    (tmp_path / "parts" / "00000001.4.0.jsonl").unlink()
    (tmp_path / "parts" / ".00000001.4.0.jsonl.1.part").write_bytes(b"half")
    assert len(parts(tmp_path / "parts")) == 1
    run_lines(echo, source, tmp_path / "parts", chunk_lines=4)
    assert b"".join(joined(tmp_path / "parts")) == before


def test_faults_stand_in_their_place(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n{"a"\n\xff\n' + b"1" * (2 << 20) + b"\n[2]")
    lines = list(read_lines(path))
    assert [(line.number, line.value, line.fault is None) for line in lines] == [
        (1, {"a": 1}, True), (2, None, False), (3, None, False), (4, None, False), (5, None, False), (6, [2], True),
    ]  # fmt: skip
    assert run_lines(echo, path, tmp_path / "parts") == Tally(2, 4)


def test_packed_files_and_tables_are_read(tmp_path):
    for name, content in {
        "a.jsonl.gz": gzip.compress(b'{"title": "x"}\n'),
        "plain": b'{"title": "x"}\n',
        "a.csv": b"title,language\nx,\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert [line.value for line in read_lines(tmp_path / name)] == [{"title": "x"}], name
    pq.write_table(pa.table({"title": ["x"], "skills": [["a", "b"]]}), tmp_path / "a.parquet")
    assert [line.value for line in read_lines(tmp_path / "a.parquet")] == [{"title": "x", "skills": ["a", "b"]}]


def test_a_file_cut_short_keeps_the_parts_made_by_then(tmp_path):
    whole = gzip.compress("".join(f"{n}\n" for n in range(100_000)).encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="damaged or cut short"):
        run_lines(echo, path, tmp_path / "parts", chunk_lines=1000)


def test_a_name_says_how_to_read_it():
    assert [suffix_of(n) for n in ("a.JSONL", "b.csv.gz", "c.zst", "d.exe", "jsonl", "e.tar.gz")] == [
        ".jsonl", ".csv.gz", ".zst", "", "", ".gz",
    ]  # fmt: skip
