#' A slice of human cortex
#'
#' A real 10x Visium slice that ships with the package: human dorsolateral prefrontal cortex, sample 151673, with the layers that its authors
#' annotated by hand. Counts are raw; only a subset of the genes is kept, to save space.
#'
#' @param small TRUE gives a few hundred spots of it, for examples and tests.
#' @return A list: `counts`, a `dgCMatrix` of genes x spots; `spots`, a data frame with a row a spot (row names: the columns of
#'   `counts`): `x` and `y` (pixels of the full-size image), the layer in `label` (NA: not annotated), and more.
#' @source Maynard et al., Nature Neuroscience 24, 425-436 (2021); counts, annotation and positions from the public repositories
#'   prabhakarlab/Banksy (MIT) and LieberInstitute/HumanPilot (Artistic-2.0).
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' dim(slice$counts)
#' table(slice$spots$label, useNA = "ifany")
cortex_slice <- function(small = FALSE) {
  check_flag(small, "small")
  file <- if (small) "dlpfc_small.rds" else "dlpfc_151673.rds"
  slice <- readRDS(system.file("extdata", file, package = "spaxR", mustWork = TRUE))
  rownames(slice$spots) <- colnames(slice$counts)
  slice
}
