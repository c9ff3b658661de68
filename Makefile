# Every target brings up .venv by itself; `make` alone prints the help.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet
DEV := --extra dev --extra joblib --extra submitit --extra postgresql
EXTRAS := --extra ray --extra onnx --extra sklearn --extra safetensors --extra inspect --extra extras-dev
# PyTorch is in no lock file, for its builds differ by machine. The one without CUDA is gigabytes smaller; where its index
# cannot be reached, pip takes what it is set up to find.
INSTALL_TORCH = VIRTUAL_ENV="$$PWD/.venv" $(BIN)/uv pip install --quiet --torch-backend cpu torch==2.13.0 2>/dev/null || \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
# Where it is set, every process compiles MLflow's modules anew, which takes 10 s.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-extras setup-ray evaluate run sweep coverage landscape compare gate trend plan designs train until label predict reproduce export report ui test test-fast test-slow faults check format docs lock bench clean

help:  ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  ARGS="…" passes overrides on, e.g. make sweep ARGS="data=mnist draws=500"'

setup: $(READY)  ## install what the lock file names into .venv (done by every target)

# Python's venv refuses a colon: PATH, into which it would go, is divided by colons.
$(READY): requirements.lock uv.lock.txt pyproject.toml setup.py
	@case "$$PWD" in *:*) \
	  echo "The checkout's path must have no colon, for Python makes no environment there; found $$PWD: move it" >&2; exit 2;; esac
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python must be 3.11 or newer; found' "$$($(PYTHON) --version 2>&1)"'; name another with make PYTHON=python3.12' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' || \
	  { echo 'Python must have its venv module; install it (Debian: apt-get install python3-venv)' >&2; exit 2; }
	@echo 'Setting up .venv (once)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r uv.lock.txt
	@VIRTUAL_ENV="$$PWD/.venv" $(BIN)/uv pip sync --quiet --require-hashes uv.lock.txt requirements.lock
	@VIRTUAL_ENV="$$PWD/.venv" $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --offline --editable .
	@touch $@

setup-extras: .venv/.extras  ## add Ray, ONNX, skops, safetensors, Inspect and PyTorch to .venv (heavy, so not in setup)

setup-ray: .venv/.extras

# Older than .ready, whose making takes away what requirements.lock does not name, it is made again.
.venv/.extras: $(READY) requirements-extras.lock
	@VIRTUAL_ENV="$$PWD/.venv" $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock -r requirements-extras.lock
	@$(INSTALL_TORCH)
	@touch $@

evaluate: $(READY)  ## how good is the model on all rows, and how sure is that
	@$(BIN)/python -m pipeline evaluate $(ARGS)

run: $(READY)  ## draw batches of one size, and hold them against all rows: ARGS="batch_size=100 …"
	@$(BIN)/python -m pipeline run $(ARGS)

sweep: $(READY)  ## sweep the batch size, log to MLflow, end with a table
	@$(BIN)/python -m pipeline sweep $(ARGS)

coverage: $(READY)  ## how often each interval holds what it promises, by batch size
	@$(BIN)/python -m pipeline coverage $(ARGS)

until: $(READY)  ## evaluate rows until the intervals are narrow enough
	@$(BIN)/python -m pipeline until $(ARGS)

label: $(READY)  ## few labels, well chosen: which rows to label next, and what the labels say
	@$(BIN)/python -m pipeline label $(ARGS)

landscape: $(READY)  ## loss and accuracy while the parameters move along a line
	@$(BIN)/python -m pipeline landscape $(ARGS)

compare: $(READY)  ## how many examples each metric needs to see a small change
	@$(BIN)/python -m pipeline compare $(ARGS)

gate: $(READY)  ## is the candidate better, not worse, or worse: status 0; 3 or 4, for which make itself ends with 2
	@$(BIN)/python -m pipeline gate $(ARGS)

plan: $(READY)  ## how many examples are enough, for every design
	@$(BIN)/python -m pipeline plan $(ARGS)

designs: $(READY)  ## every design side by side, at one batch size
	@$(BIN)/python -m pipeline designs $(ARGS)

train: $(READY)  ## mini-batch learning with several batch sizes
	@$(BIN)/python -m pipeline train $(ARGS)

trend: $(READY)  ## the same model over weeks: has it changed? (an alarm: status 3, for which make itself ends with 2)
	@$(BIN)/python -m pipeline trend $(ARGS)

predict: $(READY)  ## write a model's predictions for all rows to a Parquet file
	@$(BIN)/python -m pipeline predict $(ARGS)

reproduce: $(READY)  ## run a recorded run again and say what is identical: RUN=id, or RUN=newest
	@$(BIN)/python -m pipeline reproduce run=$(RUN) $(ARGS)

export: $(READY)  ## pack a run (tables, plots, configurations) into one archive: RUN=id, or the newest
	@$(BIN)/python -m pipeline export $(if $(RUN),run=$(RUN)) $(ARGS)

report: $(READY)  ## write a run's report, to be sent, as HTML and Markdown: RUN=id, or the newest
	@$(BIN)/python -m pipeline report $(if $(RUN),run=$(RUN)) $(ARGS)

ui: $(READY)  ## open the MLflow dashboard on 127.0.0.1
	@$(BIN)/python -m pipeline ui $(ARGS)

# The numeric core: no process, no store.
FAST := tests/test_loss.py tests/test_accuracy.py tests/test_every_interval.py tests/test_every_metric.py tests/test_every_sampling.py \
  tests/interval tests/estimation tests/sampling tests/metric tests/records

test-fast: $(READY)  ## run the tests of the numeric core: no process, no store
	@$(BIN)/python -m pytest -m "not slow and not process" $(FAST) $(ARGS)

test: $(READY)  ## run the tests, all but the long simulations
	@$(BIN)/python -m pytest $(ARGS)

test-slow: $(READY)  ## run the long simulations
	@$(BIN)/python -m pytest -m slow $(ARGS)

faults: $(READY)  ## make real faults (kills, full disks, locks; hours), and write what they cost into docs/reliability.md
	@$(BIN)/python -m tests.faults $(ARGS)

check: $(READY)  ## ruff (lint and format) and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY) .venv/docs/.ready  ## build the site of docs/ into docs/_build/html
	@$(BIN)/python -m docs.reference
	@.venv/docs/bin/python -m sphinx --fail-on-warning --keep-going --quiet --fresh-env --builder html docs docs/_build/html
	@echo 'Open docs/_build/html/index.html'

# In an environment of its own: what builds the site is not what the program runs with.
.venv/docs/.ready: requirements-docs.lock $(READY)
	@test -x .venv/docs/bin/python || $(PYTHON) -m venv --without-pip .venv/docs
	@VIRTUAL_ENV="$(CURDIR)/.venv/docs" $(BIN)/uv pip sync --quiet --require-hashes requirements-docs.lock
	@touch $@

# Resolved with the extras first, and then without it under what was found: so both have the same versions of all else.
# requirements-extras.lock holds what requirements.lock has not.
lock: $(READY)  ## resolve the lock files again from pyproject.toml
	@cat requirements.lock requirements-extras.lock >.venv/.all.lock
	@$(COMPILE) pyproject.toml $(DEV) $(EXTRAS) --output-file .venv/.all.lock $(ARGS)
	@$(COMPILE) pyproject.toml $(DEV) --constraint .venv/.all.lock --output-file requirements.lock
	@awk 'FNR == 1 { file++ } /^[^ ]/ { kept = file == 2 && !($$0 in seen); if (file == 1) seen[$$0] } kept' \
	  requirements.lock .venv/.all.lock >requirements-extras.lock
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' | \
	  $(COMPILE) - --constraint .venv/.all.lock --output-file requirements-docs.lock
	@echo uv | $(COMPILE) - --output-file uv.lock.txt $(ARGS)

# DuckDB and Polars in a folder of their own: MLflow imports Polars where it can, and Polars takes Ctrl-C over.
.venv/.bench: $(READY)
	@$(INSTALL_TORCH)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target .venv/peers duckdb==2.0.1 polars==2.1.0
	@touch $@

# The small form needs no peers, so it installs none.
bench: $(if $(filter size=small,$(ARGS)),$(READY),.venv/.bench)  ## speed and memory against peers, as ratios (installs PyTorch, DuckDB, Polars; not with size=small)
	@PYTHONPATH=.venv/peers $(BIN)/python -m benchmarks $(ARGS)

clean:  ## remove .venv and everything generated (mlruns/ with all results)
	@rm -rf .venv docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find mlruns -mindepth 1 -not -name .gitkeep -delete
