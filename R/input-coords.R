#' Spatial coordinates of cells
#'
#' Finds the position of every cell, in the order of the cells: from the images of a Seurat object, the coordinates of a SpatialExperiment, from columns of the meta data,
#' or from a matrix or data frame given by the user. All verbs of this package take their coordinates through this function.
#'
#' With `coords = NULL`, all images of the object are read, not only the default one, and joined by cell name; a cell that lies in several
#' images takes its place from the first. Known are `VisiumV1`, `VisiumV2`, `FOV` (Xenium, CosMx, MERSCOPE: centroids, or else the mean of each
#' cell's outline), `SlideSeq` and `STARmap`. Visium positions are pixels of the full-size image: not scaled, x to the right, y downwards.
#'
#' Of a SpatialExperiment, `spatialCoords` are read: the columns `pxl_col_in_fullres` and `pxl_row_in_fullres` (Visium, y downwards), else `x` and `y`, else the
#' first two; `sample_id` says which cells share a frame, as images do. A plain SingleCellExperiment has no coordinates: name two columns of its `colData`.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or the names of the cells (for the default method; NULL takes the rows of `coords` as they are).
#' @param coords NULL for the images of the object, or its own coordinates; the names of two meta data columns, as in `c("x", "y")`; or a matrix or data frame with
#'   columns `x` and `y` (else its first two columns), one row a cell. Rows with names are matched by name, in any order;
#'   rows without names must be as many as the cells and in their order.
#' @param ... Not used; anything here is an error.
#' @return A data frame with a row a cell (row names: cell names) and the columns `x` and `y`, in the units of the source; a factor `image` is added when
#'   they come from images (of a SpatialExperiment: its `sample_id`). The attribute `"y_down"` is TRUE when y grows downwards, as in images.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' cells <- colnames(slice$counts)
#' head(SpatialCoords(cells, coords = slice$spots[c("x", "y")]))
SpatialCoords <- function(object, coords = NULL, ...) UseMethod("SpatialCoords")

#' @rdname SpatialCoords
#' @export
SpatialCoords.default <- function(object, coords = NULL, ...) {
  check_dots(...)
  if (is.null(coords)) {
    abort_spax("coords", c(
      "{.arg coords} is missing.",
      "i" = "Give a matrix or data frame with the columns x and y and one row a cell."
    ), "coords")
  }
  check_coords(match_coords(xy_table(coords), object))
}

#' @rdname SpatialCoords
#' @exportS3Method SpatialCoords Seurat
SpatialCoords.Seurat <- function(object, coords = NULL, ...) {
  check_dots(...)
  cells <- cell_names(object)
  if (is.null(coords)) {
    return(check_coords(image_coords(object)))
  }
  if (is.character(coords)) coords <- meta_coords(object, coords)
  SpatialCoords.default(cells, coords)
}

#' @rdname SpatialCoords
#' @exportS3Method SpatialCoords SingleCellExperiment
SpatialCoords.SingleCellExperiment <- SpatialCoords.Seurat

meta_coords <- function(object, columns) {
  if (length(columns) != 2L) {
    abort_spax("coords", c(
      "{.arg coords} names {length(columns)} column{?s} of the meta data; two are needed.",
      "i" = "For instance {.code coords = c(\"x\", \"y\")}."
    ), "coords")
  }
  values <- lapply(columns, function(column) meta_column(object, column, "coords"))
  data.frame(x = unname(values[[1L]]), y = unname(values[[2L]]), row.names = cell_names(object))
}

# Two numeric columns from a matrix or data frame. Automatic row names are no names.
xy_table <- function(coords) {
  if (length(dim(coords)) != 2L || ncol(coords) < 2L) {
    abort_spax("coords", c(
      "{.arg coords} must be a matrix or data frame with two columns, not {show_value(coords)}.",
      "i" = "Give the columns x and y, one row a cell."
    ), "coords")
  }
  columns <- if (all(c("x", "y") %in% colnames(coords))) c("x", "y") else 1:2
  names <- if (has_row_names(coords)) rownames(coords)
  x <- coords[, columns[[1L]], drop = TRUE]
  y <- coords[, columns[[2L]], drop = TRUE]
  if (!is.numeric(x) || !is.numeric(y)) {
    abort_spax("coords", "The columns of {.arg coords} must be numbers, not {.cls {class(x)}} and {.cls {class(y)}}.", "coords")
  }
  list(xy = data.frame(x = as.double(x), y = as.double(y)), names = names)
}

has_row_names <- function(x) {
  if (is.data.frame(x)) .row_names_info(x) > 0L else !is.null(rownames(x))
}

# The rows of the table in the order of the cells.
match_coords <- function(table, cells) {
  names <- table$names
  if (is.null(cells)) cells <- names %||% paste0("cell", seq_len(nrow(table$xy)))
  if (is.null(names)) {
    check_coords_length(nrow(table$xy), length(cells))
    return(data.frame(table$xy, row.names = cells))
  }
  check_unique(names, "coords")
  rows <- match(cells, names)
  abort_absent_coords(cells[is.na(rows)], length(cells))
  data.frame(table$xy[rows, ], row.names = cells)
}

check_coords_length <- function(n_rows, n_cells) {
  if (n_rows != n_cells) {
    abort_spax("coords", c(
      "{.arg coords} has {n_rows} row{?s} for {n_cells} cells.",
      "i" = "Give one row a cell, or row names to match them by."
    ), "coords")
  }
}

abort_absent_coords <- function(absent, n_cells) {
  if (length(absent) == 0L) {
    return(invisible())
  }
  if (length(absent) == n_cells) {
    abort_spax("coords", c(
      "None of the {n_cells} cell names is in {.arg coords}.",
      "i" = "Its row names must be the cell names, such as {some_of(absent, 2L)}."
    ), "coords")
  }
  abort_spax("coords", c(
    "{length(absent)} of {n_cells} cells {cli::qty(length(absent))}{?has/have} no coordinates: {some_of(absent)}.",
    "i" = "Give theirs too, or take {cli::qty(length(absent))}{?this cell/these cells} out of the input first."
  ), "coords")
}

check_coords <- function(coords) {
  bad <- !is.finite(coords$x) | !is.finite(coords$y)
  if (any(bad)) {
    abort_spax("coords", c(
      "{.arg coords} {cli::qty(sum(bad))}{?is/are} missing or infinite for {sum(bad)} cell{?s}: {some_of(rownames(coords)[bad])}.",
      "i" = "Fill them in, or take {cli::qty(sum(bad))}{?this cell/these cells} out of the input first."
    ), "coords")
  }
  if (nrow(coords) > 1L && all(coords$x == coords$x[[1L]]) && all(coords$y == coords$y[[1L]])) {
    abort_spax("coords", c(
      "All cells have the same coordinates.",
      "i" = "Check the columns that {.arg coords} names."
    ), "coords")
  }
  coords
}

# Coordinates as the core takes them: x and y, and the height in a stack.
coords_matrix <- function(coords) {
  unname(cbind(as.double(coords$x), as.double(coords$y), coords$z))
}

# A graph over several images would join cells that only seem to be neighbours.
check_one_slice <- function(coords) {
  images <- levels(coords$image)
  if (length(images) > 1L) {
    abort_spax("coords", c(
      "The cells lie in {length(images)} images ({.val {images}}), whose coordinates do not share a frame.",
      "i" = "Say which slice each cell belongs to with {.arg split.by}: a meta data column, or {.code split.by = \"image\"} for the images.",
      "i" = "For one slice, subset the object to the cells of one image, or give {.arg coords} in one frame."
    ), "coords")
  }
  coords
}

# What a logged command keeps: the names of meta data columns, but no table of all cells, which it could not print either.
loggable_coords <- function(coords) if (is.character(coords)) coords
