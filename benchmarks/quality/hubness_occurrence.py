"""How often each item is found, with and without corrections: what the skewness in hubness.json is of.

    OMP_NUM_THREADS=1 python -m benchmarks.quality.hubness_occurrence --encoder DIR [--cache DIR]

One task and split of benchmarks/quality/hubness.py: German ESCO titles to English ones, full, seed 0. For each method,
how many items are found how many times among the ten nearest of the test queries. Writes
benchmarks/results/hubness_occurrence.json; scripts/draw_hubness.py draws docs/hubness.svg from it. Seconds, once the
cache of hubness.py is there.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.common import save
from benchmarks.quality.hubness import encode, search, split, tasks
from models.encoders.registry import open_encoder
from models.hubness import metrics, registry
from models.hubness.fitted import Fitted

TASK = "esco de→en"
METHODS = ("centre", "is", "dis", "nnn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cognomen-hubness")
    options = parser.parse_args()
    encoder = open_encoder(options.encoder)
    one = next(task for task in tasks() if task.name == TASK)
    items, queries, gallery = (encode(encoder, texts, options.cache) for texts in (one.items, one.queries, one.gallery))
    part = split(one, items, queries, gallery, seed=0, apart=False)
    fitted: dict[str, Fitted | None] = {"none": None}
    fitted |= {m: registry.fit(m, part.items, part.bank, encoder="e5") for m in METHODS}
    content = {}
    for method, found in search(part.items, part.test, fitted).items():
        occurrence = metrics.k_occurrence(found.ids, size=len(part.items))
        measured = metrics.measure(found.ids, size=len(part.items))
        content[method] = {
            "items_found_n_times": {str(n): count for n, count in sorted(Counter(occurrence.tolist()).items())},
            "skewness": round(measured.skewness, 4),
            "antihub_rate": round(measured.antihub_rate, 4),
            "highest": measured.highest,
        }
    about = {"task": f"{TASK}, full, seed 0", "k": 10, "items": len(part.items), "queries": len(part.test)}
    print(save("hubness_occurrence", {**about, "methods": content}))


if __name__ == "__main__":
    main()
