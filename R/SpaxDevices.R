#' Devices this build and machine offer
#'
#' @return A data frame with a row a device: `device` (the name that `device =` takes), `available` (TRUE or FALSE) and `reason` (why not, or what it is).
#' @export
#' @examples
#' SpaxDevices()
SpaxDevices <- function() {
  found <- core(core_devices())
  data.frame(device = found$name, available = found$available, reason = found$reason)
}
