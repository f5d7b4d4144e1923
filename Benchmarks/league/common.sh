# What the leagues' ./run share; sourced by them in their own folder.
set -euo pipefail
if [[ " $* " == *" --help "* || " $* " == *" -h "* ]]; then
  PYTHONPATH=.. exec python3 league.py --help
fi
root=$(cd ../../.. && pwd)
build=$root/.build/league
mkdir -p "$build"
export PYTHONPATH=$PWD/.. PYTHONDONTWRITEBYTECODE=1

# environment NAME FILE [ALONE…]: a virtual environment with the pinned packages of FILE, and of ALONE without what those depend on.
environment() {
  local place=$build/$1 file=$2 wanted
  shift 2
  wanted=$(cat "$file"; printf '%s\n' "$@")
  if [[ $(cat "$place/requirements.txt" 2>/dev/null) != "$wanted" ]]; then
    echo "league: installing $(paste -sd' ' "$file") $*" >&2
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check -r "$file" >&2
    if (($# > 0)); then "$place/bin/pip" install --quiet --disable-pip-version-check --no-deps "$@" >&2; fi
    echo "$wanted" >"$place/requirements.txt"
  fi
}

# compile ARGUMENTS…: the peers, in C, with warnings as errors.
compile() {
  local compiler
  compiler=$(command -v clang || command -v gcc || true)
  if [[ -z $compiler ]]; then
    echo "league: a C compiler is needed, clang or gcc" >&2
    exit 2
  fi
  echo "league: building the peers" >&2
  "$compiler" -O3 -march=native -Wall -Wextra -Werror "$@"
}

# build_ours PRODUCT…: our side; the folder of the programs is then in $ours.
build_ours() {
  local product
  echo "league: building our own side" >&2
  for product in "$@"; do swift build --package-path "$root" -c release --product "$product" >&2; done
  ours=$(swift build --package-path "$root" -c release --show-bin-path)
}
