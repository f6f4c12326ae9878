# make run · make test · make check · make bench · make guest
# Everything lands in .venv; on Debian as root the tests' system packages are installed too.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SPEC   := pyproject.toml setup.cfg

.PHONY: run test check bench guest clean

$(VENV)/.all: $(SPEC)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[all]'
	touch $@

$(VENV)/.dev: $(VENV)/.all
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/pip install --quiet --editable '.[bench]'
	touch $@

run: $(VENV)/.all
	$(BIN)/framebus up $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/.dev
	$(BIN)/pytest $(ARGS)

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info out
