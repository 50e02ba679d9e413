"""Lines as a pipeline's items: what one is refused for, or trips over, spoils no other."""

import json

import pytest

from pipelines.errors import InputInvalid
from pipelines.lines import Line
from service.jobs.wire_lines import LINE_FORMATS, WireLines, checked_options
from service.problems import Invalid

FORMAT = LINE_FORMATS["job-titles"]


class Picky:
    """Answers with nothing named; refuses one text and trips over another. Remembers what it was asked together."""

    def __init__(self):
        self.asked = []

    def run(self, requests, *, hubness):
        from pipelines.results import Result

        texts = [request.text for request in requests]
        self.asked.append(texts)
        if "refused" in texts:
            raise InputInvalid("too odd", pointer=f"/items/{texts.index('refused')}/title")
        if "bug" in texts:
            raise ZeroDivisionError("zanzibar")
        return [Result([]) for _ in requests]


def answers(titles, **options):
    pipeline = Picky()
    wire = WireLines(pipeline, FORMAT, options=options)
    return pipeline, wire([Line(n, {"title": title}, 10) for n, title in enumerate(titles, 1)])


def test_what_one_is_refused_for_spoils_no_other():
    _, answered = answers(["a", "refused", "b", "bug", "c"])
    assert [a.ok for a in answered] == [True, False, True, False, True]
    refused, bug = (json.loads(answered[i].content) for i in (1, 3))
    assert (refused["line"], refused["error"]["errors"]) == (2, [{"pointer": "/title", "detail": "too odd"}])
    assert (bug["line"], bug["error"]["status"]) == (4, 500)
    assert "zanzibar" not in str(bug)


def test_the_same_is_computed_once_and_short_with_short():
    pipeline, answered = answers(["longest of them", "b", "b", "mid one", "b"])
    assert pipeline.asked == [["b", "mid one", "longest of them"]]
    assert len(answered) == 5


def test_options_are_checked_as_a_request_would():
    assert checked_options(FORMAT, {"top_k": 3}) == {"top_k": 3}
    with pytest.raises(Invalid) as caught:
        checked_options(FORMAT, {"top_k": 0, "items": [], "zanzibar": 1})
    assert {fault.pointer for fault in caught.value.faults} == {"/options/top_k", "/options/items", "/options/zanzibar"}


def test_nothing_is_computed_once_the_job_is_not_wanted():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        WireLines(Picky(), FORMAT, options={}, check=stop)([Line(1, {"title": "a"}, 1)])
