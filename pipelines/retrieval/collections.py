"""Documents in, one artifact out: vectors with their corrections folded in, texts, metadata; and opened again."""

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from models.arrays import EMPTY, Queries, RowIds, Vectors, unit
from models.artifacts import Artifact, ArtifactStore, ArtifactWriter
from models.encoders.base import Encoder
from models.errors import ArtifactCorrupt, ArtifactInvalid
from models.hubness.centre import MeanCentring
from models.hubness.fitted import Fitted
from models.hubness.folding import fold
from models.hubness.normalizers import Bank
from models.indexes.base import Engine
from models.indexes.faiss import FaissIndex
from models.indexes.folded import FoldedIndex
from models.indexes.lexical import LexicalIndex, NgramConfig
from pipelines.correcting import (
    NEIGHBOURS,
    SERVED,
    HubnessReport,
    choice_of,
    fit_corrections,
    keep_corrections,
    open_corrections,
    report_of,
    skewness_of,
    without_self,
)
from pipelines.encoding import ENCODED_AT_ONCE
from pipelines.errors import CollectionUnknown, SourceError
from pipelines.retrieval.collection import About, Collection, additive, views_of
from pipelines.retrieval.config import DEFAULT_ENCODER, CollectionConfig
from pipelines.retrieval.documents import Document, KnownQuery, Vector, read_documents, read_queries
from pipelines.retrieval.engines import (
    Engines,
    build_engine,
    discard,
    drop_orphans,
    keep_engine,
    open_engine,
    tables,
)
from pipelines.retrieval.fields import Fields

KIND: Final = "collection"
ITEMS: Final = "items"
"""In place of a gallery file: a sample of the documents themselves, each masked from itself."""
Progress = Callable[[str, int, int], None]

_PREFIX: Final = "collections"
_GALLERY: Final = 5000
"""Documents of a gallery bank drawn from the collection. A guess."""
_MEASURED: Final = 2000
"""Queries that hubs are measured by. A guess."""
_TUNED: Final = 200
"""Queries an index is tuned on, for each way of asking. A guess."""


def artifact_name(collection: str) -> str:
    """Where a collection rests."""
    return f"{_PREFIX}/{collection}"


def collections(store: ArtifactStore) -> list[str]:
    """The names of every collection built, sorted."""
    return [name.removeprefix(f"{_PREFIX}/") for name in store.names(_PREFIX)]


def build_collection(
    name: str,
    documents: Path,
    *,
    store: ArtifactStore,
    encoder_of: Callable[[str], Encoder],
    engines: Engines = MappingProxyType({}),
    format: str | None = None,
    config: CollectionConfig | None = None,
    queries: Path | None = None,
    gallery: Path | str | None = None,
    development: Path | None = None,
    origin: str | None = None,
    on_progress: Progress = lambda stage, done, total: None,
) -> str:
    """Index documents, fit corrections, publish them as a new generation and give its id back.

    Args:
        documents: `{"id", "text"? | "vector"?, "metadata"?}`, JSONL or Parquet; all bring vectors, or none.
        encoder_of: encoder name → encoder.
        engines: where servers listen, for a collection that is kept in one.
        format: of every file here; by default each file's own bytes say.
        queries: the query bank, `{"text"? | "vector"?, "relevant"?: [ids]}`: what is asked, or texts like it. Documents
            that are known to answer a bank query are masked from it. Without a bank no correction can be had.
        gallery: the gallery bank, in the same shape: texts or vectors of the documents' kind; ITEMS draws it from the
            documents. `dual_is` and `dual_dis` need it.
        development: queries that say what is relevant: by them `auto` is chosen. None of the bank's, if they are to
            say anything of others.
        origin: the id of the job that asks. What the same job published before it was killed is not made twice.

    Raises: SourceError naming a line; EncoderUnknown; CorrectionUnavailable for a method set without its bank;
        ArtifactWriteFailed. The last good generation keeps answering.
    """
    config = config or CollectionConfig()

    def check(folder: Path) -> None:
        dense = made.engine
        if isinstance(dense, FaissIndex):
            dense = FaissIndex.from_file(folder / "dense.faiss", size=len(made.ids), dimension=made.width)
        found = dense.search(Queries.of_vectors(dense.rows(np.zeros(1, np.int64))), k=1)
        if found.ids[0, 0] == EMPTY or not np.isfinite(found.scores).all():
            raise ArtifactCorrupt(f"collection {name}: the index written does not answer")

    artifact = artifact_name(name)
    if origin is not None and (made_before := _made_by(origin, artifact, store=store)):
        return made_before
    before = tables(store, artifact)
    made = _Making(artifact, config, encoder_of, engines, format, on_progress)
    try:
        with store.write(artifact, kind=KIND, parents={"job": origin} if origin else {}, check=check) as writer:
            made.read(read_documents(documents, format=format), writer)
            made.encode()
            made.fit(queries, gallery)
            made.index()
            made.choose(development)
            made.write(name, writer)
    except BaseException:
        made.discard()
        raise
    drop_orphans(before, store=store, name=artifact, engines=engines)
    return store.current(artifact_name(name))


def _made_by(origin: str, artifact: str, *, store: ArtifactStore) -> str | None:
    """The generation that this job published, if it did."""
    made = reversed(store.generations(artifact))
    return next((g for g in made if store.manifest(artifact, generation=g).parents.get("job") == origin), None)


def open_collection(
    name: str,
    *,
    store: ArtifactStore,
    encoder_of: Callable[[str], Encoder],
    engines: Engines = MappingProxyType({}),
    generation: str | None = None,
) -> Collection:
    """Open what `build_collection` published, checksums verified.

    Raises: CollectionUnknown; ArtifactInvalid if the encoder of its name is no longer the one it was built with;
        ArtifactCorrupt; EngineUnavailable, ConfigInvalid where it is kept in a server.
    """
    if name not in collections(store):
        raise CollectionUnknown("no collection of that name was built; `cognomen build-collection` makes one")
    artifact = store.open(artifact_name(name), kind=KIND, generation=generation)
    details = artifact.manifest.details
    if "engine" not in details:
        artifact.close()
        raise ArtifactInvalid(f"collection {name} was built by an earlier version; build it again")
    encoder = _encoder(name, details["encoder"], encoder_of)
    files, size, dimension = artifact.manifest.files, details["items"], details["dimension"]
    corrections = open_corrections(artifact, encoder=details["fitted_for"], size=size)

    def rows(file: str, about: Mapping[str, Any], width: int) -> Engine:
        engine = details["engine"]
        return open_engine(artifact, file, about, engine=engine, engines=engines, size=size, width=width)

    return Collection(
        about=_about(name, details, ["auto", *views_of(dimension, corrections)]),
        artifact=artifact,
        encoder=encoder,
        config=CollectionConfig(**artifact.read_json("config.json")),
        dense=rows("dense.faiss", details["index"], details["width"]),
        centred=rows("centred.faiss", details["centred"], dimension) if details["centred"] else None,
        lexical=_lexical(artifact) if "lexical.json" in files else None,
        corrections=corrections,
        fields=Fields.from_bytes(artifact.read_bytes("fields.arrow")),
        documents=_mapped(artifact.path("documents.jsonl")),
        offsets=artifact.read_tensors("offsets.safetensors")["offsets"],
    )


def describe_collection(name: str, *, store: ArtifactStore) -> About:
    """What a collection says of itself, without opening it. Raises: CollectionUnknown."""
    if name not in collections(store):
        raise CollectionUnknown("no collection of that name was built")
    details = store.manifest(artifact_name(name)).details
    return _about(name, details, details["methods"])


def _about(name: str, details: Mapping[str, Any], methods: Sequence[str]) -> About:
    return About(
        name=name,
        items=details["items"],
        dimension=details["dimension"],
        metric=details["metric"],
        index=details["index"]["method"],
        encoder=details["encoder"]["name"] if details["encoder"] else None,
        fields=details["fields"],
        hubness=HubnessReport.from_json(details["hubness"]),
        methods=methods,
        lexical=details["lexical"],
    )


def _encoder(name: str, about: Mapping[str, Any] | None, encoder_of: Callable[[str], Encoder]) -> Encoder | None:
    if about is None:
        return None
    encoder = encoder_of(about["name"])
    if encoder.fingerprint != about["fingerprint"]:
        raise ArtifactInvalid(
            f"collection {name} was built with another version of encoder {encoder.name!r}; build it again"
        )
    return encoder


def _lexical(artifact: Artifact) -> LexicalIndex:
    return LexicalIndex.from_parts(artifact.read_json("lexical.json"), artifact.read_tensors("lexical.safetensors"))


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


@dataclass
class _Making:
    """A collection being made, step by step; each step fills what the next one needs."""

    artifact: str
    config: CollectionConfig
    encoder_of: Callable[[str], Encoder]
    engines: Engines
    format: str | None
    on_progress: Progress
    ids: dict[str, int] = field(default_factory=dict)
    texts: list[str | None] = field(default_factory=list)
    brought: list[Vector] = field(default_factory=list)
    metadata: list[Mapping[str, Any]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    corrections: dict[str, Fitted] = field(default_factory=dict)
    bank: Bank | None = None
    gallery: Bank | None = None
    dense: Engine | None = None
    centred: Engine | None = None
    report: HubnessReport = field(default_factory=HubnessReport)

    @property
    def width(self) -> int:
        """Of the rows as they are kept: a vector and its penalties."""
        return self.engine.dimension

    @property
    def engine(self) -> Engine:
        """Where the vectors and their penalties are."""
        if self.dense is None:
            raise RuntimeError("`index` comes first")
        return self.dense

    def discard(self) -> None:
        """Take back what was put into a server."""
        for engine in (self.dense, self.centred):
            discard(engine)

    # -- documents -------------------------------------------------------------------------------

    def read(self, documents: Iterator[Document], writer: ArtifactWriter) -> None:
        """Take the documents in and write their lines."""
        writer.add_lines("documents.jsonl", self._lines(documents))
        self.on_progress("read", len(self.ids), len(self.ids))
        if not self.ids:
            raise SourceError("there is no document to index")
        self.fields = Fields.of(self.metadata, declared=self.config.fields)
        self.metadata.clear()

    def _lines(self, documents: Iterator[Document]) -> Iterator[bytes]:
        for document in documents:
            if document.id in self.ids:
                raise SourceError("a document of the same id stands above", line=document.line)
            self._take_vector(document)
            self.ids[document.id] = len(self.ids)
            self.texts.append(document.text)
            self.metadata.append(document.metadata)
            content = {"id": document.id, "text": document.text, "metadata": document.metadata}
            line = orjson.dumps({key: value for key, value in content.items() if value})
            self.offsets.append(self.offsets[-1] + len(line) + 1)
            if len(self.ids) % 1000 == 0:
                self.on_progress("read", len(self.ids), len(self.ids))
            yield line

    def _take_vector(self, document: Document) -> None:
        if self.ids and (document.vector is None) != (not self.brought):
            raise SourceError("some documents bring vectors and some do not; expected all or none", line=document.line)
        if document.vector is not None:
            self.brought.append(self._checked(document.vector, document.line))

    def _checked(self, vector: Vector, line: int) -> Vector:
        if self.brought and len(vector) != len(self.brought[0]):
            raise SourceError(
                f"the vector has {len(vector)} numbers; the first document's has {len(self.brought[0])}", line=line
            )
        if self.config.metric == "cosine" and not np.linalg.norm(vector):
            raise SourceError("the vector is zero, or too small to have a direction", line=line)
        return vector

    def encode(self) -> None:
        """Vectors of all documents, (N, d)."""
        self.encoder: Encoder | None = None
        if self.brought:
            if self.config.encoder is not None:
                self.encoder = self.encoder_of(self.config.encoder)
                if self.encoder.dimension != len(self.brought[0]):
                    raise SourceError(
                        f"the documents' vectors have {len(self.brought[0])} numbers; encoder {self.encoder.name!r} "
                        f"makes {self.encoder.dimension}"
                    )
            self.vectors = self._scaled(np.stack(self.brought))
            self.brought.clear()
            return
        self.encoder = self.encoder_of(self.config.encoder or DEFAULT_ENCODER)
        encode = self.encoder.encode_query if self.config.symmetric else self.encoder.encode_passage
        self.vectors = self._scaled(self._encoded([text or "" for text in self.texts], encode, "encode"))

    def _encoded(self, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors], stage: str) -> Vectors:
        """Each distinct text encoded once."""
        distinct: dict[str, int] = {}
        which = [distinct.setdefault(text, len(distinct)) for text in texts]
        todo = list(distinct)
        parts = []
        for start in range(0, len(todo), ENCODED_AT_ONCE):
            parts.append(encode(todo[start : start + ENCODED_AT_ONCE]))
            self.on_progress(stage, min(start + ENCODED_AT_ONCE, len(todo)), len(todo))
        made: Vectors = np.concatenate(parts)
        return made if len(todo) == len(texts) else made[which]

    def _scaled(self, vectors: Vectors) -> Vectors:
        return unit(vectors) if self.config.metric == "cosine" else vectors

    # -- corrections -----------------------------------------------------------------------------

    def fit(self, queries: Path | None, gallery: Path | str | None) -> None:
        """The banks, and every correction they allow."""
        self.on_progress("fit", 0, 1)
        if queries is not None:
            self.bank = self._bank(queries, as_query=True)
        if gallery == ITEMS:
            self.gallery = self._own_gallery()
        elif gallery is not None:
            self.gallery = self._bank(Path(gallery), as_query=False)
        self.corrections = fit_corrections(
            self.vectors,
            self.bank,
            self.gallery,
            encoder=self.fingerprint,
            methods=SERVED if self.config.methods is None else self.config.methods,
            beta=self.config.beta,
        )
        self.on_progress("fit", 1, 1)

    @property
    def fingerprint(self) -> str:
        """Of what made the vectors."""
        return self.encoder.fingerprint if self.encoder is not None else f"vectors of width {self.vectors.shape[1]}"

    def _bank(self, path: Path, *, as_query: bool) -> Bank:
        asked = list(read_queries(path, format=self.format))
        if not asked:
            raise SourceError(f"{path.name} holds no query for a bank")
        return Bank(self._asked(asked, as_query=as_query), self._positives(asked))

    def _own_gallery(self) -> Bank:
        rows = np.sort(np.random.default_rng(0).permutation(len(self.vectors))[:_GALLERY]).astype(np.int64)
        return Bank(self.vectors[rows], np.stack([np.arange(len(rows), dtype=np.int64), rows], axis=1))

    def _asked(self, asked: Sequence[KnownQuery], *, as_query: bool) -> Vectors:
        """Vectors of queries, or of texts like the documents', (n, d)."""
        d = self.vectors.shape[1]
        vectors = np.zeros((len(asked), d), np.float32)
        for i, one in enumerate(asked):
            if one.vector is not None:
                if len(one.vector) != d:
                    raise SourceError(f"the vector has {len(one.vector)} numbers; documents have {d}", line=one.line)
                vectors[i] = one.vector
        texts = [i for i, one in enumerate(asked) if one.vector is None]
        if texts:
            if self.encoder is None:
                raise SourceError("found a text, but the collection has no encoder", line=asked[texts[0]].line)
            query = as_query or self.config.symmetric
            encode = self.encoder.encode_query if query else self.encoder.encode_passage
            vectors[texts] = self._encoded([asked[i].text or "" for i in texts], encode, "encode bank")
        return self._scaled(vectors)

    def _positives(self, asked: Sequence[KnownQuery]) -> NDArray[np.int64]:
        """Pairs of bank row and document row that belong together; ids that are not here are no harm in a bank."""
        pairs = [(i, self.ids[one]) for i, query in enumerate(asked) for one in query.relevant if one in self.ids]
        return np.array(pairs, np.int64).reshape(-1, 2)

    # -- index -----------------------------------------------------------------------------------

    def index(self) -> None:
        """The vectors with their penalties, and the centred ones."""
        self.on_progress("index", 0, 1)
        self.dimension = self.vectors.shape[1]
        options: dict[str, Any] = {"config": self.config, "engines": self.engines, "name": self.artifact}
        folded = fold(self.vectors, additive(self.corrections))
        self.dense = build_engine(folded, queries=self._tuning(), **options)
        del folded
        centre = self.corrections.get("centre")
        if isinstance(centre, MeanCentring):
            like = None if self.bank is None else centre.centred_queries(self.bank.vectors[:_TUNED])
            self.centred = build_engine(centre.centred_items(self.vectors), queries=like, **options)
        self.lexical: LexicalIndex | None = None
        if self.config.lexical is not None:
            if self.encoder is None or not any(self.texts):
                raise SourceError("a lexical index needs documents with texts, and text queries an encoder")
            self.lexical = LexicalIndex.build([text or "" for text in self.texts], config=NgramConfig())
        self.on_progress("index", 1, 1)

    def _tuning(self) -> Vectors | None:
        """Queries as the index will be asked, in every way that needs but one search."""
        if self.bank is None:
            return None
        asked = self.bank.vectors[:_TUNED]
        views = views_of(self.dimension, self.corrections)
        once = [view for method, view in views.items() if method not in {"centre", "dis", "dual_dis"}]
        return np.concatenate([view.extend(asked, _nobody) for view in once])

    def views(self) -> dict[str, FoldedIndex]:
        """The index as each correction asks it."""
        return {
            method: FoldedIndex(self.centred if method == "centre" and self.centred else self.engine, view)
            for method, view in views_of(self.dimension, self.corrections).items()
        }

    # -- auto ------------------------------------------------------------------------------------

    def choose(self, development: Path | None) -> None:
        """What `auto` is, and how hub-ridden the collection is with and without it."""
        views = self.views()
        right: dict[str, NDArray[np.bool_]] = {}
        groups = None
        measured: tuple[str, Vectors, RowIds | None]
        if development is not None:
            asked = list(read_queries(development, format=self.format))
            relevant = [self._relevant(one) for one in asked]
            if not asked:
                raise SourceError(f"{development.name} holds no development query")
            vectors = self._asked(asked, as_query=True)
            right = {m: _hits_first(view, vectors, relevant) for m, view in views.items()}
            groups = np.array([min(rows) for rows in relevant], np.int64)
            measured = "development queries", vectors, None
        elif self.bank is not None:
            measured = "query bank", self.bank.vectors, None
        else:
            rows = np.random.default_rng(0).permutation(len(self.vectors))[:_MEASURED].astype(np.int64)
            measured = ITEMS, self.vectors[rows], rows
        choice = choice_of(self.config.hubness, right, groups=groups, offered=list(self.corrections))
        on, vectors, own = measured
        before = self._skewness(views["none"], vectors, own)
        after = before if choice.method == "none" else self._skewness(views[choice.method], vectors, own)
        self.report = report_of(
            choice, bank=self.bank, gallery=self.gallery, before=before, after=after, measured_on=on
        )

    def _skewness(self, view: FoldedIndex, vectors: Vectors, own: RowIds | None) -> float:
        k = NEIGHBOURS + (own is not None)
        ids = view.search(Queries.of_vectors(vectors[:_MEASURED]), k=k).ids
        return skewness_of(ids if own is None else without_self(ids, own), size=len(self.vectors))

    def _relevant(self, asked: KnownQuery) -> set[int]:
        rows = {self.ids[one] for one in asked.relevant if one in self.ids}
        if not rows:
            raise SourceError('a development query names no document of this collection in "relevant"', line=asked.line)
        return rows

    # -- artifact --------------------------------------------------------------------------------

    def write(self, name: str, writer: ArtifactWriter) -> None:
        """Everything but the documents, which are there already."""
        self.on_progress("write", 0, 1)
        writer.add_json("config.json", self.config.model_dump())
        writer.add_tensors("offsets.safetensors", {"offsets": np.array(self.offsets, np.int64)})
        writer.add_bytes("fields.arrow", self.fields.to_bytes())
        index = keep_engine(self.engine, "dense.faiss", writer)
        centred = keep_engine(self.centred, "centred.faiss", writer) if self.centred is not None else None
        if self.lexical is not None:
            writer.add_json("lexical.json", self.lexical.settings)
            writer.add_tensors("lexical.safetensors", self.lexical.tensors)
        keep_corrections(self.corrections, writer)
        encoder = self.encoder
        writer.details.update(
            name=name,
            items=len(self.ids),
            dimension=self.dimension,
            width=self.width,
            metric=self.config.metric,
            engine=self.config.engine,
            index=index,
            centred=centred,
            encoder=encoder and {"name": encoder.name, "fingerprint": encoder.fingerprint},
            fitted_for=self.fingerprint,
            fields=self.fields.kinds,
            lexical=self.config.lexical,
            hubness=self.report.to_json(),
            methods=["auto", *views_of(self.dimension, self.corrections)],
        )
        self.on_progress("write", 1, 1)


def _nobody(extended: Vectors) -> RowIds:
    return np.full(len(extended), EMPTY, np.int64)


def _hits_first(view: FoldedIndex, vectors: Vectors, relevant: Sequence[set[int]]) -> NDArray[np.bool_]:
    """Whether each query's first answer is relevant, (n,)."""
    first = view.search(Queries.of_vectors(vectors), k=1).ids
    return np.array([int(ids[0]) in rows for ids, rows in zip(first, relevant, strict=True)], np.bool_)
