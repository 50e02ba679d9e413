"""Many requests become few batches; each gets its own answer, in order, or its own error."""

import asyncio
import threading

import pytest

from pipelines.errors import InputInvalid
from service.admission import Admission, estimate_tokens
from service.batching import Batcher, Lane
from service.problems import ClientGone, Draining, Overloaded, TimedOut
from service.telemetry import Metrics


class Recorder:
    """A lane that doubles numbers, remembers its batches, and can be held back."""

    def __init__(self, key: str = "doubling") -> None:
        self.batches: list[list[int]] = []
        self.free = threading.Event()
        self.free.set()
        self.lane = Lane(key, self._run)

    def _run(self, items):
        assert self.free.wait(10)
        self.batches.append(list(items))
        for i, item in enumerate(items):
            if item == -13:
                raise InputInvalid("unlucky", pointer=f"/items/{i}/title")
            if item == 666:
                raise ValueError("a bug")
        return [2 * item for item in items]


def run(test, *, capacity=10_000, **options):
    async def main():
        made = {"workers": 1, "max_tokens": 100, "max_items": 50, **options}
        batcher = Batcher(admission=Admission(capacity=capacity), metrics=Metrics(), **made)
        try:
            return await asyncio.wait_for(test(batcher), 10)
        finally:
            await batcher.close(grace_s=0)

    return asyncio.run(main())


def submit(batcher, recorder, items, *, cost=1, timeout_s=5.0, gone=None):
    return asyncio.ensure_future(
        batcher.submit(recorder.lane, items, costs=[cost] * len(items), timeout_s=timeout_s, gone=gone)
    )


async def hold(batcher, recorder):
    """Occupy the worker, so that what follows has to wait."""
    recorder.free.clear()
    first = submit(batcher, recorder, [0])
    while not batcher._batches:
        await asyncio.sleep(0.001)
    return first


def test_an_idle_batcher_waits_for_no_company():
    async def test(batcher):
        assert await submit(batcher, Recorder(), [1, 2, 3]) == [2, 4, 6]

    run(test)


def test_what_arrives_meanwhile_is_one_batch():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        rest = [submit(batcher, recorder, [i]) for i in range(1, 41)]
        await asyncio.sleep(0.01)
        recorder.free.set()
        assert await asyncio.gather(first, *rest) == [[2 * i] for i in range(41)]
        assert recorder.batches == [[0], list(range(1, 41))]

    run(test)


def test_requests_that_arrive_together_share_the_first_batch():
    async def test(batcher):
        recorder = Recorder()
        await asyncio.gather(*(submit(batcher, recorder, [i]) for i in range(10)))
        assert recorder.batches == [list(range(10))]

    run(test)


@pytest.mark.parametrize(("max_tokens", "max_items", "cost"), [(100, 7, 1), (30, 50, 4), (1, 50, 5)])
def test_batches_stay_within_both_limits(max_tokens, max_items, cost):
    async def test(batcher):
        recorder = Recorder()
        assert await submit(batcher, recorder, list(range(20)), cost=cost) == [2 * i for i in range(20)]
        sizes = [len(batch) for batch in recorder.batches]
        assert sum(sizes) == 20
        assert max(sizes) == max(1, min(max_items, max_tokens // cost))

    run(test, max_tokens=max_tokens, max_items=max_items)


def test_padding_counts():
    async def test(batcher):
        recorder = Recorder()
        await batcher.submit(recorder.lane, [1, 2, 3, 4], costs=[10, 10, 40, 10], timeout_s=5)
        assert recorder.batches == [[1, 2], [3, 4]]

    run(test, max_tokens=100)


def test_a_large_request_lets_small_ones_in_between():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        large = submit(batcher, recorder, list(range(100, 200)))
        await asyncio.sleep(0)
        small = submit(batcher, recorder, [7])
        await asyncio.sleep(0.01)
        recorder.free.set()
        await asyncio.gather(first, small)
        assert not large.done()
        assert await large == [2 * i for i in range(100, 200)]
        assert recorder.batches[2][0] == 7

    run(test, max_items=10)


def test_lanes_take_turns_and_never_mix():
    async def test(batcher):
        left, right = Recorder("left"), Recorder("right")
        first = await hold(batcher, left)
        a, b = submit(batcher, left, list(range(1, 30))), submit(batcher, right, list(range(50, 60)))
        await asyncio.sleep(0.01)
        left.free.set()
        await asyncio.gather(first, b)
        assert not a.done()
        await a
        assert right.batches == [list(range(50, 60))]

    run(test, max_items=10)


def test_one_bad_request_does_not_spoil_its_neighbours():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        good, bad, bug, late = (submit(batcher, recorder, items) for items in ([1], [2, -13], [666], [3]))
        await asyncio.sleep(0.01)
        recorder.free.set()
        outcomes = await asyncio.gather(first, good, bad, bug, late, return_exceptions=True)
        assert [outcomes[i] for i in (0, 1, 4)] == [[0], [2], [6]]
        assert isinstance(outcomes[2], InputInvalid)
        assert outcomes[2].pointer == "/items/1/title"
        assert isinstance(outcomes[3], ValueError)

    run(test)


def test_a_pointer_into_a_later_chunk_points_into_the_request():
    async def test(batcher):
        with pytest.raises(InputInvalid) as raised:
            await submit(batcher, Recorder(), [*range(100, 125), -13])
        assert raised.value.pointer == "/items/25/title"

    run(test, max_items=10)


def test_a_lane_that_loses_answers_is_a_bug_not_a_shift():
    async def test(batcher):
        with pytest.raises(RuntimeError, match="1 answers for 2 items"):
            await batcher.submit(Lane("short", lambda items: items[:1]), [1, 2], costs=[1, 1], timeout_s=5)

    run(test)


def test_a_full_queue_refuses_and_says_when_to_come_back():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        waiting = submit(batcher, recorder, [1], cost=90)
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as raised:
            await submit(batcher, recorder, [2], cost=20)
        assert 1 <= int(raised.value.headers["Retry-After"]) <= 60
        recorder.free.set()
        assert await asyncio.gather(first, waiting) == [[0], [2]]
        assert await submit(batcher, recorder, [2], cost=20) == [4]
        assert batcher._admission.waiting == 0

    run(test, capacity=100)


def test_a_request_larger_than_the_queue_is_let_in_when_nothing_waits():
    async def test(batcher):
        assert len(await submit(batcher, Recorder(), list(range(20)), cost=50)) == 20

    run(test, capacity=100)


def test_the_deadline_drops_work_before_it_is_computed():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        with pytest.raises(TimedOut):
            await submit(batcher, recorder, [99], timeout_s=0.05)
        recorder.free.set()
        await first
        await submit(batcher, recorder, [1])
        assert [99] not in recorder.batches
        assert batcher._admission.waiting == 0

    run(test)


def test_work_of_a_caller_who_hung_up_is_dropped():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        left = asyncio.Event()
        abandoned = submit(batcher, recorder, [99], gone=left.wait)
        await asyncio.sleep(0.1)
        assert not abandoned.done()
        left.set()
        with pytest.raises(ClientGone):
            await abandoned
        recorder.free.set()
        await first
        assert [99] not in recorder.batches
        assert batcher._admission.waiting == 0

    run(test)


def test_cancelling_the_handler_drops_its_work():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        abandoned = submit(batcher, recorder, [99])
        await asyncio.sleep(0.01)
        abandoned.cancel()
        recorder.free.set()
        assert await first == [0]
        await submit(batcher, recorder, [1])
        assert recorder.batches == [[0], [1]]

    run(test)


def test_closing_finishes_what_is_there_and_refuses_the_rest():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        closing = asyncio.ensure_future(batcher.close(grace_s=5))
        await asyncio.sleep(0.01)
        with pytest.raises(Draining):
            await submit(batcher, recorder, [1])
        recorder.free.set()
        assert await first == [0]
        await closing

    run(test)


def test_closing_does_not_wait_longer_than_its_grace():
    async def test(batcher):
        recorder = Recorder()
        first = await hold(batcher, recorder)
        queued = submit(batcher, recorder, [1])
        await asyncio.sleep(0.01)
        await batcher.close(grace_s=0.05)
        for work in (first, queued):
            with pytest.raises(Draining):
                await work
        recorder.free.set()

    run(test)


def test_stalled_work_is_seen():
    async def test(batcher):
        recorder = Recorder()
        assert batcher.stalled_s() == 0
        first = await hold(batcher, recorder)
        await asyncio.sleep(0.05)
        assert batcher.stalled_s() >= 0.04
        recorder.free.set()
        await first
        assert batcher.stalled_s() == 0

    run(test)


def test_retry_after_follows_the_speed_of_the_queue():
    admission = Admission(capacity=10_000)
    admission.admit(6001)
    assert admission.retry_after_s == 1
    admission.began(1000)
    admission.ended(1000, 1.0)
    assert admission.retry_after_s == 6
    admission.began(1)
    assert admission.retry_after_s == 6
    admission.ended(1, 1.0)
    assert admission.retry_after_s == 6
    admission.admit(4990)
    admission.leave(9980)
    assert admission.retry_after_s == 1


def test_a_text_costs_about_a_token_for_four_characters_and_never_more_than_an_encoder_reads():
    assert estimate_tokens(["abcd" * 5]) == 8
    assert estimate_tokens([""]) == 3
    assert estimate_tokens(["x" * 1_000_000, "y"]) == 515


def test_where_the_machine_slows_down_fewer_tokens_may_wait():
    admission = Admission(capacity=1000, answer_s=2.0)

    def compute(tokens: int) -> None:
        for _ in range(60):
            admission.admit(tokens)
            admission.began(tokens)
            admission.ended(tokens, 1.0)

    compute(100)
    admission.admit(150)
    with pytest.raises(Overloaded):
        admission.admit(60)
    admission.leave(150)
    compute(1000)
    admission.admit(900)
    with pytest.raises(Overloaded):
        admission.admit(200)  # The capacity still holds.


def test_what_is_being_computed_counts_towards_the_wait():
    admission = Admission(capacity=1000, answer_s=2.0)
    admission.admit(100)
    admission.began(100)
    admission.ended(100, 1.0)
    admission.admit(150)
    admission.began(150)
    admission.admit(150)  # Nothing waits: whatever comes may.
    with pytest.raises(Overloaded):
        admission.admit(10)
    admission.ended(150, 1.5)
    admission.admit(40)


def test_room_for_a_usual_request_is_asked_before_its_body_is_read():
    admission = Admission(capacity=100)
    admission.require_room()
    for _ in range(200):
        admission.admit(10)
        admission.leave(10)
    for _ in range(9):
        admission.require_room()
        admission.admit(10)
    admission.admit(5)
    with pytest.raises(Overloaded):
        admission.require_room()
