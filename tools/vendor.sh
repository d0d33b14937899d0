#!/usr/bin/env bash
# Makes src/rust/vendor.tar.xz: all crates in one file, so that the package installs without a network (as CRAN wants).
# Not kept in the repository.
set -euo pipefail
cd "$(dirname "$0")/../src/rust"
export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
rm -rf vendor
# The settings that it prints are in tools/config.R.
cargo vendor --quiet --locked --versioned-dirs vendor >/dev/null
rm -f vendor.tar.xz
tar -c --sort=name --mtime='2000-01-01' --owner=0 --group=0 --numeric-owner vendor | xz -9e >vendor.tar.xz
rm -rf vendor
ls -l vendor.tar.xz
