# One command checks everything, one runs one thing, one starts one thing. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

help:  ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or 3.12 is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
	  || { echo "Python 3.11 or 3.12 is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

setup: .venv/installed  ## Install everything, locked, into .venv

demo: setup  ## Land real deliveries, build every table, print the headline numbers and trace one of them
	$(BIN)/carbonlake demo

check: setup  ## ruff, mypy, import-linter, budgets of the design
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/python -m tests.budgets

test: setup  ## The test suite on the embedded engine
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not spark and not crash and not airflow and not stack and not corpus"

test-spark: setup  ## The tests that compare with Apache Spark (needs Java 17 or newer)
	$(BIN)/pytest -q -m spark

test-corpus: setup  ## Land and build every file of the reference data by the contracts that are proposed for it
	$(BIN)/pytest -q -m corpus -s

test-crash: setup  ## Kill builds and fetches, at named points and at random moments
	$(BIN)/pytest -q -m crash -s

test-stack: airflow  ## The tests on real servers, started from packages; docs/stack.md says what they need (TESTS=… for some)
	$(BIN)/pytest -q -s -m stack $(TESTS)

.venv-airflow/installed: requirements-airflow.lock pyproject.toml | setup
	$(PYTHON) -m venv .venv-airflow
	$(BIN)/uv pip sync --quiet --compile-bytecode --python .venv-airflow/bin/python requirements-airflow.lock
	$(BIN)/uv pip install --quiet --python .venv-airflow/bin/python --no-deps -e .
	@touch $@

airflow: .venv-airflow/installed  ## Install Airflow beside it all, locked, into .venv-airflow

test-airflow: airflow  ## The tests that run our DAGs on a real Airflow (needs PostgreSQL's package)
	.venv-airflow/bin/pytest -q -m airflow tests/dags

bench: setup  ## Side-by-side runs against doing it by hand
	$(BIN)/python -m benchmarks.run

bench-stack: airflow  ## What the real stack costs against running without it
	$(BIN)/python -m benchmarks.stack

.PHONY: help setup demo check test test-spark test-corpus test-crash test-stack airflow test-airflow bench bench-stack
