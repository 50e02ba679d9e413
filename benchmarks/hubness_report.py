"""Write the figures of docs/hubness.md from benchmarks/results/hubness*.json, so that no number is typed by hand.

python -m benchmarks.hubness_report           rewrites what stands between <!-- figures --> and <!-- /figures -->
python -m benchmarks.hubness_report --check   exit 1 if the page says something else than the results
"""

import json
import statistics
import sys
from typing import Any

from benchmarks.common import RESULTS, ROOT

PAGE = ROOT / "docs" / "hubness.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
METHODS = ("none", "centre", "is", "dis", "dual_is", "dual_dis", "csls", "nnn", "sinkhorn")


def figures() -> str:
    """The section, as Markdown."""
    quality, speed = _read("hubness"), _read("hubness_speed")
    titles = _read("hubness_pipelines")
    parts = [
        _recalls(quality["sets"]),
        _choices(quality["sets"]),
        _titles(titles),
        *_costs(speed["sets"]),
        _footer(quality, titles, speed),
    ]
    return "\n\n".join(part for part in parts if part)


def _recalls(sets: dict[str, Any]) -> str:
    lines = [
        "**R@1 and skewness** (of the 10-occurrence; means of five splits; bold: better than none on the first split, its "
        "95 % interval above zero; *italic*: worse, below zero; sinkhorn is measured and not served; "
        "`benchmarks/quality/hubness.py`):",
        "",
        "| task | " + " | ".join(METHODS) + " |",
        "| --- |" + " --- |" * len(METHODS),
    ]
    for name, measured in sets.items():
        cells = []
        for method in METHODS:
            scores, against = measured["methods"][method], measured["R@1 against none"].get(method, {})
            shown = f"{100 * scores['R@1'][0]:.1f}"
            if against.get("significant"):
                shown = f"**{shown}**" if against["difference"] > 0 else f"*{shown}*"
            cells.append(f"{shown} · {scores['skewness'][0]:.1f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _choices(sets: dict[str, Any]) -> str:
    lines = [
        "**What `auto` chose** on development queries, in five splits, and what that did to R@1 of the test queries:",
        "",
        "| task | chosen | difference, mean | lowest | surely worse |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, measured in sets.items():
        chosen = [one["chosen"] for one in measured["auto"]]
        gains = [one["test"] for one in measured["auto"]]
        counted = ", ".join(f"{m} {chosen.count(m)}" for m in METHODS if m in chosen)
        worse = sum(gain["significant"] and gain["difference"] < 0 for gain in gains)
        mean, least = statistics.mean(g["difference"] for g in gains), min(g["difference"] for g in gains)
        lines.append(f"| {name} | {counted} | {mean:+.3f} | {least:+.3f} | {worse} of {len(gains)} |")
    return "\n".join(lines)


def _titles(measured: dict[str, Any]) -> str:
    n = measured["n"]
    methods = list(measured["sets"]["terms"]["methods"])
    lines = [
        f"**Inside the job titles pipeline** (English ESCO, {n['rows']:,} rows, dense and lexical fused; {n['test']:,} vacancy titles "
        "of jobbert_val; R@1 and skewness; *italic*: surely worse than none; `benchmarks/quality/hubness_pipelines.py`):",
        "",
        "| query bank | " + " | ".join(methods) + " | auto |",
        "| --- |" + " --- |" * (len(methods) + 1),
    ]
    for bank, title in (("traffic", f"{n['traffic']:,} unlabelled titles"), ("terms", "1,000 terms (default)")):
        cells = []
        for method in methods:
            one = measured["sets"][bank]["methods"][method]
            shown, against = f"{100 * one['R@1'][0]:.1f}", one["R@1 against none"]
            if against["significant"]:
                shown = f"**{shown}**" if against["difference"] > 0 else f"*{shown}*"
            cells.append(f"{shown} · {one['skewness']:.1f}")
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {measured['sets'][bank]['auto']} |")
    return "\n".join(lines)


def _costs(sets: dict[str, Any]) -> list[str]:
    parts = []
    if fit := sets.get("fit"):
        shown = [f"{m} {about['cpu_s']} CPU-s" for m, about in fit.items() if "peak_rss_mb" in about]
        parts.append(
            f"**Fitting** 100,000 × 384 on a bank of 20,000: {', '.join(shown)}; peak {fit['is']['peak_rss_mb']} MB of a "
            f"process that does nothing else. Growing the bank by {fit['grow is']['queries']:,}: {fit['grow is']['cpu_s']} CPU-s "
            "(`benchmarks/speed/hubness.py`)."
        )
    for name, title in (("exact", "exact scan"), ("hnsw", "HNSW"), ("ivf", "inverted lists")):
        if name in sets:
            parts.append(_latency(title, sets[name]))
    if million := sets.get("million"):
        parts.append(_million(million))
    return parts


def _latency(title: str, measured: dict[str, Any]) -> str:
    latency = measured.get("latency", measured)
    efforts = {
        m: about for part in measured.get("built", {}).values() for m, about in part.items() if isinstance(about, dict)
    }
    head = ["search", "p50 ms", "p99 ms", "ratio to plain"]
    effort = next((key for about in efforts.values() for key in about if key != "recall"), None)
    head += [effort, "recall@10"] if effort else []
    lines = [
        f"**Latency, {title}, 100,000 × 384**, CPU-milliseconds of one query at a time:",
        "",
        "| " + " | ".join(head) + " |",
        "|" + " --- |" * len(head),
    ]
    for method, times in latency.items():
        cells = [method, f"{times['p50_ms']:.2f}", f"{times['p99_ms']:.2f}", f"{times['ratio']:.2f}"]
        if effort:
            cells += [str(efforts[method][effort]), f"{efforts[method]['recall']:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _million(measured: dict[str, Any]) -> str:
    lines = [
        "**1,000,000 × 384, inverted lists**, plain and corrected (is), as rows and as a byte a dimension (sq8); built and "
        "served, from the memory-mapped file, by processes that do nothing else:",
        "",
        "| search | build CPU-s | build peak MB | bytes per vector | nprobe | recall@10 | p50 ms | p99 ms | ratio to plain | "
        "own memory MB | mapped MB |",
        "|" + " --- |" * 11,
    ]
    for name, one in measured.items():
        if isinstance(one, dict):
            lines.append(
                f"| {name} | {one['build_cpu_s']:.0f} | {one['build_peak_rss_mb']:,} | {one['bytes_per_vector']:,.0f} | "
                f"{one['nprobe']} | {one['recall']:.3f} | {one['p50_ms']:.2f} | {one['p99_ms']:.2f} | {one['ratio']:.2f} | "
                f"{one['own_memory_mb']:,} | {one['mapped_memory_mb']:,} |"
            )
    return "\n".join(lines)


def _footer(*results: dict[str, Any]) -> str:
    machine = results[0]["machine"]
    stamps = ", ".join(f"{r['commit']} ({r['date'][:10]})" for r in results)
    return f"Measured on {machine['cores']} cores, {machine['cpu']}, other work beside; commits {stamps}."


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    written = f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}"
    if "--check" in sys.argv:
        return int(written != text)
    PAGE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
