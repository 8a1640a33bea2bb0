# What this project's people type. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
WORKERS ?= 2
CODE := core plugins tests sdk_examples benchmarks docs conftest.py

.DEFAULT_GOAL := help
.PHONY: help demo test fast check format lint types layers docs package bench openapi-full openapi-peers openapi-oracles search-choices soak loop clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

demo: $(VENV)/core-installed  ## Install the core and see it work, offline
	$(BIN)/toolhaft demo

test: $(VENV)/all-installed  ## Install everything and run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) -q

fast: $(VENV)/all-installed  ## Run the fast tests alone
	$(BIN)/python -m pytest -n $(WORKERS) -q -m "not slow and not browser and not packaging"

check: lint types layers fast  ## What must pass before each commit

format: $(VENV)/all-installed  ## Put the code into its one format
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

lint: $(VENV)/all-installed  ## Check format and lint
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)

types: $(VENV)/all-installed  ## Check the types
	$(BIN)/mypy core/toolhaft plugins/dense/src plugins/evals/src plugins/finetune/src plugins/hub/src plugins/local/src plugins/rapidapi/src plugins/vision/src

layers: $(VENV)/all-installed  ## Check that each layer imports only what stands below it
	$(BIN)/lint-imports

docs: $(VENV)/all-installed  ## Build the documentation, strictly, into site/
	$(BIN)/python docs/build.py

package: $(VENV)/all-installed  ## Build the wheels of core and plugins into dist/
	rm -rf dist
	$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w dist . ./plugins/*
	@ls -1 dist

bench: $(VENV)/all-installed  ## Measure, with peers in the same run
	$(BIN)/python benchmarks/run.py

openapi-full: $(VENV)/all-installed  ## Send every operation of the OpenAPI corpus through a request and back: half an hour
	$(BIN)/python benchmarks/openapi_roundtrip.py

openapi-peers: $(VENV)/all-installed  ## Import, send and survive beside eight other OpenAPI importers: half an hour
	$(BIN)/python benchmarks/openapi_peers.py

openapi-oracles: $(VENV)/all-installed  ## Ask openapi-core and a Prism mock server about requests (from the network)
	$(PYTHON) -m venv .venv-oracles
	.venv-oracles/bin/python -m pip --disable-pip-version-check -q install openapi-core==0.23.1 werkzeug
	-npm install --no-audit --no-fund --silent --prefix .venv-oracles @stoplight/prism-cli@5.16.0
	$(BIN)/python benchmarks/openapi_oracles.py

search-choices: $(VENV)/all-installed  ## Measure every choice behind the ranking of tools on development sets: 20 minutes
	$(BIN)/python benchmarks/search_choices.py

soak: $(VENV)/all-installed  ## Let 1,000 agents work for ten minutes: nothing may grow (SOAK="--seconds 60")
	$(BIN)/python benchmarks/soak.py $(SOAK)

loop: $(VENV)/all-installed  ## Generate tasks, train a small model, tune it, evaluate it: 13 minutes (LOOP=--quick: one)
	HF_HUB_OFFLINE=1 $(BIN)/toolhaft loop -o build/loop $(LOOP)

clean:  ## Remove what was built
	rm -rf $(VENV) dist site build .pytest_cache .mypy_cache .ruff_cache

$(VENV)/python-ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Toolhaft needs Python 3.11 or newer; name one: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "Python has no venv module; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/core-installed: $(VENV)/python-ready pyproject.toml
	$(PIP) install -e '.[demo]'
	@touch $@

$(VENV)/all-installed: $(VENV)/python-ready requirements-dev.txt pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PIP) install -r requirements-dev.txt
	@touch $@ $(VENV)/core-installed
