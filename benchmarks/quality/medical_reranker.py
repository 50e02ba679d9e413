"""The re-ranker of medical linking: recall on gold mentions with and without it, mentions seen and unseen apart, NIL.

    python -m benchmarks.quality.medical_reranker --artifacts artifacts --cache FOLDER [--only quaero codiesp ncbi "quaero cross" gsc]
    … --only gsc "quaero cross" --rebuilt --documents       # HPO built again; whole documents
    … --only codiesp --cross                                # a cross-encoder on top, some twenty CPU-minutes
    … --alone 2000                                          # aliases teach, and nobody annotated anything
    … --report                                              # all of it into docs/medical.md

Builds are those of benchmarks/quality/medical.py. QUAERO, CodiEsp and NCBI: learned on train, measured on dev. GSC+ has no
parts, and QUAERO is small: cross-fitted too, each document re-ranked by what the others taught. "Seen" is a mention whose text
and id stand together in what was learned from. NIL: the same mentions with their right candidates taken away, told from
the untouched ones. Intervals are bootstraps over documents; paired where two methods are compared. Data: ../shared/medical,
mentions without their texts around them. Nothing here is a test set; the options were chosen on these sets.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.common import RESULTS, ROOT, cpu_seconds, save_part
from benchmarks.quality.medical import DATA, KS, LANGUAGES, Kept, built_for, by_document, interval
from benchmarks.quality.medical import documents_of as whole_documents
from benchmarks.quality.reranked import HALVES, crossed, rebuilt, unannotated, whole
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import Build
from pipelines.medical.corpora import AnnotatedDocument, Annotation
from pipelines.medical.crossing import CrossConfig, ReadingConfig
from pipelines.medical.material import Examples, annotated
from pipelines.medical.pipeline import row_text
from pipelines.medical.train import AliasConfig, TrainConfig, Trial, read_examples

FILES = {
    "quaero": ("hpo", "fr", ["hpo_fr_quaero_train"], ["hpo_fr_quaero_dev"]),
    "codiesp": ("icd10cm", "es", ["icd10cm_es_codiesp_train"], ["icd10cm_es_codiesp_dev"]),
    "ncbi": ("medic2012", "en", ["medic_en_ncbi_train"], ["medic_en_ncbi_devel"]),
    "quaero cross": ("hpo", "fr", ["hpo_fr_quaero_train", "hpo_fr_quaero_dev"], []),
    "gsc": ("hpo", "en", ["hpo_en_gscplus"], []),
}
TITLES = {
    "quaero": "QUAERO train → dev",
    "codiesp": "CodiEsp train → dev",
    "ncbi": "NCBI train → dev",
    "quaero cross": "QUAERO train + dev, cross-fitted",
    "gsc": "GSC+, cross-fitted",
}
BEGIN, END = "<!-- reranker -->", "<!-- /reranker -->"
NIL_MENTIONS = 1000
HEADS = {
    "rebuilt": (
        "R@1 (and error of calibration) after HPO was built again with Dutch, each half of the documents by what the other taught "
        "(`--rebuilt`); *carried over*: taught over the build before:",
        "| set | n | retrieval | before | carried over | taught anew | carried over − taught anew |",
    ),
    "documents": (
        "Whole documents, each half by what the other taught (`--documents`); NIL: precision / recall of found spans that nobody marked:",
        "| set | taught by | precision | recall | F1 | ECE | NIL | CPU-ms for 2,000 characters |",
    ),
    "aliases": (
        "Taught by aliases alone (`--alone 2000`), no annotation anywhere:",
        "| set | n | retrieval R@1 | re-ranked R@1 | gain |",
    ),
    "cross": (
        "With a cross-encoder on top (`--cross`); *kept*: as `cognomen train` would decide, by a fold of what taught:",
        "| set | n | evidence R@1 | and pairs R@1 | gain | kept | CPU-s to train | CPU-ms a mention |",
    ),
}
CROSS = CrossConfig(
    layers=6,
    rank=16,
    alpha=32.0,
    max_tokens=48,
    epochs=2,
    learning_rate=5e-4,
    head_learning_rate=2e-3,
    rank_regularization=0.02,
    accumulate=4,
    evaluate_every=100,
    reading=ReadingConfig(candidates=6, doubt=0.8, window=0),
)
"""Some twenty CPU-minutes for CodiEsp; texts around mentions are not at hand there. Guesses."""
REBUILT_WITH = "nl"
"""A language that the terminology gets by the new build."""


def documents_of(files: Sequence[str], language: str) -> list[AnnotatedDocument]:
    """Each mention as a text of its own, under its document's name."""
    found = []
    for file in files:
        for line in (DATA / f"dev/{file}.jsonl").open(encoding="utf-8"):
            content = json.loads(line)
            place = Annotation(0, len(content["text"]), frozenset(content["gold"]))
            found.append(AnnotatedDocument(content["doc"], content["text"], (place,), language))
    return found


def examples_of(built: Build, files: Sequence[str], language: str) -> Examples:
    return annotated(registry.spec("medical"), built, documents_of(files, language), language=language)


def places(logits: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Rank of the best right candidate, inf without one."""
    order = np.argsort(-logits, axis=1, kind="stable")
    hits = np.take_along_axis(right, order, axis=1)
    return np.where(hits.any(axis=1), hits.argmax(axis=1), np.inf)


def compared(before: np.ndarray, after: np.ndarray, examples: Examples, chosen: np.ndarray) -> dict[str, object]:
    documents = [d for d, is_chosen in zip(examples.documents, chosen, strict=True) if is_chosen]
    if not documents:
        return {"mentions": 0}

    def recall(found: np.ndarray) -> dict[str, list[float]]:
        return {f"R@{k}": interval(*by_document((found[chosen] < k).astype(float), documents)) for k in KS}

    gain = (after[chosen] < 1).astype(float) - (before[chosen] < 1)
    return {
        "mentions": len(documents),
        "retrieval": recall(before),
        "re-ranked": recall(after),
        "gain_R@1": interval(*by_document(gain, documents)),
    }


def nil_quality(trial: Trial, ranker: object, examples: Examples, folds: np.ndarray | None) -> dict[str, float]:
    """How well "none of these" is told from "one of these", by NIL's share and by retrieval's best score."""
    some = examples.where(np.arange(len(examples)) < NIL_MENTIONS)
    listed = some.hits(limit=64).any(axis=1)
    some = some.where(listed)
    folds = None if folds is None else folds[:NIL_MENTIONS][listed]
    without = [
        [c for c in candidates if c.concept_id not in right]
        for candidates, right in zip(some.candidates, some.right, strict=True)
    ]
    shares, best = [], []
    for candidates in (list(some.candidates), without):
        evidence = trial.evidence(trial.memory())
        logits = ranker.logits(evidence.of(some.mentions, some.queries, candidates, folds=folds))  # type: ignore[attr-defined]
        top = logits.max(axis=1, keepdims=True)
        shares.append(np.exp(logits[:, -1] - top[:, 0]) / np.exp(logits - top).sum(axis=1))
        best.append(np.array([c[0].score if c else 0.0 for c in candidates]))
    truth = np.repeat([0, 1], len(some))
    right = [(shares[0] < 0.5).mean(), (shares[1] >= 0.5).mean()]
    return {
        "mentions": len(some),
        "auc_nil_row": round(float(roc_auc_score(truth, np.concatenate(shares))), 4),
        "auc_retrieval_score": round(float(roc_auc_score(truth, -np.concatenate(best))), 4),
        "kept_where_named": round(float(right[0]), 4),
        "nil_where_none": round(float(right[1]), 4),
    }


def measure(name: str, built: Build, *, aliases: int) -> dict[str, object]:
    kb, language, taught, asked = FILES[name]
    config = TrainConfig(terminology=kb, aliases=AliasConfig(size=aliases) if aliases else None)
    with cpu_seconds() as retrieval:
        examples = examples_of(built, taught, language)
    weak = read_examples(config, built)[0] if aliases else None
    with cpu_seconds() as preparing:
        trial = Trial(built, examples, weak, config)
    limit = config.evidence.candidates
    with cpu_seconds() as training:
        ranker = trial.learned()
    if asked:
        queried = examples_of(built, asked, language)
        evidence = trial.evidence(trial.memory())
        with cpu_seconds() as reranking:
            logits = ranker.logits(evidence.of(queried.mentions, queried.queries, queried.candidates))
        seconds, folds = reranking(), None
        known = {(row_text(m.query), i) for m, ids in zip(examples.mentions, examples.right, strict=True) for i in ids}
        seen = np.array([_in(known, m.query, ids) for m, ids in zip(queried.mentions, queried.right, strict=True)])
    else:
        queried, logits, folds, seconds = examples, trial.logits, trial.folds, float("nan")
        seen = np.zeros(len(queried), bool)
        for fold in np.unique(folds):
            rest = examples.where(folds != fold)
            known = {(row_text(m.query), i) for m, ids in zip(rest.mentions, rest.right, strict=True) for i in ids}
            for i in np.flatnonzero(folds == fold):
                seen[i] = _in(known, examples.mentions[i].query, examples.right[i])
    right = queried.hits(limit=limit)
    before = np.where(right.any(axis=1), right.argmax(axis=1), np.inf)
    after = places(logits[:, : right.shape[1]], right)
    everything = np.ones(len(queried), bool)
    found: dict[str, object] = {
        "documents": len(set(queried.documents)),
        "taught_by": len(examples),
        "aliases": aliases,
        "all": compared(before, after, queried, everything),
        "seen": compared(before, after, queried, seen),
        "unseen": compared(before, after, queried, ~seen),
        "nil": nil_quality(trial, ranker, queried, folds),
        "training_cpu_s": {
            "retrieval": round(retrieval(), 1),
            "evidence": round(preparing(), 1),
            "weights": round(training(), 1),
        },
    }
    if asked:
        found["cpu_ms_per_mention"] = round(1000 * seconds / len(queried), 2)
    for part in ("all", "seen", "unseen"):
        print(name, part, json.dumps(found[part]), flush=True)
    print(name, found["nil"], found["training_cpu_s"], found.get("cpu_ms_per_mention"), flush=True)
    return found


def _in(known: set[tuple[str, str]], query: str, ids: frozenset[str]) -> bool:
    return any((row_text(query), i) in known for i in ids)


def more(name: str, built: Build, store: ArtifactStore, encoder: Kept, wanted: argparse.Namespace) -> None:
    """What only some runs measure, each in a file of its own; where the set has what it takes."""
    kb, language, taught, asked = FILES[name]
    whole_set = not asked and kb == "hpo"
    if wanted.rebuilt and whole_set:
        before = built_for(kb, store, encoder, languages=[tag for tag in LANGUAGES if tag != REBUILT_WITH])
        found = rebuilt(before, built, documents_of(taught, language), language)
        _kept("rebuilt", name, found, {"without at first": REBUILT_WITH})
    if wanted.documents and whole_set:
        texts = whole_documents("gsc" if name == "gsc" else "quaero")
        _kept("documents", name, whole(built, encoder, texts), {"halves": HALVES})
    if wanted.alone and name != "quaero":
        config = TrainConfig(terminology=kb, aliases=AliasConfig(size=wanted.alone))
        queried = examples_of(built, asked or taught, language)
        _kept("aliases", name, unannotated(built, queried, config), config.model_dump(mode="json", include={"aliases"}))
    if wanted.cross and asked:
        config = TrainConfig(terminology=kb, cross=CROSS)
        teaching, queried = (examples_of(built, files, language) for files in (taught, asked))
        found = crossed(built, teaching, queried, config, wanted.work / name)
        _kept("cross", name, found, config.model_dump(mode="json", include={"cross"}))


def _kept(what: str, name: str, found: dict[str, object], config: dict[str, object]) -> None:
    print(name, json.dumps(found), flush=True)
    save_part(f"medical_reranker_{what}", name, found, config=config)


def report() -> None:
    """The table of docs/medical.md, so that no number is typed by hand."""
    path = RESULTS / "medical_reranker.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    lines = [
        "R@1 / R@5 of gold mentions without and with the re-ranker (`benchmarks/quality/medical_reranker.py`; documents drawn again for",
        "95 % intervals; *seen*: text and id stand together in what taught). *NIL*: area under the curve of telling a mention whose right",
        "candidates were taken away from the same mention with them, by the best score and by NIL's row.",
        "",
        "| set | n | retrieval | re-ranked | gain in R@1 | R@1 seen | R@1 unseen | NIL | CPU-s to fit | CPU-ms a mention |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in known["sets"].items():
        every = found["all"]
        gain = every["gain_R@1"]
        lines.append(
            f"| {TITLES.get(name, name)} | {every['mentions']:,} | {_pair(every['retrieval'])} | {_pair(every['re-ranked'])} | "
            f"{gain[0]:+.3f} [{gain[1]:+.3f}, {gain[2]:+.3f}] | {_step(found['seen'])} | {_step(found['unseen'])} | "
            f"{found['nil']['auc_retrieval_score']:.3f} → {found['nil']['auc_nil_row']:.3f} | "
            f"{found['training_cpu_s']['evidence'] + found['training_cpu_s']['weights']:.0f} | {found.get('cpu_ms_per_mention', '–')} |"
        )
    lines += [line for what, table in TABLES.items() for line in _more(what, table)]
    lines += ["", f"{known['machine']['cpu']}, {known['date'][:10]}; a shared and busy machine."]
    docs = ROOT / "docs" / "medical.md"
    before, rest = docs.read_text(encoding="utf-8").split(BEGIN)
    docs.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{rest.split(END)[1]}", encoding="utf-8")


def _more(what: str, table: Callable[[str, Any], list[str]]) -> list[str]:
    """A further table, where it was measured."""
    path = RESULTS / f"medical_reranker_{what}.json"
    if not path.exists():
        return []
    sets = json.loads(path.read_text(encoding="utf-8"))["sets"]
    rows = [row for name, found in sets.items() for row in table(TITLES.get(name, name), found)]
    head = HEADS[what]
    return ["", head[0], "", head[1], "|" + " --- |" * (head[1].count("|") - 1), *rows]


def _rebuilt_rows(title: str, found: dict[str, Any]) -> list[str]:
    ways = ("retrieval", "before", "carried over", "taught anew")
    cells = " | ".join(f"{found[way]['R@1'][0]:.3f} ({found[way]['ECE']:.3f})" for way in ways)
    return [f"| {title} | {found['mentions']:,} | {cells} | {_gain(found['carried_minus_anew_R@1'])} |"]


def _document_rows(title: str, found: dict[str, Any]) -> list[str]:
    rows = []
    for way in ("without", "marked", "marked and unmarked"):
        one = found[way]
        cells = " | ".join(f"{one[key]:.3f}" for key in ("precision", "recall"))
        f1 = f"{one['F1'][0]:.3f} [{one['F1'][1]:.3f}, {one['F1'][2]:.3f}]"
        nil = f"{one['nil_precision']:.3f} / {one['nil_recall']:.3f}"
        ms = f"{one['cpu_ms_per_2000_characters']:.0f}"
        rows.append(f"| {title} | {way} | {cells} | {f1} | {one['ECE']:.3f} | {nil} | {ms} |")
    return rows


def _alias_rows(title: str, found: dict[str, Any]) -> list[str]:
    before, after = found["retrieval_R@1"][0], found["re-ranked_R@1"][0]
    return [f"| {title} | {found['mentions']:,} | {before:.3f} | {after:.3f} | {_gain(found['gain_R@1'])} |"]


def _cross_rows(title: str, found: dict[str, Any]) -> list[str]:
    before, after = (found["R@1"][way][0] for way in ("evidence", "evidence and pairs"))
    cells = f"{before:.3f} | {after:.3f} | {_gain(found['gain_R@1'])} | {'yes' if found['kept'] else 'no'}"
    return [
        f"| {title} | {found['mentions']:,} | {cells} | {found['training_cpu_s']:.0f} | {found['cpu_ms_a_mention']} |"
    ]


TABLES = {"rebuilt": _rebuilt_rows, "documents": _document_rows, "aliases": _alias_rows, "cross": _cross_rows}


def _gain(found: list[float]) -> str:
    return f"{found[0]:+.3f} [{found[1]:+.3f}, {found[2]:+.3f}]"


def _pair(recall: dict[str, list[float]]) -> str:
    return " / ".join(f"{recall[f'R@{k}'][0]:.3f}" for k in (1, 5))


def _step(part: dict[str, object]) -> str:
    if not part["mentions"]:
        return "–"
    return f"{part['retrieval']['R@1'][0]:.3f} → {part['re-ranked']['R@1'][0]:.3f}"  # type: ignore[index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/.cache"))
    parser.add_argument("--only", nargs="+", choices=list(FILES), default=list(FILES))
    parser.add_argument("--aliases", type=int, default=0, help="so many aliases of the terminology teach beside")
    parser.add_argument("--rebuilt", action="store_true", help="only: taught before a new build, asked after it (HPO)")
    parser.add_argument("--documents", action="store_true", help="only: whole documents, end to end (GSC+, QUAERO)")
    parser.add_argument("--alone", type=int, default=0, metavar="N", help="only: N aliases teach, and no annotation")
    parser.add_argument("--cross", action="store_true", help="only: with a cross-encoder on top (train → dev sets)")
    parser.add_argument("--work", type=Path, default=Path("artifacts/cross"), help="the cross-encoder's checkpoints")
    parser.add_argument("--report", action="store_true", help="only write the docs' table anew")
    arguments = parser.parse_args()
    if arguments.report:
        report()
        return
    store = ArtifactStore(arguments.artifacts)
    encoder = Kept(EncoderLibrary(store).get(registry.spec("medical").config().encoder), arguments.cache)
    for name in arguments.only:
        built = built_for(FILES[name][0], store, encoder)
        if arguments.rebuilt or arguments.documents or arguments.alone or arguments.cross:
            more(name, built, store, encoder, arguments)
            continue
        config = TrainConfig(terminology="each").model_dump(mode="json", exclude={"limits", "terminology"})
        part = f"{name}, {arguments.aliases} aliases" if arguments.aliases else name
        save_part("medical_reranker", part, measure(name, built, aliases=arguments.aliases), config=config)


if __name__ == "__main__":
    main()
