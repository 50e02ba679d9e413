"""Traces: a request, its wait, its batch, its stages; and nothing of what was sent."""

import asyncio

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service import app as app_module
from service.tracing import OpenTelemetry

NORMALIZE = "/v1/job-titles/normalize"
CANARY = "kanarienvogel7131"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def collected(monkeypatch):
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(
        app_module, "otlp", lambda _, version: OpenTelemetry(lambda: SimpleSpanProcessor(exporter), version=version)
    )
    return exporter


@pytest.fixture
def traced(serve, collected):
    served = serve(otlp_endpoint="http://collector:4318")
    collected.clear()
    return served


def by_name(collected):
    return {span.name: span for span in collected.get_finished_spans()}


def test_a_request_is_one_trace_from_the_caller_to_each_stage(traced, collected):
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    assert traced.post(NORMALIZE, {"items": [{"title": "cook"}]}, headers=headers).status_code == 200
    spans = by_name(collected)
    request, batch = spans[f"POST {NORMALIZE}"], spans["batch"]
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE}
    assert f"{request.parent.span_id:016x}" == "b7ad6b7169203331"
    assert spans["wait"].parent.span_id == batch.parent.span_id == request.context.span_id
    stages = {"prepare", "encode", "retrieve", "correct", "name", "learn", "rerank", "decide"}
    assert stages <= set(spans)
    assert {spans[stage].parent.span_id for stage in stages} == {batch.context.span_id}
    assert request.attributes["http.response.status_code"] == 200
    assert batch.attributes["cognomen.items"] == 1
    for span in spans.values():
        assert request.start_time <= span.start_time <= span.end_time <= request.end_time + 10_000_000


def test_a_shared_batch_links_to_every_request(traced, collected):
    async def ask():
        bodies = [{"items": [{"title": title}]} for title in ("cook", "nurse", "plumber")]
        await asyncio.gather(*(traced.client.post(NORMALIZE, json=body) for body in bodies))

    traced.run(ask())
    spans = collected.get_finished_spans()
    batches = [span for span in spans if span.name == "batch"]
    assert sum(span.attributes["cognomen.requests"] for span in batches) == 3
    assert sum(len(span.links) for span in batches) == 3 - len(batches)
    assert len([span for span in spans if span.name == "wait"]) == 3


def test_spans_hold_nothing_that_was_sent(traced, collected):
    traced.post(NORMALIZE, {"items": [{"title": CANARY}]}, headers={"user-agent": CANARY, "baggage": f"a={CANARY}"})
    traced.get(f"/v1/terminologies/twelve/concepts/{CANARY}?query={CANARY}")
    traced.run(traced.client.request(CANARY, f"/{CANARY}"))
    spans = collected.get_finished_spans()
    assert len(spans) > 10
    assert CANARY not in "".join(span.to_json() for span in spans)


def test_a_header_that_is_no_traceparent_is_no_bug(traced):
    for value in ("", "00-zz-zz-zz", "x" * 5_000, "\u00e9"):
        headers = {"traceparent": value.encode("latin-1"), "tracestate": value.encode("latin-1")}
        assert traced.get("/v1/pipelines", headers=headers).status_code == 200
