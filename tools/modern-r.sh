#!/usr/bin/env bash
# Runs the R tests with the R and the Seurat of Debian trixie (R 4.5, Seurat 5), on a machine that has older ones.
#
#   tools/modern-r.sh [FOLDER] [FILTER]    (or: make modern), as root
#
# FOLDER (build/trixie unless given) becomes a Debian system made by debootstrap: about 2 GB and five minutes the first time, reused
# afterwards (from DEBIAN_MIRROR, if set). FILTER is testthat's: only the test files whose names match. Needs debootstrap (installed where apt-get is there) and a network; not part of `make test`.
#
# The tree's sources are copied into the folder, so that the objects compiled there never mix with those of this machine. Mounted there are
# Rust's own folders (CARGO_HOME, RUSTUP_HOME) and the compiled crates. These lie in SPAXR_CARGO_TARGET (build/modern-target unless given;
# begun as a copy of src/rust/target), which must not be the folder of this machine's own builds: what is linked there may not run here.
#
# Everything is mounted in a mount namespace of the script's own: the machine never sees a mount, and all are gone when the script ends,
# however it ends. Nothing is deleted once something is mounted.
set -euo pipefail

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
packages=(r-base-core r-base-dev r-bioc-delayedarray r-bioc-singlecellexperiment r-bioc-spatialexperiment r-cran-callr r-cran-cli
  r-cran-ggplot2 r-cran-igraph r-cran-matrix r-cran-mclust r-cran-patchwork r-cran-rann r-cran-rlang r-cran-seurat
  r-cran-seuratobject r-cran-testthat r-cran-vdiffr r-cran-withr)

stop() {
  echo "modern-r.sh: $*" >&2
  exit 1
}

if [ "${1:-}" != --in-namespace ]; then
  [ "$(id -u)" -eq 0 ] || stop "needs root, for debootstrap and chroot"
  if ! command -v debootstrap >/dev/null && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends debootstrap >/dev/null
  fi
  for program in debootstrap unshare cargo; do
    command -v "$program" >/dev/null || stop "$program was not found"
  done
  exec unshare --mount --propagation private "$0" --in-namespace "$@"
fi
shift

project=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$project/build/trixie}"
folder=$(cd "${1:-$project/build/trixie}" && pwd)
filter=${2:-}
target=${SPAXR_CARGO_TARGET:-$project/build/modern-target}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}

! grep -q " $folder/" /proc/self/mounts || stop "something is mounted below $folder already: unmount it first"

mounted=()
bind() {
  mkdir -p "$1" "$folder$1"
  mount --bind "$1" "$folder$1"
  mounted=("$folder$1" "${mounted[@]}")
}
# The namespace's end would do; unmounting here tells when something still holds a mount.
unmount() {
  local place
  for place in "${mounted[@]}"; do
    umount "$place" || umount --lazy "$place"
  done
}
trap unmount EXIT
trap 'exit 130' INT TERM HUP

inside() {
  chroot "$folder" /usr/bin/env -i HOME="$HOME" LANG=C.UTF-8 TERM="${TERM:-dumb}" DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

make_system() {
  [ ! -e "$folder/debootstrap" ] || stop "$folder was left half made: delete it and call again"
  [ -e "$folder/etc/debian_version" ] ||
    debootstrap --variant=minbase --include=ca-certificates trixie "$folder" "$mirror"
  # Only now: debootstrap makes its own /dev, and would write through a mounted one.
  bind /proc
  inside dpkg-query --show "${packages[@]}" >/dev/null 2>&1 || {
    inside apt-get update -qq
    inside apt-get install -y -qq --no-install-recommends "${packages[@]}"
  }
}

copy_sources() {
  rm -rf --one-file-system "$folder/spaxR"
  mkdir "$folder/spaxR"
  (cd "$project" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
  done | tar --create --null --files-from=- --file=-) | tar --extract --directory "$folder/spaxR"
}

test_code='
library(testthat)
filter <- Sys.getenv("FILTER")
results <- as.data.frame(test_dir("/spaxR/tests/testthat", package = "spaxR", load_package = "installed", reporter = "summary",
  stop_on_failure = FALSE, filter = if (nzchar(filter)) filter))
versions <- vapply(c("Seurat", "SeuratObject", "ggplot2", "testthat"), function(p) paste(p, packageVersion(p)), "")
failed <- sum(results$failed) + sum(results$error)
message(R.version.string, ", ", paste(versions, collapse = ", "))
message(sum(results$passed), " expectations met, ", failed, " failed, ", sum(results$warning), " warnings, ", sum(results$skipped), " tests skipped")
quit("no", status = failed > 0)
'

# Most crates do not depend on the R they are for: a copy of this machine's saves minutes.
copy_crates() {
  [ ! -e "$target" ] && [ -e "$project/src/rust/target/release" ] || return 0
  rm -rf "$target.part"
  mkdir -p "$target.part"
  cp --archive --reflink=auto "$project/src/rust/target/release" "$target.part"
  mv "$target.part" "$target"
}

copy_sources
copy_crates
make_system
bind "$cargo_home"
bind "$rustup_home"
bind "$target"
mkdir -p "$folder/library"
inside CARGO_HOME="$cargo_home" RUSTUP_HOME="$rustup_home" SPAXR_CARGO_TARGET="$target" \
  R CMD INSTALL --no-multiarch --no-docs --library=/library /spaxR
inside R_LIBS=/library NOT_CRAN=true FILTER="$filter" Rscript --vanilla -e "$test_code"
