# Looks for a Rust that is new enough, and names the target that it compiles for. Part of tools/config.R.

# Where Rust may be: the folders of the PATH, then where its own installer puts it, which RStudio's PATH does not reach.
rust_folders <- function() {
  home <- Sys.getenv(if (windows) "USERPROFILE" else "HOME")
  homes <- c(Sys.getenv("CARGO_HOME"), file.path(home, ".cargo"))
  installed <- file.path(homes[nzchar(homes)], "bin")
  on_path <- strsplit(Sys.getenv("PATH"), .Platform$path.sep, fixed = TRUE)[[1L]]
  unique(normalizePath(c(on_path, installed), "/", mustWork = FALSE))
}

program_in <- function(folder, name) file.path(folder, paste0(name, if (windows) ".exe"))

# The first line that it says of itself; NA where it does not run.
version_of <- function(program) {
  found <- tryCatch(
    suppressWarnings(system2(program, "--version", stdout = TRUE, stderr = FALSE)),
    error = function(e) character()
  )
  if (length(found) && is.null(attr(found, "status"))) found[[1L]] else NA_character_
}

version_number <- function(line) numeric_version(sub("^[a-z]+ ([0-9.]+).*", "\\1", line), strict = FALSE)

# The rustc of a folder with the cargo beside it, or else that of the PATH. NULL where either does not run.
rust_in <- function(folder) {
  cargo <- program_in(folder, "cargo")
  if (!file.exists(cargo)) cargo <- Sys.which("cargo")
  versions <- c(cargo = version_of(cargo), rustc = version_of(program_in(folder, "rustc")))
  if (anyNA(versions)) NULL else list(folder = folder, versions = versions)
}

new_enough <- function(rust, wanted) isTRUE(all(version_number(rust$versions) >= wanted))

# The first that is new enough, wherever an older one stands before it.
find_rust <- function(wanted) {
  folders <- rust_folders()
  found <- lapply(folders[file.exists(program_in(folders, "rustc"))], rust_in)
  found <- Filter(Negate(is.null), found)
  for (rust in found) {
    if (new_enough(rust, wanted)) {
      return(rust)
    }
  }
  if (length(found) == 0L) {
    fail("Not found: cargo and rustc (looked on the PATH and in ", folders[[length(folders)]], ").")
  }
  described <- vapply(found, function(rust) paste(rust$versions[["rustc"]], "in", rust$folder), "")
  fail("Too old: ", paste(described, collapse = "; "), ".")
}

# As the shell of Rtools writes it in a PATH.
shell_path <- function(folder) if (windows) sub("^([A-Za-z]):", "/\\1", folder) else folder

# Rtools has GCC for Intel, and only LLVM for ARM.
windows_target <- function(architecture = R.version$arch) {
  if (architecture == "aarch64") "aarch64-pc-windows-gnullvm" else "x86_64-pc-windows-gnu"
}

# The variable that names a target's linker to cargo, and Rtools' linker.
windows_linker <- function(target) {
  variable <- paste0("CARGO_TARGET_", toupper(gsub("-", "_", target)), "_LINKER")
  paste0(variable, "=", if (endsWith(target, "gnullvm")) "clang.exe" else "x86_64-w64-mingw32.static.posix-gcc.exe")
}
