"""A spaCy component: entities get concepts; where there are no entities, mentions are found.

    nlp.add_pipe("cognomen_linker", config={"url": "http://127.0.0.1:8000"})

Where this package is installed spaCy finds the name by itself; from a checkout import this module first.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from cognomen_client import answers, asked
from cognomen_client.sync import Client

NAME: Final = "cognomen_linker"


class CognomenLinker:
    """Links the mentions of documents to concepts, over HTTP.

    `doc.ents`, where there are any, are linked as they are and get `ent.kb_id_` ("" for NIL). Else mentions are found
    by the service. Either way `doc.spans[spans_key]` holds the linked spans, widened to whole tokens, with the first
    semantic type as label and the concept as `kb_id_`; `span._.cognomen` is the service's answer.

    Args:
        client: asks the service.
        spans_key: where the spans go.
        language: of every text; None lets the service detect it.
        options: what goes with each request.
        batch_size: documents in one request.
    """

    def __init__(
        self,
        client: Client,
        *,
        spans_key: str,
        language: str | None,
        options: asked.MedicalOptions,
        batch_size: int,
    ) -> None:
        self._client = client
        self._spans_key = spans_key
        self._language = language
        self._options = options
        self._batch_size = batch_size
        if not Span.has_extension("cognomen"):
            Span.set_extension("cognomen", default=None)

    def __call__(self, doc: Doc) -> Doc:
        """The document with its mentions linked."""
        return self._linked([doc])[0]

    def pipe(self, stream: Iterable[Doc], batch_size: int | None = None) -> Iterator[Doc]:
        """The documents in order, linked many at a time."""
        for docs in minibatch(stream, batch_size or self._batch_size):
            yield from self._linked(list(docs))

    def _linked(self, docs: Sequence[Doc]) -> list[Doc]:
        asked_for = [doc for doc in docs if doc.text.strip()]
        results = self._client.link([self._item(doc) for doc in asked_for], **self._options) if asked_for else []
        for doc, result in zip(asked_for, results, strict=True):
            self._write(doc, result["mentions"])
        return list(docs)

    def _item(self, doc: Doc) -> asked.ClinicalText:
        item: asked.ClinicalText = {"text": doc.text}
        if self._language:
            item["language"] = self._language
        if doc.ents:
            item["mentions"] = [{"start": ent.start_char, "end": ent.end_char} for ent in doc.ents]
        return item

    def _write(self, doc: Doc, mentions: Sequence[answers.Mention]) -> None:
        spans = [span for mention in mentions if (span := _span(doc, mention)) is not None]
        doc.spans[self._spans_key] = spans
        if doc.ents:
            # Exactly the entities were asked for, and answered in their order.
            doc.set_ents([_named(doc, ent, mention) for ent, mention in zip(doc.ents, mentions, strict=True)])


def _span(doc: Doc, mention: answers.Mention) -> Span | None:
    concept_id, types = mention["decision"]["concept_id"], _types(mention)
    span = doc.char_span(
        mention["start"], mention["end"], label=types[0] if types else "CONCEPT", kb_id=concept_id or "",
        alignment_mode="expand",
    )  # fmt: skip
    if span is not None:
        span._.cognomen = mention
    return span


def _named(doc: Doc, ent: Span, mention: answers.Mention) -> Span:
    named = Span(doc, ent.start, ent.end, label=ent.label, kb_id=mention["decision"]["concept_id"] or "")
    named._.cognomen = mention
    return named


def _types(mention: answers.Mention) -> list[str]:
    chosen = mention["decision"]["concept_id"]
    return next((c["semantic_types"] for c in mention["candidates"] if c["concept_id"] == chosen), [])


def make_linker(
    nlp: Language,
    name: str,
    url: str,
    key: str | None,
    terminology: str | list[str] | None,
    language: str | None,
    min_confidence: float | None,
    spans_key: str,
    batch_size: int,
) -> CognomenLinker:
    """The component as `nlp.add_pipe` makes it. `key` is written into a saved pipeline's config: leave it out there."""
    given: dict[str, Any] = {"terminology": terminology, "min_confidence": min_confidence, "top_k": 1}
    options = cast(asked.MedicalOptions, {option: value for option, value in given.items() if value is not None})
    client = Client(url, key=key, batch_size=batch_size)
    return CognomenLinker(client, spans_key=spans_key, language=language, options=options, batch_size=batch_size)


Language.factory(
    NAME,
    default_config={
        "url": "http://127.0.0.1:8000",
        "key": None,
        "terminology": None,
        "language": None,
        "min_confidence": None,
        "spans_key": "cognomen",
        "batch_size": 64,
    },
    func=make_linker,
)
