#' Devices this build and machine offer
#'
#' Lists where training can run. A GPU needs an install with CUDA (see the section below), NVIDIA's driver, and the
#' device itself; what is missing stands in `reason`.
#'
#' @section Using a GPU:
#' The package installs for the CPU and needs nothing of NVIDIA's. For a GPU, on Linux, install the CUDA toolkit (12 or
#' newer; on a cluster `module load cuda`) and then the package from its sources with the environment variable
#' `SPAXR_CUDA=1` (or `--configure-args="--with-cuda"`). The library for GPUs comes beside the one for the CPU; it is
#' loaded when a run asks for it with `device = "cuda"` or `"auto"`. In RStudio Server the session does not read your
#' shell's modules: the install remembers where it found CUDA's libraries.
#'
#' With several GPUs, `device = "cuda:1"` takes the second. To use all, give each worker of [RunSamples()] one GPU
#' through the environment variable `CUDA_VISIBLE_DEVICES`.
#'
#' @section Memory:
#' Before long work, verbs compare what they will hold for sure with what the machine has free (on Linux; in a
#' container, with what is left to it), and end with an error of class `spaxR_error_memory` where that is more; a run
#' looks once more when it knows what its training needs. `options(spaxR.memory = 16)` says in GB how much may be taken,
#' on machines that others use too.
#'
#' @return A data frame with a row a device: `device` (the name that `device =` takes), `available` (TRUE or FALSE),
#'   `memory_gb` (in 1e9 bytes: what the machine has free, or a GPU in all; NA where not known) and `reason` (why not,
#'   or what it is).
#' @export
#' @examples
#' SpaxDevices()
SpaxDevices <- function() {
  reason <- why_no_cuda()
  found <- core(core_devices())
  devices <- data.frame(
    device = found$name, available = found$available, memory_gb = found$memory / 1e9, reason = found$reason
  )
  if (!is.null(reason)) {
    devices$reason[devices$device == "cuda"] <- reason
  }
  devices
}
