"""Medical linking on four development sets: recall on gold mentions beside other methods, and end to end.

    python -m benchmarks.quality.medical --artifacts artifacts --cache FOLDER [--only gsc quaero codiesp ncbi] [--end-to-end]

Every method ranks concepts by their nearest alias over the same aliases: character n-grams (xMEN's method, restated with
scikit-learn), rapidfuzz, MiniLM, e5, e5 and n-grams fused by equal reciprocal ranks; ours is the pipeline as built. Intervals
are bootstraps over documents. `--cache` keeps vectors between runs: embedding HPO's aliases with e5 takes minutes.
Data: ../shared/medical. Nothing here is a test set; the options of `pipelines/medical/config.py` were chosen on these sets.
"""

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.common import RESULTS, ROOT, SHARED, cpu_seconds, save_part
from models.arrays import Vectors
from models.artifacts import ArtifactStore
from models.encoders.adapter import read_adapter
from models.encoders.base import Encoder
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import Build, build, builds, open_build
from pipelines.feedback import Confirmation, Feedback, confirmations, key_of
from pipelines.medical.pipeline import row_text
from pipelines.medical.prepare import query_of
from pipelines.results import Options, Request
from pipelines.sources import read_terminology
from pipelines.term_pairs import held_out
from pipelines.terminology import Terminology

DATA = SHARED / "medical"
LANGUAGES = ["de", "en", "es", "fr", "it", "nl", "pt"]
KS = (1, 5, 64)
TAUGHT = {"codiesp": "icd10cm_es_codiesp_train.jsonl"}
"""Sets whose training mentions can be confirmed: what a hospital's own coding teaches."""
INDEXED = ("encoder", "index", "blocks", "centred", "aligned", "symmetric", "ngrams", "plain_names", "rows_by")
"""Options that a build cannot do without building again."""
ROUNDS = 1000
UNNAMED = 1000
"""Aliases of a language that is held out."""
CHUNK = 64


@dataclass(frozen=True)
class Mentions:
    """Gold mentions: texts, the ids each may be, the documents they stand in."""

    texts: list[str]
    gold: list[set[str]]
    documents: list[str]
    language: str


@dataclass(frozen=True)
class Document:
    """A text and its gold: (start, end) → ids."""

    name: str
    text: str
    gold: dict[tuple[int, int], set[str]]
    language: str


TITLES = {
    "gsc": "GSC+, en → HPO",
    "quaero": "QUAERO train + dev, fr → HPO",
    "codiesp": "CodiEsp dev, es → ICD-10-CM",
    "ncbi": "NCBI dev, en → MEDIC",
}
PLAIN = "n-gram, plain names"
METHODS = ("n-gram", PLAIN, "rapidfuzz", "minilm", "e5-small", "equal RRF", "ours")
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
SETS = {
    "gsc": ("hpo", ["hpo_en_gscplus.jsonl"], "en"),
    "quaero": ("hpo", ["hpo_fr_quaero_train.jsonl", "hpo_fr_quaero_dev.jsonl"], "fr"),
    "codiesp": ("icd10cm", ["icd10cm_es_codiesp_dev.jsonl"], "es"),
    "ncbi": ("medic2012", ["medic_en_ncbi_devel.jsonl"], "en"),
}


class Kept:
    """An encoder whose vectors rest on disk between runs; `seconds` are those of texts that were not there."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.encoder, self.name, self.device = encoder, encoder.name, encoder.device
        self.dimension, self.fingerprint = encoder.dimension, encoder.fingerprint
        self.seconds = 0.0
        self.fresh = 0
        self.forgetful = False
        self._folder = folder / encoder.fingerprint[:16]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, np.ndarray] = {}
        for file in sorted(self._folder.glob("*.npy")):
            texts = file.with_suffix(".txt").read_text(encoding="utf-8").split("\n")
            self._known.update(zip(texts, np.load(file), strict=True))

    def load(self) -> None:
        self.encoder.load()

    def warm_up(self) -> None:
        self.encoder.warm_up()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.encoder.count_tokens(texts)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        if self.forgetful:
            return self.encoder.encode_query(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            with cpu_seconds() as spent:
                vectors = self.encoder.encode_query(missing)
            self.seconds += spent()
            self.fresh += len(missing)
            self._known.update(zip(missing, vectors, strict=True))
            if len(missing) > CHUNK:
                name = hashlib.sha256("\n".join(missing).encode()).hexdigest()[:16]
                np.save(self._folder / f"{name}.npy", vectors.astype(np.float16))
                (self._folder / f"{name}.txt").write_text("\n".join(missing), encoding="utf-8")
        found = np.array([self._known[text] for text in texts], np.float32).reshape(len(texts), self.dimension)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    encode_passage = encode_query


def mentions_of(name: str) -> Mentions:
    _, files, language = SETS[name]
    lines = [json.loads(line) for file in files for line in (DATA / "dev" / file).open(encoding="utf-8")]
    return Mentions(
        [line["text"] for line in lines],
        [set(line["gold"]) for line in lines],
        [line["doc"] for line in lines],
        language,
    )


def documents_of(name: str) -> list[Document]:
    return _gsc() if name == "gsc" else _quaero()


def current_ids() -> dict[str, str]:
    """Obsolete HPO id → the one that replaced it. GSC+ was annotated with the HPO of 2014."""
    return read_terminology(DATA / "hp.obo.gz", format="obo", name="hpo").redirects


def _gsc() -> list[Document]:
    current = current_ids()
    found = []
    for path in sorted((DATA / "dev/documents/en_gscplus/annotations").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        gold: dict[tuple[int, int], set[str]] = defaultdict(set)
        for annotation in content["annotations"]:
            for span in annotation["evidence_spans"]:
                gold[span["start_char"], span["end_char"]].add(current.get(annotation["hpo_id"], annotation["hpo_id"]))
        found.append(Document(content["doc_id"], content["full_text"], dict(gold), "en"))
    return found


def _quaero() -> list[Document]:
    gold: dict[str, dict[tuple[int, int], set[str]]] = defaultdict(lambda: defaultdict(set))
    found = []
    for part in ("train", "dev"):
        for line in (DATA / f"dev/hpo_fr_quaero_{part}.jsonl").open(encoding="utf-8"):
            content = json.loads(line)
            # Discontinuous mentions cannot be found as one span, and are left out for every method.
            if ";" not in content["start"]:
                start, end = map(int, content["start"].split())
                gold[content["doc"]][start, end] |= set(content["gold"])
        for path in sorted((DATA / "dev/documents/fr_quaero" / part).rglob("*.txt")):
            name = f"quaero/CLEF_2017/dataset/corpus/{part}/{path.parent.name}/{path.stem}.ann"
            with path.open(encoding="utf-8", newline="") as stream:
                found.append(Document(name, stream.read(), dict(gold.get(name, {})), "fr"))
    return found


def ranks(rankings: Sequence[Sequence[str]], gold: Sequence[set[str]]) -> np.ndarray:
    return np.array(
        [
            next((float(place) for place, concept in enumerate(ids) if concept in right), np.inf)
            for ids, right in zip(rankings, gold, strict=True)
        ]
    )


def nearest(scores: np.ndarray, terminology: Terminology, *, k: int = 64, pool: int = 512) -> list[list[str]]:
    """Concepts by their best row, ties by lower row."""
    found = []
    for row in scores:
        best = np.argpartition(-row, pool)[:pool]
        best = best[np.lexsort((best, -row[best]))]
        concepts = list(dict.fromkeys(terminology.row_concepts[best].tolist()))[:k]
        found.append([terminology.concepts[c].id for c in concepts])
    return found


def fused(*rankings: Sequence[Sequence[str]], k: int = 64) -> list[list[str]]:
    """Reciprocal rank fusion with equal weights. Source: Cormack et al. 2009, constant 60."""
    found = []
    for lists in zip(*rankings, strict=True):
        score: dict[str, float] = defaultdict(float)
        for ids in lists:
            for place, concept in enumerate(ids):
                score[concept] += 1 / (61 + place)
        found.append(sorted(score, key=lambda c: -score[c])[:k])
    return found


def by_document(hits: np.ndarray, documents: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    names = {name: i for i, name in enumerate(dict.fromkeys(documents))}
    which = np.array([names[name] for name in documents])
    return np.bincount(which, weights=hits, minlength=len(names)), np.bincount(which, minlength=len(names))


def interval(right: np.ndarray, total: np.ndarray, *, seed: int = 0) -> list[float]:
    """Share and its 95 % interval when documents are drawn again."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(total), (ROUNDS, len(total)))
    shares = right[drawn].sum(axis=1) / np.maximum(total[drawn].sum(axis=1), 1)
    return [round(float(x), 4) for x in (right.sum() / total.sum(), *np.percentile(shares, [2.5, 97.5]))]


def recall_of(found: np.ndarray, mentions: Mentions) -> dict[str, list[float]]:
    return {f"R@{k}": interval(*by_document((found < k).astype(float), mentions.documents)) for k in KS}


def methods(terminology: Terminology, mentions: Mentions, encoders: dict[str, Kept]) -> dict[str, list[list[str]]]:
    rows = [row_text(term.text) for term in terminology.row_terms]
    distinct = list(dict.fromkeys(row_text(text) for text in mentions.texts))
    place = {text: i for i, text in enumerate(distinct)}
    order = [place[row_text(text)] for text in mentions.texts]
    found: dict[str, list[list[str]]] = {"n-gram": _by_ngrams(rows, distinct, terminology), "rapidfuzz": []}
    for start in range(0, len(distinct), CHUNK):
        texts = distinct[start : start + CHUNK]
        found["rapidfuzz"] += nearest(process.cdist(texts, rows, scorer=fuzz.ratio, dtype=np.float32), terminology)
    for name, encoder in encoders.items():
        passages = encoder.encode_query(rows)
        queries = encoder.encode_query(distinct)
        found[name] = []
        for start in range(0, len(distinct), CHUNK):
            found[name] += nearest(queries[start : start + CHUNK] @ passages.T, terminology)
    found["equal RRF"] = fused(found["n-gram"], found["e5-small"])
    return {name: [lists[i] for i in order] for name, lists in found.items()}


def ngrams(terminology: Terminology, mentions: Mentions) -> list[list[str]]:
    """xMEN's method alone, over all rows of a terminology."""
    rows = [row_text(term.text) for term in terminology.row_terms]
    return _by_ngrams(rows, [row_text(text) for text in mentions.texts], terminology)


def _by_ngrams(rows: Sequence[str], texts: Sequence[str], terminology: Terminology) -> list[list[str]]:
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32)
    with cpu_seconds() as spent:
        matrix = vectorizer.fit_transform(rows).T.tocsr()
    print(f"  n-gram index: {spent():.1f} CPU-s", flush=True)
    found: list[list[str]] = []
    for start in range(0, len(texts), CHUNK):
        scores = (vectorizer.transform(texts[start : start + CHUNK]) @ matrix).toarray()
        found += nearest(scores, terminology)
    return found


def kept_out(encoder: str) -> Callable[[str], bool]:
    """Concept id → whether the encoder was taught none of its names; all, for one that was taught no names.

    Names held out of an index say nothing of names that nobody has seen if the encoder has seen them.
    """
    folder = registry.spec("medical").adapters
    if folder is None or not (folder / encoder).is_dir():
        return lambda concept: True
    share = read_adapter(folder / encoder).card["options"]["keep_out"]
    return lambda concept: held_out(concept, share)


def ours(built: Build, mentions: Mentions, *, hubness: str = "auto") -> list[list[str]]:
    found = []
    for start in range(0, len(mentions.texts), CHUNK):
        requests = [
            Request(text, mentions.language, mentions=((0, len(text)),), options=Options(top_k=max(KS)))
            for text in mentions.texts[start : start + CHUNK]
        ]
        results = built.pipeline.run(requests, hubness=hubness)
        found += [[c.concept_id for c in r.mentions[0].decision.candidates] for r in results]
    return found


def measure(name: str, built: Build, encoders: dict[str, Kept]) -> dict[str, object]:
    mentions = mentions_of(name)
    print(f"{name}: {len(mentions.texts)} mentions", flush=True)
    return compared(built, mentions, encoders, published(SETS[name][0]))


def compared(built: Build, mentions: Mentions, encoders: dict[str, Kept], published: Terminology) -> dict[str, object]:
    """Ours beside the other methods over the terminology as it is published, and n-grams over ours with plain names."""
    found = {method: ranks(lists, mentions.gold) for method, lists in methods(published, mentions, encoders).items()}
    found[PLAIN] = ranks(ngrams(built.terminology, mentions), mentions.gold)
    found["ours"] = ranks(ours(built, mentions), mentions.gold)
    for method, places in found.items():
        print(f"  {method:12s}", " ".join(f"{(places < k).mean():.3f}" for k in KS), flush=True)
    against = {}
    for other in ("n-gram", max((m for m in found if m != "ours"), key=lambda m: (found[m] < 1).mean())):
        gain = (found["ours"] < 1).astype(float) - (found[other] < 1)
        against[other] = interval(*by_document(gain, mentions.documents))
    return {
        "mentions": len(mentions.texts),
        "documents": len(set(mentions.documents)),
        "recall": {method: recall_of(places, mentions) for method, places in found.items()},
        "ours_minus_R@1": against,
    }


def hubs(name: str, built: Build) -> dict[str, object]:
    """Recall with every correction for hubs that the build has fitted on its own terms, and without."""
    mentions = mentions_of(name)
    offered = [method for method in built.parts.corrections if method != "auto"]
    found = {method: ranks(ours(built, mentions, hubness=method), mentions.gold) for method in offered}
    report: dict[str, object] = {}
    for method, places in found.items():
        gain = (places < 1).astype(float) - (found["none"] < 1)
        against = interval(*by_document(gain, mentions.documents))
        report[method] = {**recall_of(places, mentions), "minus_none_R@1": against}
        print(f"  {method:10s}", [round(float((places < k).mean()), 4) for k in KS], against, flush=True)
    return report


def unnamed(language: str, store: ArtifactStore, encoder: Kept, e5: Kept) -> dict[str, object]:
    """HPO built without one of its languages, whose aliases are then the mentions: a language nobody has translated to.

    They are of concepts of whose names the encoder was taught none. It was taught that language by others.
    """
    known = [tag for tag in LANGUAGES if tag != language]
    built = built_for("hpo", store, encoder, languages=known)
    unseen = kept_out(encoder.name)
    there = {row_text(term.text) for term in built.terminology.row_terms}
    drawn = [
        (term.text, concept.id)
        for concept in published("hpo", [language]).concepts
        for term in concept.terms
        if row_text(term.text) not in there and concept.id in built.terminology.by_id and unseen(concept.id)
    ]
    drawn = [drawn[i] for i in np.random.default_rng(0).permutation(len(drawn))[:UNNAMED]]
    mentions = Mentions([text for text, _ in drawn], [{c} for _, c in drawn], [c for _, c in drawn], language)
    return compared(built, mentions, {"e5-small": e5}, published("hpo", known))


def end_to_end(name: str, built: Build, encoder: Kept) -> dict[str, object]:
    """Strict span and id: precision, recall, F1, and the CPU time it takes when no vector of a text is kept."""
    encoder.forgetful = True
    built.pipeline.run([Request("warm up")])
    documents = documents_of(name)
    characters = sum(len(d.text) for d in documents)
    counts = np.zeros((len(documents), 3))
    with cpu_seconds() as spent:
        for start in range(0, len(documents), CHUNK):
            some = documents[start : start + CHUNK]
            results = built.pipeline.run([Request(d.text, d.language, options=Options(top_k=1)) for d in some])
            for i, (document, result) in enumerate(zip(some, results, strict=True), start=start):
                answered = [m for m in result.mentions if not m.decision.nil]
                right = sum(
                    m.decision.concept_id in document.gold.get((m.mention.start, m.mention.end), ()) for m in answered
                )
                counts[i] = right, len(answered), len(document.gold)
    rng = np.random.default_rng(0)
    drawn = counts[rng.integers(0, len(counts), (ROUNDS, len(counts)))].sum(axis=1)
    f1 = 2 * drawn[:, 0] / np.maximum(drawn[:, 1] + drawn[:, 2], 1)
    right, answered, gold = counts.sum(axis=0)
    value = 2 * right / (answered + gold)
    scores = {
        "precision": round(float(right / answered), 4),
        "recall": round(float(right / gold), 4),
        "F1": [round(float(x), 4) for x in (value, *np.percentile(f1, [2.5, 97.5]))],
        "cpu_ms_per_2000_characters": round(1000 * spent() / characters * 2000, 1),
    }
    encoder.forgetful = False
    print(f"{name} end to end: {scores}", flush=True)
    return {"documents": len(documents), "gold": int(gold), **scores}


def confirmed_in(name: str) -> list[Confirmation]:
    """A set's training mentions as users would have confirmed them, one user a mention."""
    lines = [json.loads(line) for line in (DATA / "dev" / TAUGHT[name]).open(encoding="utf-8")]
    return confirmations(
        Feedback(line["text"], query_of(line["text"]), concept, "accept", SETS[name][2])
        for line in lines
        for concept in line["gold"][:1]
    )


def taught(name: str, plainly: Build, built: Build) -> dict[str, object]:
    """Recall with and without confirmations: of pairs of text and concept that were confirmed, and of all others."""
    mentions = mentions_of(name)
    known = {(key_of(c.text), c.concept_id) for c in confirmed_in(name)}
    seen = np.array(
        [
            any((key_of(query_of(t)), g) in known for g in gold)
            for t, gold in zip(mentions.texts, mentions.gold, strict=True)
        ]
    )
    report: dict[str, object] = {"confirmations": len(known), "head": built.artifact.manifest.details["head"]}
    found = {
        "without": ranks(ours(plainly, mentions), mentions.gold),
        "with": ranks(ours(built, mentions), mentions.gold),
    }
    for part, some in (("all", np.ones(len(seen), bool)), ("seen", seen), ("unseen", ~seen)):
        chosen = replace(mentions, documents=[d for d, s in zip(mentions.documents, some, strict=True) if s])
        recall = {how: recall_of(places[some], chosen) for how, places in found.items()}
        report[part] = {"mentions": int(some.sum()), "recall": recall}
        print(f"  {part:7s}", {how: [r[f"R@{k}"][0] for k in KS] for how, r in recall.items()}, flush=True)
    return report


def published(kb: str, languages: Sequence[str] = LANGUAGES, *, name: str | None = None) -> Terminology:
    """A terminology of ../shared in these languages."""
    return read_terminology(DATA / f"{kb}_kb.jsonl.gz", format="xmen", name=name or kb, languages=languages)


def built_for(
    kb: str,
    store: ArtifactStore,
    encoder: Kept,
    taken: Sequence[Confirmation] = (),
    languages: Sequence[str] = LANGUAGES,
) -> Build:
    spec = registry.spec("medical")
    name = "-".join([kb, *(["taught"] if taken else []), *(tag for tag in LANGUAGES if tag not in languages)])
    terminology = published(kb, languages, name=name)
    config = spec.config()
    if name in builds(spec, store=store):
        opened = open_build(spec, name, store=store, encoder_of=lambda _: encoder)
        # As it was written: an option that came later is not in an older build, whatever its default is now.
        written, wanted = opened.artifact.read_json("config.json"), config.model_dump()
        same = all(written.get(option) == wanted[option] for option in INDEXED)
        if same and opened.terminology.version == terminology.version:
            # What is indexed is the same; what is asked of it may have changed since.
            pipeline = spec.pipeline(config, opened.parts, opened.query_encoder)
            return replace(opened, pipeline=pipeline, config=config)
    with cpu_seconds() as spent:
        made = build(spec, terminology, encoder=encoder, store=store, config=config, confirmations=taken)
    print(
        f"{name}: built in {spent():.0f} CPU-s, {encoder.seconds:.0f} of them for {encoder.fresh} new texts", flush=True
    )
    return made


def report() -> None:
    """The figures of the README, so that no number is typed by hand."""
    path = ROOT / "pipelines/medical/README.md"
    content = json.loads((RESULTS / "medical.json").read_text(encoding="utf-8"))
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n{_figures(content)}\n{END}{after}", encoding="utf-8")


def _figures(content: dict[str, Any]) -> str:
    sets = content["sets"]
    named = {key: sets[key] for key in SETS if key in sets}
    order = [m for m in METHODS if any(m in found["recall"] for found in named.values())]
    rows = [
        "R@1 / R@5 / R@64 of gold mentions (`benchmarks/quality/medical.py`; 95 % intervals over documents). Other methods",
        "search the aliases as published, ours and the second n-gram column those with plain names (`plain.py`) too:",
        "",
        "| set | n | " + " | ".join(order) + " | ours − n-gram, R@1 |",
        "| --- | --- |" + " --- |" * (len(order) + 1),
    ]
    for key, found in named.items():
        cells = [_recalls(found["recall"].get(m)) for m in order]
        low, middle, high = (found["ours_minus_R@1"]["n-gram"][i] for i in (1, 0, 2))
        gain = f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"
        rows.append(f"| {TITLES[key]} | {found['mentions']:,} | {' | '.join(cells)} | {gain} |")
    rows += ["", "End to end (strict: same place and concept), no training data:", ""]
    rows += ["| set | precision | recall | F1 | CPU-ms for 2,000 characters |", "| --- | --- | --- | --- | --- |"]
    for key in SETS:
        if (found := sets.get(f"{key} end to end")) is not None:
            value, low, high = found["F1"]
            rows.append(
                f"| {TITLES[key]} | {found['precision']:.3f} | {found['recall']:.3f} | {value:.3f} [{low:.3f}, {high:.3f}] "
                f"| {found['cpu_ms_per_2000_characters']:.0f} |"
            )
    rows += _parts(sets)
    return "\n".join([*rows, "", f"{content['machine']['cpu']}, {content['date'][:10]}; a shared machine."])


def _parts(sets: dict[str, Any]) -> list[str]:
    """Tables of what only some runs measure: confirmations, corrections for hubs, languages without aliases."""
    rows: list[str] = []
    if taught_sets := [key for key in SETS if f"{key} taught" in sets]:
        rows += [
            "",
            "With the training part's mentions as confirmations (`cognomen build medical` learns from them):",
            "",
        ]
        rows += ["| set | mentions | n | without | with |", "| --- | --- | --- | --- | --- |"]
        for key in taught_sets:
            for part in ("all", "seen", "unseen"):
                found = sets[f"{key} taught"][part]
                cells = " | ".join(_recalls(found["recall"][how]) for how in ("without", "with"))
                rows.append(f"| {TITLES[key]} | {part} | {found['mentions']:,} | {cells} |")
    if hub_sets := [key for key in SETS if f"{key} hubness" in sets]:
        rows += ["", "With each correction for hubs, its bank drawn from the terminology:", ""]
        offered = list(sets[f"{hub_sets[0]} hubness"])
        rows += ["| set | " + " | ".join(offered) + " |", "| --- |" + " --- |" * len(offered)]
        rows += [
            f"| {TITLES[key]} | " + " | ".join(_recalls(sets[f"{key} hubness"].get(m)) for m in offered) + " |"
            for key in hub_sets
        ]
    if languages := [key.removeprefix("hpo without ") for key in sets if key.startswith("hpo without ")]:
        rows += ["", "HPO built without a language, whose aliases are the mentions:", ""]
        rows += ["| language | n | n-gram | e5-small | ours |", "| --- | --- | --- | --- | --- |"]
        for tag in languages:
            found = sets[f"hpo without {tag}"]
            cells = " | ".join(_recalls(found["recall"][m]) for m in ("n-gram", "e5-small", "ours"))
            rows.append(f"| {tag} | {found['mentions']:,} | {cells} |")
    return rows


def _recalls(found: dict[str, list[float]] | None) -> str:
    return "" if found is None else "/".join(f"{found[f'R@{k}'][0]:.3f}".removeprefix("0") for k in KS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--cache", type=Path, default=Path("artifacts/vectors"))
    parser.add_argument("--only", nargs="*", default=list(SETS))
    parser.add_argument("--minilm", action="store_true", help="beside e5, on English and HPO")
    parser.add_argument("--end-to-end", action="store_true")
    parser.add_argument("--hubness", action="store_true", help="also with every correction for hubs")
    parser.add_argument("--without", nargs="*", default=[], help="languages of HPO to hold out, such as nl it pt")
    parser.add_argument("--taught", action="store_true", help="also with the training mentions confirmed")
    parser.add_argument("--no-recall", action="store_true")
    parser.add_argument("--report", action="store_true", help="only write the figures of pipelines/medical/README.md")
    chosen = parser.parse_args()
    if chosen.report:
        report()
        return
    store = ArtifactStore(chosen.artifacts)
    library = EncoderLibrary(store, device="cpu", threads=1)
    config = registry.spec("medical").config().model_dump()
    encoder = Kept(library.get(config["encoder"]), chosen.cache)
    e5 = Kept(library.get("e5-small"), chosen.cache)
    for name in chosen.only:
        built = built_for(SETS[name][0], store, encoder)
        if not chosen.no_recall:
            encoders = {"e5-small": e5}
            if chosen.minilm and SETS[name][2] == "en":
                encoders["minilm"] = Kept(library.get("minilm"), chosen.cache)
            save_part("medical", name, measure(name, built, encoders), config=config)
        if chosen.hubness:
            save_part("medical", f"{name} hubness", hubs(name, built), config=config)
        if chosen.taught and name in TAUGHT:
            again = built_for(SETS[name][0], store, encoder, confirmed_in(name))
            save_part("medical", f"{name} taught", taught(name, built, again), config=config)
        if chosen.end_to_end and name in {"gsc", "quaero"}:
            save_part("medical", f"{name} end to end", end_to_end(name, built, encoder), config=config)
    for language in chosen.without:
        print(f"HPO without {language}", flush=True)
        save_part("medical", f"hpo without {language}", unnamed(language, store, encoder, e5), config=config)


if __name__ == "__main__":
    main()
