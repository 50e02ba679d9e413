"""Every call as data: what is sent, and how its answer is read. Sync and async send the same calls."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Generic, TypeVar, cast
from urllib.parse import quote
from uuid import uuid4

from cognomen_client import answers, asked

MAX_ITEMS: Final = 1024
"""Items the service takes in one request."""

T = TypeVar("T")
Given = str | Mapping[str, Any]
Upload = str | Path | bytes | IO[bytes]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        read: the answer's JSON → what the caller gets.
        raw: the answer's bytes and headers → what the caller gets, where it is no JSON.
        repeatable: whether sending it twice does no more than once, so that it may be sent again after a broken
            connection. What the service refused with 429 or 503 was not done and may always be sent again.
        upload: (field, file name, content) of a form.
    """

    method: str
    path: str
    read: Callable[[Any], T] = lambda answer: answer
    raw: Callable[[bytes, Mapping[str, str]], T] | None = None
    params: Mapping[str, Any] | None = None
    json: object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str | list[str]] | None = None
    upload: tuple[str, str, Upload] | None = None
    repeatable: bool = True


def batched(call: Callable[[Sequence[Any]], Call[list[T]]], items: Sequence[Any], size: int) -> Iterator[Call[list[T]]]:
    """The calls for any number of items, in order."""
    if not 1 <= size <= MAX_ITEMS:
        raise ValueError(f"batch_size is {size}; the service takes 1..{MAX_ITEMS} items in a request")
    for start in range(0, len(items), size):
        yield call(items[start : start + size])


def _results(answer: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return cast(list[Any], answer["results"])


def _items(given: Sequence[Given], name: str) -> list[Mapping[str, Any]]:
    return [{name: item} if isinstance(item, str) else item for item in given]


def normalize_job_titles(
    titles: Sequence[str | asked.JobTitle], options: asked.Options
) -> Call[list[answers.JobTitleResult]]:
    """POST /v1/job-titles/normalize."""
    content = {"items": _items(cast(Sequence[Given], titles), "title"), **options}
    return Call("POST", "v1/job-titles/normalize", _results, json=content)


def link(texts: Sequence[str | asked.ClinicalText], options: asked.MedicalOptions) -> Call[list[answers.MedicalResult]]:
    """POST /v1/medical/link."""
    content = {"items": _items(cast(Sequence[Given], texts), "text"), **options}
    return Call("POST", "v1/medical/link", _results, json=content)


def extract(pdf: Upload, options: asked.ExtractOptions) -> Call[answers.Extraction]:
    """POST /v1/datasheets/extract."""
    form: dict[str, str | list[str]] = {}
    for name, value in options.items():
        if isinstance(value, bool):
            form[name] = "true" if value else "false"
        elif isinstance(value, list):
            form[name] = [str(one) for one in value]
        else:
            form[name] = str(value)
    return Call("POST", "v1/datasheets/extract", form=form, upload=("file", _filename(pdf, "sheet.pdf"), pdf))


def page_picture(pdf: Upload, page: int, width: int) -> Call[answers.PagePicture]:
    """POST /v1/datasheets/page."""

    def read(png: bytes, headers: Mapping[str, str]) -> answers.PagePicture:
        return answers.PagePicture(png, float(headers["x-page-width"]), float(headers["x-page-height"]))

    form: dict[str, str | list[str]] = {"page": str(page), "width": str(width)}
    part = ("file", _filename(pdf, "sheet.pdf"), pdf)
    return Call("POST", "v1/datasheets/page", raw=read, form=form, upload=part)


def spice(content: Mapping[str, Any]) -> Call[answers.SpiceModel]:
    """POST /v1/datasheets/spice."""
    return Call("POST", "v1/datasheets/spice", json=content)


def search(
    collection: str, queries: Sequence[str | Sequence[float]], options: asked.SearchOptions
) -> Call[list[answers.SearchResult]]:
    """POST /v1/retrieval/{collection}/search."""
    said = [{"text": one} if isinstance(one, str) else {"vector": [float(x) for x in one]} for one in queries]
    return Call("POST", f"v1/retrieval/{_part(collection)}/search", _results, json={"queries": said, **options})


def collections() -> Call[list[answers.Collection]]:
    """GET /v1/retrieval."""
    return Call("GET", "v1/retrieval", lambda answer: cast(list[answers.Collection], answer["collections"]))


def collection(name: str) -> Call[answers.Collection]:
    """GET /v1/retrieval/{collection}."""
    return Call("GET", f"v1/retrieval/{_part(name)}")


def models() -> Call[list[answers.Model]]:
    """GET /v1/models."""
    return Call("GET", "v1/models", lambda answer: cast(list[answers.Model], answer["data"]))


def embed(texts: Sequence[str], model: str, input_type: str) -> Call[list[list[float]]]:
    """POST /v1/embeddings."""

    def read(answer: Any) -> list[list[float]]:  # noqa: ANN401 - JSON
        return [one["embedding"] for one in sorted(answer["data"], key=lambda one: cast(int, one["index"]))]

    return Call("POST", "v1/embeddings", read, json={"input": list(texts), "model": model, "input_type": input_type})


def rerank(query: str, documents: Sequence[str], model: str, top_n: int | None) -> Call[list[answers.Ranked]]:
    """POST /v1/rerank."""
    content = {"query": query, "documents": list(documents), "model": model, **({"top_n": top_n} if top_n else {})}
    return Call("POST", "v1/rerank", _results, json=content)


def feedback(pipeline: str, items: Sequence[asked.Feedback], terminology: str | None) -> Call[answers.FeedbackAnswer]:
    """POST /v1/{pipeline}/feedback."""
    content = {"items": list(items), **({"terminology": terminology} if terminology else {})}
    return Call("POST", f"v1/{_part(pipeline)}/feedback", json=content)


def feedback_given(
    pipeline: str, terminology: str | None, page_token: str | None
) -> Call[tuple[list[answers.FeedbackGiven], str | None]]:
    """GET /v1/{pipeline}/feedback: a page and the token of the next."""
    params = {name: value for name, value in (("terminology", terminology), ("page_token", page_token)) if value}
    path = f"v1/{_part(pipeline)}/feedback"
    return Call("GET", path, lambda answer: (answer["items"], answer["next_page_token"]), params=params)


def take_back(pipeline: str, feedback_id: str, terminology: str | None) -> Call[None]:
    """DELETE /v1/{pipeline}/feedback/{feedback_id}."""
    params = {"terminology": terminology} if terminology else None
    path = f"v1/{_part(pipeline)}/feedback/{_part(feedback_id)}"
    return Call("DELETE", path, lambda _answer: None, params=params)


def pipeline(name: str) -> Call[answers.Pipeline]:
    """GET /v1/pipelines/{name}."""
    return Call("GET", f"v1/pipelines/{_part(name)}")


def pipelines() -> Call[list[answers.Pipeline]]:
    """GET /v1/pipelines."""
    return Call("GET", "v1/pipelines", lambda answer: cast(list[answers.Pipeline], answer["pipelines"]))


def terminologies() -> Call[list[answers.Terminology]]:
    """GET /v1/terminologies."""
    return Call("GET", "v1/terminologies", lambda answer: cast(list[answers.Terminology], answer["terminologies"]))


def terminology(name: str) -> Call[answers.Terminology]:
    """GET /v1/terminologies/{name}."""
    return Call("GET", f"v1/terminologies/{_part(name)}")


def concepts(terminology: str, query: str, page_token: str | None) -> Call[tuple[list[answers.Concept], str | None]]:
    """GET /v1/terminologies/{name}/concepts: a page and the token of the next."""
    params = {"query": query, "page_size": 200, **({"page_token": page_token} if page_token else {})}
    path = f"v1/terminologies/{_part(terminology)}/concepts"
    return Call("GET", path, lambda answer: (answer["concepts"], answer["next_page_token"]), params=params)


def concept(terminology: str, concept_id: str) -> Call[answers.Concept]:
    """GET /v1/terminologies/{name}/concepts/{concept_id}."""
    return Call("GET", f"v1/terminologies/{_part(terminology)}/concepts/{_part(concept_id)}")


def upload(content: Upload, purpose: asked.Purpose, filename: str | None) -> Call[answers.File]:
    """POST /v1/files."""
    part = ("file", filename or _filename(content, "upload"), content)
    return Call("POST", "v1/files", form={"purpose": purpose}, upload=part, repeatable=False)


def files(purpose: str | None, page_token: str | None) -> Call[tuple[list[answers.File], str | None]]:
    """GET /v1/files: a page and the token of the next."""
    params = {name: value for name, value in (("purpose", purpose), ("page_token", page_token)) if value}
    return Call("GET", "v1/files", lambda answer: (answer["files"], answer.get("next_page_token")), params=params)


def file(file_id: str) -> Call[answers.File]:
    """GET /v1/files/{file_id}."""
    return Call("GET", f"v1/files/{_part(file_id)}")


def delete_file(file_id: str) -> Call[None]:
    """DELETE /v1/files/{file_id}."""
    return Call("DELETE", f"v1/files/{_part(file_id)}", lambda _answer: None)


def ask_for_job(content: Mapping[str, Any]) -> Call[answers.Job]:
    """POST /v1/jobs. The key makes it repeatable: a retry is answered with the first job."""
    return Call("POST", "v1/jobs", json=content, headers={"idempotency-key": uuid4().hex})


def job(job_id: str) -> Call[answers.Job]:
    """GET /v1/jobs/{job_id}."""
    return Call("GET", f"v1/jobs/{_part(job_id)}")


def jobs(page_token: str | None) -> Call[tuple[list[answers.Job], str | None]]:
    """GET /v1/jobs: a page and the token of the next."""
    params = {"page_token": page_token} if page_token else None
    return Call("GET", "v1/jobs", lambda answer: (answer["jobs"], answer.get("next_page_token")), params=params)


def cancel_job(job_id: str) -> Call[answers.Job]:
    """POST /v1/jobs/{job_id}/cancel."""
    return Call("POST", f"v1/jobs/{_part(job_id)}/cancel")


def own_key() -> Call[answers.OwnKey]:
    """GET /v1/keys/self."""
    return Call("GET", "v1/keys/self")


def keys() -> Call[list[answers.Key]]:
    """GET /v1/keys."""
    return Call("GET", "v1/keys", lambda answer: cast(list[answers.Key], answer["keys"]))


def create_key(content: Mapping[str, Any]) -> Call[answers.NewKey]:
    """POST /v1/keys."""
    return Call("POST", "v1/keys", json=content, repeatable=False)


def rotate_key(key_id: str, grace_s: int) -> Call[answers.NewKey]:
    """POST /v1/keys/{key_id}/rotate."""
    return Call("POST", f"v1/keys/{_part(key_id)}/rotate", json={"grace_s": grace_s}, repeatable=False)


def revoke_key(key_id: str) -> Call[None]:
    """DELETE /v1/keys/{key_id}."""
    return Call("DELETE", f"v1/keys/{_part(key_id)}", lambda _answer: None)


def generations() -> Call[list[answers.Artifact]]:
    """GET /v1/generations."""
    return Call("GET", "v1/generations", lambda answer: cast(list[answers.Artifact], answer["artifacts"]))


def roll_back(artifact: str, generation: str | None) -> Call[answers.RolledBack]:
    """POST /v1/generations/rollback."""
    content = {"artifact": artifact, **({"generation": generation} if generation else {})}
    return Call("POST", "v1/generations/rollback", json=content, repeatable=False)


def events_path(job_id: str) -> str:
    """GET /v1/jobs/{job_id}/events: where a job's events come from."""
    return f"v1/jobs/{_part(job_id)}/events"


def content_path(file_id: str) -> str:
    """GET /v1/files/{file_id}/content: where a file's bytes come from."""
    return f"v1/files/{_part(file_id)}/content"


def result_path(job_id: str) -> str:
    """GET /v1/jobs/{job_id}/result: where what a job put out comes from."""
    return f"v1/jobs/{_part(job_id)}/result"


class EventLines:
    """Server-sent events out of lines: each event's data, once its blank line has come."""

    def __init__(self) -> None:
        self._data: list[str] = []

    def take(self, line: str) -> answers.Job | None:
        """The job that this line completes, if any."""
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
        elif not line and self._data:
            said, self._data = "\n".join(self._data), []
            return cast(answers.Job, json.loads(said))
        return None


def _filename(content: Upload, default: str) -> str:
    if isinstance(content, str | Path):
        return Path(content).name
    name = getattr(content, "name", None)
    return Path(name).name if isinstance(name, str) else default


def _part(name: str) -> str:
    """One part of a path: a URI that is an id loses no slash."""
    return quote(name, safe=":")
