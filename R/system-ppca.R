# What predictive components are to the verbs, see registry.R.
ppca_system <- function() {
  matrix_system(
    name = "ppca", title = "Predictive components", verb = "RunPredictivePCA",
    options = ppca_options,
    result = "PredictivePCAResult",
    describe = describe_quality,
    late = function(found, task) NULL
  )
}

describe_quality <- function(result) {
  paste0(
    "  neighbours predict ",
    format(round(100 * result$quality$r2)),
    " % of the variance of the components in regions left out"
  )
}
