# make demo    set up, build, and run the main job on the bundled slice of human cortex
# make test    set up, build, and run all tests (Rust core and R package)
# make build   install the package into build/library
# make document   generated files: R/extendr-wrappers.R, NAMESPACE, man/
# make check   R CMD build and R CMD check: no errors, no warnings (CHECK_ARGS="...": further arguments of R CMD check)
# make lint    formatting, clippy, documentation of the core without a gap or a dead link, lines of R under 120 columns
# make modern  R CMD check --as-cran, all R tests with it, with R 4.5 and Seurat 5, in a Debian trixie folder that it makes (root)
# make cuda-check   compile all of it with CUDA, on a machine without a GPU (fetches the toolkit; see tools/cuda-toolkit.sh)
# make clean   remove what is built, except the compiled Rust crates (make distclean removes those too)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# Compiled crates are kept here, and shared with the copies of the sources that R CMD check makes.
# Without this variable an install compiles everything and keeps nothing (tools/config.R).
export SPAXR_CARGO_TARGET ?= $(CURDIR)/src/rust/target
LIBRARY := $(CURDIR)/build/library
export R_LIBS := $(LIBRARY)
# Rust's installer puts cargo here.
CARGO_HOME_BIN := $(if $(CARGO_HOME),$(CARGO_HOME),$(HOME)/.cargo)/bin
export PATH := $(PATH):$(CARGO_HOME_BIN)
CARGO := cd src/rust && CARGO_TARGET_DIR="$(SPAXR_CARGO_TARGET)" cargo

SOURCES := DESCRIPTION NAMESPACE configure tools/config.R $(shell find R inst man src -type d \( -path src/rust/target -o -path src/rust/core/tests -o -path src/.cargo \) -prune -o -type f -not -name '*.o' -not -name '*.so' -not -name 'Makevars' -print)
INSTALLED := build/installed

.PHONY: all setup build demo test test-core test-r document current modern lint check cuda-check clean distclean

all: build

setup:
	@tools/setup.sh

build: $(INSTALLED)

$(INSTALLED): $(SOURCES) | setup
	@mkdir -p $(LIBRARY)
	R CMD INSTALL --no-multiarch --library=$(LIBRARY) .
	@touch $@

demo: build
	Rscript --vanilla inst/scripts/cortex.R demo-output

test: test-core test-r

test-core: setup
	$(CARGO) test --locked -p spax-core --features emulate

test-r: build
	NOT_CRAN=true Rscript --vanilla -e 'testthat::test_dir("tests/testthat", package = "spaxR", load_package = "installed", reporter = testthat::ProgressReporter$$new(show_praise = FALSE, update_interval = Inf), stop_on_failure = TRUE)'

# The wrappers come from the installed library, and the man pages from the package with those wrappers.
document: build
	Rscript --vanilla tools/wrappers.R
	$(MAKE) build
	Rscript --vanilla -e 'roxygen2::roxygenise(load_code = "installed")'

# Fails when the generated files in the tree are not those that `make document` writes.
GENERATED := NAMESPACE man R/extendr-wrappers.R
current:
	rm -rf build/before && mkdir -p build/before
	cp -R $(GENERATED) build/before
	$(MAKE) document
	diff -r build/before/NAMESPACE NAMESPACE
	diff -r build/before/man man
	diff -r build/before/extendr-wrappers.R R/extendr-wrappers.R

modern:
	tools/modern-r.sh

lint: setup
	Rscript --vanilla tools/lines.R
	@cargo fmt --version && cargo clippy --version || rustup component add rustfmt clippy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --features spax-core/emulate -- -D warnings
	export RUSTDOCFLAGS="-D warnings" && $(CARGO) doc --locked -p spax-core --no-deps --features emulate

check: build
	tools/check.sh $(CURDIR)/build $(CHECK_ARGS)

cuda-check: setup
	tools/cuda-check.sh "$(SPAXR_CARGO_TARGET)/cuda" release

clean:
	rm -rf build demo-output src/*.o src/*.so
	./cleanup

distclean: clean
	rm -rf "$(SPAXR_CARGO_TARGET)"
