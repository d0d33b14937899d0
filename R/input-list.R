# Lists of slices: Seurat objects, or matrices of counts with a list of coordinates. The order of the list is that of the stack.

# list(names, parts, counts, coords, slice): all slices as one input. A part's `cells` are unique among all slices, its `own` names those in its object.
list_input <- function(object, coords, assay, layer) {
  check_slice_list(object)
  names(object) <- slice_names(object)
  coords <- slice_coords_list(coords, object)
  read <- if (is_object_list(object)) function(x, y) object_slice_input(x, y, assay, layer) else matrix_slice_input
  parts <- Map(function(name, x, y) in_slice(name, read(x, y)), names(object), object, coords)
  parts <- Map(function(part, cells) rename_part(part, cells), parts, names_apart(lapply(parts, `[[`, "cells"), has_cell_names(object)))
  joined <- join_slices(parts)
  attr(joined$coords, "found") <- list(source = "those of each slice")
  slice <- factor(rep(names(parts), vapply(parts, function(x) length(x$cells), 0L)), names(parts))
  check_slice_sizes(slice, "object")
  c(joined, list(slice = slice, parts = parts))
}

has_cell_names <- function(object) all(vapply(object, function(x) is_container(x) || !is.null(colnames(x)), NA))

rename_part <- function(part, cells) {
  part$own <- part$cells
  part$cells <- colnames(part$counts) <- rownames(part$coords) <- cells
  part
}

check_slice_list <- function(object) {
  objects <- vapply(object, is_container, NA)
  if (length(object) < 2L || (any(objects) && !all(objects))) {
    abort_spax("argument", c(
      "A list in {.arg object} must hold two or more slices, all objects (Seurat or SingleCellExperiment) or all matrices; it has {length(object)}, {sum(objects)} of them objects.",
      "i" = "For one slice, give the object itself."
    ), "object")
  }
}

# One table a slice; for Seurat objects also NULL or the names of two meta data columns, for all.
slice_coords_list <- function(coords, object) {
  if (is_object_list(object) && (is.null(coords) || is.character(coords))) {
    return(rep(list(coords), length(object)))
  }
  if (!is.list(coords) || is.data.frame(coords) || length(coords) != length(object)) {
    found <- if (is.list(coords) && !is.data.frame(coords)) length(coords) else show_value(coords)
    abort_spax("coords", c(
      "{.arg coords} must be a list with a table for each of the {length(object)} slices, not {found}.",
      "i" = "Give one data frame with the columns x and y a slice, in the order of {.arg object}."
    ), "coords")
  }
  if (all(nzchar(rlang::names2(coords))) && setequal(names(coords), names(object))) coords[names(object)] else unname(coords)
}

matrix_slice_input <- function(counts, coords) {
  input <- matrix_input(counts, coords, NULL, NULL, FALSE)
  input$coords$z <- input$coords$z %||% input$height
  input
}

object_slice_input <- function(object, coords, assay, layer) {
  object <- own_part(object, check_assay(object, assay))
  place <- check_one_slice(SpatialCoords(object, coords))
  list(counts = stored_counts(object, assay, layer), cells = cell_names(object), coords = slice_axes(place))
}

# Side by side; a gene that a slice lacks is zero there, and so not among those that all share.
join_slices <- function(parts) {
  genes <- lapply(parts, function(x) rownames(x$counts))
  check_gene_names(genes)
  list(counts = join_layers(lapply(unname(parts), `[[`, "counts")), coords = join_places(lapply(parts, `[[`, "coords")))
}

check_gene_names <- function(genes) {
  if (length(Reduce(intersect, genes)) > 0L) {
    return(invisible())
  }
  shown <- vapply(genes, function(x) x[[1L]], "")
  abort_spax("counts", c(
    "The slices share no genes: theirs are named like {.val {unname(shown)}}.",
    "i" = "Name the genes of all slices alike (symbols or identifiers of one species)."
  ), "object")
}

# An error about one slice says which.
in_slice <- function(name, code) {
  tryCatch(code, spaxR_error = function(e) {
    e$message <- paste0("Slice \"", name, "\": ", e$message)
    stop(e)
  })
}
