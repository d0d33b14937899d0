# What SpaCross is to the verbs, see registry.R.
spacross_system <- function() {
  matrix_system(
    name = "spacross", title = "SpaCross", verb = "RunSpaCross",
    options = spacross_options,
    result = "SpaCrossResult",
    describe = describe_quality,
    late = reconstructed_genes
  )
}

# Genes x cells, where the run imputes.
reconstructed_genes <- function(found, task) {
  x <- found$more$reconstruction
  if (!is.null(x)) {
    list(reconstruction = matrix(t(x[[1L]]), ncol(x[[1L]]), dimnames = list(genes_used(found, task)$genes, task$cells)))
  }
}
