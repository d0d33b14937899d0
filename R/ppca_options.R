#' Options of predictive components
#'
#' What [RunPredictivePCA()] has beyond its own arguments. An option that is not given keeps its default. Printing marks what differs from the defaults.
#'
#' \describe{
#'   \item{`n_genes`}{genes kept, those with the highest standardised variance ("vst").}
#'   \item{`min_cells`, `min_counts`}{a gene is kept when it is seen in at least `min_cells` cells and has at least `min_counts`
#'     counts in all. With fewer than 500 cells, `min_cells` is a tenth of them.}
#'   \item{`cluster`}{method of [FindDomains()].}
#'   \item{`starts`}{starts of the mixtures of each matrix, or of k-means.}
#'   \item{`boundaries`}{TRUE looks at the cells along borders once more, by what they are themselves: each may take the domain of one of its 6 nearest.}
#'   \item{`refine_k`}{if not 0, give each cell the commonest label of so many nearest cells in the end.}
#' }
#'
#' @param ... Options by name, from the list above. An unknown name is an error.
#' @param preset NULL.
#' @return An object of class `ppca_options`: a named list with a value for every option.
#' @export
#' @examples
#' ppca_options()
#' ppca_options(n_genes = 3000)
ppca_options <- function(..., preset = NULL) new_options(ppca_option_set(), rlang::list2(...), preset)

ppca_option_set <- function() {
  list(
    class = "ppca_options", system = "predictive components", core = list(n_genes = 2000L, min_cells = 50L, min_counts = 10L),
    after = list(cluster = "consensus", starts = 20L, boundaries = FALSE, refine_k = 0L),
    ranges = c(
      option_range(c("n_genes", "starts"), 1, 1e9, TRUE), option_range(c("min_cells", "min_counts", "refine_k"), 0, 1e9, TRUE)
    ),
    choices = domain_choices()["cluster"], flags = "boundaries",
    presets = list(default = list()), published = list(fixed = list(), free = list(), preset = "default")
  )
}
