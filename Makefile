# A new machine needs two commands: `make run` and `make test`. Both create .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One worker per core, four at most: a worker needs a gigabyte. One worker runs a whole module, so that the fixtures of the
# module are made once. Modules run in the order of their names, because the first folders take longest.
ON_ALL_CORES := --numprocesses=logical --maxprocesses=4 --dist=loadscope --no-loadscope-reorder
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false
# Without its cache Python compiles every module again in every command and in every worker.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test test-slow test-all test-next test-spark lint dev check reference samples open-data

help:                ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed; name it: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup: $(READY)      ## create .venv, with every package pinned by hash

run: $(READY)        ## run the nightly job on the shipped samples
	$(BIN)/triple-aim run

test: $(READY)       ## run the tests on all cores; those on real data are skipped without ../shared/data
	$(BIN)/python -m pytest $(ON_ALL_CORES) -m "not slow"

test-slow: $(READY)  ## run the benchmarks and soaks, which make test leaves out, and properties with more examples
	$(BIN)/python -m pytest $(ON_ALL_CORES) -m slow
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest $(ON_ALL_CORES) tests/property

test-all: $(READY)   ## run all tests, also the slow ones, with more examples of properties
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest $(ON_ALL_CORES)

test-next: $(READY)  ## run the SQL tests on the next DuckDB, the next version of the lock
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --require-hashes --target $(VENV)/next --requirement requirements-next.lock
	PYTHONPATH=$(VENV)/next $(BIN)/python -m pytest tests/sql

test-spark: $(READY) ## run the SQL up to the cubes on pysail and, with Java, on Spark's own server and two workers
	@mkdir -p $(VENV)/spark
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --require-hashes --target $(VENV)/spark/client --requirement requirements-spark.lock
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --require-hashes --no-build-isolation --target $(VENV)/spark/server --requirement requirements-spark-test.lock
	SPARK_HOME=$(CURDIR)/$(VENV)/spark/server/pyspark PYTHONPATH=$(VENV)/spark/client:$(VENV)/spark/server $(BIN)/python -m pytest tests/spark -k "$(ONLY)"

lint: $(READY)       ## check style, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: $(READY)      ## check all content: contracts, specs, SQL, reference tables
	$(BIN)/triple-aim check

dev: $(READY)        ## serve the Dagster web UI, on this machine only
	DAGSTER_HOME=$(CURDIR)/work/dagster sh -c 'mkdir -p $$DAGSTER_HOME && cp pipelines/dagster.yaml $$DAGSTER_HOME/ && exec $(BIN)/dagster dev --workspace workspace.yaml --host 127.0.0.1'

reference: $(READY)  ## write docs/reference and the JSON schemas
	$(BIN)/python -m triple_aim.reference_docs

samples: $(READY)    ## write the synthetic samples
	$(BIN)/triple-aim samples data_samples

open-data: $(READY)  ## run the job on the real open data in ../shared/data
	$(BIN)/triple-aim run --config benchmarks/open_data.toml
