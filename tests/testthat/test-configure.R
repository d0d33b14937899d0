# What configure does before anything is compiled: tools/config.R and tools/rust.R of the source tree.

skip_on_cran()
skip_on_os("windows")

source_tree <- function() {
  root <- normalizePath(testthat::test_path("..", ".."))
  skip_if_not(file.exists(file.path(root, "tools", "rust.R")), "not in the source tree")
  root
}

# A folder with a cargo and a rustc that say they are of this version.
rust_of_version <- function(version, folder = withr::local_tempfile(.local_envir = parent.frame())) {
  dir.create(folder, recursive = TRUE)
  for (name in c("cargo", "rustc")) {
    program <- file.path(folder, name)
    writeLines(c("#!/bin/sh", paste0("echo '", name, " ", version, " (0123456 2025-01-01)'")), program)
    Sys.chmod(program, "755")
  }
  normalizePath(folder)
}

rust_search <- function() {
  search <- new.env()
  search$windows <- FALSE
  search$fail <- function(...) rlang::abort(paste0(...), class = "no_rust")
  sys.source(file.path(source_tree(), "tools", "rust.R"), search)
  search
}

test_that("a new enough Rust is found behind an older one, on the PATH, in CARGO_HOME and in ~/.cargo", {
  search <- rust_search()
  old <- rust_of_version("1.63.0")
  home <- withr::local_tempdir()
  withr::local_envvar(PATH = paste(old, Sys.getenv("PATH"), sep = ":"), HOME = home, CARGO_HOME = NA)
  # Whatever this machine has is older than these.
  newer <- rust_of_version("9.1.0")
  withr::with_path(newer, action = "suffix", expect_equal(search$find_rust("9.0")$folder, newer))
  of_home <- rust_of_version("9.2.0", file.path(home, ".cargo", "bin"))
  expect_equal(search$find_rust("9.0")$folder, of_home)
  cargo_home <- withr::local_tempdir()
  withr::local_envvar(CARGO_HOME = cargo_home)
  named <- rust_of_version("9.3.0", file.path(cargo_home, "bin"))
  expect_equal(search$find_rust("9.0")$folder, named)
  expect_match(search$find_rust("9.0")$versions[["rustc"]], "9.3.0", fixed = TRUE)
})

test_that("one that is too old is named, and so is where none was found", {
  search <- rust_search()
  old <- rust_of_version("1.63.0")
  withr::local_envvar(PATH = old, HOME = withr::local_tempdir(), CARGO_HOME = NA)
  expect_error(search$find_rust("1.85"), paste("rustc 1[.]63[.]0.* in", old), class = "no_rust")
  withr::local_envvar(PATH = withr::local_tempdir())
  expect_error(search$find_rust("1.85"), "Not found: cargo and rustc", class = "no_rust")
})

test_that("a nightly's version is read, and that of a program that fails is not", {
  search <- rust_search()
  expect_true(search$version_number("rustc 1.96.0-nightly (abc 2026-01-01)") >= "1.95")
  failing <- withr::local_tempfile(lines = c("#!/bin/sh", "echo rustc 9.0.0", "exit 1"))
  Sys.chmod(failing, "755")
  expect_identical(search$version_of(failing), NA_character_)
})

test_that("Windows on ARM has a target and a linker of its own", {
  search <- rust_search()
  expect_equal(search$windows_target("aarch64"), "aarch64-pc-windows-gnullvm")
  expect_equal(search$windows_target("x86_64"), "x86_64-pc-windows-gnu")
  expect_equal(
    search$windows_linker("aarch64-pc-windows-gnullvm"),
    "CARGO_TARGET_AARCH64_PC_WINDOWS_GNULLVM_LINKER=clang.exe"
  )
  expect_match(
    search$windows_linker("x86_64-pc-windows-gnu"),
    "^CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32"
  )
  search$windows <- TRUE
  expect_equal(search$shell_path("C:/Users/me/.cargo/bin"), "/C/Users/me/.cargo/bin")
})

test_that("an argument that configure does not know is an error, and writes nothing", {
  root <- source_tree()
  copy <- withr::local_tempdir()
  dir.create(file.path(copy, "src", "rust"), recursive = TRUE)
  file.copy(file.path(root, c("configure", "tools")), copy, recursive = TRUE)
  file.copy(file.path(root, "src", "Makevars.in"), file.path(copy, "src"))
  file.copy(file.path(root, "src", "rust", "Cargo.toml"), file.path(copy, "src", "rust"))
  configure <- function(...) {
    withr::local_dir(copy)
    withr::local_envvar(R_HOME = R.home(), SPAXR_CUDA = NA)
    suppressWarnings(system2("./configure", c(...), stdout = TRUE, stderr = TRUE))
  }
  refused <- configure("--with-cuda", "--with-cudda")
  expect_equal(attr(refused, "status"), 1L)
  expect_match(refused, "--with-cudda", fixed = TRUE, all = FALSE)
  expect_false(file.exists(file.path(copy, "src", "Makevars")))
  expect_null(attr(configure(), "status"))
  expect_true(file.exists(file.path(copy, "src", "Makevars")))
})
