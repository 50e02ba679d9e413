"""A column of titles in, columns of occupations out: for pandas, polars, or anything with columns of their kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar, Unpack, cast, runtime_checkable

from cognomen_client import answers, asked
from cognomen_client.sync import Client

COLUMNS: Final = ("concept_id", "name", "confidence", "nil")
"""What is added, each after a prefix."""


@runtime_checkable
class PandasFrame(Protocol):
    """What is used of pandas.DataFrame."""

    def __getitem__(self, key: str) -> Any: ...  # noqa: ANN401, D105 - a Series
    def assign(self, **columns: Any) -> Any: ...  # noqa: ANN401, D102


@runtime_checkable
class PolarsFrame(Protocol):
    """What is used of polars.DataFrame."""

    def __getitem__(self, key: str) -> Any: ...  # noqa: ANN401, D105 - a Series
    def with_columns(self, *columns: Any) -> Any: ...  # noqa: ANN401, D102


Frame = TypeVar("Frame", bound=PandasFrame | PolarsFrame)


def normalize_frame(
    client: Client,
    frame: Frame,
    *,
    column: str,
    language: str | None = None,
    prefix: str = "occupation_",
    **options: Unpack[asked.Options],
) -> Frame:
    """The same rows, in the same order, with the occupation of each job title beside it.

    Args:
        column: where the titles are; a row without one gets nothing.
        language: a column of BCP 47 tags, if there is one.
        prefix: of the columns added: concept_id, name, confidence, nil.
    """
    languages = _values(frame, language) if language else None

    def ask(titles: Sequence[str], places: Sequence[int]) -> list[answers.Decision]:
        items = [
            cast(asked.JobTitle, {"title": title, **_given(languages, place)})
            for title, place in zip(titles, places, strict=True)
        ]
        return [result["decision"] for result in client.normalize_job_titles(items, **options)]

    return _with_decisions(frame, column, prefix, ask)


def _with_decisions(
    frame: Frame, column: str, prefix: str, ask: Callable[[Sequence[str], Sequence[int]], list[answers.Decision]]
) -> Frame:
    texts = _values(frame, column)
    # Missing is None in polars, NaN in pandas; neither is a text.
    places = [i for i, text in enumerate(texts) if isinstance(text, str) and text]
    decisions = dict(zip(places, ask([texts[i] for i in places], places), strict=True))
    columns = {
        f"{prefix}{name}": [decisions[i][name] if i in decisions else None for i in range(len(texts))]
        for name in COLUMNS
    }
    return _with_columns(frame, column, columns)


def _values(frame: PandasFrame | PolarsFrame, column: str) -> list[Any]:
    return list(frame[column])


def _given(languages: Sequence[Any] | None, place: int) -> dict[str, str]:
    said = languages[place] if languages is not None else None
    return {"language": said} if isinstance(said, str) and said else {}


def _with_columns(frame: Frame, like: str, columns: Mapping[str, Sequence[Any]]) -> Frame:
    if isinstance(frame, PolarsFrame):
        # The column's own class makes the new ones, so that nothing has to be imported here.
        series = type(frame[like])
        return cast(
            Frame, frame.with_columns(*(series(name, values, strict=False) for name, values in columns.items()))
        )
    return cast(Frame, frame.assign(**columns))
