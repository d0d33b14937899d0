# Assays and reductions that hold a part of the object's cells: bins of one size beside others, or a sketch.

# The object as its assays, or its reduction, have it: with their cells only, for reading.
own_part <- function(object, assays = NULL, reduction = NULL) {
  all <- cell_names(object)
  if (is.null(reduction)) {
    cells <- unlist(lapply(assays, function(name) assay_cells(object, name)))
    what <- if (length(assays) == 1L) "assay" else "assays"
    name <- assays
  } else {
    # What is wrong with the name is told where it is read.
    cells <- if (rlang::is_string(reduction) && reduction %in% reduction_names(object)) rownames(reduction_matrix(object, reduction)) else all
    what <- "reduction"
    name <- reduction
  }
  own <- all[all %in% cells]
  if (length(own) %in% c(0L, length(all))) {
    return(object)
  }
  cli::cli_inform(c(
    "i" = "The {what} {.val {name}} {cli::qty(length(name))}{?holds/hold} {length(own)} of the {length(all)} cells of the object: the others are not looked at, and have no result."
  ), class = "spaxR_message_cells")
  view_cells(object, own)
}

# Without the cells of images of which no cell has a label, as bins of another size have none.
labelled_part <- function(object, columns) {
  # What is wrong with the names is told where they are read.
  table <- meta_table(object)[if (is.character(columns)) intersect(columns, names(meta_table(object)))]
  labelled <- Reduce(`|`, lapply(table, function(x) !is.na(x)))
  if (length(table) == 0L || all(labelled) || length(image_names(object)) < 2L) {
    return(object)
  }
  image <- tryCatch(suppressMessages(SpatialCoords(object))$image, spaxR_error_coords = function(e) NULL)
  shown <- as.character(image) %in% as.character(image[labelled])
  if (is.null(image) || all(shown) || !any(shown)) object else view_cells(object, cell_names(object)[shown])
}
