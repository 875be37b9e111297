# Every target does its own set-up: Python 3.11 or newer and make are all that is needed.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SOURCES := $(shell find driftguard typemaps migrations -type f -not -name '*.pyc' 2>/dev/null)

.PHONY: demo test test-long lint bench field field-histories golden docs clean

## demo: an Aurora migration without driftguard and with it, on the embedded sandbox
demo: $(VENV)/.wheel
	$(BIN)/driftguard demo

## test: all tests, against the installed wheel
test: $(VENV)/.wheel lint
	DRIFTGUARD_TEST_WHEEL=1 $(BIN)/pytest -n 3 --dist worksteal -m "not long" $(PYTEST_ARGS)

## test-long: also what takes minutes
test-long: $(VENV)/.wheel
	DRIFTGUARD_TEST_WHEEL=1 $(BIN)/pytest -n 3 --dist worksteal $(PYTEST_ARGS)

## lint: ruff, mypy --strict, direction of imports, generated documents
lint: $(VENV)/.wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python docs/generate.py --check

## docs: write the generated documents again
docs: $(VENV)/.wheel
	$(BIN)/python docs/generate.py

## golden: write what driftguard says about each kind of change again; read the difference before you commit it
golden: $(VENV)/.wheel
	DRIFTGUARD_TEST_WHEEL=1 $(BIN)/pytest -q tests/golden --regenerate

## bench: speed and memory, as ratios from one run
bench: $(VENV)/.wheel
	$(BIN)/python benchmarks/bench_introspect.py
	$(BIN)/python benchmarks/bench_check.py
	$(BIN)/python benchmarks/bench_apply.py

## field: driftguard on public schemas (FIELD_DIR holds their checkouts); writes docs/field-results.md
field: $(VENV)/.wheel
	$(BIN)/python tests/field/run.py $(FIELD_ARGS)

## field-histories: every migration of public histories (HISTORIES_DIR holds their clones) planned and applied to a model
field-histories: $(VENV)/.wheel
	$(BIN)/python tests/field/histories.py --checkouts $(HISTORIES_DIR) $(HISTORIES_ARGS)

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "driftguard needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -U pip
	$(BIN)/python tools/requirements.py | $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -r /dev/stdin
	@touch $@

$(VENV)/.wheel: $(VENV)/.installed $(SOURCES)
	rm -rf build/wheel
	$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w build/wheel .
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --force-reinstall build/wheel/*.whl
	@touch $@
