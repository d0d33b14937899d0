# Run by configure: looks for Rust, says what it found, and writes src/Makevars.
#
# Two kinds of build:
# - a user's install (the default) leaves nothing behind: crates go to a temporary CARGO_HOME and
#   the target folder is deleted. With src/rust/vendor.tar.xz (tools/vendor.sh) it needs no network.
# - a developer's (SPAXR_CARGO_TARGET=<folder>, or NOT_CRAN=true as devtools sets it) keeps the
#   target folder and uses the developer's own cargo cache, so that only changes are compiled.
# With SPAXR_RUST_LIBRARY=<a libspaxR.a of these very sources> nothing is compiled but the entry point.
#
# SPAXR_CUDA=1 (or --configure-args="--with-cuda") adds a second library for NVIDIA GPUs, spaxR_cuda.so: tools/cuda.R.

windows <- .Platform$OS.type == "windows"
source("tools/rust.R", local = TRUE)

wanted <- sub('.*"(.*)".*', "\\1", grep("^rust-version", readLines("src/rust/Cargo.toml"), value = TRUE))

fail <- function(...) {
  message(
    ...,
    "\nspaxR is partly written in Rust and is compiled on this machine. Install Rust >= ", wanted,
    " from https://rustup.rs (one command; `rustup update` renews it), and start a new R session."
  )
  quit("no", status = 1L)
}

# One that is not understood would be left out without a word.
check_arguments <- function(arguments, known = "--with-cuda") {
  unknown <- setdiff(arguments, known)
  if (length(unknown) == 0L) {
    return(invisible())
  }
  message(
    "Not understood by configure: ", paste(unknown, collapse = " "), ". It takes ", paste(known, collapse = " "),
    " and nothing else."
  )
  quit("no", status = 1L)
}

is_true <- function(variable) tolower(Sys.getenv(variable)) %in% c("true", "1", "yes")
check_arguments(commandArgs(TRUE))
wants_cuda <- is_true("SPAXR_CUDA") || "--with-cuda" %in% commandArgs(TRUE)

# Offline, from the crates in src/rust/vendor, and with no more processes than CRAN allows.
vendored_flags <- function() {
  source <- c('crates-io.replace-with="vendored"', 'vendored.directory="rust/vendor"')
  c("--offline -j 2", paste0("--config 'source.", source, "'"))
}

# The values of the placeholders of Makevars.in.
build_settings <- function(rust) {
  target <- Sys.getenv("SPAXR_CARGO_TARGET")
  ready <- Sys.getenv("SPAXR_RUST_LIBRARY")
  keep <- nzchar(target) || nzchar(ready) || is_true("NOT_CRAN")
  # The crates for CUDA are not among the vendored ones: they would double the package for everybody.
  # A developer's build takes them only where there is no network.
  offline <- !keep || is_true("CARGO_NET_OFFLINE")
  vendored <- offline && !nzchar(ready) && !wants_cuda && file.exists("src/rust/vendor.tar.xz")
  checked <- nzchar(Sys.getenv("_R_CHECK_PACKAGE_NAME_")) || nzchar(Sys.getenv("_R_CHECK_LIMIT_CORES_"))
  target <- if (nzchar(target)) normalizePath(target, "/", mustWork = FALSE) else "./rust/target"
  list(
    TARGET = target,
    LIBRARY = if (nzchar(ready)) {
      normalizePath(dirname(ready), "/")
    } else {
      paste(c(target, if (windows) windows_target(), "release"), collapse = "/")
    },
    CARGO = if (nzchar(ready)) "true" else "cargo",
    CARGO_BIN = shell_path(rust$folder),
    WINDOWS_TARGET = windows_target(),
    WINDOWS_LINKER = windows_linker(windows_target()),
    CARGO_HOME = if (keep) "" else 'CARGO_HOME="$$PWD/.cargo"',
    FLAGS = paste(if (vendored) vendored_flags() else if (checked) "-j 2", collapse = " "),
    UNPACK = if (vendored) "cd rust && tar -xJf vendor.tar.xz" else "@:",
    TIDY = if (!keep) 'rm -rf "$(TARGET)" .cargo rust/vendor' else if (vendored) "rm -rf rust/vendor" else "@:",
    # Rust's symbols stay inside, and the debug information of its standard library goes.
    LINK = if (Sys.info()[["sysname"]] == "Linux") "-Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,--strip-debug" else ""
  )
}

write_makevars <- function(settings, further = character()) {
  name <- if (windows) "src/Makevars.win" else "src/Makevars"
  lines <- c(readLines(paste0(name, ".in")), further)
  for (key in names(settings)) {
    lines <- gsub(paste0("@", key, "@"), settings[[key]], lines, fixed = TRUE)
  }
  writeLines(lines, name)
}

rust <- find_rust(wanted)
message("using ", paste(rust$versions, collapse = "\nusing "), "\nin ", rust$folder)
settings <- build_settings(rust)
cuda_rules <- character()
if (wants_cuda) {
  source("tools/cuda.R", local = TRUE)
  settings <- c(settings, cuda_settings())
  cuda_rules <- readLines("src/cuda/rules.mk")
}
write_makevars(settings, cuda_rules)
