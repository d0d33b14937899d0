# How predict() reads and embeds new cells for a model of one matrix, see registry.R.

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
  input <- matrix_input(newdata, coords, reduction, dims, impute = FALSE)
  if (!is.null(input$counts)) check_counts(input$counts)
  if (from_reduction && ncol(input$embedding) != model$columns) {
    abort_spax("argument", c(
      "The model was trained on {model$columns} columns, and the reduction has {ncol(input$embedding)}.",
      "i" = "Choose the same columns with {.arg dims}."
    ), "reduction")
  }
  input
}

spacross_read_new <- function(model, newdata, coords, given) {
  if (!is_container(newdata)) {
    return(new_input(model, newdata, coords, given$reduction, given$dims))
  }
  place <- check_one_slice(SpatialCoords(newdata, coords))
  embedding <- if (!is.null(given$reduction)) stored_reduction(newdata, given$reduction, given$dims)
  assay <- check_assay(newdata, given$assay)
  counts <- if (model$input == "counts") stored_counts(newdata, assay, given$layer)
  c(new_input(model, counts, place, embedding, NULL), list(homes = assay))
}

spacross_embed <- function(model, tensors, task, settings) {
  known <- if (!is.null(task$counts)) match_features(model, task$counts, "genes of the model")
  features <- new_features(model, tensors, "features", task, known, task$options$log1p, settings)
  graph <- core_graph(task$coords, task$options$k, task$options$radius, task$threads)
  embedding <- core(core_spacross_embed(tensors, features, graph, task$threads))
  smoothed <- if (task$options$domains_from != "embedding") {
    components <- new_features(model, tensors, "smooth", task, known, TRUE, settings)
    smoothed_components(task, first_columns(core(core_features_matrix(components)), task$options$smooth_components))
  }
  list(
    view = embedding, smoothed = smoothed, missing = known$missing, centred = !is.null(known),
    parts = list(embedding = name_embedding(embedding, task$cells, "spacross_"))
  )
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
