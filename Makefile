# Two commands do all of it on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
VENV   ?= .venv
# A CPU build of torch, installed first, so that pip does not pull gigabytes of CUDA with it. For another build say so:
# make run TORCH="torch==2.13.0 --index-url <the index of your CUDA version>"
TORCH  ?= torch==2.13.0
# With HPO and ICD-10-CM: make run EXTRAS=encoders,training,dev,openvino,medical
EXTRAS ?= encoders,training,dev,openvino
PORT   ?= 8000
# Set to stop `make run` after the table.
ONCE   ?=

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One request, one thread: thread pools inside each other cost more than they give.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check install examples book lock audit sbom clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; say PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --editable ".[$(EXTRAS)]"
	@touch $@

run: $(INSTALLED)
	@$(BIN)/cognomen setup
	@$(BIN)/cognomen demo
ifeq ($(ONCE),)
	@echo
	@echo "Listening on http://127.0.0.1:$(PORT) (docs at /docs, Ctrl-C stops). Try, in another terminal:"
	@echo
	@$(BIN)/cognomen curl-examples --port $(PORT)
	@echo
	@$(BIN)/cognomen serve --port $(PORT) --log-format text
endif

test: $(INSTALLED)
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

examples: $(INSTALLED)
	@for file in examples/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# What the image installs, with hashes. After a change of dependencies; needs the network.
lock: $(INSTALLED)
	$(BIN)/pip install --quiet uv
	@echo "# Every package of the image with its hashes (default dependencies, extras jwt, openvino, otel, pg). Made by \`make lock\`." > deploy/requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
		--extra jwt --extra openvino --extra otel --extra pg >> deploy/requirements.lock

# Known weaknesses of what the image installs. Without the network it says so and fails nothing.
audit: $(INSTALLED)
	$(BIN)/pip install --quiet pip-audit
	$(BIN)/python scripts/audit.py deploy/requirements.lock

# A CycloneDX bill of what the image installs.
sbom: $(INSTALLED)
	$(BIN)/pip install --quiet cyclonedx-bom
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements deploy/requirements.lock --pyproject pyproject.toml --output-reproducible \
		--output-file dist/cognomen.cdx.json

# The documentation as a book, in build/book; it opens without a server.
book: $(INSTALLED)
	$(BIN)/pip install --quiet --editable ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

clean:
	rm -rf $(VENV)
