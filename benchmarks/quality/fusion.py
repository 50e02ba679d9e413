"""How the weights in pipelines/job_titles/config.py were chosen: a grid over encoders and spelling, with two-fold CV.

    python -m benchmarks.quality.fusion --artifacts artifacts [--queries 800] [--only jobbert deu_q_de_c_de …]

Needs ../shared/titles and the prepared encoders. Writes benchmarks/results/fusion.json. About 15 CPU-minutes at 800 queries.

Per set: every row is scored by every signal (USE, MiniLM, e5 centred, trigrams), rows are fused, a concept's terms vote. For
each point of the grid MRR over the queries. `cross-validated` is what an honest choice gets: the best point of one half of the
queries, measured on the other half, both ways.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.common import save_part
from benchmarks.quality.titles_data import MELO, TitleSet, esco_english, jobbert, melo
from models.arrays import Queries, unit
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from models.indexes.lexical import LexicalIndex, NgramConfig
from pipelines import registry
from pipelines.aggregation import KernelVote
from pipelines.job_titles.config import ENCODERS
from pipelines.job_titles.pipeline import row_text
from pipelines.job_titles.prepare import clean_titles

SPEC = registry.spec("job-titles")
SHARES = [w for w in itertools.product((0.0, 0.25, 0.5, 0.75, 1.0), repeat=3) if sum(w) == 1]
LEXICAL = (0.0, 0.1, 0.2, 0.35)
VOTES = ((10.0, 0.25), (20.0, 0.0), (20.0, 0.25), (20.0, 0.5), (40.0, 0.25))
console = Console()


def signals(data: TitleSet, library: EncoderLibrary) -> list[NDArray[np.float32]]:
    """(queries, rows) similarities: one matrix per encoder, then trigrams."""
    rows = [row_text(t.text) for t in data.terminology.row_terms]
    texts = [row_text(title.text) for title in clean_titles(data.queries)]
    found = []
    for name in ENCODERS:
        encoder = library.get(name)
        passages = np.concatenate(
            [encoder.encode_query(rows[i : i + 1024]) for i in track(range(0, len(rows), 1024), description=name)]
        )
        queries = encoder.encode_query(texts)
        if name in SPEC.config().centred:
            mean = passages.mean(axis=0)
            passages, queries = unit(passages - mean), unit(queries - mean)
        found.append(queries @ passages.T)
    lexical = LexicalIndex.build(rows, config=NgramConfig(**SPEC.config().ngrams.model_dump()))
    every = np.broadcast_to(np.arange(len(rows)), (1, len(rows)))
    found.append(np.concatenate([lexical.score(Queries.of_texts([t]), every) for t in texts]))
    return found


def reciprocal_ranks(data: TitleSet, scores: NDArray[np.float32], vote: KernelVote) -> NDArray[np.float64]:
    """Per query 1 / rank of its first right concept, over all rows."""
    terminology = data.terminology
    present = np.flatnonzero(terminology.row_counts)
    member = np.searchsorted(present, terminology.row_concepts)
    found = np.zeros(len(scores))
    for i, row in enumerate(scores):
        concepts = vote.concept_scores(row, member, terminology.row_counts[present])
        right = [np.searchsorted(present, terminology.by_id[c]) for c in data.gold[i] if c in terminology.by_id]
        if right:
            found[i] = 1 / (1 + (concepts > concepts[right].max()).sum())
    return found


def explore(data: TitleSet, library: EncoderLibrary) -> dict:
    similar = signals(data, library)
    config = SPEC.config()
    vote = KernelVote(config.temperature, config.length_penalty)
    points: dict[str, NDArray[np.float64]] = {}
    for shares in track(SHARES, description=f"{data.name}: grid", console=console):
        dense = sum(w * s for w, s in zip(shares, similar[:3], strict=True))
        for lexical in LEXICAL:
            label = f"USE {shares[0]:g}, MiniLM {shares[1]:g}, e5 {shares[2]:g}, lexical {lexical:g}"
            points[label] = reciprocal_ranks(data, (1 - lexical) * dense + lexical * similar[3], vote)
    half = np.random.default_rng(0).random(len(data.queries)) < 0.5
    best = {side: max(points, key=lambda p, m=mask: points[p][m].mean()) for side, mask in (("a", half), ("b", ~half))}
    crossed = np.where(half, points[best["b"]], points[best["a"]]).mean()
    top = sorted(points, key=lambda p: -points[p].mean())[:5]
    blocks = np.array(config.blocks.by_language.get(data.language, config.blocks.default))
    spoken = data.language in data.terminology.languages
    weight = config.fusion.by_language.get(data.language, config.fusion.default) if spoken else config.fusion.foreign
    ours = (1 - weight) * sum(
        w * s for w, s in zip(blocks / blocks.sum(), similar[:3], strict=True)
    ) + weight * similar[3]
    votes = {
        f"T {t:g}, p {p:g}": round(float(reciprocal_ranks(data, ours, KernelVote(t, p)).mean()), 4) for t, p in VOTES
    }
    return {
        "n": len(data.queries),
        "as configured": round(float(reciprocal_ranks(data, ours, vote).mean()), 4),
        "best of the grid": {p: round(float(points[p].mean()), 4) for p in top},
        "cross-validated": round(float(crossed), 4),
        "each alone": {
            name: round(float(points[f"USE {a}, MiniLM {b}, e5 {c}, lexical 0"].mean()), 4)
            for name, (a, b, c) in zip(ENCODERS, ((1, 0, 0), (0, 1, 0), (0, 0, 1)), strict=True)
        },
        "votes": votes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--queries", type=int, default=800)
    parser.add_argument("--only", nargs="*", default=["jobbert", *MELO])
    arguments = parser.parse_args()
    library = EncoderLibrary(ArtifactStore(arguments.artifacts), device="cpu")
    for name in arguments.only:
        data = jobbert(esco_english()) if name == "jobbert" else melo(name)
        chosen = np.random.default_rng(1).permutation(len(data.queries))[: arguments.queries]
        part = TitleSet(
            data.name,
            data.language,
            [data.queries[i] for i in chosen],
            [data.gold[i] for i in chosen],
            data.terminology,
        )
        found = explore(part, library)
        save_part(
            "fusion", data.name, found, config={"queries": arguments.queries, "config": SPEC.config().model_dump()}
        )
        table = Table("", "MRR", title=f"{data.name} (n = {found['n']})")
        table.add_row("as configured", str(found["as configured"]))
        table.add_row("cross-validated choice", str(found["cross-validated"]))
        for group in ("best of the grid", "each alone", "votes"):
            for label, value in found[group].items():
                table.add_row(label, str(value))
        console.print(table)


if __name__ == "__main__":
    main()
