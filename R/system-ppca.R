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
