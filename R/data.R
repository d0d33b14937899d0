#' A slice of human cortex
#'
#' Real 10x Visium slices that ship with the package: human dorsolateral prefrontal cortex, samples 151673 and 151674,
#' neighbours in one block of tissue, with the layers that their authors annotated by hand. Counts are raw; only a
#' subset of the genes is kept, to save space.
#'
#' @param small TRUE gives a few hundred spots of 151673, for examples and tests.
#' @param sample `"151673"` or `"151674"`, the slice next to it, 10 micrometres on, with 1,500 genes.
#' @return A list: `counts`, a `dgCMatrix` of genes x spots; `spots`, a data frame with a row a spot (row names: the
#'   columns of `counts`): `x` and `y` (pixels of the full-size image, y downwards), the layer in `label` (NA: not
#'   annotated), and more; `genes`, a data frame with a row a gene (row names, its Ensembl identifier: the rows of
#'   `counts`) and its `symbol`, NA for the 3 % that had none in 2022.
#' @source Maynard et al., Nature Neuroscience 24, 425-436 (2021); counts, annotation and positions from the public
#'   repositories prabhakarlab/Banksy (MIT) and LieberInstitute/HumanPilot (Artistic-2.0); symbols from Bioconductor's
#'   org.Hs.eg.db 3.16 (Artistic-2.0).
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' dim(slice$counts)
#' table(slice$spots$label, useNA = "ifany")
#' # Symbols in place of identifiers, where there are any:
#' symbol <- slice$genes$symbol
#' rownames(slice$counts) <- ifelse(is.na(symbol), rownames(slice$counts), symbol)
#' head(rownames(slice$counts))
cortex_slice <- function(small = FALSE, sample = "151673") {
  check_flag(small, "small")
  check_choice(sample, c("151673", "151674"), "sample")
  if (small && sample != "151673") {
    abort_spax("argument", c(
      "There is no small part of {.val {sample}}.",
      "i" = "Leave out {.arg small} or {.arg sample}."
    ), "sample")
  }
  slice <- bundled(if (small) "small" else sample)
  rownames(slice$spots) <- colnames(slice$counts)
  genes <- rownames(slice$counts)
  slice$genes <- data.frame(symbol = unname(bundled("symbols")[genes]), row.names = genes)
  slice
}

bundled <- function(what) {
  readRDS(system.file("extdata", paste0("dlpfc_", what, ".rds"), package = "spaxR", mustWork = TRUE))
}
