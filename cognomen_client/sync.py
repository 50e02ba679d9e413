"""The client for plain code."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, Unpack, cast

import httpx

from cognomen_client import answers, asked, calls
from cognomen_client.calls import Call, Upload
from cognomen_client.errors import JobFailed, NotReached
from cognomen_client.progress import Show, shower
from cognomen_client.retrying import Retrying
from cognomen_client.wire import (
    DEFAULT_TIMEOUT_S,
    ENDED,
    answer_of,
    client_arguments,
    refusal_of,
    request_arguments,
    rewind,
    start_of,
)

T = TypeVar("T")


class Client:
    """Asks a cognomen service. Safe to share between threads.

    Args:
        url: where the service is, with the prefix a gateway puts before it: "https://names.example/names".
        key: an API key; none is needed on loopback.
        timeout_s: for one attempt.
        retrying: how patient to be with 429, 503 and broken connections.
        batch_size: items sent in one request where more are given.
        transport: how requests travel; for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retrying: Retrying | None = None,
        batch_size: int = 256,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(**client_arguments(url, key, timeout_s), transport=transport)
        self._retrying = retrying or Retrying()
        self._batch_size = batch_size

    def __enter__(self) -> "Client":
        """The client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let its connections go."""
        self._http.close()

    def ready(self) -> bool:
        """Whether the service says it can serve, asked once."""
        try:
            return self._http.get("readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    # -- pipelines ---------------------------------------------------------------------------

    def normalize_job_titles(
        self, titles: Sequence[str | asked.JobTitle], **options: Unpack[asked.Options]
    ) -> list[answers.JobTitleResult]:
        """The occupation of each title, in order; any number of titles."""
        return self._all(lambda some: calls.normalize_job_titles(some, options), titles)

    def link(
        self, texts: Sequence[str | asked.ClinicalText], **options: Unpack[asked.MedicalOptions]
    ) -> list[answers.MedicalResult]:
        """The mentions of each clinical text and what they are known by, in order."""
        return self._all(lambda some: calls.link(some, options), texts)

    def extract(self, pdf: Upload, **options: Unpack[asked.ExtractOptions]) -> answers.Extraction:
        """The parameters of a datasheet: a path, bytes, or a binary stream.

        Raises: Conflict where it is about several parts; its `candidates` names them.
        """
        return self._send(calls.extract(pdf, options))

    def page_picture(self, pdf: Upload, *, page: int = 1, width: int = 1000) -> answers.PagePicture:
        """A page of a datasheet drawn as PNG, `width` pixels wide, for boxes to be drawn on."""
        return self._send(calls.page_picture(pdf, page, width))

    def spice(self, **content: Any) -> answers.SpiceModel:  # noqa: ANN401 - JSON
        """The SPICE model of a document read before (`document_id`) or of a `device_type` with `parameters`."""
        return self._send(calls.spice(content))

    def search(
        self, collection: str, queries: Sequence[str | Sequence[float]], **options: Unpack[asked.SearchOptions]
    ) -> list[answers.SearchResult]:
        """The nearest documents of each text or vector, in order."""
        return self._all(lambda some: calls.search(collection, some, options), queries)

    def embed(self, texts: Sequence[str], *, model: str, input_type: str = "query") -> list[list[float]]:
        """A vector for each text, in order."""
        return self._all(lambda some: calls.embed(some, model, input_type), texts)

    def rerank(
        self, query: str, documents: Sequence[str], *, model: str, top_n: int | None = None
    ) -> list[answers.Ranked]:
        """The documents by relevance, best first."""
        return self._send(calls.rerank(query, documents, model, top_n))

    def feedback(
        self, pipeline: str, items: Sequence[asked.Feedback], *, terminology: str | None = None
    ) -> answers.FeedbackAnswer:
        """Say which concepts are right and which are wrong; the next answers follow it."""
        return self._send(calls.feedback(pipeline, items, terminology))

    def feedback_given(self, pipeline: str, *, terminology: str | None = None) -> Iterator[answers.FeedbackGiven]:
        """Everything that was said, oldest first, fetched page by page."""
        token: str | None = None
        while True:
            page, token = self._send(calls.feedback_given(pipeline, terminology, token))
            yield from page
            if token is None:
                return

    def take_back(self, pipeline: str, feedback_id: str, *, terminology: str | None = None) -> None:
        """Forget something that was said; the next answers follow it."""
        self._send(calls.take_back(pipeline, feedback_id, terminology))

    # -- what is there -----------------------------------------------------------------------

    def pipelines(self) -> list[answers.Pipeline]:
        """Every pipeline hosted."""
        return self._send(calls.pipelines())

    def terminologies(self) -> list[answers.Terminology]:
        """Every terminology that answers come from."""
        return self._send(calls.terminologies())

    def collections(self) -> list[answers.Collection]:
        """Every collection that can be searched."""
        return self._send(calls.collections())

    def pipeline(self, name: str) -> answers.Pipeline:
        """One pipeline, over its default terminology."""
        return self._send(calls.pipeline(name))

    def terminology(self, name: str) -> answers.Terminology:
        """One terminology."""
        return self._send(calls.terminology(name))

    def collection(self, name: str) -> answers.Collection:
        """One collection."""
        return self._send(calls.collection(name))

    def models(self) -> list[answers.Model]:
        """Every encoder and re-ranker there is to embed and re-rank with."""
        return self._send(calls.models())

    def concepts(self, terminology: str, query: str = "") -> Iterator[answers.Concept]:
        """The concepts with a term that contains the query, best first, fetched page by page."""
        token: str | None = None
        while True:
            page, token = self._send(calls.concepts(terminology, query, token))
            yield from page
            if token is None:
                return

    def concept(self, terminology: str, concept_id: str) -> answers.Concept:
        """One concept with every term."""
        return self._send(calls.concept(terminology, concept_id))

    # -- files and jobs ----------------------------------------------------------------------

    def upload(self, content: Upload, *, purpose: asked.Purpose, filename: str | None = None) -> answers.File:
        """Send a file, a path, bytes or a binary stream; it is streamed, whatever its size."""
        return self._send(calls.upload(content, purpose, filename))

    def files(self, purpose: str | None = None) -> Iterator[answers.File]:
        """Every file, oldest first, fetched page by page."""
        token: str | None = None
        while True:
            page, token = self._send(calls.files(purpose, token))
            yield from page
            if token is None:
                return

    def file(self, file_id: str) -> answers.File:
        """What is known of a file."""
        return self._send(calls.file(file_id))

    def download(self, file_id: str, to: str | Path) -> Path:
        """Fetch a file's bytes as a stream; what is at `to` is replaced once all of it is here."""
        return self._fetch(calls.content_path(file_id), to)

    def result(self, job_id: str, to: str | Path) -> Path:
        """Fetch what a job put out, as `download` does. Raises: Conflict while the job has not ended."""
        return self._fetch(calls.result_path(job_id), to)

    def _fetch(self, path: str, to: str | Path) -> Path:
        target = Path(to)
        partial = target.with_name(f".{target.name}.part")
        with self._http.stream("GET", path) as response:
            if not response.is_success:
                response.read()
                raise refusal_of(response)
            with partial.open("wb") as stream:
                for piece in response.iter_bytes():
                    stream.write(piece)
        partial.replace(target)
        return target

    def delete_file(self, file_id: str) -> None:
        """Remove a file."""
        self._send(calls.delete_file(file_id))

    def ask_for_job(self, content: Mapping[str, Any]) -> answers.Job:
        """Put a job on the queue, once, however often it has to be sent: {"kind": "run" or "index", …}."""
        return self._send(calls.ask_for_job(content))

    def job(self, job_id: str) -> answers.Job:
        """A job as it stands."""
        return self._send(calls.job(job_id))

    def jobs(self) -> Iterator[answers.Job]:
        """Every job, newest first, fetched page by page."""
        token: str | None = None
        while True:
            page, token = self._send(calls.jobs(token))
            yield from page
            if token is None:
                return

    def cancel_job(self, job_id: str) -> answers.Job:
        """Stop a job."""
        return self._send(calls.cancel_job(job_id))

    def watch_job(self, job_id: str) -> Iterator[answers.Job]:
        """The job on each change, until it ends. Where the stream breaks off it is taken up again."""
        while True:
            lines = calls.EventLines()
            try:
                with self._http.stream("GET", calls.events_path(job_id), timeout=_watching()) as response:
                    if response.is_success:
                        for line in response.iter_lines():
                            if (job := lines.take(line)) is not None:
                                yield job
            except httpx.TransportError:
                pass
            job = self.job(job_id)
            yield job
            if job["status"] in ENDED:
                return
            time.sleep(1)

    def wait_for_job(
        self, job_id: str, *, progress: bool | Show = False, timeout_s: float | None = None
    ) -> answers.Job:
        """The job once it succeeded.

        Args:
            progress: True draws a line on the terminal; a function is called with each state.
            timeout_s: how long to wait; the job itself goes on.

        Raises: JobFailed, TimeoutError.
        """
        show = shower(progress)
        end = None if timeout_s is None else time.monotonic() + timeout_s
        for job in self.watch_job(job_id):
            show(job)
            if job["status"] == "succeeded":
                return job
            if job["status"] in ENDED:
                raise JobFailed(cast(dict[str, Any], job))
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"job {job_id} still {job['status']} after {timeout_s} s")
        raise AssertionError("a job that is watched ends")

    # -- keys and generations ----------------------------------------------------------------

    def own_key(self) -> answers.OwnKey:
        """What the key that this client asks with is good for."""
        return self._send(calls.own_key())

    def keys(self) -> list[answers.Key]:
        """Every live key; needs an admin's."""
        return self._send(calls.keys())

    def create_key(
        self, name: str, *, scopes: Sequence[str], prefixes: Sequence[str] = (), rate: str | None = None
    ) -> answers.NewKey:
        """A new key; its secret is in this answer and nowhere else."""
        content = {"name": name, "scopes": list(scopes), "prefixes": list(prefixes), "rate": rate}
        return self._send(calls.create_key(content))

    def rotate_key(self, key_id: str, *, grace_s: int = 0) -> answers.NewKey:
        """A new secret for a key; the former one works for `grace_s` more seconds."""
        return self._send(calls.rotate_key(key_id, grace_s))

    def revoke_key(self, key_id: str) -> None:
        """From the next request on it opens nothing."""
        self._send(calls.revoke_key(key_id))

    def generations(self) -> list[answers.Artifact]:
        """Everything built, with every generation that is kept."""
        return self._send(calls.generations())

    def roll_back(self, artifact: str, *, generation: str | None = None) -> answers.RolledBack:
        """Let an earlier generation answer: the one before, or the one that is named."""
        return self._send(calls.roll_back(artifact, generation))

    # -- one call ----------------------------------------------------------------------------

    def _all(self, call: Callable[[Sequence[Any]], Call[list[T]]], items: Sequence[Any]) -> list[T]:
        return [result for one in calls.batched(call, items, self._batch_size) for result in self._send(one)]

    def _send(self, call: Call[T]) -> T:
        """Send a call until it is answered. Raises: Problem, NotReached."""
        attempt, start = 0, start_of(call)
        while True:
            attempt += 1
            response, failure = self._attempt(call)
            wait = self._retrying.wait_s(
                attempt,
                repeatable=call.repeatable,
                status=None if response is None else response.status_code,
                headers=None if response is None else response.headers,
            )
            if wait is None or not rewind(call, start):
                if response is None:
                    raise NotReached(f"no answer after {attempt} attempts: {type(failure).__name__}") from failure
                return answer_of(response, call)
            time.sleep(wait)

    def _attempt(self, call: Call[Any]) -> tuple[httpx.Response | None, httpx.TransportError | None]:
        try:
            with request_arguments(call) as told:
                return self._http.request(call.method, call.path, **told), None
        except httpx.TransportError as error:
            return None, error


def _watching() -> httpx.Timeout:
    """The service sends a sign of life every quarter of a minute."""
    return httpx.Timeout(DEFAULT_TIMEOUT_S, read=45.0)
