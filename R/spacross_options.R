#' Options of SpaCross
#'
#' Everything about [RunSpaCross()] beyond its own arguments: how the counts are prepared, the network, its training,
#' and how domains are found. An option that is not given keeps its default. Printing marks what differs from the
#' defaults.
#'
#' What options there are and what they may be stands once, in the compiled core, and this page is made from it;
#' `spacross_options()` lists them all with their values.
#'
#' The domains of a default run come from what neighbours predict, which the network does not enter (`domains_from =
#' "predicted"`): `min_cells`, `min_counts` and the topic "Domains" decide them. The other options shape the network,
#' and with it the embedding, the integration of slices and what `impute_from = "network"` says; they reach the domains
#' with `domains_from` `"both"`, `"smoothed"` or `"embedding"`.
#'
#' @eval option_topics("spacross")
#'
#' @param ... Nothing: options are given by their names, in full. An unknown name is an error.
#' @eval option_params("spacross")
#' @param preset NULL, or the published settings for a kind of data: `"visium"`, `"visium_mouse_brain"`, `"starmap"`,
#'   `"osmfish"`, `"merfish"`, `"stereoseq"` or `"stereoseq_embryo"`. Options given by name win over the preset.
#' @return An object of class `spacross_options`: a named list with a value for every option.
#' @source Published settings: the configuration files of SpaCross (Communications Biology 8, 1393, 2025).
#' @export
#' @examples
#' spacross_options()
#' spacross_options(k = 6, domains_from = "embedding")
#' spacross_options(preset = "starmap", epochs = 100)
spacross_options <- function(..., preset = NULL) new_options(option_set("spacross"), given_options(...), preset)
