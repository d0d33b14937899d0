# Looks for NVIDIA's CUDA toolkit, says what it found, and gives the values that src/cuda/rules.mk needs. Part of
# tools/config.R.

cuda_fail <- function(...) {
  message(
    ...,
    paste(
      "\nThe library for NVIDIA GPUs was asked for (SPAXR_CUDA=1 or --with-cuda)",
      "and cannot be built. Install the CUDA toolkit, version 12 or newer"
    ),
    paste(
      "\n(https://developer.nvidia.com/cuda-downloads; on a cluster",
      "`module load cuda`), set CUDA_HOME to its folder if it is"
    ),
    "\nnot on the PATH, and install again. Without SPAXR_CUDA the package installs for the CPU and needs none of this."
  )
  quit("no", status = 1L)
}

# The folder above bin/nvcc: CUDA_HOME and its other names first, then the PATH, then where NVIDIA's installer puts it.
cuda_home <- function() {
  named <- Sys.getenv(c("CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"))
  on_path <- Sys.which("nvcc")
  if (nzchar(on_path)) on_path <- dirname(dirname(normalizePath(on_path)))
  places <- c(named, on_path, "/usr/local/cuda", "/opt/cuda")
  places <- places[nzchar(places)]
  found <- places[file.exists(file.path(places, "bin", "nvcc"))]
  if (length(found) == 0L) {
    cuda_fail("Not found: nvcc, CUDA's compiler (looked in ", paste(unique(places), collapse = ", "), ").")
  }
  normalizePath(found[[1L]])
}

cuda_version <- function(home) {
  text <- paste(system2(file.path(home, "bin", "nvcc"), "--version", stdout = TRUE), collapse = " ")
  version <- sub(".*release ([0-9.]+).*", "\\1", text)
  if (!grepl("^[0-9.]+$", version)) cuda_fail("nvcc in ", home, " does not run.")
  if (numeric_version(version) < "12.0") cuda_fail("CUDA ", version, " in ", home, " is too old.")
  version
}

cuda_libraries <- c("cublas", "cublasLt", "curand", "nvrtc", "cudart")

cuda_folder <- function(home) {
  folders <- file.path(home, c("lib64", "lib", "targets/x86_64-linux/lib"))
  holds <- function(folder) file.exists(file.path(folder, paste0("lib", cuda_libraries, ".so")))
  found <- lapply(folders, holds)
  complete <- vapply(found, all, NA)
  if (any(complete)) {
    return(folders[complete][[1L]])
  }
  most <- which.max(vapply(found, sum, 0))
  cuda_fail(
    "Not found in ",
    folders[[most]],
    ": ",
    paste0("lib", cuda_libraries[!found[[most]]], ".so", collapse = ", "),
    "."
  )
}

cuda_settings <- function() {
  if (Sys.info()[["sysname"]] != "Linux") cuda_fail("CUDA builds are for Linux.")
  home <- cuda_home()
  version <- cuda_version(home)
  folder <- cuda_folder(home)
  message("using CUDA ", version, " in ", home)
  list(CUDA_HOME = home, CUDA_LIB = folder, CUDA_COMPUTE_CAP = compute_capability())
}

# Of the GPU that the code is compiled for, as in "90": given, or this machine's, or (on a login node, say) the oldest
# that all newer ones run.
compute_capability <- function(oldest = "80") {
  given <- Sys.getenv("CUDA_COMPUTE_CAP")
  if (nzchar(given)) {
    return(given)
  }
  query <- c("--query-gpu=compute_cap", "--format=csv,noheader")
  seen <- tryCatch(suppressWarnings(system2("nvidia-smi", query, stdout = TRUE, stderr = FALSE)), error = function(e) {
    character()
  })
  seen <- sub(".", "", grep("^[0-9]+[.][0-9]$", trimws(seen), value = TRUE), fixed = TRUE)
  if (length(seen)) as.character(min(as.integer(seen))) else oldest
}
