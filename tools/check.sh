#!/usr/bin/env bash
# R CMD build and R CMD check of a copy without build outputs. Fails on any error, any warning, and any note that cran-comments.md does not explain.
#   tools/check.sh <work folder> [further arguments of R CMD check, as --as-cran]
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
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
# The check compiles from the tarball's own sources, without a network; nothing of CRAN is asked for either.
export CARGO_NET_OFFLINE=true _R_CHECK_TESTS_NLINES_=0 _R_CHECK_XREFS_REPOSITORIES_="" _R_CHECK_CRAN_INCOMING_REMOTE_=false _R_CHECK_SYSTEM_CLOCK_=false
R CMD check --no-manual "${@:2}" spaxR_*.tar.gz </dev/null
grep -h -m 1 "^\[ FAIL" spaxR.Rcheck/tests/*.Rout 2>/dev/null || true
ls -l spaxR_*.tar.gz

log=spaxR.Rcheck/00check.log
if ! grep -qE '^Status: (OK|[0-9]+ NOTEs?)$' "$log"; then
  echo "R CMD check must show no error and no warning." >&2
  exit 1
fi
sed -nE 's/^\* checking (.*) \.\.\.( \[.*\])? NOTE$/\1/p' "$log" | while IFS= read -r note; do
  grep -qF "\`$note\`" "$project/cran-comments.md" || {
    echo "cran-comments.md does not explain the note on $note." >&2
    exit 1
  }
done
