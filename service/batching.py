"""Many small requests become one batch, and one large request becomes many.

    submit ─ admit (tokens) ─ lane ─┬─ batch ─ worker thread ─ run(items) ─┬─ answer
    submit ─ admit (tokens) ─ lane ─┘                                      └─ answer

A lane holds jobs that may share a batch: same build, same options. An idle worker takes at once what is there; what
arrives meanwhile is the next batch, so batches grow with load and nothing ever waits for company. Lanes take turns, and
within a lane jobs do: a job that does not fit a batch goes to the back with its rest.

Knows nothing of pipelines: a lane brings the callable that computes it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

from pipelines.errors import InputInvalid, PipelineError
from service.admission import Admission
from service.problems import ClientGone, Draining, Refusal, TimedOut, Unavailable
from service.telemetry import Metrics
from service.tracing import NoTraces, Traces

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

WATCH_AFTER_S: Final = 0.05
"""Only a request that takes this long is watched for its caller hanging up: a watcher costs as much as a short one."""


@dataclass(frozen=True, slots=True)
class Lane(Generic[_Item, _Answer]):
    """Where jobs go that may share a batch.

    Attributes:
        key: equal keys share batches, and their `run` does the same.
        run: items in, one answer each out, in order; called in a worker thread.
    """

    key: Hashable
    run: Callable[[Sequence[_Item]], Sequence[_Answer]]


@dataclass(slots=True, eq=False)
class _Job:
    """The items of one request, and what became of them."""

    lane: Lane[Any, Any]
    items: Sequence[Any]
    costs: Sequence[int]
    future: "asyncio.Future[list[Any]]"
    since: float
    answers: list[Any] = field(init=False)
    trace: object = None
    taken: int = 0
    answered: int = 0
    waited_s: float = 0.0

    def __post_init__(self) -> None:
        self.answers = [None] * len(self.items)

    @property
    def waits(self) -> bool:
        return self.taken < len(self.items) and not self.future.done()

    def answer(self, start: int, outcome: Sequence[Any] | Exception) -> None:
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.fail(_shifted(outcome, start))
            return
        self.answers[start : start + len(outcome)] = outcome
        self.answered += len(outcome)
        if self.answered == len(self.items):
            self.future.set_result(self.answers)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


@dataclass(slots=True)
class _Batch:
    """Slices of jobs of one lane that are computed together."""

    lane: Lane[Any, Any]
    since: float
    parts: list[tuple[_Job, int, int]] = field(default_factory=list)
    items: int = 0
    tokens: int = 0


class Batcher:
    """The queue between the event loop and the worker threads. Every method runs on the event loop.

    Args:
        admission: how much may wait.
        metrics: where batches are counted.
        workers: batches computed at the same time.
        max_tokens: padded tokens in a batch: its longest item × its items. One longer item makes a batch of its own.
        max_items: items in a batch.
        traces: who is told of batches.
    """

    def __init__(
        self,
        *,
        admission: Admission,
        metrics: Metrics,
        workers: int,
        max_tokens: int,
        max_items: int,
        traces: Traces | None = None,
    ) -> None:
        self.failures = 0
        """Batches that failed since the last one that did not, by no fault of what was asked."""
        self._admission = admission
        self._metrics = metrics
        self._traces = traces or NoTraces()
        self._max_tokens = max_tokens
        self._max_items = max_items
        self._idle = workers
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="batch")
        self._lanes: dict[Hashable, deque[_Job]] = {}
        self._turns: deque[Hashable] = deque()
        self._batches: dict[int, _Batch] = {}
        self._jobs: set[_Job] = set()
        self._closed = False
        self._pump_due = False

    async def submit(
        self,
        lane: Lane[_Item, _Answer],
        items: Sequence[_Item],
        *,
        costs: Sequence[int],
        timeout_s: float,
        gone: Callable[[], Awaitable[None]] | None = None,
    ) -> list[_Answer]:
        """Answers for the items, in order.

        Args:
            lane: where they belong.
            items: at least one.
            costs: estimated tokens of each item.
            timeout_s: after this long nobody wants the answer; what is not computed by then never is.
            gone: waits until the caller hangs up; the rest of the work is dropped then.

        Raises: Overloaded, Draining, TimedOut, ClientGone; or what `run` raised for these items alone.
        """
        if self._closed:
            raise Draining("The service is about to leave.", retry_after_s=1)
        self._admit(sum(costs))
        loop = asyncio.get_running_loop()
        job = _Job(lane, items, costs, loop.create_future(), loop.time(), self._traces.here())
        watchers: list[asyncio.Task[None]] = []
        timers = [loop.call_later(timeout_s, self._expire, job)]
        if gone is not None:
            timers.append(loop.call_later(WATCH_AFTER_S, lambda: watchers.append(loop.create_task(_leave(job, gone)))))
        self._enqueue(job)
        try:
            return await job.future
        finally:
            for timer in timers:
                timer.cancel()
            for watcher in watchers:
                watcher.cancel()
            self._forget(job)

    def require_room(self) -> None:
        """Whether a request of usual size would be let in. Raises: Overloaded, Draining."""
        if self._closed:
            raise Draining("The service is about to leave.", retry_after_s=1)
        try:
            self._admission.require_room()
        except Unavailable as error:
            self._metrics.refused.labels(error.slug).inc()
            raise

    @property
    def tokens_per_second(self) -> float:
        """How fast batches were computed lately, in estimated tokens."""
        return self._admission.tokens_per_second

    def stalled_s(self) -> float:
        """Seconds that the oldest unanswered work has been here; 0 when there is none."""
        now = asyncio.get_running_loop().time()
        started = [batch.since for batch in self._batches.values()]
        return max((now - since for since in (*started, *(job.since for job in self._jobs))), default=0.0)

    async def close(self, *, grace_s: float) -> None:
        """Take nothing more, finish what is here within `grace_s`, refuse the rest, and let the threads go."""
        self._closed = True
        deadline = asyncio.get_running_loop().time() + grace_s
        while self._jobs and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        for job in list(self._jobs):
            job.fail(Draining("The service left before an answer was computed.", retry_after_s=1))
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _admit(self, tokens: int) -> None:
        try:
            self._admission.admit(tokens)
        except Unavailable as error:
            self._metrics.refused.labels(error.slug).inc()
            raise
        self._metrics.queue_tokens.set(self._admission.waiting)

    def _enqueue(self, job: _Job) -> None:
        self._jobs.add(job)
        key = job.lane.key
        if key not in self._lanes:
            self._lanes[key] = deque()
            self._turns.append(key)
        self._lanes[key].append(job)
        self._wake()

    def _forget(self, job: _Job) -> None:
        """Nobody waits for this job any more; what is left of it is dropped when its lane comes to it."""
        self._jobs.discard(job)
        self._leave_queue(sum(job.costs[job.taken :]))
        job.taken = len(job.items)
        if job.future.done() and not job.future.cancelled():
            job.future.exception()  # Seen; else asyncio logs it, message and all, when nobody awaited it.

    def _expire(self, job: _Job) -> None:
        self._metrics.refused.labels(TimedOut.slug).inc()
        job.fail(
            TimedOut("The deadline passed before an answer was computed.", retry_after_s=self._admission.retry_after_s)
        )

    def _wake(self) -> None:
        # At the end of this turn of the loop, so that requests that arrived together share a batch.
        if not self._pump_due:
            self._pump_due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_due = False
        loop = asyncio.get_running_loop()
        while self._idle and (batch := self._take()):
            self._idle -= 1
            self._batches[id(batch)] = batch
            computing = loop.run_in_executor(self._executor, self._compute, batch)
            computing.add_done_callback(partial(self._finish, batch))

    def _compute(self, batch: _Batch) -> list[Sequence[Any] | Exception]:
        """In a worker thread."""
        jobs = [job for job, _, _ in batch.parts]
        with self._traces.batch(jobs, items=batch.items, tokens=batch.tokens):
            return _compute(batch.lane.run, [job.items[start:end] for job, start, end in batch.parts])

    def _finish(self, batch: _Batch, computing: "asyncio.Future[list[Any]]") -> None:
        self._idle += 1
        del self._batches[id(batch)]
        if computing.cancelled():
            return
        seconds = asyncio.get_running_loop().time() - batch.since
        self._admission.ended(batch.tokens, seconds)
        self._metrics.batch_seconds.observe(seconds)
        self._metrics.batch_items.observe(batch.items)
        self._metrics.batch_tokens.observe(batch.tokens)
        outcomes = computing.result()
        self.failures = self.failures + 1 if all(map(_is_bug, outcomes)) else 0
        for (job, start, _), outcome in zip(batch.parts, outcomes, strict=True):
            job.answer(start, outcome)
        self._pump()

    def _take(self) -> _Batch | None:
        """The next batch, or None when nothing waits."""
        while self._turns:
            key = self._turns.popleft()
            jobs = self._lanes[key]
            batch = self._fill(jobs)
            if jobs:
                self._turns.append(key)
            else:
                del self._lanes[key]
            if batch is not None:
                self._admission.began(batch.tokens)
                self._metrics.queue_tokens.set(self._admission.waiting)
                return batch
        return None

    def _fill(self, jobs: deque[_Job]) -> _Batch | None:
        batch: _Batch | None = None
        longest = 0
        while jobs:
            job = jobs[0]
            if not job.waits:
                jobs.popleft()
                continue
            batch = batch or _Batch(job.lane, asyncio.get_running_loop().time())
            job.waited_s = batch.since - job.since
            start = job.taken
            while job.taken < len(job.items):
                longest_with = max(longest, job.costs[job.taken])
                full = batch.items == self._max_items or longest_with * (batch.items + 1) > self._max_tokens
                if full and batch.items:
                    break
                longest = longest_with
                batch.items += 1
                batch.tokens += job.costs[job.taken]
                job.taken += 1
            if job.taken > start:
                batch.parts.append((job, start, job.taken))
            if job.taken < len(job.items):
                jobs.rotate(-1)
                break
            jobs.popleft()
        return batch

    def _leave_queue(self, tokens: int) -> None:
        self._admission.leave(tokens)
        self._metrics.queue_tokens.set(self._admission.waiting)


async def _leave(job: _Job, gone: Callable[[], Awaitable[None]]) -> None:
    await gone()
    job.fail(ClientGone("The caller hung up."))


def _compute(
    run: Callable[[Sequence[Any]], Sequence[Any]], parts: Sequence[Sequence[Any]]
) -> list[Sequence[Any] | Exception]:
    """Run all parts as one batch; if that fails, each alone, so that one request cannot spoil its neighbours."""
    try:
        answers = run([item for part in parts for item in part])
    except Exception as error:  # noqa: BLE001 - travels to the request that caused it
        return [error] if len(parts) == 1 else [outcome for part in parts for outcome in _compute(run, [part])]
    ends = [0]
    for part in parts:
        ends.append(ends[-1] + len(part))
    if len(answers) != ends[-1]:
        return [RuntimeError(f"{len(answers)} answers for {ends[-1]} items") for _ in parts]
    return [answers[start:end] for start, end in pairwise(ends)]


def _is_bug(outcome: Sequence[Any] | Exception) -> bool:
    return isinstance(outcome, Exception) and not isinstance(outcome, PipelineError | Refusal)


def _shifted(error: Exception, start: int) -> Exception:
    """A pointer into a slice of a request, as a pointer into the request."""
    if start and isinstance(error, InputInvalid) and error.pointer.startswith("/items/"):
        index, _, rest = error.pointer.removeprefix("/items/").partition("/")
        if index.isdigit():
            pointer = f"/items/{int(index) + start}{'/' + rest if rest else ''}"
            return InputInvalid(str(error), pointer=pointer)
    return error
