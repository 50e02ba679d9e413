"""What hubness corrections are worth, and what `auto` makes of them.

    OMP_NUM_THREADS=1 python -m benchmarks.quality.hubness --encoder DIR [--cache DIR] [--only "esco de→en" …]

DIR is a prepared encoder (e5-small here); data is in ../shared, see its READMEs. Writes benchmarks/results/hubness.json.
Seven CPU-minutes of encoding, kept in the cache; ten of measuring.

Tasks: German and French labels of ESCO 1.0.8, Spanish and French labels of HPO, each to the English preferred label of
the same concept; and two where nothing should be claimed: English alternative titles to English preferred ones, and raw
vacancy titles (jobbert_val) to ESCO. Both sides are encoded as queries, as e5 advises where they are alike.

Queries (6,000 distinct texts a task at most) are split by concept into bank (a half), test (a third) and development
(the rest), so that no bank query has the answer of a test query. A gallery bank is English alternative labels of the
bank's concepts, which are not served. Two settings:

- full: every concept is served. Known positives of banks are masked.
- apart: only concepts of test queries are served, as in the papers; the banks' answers are not there to be found.

Vacancies are split by title, and their bank is unlabelled, as traffic is.

Every figure is a mean over five splits by seed. Intervals are paired bootstrap over the concepts asked for by the test
queries of the first split. `auto` chooses on the development queries of each split and is judged on its test queries.
"""

import argparse
import csv
import gzip
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.common import KS, SHARED, save_part
from models.arrays import Neighbours, Queries, Vectors, top_rows
from models.encoders.base import Encoder
from models.encoders.registry import open_encoder
from models.hubness import metrics, registry
from models.hubness.choose import choose, paired_intervals
from models.hubness.fitted import Fitted
from models.hubness.normalizers import Bank, default_beta, within_query_sd

POOL, GALLERY = 6000, 3000
METHODS = ("none", *registry.METHODS)
MULTIPLES = (0.25, 0.5, 1.0, 2.0, 4.0)
CONSTANTS = (20.0, 100.0)
"""β of QB-Norm and of DBSN's published code."""
console = Console()

Labels = list[tuple[str, str, str, bool]]
"""(concept, text, language, whether preferred)."""


@dataclass(frozen=True)
class Task:
    """Query texts, one item per concept, and gallery texts, each with the items it belongs to."""

    name: str
    items: list[str]
    queries: list[str]
    answers: list[set[int]]
    gallery: list[str]
    gallery_answers: list[set[int]]
    traffic: bool = False


def esco() -> Labels:
    path = SHARED / "titles" / "esco_1.0.8_26_languages.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        concepts = [json.loads(line) for line in lines]
    return [(c["id"], t["text"], t["language"], t["kind"] == "preferred") for c in concepts for t in c["terms"]]


def hpo() -> Labels:
    with gzip.open(SHARED / "medical" / "hpo_kb.jsonl.gz", "rt", encoding="utf-8") as lines:
        concepts = [json.loads(line) for line in lines]
    return [(c["concept_id"], a["text"], a["lang"], a.get("preferred", False)) for c in concepts for a in c["aliases"]]


def vacancies() -> list[tuple[str, str]]:
    with (SHARED / "titles" / "dev" / "jobbert_val.csv").open(encoding="utf-8") as stream:
        return [(row["conceptUri"], row["vacancyTitle"]) for row in csv.DictReader(stream)]


def task(name: str, labels: Labels, asked: Sequence[tuple[str, str]], *, traffic: bool = False) -> Task:
    """From all labels and the (concept, text) pairs that may be asked, to a task over English preferred labels."""
    served = sorted({concept: text for concept, text, tag, preferred in labels if tag == "en" and preferred}.items())
    number = {concept: i for i, (concept, _) in enumerate(served)}
    others = [(concept, text) for concept, text, tag, preferred in labels if tag == "en" and not preferred]
    queries, gallery = sample(asked, number, POOL), sample(others, number, GALLERY)
    return Task(name, [text for _, text in served], *queries, *gallery, traffic=traffic)


def sample(pairs: Sequence[tuple[str, str]], number: dict[str, int], n: int) -> tuple[list[str], list[set[int]]]:
    """At most n distinct texts, and the items of each."""
    answers: dict[str, set[int]] = defaultdict(set)
    for concept, text in pairs:
        if concept in number:
            answers[text].add(number[concept])
    texts = sorted(answers)
    chosen = np.random.default_rng(0).permutation(len(texts))[:n]
    return [texts[i] for i in chosen], [answers[texts[i]] for i in chosen]


def tasks() -> Iterator[Task]:
    titles, phenotypes = esco(), hpo()
    for name, labels, language, any_term in (
        ("esco de→en", titles, "de", False),
        ("esco fr→en", titles, "fr", False),
        ("esco de→en, any term", titles, "de", True),
        ("hpo es→en", phenotypes, "es", True),
        ("hpo fr→en", phenotypes, "fr", True),
    ):
        yield task(
            name, labels, [(c, t) for c, t, tag, preferred in labels if tag == language and (preferred or any_term)]
        )
    yield task("esco en→en", titles, [(c, t) for c, t, tag, preferred in titles if tag == "en" and not preferred])
    yield task("vacancies→esco", titles, vacancies(), traffic=True)


def encode(encoder: Encoder, texts: Sequence[str], cache: Path) -> Vectors:
    """Vectors of the texts, those seen before from the cache."""
    home = cache / f"{encoder.fingerprint[:12]}-query"
    home.mkdir(parents=True, exist_ok=True)
    known: dict[str, NDArray[np.float32]] = {}
    for part in sorted(home.glob("*.json")):
        known.update(zip(json.loads(part.read_text(encoding="utf-8")), np.load(part.with_suffix(".npy")), strict=True))
    todo = sorted({t for t in texts if t not in known}, key=len)
    for start in range(0, len(todo), 4096):
        some = todo[start : start + 4096]
        fresh = np.concatenate([encoder.encode_query(some[i : i + 32]) for i in range(0, len(some), 32)])
        file = home / f"{len(list(home.glob('*.json'))):04}"
        np.save(file.with_suffix(".npy"), fresh)
        file.with_suffix(".json").write_text(json.dumps(some), encoding="utf-8")
        known.update(zip(some, fresh, strict=True))
    return np.stack([known[t] for t in texts])


@dataclass(frozen=True)
class Split:
    """One split of a task, in one setting, as numbers."""

    items: Vectors
    bank: Bank
    gallery: Bank
    development: Vectors
    development_answers: list[set[int]]
    test: Vectors
    test_answers: list[set[int]]


def split(one: Task, items: Vectors, queries: Vectors, gallery: Vectors, *, seed: int, apart: bool) -> Split:
    """Bank, test and development queries by concept, or by title for traffic."""
    rng = np.random.default_rng(seed)
    if one.traffic:
        part = rng.permutation(len(queries)) / len(queries)
        of_query = np.digitize(part, [1 / 2, 5 / 6])
        of_item = np.zeros(len(items), int)
    else:
        of_item = np.digitize(rng.permutation(len(items)) / len(items), [1 / 2, 5 / 6])
        of_query = np.array([_only({int(of_item[i]) for i in answers}) for answers in one.answers])
    served = np.flatnonzero(of_item == 1) if apart else np.arange(len(items))
    row = np.full(len(items), -1)
    row[served] = np.arange(len(served))

    def answers(of: Sequence[set[int]], chosen: NDArray[np.int64]) -> list[set[int]]:
        return [{int(row[i]) for i in of[q]} for q in chosen]

    def masked(vectors: Vectors, of: Sequence[set[int]], chosen: NDArray[np.int64]) -> Bank:
        pairs = [(b, i) for b, right in enumerate(answers(of, chosen)) for i in right if i >= 0 and not one.traffic]
        return Bank(vectors[chosen], np.array(pairs, np.int64).reshape(-1, 2))

    banked, tested, developed = (np.flatnonzero(of_query == p) for p in range(3))
    if apart:  # development queries ask for concepts that are not served: half of the test queries stand in
        tested, developed = tested[::2], tested[1::2]
    beside = np.array([_only({int(of_item[i]) for i in right}) for right in one.gallery_answers])
    return Split(
        items[served],
        masked(queries, one.answers, banked),
        masked(gallery, one.gallery_answers, np.flatnonzero(beside == 0)),
        queries[developed],
        answers(one.answers, developed),
        queries[tested],
        answers(one.answers, tested),
    )


def _only(parts: set[int]) -> int:
    """The part that all of a query's concepts are in; −1 where they are torn."""
    return parts.pop() if len(parts) == 1 else -1


def search(items: Vectors, vectors: Vectors, corrections: dict[str, Fitted | None]) -> dict[str, Neighbours]:
    """The ten best of all items by each correction, exactly."""
    found: dict[str, list[NDArray[np.int64]]] = {name: [] for name in corrections}
    for start in range(0, len(vectors), 200):
        some = Queries.of_vectors(vectors[start : start + 200])
        similarity = some.vectors @ items.T
        every = np.broadcast_to(np.arange(len(items)), similarity.shape)
        for name, fitted in corrections.items():
            scores = fitted.rescore(some, every, similarity, first=similarity.argmax(axis=1)) if fitted else similarity
            found[name].append(top_rows(scores, k=max(KS)).ids)
    ids = {name: np.concatenate(parts) for name, parts in found.items()}
    return {name: Neighbours(np.zeros(i.shape, np.float32), i) for name, i in ids.items()}


def hits(found: Neighbours, answers: list[set[int]]) -> NDArray[np.float64]:
    """The 0-based rank of the first right answer, inf beyond ten."""
    right = np.array([[i in gold for i in row] for row, gold in zip(found.ids.tolist(), answers, strict=True)])
    return np.where(right.any(axis=1), right.argmax(axis=1), np.inf)


def groups(answers: list[set[int]]) -> NDArray[np.int64]:
    """What each query asks for: its first answer."""
    return np.array([min(right) for right in answers])


def against_none(scored: dict[str, NDArray[np.float64]], answers: list[set[int]]) -> dict[str, dict[str, Any]]:
    """R@1 of every method minus that of none, with its interval."""
    differences = np.stack([(r < 1).astype(float) - (scored["none"] < 1) for r in scored.values()], axis=1)
    low, high = paired_intervals(differences, groups=groups(answers), resamples=2000)
    return {
        m: {
            "difference": round(float(mean), 4),
            "low": round(float(below), 4),
            "high": round(float(above), 4),
            "significant": bool(below > 0 or above < 0),
        }
        for m, mean, below, above in zip(scored, differences.mean(axis=0), low, high, strict=True)
    }


def measure(one: Task, vectors: tuple[Vectors, Vectors, Vectors], *, apart: bool, seeds: int) -> dict[str, Any]:
    """All methods on all splits."""
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    sweep: dict[str, list[float]] = defaultdict(list)
    autos: list[dict[str, Any]] = []
    about: dict[str, Any] = {}
    first: dict[str, Any] = {}
    for seed in range(seeds):
        part = split(one, *vectors, seed=seed, apart=apart)
        fitted: dict[str, Fitted | None] = {"none": None}
        for m in registry.METHODS:
            gallery = part.gallery if m in {*registry.NEED_GALLERY, "sinkhorn"} else None
            fitted[m] = registry.fit(m, part.items, part.bank, gallery=gallery, encoder="e5")
        tested = search(part.items, part.test, fitted)
        scored = {m: hits(found, part.test_answers) for m, found in tested.items()}
        for m, ranks in scored.items():
            hubness = metrics.measure(tested[m].ids, size=len(part.items))
            shown = {
                "skewness": hubness.skewness,
                "antihub_rate": hubness.antihub_rate,
                "robin_hood": hubness.robin_hood,
            }
            rows[m].append({**{f"R@{k}": float((ranks < k).mean()) for k in KS}, **shown})
        developed = search(part.items, part.development, fitted)
        answered = {m: hits(found, part.development_answers) < 1 for m, found in developed.items()}
        choice = choose(answered, groups=groups(part.development_answers))
        gain = against_none(scored, part.test_answers)[choice.method]
        autos.append({"chosen": choice.method, "reason": choice.reason, "test": gain})
        beta = default_beta(part.items, part.bank)
        others = {f"{x}/σ": x * beta for x in MULTIPLES} | {f"{x:g}": x for x in CONSTANTS}
        swept: dict[str, Fitted | None] = {
            name: registry.fit("is", part.items, part.bank, encoder="e5", beta=b) for name, b in others.items()
        }
        for name, found in search(part.items, part.test, swept).items():
            sweep[name].append(float((hits(found, part.test_answers) < 1).mean()))
        if seed == 0:
            first = against_none(scored, part.test_answers)
            sizes = {"items": part.items, "bank": part.bank, "gallery bank": part.gallery}
            sizes |= {"development": part.development, "test": part.test}
            about = {"n": {name: len(x) for name, x in sizes.items()}, "beta": round(beta, 1)}
            about["sigma"] = round(within_query_sd(part.items, part.bank), 4)
    return {
        **about,
        "methods": {
            m: {name: [round(float(f([r[name] for r in found])), 4) for f in (np.mean, np.std)] for name in found[0]}
            for m, found in rows.items()
        },
        "R@1 against none": first,
        "R@1 of is by beta": {name: round(float(np.mean(values)), 4) for name, values in sweep.items()},
        "auto": autos,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cognomen-hubness")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    encoder = open_encoder(options.encoder)
    config = {"encoder": encoder.name, "fingerprint": encoder.fingerprint, "seeds": options.seeds, "pool": POOL}
    for one in tasks():
        if options.only and one.name not in options.only:
            continue
        vectors = tuple(encode(encoder, texts, options.cache) for texts in (one.items, one.queries, one.gallery))
        for setting in ("full",) if one.traffic else ("full", "apart"):
            result = measure(one, vectors, apart=setting == "apart", seeds=options.seeds)  # type: ignore[arg-type]
            save_part("hubness", f"{one.name}, {setting}", result, config=config)
            console.print(f"[bold]{one.name}, {setting}", result["n"], f"1/σ = {result['beta']}")
            for m, figures in result["methods"].items():
                against = result["R@1 against none"].get(m, {})
                shown = "  ".join(f"{k} {float(v[0]):.3f}" for k, v in figures.items())
                console.print(f"  {m:9} {shown}", against.get("difference"), against.get("significant"))
            console.print("  β", result["R@1 of is by beta"], [a["chosen"] for a in result["auto"]])


if __name__ == "__main__":
    main()
