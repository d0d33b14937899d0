# Where a run calculates.

# The device that a run asks the core for. Where there is a GPU, "auto" stays: the core takes it when the run fits
# (check_place).
check_device <- function(device) {
  if (!rlang::is_string(device) || !grepl("^(auto|cpu|cuda(:[0-9]+)?)$", device)) {
    abort_spax("argument", c(
      paste(
        "{.arg device} must be {.val auto}, {.val cpu}, {.val cuda} or",
        "a GPU by number as in {.val cuda:1}, not {show_value(device)}."
      ),
      "i" = "{.fn SpaxDevices} lists what this build and machine offer."
    ), "device")
  }
  switch(device, auto = best_device(), cpu = "cpu", check_gpu(device))
}

best_device <- function() {
  # An install for the CPU never mentions CUDA.
  if (!built_with_cuda()) {
    return("cpu")
  }
  reason <- why_no_cuda()
  if (is.null(reason)) {
    return("auto")
  }
  say_cpu(reason, .frequency = "once", .frequency_id = "spaxR_no_cuda")
  "cpu"
}

say_cpu <- function(reason, ...) cli::cli_inform("Running on the CPU: {reason}.", ...)

check_gpu <- function(device) {
  devices <- SpaxDevices()
  row <- devices[devices$device == sub("^cuda$", "cuda:0", device) | devices$device == device, ]
  if (any(row$available)) {
    return(device)
  }
  reason <- if (nrow(row) > 0L) row$reason[[1L]] else why_no_cuda() %||% "this machine has no GPU of that number"
  abort_spax("device", c(
    "{.code device = \"{device}\"} is not available: {reason}.",
    "i" = "Use {.code device = \"auto\"} or {.code device = \"cpu\"}; {.fn SpaxDevices} lists what there is."
  ), "device")
}
