#' Embed and label a new slice with a trained model of several modalities
#'
#' Takes a slice that the model has not seen, measured for the same modalities, through the trained network of [RunSpaLORA()], without training, and gives its cells the domains of
#' the tissue that the model was trained on.
#'
#' Each modality is prepared as that of the training slice was: the same genes, proteins or peaks, rotated by the same components. The new cells are joined to their neighbours in
#' space and to the cells of the new slice most like them in each modality, and pass the trained encoders and both levels of attention. Domains come from the rule described for
#' [predict.SpaxModel()].
#'
#' With `centre = "slice"` genes and proteins are scaled by their means and standard deviations in the new slice, which takes out differences in depth and staining, and assumes that it holds about
#' the same mixture of tissue; with `centre = "model"` by those of the training slice. Peaks always have the weights of the training slice. Columns of the kind `"features"` are
#' taken as they are: give them in the same coordinates, for instance a joint reduction.
#'
#' Features of the model that the new slice lacks count as their mean (peaks: as closed), with a warning; when more than half of a modality's are lacking, that is an error.
#'
#' @inheritParams predict.SpaxModel
#' @param object A trained model of SpaLORA: of [LoadModel()], the result of [RunSpaLORA()] on matrices, or its part `model`; after a run on a Seurat object,
#'   `Tool(object, "RunSpaLORA")$model` (of a SingleCellExperiment `metadata(object)$spaxR$RunSpaLORA$model`).
#' @param newdata The new slice: a Seurat, SingleCellExperiment or SpatialExperiment object, or a list of matrices named by the modalities of the model, as [RunSpaLORA()] takes them.
#' @param assays For an object, the assays (of a SingleCellExperiment: experiments; or reductions) that hold the modalities, in the order of the model, or named by its modalities. NULL: those of the model's names.
#' @param cells `"same"` or `"shared"`: what to do when the modalities hold different cells; as in [RunSpaLORA()].
#' @param layer Layer with the raw counts: one for all assays, or one each by name.
#' @return For an object, the same object with the reductions `reduction.name` and one for each modality, the columns of attention, and the factor `domain.name`, as
#'   [RunSpaLORA()] writes them; the levels of the domains are those of the model. For matrices, a list of class `SpaxPrediction`: `embedding`, `modality`, `attention` and
#'   `domain` as [RunSpaLORA()] gives them, `genes_missing` (a list with the features of each modality that were lacking) and `centre`.
#' @seealso [SaveModel()], [LoadModel()], [RunSpaLORA()].
#' @export
#' @examplesIf requireNamespace("withr", quietly = TRUE)
#' tissue <- simulate_tissue(n.cells = 600, modalities = c("RNA", "ADT"))
#' below <- tissue$spots$y < stats::median(tissue$spots$y)
#' half <- function(cells) lapply(tissue$counts, function(counts) counts[, cells])
#' fit <- RunSpaLORA(half(below), n.domains = 5, coords = tissue$spots[below, ], epochs = 50, verbose = FALSE)
#' new <- predict(fit, half(!below), coords = tissue$spots[!below, ])
#' table(new$domain, tissue$spots$label[!below])
predict.SpaLORAModel <- function(object, newdata, coords = NULL, ..., assays = NULL, cells = "same", centre = "slice", refine.k = NULL, threads = NULL,
                                 layer = "counts", reduction.name = "spalora", reduction.key = "spalora_", domain.name = "spalora_domain") {
  check_dots(...)
  settings <- prediction_settings(object, centre, refine.k, threads)
  if (!is_container(newdata)) {
    return(predict_modalities(object, named_modalities(object, newdata), coords, cells, settings))
  }
  names <- list(reduction = reduction.name, key = reduction.key, domain = domain.name)
  check_output_names(names, c(reduction = "reduction.name", key = "reduction.key", domain = "domain.name"))
  assays <- model_assays(object, assays)
  given <- object_modalities(newdata, unname(assays), layer)
  names(given) <- names(attr(given, "told")) <- names(assays)
  found <- predict_modalities(object, given, check_one_slice(SpatialCoords(newdata, coords)), cells, settings)
  write_spalora(newdata, found, names, unclass(object)[c("options", "seed", "versions")], unname(assays))
}

#' @rdname predict.SpaLORAModel
#' @export
predict.SpaLORAResult <- function(object, newdata, ...) predict.SpaLORAModel(as_model(object), newdata, ...)

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

predict_modalities <- function(model, given, coords, cells, settings) {
  parts <- modality_parts(model)
  input <- spalora_input(given, vapply(parts, `[[`, "", "kind"), cells, coords)
  task <- c(input, list(options = model$options, threads = settings$threads, seed = model$seed))
  check_enough_cells(length(task$cells), task$options)
  check_columns(parts, task$modalities, task$argument)
  known <- Map(match_modality, parts, task$modalities)
  tensors <- core(core_tensors_read(model$tensors))
  prepared <- Map(
    function(m, part, known, prefix) project_modality(m, part, known, stored_projection(tensors, prefix, part), task, settings),
    task$modalities, parts, known, omics_prefix(parts)
  )
  graphs <- spalora_graphs(task, prepared)
  found <- spalora_embeddings(core(core_spalora_embed(tensors, unname(prepared), graphs$spatial, unname(graphs$feature), task$threads)))
  view <- sweep(found$embedding, 2L, tensors$embedding.centre) %*% tensors$embedding.rotation
  smoothed <- smoothed_modalities(task, modality_components(prepared, task$options, tensors$smooth.spread)$parts, tensors$smooth.k)
  structure(c(named_embeddings(found, names(parts), task$cells), list(
    domain = new_domains(model, tensors, view, smoothed, task, settings),
    genes_missing = Filter(length, lapply(known, `[[`, "missing")), centre = settings$centre
  )), class = "SpaxPrediction")
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

project_modality <- function(m, part, known, projection, task, settings) {
  if (is.null(known)) {
    return(in_modality(core_modality_features(unname(m$x), task$threads), m$name, task$argument))
  }
  counts <- as_counts(known$counts)
  how <- list(centre = settings$centre, target_sum = task$options$target_sum)
  in_modality(core_modality_project(m$kind, counts@p, counts@i, counts@x, projection, known$present, how, task$threads), m$name, task$argument)
}
