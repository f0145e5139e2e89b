# Everything is installed into .venv from requirements.lock; nothing else is needed than Python 3.11+, make and git.
PYTHON ?= python3
BIN := .venv/bin
HOME_FOLDER ?= .hikkoshi
export UV_COMPILE_BYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench scale-test ui docs lock clean

help:  ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.installed .venv/.compiled  ## Install everything into .venv

.venv/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Hikkoshi needs Python 3.11 or later: make PYTHON=python3.12'; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements-uv.lock
	@echo 'Installing the locked packages into .venv (about 1 GB, once)'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.compiled: .venv/.installed $(shell find extractors -name '*.py')
	@$(BIN)/python -m dags.inspection.compiled
	@touch $@

demo: setup  ## Move three invented municipalities end to end, through Airflow
	@$(BIN)/python -m dags.server.demo

test: setup lint  ## Run every check and every test
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.installed  ## ruff, mypy, import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: setup  ## Measure, each figure beside a limit in the same run (ten minutes)
	@$(BIN)/python -m tests.benchmarks

scale-test: .venv-scale/.installed  ## The same DAGs under CeleryExecutor, a worker killed meanwhile (ARGUMENTS='--residents 200000')
	@.venv-scale/bin/python -m tests.scale $(ARGUMENTS)

.venv-scale/.installed: .venv/.installed requirements-scale.lock pyproject.toml
	@test -x .venv-scale/bin/python || $(BIN)/python -m venv .venv-scale
	@echo 'Installing the locked packages for Celery into .venv-scale (about 1 GB, once)'
	@$(BIN)/uv pip install --quiet --python .venv-scale/bin/python --require-hashes --requirement requirements-scale.lock
	@$(BIN)/uv pip install --quiet --python .venv-scale/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

ui: setup  ## Airflow with these DAGs on localhost (PORT=8280 where 8180 is taken)
	@$(BIN)/python -m dags.server.standalone $(if $(PORT),--port $(PORT))

docs: setup  ## Write the reference pages that are made from the code
	@$(BIN)/python -m docs.generate.reference

lock:  ## Compile the lock again
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --group dev pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --group scale --constraint requirements.lock pyproject.toml --output-file requirements-scale.lock

clean:  ## Remove what make has made, the embedded data centre too
	@-test -x $(BIN)/hikkoshi && $(BIN)/hikkoshi stop --delete
	@rm -rf .venv .venv-scale $(HOME_FOLDER) extractors/__pycache__/kernels-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
