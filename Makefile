# Everything is installed in .venv and in its folders generator/, lowest/, engines/, docs/ and peers/.
# GNU make 3.81 or later. No recipe names an absolute path: the project's path may contain spaces.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
# Run one step after another, also under `make -j`.
.NOTPARALLEL:
.PHONY: FORCE help demo setup regenerate check drift fragment every-endpoint page test lint types suite coverage lowest engines soak \
  soak-needed previous bench instructions docs release-notes build publish release lock clean
DIST ?= dist
# File names reach the commands through the environment, so they may contain any character.
export PYTHON DIST INDEX_URL SPEC PAGE OLD NEW HTML OPERATION SINCE
# Ignore the Python settings of the calling shell inside .venv.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

RUN := .venv/bin/python
say = @printf '\n== %s\n'

# ---------------------------------------------------------------- set-up
# A stamp's name depends on the project's path: after the folder was moved, make installs again.
PLACE := $(shell pwd -P | cksum | cut -d ' ' -f 1)
# The demo needs few packages in .venv. Every other goal installs all of them, and they stay.
LITTLE := $(filter clean demo help regenerate,$(MAKECMDGOALS))
KEPT := $(if $(filter clean,$(LITTLE)),,$(wildcard .venv/.made-dev-$(PLACE)))
SET := $(if $(filter-out $(LITTLE),$(MAKECMDGOALS))$(KEPT),dev,demo)
TOOLS := .venv/.made-$(SET)-$(PLACE)
PROJECT := .venv/.project-$(PLACE)
GENERATOR := .venv/generator/.made-$(PLACE)
LOWEST := .venv/lowest/.project-$(PLACE)
ENGINES := .venv/engines/.project-$(PLACE)
SITE := .venv/docs/.project-$(PLACE)
INSTALLED := $(PROJECT) $(GENERATOR) $(LOWEST)
ENVIRONMENT := sh tests/setup/environment.sh
# FORCE if an environment's Python is gone, or is not the one that PYTHON names.
unusable = $(shell PYTHON='$(PYTHON)' $(ENVIRONMENT) check $(1))

setup: $(INSTALLED) ## make .venv, or bring it up to date (PYTHON=... to choose)
	@echo 'setup: .venv is up to date'

$(TOOLS): tests/requirements/$(SET).txt $(call unusable,.venv)
$(GENERATOR): openapi/tools/requirements.txt $(call unusable,.venv/generator) | $(TOOLS)
.SECONDEXPANSION:
.venv/%/.made-$(PLACE): tests/requirements/%.txt $$(call unusable,.venv/%) | $(TOOLS)
	@$(ENVIRONMENT) make $< $@
$(TOOLS) $(GENERATOR):
	@$(ENVIRONMENT) make $< $@

# What the installed metadata is made of.
METADATA := pyproject.toml overrides/hubspot_batch/version.py
$(PROJECT): $(TOOLS) $(METADATA)
$(LOWEST) $(ENGINES) $(SITE): %/.project-$(PLACE): %/.made-$(PLACE) $(METADATA)
$(PROJECT) $(LOWEST) $(ENGINES) $(SITE):
	@$(ENVIRONMENT) project $@

# ---------------------------------------------------------------- what people run
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	  while IFS='|' read -r goal text; do printf '%-20s %s\n' "$$goal" "$$text"; done

demo: regenerate ## load the example files (BASE_URL=... for another server than the sandbox; YES=1 if it is a HubSpot account)
	@.venv/bin/hubspot-batch demo $${BASE_URL:+--base-url "$$BASE_URL"} $${YES:+--yes}

regenerate: $(PROJECT) $(GENERATOR) ## write the bundle and the generated client from the fragments
	@$(RUN) openapi/tools/regenerate.py

check: $(PROJECT) $(GENERATOR) ## is the generated client what the fragments say, and the version honest?
	@$(RUN) openapi/tools/regenerate.py --check
	@$(RUN) openapi/tools/release_notes.py --check

drift: $(PROJECT) ## compare HubSpot's documentation with the fragments: SPEC=file or PAGE=file (JSON=1, HTML=file)
	@$(RUN) openapi/tools/drift.py $${SPEC:+--spec "$$SPEC"} $${PAGE:+--page "$$PAGE"} \
	  $${OLD:+--old "$$OLD"} $${NEW:+--new "$$NEW"} $${HTML:+--html "$$HTML"} $(if $(JSON),--json)

fragment: $(PROJECT) ## write the fragment of an operation of a published description: SPEC=file OPERATION="POST /path" (or LIST=1)
	@$(RUN) openapi/tools/fragment.py --spec "$${SPEC:?make fragment SPEC=file}" $(if $(LIST),--list,--operation "$$OPERATION")

every-endpoint: $(PROJECT) $(GENERATOR) ## try all batch operations of a published description in a copy: SPEC=file
	@$(RUN) tests/proofs/every_endpoint.py "$${SPEC:?make every-endpoint SPEC=file}"

page: $(PROJECT) ## save the facts of a captured page: PAGE=file (OPERATION=id for a new one)
	@$(RUN) openapi/tools/save_page.py $${OPERATION:+--operation "$$OPERATION"} -- "$${PAGE:?make page PAGE=file}"

# ---------------------------------------------------------------- tests
test: $(INSTALLED) check lint types suite lowest ## everything that CI runs
	$(say) 'all passed'

lint: $(PROJECT) ## ruff
	$(say) 'ruff'
	@$(RUN) -m ruff check --quiet . && $(RUN) -m ruff format --quiet --check .
types: $(PROJECT) ## mypy and pyright
	$(say) 'mypy and pyright'
	@$(RUN) -m mypy && PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(RUN) -m pyright

# A file is run by one process, so what its tests share is made once.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

suite: $(PROJECT) $(GENERATOR) ## the tests, on the highest dependencies
	$(say) 'tests, highest dependencies'
	@$(RUN) -m pytest $(SIDE_BY_SIDE)
# It takes nearly twice as long. It starts before pytest does, which imports the package's own plugin very early.
coverage: $(PROJECT) $(GENERATOR) ## the share of the code that the tests reach, at least 95 %
	@$(RUN) -m coverage erase && $(RUN) -m coverage run -m pytest $(SIDE_BY_SIDE)
	@$(RUN) -m coverage combine --quiet && $(RUN) -m coverage report

# Tools and packaging have one set of dependencies only, the locked one.
lowest: $(LOWEST) ## the tests of the run-time code, on the lowest dependencies
	$(say) 'tests, lowest dependencies'
	@.venv/lowest/bin/python -m pytest $(SIDE_BY_SIDE) -m 'not once and not many' --ignore tests/tools --ignore tests/packaging/test_packaging.py

engines: $(ENGINES) ## the adapters for Celery, dlt and Ray, with the real engines
	@.venv/engines/bin/python -m pytest tests/engines -W default
KINDS_OF_RUNS := RUNS BODIES FAMILIES LOOKUPS SIGNALS CANCELLED KILLS JOBS REDELIVERIES WIRE SHARED
soak: $(PROJECT) ## random runs that prove outcomes, and tests in full (RUNS=... BODIES=... SIGNALS=... WIRE=...: these kinds alone)
	@$(RUN) tests/proofs/soak.py $(foreach kind,$(KINDS_OF_RUNS),$(if $($(kind)),--$(shell echo $(kind) | tr A-Z a-z) $($(kind))))
	@$(if $(strip $(foreach kind,$(KINDS_OF_RUNS),$($(kind)))),:,HYPOTHESIS_FACTOR=4 $(RUN) -m pytest $(SIDE_BY_SIDE) -m many tests/tools tests/generated)

soak-needed: $(PROJECT) ## does what changed need `make soak`? (SINCE=commit)
	@$(RUN) tests/proofs/needs_soak.py $${SINCE:+--since "$$SINCE"}
previous: $(PROJECT) ## the public tests of the last release, on the code of today (SINCE=commit)
	@$(RUN) tests/proofs/previous_release.py $${SINCE:+--since "$$SINCE"}

bench: $(PROJECT) .venv/peers/.made-$(PLACE) ## speed and memory, as ratios within one run (WHAT=cost start rate shared throughput memory drift path files lookup)
	@$(RUN) tests/bench/run.py $(WHAT)
instructions: $(PROJECT) ## keep how many instructions a batch takes, as tests compare it (needs valgrind)
	@$(RUN) tests/bench/instructions.py

# -W: a warning is an error. The pages' blocks run here with all that they need, and the site is used in a browser.
docs: $(SITE) ## the documentation as a site in dist/docs, without a network; and try it
	@rm -rf "$$DIST/docs" && .venv/docs/bin/python -m sphinx -W --keep-going -q -E -d .venv/docs/doctrees docs "$$DIST/docs"
	@.venv/docs/bin/python -m pytest $(SIDE_BY_SIDE) tests/docs tests/docs/check_*.py
	@printf 'docs: %s\n' "$$DIST/docs/index.html"

# ---------------------------------------------------------------- releases
release-notes: $(PROJECT) ## write into CHANGELOG.md what changed since the last tag, and name the version
	@$(RUN) openapi/tools/release_notes.py

build: $(PROJECT) $(GENERATOR) ## wheel, source distribution, bill of materials and digests into dist/, tried before
publish: $(PROJECT) ## upload what `make build` made: INDEX_URL=..., TWINE_USERNAME and TWINE_PASSWORD set
release: $(PROJECT) $(GENERATOR) ## build, compare with a second build, check all; GO=1 uploads it, too: INDEX_URL=...
build publish release:
	@$(RUN) openapi/tools/release.py $@ --into "$$DIST" $(if $(filter release,$@),$(GO:%=--go)) $(if $(filter build,$@),, \
	  $(ANY_TREE:%=--any-tree) $(ANY_INDEX:%=--any-index) $(ATTESTATIONS:%=--attestations) -- "$$INDEX_URL")

lock: $(TOOLS) ## the requirements files from pyproject.toml (UPGRADE=1 for newer versions)
	@sh tests/setup/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## remove .venv, dist and every cache
	@rm -rf .venv dist; find . -name __pycache__ -type d -prune -exec rm -rf {} +
