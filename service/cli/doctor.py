"""What is installed, which device, what is ready, what is missing and the command that mends it."""

import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated, Final, Literal

import orjson
import typer
from packaging.requirements import Requirement
from rich.markup import escape
from rich.table import Table

from models.artifacts import ArtifactStore
from models.device import OPENVINO, choose_device, choose_engine, onnx_providers, openvino_precision
from models.encoders.library import EncoderLibrary
from models.errors import ModelError
from pipelines import registry
from pipelines.build import artifact_name, builds
from pipelines.errors import PipelineError
from pipelines.library import artifact_name as terminology_name
from pipelines.library import terminologies
from pipelines.spec import PipelineSpec
from service.cli.console import Artifacts, AsJson, out
from service.hosting import Hosting, read_hosting
from service.house import HouseBroken, check_house
from service.keys import KeyStore
from service.problems import Refusal
from service.settings import Settings, SettingsInvalid, read_settings

commands = typer.Typer()

_LITTLE_DISK: Final = 2 * 2**30
_MARKS: Final = {"ok": "[green]ok[/green]", "note": "[yellow]note[/yellow]", "bad": "[red]bad[/red]"}
_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        state: bad keeps the service from answering; a note is worth knowing.
        mend: the command that mends it, or "".
    """

    about: str
    state: Literal["ok", "note", "bad"]
    says: str
    mend: str = ""


@commands.command()
def doctor(
    verify: Annotated[bool, typer.Option("--verify", help="Check every artifact against its sha256 sums.")] = False,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Say what is installed and ready, what is missing, and the command that mends it. Exits 1 if something is bad."""
    found = list(examine(artifacts, verify=verify))
    if as_json:
        rows = [{"about": f.about, "state": f.state, "says": f.says, "mend": f.mend} for f in found]
        sys.stdout.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        table = Table("about", "", "what there is", "what mends it", title="cognomen doctor")
        for finding in found:
            table.add_row(finding.about, _MARKS[finding.state], escape(finding.says), escape(finding.mend))
        out.print(table)
    if any(finding.state == "bad" for finding in found):
        raise typer.Exit(1)


def examine(artifacts: Path | None, *, verify: bool = False) -> Iterator[Finding]:
    """Everything there is to say, in the order in which one would mend it."""
    yield from _installed()
    try:
        settings = read_settings(artifacts=artifacts)
    except SettingsInvalid as error:
        yield Finding("settings", "bad", str(error), "correct the variable; docs/api.md lists them")
        return
    yield Finding("settings", "ok", f"listens on {settings.host}:{settings.port}")
    yield from _device(settings)
    yield from _disk(settings)
    yield from _keys(settings)
    store = ArtifactStore(settings.artifacts)
    try:
        hosting = read_hosting(settings.pipelines_file)
    except SettingsInvalid as error:
        yield Finding("hosting", "bad", str(error), f"correct {settings.pipelines_file}")
        hosting = {}
    for spec in registry.specs().values():
        yield from _pipeline(spec, store, hosting.get(spec.slug, Hosting()))
    if not any(builds(spec, store=store) for spec in registry.specs().values()):
        yield Finding("builds", "bad", "nothing is built: there is nothing to serve", "cognomen setup")
    imported = terminologies(store)
    if imported:
        yield Finding("terminologies", "ok", ", ".join(imported))
    else:
        yield Finding("terminologies", "note", "none is imported", "cognomen import auto PATH --name NAME")
    yield _simulator()
    if verify:
        yield from _verified(store)


def _installed() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "ok", f"{python} at {sys.executable}")
    try:
        check_house()
    except HouseBroken as error:
        yield Finding("house", "bad", str(error), "remove the distribution that brings it")
    try:
        asked = [Requirement(line) for line in requires("cognomen") or []]
    except PackageNotFoundError:
        yield Finding("cognomen", "note", "runs from a checkout that is not installed", "pip install --editable .")
        return
    yield Finding("cognomen", "ok", version("cognomen"))
    by_extra: dict[str, list[Requirement]] = {}
    for requirement in asked:
        extra = _EXTRA.search(str(requirement.marker or ""))
        by_extra.setdefault(extra[1] if extra else "", []).append(requirement)
    for name, requirements in by_extra.items():
        yield _packages(name, [r for r in requirements if not r.marker or r.marker.evaluate({"extra": name})])


def _packages(extra: str, requirements: Sequence[Requirement]) -> Finding:
    """What of an extra is there; of the default dependencies where it is empty."""
    about = f"extra {extra}" if extra else "dependencies"
    mend = f"pip install 'cognomen[{extra}]'" if extra else "pip install --upgrade cognomen"
    lacking = [fault for requirement in requirements if (fault := _fault(requirement))]
    if not lacking:
        return Finding(about, "ok", f"all {len(requirements)} packages")
    says = f"{len(requirements) - len(lacking)} of {len(requirements)} packages; lacks {', '.join(lacking)}"
    return Finding(about, "note" if extra else "bad", says, mend)


def _fault(requirement: Requirement) -> str:
    try:
        there = version(requirement.name)
    except PackageNotFoundError:
        return requirement.name
    return "" if requirement.specifier.contains(there, prereleases=True) else f"{requirement} (has {there})"


def _device(settings: Settings) -> Iterator[Finding]:
    try:
        providers = onnx_providers(settings.device)
    except ModelError as error:
        yield Finding("device", "bad", str(error), "COGNOMEN_DEVICE=auto, or pip install 'cognomen[gpu]'")
        return
    yield Finding("device", "ok", f"{settings.device}: encoders run by {', '.join(providers)}")
    if providers == ["CPUExecutionProvider"]:
        yield _engine(settings)
    try:
        chosen = choose_device("auto")
    except ModelError as error:
        yield Finding("training", "note", str(error))
        return
    if chosen.startswith("cuda") and not any("CUDA" in provider for provider in providers):
        yield Finding(
            "gpu", "note", f"there is {chosen}, and this onnxruntime does not use it", "pip install 'cognomen[gpu]'"
        )


def _engine(settings: Settings) -> Finding:
    """What computes encoders on the CPU."""
    try:
        engine = choose_engine(settings.encoder_engine, device="cpu")
    except ModelError as error:
        return Finding("engine", "bad", str(error), "pip install 'cognomen[openvino]', or COGNOMEN_ENCODER_ENGINE=auto")
    precision = f" in {openvino_precision()}" if engine == OPENVINO else ""
    return Finding("engine", "ok", f"{settings.encoder_engine}: encoders run by {engine}{precision} on the CPU")


def _disk(settings: Settings) -> Iterator[Finding]:
    for about, folder in (("artifacts", settings.artifacts), ("data", settings.data)):
        there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        free = shutil.disk_usage(there).free
        says = f"{folder.absolute()}{'' if folder.exists() else ' (made when needed)'}, {free / 2**30:.1f} GiB free"
        if not _writable(there):
            state: Literal["bad", "note"] = "bad" if about == "data" else "note"
            yield Finding(about, state, f"{says}, not writable", f"chown or chmod {there}")
        else:
            yield Finding(about, "note" if free < _LITTLE_DISK else "ok", says)


def _writable(folder: Path) -> bool:
    # Asked by writing: a read-only mount and root's privileges both deceive os.access.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _keys(settings: Settings) -> Iterator[Finding]:
    make = "cognomen keys create --name me --scope admin"
    try:
        keys = KeyStore(settings.data, secret_file=settings.keys_secret_file).all()
    except Refusal as error:
        yield Finding("keys", "bad", error.detail, "restore the files of keys from the backup")
        return
    if keys or settings.jwt_key_file is not None:
        tokens = " and a gateway's tokens" if settings.jwt_key_file is not None else ""
        yield Finding("keys", "ok", f"{len(keys)} live{tokens}")
    elif settings.keys_required:
        yield Finding("keys", "bad", "none, and every request needs one", make)
    else:
        yield Finding("keys", "ok", "none; none is needed on loopback")
    secret = settings.keys_secret_file or settings.data / "keys.secret"
    if secret.exists() and stat.S_IMODE(secret.stat().st_mode) & 0o077:
        yield Finding("keys", "note", "others on this machine can read the secret of the keys", f"chmod 600 {secret}")


def _pipeline(spec: PipelineSpec, store: ArtifactStore, hosting: Hosting) -> Iterator[Finding]:
    """Its encoder, its builds, and what the operator's file asks for."""
    if not hosting.hosted:
        yield Finding(spec.slug, "ok", "taken off by the operator's file")
        return
    encoder = spec.config().encoder
    missing = EncoderLibrary(store, device="cpu").missing(encoder)
    if missing:
        mend = f"cognomen models prepare {' '.join(missing)}"
        yield Finding(f"{spec.slug}: encoder", "note", f"{encoder}: not prepared: {', '.join(missing)}", mend)
    else:
        yield Finding(f"{spec.slug}: encoder", "ok", encoder)
    built = builds(spec, store=store)
    if not built:
        mend = "cognomen setup" if spec.starter is not None else f"cognomen build {spec.slug} --terminology NAME"
        yield Finding(f"{spec.slug}: builds", "note", "none: it is not served", mend)
    for terminology in built:
        yield _guarded(f"{spec.slug}: {terminology}", _said_of_build(spec, terminology, store))
    wanted = {*(hosting.terminologies or []), *filter(None, [hosting.terminology])}
    for terminology in sorted(wanted - {*built}):
        known = store.exists(terminology_name(terminology))
        mend = f"cognomen build {spec.slug} --terminology {terminology}"
        says = "to be hosted, but not built" if known else "to be hosted, but not even imported"
        yield Finding(f"{spec.slug}: {terminology}", "bad", says, mend if known else f"cognomen import …; {mend}")


def _said_of_build(spec: PipelineSpec, terminology: str, store: ArtifactStore) -> Callable[[], str]:
    def says() -> str:
        manifest = store.manifest(artifact_name(spec, terminology))
        size = sum(entry.size for entry in manifest.files.values()) / 1e6
        return f"generation {manifest.generation}, {size:.0f} MB"

    return says


def _simulator() -> Finding:
    found = shutil.which("ngspice")
    if found:
        return Finding("ngspice", "ok", f"{found}: SPICE cards can be checked by simulation")
    return Finding("ngspice", "note", "not installed: SPICE cards are not simulated", "apt-get install ngspice")


def _verified(store: ArtifactStore) -> Iterator[Finding]:
    for name in store.names():

        def says(name: str = name) -> str:
            with store.open(name) as artifact:
                current = store.current(name)
                if artifact.generation != current:
                    return f"the current generation is damaged; {artifact.generation} answers in its place"
            return "every file is as it was written"

        yield _guarded(name, says)


def _guarded(about: str, says: Callable[[], str]) -> Finding:
    """What is said of an artifact, or why it cannot be opened."""
    try:
        said = says()
    except (ModelError, PipelineError, OSError) as error:
        return Finding(about, "bad", str(error), "build, import or prepare it again")
    return Finding(about, "note" if "damaged" in said else "ok", said)
