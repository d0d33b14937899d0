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

read_new_matrix <- function(model, newdata, coords, given) {
  if (!is_container(newdata)) {
    return(new_input(model, newdata, coords, given$reduction, given$dims))
  }
  assay <- check_assay(newdata, given$assay)
  newdata <- own_part(newdata, assay, given$reduction)
  place <- structure(check_one_slice(SpatialCoords(newdata, coords)), samples = object_samples(newdata))
  embedding <- if (!is.null(given$reduction)) stored_reduction(newdata, given$reduction, given$dims)
  counts <- if (model$input == "counts") stored_counts(newdata, assay, given$layer)
  c(new_input(model, counts, place, embedding, NULL), list(homes = assay))
}

new_matrix_parts <- function(model, task) {
  k <- task$options$k
  if (is.null(task$options$radius) && !is.null(k)) check_k(k, length(task$cells))
  if (is.null(task$counts)) {
    return(list(parts = list(columns_part("reduction", task$embedding)), centred = FALSE))
  }
  known <- match_features(model, task$counts, "genes of the model", most_missing(model))
  part <- c(counts_part("counts", "rna", methods::as(known$counts, "CsparseMatrix")), model_genes(model, known$present))
  list(parts = list(part), missing = known$missing, centred = TRUE)
}

# The share of its genes that a new slice may lack. Of all genes of a transcriptome most tell little: a model of 5,863 labels
# a slice that has half of them nearly as well as one that has all (bench/README.md). Those that were chosen, and panels, tell more.
most_missing <- function(model) {
  all <- is.null(model$options$n_genes) && length(model$genes) > 1000L
  if (all) 0.75 else 0.5
}
