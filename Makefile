# muniment: every command makes its own virtual environment from hashed requirements.
# Needs nothing but Python >= 3.11 (with venv), git and make. `make help` lists the commands.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal
CORE   := $(VENV)/core.stamp
DEV    := $(VENV)/dev.stamp
BENCH  := $(VENV)/bench.stamp
export PYTHONDONTWRITEBYTECODE ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo check test soak bench bench-watch compile docs clean requirements static lint types imports budgets mirror pages

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 24

demo: $(CORE) ## a synthetic register, 200 copies, three leaked files and their verdicts
	$(BIN)/muniment demo $(ARGS)

test: static ## all checks, and every test but the long ones
	$(PYTEST) -m "not soak" $(ARGS)

check: static ## all checks, and the tests that need no server
	$(PYTEST) -m "not live and not soak" $(ARGS)

static: lint types imports budgets mirror pages ## lint, types, import rules, budgets, mirror, reference pages

lint: $(DEV)
	$(BIN)/ruff check
types: $(DEV)
	$(BIN)/mypy
imports: $(DEV)
	$(BIN)/lint-imports --no-cache
budgets: $(DEV)
	$(BIN)/python tools/budgets.py
mirror: $(DEV)
	$(BIN)/python tools/mirror.py
pages: $(DEV)
	$(BIN)/python tools/docs_cli.py --check

soak: $(DEV) ## the tests that take minutes
	$(PYTEST) -m soak $(ARGS)

bench: $(DEV) ## one measurement for each claim; writes bench/RESULTS.md
	$(BIN)/python bench/run.py $(ARGS)

bench-watch: $(BENCH) ## watch against its baselines (installs PyOD, 320 MB); writes bench/watch/RESULTS.md
	PYTHONPATH=bench:src $(BIN)/python -m watch.run $(ARGS)

compile: $(DEV) ## the gate's hot loops as native code, in place (needs a C compiler); undo: make compile ARGS=--remove
	$(BIN)/python tools/compile.py $(ARGS)

docs: $(DEV) ## write the reference pages anew (docs/cli.md)
	$(BIN)/python tools/docs_cli.py

clean: ## remove the environment and every cache
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- environment -----------------------------------------------------------------------------------------------
# A stamp is written last, so an interrupted install is done again. dev.txt holds all of core.txt.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "muniment needs Python 3.11 or newer; say which one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(CORE): requirements/core.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/core.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt requirements/core.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(CORE) $@

$(BENCH): requirements/bench.txt $(DEV)
	$(PIP) install --require-hashes -r requirements/bench.txt
	@touch $@

# For maintainers, after a change of dependencies: needs uv. No registry address may enter the files.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
           --no-header --no-annotate --no-emit-index-url --no-emit-find-links

requirements:
	$(COMPILE) pyproject.toml --extra demo --extra gate --extra exposure requirements/core.in -o requirements/core.txt
	$(COMPILE) pyproject.toml --extra demo --extra gate --extra exposure --extra privacy requirements/core.in \
	  requirements/dev.in -c requirements/core.txt -o requirements/dev.txt
	$(COMPILE) requirements/bench.in -c requirements/dev.txt -o requirements/bench.txt
	@! grep -n '://' requirements/*.txt
