# A single matrix as the input of a run.

# The cells, their coordinates, and the counts or the embedding to train on.
matrix_input <- function(object, coords, reduction, dims, impute) {
  check_flag(impute, "impute")
  if (is.null(reduction)) {
    counts <- as_counts(object)
    cells <- if (is.null(colnames(object))) unnamed_cells(coords, ncol(counts)) else colnames(counts)
    colnames(counts) <- cells
    return(c(list(counts = counts, cells = cells), task_coords(cells, coords)))
  }
  if (impute) {
    abort_spax("argument", c(
      "{.code impute = TRUE} needs the counts, not a {.arg reduction}.",
      "i" = "Leave out {.arg reduction}."
    ), "impute")
  }
  x <- pick_dims(as_embedding(reduction, "reduction"), dims)
  cells <- rownames(x) %||% unnamed_cells(coords, nrow(x))
  c(list(embedding = x, cells = cells), task_coords(cells, coords))
}
