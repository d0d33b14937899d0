# What predictive components are to the verbs, see registry.R.
ppca_system <- function() {
  list(
    name = "ppca", title = "Predictive components", verb = "RunPredictivePCA", modalities = FALSE,
    options = ppca_options,
    result = "PredictivePCAResult",
    model = NULL,
    describe = describe_quality,
    parts = c("input", "columns", "kept", "genes"),
    restore = restore_matrix_model,
    source = matrix_source,
    parts_of = matrix_parts,
    told = report_genes,
    found = found_embedding,
    more = genes_used,
    late = function(found, task) NULL,
    own = matrix_model_parts,
    read_new = read_new_matrix,
    new_parts = new_matrix_parts,
    write = write_result
  )
}

describe_quality <- function(result) {
  paste0(
    "  neighbours predict ",
    format(round(100 * result$quality$r2)),
    " % of the variance of the components in regions left out"
  )
}
