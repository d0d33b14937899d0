# The modalities of an object, for read_modalities(): assays (of a SingleCellExperiment: experiments), or reductions by
# name.
object_modalities <- function(object, assays, layer) {
  check_assays(object, assays)
  layers <- check_layers(layer, assays)
  known <- experiment_names(object)
  values <- Map(function(name, layer) {
    if (name %in% known) experiment_counts(object, name, layer) else reduction_values(object, name)
  }, assays, layers)
  structure(
    rlang::set_names(values, assays),
    argument = "assays",
    cells = cell_names(object),
    told = lapply(rlang::set_names(assays), function(name) told_kind(object, name))
  )
}

check_assays <- function(object, assays) {
  known <- experiment_names(object)
  if (rlang::is_missing(assays) || !is.character(assays) || anyNA(assays)) {
    abort_spax("argument", c(
      "{.arg assays} must name the modalities, two or more.",
      "i" = "The object has {.val {known}}: for instance {.code assays = c(\"RNA\", \"ADT\")}."
    ), "assays")
  }
  unknown <- setdiff(assays, c(known, reduction_names(object)))
  if (length(unknown) > 0L) {
    abort_spax("argument", c(
      "The object has no assay or reduction {.val {unknown}}.",
      "i" = "There {cli::qty(length(known))}{?is/are} {.val {known}}: give them as {.arg assays}."
    ), "assays")
  }
  check_twice(assays, "assays")
}

# One layer for all assays, or one each by name.
check_layers <- function(layer, assays) {
  ok <- is.character(layer) && (length(layer) == 1L || all(assays %in% names(layer)))
  if (!ok) {
    abort_spax("argument", c(
      "{.arg layer} must be one layer for all assays, or one for each by name.",
      "i" = "For instance {.code layer = c({assays[[1L]]} = \"counts\", ...)}."
    ), "layer")
  }
  if (is.null(names(layer))) rep(layer, length(assays)) else unname(layer[assays])
}

reduction_values <- function(object, name) {
  embedding <- reduction_matrix(object, name)
  embedding[intersect(cell_names(object), rownames(embedding)), , drop = FALSE]
}

# What the object itself says of a modality.
told_kind <- function(object, name) {
  if (!name %in% experiment_names(object)) {
    return(list(kind = "features", why = "it is a reduction"))
  }
  experiment_kind(object, name)
}
