#!/bin/sh
# The set-up program of the Makefile. It needs nothing but Python 3.11 or later.
#
#   environment.sh make REQUIREMENTS STAMP   make the environment that STAMP is in, from nothing
#   environment.sh project STAMP             install the project itself into it, editable
#   environment.sh check FOLDER              print FORCE if its Python is gone, or is not PYTHON
#
# PYTHON, if set, names the Python to use. Exit status: 0 done, 2 the set-up failed.
set -eu
# Ignore the pip settings of the calling shell that would install elsewhere.
unset PIP_TARGET PIP_PREFIX PIP_PYTHON
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

stop() { printf 'setup: %s\n' "$*" >&2; exit 2; }

# Only .venv has pip. It also installs into the environments below .venv, which saves 24 MB each.
install() { .venv/bin/python -m pip --python "$folder/bin/python" install -qq "$@"; }

# Set `python`. Without PYTHON, prefer the one that .venv was made with before.
find_python() {
  python='' bare='' seen=''
  before=$(sed -n 's/^executable = //p' .venv/pyvenv.cfg 2>/dev/null || :)
  if [ -n "$PYTHON" ]; then set -- "$PYTHON"
  else set -- ${before:+"$before"} python3.14 python3.13 python3.12 python3.11 python3 python; fi
  for name; do
    version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    if ! "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      seen="${seen:+$seen, }$name is Python $version"
    elif ! "$name" -c 'import venv, ensurepip' 2>/dev/null; then
      bare=${bare:-$name}
    else
      # An environment's Python may be in the folder that is emptied next: take the one behind it.
      python=$("$name" -c 'import sys; print(sys._base_executable or sys.executable)')
      return
    fi
  done
  [ -z "$bare" ] || stop "$bare cannot make virtual environments: its venv or ensurepip module" \
    "is missing. Install it (on Debian and Ubuntu: the package python3-venv)," \
    "or name another Python: make setup PYTHON=/path/to/python3.12"
  [ -z "$PYTHON" ] || [ -n "$seen" ] || stop "PYTHON=$PYTHON does not run." \
    "Give the path of Python 3.11 or later."
  stop "Python 3.11 or later is needed, and none was found${seen:+ ($seen)}." \
    "Install one, or name it: make setup PYTHON=/path/to/python3.12"
}

# Start from nothing: this repairs a half-made environment, and leaves no package that an older
# requirements file asked for.
make_environment() {
  find_python
  printf 'setup: %s from %s, with %s\n' "$folder" "$requirements" "$("$python" -V)"
  mkdir -p "$folder"
  # The stamps go first, so that an interrupted set-up never looks finished.
  rm -f "$folder"/.made-* "$folder"/.project-*
  for part in bin lib lib64 include share pyvenv.cfg; do rm -rf "${folder:?}/$part"; done
  log=.venv/setup.log
  without=''
  [ "$folder" = .venv ] || without=--without-pip
  "$python" -m venv $without "$folder" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    stop "$python could not make the virtual environment $folder (its words are above)."
  }
  install --require-hashes --only-binary :all: --requirement "$requirements" ||
    stop "pip could not install $requirements (its words are above)." \
      "Check the network and the index that pip is set to use, then run make again."
}

install_project() {
  # hatchling, which builds the project, is in the environment already.
  install --no-index --no-deps --no-build-isolation --editable . ||
    stop 'the project could not be installed (the words of pip are above).'
}

check_python() {
  base='import sys; print(sys.base_prefix)'
  if [ ! -x "$folder/bin/python" ]; then echo FORCE
  elif [ -z "$PYTHON" ]; then :
  elif [ "$("$PYTHON" -c "$base" 2>&1)" != "$("$folder/bin/python" -c "$base" 2>&1)" ]; then echo FORCE
  fi
}

PYTHON=${PYTHON:-}
case $1 in
  make) requirements=$2 stamp=$3 folder=${3%/*}; make_environment; touch "$stamp" ;;
  project) stamp=$2 folder=${2%/*}; install_project; touch "$stamp" ;;
  check) folder=$2; check_python ;;
esac
