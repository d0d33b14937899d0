# Which compiled library the core's functions are called in. The package's own is free of CUDA and loads everywhere. An
# install with SPAXR_CUDA=1 has a second one, spaxR_cuda, which holds the same functions and needs NVIDIA's driver and
# libraries: it is loaded when a GPU is first asked for, and serves all calls from then on, since what one library made
# (features, graphs, trainers) the other does not know.

native <- new.env(parent = emptyenv())

# All generated wrappers call through this.
call_core <- function(symbol, ...) call_native(native$symbols[[symbol$name]] %||% symbol, ...)

# Which library the symbol is of is known only when it is called: R CMD check, which looks symbols up, is content with
# one among the dots.
call_native <- function(...) .Call(...)

# Loads the library with CUDA, once a session. NULL, or why there is none that can be used.
why_no_cuda <- function() {
  if (is.null(native$tried)) {
    native$reason <- load_cuda(cuda_file())
    native$tried <- TRUE
  }
  native$reason
}

built_with_cuda <- function() file.exists(cuda_file())

# Beside the package's own library.
cuda_file <- function() {
  own <- getLoadedDLLs()[["spaxR"]][["path"]]
  file.path(dirname(own), paste0("spaxR_cuda", .Platform$dynlib.ext))
}

load_cuda <- function(file) {
  if (!file.exists(file)) {
    return("this build of spaxR has no CUDA: it was compiled for the CPU")
  }
  library <- tryCatch(dyn.load(file), error = conditionMessage)
  if (is.character(library)) {
    return(explain_load_failure(library))
  }
  symbols <- getDLLRegisteredRoutines(library)$.Call
  found <- core(call_native(symbols[["wrap__core_devices"]]))
  cuda <- startsWith(found$name, "cuda")
  if (!any(found$available & cuda)) {
    return(found$reason[cuda][[1L]])
  }
  native$symbols <- symbols
  NULL
}

# The loader names the library that it lacks.
explain_load_failure <- function(message) {
  missing <- regmatches(message, regexpr("lib[[:alnum:]]+[.]so[.0-9]*", message))
  if (length(missing) == 1L && startsWith(missing, "libcuda.")) {
    return("this machine has no NVIDIA driver (libcuda was not found)")
  }
  if (length(missing) == 1L) {
    return(paste0(
      "NVIDIA's library ",
      missing,
      " was not found: load the CUDA module or set LD_LIBRARY_PATH to the CUDA version of the install"
    ))
  }
  paste("the library with CUDA does not load:", message)
}
