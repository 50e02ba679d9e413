"""Write the figures of README.md from benchmarks/results/*.json, so that no number is typed by hand.

python -m benchmarks.report           rewrites what stands between <!-- figures --> and <!-- /figures -->
python -m benchmarks.report --check   exit 1 if README says something else than the results
"""

import json
import statistics
import sys
from typing import Any

from benchmarks.common import RESULTS, ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
SETS = {
    "jobbert_val": "English vacancy titles → ESCO 1.2.0 (jobbert_val)",
    "deu_q_de_c_de": "German class names → ESCO, German (MELO)",
    "deu_q_de_c_en": "German → English (MELO)",
    "fra_q_fr_c_fr": "French (MELO)",
    "esp_q_es_c_es": "Spanish (MELO)",
    "ita_q_it_c_en": "Italian → English (MELO)",
    "nld_q_nl_c_en": "Dutch → English (MELO)",
}
MEDICAL = {
    "gsc": ("GSC+, English → HPO", "gsc"),
    "quaero": ("QUAERO train + dev, French → HPO", "quaero cross"),
    "codiesp": ("CodiEsp dev, Spanish → ICD-10-CM", "codiesp"),
    "ncbi": ("NCBI dev, English → MEDIC", "ncbi"),
}
"""Set → its name, and the re-ranker's part."""
DATASHEETS = {
    "open": "open sheets (1N4148, 2N3904, 2N7000, J113)",
    "synthetic": "our own traps, known to the reader",
    "unseen": "layouts drawn after the reader was finished",
}
_AGAINST = "prior against zero-shot"
BASELINES = ("exact", "BM25", "char TF-IDF", "MiniLM")


def figures() -> str:
    """The section, as Markdown."""
    titles = read("job_titles")
    parts = [
        _quality(titles["sets"]),
        _talentclef(titles["sets"]),
        _nil(titles["sets"]),
        _training(read("training")),
        _learning(read("vacancysbert")),
        _medical(read("medical"), read("medical_reranker")),
        _datasheets(read("datasheets")),
        _speed(read("serving")),
        _footer(titles, read("serving")),
    ]
    return "\n\n".join(part for part in parts if part)


def _quality(sets: dict[str, Any]) -> str:
    rows = [
        "**Naming a title** (R@1 / R@5 / R@10; every method ranks occupations; `benchmarks/quality/job_titles.py`):",
        "",
        "| set | n | " + " | ".join(BASELINES) + " | ours | ours − best baseline, R@5 |",
        "| --- | --- | " + "--- | " * (len(BASELINES) + 2),
    ]
    for key, label in SETS.items():
        if key not in sets:
            continue
        methods, best = sets[key]["methods"], sets[key]["ours against the best baseline"]["R@5"]
        cells = [_recalls(methods[name]) for name in BASELINES] + [f"**{_recalls(methods['ours'])}**"]
        sign = "significant" if best["significant"] else "n.s."
        gain = f"{best['difference']:+.3f} [{best['low']:+.3f}, {best['high']:+.3f}], {sign}"
        rows.append(f"| {label} | {sets[key]['n']:,} | " + " | ".join(cells) + f" | {gain} |")
    return "\n".join(rows)


def _recalls(scores: dict[str, Any]) -> str:
    return "/".join(f"{scores[f'R@{k}'][0]:.3f}".lstrip("0") for k in (1, 5, 10))


def _talentclef(sets: dict[str, Any]) -> str:
    found = {key.removeprefix("talentclef_"): value for key, value in sets.items() if key.startswith("talentclef_")}
    if not found:
        return ""
    names = (*BASELINES, "ours")
    rows = [
        "**Title to similar titles** (TalentCLEF 2025 task A, validation; MAP):",
        "",
        "| language | n | " + " | ".join(names) + " |",
        "| --- | --- | " + "--- | " * len(names),
    ]
    for language, result in found.items():
        cells = [f"{result['methods'][name]['MAP'][0]:.3f}".lstrip("0") for name in names]
        rows.append(f"| {language} | {result['n']} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _nil(sets: dict[str, Any]) -> str:
    if "nil" not in sets:
        return ""
    nil = sets["nil"]
    names = list(nil["judged"])
    rows = [
        f"**NIL and confidence** ({nil['titles']:,} titles of jobbert_val mixed with {nil['no titles']:,} texts that name "
        "no occupation, language not given):",
        "",
        "| | " + " | ".join(names) + " |",
        "| --- | " + "--- | " * len(names),
    ]
    for measure in next(iter(nil["judged"].values())):
        cells = [f"{nil['judged'][name][measure]:.3f}".lstrip("0") for name in names]
        rows.append(f"| {measure} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _training(trained: dict[str, Any]) -> str:
    sets = {k: v for k, v in trained.get("sets", {}).items() if {"zero-shot", "trained"} <= v.get("methods", {}).keys()}
    if not sets:
        return ""
    rows = [
        "**What training brings** (adapters of 7.4 MB trained on ESCO and O*NET, never on these sets; everything else alike; "
        "`benchmarks/quality/training.py`):",
        "",
        "| set | n | measure | zero-shot | trained | difference |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for key, result in sets.items():
        measure = "MAP" if key.startswith("talentclef") else "R@1"
        before, after = (result["methods"][name][measure] for name in ("zero-shot", "trained"))
        gain = result["against zero-shot"]["trained"][measure]
        interval = f"{gain['difference']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]"
        said = interval if gain["significant"] else f"{interval}, n.s."
        rows.append(f"| {key} | {result['n']:,} | {measure} | {before:.3f} | {after:.3f} | {said} |")
    return "\n".join(rows)


def _learning(learned: dict[str, Any]) -> str:
    if not {"traffic", "confirmations"} <= set(learned.get("sets", {})):
        return ""
    traffic, confirmed = learned["sets"]["traffic"], learned["sets"]["confirmations"]
    rows = [
        f"**Learning from use** ({traffic['n']:,} titles of jobbert_val; learned from others of them; "
        "`benchmarks/quality/vacancysbert.py`):",
        "",
        "| learned from | R@1 / R@5 / R@10 |",
        "| --- | --- |",
        f"| nothing | {_recalls(traffic['methods']['zero-shot'])} |",
        f"| {traffic['traffic']:,} unlabelled titles (`cognomen adapt`) | "
        f"{_recalls(traffic['methods']['prior from traffic'])} |",
    ]
    rows += [f"| {int(n):,} confirmed titles | {_recalls(scores)} |" for n, scores in confirmed["curve"].items()]
    baseline = "baseline: linear head + nearest neighbours"
    rows.append(f"| {baseline}, {confirmed['confirmed']:,} | {_recalls(confirmed['ablation'][baseline]['scores'])} |")
    harmed = [
        key.removeprefix("melo_")
        for key, result in learned["sets"].items()
        if key.startswith("melo_") and any(d["significant"] and d["high"] < 0 for d in result[_AGAINST].values())
    ]
    sets = sum(key.startswith("melo_") for key in learned["sets"])
    rows += [
        "",
        f"On {sets} MELO sets, where every class is asked for once, a prior from half of the queries harms the other half "
        f"significantly on {', '.join(harmed) or 'none'}.",
    ]
    return "\n".join(rows)


def _medical(linking: dict[str, Any], reranking: dict[str, Any]) -> str:
    sets, taught = linking.get("sets", {}), reranking.get("sets", {})
    rows = [
        "**Linking a mention** (R@1 / R@5 / R@64 of gold mentions, no training data; last column: R@1 once annotated documents "
        "taught a re-ranker, measured on others; `benchmarks/quality/medical.py`, `medical_reranker.py`):",
        "",
        "| set | n | character n-grams | e5-small | ours | ours − n-grams, R@1 | re-ranked, R@1 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, (label, learned) in MEDICAL.items():
        if key not in sets or learned not in taught:
            continue
        recall = sets[key]["recall"]
        cells = [_at(recall[name], (1, 5, 64)) for name in ("n-gram", "e5-small")] + [
            f"**{_at(recall['ours'], (1, 5, 64))}**"
        ]
        middle, low, high = sets[key]["ours_minus_R@1"]["n-gram"]
        after = _at(taught[learned]["all"]["re-ranked"], (1,))
        gain = f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"
        rows.append(f"| {label} | {sets[key]['mentions']:,} | " + " | ".join(cells) + f" | {gain} | {after} |")
    for key, label in (("gsc", "GSC+"), ("quaero", "QUAERO")):
        if found := sets.get(f"{key} end to end"):
            said = f"F1 {found['F1'][0]:.3f}, {found['cpu_ms_per_2000_characters']:.0f} CPU-ms for 2,000 characters"
            rows += ["", f"{label}, end to end without training data (strict: same place, same concept): {said}."]
    return "\n".join(rows) if len(rows) > 4 else ""


def _at(scores: dict[str, Any], places: tuple[int, ...]) -> str:
    return "/".join(f"{scores[f'R@{k}'][0]:.3f}".removeprefix("0") for k in places)


def _datasheets(found: dict[str, Any]) -> str:
    rows = [
        "**Reading a datasheet** (parameter, slot, SI value and unit all right; no language model; `benchmarks/quality/datasheets.py`):",
        "",
        "| set | sheets | precision | recall | F1 | best of three heuristics, F1 | wrong by a power of 1,000 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, label in DATASHEETS.items():
        if key not in found.get("sets", {}):
            continue
        scores = found["sets"][key]["scores"]
        ours = scores["whole document"]
        best = max(one["f1"] for name, one in scores.items() if name.startswith("baseline"))
        cells = " | ".join(f"{ours[name]:.3f}".removeprefix("0") for name in ("precision", "recall", "f1"))
        best_said = f"{best:.3f}".removeprefix("0")
        wrong = len(ours["silent_unit_errors"])
        rows.append(f"| {label} | {found['sets'][key]['sheets']} | {cells} | {best_said} | {wrong} |")
    return "\n".join(rows) if len(rows) > 4 else ""


def _speed(serving: dict[str, Any]) -> str:
    if not serving:
        return ""
    windows = serving["windows"]
    names = list(next(iter(windows.values())))
    rows = [
        "**CPU-milliseconds per request** (fp32, one thread; *embeddings* is MiniLM unless said; medians of alternating rounds, "
        "everything in one run; *normalize* is the whole pipeline: two encoders, search, decision; `benchmarks/speed/serving.py`):",
        "",
        "| | " + " | ".join(windows) + " |",
        "| --- | " + "--- | " * len(windows),
    ]
    for name in names:
        cells = [f"{statistics.median(w['cpu_ms'] for w in lines[name]):.1f}" for lines in windows.values()]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _footer(*results: dict[str, Any]) -> str:
    said = sorted({f"{r['machine']['cpu']}, {r['machine']['cores']} cores, {r['date'][:10]}" for r in results if r})
    return (
        f"Machine: {'; '.join(said)}. It is shared and noisy: trust ratios. Intervals are 95 % bootstrap over queries. "
        "The handful of weights behind *ours* was chosen on these development sets; nothing was trained on them. "
        "MELO's US set is left out: its queries are O*NET titles, which training saw."
    )


def read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return content


def main() -> int:
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    written = f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}"
    if "--check" in sys.argv:
        return int(written != text)
    README.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
