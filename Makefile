# Every target sets up all that it needs; the two that a newcomer wants are `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
UV_VERSION := 0.13.8
# never fetch an interpreter behind the user's back
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
VENV := .venv
BIN := $(VENV)/bin
# the oldest Kubernetes that is offered
OLDEST := 1.32
UV := .tools/uv/bin/uv
# folders of integration tests wait more than they work
SIDE_BY_SIDE := -n 3

.PHONY: help setup binaries binaries-tests binaries-oldest demo test unit integration skew test-skew chaos bench image e2e e2e-programs lint fix lock clean

help: ## Show the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Create .venv with nestling and vcluster in it

$(UV):
	@echo "setup: installing uv $(UV_VERSION) into .tools/"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Set PYTHON=…") if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -m venv .tools/uv
	@.tools/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.ready: requirements.lock pyproject.toml | $(UV)
	@echo "setup: installing the locked dependencies into $(VENV)/"
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@# compiled once here, so that commands start fast even where Python must not write bytecode
	@$(BIN)/python -m compileall -q -j 0 src $(VENV)/lib >/dev/null || true
	@touch $@

binaries: setup ## Fetch or build the stock Kubernetes binaries (minutes, once)
	@$(BIN)/nestling binaries fetch

demo: binaries ## Create a virtual cluster on the embedded host, show both sides, clean up
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

binaries-oldest: setup
	@$(BIN)/nestling binaries fetch --kubernetes-version $(OLDEST)

test: lint unit integration skew e2e ## Run all checks and tests

unit: setup ## Unit and property tests
	@$(BIN)/pytest tests/unit -n 2 -q

# what only tests need: built here and not inside a test, which has a time limit
binaries-tests: binaries
	@$(BIN)/nestling binaries fetch helm coredns
	@$(BIN)/nestling binaries fetch kine || echo "without kine (it needs a C compiler) the tests of databases are skipped"

integration: binaries-tests ## Tests against real etcd, kube-apiserver, controller-manager, scheduler and kwok
	@$(BIN)/pytest tests/integration $(SIDE_BY_SIDE) -q

# what depends on versions: the syncer with all kinds, and what users do
SKEWED := tests/integration/syncer tests/integration/seeds

skew: binaries binaries-oldest ## The oldest tenant on the newest host
	@NESTLING_TEST_TENANT_KUBERNETES=$(OLDEST) $(BIN)/pytest $(SKEWED) $(SIDE_BY_SIDE) -q

test-skew: binaries-tests binaries-oldest ## All integration tests with the oldest tenant, and with the oldest host
	@NESTLING_TEST_TENANT_KUBERNETES=$(OLDEST) $(BIN)/pytest tests/integration $(SIDE_BY_SIDE) -q
	@NESTLING_TEST_KUBERNETES=$(OLDEST) $(BIN)/pytest tests/integration $(SIDE_BY_SIDE) -q

chaos: binaries ## Faults for minutes or hours: NESTLING_CHAOS_SECONDS each, NESTLING_CHAOS_SEED replays (docs/faults.md)
	@$(BIN)/pytest tests/chaos -q -s --show-capture=no

bench: binaries ## Virtual against direct to the host, ten minutes; then `python -m bench.report` writes docs/performance.md
	@$(BIN)/python -m bench --json .bench/last.json

image: setup | $(UV) ## Make the container images in .images/, without a registry (docs/image.md)
	@$(BIN)/python -m images

# builds for half an hour, once; and not at all where no real node can be
e2e: setup ## Tests on a real node, as root
	@if why=$$($(BIN)/python -m tests.support.node 2>&1); then $(MAKE) --no-print-directory e2e-programs; else echo "e2e: skipped: $$why"; fi
	@$(BIN)/pytest tests/e2e -q -rs

e2e-programs: image binaries-tests binaries-oldest
	@$(BIN)/python -m images --kubernetes-version $(OLDEST) --also ghcr.io/loft-sh/kubernetes:v1.32.1
	@$(BIN)/nestling binaries fetch --node

lint: setup ## Formatting, lint, types, layers
	@$(BIN)/ruff format --check src tests
	@$(BIN)/ruff check src tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: setup ## Format and mend what can be mended
	@$(BIN)/ruff format src tests
	@$(BIN)/ruff check --fix src tests

lock: $(UV) ## Write requirements.lock anew from pyproject.toml
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--group dev pyproject.toml -o requirements.lock

clean: ## Remove what set-up made in this folder
	@rm -rf $(VENV) .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis
