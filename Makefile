# Everything people and CI do here, one word each. `make run` and `make test` work on a fresh machine.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# requirements-slim.txt: compact alone, half of the disk
REQUIREMENTS ?= requirements.txt
TESTERS ?= auto  # processes that test at a time

.PHONY: help run test fast check lint types browser install install-dev install-training bench bench-parse bench-start bench-encoding bench-m2fp bench-sampling bench-jobs bench-video bench-serving soak fuzz corpus outside bench-page bench-recognition bench-effects translations clean

run: install  ## serve on http://127.0.0.1:5000
	$(BIN)/python app.py

test: install-dev  ## all tests but those in a browser
	$(BIN)/python -m pytest -n $(TESTERS) -m "not browser"

fast: install-dev  ## the tests that need no service and no browser: a minute
	$(BIN)/python -m pytest -n $(TESTERS) -m "not browser and not slow"

browser: install-dev  ## the page in a real Chromium
	$(BIN)/python -m pytest -n $(TESTERS) -m browser

check: lint types  ## what CI checks beside the tests

lint: install-dev  ## ruff: style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev  ## mypy
	$(BIN)/mypy

bench: install-dev  ## every benchmark, small, into one report with plots: bench/report.md
	$(BIN)/python -m benchmarks.everything --out bench

bench-parse: install-dev  ## time of one photo, stage by stage, and memory
	$(BIN)/python -m benchmarks.parse

bench-start: install-dev  ## from nothing to the first answer, and what is installed
	$(BIN)/python -m benchmarks.start

bench-encoding: install-dev  ## time and size of PNG, JPEG and WebP, beside other libraries
	$(BIN)/python -m benchmarks.encoding

bench-m2fp: install-dev  ## the old M2FP stack (reference/install.sh) and ours in turn
	$(BIN)/python -m benchmarks.m2fp --plot docs/m2fp.png

bench-sampling: install-dev  ## ways to write deformable attention's sampling
	$(BIN)/python -m benchmarks.sampling

bench-jobs: install-dev  ## 200 jobs through two Celery workers, one killed half-way; needs redis-server
	$(BIN)/python -m benchmarks.jobs

bench-video: install-dev  ## frames a second of a video, part by part, and memory
	$(BIN)/python -m benchmarks.video

bench-serving: install-dev  ## throughput and memory under gunicorn: workers, clients, and the naive way; 15 minutes
	$(BIN)/python -m benchmarks.serving --plot docs/serving.png

soak: install-dev  ## 3000 mixed requests by 8 clients; fails where memory, files or threads grow
	$(BIN)/python -m benchmarks.soak --plot docs/soak.png

fuzz: install-dev  ## an hour of damaged files and requests
	$(BIN)/python -m tests.fuzz --minutes 60

corpus: install-dev  ## 2000 damaged images, each with its status, time and peak memory
	$(BIN)/python -m tests.damage corpus --count 2000
	$(BIN)/python -m tests.corpus corpus --quiet

bench-page: install-dev  ## how fast the page reacts, in a real Chromium; PHOTO=file for one of yours
	$(BIN)/python -m benchmarks.page $(PHOTO)

outside: install  ## other people's programs read what the service answers: generated clients, Label Studio ...; PHOTO=file
	$(PYTHON) -m venv .venv-outside
	.venv-outside/bin/python -m pip install -q -r tests/outside/requirements.txt
	tests/outside/run.sh $(PHOTO)

translations: install  ## collect the pages' words; then fill in what is empty in translations/*/LC_MESSAGES/messages.po
	$(BIN)/pybabel -q extract --no-location --sort-output --omit-header -F translations/babel.cfg -o translations/messages.pot .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -w 110 -i translations/messages.pot -d translations
	rm translations/messages.pot

bench-recognition: install-dev  ## recognition against PyTorch eager and a plain Flask app
	$(BIN)/python -m benchmarks.recognition

bench-effects: install-dev  ## time and memory of every effect, then 1000 photos through the studio
	$(BIN)/python -m benchmarks.effects
	$(BIN)/python -m benchmarks.effects --soak 1000

help:  ## what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1: /p' Makefile

install: $(VENV)/.installed  ## what the service needs, into .venv
install-dev: $(VENV)/.installed-dev  ## what the tests need, too
install-training: $(VENV)/.installed-training  ## what training needs

# A Python that fits, before pip tells it in its own way; and no half of an environment, which the next run would take.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 13) else "$(PYTHON) is Python %d.%d; 3.10 to 3.13 are needed. Name another: make $(or $(MAKECMDGOALS),run) PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# And where the sources lie, so that .venv/bin/python finds them from any folder.
$(VENV)/.installed: $(REQUIREMENTS) | $(VENV)/bin/python
	$(BIN)/python -m pip install -r $(REQUIREMENTS)
	@$(BIN)/python -c 'import os, sysconfig as s; open(s.get_path("purelib") + "/humanparse.pth", "w").write(os.getcwd())'
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install -r requirements-dev.txt
	touch $@

$(VENV)/.installed-training: training/requirements.txt $(VENV)/.installed
	$(BIN)/python -m pip install -r training/requirements.txt
	touch $@

clean:  ## remove .venv and what tools keep
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
