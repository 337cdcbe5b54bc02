# Two commands on a fresh machine: `make demo` and `make test`. Both set up what they need, in .venv, from the package registry.

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is really there, is 3.11 or newer, and can make virtual environments.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint types imports unit torture bench readme lock clean

demo: $(VENV)/run
	@$(BIN)/migrator demo

test: lint types imports unit

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

imports: $(VENV)/dev
	$(BIN)/lint-imports
	$(BIN)/deptry .

unit: $(VENV)/dev
	@$(BIN)/python -m compileall -q migrator tests  # once, where Python is told to keep none: the tests start it thousands of times
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --collect-only --quiet >/dev/null 2>&1 || true  # so are the tests: what is wrong, the run says
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses 8 --dist worksteal  # most wait for real processes and pauses

# What a migration night brings, at length: kills, limits, memory. Prints figures.
torture: $(VENV)/dev
	$(BIN)/python -m tests.torture

# What it takes, beside what people would use instead: under ten minutes. Prints figures, and where they are kept.
bench: $(VENV)/dev
	@$(BIN)/python -m compileall -q migrator tests
	$(BIN)/python -m tests.bench

# Puts the present help texts into the README.
readme: $(VENV)/dev
	$(BIN)/python -m tests.test_readme

# What the job and the sandbox need, at the locked versions.
$(VENV)/run: .requirements/run.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer, with venv, is needed: install it, or name it with make PYTHON=…" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) …"
	@$(PIP) install --require-hashes -r $<
	@$(PIP) install --no-deps -e .
	@touch $@

# That, and what checks it.
$(VENV)/dev: .requirements/dev.txt $(VENV)/run
	@$(PIP) install --require-hashes -r $<
	@touch $@

# Renews the locked versions; needs uv.
lock:
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra web --extra sql pyproject.toml -o .requirements/run.txt
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra web --extra sql --group dev -c .requirements/run.txt pyproject.toml -o .requirements/dev.txt

clean:
	rm -rf $(VENV) demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
