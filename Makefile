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

run: $(VENV)/.all
	$(BIN)/framebus up $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/.dev
	$(BIN)/pytest $(ARGS)

# A command on the real uvcvideo driver, e.g. make guest CMD='v4l2-ctl --list-devices'
guest: $(VENV)/.dev
	tests/guest/run --kernel $(or $(KERNEL),stable) sh -c "$$CMD"

clean:
	rm -rf $(VENV) build dist *.egg-info out
