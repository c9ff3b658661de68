# Every target brings up .venv by itself; `make` alone prints the help.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet
DEV := --extra dev --extra joblib --extra submitit --extra postgresql
EXTRAS := --extra ray --extra onnx --extra sklearn --extra safetensors --extra inspect --extra extras-dev
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.DEFAULT_GOAL := help
.PHONY: help setup setup-extras setup-ray run sweep coverage landscape compare plan designs train until reproduce export ui test test-slow check format lock bench clean

help:  ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  ARGS="…" passes overrides on, e.g. make sweep ARGS="data=mnist draws=500"'

setup: $(READY)  ## install what the lock file names into .venv (done by every target)

$(READY): requirements.lock uv.lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python must be 3.11 or newer; found' "$$($(PYTHON) --version 2>&1)"'; name another with make PYTHON=python3.12' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' || \
	  { echo 'Python must have its venv module; install it (Debian: apt-get install python3-venv)' >&2; exit 2; }
	@echo 'Setting up .venv (once)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r uv.lock.txt
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip sync --quiet --require-hashes uv.lock.txt requirements.lock
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --offline --editable .
	@touch $@

setup-extras: .venv/.extras  ## add Ray, ONNX, skops, safetensors and Inspect to .venv (heavy, so not in setup)

setup-ray: .venv/.extras

# Older than .ready, whose making takes away what requirements.lock does not name, it is made again.
.venv/.extras: $(READY) requirements-extras.lock
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock -r requirements-extras.lock
	@touch $@

run: $(READY)  ## evaluate one cell: ARGS="batch_size=100 …"
	@$(BIN)/python -m pipeline $(ARGS)

sweep: $(READY)  ## sweep the batch size, log to MLflow, end with a table
	@$(BIN)/python -m pipeline --multirun +experiment=sweep $(ARGS)

coverage: $(READY)  ## how often each interval holds what it promises, by batch size
	@$(BIN)/python -m pipeline --multirun +experiment=coverage $(ARGS)

until: $(READY)  ## evaluate rows until the intervals are narrow enough
	@$(BIN)/python -m pipeline +experiment=until $(ARGS)

landscape: $(READY)  ## loss and accuracy while the parameters move along a line
	@$(BIN)/python -m pipeline --multirun +experiment=landscape $(ARGS)

compare: $(READY)  ## how many examples each metric needs to see a small change
	@$(BIN)/python -m pipeline --multirun +experiment=compare $(ARGS)

plan: $(READY)  ## how many examples are enough, for every design
	@$(BIN)/python -m pipeline +experiment=plan $(ARGS)

designs: $(READY)  ## every design side by side, at one batch size
	@$(BIN)/python -m pipeline +experiment=designs $(ARGS)

train: $(READY)  ## mini-batch learning with several batch sizes
	@$(BIN)/python -m pipeline --multirun +experiment=train $(ARGS)

reproduce: $(READY)  ## run a recorded cell again and say what is identical: RUN=id
	@$(BIN)/python -m pipeline.reproduce run=$(RUN) $(ARGS)

export: $(READY)  ## pack the newest sweep (table, plots, configurations) into one archive
	@$(BIN)/python -m pipeline.export $(ARGS)

ui: $(READY)  ## open the MLflow dashboard on 127.0.0.1
	@$(BIN)/python -m pipeline.dashboard $(ARGS)

test: $(READY)  ## run the tests
	@$(BIN)/python -m pytest $(ARGS)

test-slow: $(READY)  ## run the long simulations
	@$(BIN)/python -m pytest -m slow $(ARGS)

check: $(READY)  ## ruff (lint and format) and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Resolved with the extras first, and then without it under what was found: so both have the same versions of all else.
# requirements-extras.lock holds what requirements.lock has not.
lock: $(READY)  ## resolve the lock files again from pyproject.toml
	@cat requirements.lock requirements-extras.lock >.venv/.all.lock
	@$(COMPILE) pyproject.toml $(DEV) $(EXTRAS) --output-file .venv/.all.lock $(ARGS)
	@$(COMPILE) pyproject.toml $(DEV) --constraint .venv/.all.lock --output-file requirements.lock
	@awk 'FNR == 1 { file++ } /^[^ ]/ { kept = file == 2 && !($$0 in seen); if (file == 1) seen[$$0] } kept' \
	  requirements.lock .venv/.all.lock >requirements-extras.lock
	@echo uv | $(COMPILE) - --output-file uv.lock.txt $(ARGS)

# DuckDB and Polars in a folder of their own: MLflow imports Polars where it can, and Polars takes Ctrl-C over.
.venv/.bench: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target .venv/peers duckdb==2.0.1 polars==2.1.0
	@touch $@

bench: .venv/.bench  ## speed and memory against peers, as ratios (installs PyTorch, DuckDB, Polars)
	@PYTHONPATH=.venv/peers $(BIN)/python -m benchmarks $(ARGS)

clean:  ## remove .venv and everything generated (mlruns/ with all results)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find mlruns -mindepth 1 -not -name .gitkeep -delete
