# Runs of one matrix on objects: what is read there, and what is written back.

# `where`: part = the object with the cells that are looked at, slice, coords, assay, layer, reduction, dims; `fit` makes a result of what they say: list(counts or embedding, coords, slice).
run_on_object <- function(object, verb, where, names, fit) {
  input <- list(slice = where$slice, coords = object_slice_coords(where$part, where$coords, where$slice))
  if (is.null(where$reduction)) {
    input$counts <- stored_counts(where$part, where$assay, where$layer)
  } else {
    input$embedding <- stored_reduction(where$part, where$reduction, where$dims)
  }
  result <- fit(input)
  # Cells of slices that were left out have NA.
  cells <- cell_names(where$part)
  result <- cells_of_result(result, match(cells, rownames(result$embedding)), cells)
  object <- write_result(object, result, names, where$assay, kept_with_reduction(result))
  write_run(keep_coords(object, where$coords, cells), verb, kept_of_run(result, names))
}

# Of a list of slices: each object with its part of the result; of matrices, the result.
share_result <- function(object, result, parts, names, assay, verb, coords) {
  if (!is_object_list(object)) {
    return(result)
  }
  Map(function(x, part, coords) {
    x <- write_result(x, cells_of_result(result, part$cells, part$own), names, check_assay(x, assay), kept_with_reduction(result))
    write_run(keep_coords(x, coords, part$own), verb, kept_of_run(result, names))
  }, object, unname(parts), unname(slice_coords_list(coords, object)))
}
