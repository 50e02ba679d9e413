"""PipelineHost: opens, warms, swaps and gives out what is served."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import Build, builds, open_build
from pipelines.errors import PipelineUnknown, TerminologyUnknown
from pipelines.flow import Pipeline
from pipelines.results import Request
from pipelines.spec import PipelineSpec
from pipelines.terminology import Terminology
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
    """

    def __init__(
        self,
        store: ArtifactStore,
        *,
        hosting: Mapping[str, Hosting] | None = None,
        data: Path | None = None,
        device: str = "auto",
        threads: int = 1,
    ) -> None:
        self._store = store
        self._hosting = hosting or {}
        self._data = data
        self._library = EncoderLibrary(store, device=device, threads=threads)
        self._hosted: dict[tuple[str, str], HostedPipeline] = {}
        self._faults: Mapping[tuple[str, str], str] = {}
        self.ready = False
        self.failure: str | None = None

    def load(self) -> None:
        """Open and warm up every build. Slow and synchronous.

        A build that cannot be opened is named in `failure` and answers 503; it is never served as an empty one, nor
        does another terminology answer in its place. The others are served.
        """
        faults: dict[tuple[str, str], str] = {}
        for spec in registry.specs().values():
            hosting = self._hosting.get(spec.slug, _EVERYTHING)
            built = [t for t in builds(spec, store=self._store) if hosting.hosts(t)]
            if missing := sorted({*(hosting.terminologies or []), *filter(None, [hosting.terminology])} - {*built}):
                faults |= {(spec.slug, t): "to be hosted, but not built" for t in missing}
            for terminology in built:
                try:
                    self._open(spec, terminology)
                except Exception as error:
                    log.exception("cannot open %s over %s", spec.slug, terminology)
                    faults[spec.slug, terminology] = type(error).__name__
        self._faults = faults
        said = [f"{slug}/{terminology}: {fault}" for (slug, terminology), fault in faults.items()]
        if not self._hosted and not faults:
            said.append("nothing is built yet; `cognomen setup` or `cognomen build` makes something to serve")
        self.failure = "; ".join(said) or None
        self.ready = bool(self._hosted)

    def close(self) -> None:
        """Let the files of feedback go."""
        for hosted in self._hosted.values():
            hosted.feedback.close()

    @property
    def failed(self) -> int:
        """How many builds that should be served are not."""
        return len(self._faults)

    def seen_by(self, sees: Callable[[str], bool]) -> "PipelineHost":
        """This host as one sees it for whom only some terminologies' names exist."""
        view = copy.copy(self)
        view._hosted = {key: hosted for key, hosted in self._hosted.items() if sees(hosted.terminology.name)}
        view._faults = {key: fault for key, fault in self._faults.items() if sees(key[1])}
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

    def encoder(self, name: str) -> Encoder:
        """A prepared encoder, opened once and kept; "a+b" joins two. Raises: EncoderUnknown."""
        return self._library.get(name)

    def _open(self, spec: PipelineSpec, terminology: str) -> None:
        opened = open_build(spec, terminology, store=self._store, encoder_of=self.encoder)
        opened.pipeline.run([_WARM_UP])
        path = feedback_path(self._data, spec.slug, terminology) if self._data is not None else None
        feedback = FeedbackStore(path, memory=opened.memory)
        self._hosted[spec.slug, terminology] = HostedPipeline(spec.slug, spec.verb, spec.description, opened, feedback)

    def _default_of(self, slug: str) -> str:
        """Which terminology answers when none is named, whether or not its build could be opened."""
        offered = [t for n, t in (*self._hosted, *self._faults) if n == slug]
        chosen = self._hosting.get(slug, _EVERYTHING).terminology
        if chosen is not None:
            return chosen
        starter = registry.spec(slug).starter_name
        return starter if starter is not None and starter in offered else sorted(offered)[0]
