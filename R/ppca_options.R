#' Options of predictive components
#'
#' What [RunPredictivePCA()] has beyond its own arguments. An option that is not given keeps its default. Printing marks
#' what differs from the defaults.
#'
#' @eval option_topics("ppca")
#'
#' @param ... Nothing: options are given by their names, in full. An unknown name is an error.
#' @eval option_params("ppca")
#' @param preset NULL: nothing was published whose settings could be given here.
#' @return An object of class `ppca_options`: a named list with a value for every option.
#' @export
#' @examples
#' ppca_options()
#' ppca_options(n_genes = 3000)
ppca_options <- function(..., preset = NULL) new_options(option_set("ppca"), given_options(...), preset)
