"""Vectors kept on disk: the same to the bit, encoded once, never trusted blindly."""

import sqlite3

import numpy as np
import pytest

from models.encoders.concatenated import ConcatenatedEncoder
from models.encoders.hashing import HashingEncoder
from models.encoders.stored import StoredEncoder, remembering

TEXTS = ["cook", "nurse", "", "cook", "Köchin", "a" * 5000]


@pytest.fixture
def stored(tmp_path):
    made = StoredEncoder(HashingEncoder(), tmp_path)
    yield made
    made.close()


def again(tmp_path):
    return StoredEncoder(HashingEncoder(), tmp_path)


def test_vectors_are_the_same_to_the_bit_and_encoded_once(stored, tmp_path):
    plain = HashingEncoder()
    for _ in range(2):
        assert np.array_equal(stored.encode_query(TEXTS), plain.encode_query(TEXTS))
    assert (stored.encoded, stored.reused) == (5, 5)
    assert np.array_equal(stored.encode_passage(TEXTS), plain.encode_passage(TEXTS))
    assert stored.encoded == 10
    stored.close()
    other = again(tmp_path)
    assert np.array_equal(other.encode_query(TEXTS), plain.encode_query(TEXTS))
    assert (other.encoded, other.reused) == (0, 5)
    other.close()


def test_a_killed_run_keeps_what_it_encoded(stored, tmp_path, monkeypatch):
    calls = []

    def dying(texts):
        calls.append(len(texts))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return HashingEncoder().encode_query(texts)

    monkeypatch.setattr(stored.encoder, "encode_query", dying)
    with pytest.raises(KeyboardInterrupt):
        stored.encode_query([f"text {n}" for n in range(1000)])
    other = again(tmp_path)
    other.encode_query([f"text {n}" for n in range(1000)])
    assert (other.encoded, other.reused) == (1000 - 512, 512)
    other.close()


def test_a_flipped_bit_is_encoded_anew(stored, tmp_path):
    before = stored.encode_query(TEXTS)
    stored.close()
    (path,) = tmp_path.glob("*.sqlite")
    connection = sqlite3.connect(path)
    blob = bytearray(connection.execute("SELECT vector FROM vectors LIMIT 1").fetchone()[0])
    blob[5] ^= 16
    connection.execute("UPDATE vectors SET vector = ? WHERE rowid = 1", (bytes(blob),))
    connection.commit()
    connection.close()
    other = again(tmp_path)
    assert np.array_equal(other.encode_query(TEXTS), before)
    assert other.encoded == 1
    other.close()


def test_a_damaged_file_is_begun_anew(stored, tmp_path):
    before = stored.encode_query(TEXTS)
    stored.close()
    (path,) = tmp_path.glob("*.sqlite")
    path.write_bytes(b"this is no database" * 1000)
    other = again(tmp_path)
    assert np.array_equal(other.encode_query(TEXTS), before)
    other.close()


def test_the_longest_unused_go_first(tmp_path):
    small = StoredEncoder(HashingEncoder(), tmp_path, max_bytes=10 * (4 * 256 + 64))
    small.encode_query([f"text {n}" for n in range(25)])
    small.close()
    other = again(tmp_path)
    other.encode_query([f"text {n}" for n in range(25)])
    assert other.reused == 10
    other.close()


def test_joined_encoders_are_remembered_by_part(tmp_path):
    joined = ConcatenatedEncoder([HashingEncoder(), HashingEncoder()], weights=[0.25, 0.75])
    remembered, parts = remembering(joined, tmp_path)
    assert remembered.fingerprint == joined.fingerprint
    assert np.array_equal(remembered.encode_query(TEXTS), joined.encode_query(TEXTS))
    assert len(parts) == 2
    for part in parts:
        part.close()
