# A single matrix as the input of a run.

# The cells, their coordinates, and the counts or the embedding to train on.
matrix_input <- function(object, coords, reduction, dims, impute) {
  check_flag(impute, "impute")
  if (is.null(reduction)) {
    counts <- as_counts(object)
    check_orientation(object, coords)
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

# Matrices from Python are cells x genes: their rows are what the coordinates name, or are as many.
check_orientation <- function(object, coords) {
  if (length(dim(coords)) != 2L || nrow(coords) == 0L) {
    return(invisible())
  }
  table <- plain_table(coords)
  share <- function(names) {
    max(
      0,
      vapply(
        name_candidates(table, as.character(names), find_known_axes(table)$at), function(m) mean(!is.na(m$rows)), 0
      ),
      na.rm = TRUE
    )
  }
  turned <- if (is.null(rownames(object)) || is.null(colnames(object))) {
    nrow(object) == table$n && ncol(object) != table$n
  } else {
    share(rownames(object)) > 0.5 && share(colnames(object)) == 0
  }
  if (turned) {
    abort_spax("counts", c(
      "{.arg object} is cells x genes: its rows are the cells of {.arg coords}.",
      "i" = "Turn it round: {.code t(object)} (of a sparse matrix {.code Matrix::t(object)})."
    ), "object")
  }
}
