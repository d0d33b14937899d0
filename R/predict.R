#' Embed and label a new slice with a trained model
#'
#' Takes a slice that the model has not seen through what was trained, without training, and gives its cells the domains of the slice that the model was
#' trained on: the same names, so that slices can be compared.
#'
#' The new slice's counts are scaled and rotated as those of the training slice were, its cells joined to their neighbours, and embedded by the trained encoder. A Gaussian
#' for each domain, with one covariance for all, fitted to the domains of the training slice, labels them, whatever method had found those domains.
#'
#' Slices differ in depth and staining. With `centre = "slice"` each gene is scaled by its mean and standard deviation in the new slice, which takes such differences out, and what is predicted from neighbours is then moved as a whole to where
#' the groups of like cells of the training lie, so that a slice may hold another mixture of tissue; what a network sees is not. With `centre = "model"` the genes are scaled by the training slice's numbers: right for a part of the same slice, or
#' for tissue of another composition from the same experiment.
#'
#' Among the cells of their domain new cells are not moved to where those of the training slices lie (`mix_slices`): their embedding is what a run without that would give.
#'
#' Genes of the model that the new slice lacks count as their mean, with a warning; when more than half are lacking (three quarters, of
#' all genes of a transcriptome, at which a model of [RunPredictivePCA()] looks), that is an error.
#'
#' A model of [RunSpaLORA()] takes several modalities: see [predict.SpaLORAModel] for what it does with each.
#'
#' @param object A trained model: of [LoadModel()], the result of [RunSpaCross()], [RunPredictivePCA()] or [RunSpaLORA()] on matrices, or its part `model`;
#'   or the object (Seurat, SingleCellExperiment, SpatialExperiment) that such a run wrote into. Of an object with several runs, one of
#'   their models: `Tool(object, "RunSpaCross")$model` (of a SingleCellExperiment `metadata(object)$spaxR$RunSpaCross$model`).
#' @param newdata The new slice: a Seurat, SingleCellExperiment or SpatialExperiment object; or for a model of one matrix raw counts, genes x cells (NULL for a model trained
#'   on a reduction), for one of several modalities a list of matrices named by them, as [RunSpaLORA()] takes them.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param ... Not used; anything here is an error.
#' @param reduction,dims For a model that was trained on a reduction: the same columns for the new cells, as a matrix of cells x columns, or the name of a reduction of the
#'   object, and which of its columns.
#' @param assay For a model of one matrix: the assay with the raw counts. NULL: the default; of a SingleCellExperiment, that which `layer` names.
#' @param assays For a model of several modalities: the assays (of a SingleCellExperiment: experiments; or reductions) that hold them, in the order of the model, or named by its
#'   modalities. NULL: those of the model's names.
#' @param cells For a model of several modalities, `"same"` or `"shared"`: what to do when they hold different cells; as in [RunSpaLORA()].
#' @param layer Layer with the raw counts; of several assays one for all, or one each by name.
#' @param centre `"slice"` or `"model"`: what the genes are scaled by (see Details). Not for models trained on a reduction.
#' @param refine.k If not 0, give each cell the commonest label of so many nearest cells in the end. NULL: as the model was trained.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param reduction.name,reduction.key,domain.name Names of what is written into an object. NULL: as a run of the model's system names them, for instance `spacross`,
#'   `spacross_` and `spacross_domain`.
#' @return For an object, the same object with the reduction `reduction.name` and the factor `domain.name`, whose levels are those of the model (of several modalities: and
#'   what else [RunSpaLORA()] writes). For matrices, a list of class `SpaxPrediction`: `embedding` (cells x columns), `domain` (a factor named by cell), `genes_missing`, `centre`, `coords`, and of
#'   several modalities `modality` and `attention` as [RunSpaLORA()] gives them.
#' @seealso [SaveModel()], [LoadModel()].
#' @importFrom stats predict
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' left <- slice$spots$x < stats::median(slice$spots$x)
#' fit <- RunSpaCross(slice$counts[, left],
#'   n.domains = 4, coords = slice$spots[left, ], epochs = 30, verbose = FALSE
#' )
#' new <- predict(fit, slice$counts[, !left], coords = slice$spots[!left, ])
#' table(new$domain, slice$spots$label[!left])
predict.SpaxModel <- function(object, newdata, coords = NULL, ..., reduction = NULL, dims = NULL, assay = NULL, assays = NULL, cells = "same",
                              layer = "counts", centre = "slice", refine.k = NULL, threads = NULL, reduction.name = NULL, reduction.key = NULL,
                              domain.name = NULL) {
  check_dots(...)
  if (rlang::is_missing(newdata)) {
    abort_spax("argument", c("{.arg newdata} is missing.", "i" = "Give the new slice, as {.code predict(object, newdata)}."), "newdata")
  }
  system <- model_system(object$system, "object")
  settings <- prediction_settings(object, centre, refine.k, threads)
  check_new_arguments(system, list(reduction = reduction, dims = dims, assay = assay, assays = assays))
  names <- output_names(
    reduction.name %||% system$name, reduction.key %||% paste0(system$name, "_"), domain.name %||% paste0(system$name, "_domain")
  )
  given <- list(reduction = reduction, dims = dims, assay = assay, assays = assays, cells = cells, layer = layer)
  input <- system$read_new(object, newdata, coords, given)
  warn_overlaid(input$coords, input$samples, settings$threads)
  found <- predict_cells(object, system, input, settings)
  if (!is_container(newdata)) {
    return(found)
  }
  system$write(keep_coords(newdata, coords, rownames(found$embedding)), found, names, input$homes, kept_with_reduction(object))
}

#' @rdname predict.SpaxModel
#' @export
predict.SpaxResult <- function(object, newdata, ...) predict.SpaxModel(as_model(object), rlang::maybe_missing(newdata), ...)

#' @rdname predict.SpaxModel
#' @exportS3Method predict Seurat
predict.Seurat <- predict.SpaxResult

#' @rdname predict.SpaxModel
#' @exportS3Method predict SingleCellExperiment
predict.SingleCellExperiment <- predict.SpaxResult

#' Embed and label a new slice of several modalities
#'
#' What [predict()][predict.SpaxModel] does with a model of [RunSpaLORA()]: takes a slice that the model has not seen, measured for the same modalities, through the trained network,
#' without training, and gives its cells the domains of the tissue that the model was trained on.
#'
#' Each modality is prepared as that of the training slice was: the same genes, proteins or peaks, rotated by the same components. The new cells are joined to their neighbours in
#' space and to the cells of the new slice most like them in each modality, and pass the trained encoders and both levels of attention. Domains come from the rule described for
#' [predict.SpaxModel()], where the arguments and the value are.
#'
#' With `centre = "slice"` genes and proteins are scaled by their means and standard deviations in the new slice, which takes out differences in depth and staining, and what is predicted from
#' neighbours is then moved as a whole to where the groups of like cells of the training lie (see [predict.SpaxModel()]); with `centre = "model"` by those of the training slice. Peaks always have the weights of the training slice. Columns of the kind `"features"` are
#' taken as they are: give them in the same coordinates, for instance a joint reduction.
#'
#' Features of the model that the new slice lacks count as their mean (peaks: as closed), with a warning; when more than half of a modality's are lacking, that is an error. `genes_missing` is a
#' list with those of each modality.
#'
#' @name predict.SpaLORAModel
#' @seealso [predict.SpaxModel()], [SaveModel()], [LoadModel()], [RunSpaLORA()].
#' @examplesIf requireNamespace("withr", quietly = TRUE)
#' tissue <- simulate_tissue(n.cells = 600, modalities = c("RNA", "ADT"))
#' below <- tissue$spots$y < stats::median(tissue$spots$y)
#' half <- function(cells) lapply(tissue$counts, function(counts) counts[, cells])
#' fit <- RunSpaLORA(half(below),
#'   n.domains = 5, coords = tissue$spots[below, ], epochs = 50, verbose = FALSE
#' )
#' new <- predict(fit, half(!below), coords = tissue$spots[!below, ])
#' table(new$domain, tissue$spots$label[!below])
NULL

prediction_settings <- function(model, centre, refine_k, threads) {
  list(
    centre = check_choice(centre, c("slice", "model"), "centre"),
    refine_k = check_whole(refine_k %||% model$options$refine_k, "refine.k", 0), threads = check_threads(threads)
  )
}

# Arguments that say where a single matrix, or several, are found in an object go with models of that alone.
check_new_arguments <- function(system, given) {
  other <- if (system$modalities) c("reduction", "dims", "assay") else "assays"
  wrong <- Filter(function(name) !is.null(given[[name]]), other)
  if (length(wrong) > 0L) {
    reads <- if (system$modalities) "several modalities" else "a single matrix"
    abort_spax("argument", c(
      "{.arg {wrong[[1L]]}} does not go with a model of {system$title}, which reads {reads}.",
      "i" = "Leave it out; see {.help predict.SpaxModel}."
    ), wrong[[1L]])
  }
}

predict_cells <- function(model, system, input, settings) {
  task <- c(input, list(options = model$options, threads = settings$threads, seed = model$seed, n_domains = length(model$levels), device = "cpu"))
  seen <- if (!is.null(task$options$radius)) check_neighbourhood(task, task$options$radius)
  check_run_memory(task, if (is.null(seen)) task$options$k %||% 36 else usual_neighbours(seen))
  if (settings$refine_k > 0L) check_k(settings$refine_k, length(task$cells), "refine.k")
  given <- system$new_parts(model, task)
  found <- predict_system(task, system, model$tensors, given$parts, settings)
  domain <- if (length(found$codes) > 0L) rlang::set_names(factor(model$levels[found$codes], levels = model$levels), task$cells)
  structure(c(system$found(found, names(task$modalities), task$cells, paste0(system$name, "_")), list(
    domain = domain, genes_missing = given$missing, centre = if (given$centred) settings$centre
  ), place_parts(task)), class = "SpaxPrediction")
}

# The counts with the features of a part of the model as rows, and which of them the slice has. `what` they are, in words.
match_features <- function(part, counts, what, most = 0.5) {
  rownames(counts) <- make.unique(rownames(counts))
  missing <- setdiff(part$genes, rownames(counts))
  n <- length(part$genes)
  if (length(missing) > most * n) abort_features(part$genes, missing, rownames(counts), what)
  if (length(missing) > 0L) {
    warn_spax("genes", c(
      "The new slice lacks {length(missing)} of the {n} {what}: {some_of(missing)}.",
      "i" = "{cli::qty(length(missing))}{?It counts/They count} as {?its/their} mean."
    ), "newdata")
  }
  shared <- intersect(part$kept, rownames(counts))
  list(counts = expand_rows(counts[shared, , drop = FALSE], part$kept), present = part$kept %in% shared, missing = missing)
}

# Names of another kind, or another choice of features: the remedies differ.
abort_features <- function(wanted, missing, given, what) {
  n <- length(wanted)
  remedy <- if (length(missing) == n) {
    "They share no name: the model has names like {.val {wanted[[1L]]}}, the new slice like {.val {given[[1L]]}}. Name the features of the new slice as in the training slice."
  } else {
    c(
      "A slice that was measured for other features tells too little. Train the model on those that both slices have:",
      "{.code shared <- intersect(rownames(training), rownames(newdata))}, then run on {.code training[shared, ]}."
    )
  }
  abort_spax("argument", c(
    "The new slice lacks {length(missing)} of the {n} {what}: {some_of(missing)}.", rlang::set_names(remedy, rep("i", length(remedy)))
  ), "newdata")
}

#' @export
print.SpaxPrediction <- function(x, ...) {
  sizes <- table(x$domain)
  writeLines(c(
    paste0("Domains of ", nrow(x$embedding), " new cells by a trained model"),
    paste0("  cells a domain: ", paste0(names(sizes), " (", sizes, ")", collapse = ", ")),
    if (length(x$genes_missing) > 0L) paste0("  features of the model that they lack: ", length(unlist(x$genes_missing))),
    paste0("  parts: ", paste0("$", names(x), collapse = " "))
  ))
  invisible(x)
}
