"""What the machine decides. The only reader of the environment: every `COGNOMEN_*` variable is a field here."""

import difflib
import ipaddress
import os
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "COGNOMEN_"


class SettingsInvalid(ValueError):
    """A setting that cannot be used; the message is one line and names the variable, never its value."""


class Settings(BaseSettings):
    """Settings of one process. Each comment says where its default comes from."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on. Beyond loopback, API keys are required.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    root_path: str = Field("", pattern="^(/.*[^/])?$", description="Prefix that a gateway strips: /names.")
    artifacts: Path = Field(Path("artifacts"), description="Where builds and encoders rest.")
    data: Path = Field(Path("data"), description="Where files, jobs and what users say are kept, beside artifacts.")
    pipelines_file: Path = Field(Path("deploy/pipelines.toml"), description="What is hosted, the operator's file.")
    pgvector_url: str | None = Field(None, description="PostgreSQL with pgvector, for collections kept there.")
    milvus_url: str | None = Field(None, description="Milvus, for collections kept there: http://host:19530.")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="Where encoders run.")
    threads: int = Field(
        1, ge=1, le=256, description="Threads per encoder (FINDINGS: two collapse on a contended box)."
    )
    encoder_engine: Literal["auto", "onnxruntime", "openvino"] = Field(
        "auto", description="What computes on a CPU; auto: OpenVINO where it is installed and the CPU has bfloat16."
    )
    workers: int = Field(1, ge=1, le=64, description="Batches computed at the same time (guess).")
    max_body_bytes: int = Field(8 * 2**20, ge=1024, description="Larger bodies are answered 413 (guess).")
    body_timeout_s: float = Field(
        30.0, gt=0, le=3600, description="Longest wait for the next piece of a body, then 408 (guess)."
    )
    datasheet_max_bytes: int = Field(20 * 2**20, ge=1024, description="Larger PDFs are answered 413 (guess).")
    datasheet_max_pages: int = Field(60, ge=1, le=5000, description="Pages read from the front of a PDF (guess).")
    datasheet_wall_s: float = Field(
        20.0, gt=0, le=3600, description="Longest the reading of a PDF may take; six times that for scans (guess)."
    )
    datasheet_workers: int = Field(1, ge=1, le=64, description="PDFs read at the same time (guess).")
    datasheet_queue: int = Field(4, ge=0, le=1024, description="PDFs that may wait; beyond it 503 (guess).")
    datasheet_keep_s: float = Field(3600.0, ge=0, description="How long a PDF's text is kept for `document_id`.")
    datasheet_keep_bytes: int = Field(
        256 * 2**20, ge=0, description="Memory for kept PDFs; the longest unused goes first (guess)."
    )
    llm_base_url: str | None = Field(
        None, pattern="^https?://", description="OpenAI-compatible endpoint, up to /v1; none: no language model."
    )
    llm_model: str = Field("default", description="The model's name there.")
    llm_api_key: SecretStr | None = Field(None, description="Its bearer token.")
    llm_timeout_s: float = Field(20.0, gt=0, le=600, description="For one question (guess).")
    llm_retries: int = Field(2, ge=0, le=10, description="For answers that are no JSON (guess).")
    spice_simulate: bool = Field(True, description="Check SPICE cards with ngspice where it is installed.")
    max_file_bytes: int = Field(2 * 2**30, ge=1024, description="Larger uploads are answered 413 (guess).")
    max_files_bytes: int = Field(64 * 2**30, ge=1024, description="All files together; beyond it 503 (guess).")
    files_kept_s: float = Field(30 * 86_400.0, ge=60, description="Files and finished jobs older than this go (guess).")
    jobs_url: str | None = Field(
        None,
        pattern=r"^(postgresql|sqlite:///)",
        description="PostgreSQL URL of a queue that several replicas share. Default: SQLite below COGNOMEN_DATA.",
    )
    job_workers: int = Field(1, ge=0, le=16, description="Processes that do jobs while there are any; 0: others do.")
    job_nice: int = Field(10, ge=0, le=19, description="How far jobs stand back behind requests (guess; 19 starves).")
    max_batch_tokens: int = Field(2048, ge=16, description="Padded tokens in a batch (FINDINGS, prototype).")
    max_batch_items: int = Field(256, ge=1, description="Items in a batch (guess).")
    queue_tokens: int = Field(
        32_768,
        ge=16,
        description="Tokens that may wait; beyond it 503. Seconds you can wait × tokens per second × 0.5 (FINDINGS).",
    )
    queue_s: float = Field(
        5.0,
        gt=0,
        le=3600,
        description="Seconds within which what is let in can be expected to be answered; beyond it 503 (guess).",
    )
    request_timeout_s: float = Field(
        30.0, gt=0, le=3600, description="Longest a request may take; x-request-timeout-ms shortens it (guess)."
    )
    drain_s: float = Field(
        5.0,
        ge=0,
        le=600,
        description="After SIGTERM /readyz says 503 this long, then the listener closes (guess).",
    )
    require_all_builds: bool = Field(
        False, description="Not ready while a build cannot be opened; else the others are served."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")
    log_format: Literal["json", "text"] = Field("json", description="One JSON object a line, or text for a person.")
    otlp_endpoint: str | None = Field(
        None, pattern="^https?://", description="Where traces go: http://collector:4318; needs the extra otel."
    )
    docs: bool = Field(True, description="Serve /docs and /openapi.json.")
    console: bool = Field(True, description="Serve /console.")
    probes_from: str = Field(
        "0.0.0.0/0, ::/0", description="Networks from which /healthz, /readyz and /metrics need no key."
    )
    require_keys: bool = Field(False, description="Ask for API keys on loopback too; beyond it they always are.")
    keys_secret_file: Path | None = Field(
        None,
        description="What keys are hashed with; default: keys.secret below COGNOMEN_DATA, made if need be.",
    )
    rate_limit: str = Field("", description="Requests of one key in a time: 600/minute. Empty: no limit.")
    jwt_key_file: Path | None = Field(
        None, description="Takes tokens that a gateway signs: its public key, PEM (HS256: the secret)."
    )
    jwt_algorithm: Literal["RS256", "ES256", "EdDSA", "HS256"] = Field(
        "RS256", description="The one algorithm those tokens may be signed with."
    )
    jwt_audience: str = Field("cognomen", description="What `aud` of those tokens must be.")
    jwt_issuer: str | None = Field(None, description="What `iss` of those tokens must be; default: any.")
    metrics_open: bool = Field(True, description="Serve /metrics to every address; else to loopback only.")

    @property
    def keys_required(self) -> bool:
        """Whether every request needs an API key."""
        return self.require_keys or not self.loopback

    @property
    def engines(self) -> dict[str, str]:
        """Engine → where it listens, for those that somebody set up."""
        said = {"pgvector": self.pgvector_url, "milvus": self.milvus_url}
        return {engine: url for engine, url in said.items() if url}

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service; without API keys nothing else may be listened on."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_settings(**overrides: object) -> Settings:
    """The settings of this process: overrides, then `COGNOMEN_*`, then defaults.

    Args:
        overrides: what the command line says; None stands for "not said".

    Raises: SettingsInvalid for a variable that is no setting (a typing error) or a value that cannot be used.
    """
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            near = difflib.get_close_matches(variable.upper(), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; docs/api.md lists them"
            raise SettingsInvalid(f"{variable} is no setting{hint}")
    said = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**said)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsInvalid("; ".join(_one_line(error))) from None


def _one_line(error: ValidationError) -> list[str]:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return [f"{PREFIX}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}" for fault in faults]
