import numpy as np

from models.encoders.cached import CachedEncoder
from models.encoders.hashing import HashingEncoder


class Counting(HashingEncoder):
    def __init__(self):
        super().__init__(16)
        self.seen = []

    def encode_query(self, texts):
        self.seen += texts
        return super().encode_query(texts)


def test_a_repeat_is_not_encoded_again():
    inner = Counting()
    cached = CachedEncoder(inner)
    first = cached.encode_query(["cook", "nurse", "cook"])
    again = cached.encode_query(["nurse", "waiter"])
    assert inner.seen == ["cook", "nurse", "waiter"]
    np.testing.assert_array_equal(first[1], again[0])
    assert (cached.use.hits, cached.use.entries) == (1, 3)


def test_a_query_and_a_passage_are_two_entries():
    cached = CachedEncoder(HashingEncoder(16))
    cached.encode_query(["cook"])
    cached.encode_passage(["cook"])
    assert cached.use.entries == 2


def test_memory_stays_below_its_bound_and_the_oldest_go_first():
    cached = CachedEncoder(HashingEncoder(16), max_bytes=5000)
    cached.encode_query([f"title {i}" for i in range(100)])
    use = cached.use
    assert 0 < use.entries < 100
    assert use.size_bytes <= 5000
    hits = use.hits
    cached.encode_query(["title 99"])
    assert cached.use.hits == hits + 1
    cached.encode_query(["title 0"])
    assert cached.use.hits == hits + 1


def test_what_was_used_last_is_kept():
    cached = CachedEncoder(HashingEncoder(16), max_bytes=1300)
    for text in ("a", "b", "c", "a", "d"):
        cached.encode_query([text])
    hits = cached.use.hits
    cached.encode_query(["a"])
    assert cached.use.hits == hits + 1


def test_changing_an_answer_does_not_change_the_cache():
    cached = CachedEncoder(HashingEncoder(16))
    cached.encode_query(["cook"])[:] = 7
    assert cached.encode_query(["cook"]).max() <= 1


def test_clear_forgets():
    cached = CachedEncoder(HashingEncoder(16))
    cached.encode_query(["cook"])
    cached.clear()
    assert cached.use.entries == cached.use.size_bytes == 0


def test_is_the_same_encoder_to_others():
    assert CachedEncoder(HashingEncoder(16)).fingerprint == HashingEncoder(16).fingerprint
