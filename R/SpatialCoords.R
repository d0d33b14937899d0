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
