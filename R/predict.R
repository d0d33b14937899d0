#' Embed and label a new slice with a trained model
#'
#' Takes a slice that the model has not seen through the trained network, without training, and gives its cells the domains of the slice that the model was
#' trained on: the same names, so that slices can be compared.
#'
#' The new slice's counts are scaled and rotated as those of the training slice were, its cells joined to their neighbours, and embedded by the trained encoder. A Gaussian
#' for each domain, with one covariance for all, fitted to the domains of the training slice, labels them, whatever method had found those domains.
#'
#' Slices differ in depth and staining. With `centre = "slice"` each gene is scaled by its mean and standard deviation in the new slice, which takes such differences out; it assumes that
#' the new slice holds about the same mixture of tissue. With `centre = "model"` the genes are scaled by the training slice's numbers: right for a part of the same slice, or
#' for tissue of another composition from the same experiment.
#'
#' Genes of the model that the new slice lacks count as their mean, with a warning; when more than half are lacking, that is an error.
#'
#' @param object A trained model of SpaCross (for one of SpaLORA see [predict.SpaLORAModel()]): of [LoadModel()], the result of [RunSpaCross()] on a matrix, or its part `model`;
#'   after a run on a Seurat object, `Tool(object, "RunSpaCross")$model` (of a SingleCellExperiment `metadata(object)$spaxR$RunSpaCross$model`).
#' @param newdata The new slice: a Seurat, SingleCellExperiment or SpatialExperiment object, or a matrix of raw counts, genes x cells (NULL for a model trained on a reduction).
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param ... Not used; anything here is an error.
#' @param reduction,dims For a model that was trained on a reduction: the same columns for the new cells, as a matrix of cells x columns, or the name of a reduction of the
#'   object, and which of its columns.
#' @param centre `"slice"` or `"model"`: what the genes are scaled by (see Details). Not for models trained on a reduction.
#' @param refine.k If not 0, give each cell the commonest label of so many nearest cells in the end. NULL: as the model was trained.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param assay,layer Assay (NULL: the default) and layer with the raw counts. Of a SingleCellExperiment, `assay` names it (NULL: that which `layer` names).
#' @param reduction.name,reduction.key,domain.name Names of what is written into an object.
#' @return For an object, the same object with the reduction `reduction.name` and the factor `domain.name`, whose levels are those of the model. For a matrix, a list of
#'   class `SpaxPrediction`: `embedding` (cells x 16), `domain` (a factor named by cell), `genes_missing`, `centre`.
#' @seealso [SaveModel()], [LoadModel()].
#' @importFrom stats predict
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' left <- slice$spots$x < stats::median(slice$spots$x)
#' fit <- RunSpaCross(slice$counts[, left], n.domains = 4, coords = slice$spots[left, ], epochs = 30, verbose = FALSE)
#' new <- predict(fit, slice$counts[, !left], coords = slice$spots[!left, ])
#' table(new$domain, slice$spots$label[!left])
predict.SpaxModel <- function(object, newdata, coords = NULL, ..., reduction = NULL, dims = NULL, centre = "slice", refine.k = NULL, threads = NULL,
                              assay = NULL, layer = "counts", reduction.name = "spacross", reduction.key = "spacross_", domain.name = "spacross_domain") {
  check_dots(...)
  settings <- prediction_settings(object, centre, refine.k, threads)
  if (!is_container(newdata)) {
    return(predict_cells(object, new_input(object, newdata, coords, reduction, dims), settings))
  }
  names <- list(reduction = reduction.name, key = reduction.key, domain = domain.name)
  check_output_names(names, c(reduction = "reduction.name", key = "reduction.key", domain = "domain.name"))
  input <- object_new_input(object, newdata, coords, reduction, dims, assay, layer)
  write_prediction(newdata, predict_cells(object, input, settings), names, check_assay(newdata, assay), object)
}

#' @rdname predict.SpaxModel
#' @export
predict.SpaCrossResult <- function(object, newdata, ...) predict.SpaxModel(as_model(object), newdata, ...)

prediction_settings <- function(model, centre, refine_k, threads) {
  list(
    centre = check_choice(centre, c("slice", "model"), "centre"),
    refine_k = check_whole(refine_k %||% model$options$refine_k, "refine.k", 0), threads = check_threads(threads)
  )
}

# list(counts or embedding, cells, coords), as for training.
new_input <- function(model, newdata, coords, reduction, dims) {
  from_reduction <- model$input == "reduction"
  if (from_reduction && is.null(reduction)) {
    abort_spax("argument", c(
      "The model was trained on {model$columns} columns of a reduction, not on counts.",
      "i" = "Give the same columns for the new cells as {.arg reduction}."
    ), "reduction")
  }
  if (!from_reduction && !is.null(reduction)) {
    abort_spax("argument", c("The model was trained on counts.", "i" = "Leave out {.arg reduction}, and give the counts."), "reduction")
  }
  if (!from_reduction) check_matrix_like(newdata, "newdata")
  input <- spacross_input(newdata, coords, reduction, dims, impute = FALSE)
  if (!is.null(input$counts)) check_counts(input$counts)
  if (from_reduction && ncol(input$embedding) != model$columns) {
    abort_spax("argument", c(
      "The model was trained on {model$columns} columns, and the reduction has {ncol(input$embedding)}.",
      "i" = "Choose the same columns with {.arg dims}."
    ), "reduction")
  }
  input
}

object_new_input <- function(model, object, coords, reduction, dims, assay, layer) {
  place <- check_one_slice(SpatialCoords(object, coords))
  embedding <- if (!is.null(reduction)) stored_reduction(object, reduction, dims)
  counts <- if (model$input == "counts") stored_counts(object, check_assay(object, assay), layer)
  new_input(model, counts, place, embedding, NULL)
}

predict_cells <- function(model, input, settings) {
  tensors <- core(core_tensors_read(model$tensors))
  known <- if (!is.null(input$counts)) match_features(model, input$counts, "genes of the model")
  task <- list(options = model$options, cells = input$cells, coords = input$coords, threads = settings$threads)
  features <- new_features(model, tensors, "features", input, known, model$options$log1p, settings)
  graph <- core_graph(input$coords, task$options$k, task$options$radius, task$threads)
  embedding <- core(core_spacross_embed(tensors, features, graph, task$threads))
  smoothed <- if (task$options$domains_from != "embedding") {
    components <- new_features(model, tensors, "smooth", input, known, TRUE, settings)
    smoothed_components(task, first_columns(core(core_features_matrix(components)), task$options$smooth_components))
  }
  structure(list(
    embedding = name_embedding(embedding, input$cells, "spacross_"), domain = new_domains(model, tensors, embedding, smoothed, task, settings),
    genes_missing = known$missing, centre = if (!is.null(known)) settings$centre
  ), class = "SpaxPrediction")
}

# The counts with the features of a part of the model as rows, and which of them the slice has. `what` they are, in words.
match_features <- function(part, counts, what, most = 0.5) {
  rownames(counts) <- make.unique(rownames(counts))
  missing <- setdiff(part$genes, rownames(counts))
  n <- length(part$genes)
  if (length(missing) > most * n) {
    abort_spax("argument", c(
      "The new slice lacks {length(missing)} of the {n} {what}: {some_of(missing)}.",
      "i" = "Name them as in the training slice, or train on those that both have."
    ), "newdata")
  }
  if (length(missing) > 0L) {
    warn_spax("genes", c(
      "The new slice lacks {length(missing)} of the {n} {what}: {some_of(missing)}.",
      "i" = "{cli::qty(length(missing))}{?It counts/They count} as {?its/their} mean."
    ), "newdata")
  }
  shared <- intersect(part$kept, rownames(counts))
  list(counts = expand_rows(counts[shared, , drop = FALSE], part$kept), present = part$kept %in% shared, missing = missing)
}

new_features <- function(model, tensors, prefix, input, known, log1p, settings) {
  if (is.null(known)) {
    return(core(core_prepare_matrix(input$embedding, settings$threads)))
  }
  projection <- stored_projection(tensors, prefix, model)
  counts <- methods::as(known$counts, "CsparseMatrix")
  how <- list(centre = settings$centre, target_sum = model$options$target_sum, log1p = log1p)
  core(core_project(counts@p, counts@i, counts@x, projection, known$present, how, settings$threads))
}

new_domains <- function(model, tensors, embedding, smoothed, task, settings) {
  x <- domain_columns(task$options, embedding, smoothed)
  x <- scale_columns(x, list(centre = tensors$rule.centre, spread = tensors$rule.spread))
  labels <- core(core_rule_labels(unname(x), tensors$rule.weight, tensors$rule.bias))
  if (settings$refine_k > 0L) labels <- refine_within(labels, task$coords, NULL, settings$refine_k, task$threads)
  rlang::set_names(factor(model$levels[labels], levels = model$levels), task$cells)
}

write_prediction <- function(object, found, names, assay, model) {
  misc <- unclass(model)[c("options", "genes", "seed", "versions")]
  object <- write_reduction(object, found$embedding, names$reduction, names$key, assay, misc)
  write_column(object, names$domain, found$domain)
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
