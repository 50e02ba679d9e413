"""What the adapters that ship bring: zero-shot against trained, on every development set, and without each in turn.

    python -m benchmarks.quality.training --artifacts artifacts --cache DIR [--only jobbert talentclef unseen melo]

Needs ../shared/titles and the prepared encoders, plain ones and trained ones (`cognomen setup`, `cognomen models prepare
use-multilingual minilm e5-small`). Writes benchmarks/results/training.json. Vectors are kept in CACHE; without them about
an hour of CPU.

Nothing was trained on these sets: adapters saw ESCO and O*NET (docs/training.md), so the *targets* of jobbert_val and MELO
are known to them as terms, their queries are not. MELO's usa set is left out: its queries are O*NET titles. The weights of
the encoders were chosen on 1,500 other titles of jobbert_val and on the occupations kept out of training; jobbert_val here is
the 3,000 titles that benchmarks/quality/vacancysbert.py measures on. `unseen_languages` asks for occupations that training kept
out, in five languages it never saw, among ESCO's English terms.

Of TalentCLEF's right answers 1 to 3 % are titles of one ESCO occupation with their query, which training may have paired:
`…_new_pairs` leaves those answers out.

Every row is scored (no approximate index), rows are fused with trigrams as configured, terms vote, full rankings are judged.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.common import KS, paired, recall, reciprocal, save_part
from benchmarks.quality.titles_data import (
    MELO,
    TALENTCLEF,
    TITLES,
    TitleSet,
    esco_english,
    jobbert,
    melo,
    talentclef,
)
from benchmarks.quality.vacancysbert import KeepingLibrary, Split
from models.arrays import Vectors, unit
from models.artifacts import ArtifactStore
from models.encoders.adapter import read_adapter
from models.encoders.library import EncoderLibrary
from models.indexes.lexical import LexicalIndex, NgramConfig
from models.training.measures import mean_average_precision
from pipelines import registry
from pipelines.aggregation import KernelVote
from pipelines.encoding import primary
from pipelines.job_titles.cleaning import clean_titles
from pipelines.job_titles.config import ENCODERS, UNTRAINED
from pipelines.job_titles.pipeline import row_text
from pipelines.sources import read_terminology
from pipelines.term_pairs import held_out

SPEC = registry.spec("job-titles")
MELO_SETS = tuple(name for name in MELO if name != "usa_q_en_c_en")
AT_ONCE = 256
KEPT_OUT = 0.1
DECIDING = {"encoder", "blocks", "centred", "symmetric", "ngrams", "fusion", "temperature", "length_penalty"}
"""The options that these figures depend on."""
UNSEEN = ("cs", "el", "hu", "lt", "sv")
console = Console()


@dataclass(frozen=True)
class Variant:
    """Encoders in the place of USE, MiniLM and e5, and how much each counts by language."""

    encoders: Sequence[str]
    weights: dict[str, Sequence[float]]

    def weights_of(self, language: str) -> NDArray[np.float64]:
        weights = np.array(self.weights.get(language, self.weights[""]), float)
        return weights / weights.sum()


def variants() -> dict[str, Variant]:
    """What is compared; the first is what everything is compared with, the second what ships."""
    blocks = SPEC.config().blocks
    ours = {**blocks.by_language, "": blocks.default}
    before = {**UNTRAINED.by_language, "": UNTRAINED.default}
    plain = [base_of(name) for name in ENCODERS]
    found = {
        "zero-shot": Variant(plain, before),
        "trained": Variant(ENCODERS, ours),
        "zero-shot, weights as trained": Variant(plain, ours),
        "trained, weights as zero-shot": Variant(ENCODERS, before),
    }
    for i, name in enumerate(ENCODERS):
        if name != plain[i]:
            found[f"trained, without {name}"] = Variant([*ENCODERS[:i], plain[i], *ENCODERS[i + 1 :]], ours)
    return found


def base_of(name: str) -> str:
    """The encoder that an adapter of this name changes; the name itself where there is none."""
    assert SPEC.adapters is not None
    folder = SPEC.adapters / name
    return read_adapter(folder).base if folder.is_dir() else name


def unseen_languages() -> TitleSet:
    """Occupations that training kept out, by their names in languages it never saw, among ESCO's English terms."""
    terminology = esco_english()
    everything = read_terminology(TITLES / "esco_1.0.8_26_languages.jsonl.gz", format="jsonl", name="esco-26")
    rng = np.random.default_rng(0)
    asked: list[tuple[str, str]] = []
    for language in UNSEEN:
        named = [
            (term.text, concept.id)
            for concept in everything.concepts
            if held_out(concept.id, KEPT_OUT) and concept.id in terminology.by_id
            for term in concept.terms
            if term.language == language and term.kind == "preferred"
        ]
        asked += [named[i] for i in rng.permutation(len(named))[:150]]
    return TitleSet("unseen_languages", "xx", [t for t, _ in asked], [{c} for _, c in asked], terminology)


class Encoded:
    """Vectors of a set's rows and queries under any encoder.

    An adapter that is a head alone is applied to its base's vectors: the same numbers as folded in, and nothing to encode.
    """

    def __init__(self, library: EncoderLibrary) -> None:
        self._library = library

    def __call__(self, name: str, texts: Sequence[str]) -> Vectors:
        assert SPEC.adapters is not None
        folder = SPEC.adapters / name
        adapter = read_adapter(folder) if folder.is_dir() else None
        if adapter is None or adapter.head is None or len(adapter.changes) > 2:
            return self._library.get(name).encode_query(texts)
        mean, matrix = adapter.head
        return unit((self._library.get(adapter.base).encode_query(texts) - mean) @ matrix)


class Ranked:
    """One set under every variant: per query average precision, and the rank of the first right concept."""

    def __init__(
        self, data: TitleSet, *, cleaned: bool, encode: Encoded, left_out: Sequence[set[str]] | None = None
    ) -> None:
        self.data, self._encode = data, encode
        self.queries = (
            [row_text(c.text) for c in clean_titles(data.queries)] if cleaned else [*map(row_text, data.queries)]
        )
        self.rows = [row_text(t.text) for t in data.terminology.row_terms]
        config = SPEC.config()
        self._lexical = LexicalIndex.build(self.rows, config=NgramConfig(**config.ngrams.model_dump()))
        self._vote = KernelVote(config.temperature, config.length_penalty)
        spoken = data.language in {primary(tag) for tag in data.terminology.languages}
        fusion = config.fusion
        self._share = fusion.by_language.get(data.language, fusion.default) if spoken else fusion.foreign
        present = np.flatnonzero(data.terminology.row_counts)
        self._counts = data.terminology.row_counts[present]
        self._member = np.searchsorted(present, data.terminology.row_concepts)
        place = {data.terminology.concepts[c].id: i for i, c in enumerate(present)}
        self._left_out = [[place[c] for c in out] for out in left_out or [set() for _ in data.gold]]
        self._right = [
            {place[c] for c in gold if c in place}.difference(out)
            for gold, out in zip(data.gold, self._left_out, strict=True)
        ]
        self._sides: dict[str, tuple[Vectors, Vectors]] = {}

    def judge(self, some: dict[str, Variant]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Per variant: ranks of the first right concept, average precisions."""
        weights = {n: v.weights_of(self.data.language) for n, v in some.items()}
        used = {e for n, v in some.items() for e, w in zip(v.encoders, weights[n], strict=True) if w > 0}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in some}
        for start in track(range(0, len(self.queries), AT_ONCE), description=self.data.name, console=console):
            chunk = slice(start, start + AT_ONCE)
            similar = {e: self._side(e)[0][chunk] @ self._side(e)[1].T for e in used}
            trigrams = self._share * self._trigrams(self.queries[chunk]) if self._share else 0.0
            for name, variant in some.items():
                parts = zip(variant.encoders, weights[name], strict=True)
                scores = (1 - self._share) * sum(w * similar[e] for e, w in parts if w > 0) + trigrams
                answers = zip(scores, self._right[chunk], self._left_out[chunk], strict=True)
                found[name] += [self._judged(*answer) for answer in answers]
        return {name: (np.array([h for h, _ in v]), np.array([p for _, p in v])) for name, v in found.items()}

    def _judged(self, scores: NDArray[np.floating], right: set[int], out: list[int]) -> tuple[float, float]:
        if not right:
            return np.inf, 0.0
        voted = self._vote.concept_scores(scores.astype(np.float32), self._member, self._counts)
        voted[out] = -np.inf
        return float((voted > voted[list(right)].max()).sum()), mean_average_precision(voted[None], [right])

    def _side(self, name: str) -> tuple[Vectors, Vectors]:
        if name not in self._sides:
            rows, queries = self._encode(name, self.rows), self._encode(name, self.queries)
            if base_of(name) in {base_of(c) for c in SPEC.config().centred}:
                mean = rows.mean(axis=0)
                rows, queries = unit(rows - mean), unit(queries - mean)
            self._sides[name] = queries, rows
        return self._sides[name]

    def _trigrams(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._lexical._similarities(text) for text in texts])


def pairs_of_esco(data: TitleSet) -> list[set[str]]:
    """Per query the right answers that are titles of one ESCO occupation with it: training may have paired them."""
    files = [("esco_1.0.8_26_languages.jsonl.gz", "jsonl"), ("esco_1.2.0", "esco")]
    occupations: dict[str, set[str]] = defaultdict(set)
    for file, kind in files:
        for concept in read_terminology(TITLES / file, format=kind, name="esco").concepts:
            for term in concept.terms:
                if not concept.abstract and term.language == data.language:
                    occupations[row_text(term.text)].add(concept.id)
    titles = {c.id: occupations.get(row_text(c.name), set()) for c in data.terminology.concepts}
    return [
        {c for c in gold if titles[c] & occupations.get(row_text(query), set())}
        for query, gold in zip(data.queries, data.gold, strict=True)
    ]


def measure(
    data: TitleSet, *, cleaned: bool, encode: Encoded, left_out: Sequence[set[str]] | None = None
) -> dict[str, Any]:
    ranked = Ranked(data, cleaned=cleaned, encode=encode, left_out=left_out)
    judged = {
        name: {f"R@{k}": recall(hits, k) for k in KS} | {"MRR": reciprocal(hits), "MAP": precision}
        for name, (hits, precision) in ranked.judge(variants()).items()
    }
    gone = sum(map(len, left_out or ()))
    return {
        "n": len(data.queries),
        "language": data.language,
        "right answers left out": round(gone / sum(map(len, data.gold)), 4),
        "methods": {n: {m: round(float(v.mean()), 4) for m, v in found.items()} for n, found in judged.items()},
        "against zero-shot": {
            n: {m: paired(v, judged["zero-shot"][m]) for m, v in found.items()}
            for n, found in judged.items()
            if n != "zero-shot"
        },
        "against trained": {
            n: {m: paired(v, judged["trained"][m]) for m, v in found.items()}
            for n, found in judged.items()
            if n.startswith("trained,")
        },
    }


def show(name: str, result: dict[str, Any]) -> None:
    table = Table("", "R@1", "R@5", "R@10", "MRR", "MAP", title=f"{name} (n = {result['n']})")
    for method, scores in result["methods"].items():
        differences = result["against zero-shot"].get(method, {})
        table.add_row(
            method,
            *(f"{score:.3f}{'*' if differences.get(m, {}).get('significant') else ''}" for m, score in scores.items()),
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--cache", type=Path, required=True, help="a folder for vectors")
    parser.add_argument("--only", nargs="*", default=["talentclef", "jobbert", "unseen", "melo"])
    arguments = parser.parse_args()
    library = KeepingLibrary(ArtifactStore(arguments.artifacts), arguments.cache)
    encode = Encoded(library)
    config = SPEC.config().model_dump(include=DECIDING) | {
        "adapters": {name: read_adapter(SPEC.adapters / name).sha256 for name in ENCODERS if base_of(name) != name}
    }

    def keep(data: TitleSet, *, cleaned: bool, left_out: Sequence[set[str]] | None = None, name: str = "") -> None:
        result = measure(data, cleaned=cleaned, encode=encode, left_out=left_out)
        library.keep()
        save_part("training", name or data.name, result, config=config)
        show(name or data.name, result)

    if "talentclef" in arguments.only:
        for name in TALENTCLEF:
            data = talentclef(name)
            keep(data, cleaned=False)
            keep(data, cleaned=False, left_out=pairs_of_esco(data), name=f"{data.name}_new_pairs")
    if "jobbert" in arguments.only:
        whole = jobbert(esco_english())
        split = Split(whole)
        keep(
            TitleSet("jobbert_val", "en", split.titles(split.tested), split.gold(split.tested), whole.terminology),
            cleaned=True,
        )
    if "unseen" in arguments.only:
        keep(unseen_languages(), cleaned=True)
    if "melo" in arguments.only:
        for name in MELO_SETS:
            keep(melo(name), cleaned=True)


if __name__ == "__main__":
    main()
