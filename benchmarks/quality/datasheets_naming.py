"""Naming rows by names that the terminology does not have: spelling alone against dense encoders beside it.

    python -m benchmarks.quality.datasheets_naming --artifacts FOLDER --encoder e5-small --encoder use [--save]

One name in five of every parameter that has several in a language is taken out of the terminology, the pipeline is built
without them, and each is asked for as a row without a symbol, with its unit and a kind of device: what HNEN has to go on
where a vendor calls a thing what no list has. `hashing` is the default, whose names are weighed as the config says.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import save
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build
from pipelines.config import FusionConfig
from pipelines.results import Options, Request, Result
from pipelines.terminology import Concept, Terminology

_SHARE = 5
_WEIGHTS = (0.3, 0.5, 0.7, 0.9)
"""Of spelling, beside a dense encoder."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--artifacts", type=Path, required=True, help="where the encoders are")
    parser.add_argument("--encoder", action="append", default=[])
    parser.add_argument("--save", action="store_true")
    args = parser.parse_args()
    spec = registry.spec("datasheets")
    kept, asked = held_out(spec.starter())
    results: dict[str, Any] = {"names asked for": len(asked), "by language": dict(Counter(a[2] for a in asked))}
    for name in ["hashing", *args.encoder]:
        library = EncoderLibrary(ArtifactStore(args.artifacts))
        for weight in (None,) if name == "hashing" else _WEIGHTS:
            fusion = {} if weight is None else {"fusion": FusionConfig(default=weight, foreign=weight, unknown=weight)}
            config = spec.config(encoder=name, **fusion)
            with tempfile.TemporaryDirectory() as folder:
                store = ArtifactStore(Path(folder))
                built = build(spec, kept, encoder=library.get(name), store=store, config=config)
                label = name if weight is None else f"{name}, spelling {weight}"
                results[label] = measured(built.pipeline.run, asked)
            print(label, results[label], flush=True)
    if args.save:
        save("datasheets_naming", results)


def held_out(terminology: Terminology) -> tuple[Terminology, list[tuple[str, str, str]]]:
    """The terminology without some of its names; and of each its row, its parameter and its language."""
    rng = np.random.default_rng(0)
    concepts: list[Concept] = []
    asked: list[tuple[str, str, str]] = []
    for concept in terminology.concepts:
        gone = []
        for language in ("en", "de", "fr", "zh"):
            names = [t for t in concept.terms if t.language == language and t.kind != "preferred"]
            gone += [t for t in names if len(names) > 1 and rng.random() < 1 / _SHARE]
        unit = concept.codes.get("unit", "").split("|")[0]
        device = concept.semantic_types[0] if concept.semantic_types else ""
        for term in gone:
            text = f"{term.text.replace(';', ',')} [{'' if unit == '1' else unit}] {{{device}}}"
            asked.append((text, concept.id, term.language or ""))
        concepts.append(replace(concept, terms=[t for t in concept.terms if t not in gone]))
    return Terminology(terminology.name, version="held-out", title=terminology.title, concepts=concepts), asked


def measured(run: Callable[[Sequence[Request]], Sequence[Result]], asked: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Share of names whose parameter is the best candidate, is named, and is named wrongly; and by language."""
    answered = run([Request(text, options=Options(top_k=5)) for text, _, _ in asked])
    decisions = [result.mentions[0].decision for result in answered]
    best = [d.candidates[0].concept_id if d.candidates else None for d in decisions]
    right = [b == concept for b, (_, concept, _) in zip(best, asked, strict=True)]
    named = [d.concept_id == concept for d, (_, concept, _) in zip(decisions, asked, strict=True)]
    wrong = [d.concept_id not in (None, concept) for d, (_, concept, _) in zip(decisions, asked, strict=True)]
    by_language: dict[str, list[bool]] = {}
    for hit, (_, _, language) in zip(right, asked, strict=True):
        by_language.setdefault(language, []).append(hit)
    return {
        "best candidate right": round(float(np.mean(right)), 4),
        "named right": round(float(np.mean(named)), 4),
        "named wrong": round(float(np.mean(wrong)), 4),
        "best by language": {k: round(float(np.mean(v)), 4) for k, v in by_language.items()},
    }


if __name__ == "__main__":
    main()
