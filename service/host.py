"""PipelineHost: opens, warms, swaps and gives out what is served."""

import copy
import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from models.encoders.library import EncoderLibrary
from models.errors import ArtifactInvalid, EncoderUnknown
from models.rerankers.bi_encoder import BiEncoderReranker
from models.rerankers.cross_encoder import CrossEncoder
from models.rerankers.library import RerankerLibrary
from pipelines import registry
from pipelines.build import Build, artifact_name, builds, open_build, snapshot
from pipelines.errors import PipelineUnknown, TerminologyUnknown
from pipelines.flow import Pipeline
from pipelines.results import Request
from pipelines.spec import PipelineSpec
from pipelines.terminology import Terminology
from service.collections import Collections
from service.feedback_store import FeedbackStore, feedback_path
from service.hosting import Hosting
from service.problems import Unavailable

log = logging.getLogger(__name__)

_RETRY_S = 30
_EVERYTHING = Hosting()
_WARM_UP = Request("warm up")


class BuildUnavailable(Unavailable):
    """A build that is here, or should be, and could not be opened."""

    slug, title = "build-unavailable", "Build unavailable"


@dataclass(frozen=True)
class HostedPipeline:
    """One pipeline over one terminology, ready to run.

    Attributes:
        name: as in a URL: "job-titles".
        hubness: what "auto" means for this build.
        generation: the build that answers.
        feedback: what users say of its answers.
    """

    name: str
    verb: str
    description: str
    build: Build
    feedback: FeedbackStore

    @property
    def terminology(self) -> Terminology:
        """What it answers from."""
        return self.build.terminology

    @property
    def encoder(self) -> str:
        """Its encoder's name."""
        return self.build.encoder.name

    @property
    def dimension(self) -> int:
        """The width of its vectors."""
        return self.build.encoder.dimension

    @property
    def device(self) -> str:
        """Where its encoder runs."""
        return self.build.encoder.device

    @property
    def hubness(self) -> str:
        """What "auto" means for this build."""
        return self.build.hubness

    @property
    def generation(self) -> str:
        """The build that answers."""
        return self.build.artifact.generation

    @property
    def pipeline(self) -> Pipeline:
        """What runs; thread-safe."""
        return self.build.pipeline

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """What each text costs its encoder."""
        return self.build.encoder.count_tokens(texts)


class PipelineHost:
    """The hosted pipelines and encoders of one process.

    Args:
        store: where builds and encoders rest.
        hosting: pipeline slug → what the operator's file says of it; a pipeline without an entry is hosted over every
            build, and answers from its starter's, or else from the first by name.
        data: where what users say is kept; None keeps it as long as the process lives.
        device: where encoders run.
        threads: threads per encoder session.
        encoder_engine: what computes an encoder on a CPU: "auto", "onnxruntime" or "openvino".
        engines: engine → where it listens, for collections that are kept in a server.
    """

    def __init__(
        self,
        store: ArtifactStore,
        *,
        hosting: Mapping[str, Hosting] | None = None,
        data: Path | None = None,
        device: str = "auto",
        threads: int = 1,
        encoder_engine: str = "auto",
        engines: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._hosting = hosting or {}
        self._data = data
        self._library = EncoderLibrary(store, device=device, threads=threads, engine=encoder_engine)
        self._rerankers = RerankerLibrary(store, device=device, threads=threads)
        self._hosted: dict[tuple[str, str], HostedPipeline] = {}
        self._marks: dict[tuple[str, str], dict[str, str]] = {}
        self._broken: dict[tuple[str, str], str] = {}
        self._faults: Mapping[tuple[str, str], str] = {}
        self._refreshing = Lock()
        self._collections_at: Mapping[str, str] = {}
        self._collection_faults: Sequence[str] = ()
        retrieval = self._hosting.get("retrieval", _EVERYTHING)
        self.collections = Collections(
            store, encoder_of=self.encoder, engines=engines, hosts=retrieval.hosts_collection
        )
        self._loaded = False
        self.ready = False
        self.failure: str | None = None

    def load(self) -> None:
        """Open and warm up every build. Slow and synchronous.

        A build that cannot be opened is named in `failure` and answers 503; it is never served as an empty one, nor
        does another terminology answer in its place. The others are served.
        """
        self.refresh()

    def refresh(self) -> list[HostedPipeline]:
        """Switch to what was built, learned or rolled back since, and give back what answers anew.

        Each is opened and warmed up beside the one that answers, which goes on until then and finishes what it began;
        where the new one cannot be opened, it goes on altogether. Slow and synchronous where something changed.
        """
        with self._refreshing:
            wanted, missing = self._wanted()
            self._hosted = {key: hosted for key, hosted in self._hosted.items() if key in wanted}
            switched = []
            for key, spec in wanted.items():
                mark = snapshot(spec, key[1], store=self._store)
                if self._marks.get(key) == mark:
                    continue
                self._broken.pop(key, None)
                try:
                    switched.append(self._open(spec, key[1]))
                except Exception as error:
                    log.exception("cannot open %s over %s", *key)
                    self._broken[key] = type(error).__name__
                self._marks[key] = mark
            unopened = {key: fault for key, fault in self._broken.items() if key in wanted and key not in self._hosted}
            self._faults = {**dict.fromkeys(missing, "to be hosted, but not built"), **unopened}
            said = [f"{slug}/{terminology}: {fault}" for (slug, terminology), fault in self._faults.items()]
            if (at := self.collections.current()) != self._collections_at:
                self._collections_at, self._collection_faults = at, self.collections.load()
            said += self._collection_faults
            if not self._hosted and not self.collections.names() and not said:
                said.append("nothing is built yet; `cognomen setup` or `cognomen build` makes something to serve")
            self.failure = "; ".join(said) or None
            self.ready = bool(self._hosted or self.collections.names())
            self._loaded = True
            return switched

    def awaits(self, artifact: str, generation: str) -> bool:
        """Whether a generation is current, is to be hosted, and does not answer yet."""
        if not (self._loaded and self._store.exists(artifact)) or self._store.current(artifact) != generation:
            return False
        return any(
            artifact_name(spec, key[1]) == artifact
            # What is opened first of all answers once `refresh` has ended.
            and (self._marks.get(key, {}).get(artifact) != generation or (key in self._hosted and not self.ready))
            for key, spec in self._wanted()[0].items()
        )

    def close(self) -> None:
        """Let the files of feedback and the generations go."""
        for hosted in self._hosted.values():
            hosted.feedback.close()
            hosted.build.artifact.close()

    @property
    def store(self) -> ArtifactStore:
        """Where builds and encoders rest."""
        return self._store

    @property
    def failed(self) -> int:
        """How many builds that should be served are not."""
        return len(self._faults)

    def seen_by(self, sees: Callable[[str], bool]) -> "PipelineHost":
        """This host as one sees it for whom only some names of terminologies and collections exist."""
        view = copy.copy(self)
        view._hosted = {key: hosted for key, hosted in self._hosted.items() if sees(hosted.terminology.name)}
        view._faults = {key: fault for key, fault in self._faults.items() if sees(key[1])}
        view.collections = self.collections.seen_by(sees)
        view._hosting = {
            slug: hosting if hosting.terminology is None or sees(hosting.terminology) else _EVERYTHING
            for slug, hosting in self._hosting.items()
        }
        return view

    def pipelines(self) -> list[HostedPipeline]:
        """Each pipeline over its default terminology, by name."""
        names = sorted({name for name, _ in self._hosted})
        return [self._hosted[key] for name in names if (key := (name, self._default_of(name))) in self._hosted]

    def pipeline(self, name: str, *, terminology: str | None = None) -> HostedPipeline:
        """A hosted pipeline; "job-titles" and "job_titles" are the same.

        Raises: PipelineUnknown if none of that name is hosted; TerminologyUnknown if it was not built for that one;
            BuildUnavailable if that build is here but could not be opened.
        """
        slug = name.replace("_", "-")
        offered = [t for n, t in (*self._hosted, *self._faults) if n == slug]
        if not offered:
            raise PipelineUnknown("no such pipeline is hosted here")
        wanted = terminology or self._default_of(slug)
        if wanted not in offered:
            raise TerminologyUnknown(f"{slug} is built for: {', '.join(sorted(offered))}")
        if (slug, wanted) not in self._hosted:
            raise BuildUnavailable("This could not be opened here; the log says why.", retry_after_s=_RETRY_S)
        return self._hosted[slug, wanted]

    def builds(self) -> list[HostedPipeline]:
        """Every build that is served, by pipeline and terminology."""
        return [hosted for _, hosted in sorted(self._hosted.items())]

    def terminologies(self) -> list[Terminology]:
        """Every terminology that some pipeline answers from, by name."""
        return [t for _, t in sorted({h.terminology.name: h.terminology for h in self._hosted.values()}.items())]

    def terminology(self, name: str) -> Terminology:
        """The terminology of that name. Raises: TerminologyUnknown."""
        for known in self.terminologies():
            if known.name == name:
                return known
        raise TerminologyUnknown("no such terminology is hosted here")

    def encoders(self) -> list[str]:
        """Names of every prepared encoder, sorted."""
        return self._library.names()

    def opened_encoder(self, name: str) -> Encoder | None:
        """An encoder that was opened before; never slow. None says nothing of whether there is one."""
        return self._library.opened(name)

    def encoder(self, name: str) -> Encoder:
        """A prepared encoder, opened once and kept; "a+b" joins two. Raises: EncoderUnknown."""
        return self._library.get(name)

    def rerankers(self) -> list[str]:
        """Names of every prepared cross-encoder, sorted."""
        return self._rerankers.names()

    def reranker(self, name: str) -> CrossEncoder | BiEncoderReranker:
        """The cross-encoder of that name, or else the encoder of that name as a re-ranker. Raises: EncoderUnknown."""
        if name in self._rerankers.names():
            return self._rerankers.get(name)
        return BiEncoderReranker(self.encoder(name))

    def require_encoder(self, name: str) -> None:
        """Let only the name of a prepared encoder pass, without opening it. Raises: EncoderUnknown."""
        try:
            missing = self._library.missing(name)
        except ArtifactInvalid:  # what can be no name
            missing = [name]
        if missing:
            raise EncoderUnknown("no such encoder is prepared here")

    def _wanted(self) -> tuple[dict[tuple[str, str], PipelineSpec], list[tuple[str, str]]]:
        """What is built and to be hosted, (slug, terminology) → spec; and what is to be hosted and not built."""
        wanted: dict[tuple[str, str], PipelineSpec] = {}
        missing: list[tuple[str, str]] = []
        for spec in registry.specs().values():
            hosting = self._hosting.get(spec.slug, _EVERYTHING)
            built = [t for t in builds(spec, store=self._store) if hosting.hosts(t)]
            wanted |= {(spec.slug, terminology): spec for terminology in built}
            named = {*(hosting.terminologies or []), *filter(None, [hosting.terminology])}
            missing += [(spec.slug, terminology) for terminology in sorted(named - {*built})]
        return wanted, missing

    def _open(self, spec: PipelineSpec, terminology: str) -> HostedPipeline:
        opened = open_build(spec, terminology, store=self._store, encoder_of=self.encoder)
        opened.pipeline.run([_WARM_UP])
        # The generation stays on disk as long as anybody computes with it.
        weakref.finalize(opened, opened.artifact.close)
        known = self._hosted.get((spec.slug, terminology))
        if known is None:
            path = feedback_path(self._data, spec.slug, terminology) if self._data is not None else None
            feedback = FeedbackStore(path, memory=opened.memory)
        else:
            feedback = known.feedback
            feedback.rebind(opened.memory)
        hosted = HostedPipeline(spec.slug, spec.verb, spec.description, opened, feedback)
        # A new dictionary: other threads look things up meanwhile.
        self._hosted = {**self._hosted, (spec.slug, terminology): hosted}
        return hosted

    def _default_of(self, slug: str) -> str:
        """Which terminology answers when none is named, whether or not its build could be opened."""
        offered = [t for n, t in (*self._hosted, *self._faults) if n == slug]
        chosen = self._hosting.get(slug, _EVERYTHING).terminology
        if chosen is not None:
            return chosen
        starter = registry.spec(slug).starter_name
        return starter if starter is not None and starter in offered else sorted(offered)[0]
