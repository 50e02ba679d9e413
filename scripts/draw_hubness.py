"""Draw docs/hubness.svg: how often each item is found, from benchmarks/results/hubness_occurrence.json.

python scripts/draw_hubness.py
"""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parents[1]
STYLES = {
    "none": ("#b03a2e", "-"),
    "centre": ("#7d8c99", "--"),
    "dis": ("#c98a1b", "-."),
    "nnn": ("#2f7f5f", ":"),
    "is": ("#1f5f9f", "-"),
}


def main() -> None:
    """Items by how often they are found, most often first, both axes logarithmic."""
    measured = json.loads((ROOT / "benchmarks/results/hubness_occurrence.json").read_text(encoding="utf-8"))
    mpl.rcParams["svg.hashsalt"] = "cognomen"
    mpl.rcParams["svg.fonttype"] = "none"
    figure, axes = plt.subplots(figsize=(7, 4))
    for method, (colour, line) in STYLES.items():
        about = measured["methods"][method]
        counts = {int(n): items for n, items in about["items_found_n_times"].items()}
        ranked = [n for n in sorted(counts, reverse=True) for _ in range(counts[n]) if n]
        label = f"{method}: skewness {about['skewness']:.1f}, never found {about['antihub_rate']:.0%}"
        axes.loglog(range(1, len(ranked) + 1), ranked, line, color=colour, label=label)
    axes.set_xlabel(f"items, most often found first (of {measured['items']:,})")
    axes.set_ylabel(f"times among the ten nearest of {measured['queries']:,} queries")
    axes.set_title("German titles to English ones (ESCO, e5-small)")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(ROOT / "docs/hubness.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
