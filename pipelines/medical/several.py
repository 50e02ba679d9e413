"""Several terminologies asked together: every mention is linked against all, and what they say becomes one answer.

    find    each terminology finds its mentions; of those that overlap the best stay, whoever found them
    link    each links what it did not find
    unite   candidates that cross-references show to be the same concept become one, which carries the others' codes
    decide  the surest of the concepts decided for; NIL where all say NIL

Probabilities are calibrated on each terminology's own names, so that they, and not scores, are compared across.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.flow import Pipeline
from pipelines.medical.selection import BestSpans
from pipelines.results import NIL, Candidate, Decision, LinkedMention, Options, Request, Result
from pipelines.sources.codes import SEPARATOR, system_of

_EXACT: Final = frozenset({"umls", "snomedct", "omim", "orpha", "mesh", "mondo", "doid"})
"""Systems fine enough that two concepts with one of their codes are the same; two findings may share a code of ICD."""

_FAMILIES: Final = {"icd-10": "icd-10-cm", "icd-9": "icd-9-cm"}
"""WHO's codes are names of their American modification's, as far as they go."""

Place = tuple[int, int]
Code = tuple[str, str]


_ANY_FOUND: Final = BestSpans(sure=0.0, foreign_sure=0.0)
"""Each terminology has left out already what it is not sure enough of."""


def link_all(pipelines: Sequence[Pipeline], requests: Sequence[Request], *, hubness: str = "auto") -> list[Result]:
    """One result per request, in order, answered by every pipeline.

    Args:
        pipelines: medical ones, each over another terminology; ties go to the earlier. One alone answers as it does.

    Raises: what their `run` raises.
    """
    if len(pipelines) == 1:
        return pipelines[0].run(requests, hubness=hubness)
    found = [pipeline.run(requests, hubness=hubness) for pipeline in pipelines]
    chosen = [_places(request, some) for request, some in zip(requests, zip(*found, strict=True), strict=True)]
    linked = [
        _linked(pipeline, requests, answers, chosen, hubness)
        for pipeline, answers in zip(pipelines, found, strict=True)
    ]
    return [
        Result(_united(mentions, request.options), found[0][i].language)
        for i, (request, mentions) in enumerate(zip(requests, zip(*linked, strict=True), strict=True))
    ]


def _places(request: Request, results: Sequence[Result]) -> list[Place]:
    """Where the mentions of one text stand: as given, or the best of what was found."""
    if request.mentions is not None:
        return list(request.mentions)
    best: dict[Place, LinkedMention] = {}
    for one in (mention for result in results for mention in result.mentions):
        place = (one.mention.start, one.mention.end)
        if place not in best or _ANY_FOUND.worth(one) > _ANY_FOUND.worth(best[place]):
            best[place] = one
    kept = _ANY_FOUND.without_overlaps([best[place] for place in sorted(best)])
    return [(one.mention.start, one.mention.end) for one in kept]


def _linked(
    pipeline: Pipeline,
    requests: Sequence[Request],
    answers: Sequence[Result],
    chosen: Sequence[Sequence[Place]],
    hubness: str,
) -> list[list[LinkedMention]]:
    """What one terminology says of the places chosen in each text, in their order."""
    known = [{(m.mention.start, m.mention.end): m for m in result.mentions} for result in answers]
    missing = [
        [p for p in dict.fromkeys(places) if p not in there] for places, there in zip(chosen, known, strict=True)
    ]
    which = [i for i, places in enumerate(missing) if places]
    again = [replace(requests[i], mentions=missing[i], language=answers[i].language) for i in which]
    for i, result in zip(which, pipeline.run(again, hubness=hubness), strict=True):
        known[i].update(zip(missing[i], result.mentions, strict=True))
    return [[there[place] for place in places] for places, there in zip(chosen, known, strict=True)]


def _united(mentions: Sequence[Sequence[LinkedMention]], options: Options) -> list[LinkedMention]:
    """One text's mentions, each with what all terminologies say of it."""
    return [
        LinkedMention(same[0].mention, unite([one.decision for one in same], top_k=options.top_k))
        for same in zip(*mentions, strict=True)
    ]


def unite(decisions: Sequence[Decision], *, top_k: int) -> Decision:
    """One decision of several about the same mention; its candidates are ranked by confidence, which is their score."""
    sure = [decision for decision in decisions if not decision.nil]
    best_of_all = max(sure, key=lambda decision: decision.confidence, default=None)
    chosen = None if best_of_all is None else (best_of_all.source, best_of_all.concept_id)
    # What was decided for stands first, though a terminology that says NIL may have had a higher threshold.
    offered = [concept.candidate() for concept in _concepts(decisions)]
    shown = sorted(offered, key=lambda c: ((c.terminology, c.concept_id) != chosen, -c.confidence))[:top_k]
    if best_of_all is None:
        best = max((c.confidence for c in shown), default=0.0)
        notes = tuple(dict.fromkeys(note for decision in decisions for note in decision.notes))
        return Decision(NIL, None, best, shown, notes)
    return replace(best_of_all, candidates=shown, terminology=best_of_all.source)


@dataclass(slots=True)
class _Concept:
    """One concept under the names that terminologies have for it, the leading one first."""

    members: list[Candidate]

    def holds(self, candidate: Candidate) -> bool:
        """Whether the candidate is this concept; one terminology does not name a concept twice."""
        return all(c.terminology != candidate.terminology for c in self.members) and any(
            _same(c, candidate) for c in self.members
        )

    def candidate(self) -> Candidate:
        """The leading candidate with all codes and types."""
        first, *others = self.members
        codes = dict(first.codes)
        for other in others:
            for system, code in sorted(_own(other) | _pairs(other.codes)):
                if (system, code) not in _own(first) | _pairs(codes):
                    codes[system] = f"{codes[system]}{SEPARATOR}{code}" if system in codes else code
        also = "".join(f"; also {other.terminology} {other.concept_id}" for other in others)
        return replace(
            first,
            score=first.confidence,
            codes=codes,
            semantic_types=list(dict.fromkeys(t for c in self.members for t in c.semantic_types)),
            explanation=f"{first.explanation}{also}",
        )


def _concepts(decisions: Sequence[Decision]) -> list[_Concept]:
    """Every concept offered, once. Those decided for lead, then the surest; ties in the order asked."""
    offered = [
        (decision.concept_id != candidate.concept_id, -candidate.confidence, candidate)
        for decision in decisions
        for candidate in decision.candidates
    ]
    concepts: list[_Concept] = []
    for _, _, candidate in sorted(offered, key=lambda one: one[:2]):
        known = next((concept for concept in concepts if concept.holds(candidate)), None)
        if known is None:
            concepts.append(_Concept([candidate]))
        else:
            known.members.append(candidate)
    return concepts


def _same(a: Candidate, b: Candidate) -> bool:
    """Whether one names the other by its own code, or both have a code of a system that is fine enough."""
    own_a, own_b = _families(_own(a)), _families(_own(b))
    codes_a, codes_b = _families(_pairs(a.codes)) | own_a, _families(_pairs(b.codes)) | own_b
    return bool(own_a & codes_b or own_b & codes_a or {c for c in codes_a & codes_b if c[0] in _EXACT})


def _own(candidate: Candidate) -> set[Code]:
    """The concept's own code: a CURIE's, or the one of its codes that is its id."""
    prefix, colon, local = candidate.concept_id.partition(":")
    if colon and "/" not in prefix and not local.startswith("//"):
        return {(system_of(prefix), local)}
    own = {(s, c) for s, c in _pairs(candidate.codes) if c.casefold() == candidate.concept_id.casefold()}
    return own or {(candidate.terminology, candidate.concept_id)}


def _pairs(codes: Mapping[str, str]) -> set[Code]:
    return {(system, code) for system, joined in codes.items() for code in joined.split(SEPARATOR)}


def _families(codes: Iterable[Code]) -> set[Code]:
    return {(_FAMILIES.get(system, system), code) for system, code in codes}
