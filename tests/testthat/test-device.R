# What a run does with a GPU that is there, too small, or not there. The core's own choice is tested in the core
# (device.rs).

# The package's functions, replaced until the end of the test.
local_functions <- function(..., .envir = parent.frame()) {
  namespace <- asNamespace("spaxR")
  put <- function(functions) {
    for (name in names(functions)) {
      unlockBinding(name, namespace)
      assign(name, functions[[name]], namespace)
      lockBinding(name, namespace)
    }
  }
  functions <- list(...)
  before <- mget(names(functions), namespace)
  put(functions)
  withr::defer(put(before), .envir)
}

# A GPU whose memory is less than any run needs.
local_small_gpu <- function(.envir = parent.frame()) {
  note <- "device \"cuda:0\" has 2.0 GB of memory free, and this training needs about 5.5 GB"
  real <- place_run
  place <- function(run) {
    placed <- real(run)
    if (inherits(placed, "spaxR_core_error")) placed$message <- note
    placed
  }
  local_functions(
    why_no_cuda = function() NULL,
    built_with_cuda = function() TRUE,
    place_run = place,
    place_note = function(run) note,
    SpaxDevices = function() data.frame(device = c("cpu", "cuda:0"), available = TRUE, memory_gb = 4, reason = "there"),
    .envir = .envir
  )
}

# The messages of a run, and its value.
heard <- function(code) {
  said <- character()
  value <- withCallingHandlers(code, message = function(condition) {
    said <<- c(said, conditionMessage(condition))
    invokeRestart("muffleMessage")
  })
  list(value = value, said = said)
}

test_that("a GPU that is too small leaves the run to the CPU, with one message", {
  local_small_gpu()
  for (run in list(quick, quick_lora)) {
    found <- heard(run(epochs = 2))
    expect_length(found$said, 1)
    expect_match(found$said, "Running on the CPU: .*2.0 GB .*5.5 GB")
    expect_identical(found$value$device, "cpu")
  }
})

test_that("a GPU that was asked for by name and is too small is an error before training", {
  local_small_gpu()
  for (run in list(quick, quick_lora)) {
    condition <- expect_spax_error(run(device = "cuda"), "device", "device")
    expect_match(conditionMessage(condition), "5.5 GB")
    expect_match(conditionMessage(condition), "device = \"auto\"", fixed = TRUE)
  }
})

test_that("a build with CUDA on a machine without a driver says so once, and stops only where a GPU was asked for", {
  rlang::reset_message_verbosity("spaxR_no_cuda")
  local_functions(built_with_cuda = function() TRUE, why_no_cuda = function() "this machine has no NVIDIA driver")
  first <- heard(quick(epochs = 2))
  expect_match(first$said, "Running on the CPU: this machine has no NVIDIA driver")
  expect_identical(first$value$device, "cpu")
  expect_length(heard(quick(epochs = 2))$said, 0)
  condition <- expect_spax_error(quick(device = "cuda"), "device", "device")
  expect_match(conditionMessage(condition), "no NVIDIA driver")
})

test_that("an install for the CPU never mentions GPUs", {
  local_functions(built_with_cuda = function() FALSE)
  expect_length(heard(quick(epochs = 2, device = "auto"))$said, 0)
})

test_that("what the loader lacks is named", {
  loader <- function(file) {
    sprintf(
      "unable to load shared object 'spaxR_cuda.so':\n  %s: cannot open shared object file: No such file or directory",
      file
    )
  }
  expect_match(explain_load_failure(loader("libcuda.so.1")), "no NVIDIA driver")
  expect_match(explain_load_failure(loader("libcublas.so.13")), "libcublas.so.13 was not found")
  expect_match(explain_load_failure("undefined symbol: x"), "undefined symbol")
})
