#' Options of SpaLORA
#'
#' Everything about [RunSpaLORA()] beyond its own arguments: how the modalities are prepared, the graphs, the network
#' and its training, and how domains are found. An option that is not given keeps its default. Printing marks what
#' differs from the defaults.
#'
#' The defaults need no platform: they were chosen over simulated and real tissues, with the measurements in the folder
#' `bench` of the sources. The published settings of three platforms are presets.
#'
#' @eval option_topics("spalora")
#'
#' @param ... Nothing: options are given by their names, in full. An unknown name is an error.
#' @eval option_params("spalora")
#' @param preset NULL, or the published settings for a kind of data: `"visium_protein"` (Visium with antibodies),
#'   `"slide_tags"` or `"spatial_atac_rna"`. Options given by name win over the preset.
#' @return An object of class `spalora_options`: a named list with a value for every option.
#' @source Published settings: the code of SpaLORA.
#' @export
#' @examples
#' spalora_options()
#' spalora_options(k = 10, weights = "none")
#' spalora_options(preset = "spatial_atac_rna", epochs = 400)
spalora_options <- function(..., preset = NULL) new_options(option_set("spalora"), given_options(...), preset)
