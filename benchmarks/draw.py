"""Draw the figures of the book from benchmarks/results/*.json: no number is typed, none is kept beside its source.

python -m benchmarks.draw FOLDER   writes each as SVG; the book calls `drawn` while it is built.
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.report import BASELINES, SETS, read

INK, FAINT, RUBRIC = "#221d16", "#8d8270", "#9c2d1f"
SHADES = dict(zip(BASELINES, ("#d8cfbc", "#b9ad97", "#8d8270", "#2f5d8a"), strict=True))
# The same bytes for the same results: ids are hashed with a salt, and no date is written.
STYLE = {
    "svg.hashsalt": "cognomen",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def job_titles() -> Figure:
    """R@5 of every method on every set, ours with its interval."""
    sets = {label: found for key, label in SETS.items() if (found := read("job_titles")["sets"].get(key))}
    figure = Figure(figsize=(7.2, 0.45 * len(sets) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, found in enumerate(reversed(sets.values())):
        methods = found["methods"]
        for name in BASELINES:
            label = name if place == 0 else None
            axes.plot(methods[name]["R@5"][0], place, "o", color=SHADES[name], label=label)
        middle, low, high = methods["ours"]["R@5"]
        axes.plot([low, high], [place, place], color=RUBRIC, linewidth=2)
        axes.plot(middle, place, "D", color=RUBRIC, label="ours" if place == 0 else None)
    axes.set_yticks(range(len(sets)), list(reversed(sets)))
    axes.set_xlim(0, 1)
    axes.set_xlabel("R@5 (line: 95 % bootstrap over queries)")
    axes.grid(axis="x", color="#eee6d6")
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=5, frameon=False)
    return figure


def hubness() -> Figure:
    """What each correction adds to R@1 over none, with its interval, on every set searched in full."""
    sets = {name: found for name, found in read("hubness")["sets"].items() if name.endswith(", full")}
    methods = list(next(iter(sets.values()))["R@1 against none"])
    figure = Figure(figsize=(7.2, 0.42 * len(methods) * len(sets) / 3 + 1.0), layout="constrained")
    grid = figure.subplots(-(-len(sets) // 3), 3, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(sets) :]:
        axes.set_axis_off()
    for axes, (name, found) in zip(grid.flat, sets.items(), strict=False):
        for place, method in enumerate(reversed(methods)):
            gain = found["R@1 against none"][method]
            colour = RUBRIC if gain["low"] > 0 else "#2f5d8a" if gain["high"] < 0 else FAINT
            axes.plot([gain["low"], gain["high"]], [place, place], color=colour)
            axes.plot(gain["difference"], place, "o", color=colour, markersize=4)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        axes.set_title(name.removesuffix(", full"), fontsize=8)
        axes.set_yticks(range(len(methods)), list(reversed(methods)))
    figure.supxlabel("R@1 − R@1 without correction (red: surely better, blue: surely worse)", fontsize=8)
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {"job-titles.svg": job_titles, "corrections.svg": hubness}


def drawn(name: str) -> bytes:
    """One figure as SVG, the same bytes for the same results."""
    with mpl.rc_context(STYLE):
        target = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None}
        FIGURES[name]().savefig(target, format="svg", metadata=metadata)
    return target.getvalue()


def main() -> None:
    """Write every figure into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        (folder / name).write_bytes(drawn(name))


if __name__ == "__main__":
    main()
