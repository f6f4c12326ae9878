# make run · make test · make check · make bench · make guest · make release
# Everything lands in .venv; on Debian as root the tests' system packages are installed too.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SPEC   := pyproject.toml setup.cfg setup.py $(wildcard capture_daemon/native/*.[ch])

.PHONY: run test check wheel release guest bench clean

$(VENV)/.installed: $(SPEC)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "framebus needs Python 3.11 or newer, and $(PYTHON) is not." \
	       "Name one that is: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "$(PYTHON) has no venv module. On Debian and Ubuntu:" \
	       "apt-get install python3-venv" >&2; exit 1; }
	@echo "Making a Python environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing framebus and what it needs there, which may take a minute, this once ..."
	@$(BIN)/pip install --quiet --upgrade pip
	@$(BIN)/pip install -qq --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@echo "Installing what tests and checks need, which may take minutes, this once ..."
	@$(BIN)/pip install -qq --editable '.[dev]'
	@touch $@

run: $(VENV)/.installed
	@echo "Starting framebus ..."
	@$(BIN)/framebus up $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel --outdir dist

# Checks, builds sdist and wheel into dist, and tags; pushes nothing. CONTRIBUTING.md has the steps.
release: $(VENV)/.dev
	.ci/release $(TESTED)

# Compiled modules are kept, whatever the environment says: hundreds of tests start processes anew.
test: $(VENV)/.dev
	$(PYTHON) tests/setup_system.py
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest $(ARGS)

# A command on the real uvcvideo driver, e.g. make guest CMD='v4l2-ctl --list-devices'
guest: $(VENV)/.dev
	@test -n "$$CMD" || { echo "Say what to run: make guest CMD='v4l2-ctl --list-devices'" >&2; exit 1; }
	tests/guest/run --kernel $(or $(KERNEL),stable) sh -c "$$CMD"

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info out
