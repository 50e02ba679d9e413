"""The desk where datasheets are read: a few at a time, in threads beside the event loop, and kept for a while.

Reading is a child process that can be killed (`pipelines/datasheets/document.py`); a thread waits for it. What neither
fits on the desk nor in the queue before it is refused at once: a PDF costs a thousand times what a title does.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from pipelines.datasheets.assistance import Assistant, LanguageModel
from pipelines.datasheets.chat import HttpChat
from pipelines.datasheets.document import Limits, read_document
from pipelines.datasheets.page import Document
from pipelines.datasheets.pictures import Picture, draw_page
from service.problems import ClientGone, Draining, Overloaded, TimedOut, Unavailable
from service.settings import Settings
from service.telemetry import Metrics

_Answer = TypeVar("_Answer")
_WORD_BYTES: Final = 700
"""What a word of the page model takes, measured on four sheets with tracemalloc; its line and texts included."""
_OCR_TIMES: Final = 6
"""Reading a scan may take this many times as long: about a minute a page (FINDINGS)."""
_SHARE: Final = 0.85
"""Of the caller's time for reading scans; the rest is for naming. A guess."""
_RETRY_S: Final = 5


_Place = tuple[str, str]


@dataclass(slots=True)
class _Kept:
    document: Document
    size: int
    until: float


class Shelf:
    """Documents that were read, by tenant and id, the longest unused given up first.

    A document's id is what is in it: whoever has read the same must not learn that others did.

    Args:
        capacity_bytes: of all page models together, estimated; one larger document is not kept.
        keep_s: how long a document is kept after it was last read or asked for.
    """

    def __init__(self, *, capacity_bytes: int, keep_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity_bytes
        self._keep_s = keep_s
        self._clock = clock
        self._kept: OrderedDict[_Place, _Kept] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """Documents at hand."""
        self._forget_old()
        return len(self._kept)

    def put(self, document: Document, *, tenant: str = "") -> None:
        """Keep a document, in place of what was known of it."""
        place = (tenant, document.id)
        self._drop(place)
        size = _WORD_BYTES * sum(len(page.words) for page in document.pages) + 4096
        if size > self._capacity:
            return
        self._kept[place] = _Kept(document, size, self._clock() + self._keep_s)
        self._bytes += size
        self._forget_old()
        while self._bytes > self._capacity:
            self._drop(next(iter(self._kept)))

    def get(self, document_id: str, *, tenant: str = "") -> Document | None:
        """A document that is still kept, else None."""
        self._forget_old()
        place = (tenant, document_id)
        kept = self._kept.get(place)
        if kept is None:
            return None
        self._kept.move_to_end(place)
        kept.until = self._clock() + self._keep_s
        return kept.document

    def _drop(self, place: _Place) -> None:
        if (kept := self._kept.pop(place, None)) is not None:
            self._bytes -= kept.size

    def _forget_old(self) -> None:
        # Every use moves to the end and sets the same span anew: the first is always the oldest.
        now = self._clock()
        while self._kept and next(iter(self._kept.values())).until <= now:
            self._drop(next(iter(self._kept)))


class Desk:
    """Bounded work beside the event loop. Its methods run on the event loop.

    Args:
        settings: how many at a time, how many may wait, how long reading may take, how long documents are kept.
        metrics: where refusals are counted.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._metrics = metrics
        self._closed = False
        self._places = settings.datasheet_workers + settings.datasheet_queue
        self._taken = 0
        self._executor = ThreadPoolExecutor(settings.datasheet_workers, thread_name_prefix="datasheets")
        self._limits = limits_of(settings)
        self.shelf = Shelf(capacity_bytes=settings.datasheet_keep_bytes, keep_s=settings.datasheet_keep_s)

    async def close(self, *, grace_s: float) -> None:
        """Take nothing more, finish what is here within `grace_s`; what still runs ends by its own wall clock."""
        self._closed = True
        deadline = time.monotonic() + grace_s
        while self._taken and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def read(
        self,
        data: bytes,
        *,
        ocr: bool,
        timeout_s: float,
        gone: Callable[[], Awaitable[None]] | None = None,
        tenant: str = "",
    ) -> Document:
        """The document of these bytes, from the shelf if it is there.

        Raises: Overloaded; TimedOut; ClientGone; DocumentUnreadable.
        """
        known = self.shelf.get(hashlib.sha256(data).hexdigest(), tenant=tenant)
        if known is not None and not (ocr and known.needs_ocr):
            return known
        limits = self._limits if not ocr else _longer(self._limits, most_s=timeout_s)
        document = await self.run(lambda: read_document(data, limits=limits, ocr=ocr), timeout_s=timeout_s, gone=gone)
        self.shelf.put(document, tenant=tenant)
        return document

    async def picture(
        self, data: bytes, page: int, *, width_px: int, timeout_s: float, gone: Callable[[], Awaitable[None]] | None
    ) -> Picture:
        """A page drawn. Raises: Overloaded; TimedOut; ClientGone; DocumentUnreadable; PageUnknown."""
        draw = partial(draw_page, data, page, width_px=width_px, limits=self._limits)
        return await self.run(draw, timeout_s=timeout_s, gone=gone)

    async def run(
        self, work: Callable[[], _Answer], *, timeout_s: float, gone: Callable[[], Awaitable[None]] | None = None
    ) -> _Answer:
        """Do work in a thread of the desk.

        Raises: Draining; Overloaded if every place is taken; TimedOut after `timeout_s`; ClientGone if the caller
            hangs up. Work that has begun then keeps its place until it ends.
        """
        if self._closed:
            raise Draining("The service is about to leave.", retry_after_s=1)
        if self._taken >= self._places:
            raise self._refused(Overloaded("Too many datasheets are being read.", retry_after_s=_RETRY_S))
        self._taken += 1
        loop = asyncio.get_running_loop()
        task = self._executor.submit(work)
        # The thread's own end frees the place: the future below is cancelled when nobody waits for it any more.
        task.add_done_callback(lambda _: self._ended(loop))
        future = asyncio.wrap_future(task)
        watcher = asyncio.ensure_future(gone()) if gone else None
        waited: list[asyncio.Future[Any]] = [future, *([watcher] if watcher else ())]
        try:
            await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if watcher and not watcher.done():
                watcher.cancel()
            if not future.done():
                # Cancels what has not begun; a thread that runs cannot be stopped, and nobody waits for it.
                future.cancel()
        if future.cancelled() or not future.done():
            if watcher and watcher.done() and not watcher.cancelled():
                raise ClientGone("The caller hung up.")
            raise self._refused(TimedOut("The deadline passed before the answer was made.", retry_after_s=_RETRY_S))
        return future.result()

    def _refused(self, error: Unavailable) -> Unavailable:
        self._metrics.refused.labels(error.slug).inc()
        return error

    def _ended(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody counts places any more.
            loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._taken -= 1


def limits_of(settings: Settings) -> Limits:
    """What a PDF may cost here."""
    return Limits(
        size_bytes=settings.datasheet_max_bytes,
        pages=settings.datasheet_max_pages,
        wall_s=settings.datasheet_wall_s,
        cpu_s=max(1, round(settings.datasheet_wall_s)),
    )


def assistant_of(settings: Settings) -> Assistant | None:
    """The language model that the operator has set up, for one extraction."""
    if settings.llm_base_url is None:
        return None
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    chat = HttpChat(settings.llm_base_url, settings.llm_model, key, settings.llm_timeout_s)
    return LanguageModel(chat, retries=settings.llm_retries)


def _longer(limits: Limits, *, most_s: float) -> Limits:
    """Time to read scans, as much as the caller has: then comes what was read by then, and a note on the rest."""
    wall_s = max(1.0, min(limits.wall_s * _OCR_TIMES, most_s * _SHARE))
    return replace(limits, wall_s=wall_s, cpu_s=max(1, round(wall_s)))
