# Everything is installed in .venv and its two folders generator/ and lowest/; nothing outside.
# Works with GNU make 3.81 and later. Recipes name no absolute path, so that a path with a
# space in it is as good as any other.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
# The steps of one goal follow one another also under `make -j`.
.NOTPARALLEL:

PYTHON ?=
DIST ?= dist
export PYTHON DIST
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0
# What the calling shell has set up for itself must not reach into .venv.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE PIP_TARGET PIP_PREFIX

RUN := .venv/bin/python

# A stamp's name holds the folder it was made in: a moved or copied .venv is made anew.
PLACE := $(shell pwd -P | cksum | cut -d ' ' -f 1)
DEV := .venv/.dev-$(PLACE)
PROJECT := .venv/.project-$(PLACE)
GENERATOR := .venv/.generator-$(PLACE)
LOWEST := .venv/.lowest-$(PLACE)
LOWEST_PROJECT := .venv/.lowest-project-$(PLACE)
PEERS := .venv/.peers-$(PLACE)

# ---------------------------------------------------------------- set-up

# $(call unusable,folder): FORCE when the environment's Python is gone, or is not the one that
# PYTHON=... asks for; nothing otherwise.
BASE := import sys; print(sys.base_prefix)
unusable = $(shell [ -x $(1)/bin/python ] && { [ -z '$(PYTHON)' ] || \
  [ "$$('$(PYTHON)' -c '$(BASE)' 2>&1)" = "$$($(1)/bin/python -c '$(BASE)' 2>&1)" ]; } || echo FORCE)

# Arguments: the folder, the requirements file. Makes the environment from nothing, so a
# half-made one is repaired, and no package of an older requirements file stays behind.
define MAKE_ENVIRONMENT
stop() { printf 'setup: %s\n' "$$*" >&2; exit 2; }
folder=$$1 requirements=$$2 python= bare= seen=

# Without PYTHON=..., what .venv was made with before.
before=$$(sed -n 's/^executable = //p' .venv/pyvenv.cfg 2>/dev/null || :)
if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"
else set -- $${before:+"$$before"} python3.14 python3.13 python3.12 python3.11 python3 python; fi
for name; do
  version=$$("$$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
  if ! "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    seen="$${seen:+$$seen, }$$name is Python $$version"
  elif ! "$$name" -c 'import venv, ensurepip' 2>/dev/null; then
    bare=$${bare:-$$name}
  else
    # Not a Python that stands in the very folder that is about to be emptied.
    python=$$("$$name" -c 'import sys; print(sys._base_executable or sys.executable)'); break
  fi
done
if [ -z "$$python" ]; then
  [ -z "$$bare" ] || stop "$$bare cannot make virtual environments: its venv or ensurepip module" \
    "is missing. Install it (on Debian and Ubuntu: the package python3-venv)," \
    "or name another Python: make setup PYTHON=/path/to/python3.12"
  [ -n "$$PYTHON" ] && [ -z "$$seen" ] && stop "PYTHON=$$PYTHON does not run." \
    "Give the path of Python 3.11 or later."
  stop "Python 3.11 or later is needed, and none was found$${seen:+ ($$seen)}." \
    "Install one, or name it: make setup PYTHON=/path/to/python3.12"
fi

printf 'setup: %s from %s, with %s\n' "$$folder" "$$requirements" "$$("$$python" -V)"
mkdir -p .venv
rm -rf "$$folder/bin" "$$folder/lib" "$$folder/lib64" "$$folder/include" "$$folder/share" \
  "$$folder/pyvenv.cfg"
log=.venv/setup.log
"$$python" -m venv "$$folder" >"$$log" 2>&1 || { tail -n 5 "$$log" >&2; \
  stop "$$python could not make the virtual environment $$folder (its words are above)."; }
"$$folder/bin/python" -m pip install -qq --require-hashes --only-binary :all: \
  --requirement "$$requirements" || \
  stop "pip could not install $$requirements (its words are above)." \
    "Check the network and the index that pip is set to use, then run make again."
endef
export MAKE_ENVIRONMENT
# The stamp goes first: an interrupted set-up is not taken for a finished one.
environment = @rm -f $@ && sh -eu -c "$$MAKE_ENVIRONMENT" setup

# $(call install,folder): the project itself, editable, with the build tool that is already there.
install = @$(1)/bin/python -m pip install -qq --no-index --no-deps --no-build-isolation \
  --editable . || { echo 'setup: the project could not be installed (the words of pip are above).' >&2; exit 2; }
stamp = @rm -f $(@:-$(PLACE)=)-[0-9]* && touch $@

$(DEV): tests/requirements/dev.txt $(call unusable,.venv)
	$(environment) .venv $<
	$(stamp)

# What the installed metadata says.
VERSION_FILE := overrides/hubspot_batch/version.py

$(PROJECT): pyproject.toml $(DEV) $(VERSION_FILE)
	$(call install,.venv)
	$(stamp)

$(GENERATOR): openapi/tools/requirements.txt $(call unusable,.venv/generator)
	$(environment) .venv/generator $<
	$(stamp)

$(LOWEST): tests/requirements/lowest.txt $(call unusable,.venv/lowest)
	$(environment) .venv/lowest $<
	$(stamp)

$(LOWEST_PROJECT): pyproject.toml $(LOWEST) $(VERSION_FILE)
	$(call install,.venv/lowest)
	$(stamp)

$(PEERS): tests/requirements/peers.txt $(call unusable,.venv/peers)
	$(environment) .venv/peers $<
	$(stamp)

.PHONY: FORCE setup
FORCE:

INSTALLED := $(PROJECT) $(GENERATOR) $(LOWEST_PROJECT)

setup: $(INSTALLED) ## make .venv, or bring it up to date (PYTHON=... to choose)
	@echo 'setup: .venv is up to date'

# ---------------------------------------------------------------- what people run

.PHONY: help demo regenerate check

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	  while IFS='|' read -r goal text; do printf '%-18s %s\n' "$$goal" "$$text"; done

demo: regenerate ## load the example files (BASE_URL=... for another server than the sandbox)
	@.venv/bin/hubspot-batch demo $${BASE_URL:+--base-url "$$BASE_URL"}

regenerate: $(PROJECT) $(GENERATOR) ## write the bundle and the generated client from the fragments
	@$(RUN) openapi/tools/regenerate.py

check: $(PROJECT) $(GENERATOR) ## is the generated client what the fragments say, and the version honest?
	@$(RUN) openapi/tools/regenerate.py --check
	@$(RUN) openapi/tools/release_notes.py --check

# ---------------------------------------------------------------- HubSpot's documentation

.PHONY: drift page
# The names of files reach the commands through the environment, whatever is in them.
export SPEC PAGE OLD NEW HTML OPERATION

drift: $(PROJECT) ## compare HubSpot's documentation with the fragments: SPEC=file or PAGE=file (JSON=1, HTML=file)
	@$(RUN) openapi/tools/drift.py $${SPEC:+--spec "$$SPEC"} $${PAGE:+--page "$$PAGE"} \
	  $${OLD:+--old "$$OLD"} $${NEW:+--new "$$NEW"} $${HTML:+--html "$$HTML"} $(if $(JSON),--json)

page: $(PROJECT) ## save the facts of a captured page: PAGE=file (OPERATION=id for a new one)
	@$(RUN) openapi/tools/save_page.py $${OPERATION:+--operation "$$OPERATION"} -- "$${PAGE:?make page PAGE=file}"

# ---------------------------------------------------------------- tests

.PHONY: test lint types suite lowest
say = @printf '\n== %s\n'

test: $(INSTALLED) check lint types suite lowest ## everything that CI runs
	$(say) 'all passed'

lint: $(PROJECT) ## ruff
	$(say) 'ruff'
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m ruff format --quiet --check .

types: $(PROJECT) ## mypy and pyright
	$(say) 'mypy'
	@$(RUN) -m mypy
	$(say) 'pyright'
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(RUN) -m pyright

# A file is run by one process, so what its tests share is made once.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile

# Coverage starts before pytest does: the package's own pytest plugin is imported very early.
suite: $(PROJECT) $(GENERATOR) ## the tests, on the highest dependencies, with coverage
	$(say) 'tests, highest dependencies'
	@$(RUN) -m coverage erase
	@$(RUN) -m coverage run -m pytest $(SIDE_BY_SIDE)
	@$(RUN) -m coverage combine --quiet
	@$(RUN) -m coverage report

# Tools and packaging have one set of dependencies only, the locked one.
NOT_RUN_TIME := bundle changelog compare contract described deviations drift keep methods notes \
  one_edit package_index packaging page public_names regenerate release report sentences
lowest: $(LOWEST_PROJECT) ## the tests of the run-time code, on the lowest dependencies
	$(say) 'tests, lowest dependencies'
	@.venv/lowest/bin/python -m pytest $(SIDE_BY_SIDE) -m 'not once' $(patsubst %,--ignore tests/test_%.py,$(NOT_RUN_TIME))

# ---------------------------------------------------------------- more than CI has time for

.PHONY: soak bench instructions
RUNS ?= 100000
BODIES ?= 100000
SIGNALS ?= 10000
soak: $(PROJECT) ## random runs against the sandbox, to prove outcomes (RUNS=... BODIES=... SIGNALS=...)
	@$(RUN) tests/soak.py --runs $(RUNS) --bodies $(BODIES) --signals $(SIGNALS)

bench: $(PROJECT) $(PEERS) ## speed and memory, as ratios within one run (WHAT=cost start rate throughput memory drift)
	@$(RUN) tests/bench/run.py $(WHAT)

instructions: $(PROJECT) ## keep how many instructions a batch takes, as tests compare it (needs valgrind)
	@$(RUN) tests/bench/instructions.py

# ---------------------------------------------------------------- releases

.PHONY: release-notes build publish lock clean

release-notes: $(PROJECT) ## write into CHANGELOG.md what changed since the last tag, and name the version
	@$(RUN) openapi/tools/release_notes.py

build: $(PROJECT) $(GENERATOR) ## wheel and source distribution into dist/
	@$(RUN) openapi/tools/release.py build --into "$$DIST"

publish: $(PROJECT) $(GENERATOR) ## build and upload: INDEX_URL=..., TWINE_USERNAME and TWINE_PASSWORD set
	@$(RUN) openapi/tools/release.py publish --into "$$DIST" -- "$$INDEX_URL"
export INDEX_URL

# No address and no path of this machine gets into the files: pip's own settings say where
# the packages come from, the hashes say which ones they are.
COMPILE := $(RUN) -m uv --quiet --cache-dir .venv/cache/uv pip compile --no-python-downloads \
  --universal --python-version 3.11 --generate-hashes --no-build --no-strip-extras --system-certs \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: $(DEV) ## the requirements files from pyproject.toml (UPGRADE=1 for newer versions)
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra sandbox --group dev --output-file tests/requirements/dev.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra sandbox --group test --resolution lowest-direct --output-file tests/requirements/lowest.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group pyproject.toml:generator --output-file openapi/tools/requirements.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group pyproject.toml:peers --output-file tests/requirements/peers.txt

clean: ## remove .venv, dist and every cache
	@rm -rf .venv dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
