#!/usr/bin/env bash
# Installs from Debian what building, testing and the demo need and this machine lacks; does nothing else.
# Rust itself is asked for, never installed: every machine has its own way to get it.
set -euo pipefail

# The R packages that DESCRIPTION names and that are not part of R itself, and roxygen2 for the man pages.
cd "$(dirname "$0")/.."
r_packages=$(sed -n '/^\(Imports\|Suggests\):/,/^[A-Z][A-Za-z]*: *[^ ]/p' DESCRIPTION | sed -n 's/^    \([A-Za-z0-9.]*\).*/\1/p' |
  grep -vxE 'grDevices|graphics|grid|methods|parallel|stats|tools|utils')
r_packages="$r_packages roxygen2"

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need make make
need cc build-essential
need xz xz-utils
need pandoc pandoc
need qpdf qpdf

if command -v Rscript >/dev/null; then
  [ -e "$(R CMD config --cppflags | sed 's/^-I//; s/ .*//')/R.h" ] || missing+=(r-base-dev)
  absent=$(Rscript --vanilla -e 'p <- commandArgs(TRUE); cat(p[!vapply(p, function(x) nzchar(system.file(package = x)), NA)])' $r_packages)
else
  missing+=(r-base-core r-base-dev)
  absent=$r_packages
fi
for package in $absent; do
  case $package in
    BiocStyle | DelayedArray | S4Vectors | SingleCellExperiment | SummarizedExperiment)
      missing+=("r-bioc-$(printf '%s' "$package" | tr '[:upper:]' '[:lower:]')")
      ;;
    *) missing+=("r-cran-$(printf '%s' "$package" | tr '[:upper:]' '[:lower:]')") ;;
  esac
done

if [ ${#missing[@]} -gt 0 ]; then
  echo "Missing: ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    echo "This machine has no apt-get: install these (r-cran-x is the R package x) and call again." >&2
    exit 1
  fi
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
fi

export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
if ! command -v cargo >/dev/null; then
  echo "cargo was not found: install Rust from https://rustup.rs and call again." >&2
  exit 1
fi
