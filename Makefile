# Everything a newcomer needs. `make` prints what there is.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
LOCK ?= requirements.lock
# A test waits as well as it works, so there is one worker more than processors.
WORKERS := $(shell python3 -c 'import os; print((os.cpu_count() or 1) + 1)')
READY := $(VENV)/.ready-$(notdir $(patsubst %/,%,$(dir $(abspath $(LOCK)))))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test check lab notebooks bench soak clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) \
	  | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## Make the virtual environment (again if the lock file changed)

$(READY): $(LOCK) pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: $$(python3 --version)"; exit 1; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "python3 cannot make virtual environments; install it with:"; \
	       echo "  apt-get install python3-venv"; exit 1; }
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r $(LOCK)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Choose an option and run options 1 to 3 against a sandbox tenant
	$(BIN)/runbook demo

test: setup ## Run the tests (under 5 minutes, offline)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not ci and not ui"

check: setup ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layers.py tests/test_style.py

lab: setup ## Open the notebooks in JupyterLab, with a sandbox beside them
	$(BIN)/runbook lab

notebooks: setup ## Run the committed notebooks again and store their outputs
	$(BIN)/python -m tests.committed_notebooks

bench: setup ## Run the benchmarks; they write docs/performance.md
	$(BIN)/pytest -q tests/benchmarks
	$(BIN)/python -m tests.benchmarks $(ARGS)

soak: setup ## Run a long test by name: make soak NAME=...
	$(BIN)/pytest -q tests/soak -k "$(NAME)"

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
