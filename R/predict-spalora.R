# How predict() reads and embeds new cells for a model of several modalities, see registry.R.

# The assays by the modalities of the model.
model_assays <- function(model, assays) {
  names <- names(modality_parts(model))
  assays <- assays %||% names
  if (is.character(assays) && length(assays) == length(names) && is.null(names(assays))) names(assays) <- names
  if (!is.character(assays) || !setequal(names(assays), names) || anyDuplicated(names(assays))) {
    abort_spax("argument", c(
      "{.arg assays} must name an assay for each modality of the model: {.val {names}}.",
      "i" = "For instance {.code assays = c({names[[1L]]} = \"{names[[1L]]}\", ...)}."
    ), "assays")
  }
  assays[names]
}

# The matrices of the model's modalities, in its order.
named_modalities <- function(model, newdata) {
  names <- names(modality_parts(model))
  if (!is.list(newdata) || is.data.frame(newdata)) {
    abort_spax("argument", c(
      "{.arg newdata} must be a list of matrices, one for each modality of the model, or a Seurat object, not {show_value(newdata)}.",
      "i" = "The model was trained on {.val {names}}."
    ), "newdata")
  }
  missing <- setdiff(names, names(newdata))
  if (length(missing) > 0L) {
    abort_spax("argument", c(
      "{.arg newdata} lacks the {cli::qty(length(missing))}modalit{?y/ies} {.val {missing}} of the model.",
      "i" = "Give a list with {.val {names}}."
    ), "newdata")
  }
  structure(newdata[names], argument = "newdata")
}

spalora_read_new <- function(model, newdata, coords, given) {
  kinds <- vapply(modality_parts(model), `[[`, "", "kind")
  if (!is_container(newdata)) {
    return(modalities_input(named_modalities(model, newdata), kinds, given$cells, coords))
  }
  assays <- model_assays(model, given$assays)
  check_assays(newdata, unname(assays))
  newdata <- own_part(newdata, assays)
  matrices <- object_modalities(newdata, unname(assays), given$layer)
  names(matrices) <- names(attr(matrices, "told")) <- names(assays)
  input <- modalities_input(matrices, kinds, given$cells, check_one_slice(SpatialCoords(newdata, coords)))
  c(input, list(homes = vapply(assays, function(name) modality_home(newdata, name), "")))
}

new_modality_parts <- function(model, task) {
  parts <- modality_parts(model)
  check_enough_cells(length(task$cells), task$options)
  check_columns(parts, task$modalities, task$argument)
  known <- Map(match_modality, parts, task$modalities)
  given <- Map(function(m, part, known) {
    if (is.null(known)) modality_input(m, m$x) else c(modality_input(m, known$counts), model_genes(part, known$present))
  }, task$modalities, parts, known)
  list(parts = unname(given), missing = Filter(length, lapply(known, `[[`, "missing")), centred = TRUE)
}

# Each cell is joined to as many others as in training.
check_enough_cells <- function(n_cells, options) {
  most <- max(options$feature_k, if (is.null(options$radius)) options$k)
  if (n_cells <= most) {
    abort_spax("argument", c(
      "The new slice has {n_cells} cells, and the model joins each to {most} others.",
      "i" = "Give at least {most + 1} cells."
    ), "newdata")
  }
}

# Columns that are taken as they are must be those that the network knows.
check_columns <- function(parts, modalities, argument) {
  for (m in modalities) {
    wanted <- parts[[m$name]]$columns
    if (m$kind == "features" && ncol(m$x) != wanted) {
      abort_spax("argument", c(
        "The model was trained on {wanted} columns of {.val {m$name}}, and the new ones are {ncol(m$x)}.",
        "i" = "Give the same columns for the new cells."
      ), argument)
    }
  }
}

match_modality <- function(part, m) {
  if (m$kind != "features") match_features(part, m$x, paste0("features of the modality \"", m$name, "\" of the model"))
}
