"""Texts that nobody labelled in, demand out: what a pipeline is asked for, learned from its own traffic."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from pipelines.build import Build, open_build
from pipelines.demand import Demand, expected_counts, save_demand
from pipelines.errors import SourceError
from pipelines.flow import Pipeline
from pipelines.learning import NothingLearned
from pipelines.results import Options, Request
from pipelines.spec import PipelineSpec

_CANDIDATES: Final = 64
"""Of each text that its share is spread over; beyond them nothing of it is left (T = 40)."""

_AT_ONCE: Final = 512


def adapt(
    spec: PipelineSpec,
    store: ArtifactStore,
    texts: Sequence[str],
    *,
    terminology: str,
    encoder_of: Callable[[str], Encoder],
    languages: Sequence[str | None] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Demand:
    """Learn how often each concept is asked for, store it, and give it back; a build opened from now on uses it.

    Args:
        texts: as users sent them, repeats included: how often a text comes is what is learned.
        terminology: the one that the pipeline was built for.
        languages: of the texts, where known.

    Raises: SourceError if there is no text; TerminologyUnknown; ArtifactWriteFailed.
    """
    if not texts:
        raise SourceError("found no text to learn from; expected at least one")
    built = open_build(spec, terminology, store=store, encoder_of=encoder_of)
    with built.artifact as artifact:
        demand = learn_demand(spec, built, texts, languages=languages or [None] * len(texts), on_progress=on_progress)
        parents = {
            "build": f"{artifact.manifest.name}@{artifact.generation}",
            "encoder": built.encoder.fingerprint,
        }
        save_demand(demand, spec.name, built.terminology, store=store, parents=parents)
    return demand


def learn_demand(
    spec: PipelineSpec,
    built: Build,
    texts: Sequence[str],
    *,
    languages: Sequence[str | None],
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Demand:
    """What texts say about demand, as this build reads them: from its similarities alone, not from earlier demand."""
    unlearned = replace(built.parts, learner=NothingLearned())
    pipeline = spec.pipeline(built.config, unlearned, built.query_encoder)
    scores, concepts = _near(pipeline, texts, languages, on_progress)
    options = built.config.demand
    counts = expected_counts(scores, concepts, confirmed=built.confirmed, options=options)
    return Demand(counts, built.confirmed, options, len(texts))


def _near(
    pipeline: Pipeline,
    texts: Sequence[str],
    languages: Sequence[str | None],
    on_progress: Callable[[int, int], None],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scores and concepts of each text's candidates, (n, _CANDIDATES); of several mentions, the first counts."""
    scores = np.full((len(texts), _CANDIDATES), -np.inf, np.float32)
    concepts = np.full((len(texts), _CANDIDATES), -1, np.int64)
    options = Options(top_k=_CANDIDATES)
    for start in range(0, len(texts), _AT_ONCE):
        chunk = slice(start, start + _AT_ONCE)
        requests = [
            Request(text, language=language, options=options)
            for text, language in zip(texts[chunk], languages[chunk], strict=True)
        ]
        for i, result in enumerate(pipeline.run(requests), start=start):
            for slot, candidate in enumerate(result.mentions[0].decision.candidates if result.mentions else ()):
                scores[i, slot], concepts[i, slot] = candidate.score, candidate.concept
        on_progress(min(start + _AT_ONCE, len(texts)), len(texts))
    return scores, concepts
