#!/usr/bin/env bash
# The R tests and `R CMD check --as-cran` with what Debian trixie has (R 4.5, Seurat 5, and its rustc-web), on a machine that has others.
#
#   tools/modern-r.sh [FILTER]    (or: make modern), as root
#
# The check runs all tests. With FILTER, which is testthat's, only the test files whose names match are run, without a check.
# SPAXR_TRIXIE (~/.cache/spaxr-trixie unless set) becomes a Debian system made by debootstrap: 3 GB and three minutes the first
# time, reused afterwards; from DEBIAN_MIRROR, if set.
# The status is 77 where no such system can be made.
#
# Everything lies in that folder, compiled crates too: what is compiled there never mixes with what is of this machine, and nothing of the
# machine is mounted there but /proc, in a mount namespace of the script's own that ends with it. Where a container refuses
# that, it goes without. The crates come along in src/rust/vendor.tar.xz, as they go to CRAN, and are compiled without a network.
set -euo pipefail

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
# What DESCRIPTION names, and what the check calls.
packages=(r-base-core r-base-dev r-bioc-biocstyle r-bioc-delayedarray r-bioc-singlecellexperiment r-bioc-spatialexperiment r-cran-bit64
  r-cran-callr r-cran-cli r-cran-data.table r-cran-future r-cran-ggplot2 r-cran-igraph r-cran-knitr r-cran-matrix r-cran-mclust r-cran-patchwork r-cran-png
  r-cran-progressr r-cran-rann r-cran-rlang r-cran-rmarkdown r-cran-seurat r-cran-seuratobject r-cran-testthat r-cran-tibble r-cran-vdiffr r-cran-withr
  cargo-web rustc-web devscripts pandoc qpdf tidy xz-utils)

project=$(cd "$(dirname "$0")/.." && pwd)
folder=${SPAXR_TRIXIE:-${XDG_CACHE_HOME:-$HOME/.cache}/spaxr-trixie}

step() { printf -- '-- %s (%s s)\n' "$1" "$SECONDS"; }

cannot() {
  echo "modern-r.sh: $*" >&2
  exit 77
}

get_debootstrap() {
  [ "$(id -u)" -eq 0 ] || cannot "needs root, for debootstrap and chroot"
  command -v debootstrap >/dev/null && return
  command -v apt-get >/dev/null || cannot "debootstrap was not found"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends debootstrap >/dev/null ||
    cannot "debootstrap cannot be installed"
}

inside() {
  chroot "$folder" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin R_LIBS=/library SPAXR_CARGO_TARGET=/target CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never "$@" </dev/null
}

# A system that is only half made never gets the name under which it is looked for.
make_system() {
  [ ! -e "$folder" ] || return 0
  rm -rf --one-file-system "$folder.part"
  debootstrap --variant=minbase --include=ca-certificates trixie "$folder.part" "$mirror" ||
    cannot "debootstrap failed"
  mv "$folder.part" "$folder"
}

install_packages() {
  inside dpkg-query --show "${packages[@]}" >/dev/null 2>&1 && return
  cp /etc/resolv.conf "$folder/etc/resolv.conf"
  inside apt-get -o Acquire::Retries=3 update -qq
  inside apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends "${packages[@]}" >"$folder/apt.log" 2>&1 || {
    tail -n 40 "$folder/apt.log"
    return 1
  }
  inside apt-get clean
}

copy_sources() {
  rm -rf --one-file-system "$folder/spaxR"
  mkdir "$folder/spaxR"
  (cd "$project" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
  done | tar --create --null --files-from=- --file=-) | tar --extract --directory "$folder/spaxR"
}

# Made again only when the crates are others.
vendor_crates() {
  local rust=$folder/spaxR/src/rust kept=$folder/vendor
  if ! cmp -s "$rust/Cargo.lock" "$kept/Cargo.lock"; then
    rm -rf --one-file-system "$kept"
    mkdir "$kept"
    "$folder/spaxR/tools/vendor.sh"
    cp "$rust/vendor.tar.xz" "$rust/Cargo.lock" "$kept"
  fi
  cp "$kept/vendor.tar.xz" "$rust"
}

test_code='
library(testthat)
filter <- Sys.getenv("FILTER")
results <- as.data.frame(test_dir("/spaxR/tests/testthat", package = "spaxR", load_package = "installed", reporter = "summary",
  stop_on_failure = FALSE, filter = filter))
versions <- vapply(c("Seurat", "SeuratObject", "ggplot2", "testthat"), function(p) paste(p, packageVersion(p)), "")
failed <- sum(results$failed) + sum(results$error)
message(R.version.string, ", ", paste(versions, collapse = ", "))
message(sum(results$passed), " passed, ", failed, " failed, ", sum(results$skipped), " skipped; ", sum(results$warning), " warnings")
quit("no", status = failed > 0)
'

# Only when the system is made: debootstrap mounts it as well, and unmounts it.
mount_proc() {
  [ "$namespace" = own ] && mount --bind /proc "$folder/proc" || echo "/proc cannot be mounted: without it."
}

main() {
  local filter=${1:-}
  mkdir -p "$(dirname "$folder")"
  exec 9>"$folder.lock"
  flock 9
  step "Debian trixie"
  make_system
  mount_proc
  install_packages
  step "sources and crates"
  copy_sources
  vendor_crates
  step "install"
  mkdir -p "$folder/library"
  inside R CMD INSTALL --no-multiarch --no-docs --library=/library /spaxR
  if [ -n "$filter" ]; then
    step "tests"
    inside NOT_CRAN=true FILTER="$filter" Rscript --vanilla -e "$test_code"
    return
  fi
  step "R CMD check --as-cran"
  mkdir -p "$folder/check"
  # What was just compiled serves the check too: cargo takes vendored crates in another folder for others, and would compile all again.
  inside NOT_CRAN=true SPAXR_RUST_LIBRARY=/target/release/libspaxR.a /spaxR/tools/check.sh /check --as-cran
  step "done"
}

if [ "${1:-}" = --in-namespace ]; then
  namespace=own
  main "${@:2}"
  exit
fi
get_debootstrap
if unshare --mount true 2>/dev/null; then
  exec unshare --mount --propagation private "$0" --in-namespace "$@"
fi
namespace=machine
main "$@"
