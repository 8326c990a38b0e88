# The commands of the project. Each says what it does and how to go on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DO_NOT_TRACK := 1
export DAGSTER_HOME ?= $(CURDIR)/.dagster
export PYTHONPATH := $(CURDIR)
# Tools that start dbt look for it on the path.
export PATH := $(CURDIR)/$(BIN):$(PATH)

SIZE ?= 100k
PERSONS ?= 20000
TESTS ?= tests
# More than cores: tests wait for servers and for processes of their own.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup demo build test test-slow test-real faults lint format ui docs bench clean

help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

# The stamp depends on the lock file alone: the environment is made again when it changes. What is
# used is compiled when it is; to compile all of it was a quarter of the time.
$(VENV)/.installed: requirements.lock
	@echo "Setting up the Python environment in $(VENV) (one to two minutes with a cold cache) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; run: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@mkdir -p $(DAGSTER_HOME) data && cp orchestration/dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	@printf '#!/bin/sh\nexec "%s/python" -m orchestration.cli "$$@"\n' "$(CURDIR)/$(BIN)" > $(BIN)/cdp && chmod +x $(BIN)/cdp
	@touch $@

setup: $(VENV)/.installed  ## Make the Python environment
	@echo "Ready. Next: make demo"

demo: $(VENV)/.installed  ## Run the whole road on a made-up retailer (ORDERS=file.parquet for real orders)
	@$(BIN)/python -m orchestration.cli demo --persons $(PERSONS) $(if $(ORDERS),--orders $(ORDERS))

build: $(VENV)/.installed  ## Build and test all dbt models on what has been landed
	@mkdir -p data/warehouse
	@$(BIN)/dbt build --quiet && echo "Built. Next: make ui, or make docs"

test: $(VENV)/.installed  ## Run the tests (TESTS=path for some)
	@$(BIN)/python -m pytest -m "not slow" --numprocesses $(WORKERS) $(TESTS)

test-slow: $(VENV)/.installed  ## Run the long ones: histories, second engines, a run by Dagster
	@$(BIN)/python -m pytest -m slow --numprocesses $(WORKERS) $(TESTS)

REAL := tests/real_targets tests/destinations/test_s3.py tests/destinations/test_sftp.py tests/destinations/postgres

test-real: $(VENV)/.installed  ## Test syncs against real systems: PostgreSQL, SFTP, S3, Tryton (installs them)
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["real-targets"], sep="\n")' > $(VENV)/real-targets.txt
	@$(BIN)/python -m pip freeze --disable-pip-version-check > $(VENV)/present.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(VENV)/present.txt --requirement $(VENV)/real-targets.txt
	@CDP_REAL_TARGETS=1 $(BIN)/python -m pytest -v --durations=5 $(REAL)

faults: $(VENV)/.installed  ## Kill, race and disturb the sync engine at length (about an hour)
	@CDP_FAULTS=full $(BIN)/python -m pytest --capture=no tests/sync/test_kills.py tests/sync/test_races.py tests/sync/test_state_machine.py tests/sync/test_benchmark.py

# Read with the names of macros for what they write, twenty times as much SQL: the rules are about
# what is written here, and linting these took more than all the rest.
BY_NAME := models/staging/% %/int_identity__refusals_contradicted.sql
MODELS := $(wildcard models/*/*.sql models/*/*/*.sql)
SQLFLUFF := sqlfluff lint --processes 2 --disable-progress-bar

lint: $(VENV)/.installed  ## Check style, conventions and that dbt parses without warnings
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@mkdir -p data/warehouse
	@$(BIN)/dbt --quiet --warn-error parse --no-partial-parse
	@$(BIN)/$(SQLFLUFF) --templater jinja --ignore parsing,templating $(filter $(BY_NAME),$(MODELS))
	@$(BIN)/$(SQLFLUFF) $(filter-out $(BY_NAME),$(MODELS)) tests/singular
	@echo "Clean."

format: $(VENV)/.installed  ## Let ruff and sqlfluff put the style right
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --processes 2 --disable-progress-bar models tests/singular

ui: $(VENV)/.installed  ## Open Dagster on http://127.0.0.1:3000
	@mkdir -p $(DAGSTER_HOME) && cp orchestration/dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	@echo "Dagster on http://127.0.0.1:3000 (end with Ctrl-C)"
	@$(BIN)/dagster dev --host 127.0.0.1 --port 3000 --module-name orchestration.definitions

docs: $(VENV)/.installed  ## Write the catalogue of all tables to target/static_index.html
	@mkdir -p data/warehouse
	@$(BIN)/dbt docs generate --quiet --static && echo "Open target/static_index.html"

bench: $(VENV)/.installed  ## Time the build per layer (SIZE=20k, 100k, 1m)
	@$(BIN)/python -m benchmarks.build --size $(SIZE)

clean:  ## Remove what the commands made, the environment excepted
	@rm -rf target logs data .dagster
