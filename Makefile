# Two commands matter to users: `make run` and `make test`. Everything happens inside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/serve: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

# torch first and by exact version: anything looser pulls gigabytes of CUDA.
$(VENV)/dev: $(VENV)/serve
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[train,dev]'
	@touch $@

run: $(VENV)/serve ## start everything, with simulated rooms if none is set up (CAPTURE=file.dat replays a capture)
	$(BIN)/roomtone run $(if $(CAPTURE),--capture '$(CAPTURE)') $(ARGS)

test: $(VENV)/dev ## install what is needed and run all tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/dev ## style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin --quiet --no-tips --backport argparse --target=3.4- --violations deploy/forwarder

models: $(VENV)/dev ## train the shipped models again, from simulation and (where it is there) ../shared
	$(BIN)/roomtone train zoo

DATASETS ?= ../shared/datasets
figures: $(VENV)/dev ## answer every question of docs/accuracy.md that code or data changed for (may take long)
	$(BIN)/python -m models.figures --datasets '$(DATASETS)'

CAPTURES ?= ../shared/captures
GOLDEN ?= ../shared/golden
peers: $(VENV)/dev ## make the table of docs/parsers.md again, from the captures beside the checkout
	$(BIN)/python -m tests.peers.compare --captures '$(CAPTURES)' --golden '$(GOLDEN)' --write docs/parsers.md

fuzz: $(VENV)/dev ## damage a million records a NIC and see that parsing bears it (RECORDS=100000 for less)
	$(BIN)/python -m tests.fuzz.run --records $(or $(RECORDS),1000000) --captures '$(CAPTURES)'

api-fuzz: $(VENV)/dev ## try every route with made-up requests, with every role and without a key (EXAMPLES=1000 for more)
	$(BIN)/python -m tests.fuzz.api --examples $(or $(EXAMPLES),200)

chaos: $(VENV)/dev ## kill trainer, worker and API at 20 random moments while a room is taught
	ROOMTONE_KILLS=20 $(BIN)/python -m pytest tests/e2e/test_chaos.py

OIP := .venv-oip
oip-client: $(OIP)/bin/tritonclient ## install NVIDIA's inference client apart from ours, for the test that uses it
$(OIP)/bin/tritonclient: tests/peers/oip-requirements.txt
	$(PYTHON) -m venv $(OIP)
	$(OIP)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

OUTSIDERS := .venv-outsiders
api-outsiders: $(OUTSIDERS)/done ## install a checker, a client generator and a viewer of OpenAPI, for the tests that use them
$(OUTSIDERS)/done: tests/peers/api-requirements.txt
	$(PYTHON) -m venv $(OUTSIDERS)
	$(OUTSIDERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	npm install --silent --no-audit --no-fund --prefix $(OUTSIDERS)/node swagger-ui-dist@5.35.0 || echo 'no viewer here: its test skips'
	@touch $@

clean: ## remove the environment and every cache
	rm -rf $(VENV) $(OIP) $(OUTSIDERS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

.PHONY: help run test check models figures peers fuzz api-fuzz chaos oip-client api-outsiders clean
