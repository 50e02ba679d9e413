"""What `cognomen build medical` costs for HPO in seven languages, stage by stage, and what is found after it.

    python -m benchmarks.speed.medical_build --artifacts artifacts [--only default onnxruntime int8 e5 use]

Needs the encoders e5-small-medical, e5-small, use-multilingual and `cognomen models prepare e5-small-medical --variant int8`.
`default` is what a build does where OpenVINO is installed and the CPU computes in bfloat16, `onnxruntime` the same encoder
without; `int8` encodes terms in 8 bits and mentions in 32, without OpenVINO. Nothing is kept between builds: every alias is
encoded. CPU-seconds of one thread; xMEN's n-gram index took 1,316 of them over the same aliases (FINDINGS). Recall: gold
mentions of QUAERO train and GSC+.
"""

import argparse
import resource
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.common import save_part
from benchmarks.quality.medical import KS, SETS, mentions_of, ours, published, ranks
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build

MEDICAL = "e5-small-medical"
CHOICES: dict[str, dict[str, object]] = {
    "default": {"encoder": MEDICAL},
    "onnxruntime": {"encoder": MEDICAL},
    "int8": {"encoder": MEDICAL, "rows_by": {MEDICAL: f"{MEDICAL}-int8"}},
    "e5": {"encoder": "e5-small"},
    "use": {"encoder": "use-multilingual"},
}
ENGINES = {"onnxruntime": "onnxruntime", "int8": "onnxruntime"}
SETS["quaero train"] = ("hpo", ["hpo_fr_quaero_train.jsonl"], "fr")


class Stages:
    """CPU seconds between the first report of a stage and the first of the next; "write" ends with the build opened."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._stage = "read"
        self._since = time.process_time()

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.process_time()
        self.seconds[self._stage] += now - self._since
        self._stage, self._since = stage, now


def measured(name: str, store: ArtifactStore) -> dict[str, object]:
    library = EncoderLibrary(store, device="cpu", threads=1, engine=ENGINES.get(name, "auto"))
    spec = registry.spec("medical")
    config = spec.config(**CHOICES[name])
    encoder = library.get(config.encoder)
    rows_by = {part: library.get(variant) for part, variant in config.rows_by.items()}
    for one in (encoder, *rows_by.values()):
        one.warm_up()
    terminology = published("hpo", name=f"hpo-cost-{name}")
    stages = Stages()
    made = build(
        spec, terminology, encoder=encoder, store=store, config=config, rows_by=rows_by, on_progress=stages
    )  # fmt: skip
    stages("end", 0, 0)
    report: dict[str, object] = {
        "terms": made.terminology.rows,
        "cpu_s": round(sum(stages.seconds.values()), 1),
        "stages": {stage: round(seconds, 1) for stage, seconds in stages.seconds.items()},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    for chosen in ("quaero train", "gsc"):
        mentions = mentions_of(chosen)
        places = ranks(ours(made, mentions), mentions.gold)
        report[chosen] = {f"R@{k}": round(float((places < k).mean()), 4) for k in KS}
    print(name, report, flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--only", nargs="*", default=list(CHOICES))
    chosen = parser.parse_args()
    store = ArtifactStore(chosen.artifacts)
    for name in chosen.only:
        save_part("medical_build", name, measured(name, store), config={"choices": CHOICES})


if __name__ == "__main__":
    main()
