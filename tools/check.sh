#!/usr/bin/env bash
# R CMD build and R CMD check of a copy without build outputs. Fails on any error or warning.
#   tools/check.sh <work folder>
set -euo pipefail
out=$1
target=${SPAXR_CARGO_TARGET:?}
rm -rf "$out/stage" "$out/spaxR.Rcheck" "$out"/spaxR_*.tar.gz
mkdir -p "$out/stage/spaxR"
# R CMD build copies everything before it drops what .Rbuildignore names: gigabytes with the target folder.
tar -c --exclude=./build --exclude=./.git --exclude=./src/rust/target --exclude='./src/*.o' --exclude='./src/*.so' . | tar -x -C "$out/stage/spaxR"

cd "$out"
# The vignettes need an installed package: the library just built serves it.
SPAXR_RUST_LIBRARY="$target/release/libspaxR.a" R CMD build stage/spaxR
rm -rf stage
# The check compiles from the tarball's own sources, without a network.
CARGO_NET_OFFLINE=true _R_CHECK_XREFS_REPOSITORIES_="" R CMD check --no-manual spaxR_*.tar.gz </dev/null
ls -l spaxR_*.tar.gz
if ! grep -qE '^Status: (OK|[0-9]+ NOTEs?)$' spaxR.Rcheck/00check.log; then
  echo "R CMD check must show no error and no warning." >&2
  exit 1
fi
