# `make demo` and `make test` do all the set-up on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test lint check-all bench clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	$(BIN)/preceptor demo houses --minutes 1

lint: setup
	$(BIN)/ruff check preceptor tests benchmarks
	$(BIN)/ruff format --check preceptor tests benchmarks
	$(BIN)/mypy

test: setup
	$(BIN)/python -m pytest

check-all: lint setup
	$(BIN)/python -m pytest -m 'slow or not slow'
	$(BIN)/python -m benchmarks.doctor --smoke

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist *.egg-info
