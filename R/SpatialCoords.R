#' Spatial coordinates of cells
#'
#' Finds the position of every cell, in the order of the cells: from the images of a Seurat object, the coordinates of a SpatialExperiment, from columns of the meta data,
#' or from a matrix or data frame given by the user. All verbs of this package take their coordinates through this function.
#'
#' With `coords = NULL`, all images of the object are read, not only the default one, and joined by cell name. Images without cells of the object
#' (as subsets keep them) are none, nor are those whose cells all lie in another one (a part beside the whole); a cell that still lies in several takes its place from the first. Images of
#' the class `FOV` whose extents touch without lying over each other are fields of view of one tissue: they are joined, with a message, and no `image` is given. Known are `VisiumV1`, `VisiumV2`, `FOV` (Xenium, CosMx, MERSCOPE: centroids, or else the mean of each
#' cell's outline), `SlideSeq` and `STARmap`. Visium positions are pixels of the full-size image: not scaled, x to the right, y downwards.
#'
#' Of a SpatialExperiment, `spatialCoords` are read: the columns `pxl_col_in_fullres` and `pxl_row_in_fullres` (Visium, y downwards), else those that a table would be
#' read by; `sample_id` says which cells share a frame, as images do. A plain SingleCellExperiment has no coordinates: name two columns of its `colData`.
#'
#' @section Tables of coordinates:
#' A matrix, data frame, tibble, data.table or DataFrame, or simple features of the package sf (which need not be installed). It may have more rows than there are cells, in any order, and more columns. What is understood:
#'
#' | in the table | is taken for |
#' |---|---|
#' | `x`, `y` | x and y, before any other; which way y grows is not known of these: where a plot stands on its head, `y.down = TRUE` |
#' | `pxl_col_in_fullres`, `pxl_row_in_fullres` (Space Ranger) | x and y, y downwards |
#' | `imagecol`, `imagerow` (Seurat 4, BayesSpace) | x and y, y downwards |
#' | `sdimx`, `sdimy` (Giotto) | x and y |
#' | `x_centroid`, `y_centroid` (Xenium); `center_x`, `center_y` (MERSCOPE); `centroid_x`, `centroid_y` | x and y |
#' | `CenterX_global_px`, `CenterY_global_px`; `x_global_px`; `x_slide_mm` (CosMx) | x and y; only without them `CenterX_local_px` and the like, which start anew in each field of view |
#' | `spax_x`, `spax_y` ([AlignSlices()]); `spatial_1`, `spatial_2` | x and y |
#' | `array_col`, `array_row`; `col`, `row` | x and y, if there is nothing better; rows of a hexagonal array lie sqrt(3) columns apart |
#' | two columns that differ in one letter, as `Centroid X` and `Centroid Y`, or in `col` and `row`, as `px_col` and `px_row` | x and y, with a message |
#' | `centroid-1`, `centroid-0` (scikit-image) | x and y |
#' | two columns of numbers with other names, or none | x and y in this order; with a message if they have names |
#' | more columns of numbers and none of the above; several such pairs; one axis only | an error that lists them |
#' | `z` and the like beside x and y | where cells differ in it, the third coordinate, with a message: neighbours are those in space. With slices, one z a slice is its height in the stack (unless `gaps` are given); where cells of one slice differ in z, it is not used, with a message |
#' | points of sf (`sf` or `sfc`) | their coordinates; the other columns as in a data frame |
#' | polygons of sf | the centres of their areas |
#' | text or factors as x or y; one value for all cells | an error |
#' | row names, or any column, with the names of all cells | what rows are matched by; a message says which column |
#' | `cell_ID` and `fov` | cells that are named `cell_fov` (Seurat), `fov_cell`, or `c_1_fov_cell` of one slide |
#' | numbers, where cells are named by numbers | names, if the column is called `cell_id`, `barcode` or the like, or no other can be |
#' | names of which some cells lack, that are there twice, or of which none is a cell's; two columns of names that disagree | an error; it says so where names differ only in a sample's mark, a `-1`, signs or capital letters |
#' | several rows a cell, as outlines and molecules have | an error that says how to take their means |
#' | nothing that can be names | rows in the order of the cells, as many as these, with a message. Automatic row names (1, 2, ...) are no names |
#'
#' Names of columns are known in upper and lower case, with dots, spaces or lines between their parts.
#'
#' @section Told once:
#' An object is told where its cells lie by the `coords` of the first verb that gives it back (a run, [FindDomains()], [RefineDomains()], [AlignSlices()],
#' [predict()][predict.SpaxModel]): names of columns, or a table, are kept with it (`Tool(object, "SpatialCoords")`, of Bioconductor's in `metadata(object)$spaxR`), and later verbs need no `coords`. They come before the object's images; what is given anew
#' counts. Objects that are merged forget it, and cells that were renamed since are not found in a table: give it again.
#'
#' @section Which way y grows:
#' Coordinates do not say it, but where their platform is known, plots draw them as its own viewer does. Of a plain table of `x` and `y`
#' nothing is known: plots draw y upwards, as graphs do. If the tissue then stands on its head, its y counts rows of an image: `DomainPlot(..., y.down = TRUE)` and the
#' same in the other plots, or columns that are called as the platform calls them.
#'
#' | platform | y grows | known by |
#' |---|---|---|
#' | Visium, Visium HD | downwards | an image `VisiumV1` or `VisiumV2`; `pxl_row_in_fullres`, `imagerow`, `array_row`, `row` |
#' | Xenium | downwards | a field of view of an assay `Xenium`, or of cells that are called as `aaaabbcd-1`; `y_centroid` |
#' | MERSCOPE | downwards | an assay `Vizgen`, `MERSCOPE` or `MERFISH`, or cells whose names are numbers of 15 digits and more; `center_y` |
#' | CODEX | downwards | an assay `Akoya` or `CODEX` |
#' | CosMx | upwards | an assay `Nanostring` or `CosMx`, or cells that are called `cell_fov`; `CenterY_global_px`, `CenterY_local_px` and the like |
#' | Slide-seq, STARmap, all others | upwards | |
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or the names of the cells (for the default method; NULL takes the rows of `coords` as they are).
#' @param coords NULL for those that a verb was told before (see the section on that), or else the images of the object, or its own coordinates, or else its reduction `spatial` (or `X_spatial`), as conversions from AnnData have it; the names of two or three meta data
#'   columns, as in `c("x", "y")`; the name of a reduction, as in `"spatial"`, for its first two columns, or all of three; or a matrix or data frame with
#'   a row a cell, in any order: see the section on tables.
#' @param ... Not used; anything here is an error.
#' @return A data frame with a row a cell (row names: cell names) and the columns `x`, `y` and, where cells differ in height, `z`, in the units of the source; a factor `image` is added when
#'   they come from images (of a SpatialExperiment: its `sample_id`). The attribute `"y_down"` is TRUE when y is known to grow downwards, as in images.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' cells <- colnames(slice$counts)
#' head(SpatialCoords(cells, coords = slice$spots[c("x", "y")]))
#'
#' # As a file of Space Ranger has them: names in a column, in another order.
#' table <- data.frame(
#'   barcode = cells,
#'   pxl_row_in_fullres = slice$spots$y, pxl_col_in_fullres = slice$spots$x
#' )
#' head(SpatialCoords(cells, coords = table[rev(seq_along(cells)), ]))
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
  check_coords(read_coords(coords, object))
}

#' @rdname SpatialCoords
#' @exportS3Method SpatialCoords Seurat
SpatialCoords.Seurat <- function(object, coords = NULL, ...) {
  check_dots(...)
  cells <- cell_names(object)
  if (is.null(coords)) {
    coords <- kept_coords(object)
    if (is.null(coords) && length(image_names(object)) == 0L) coords <- spatial_reduction(object) %||% check_untold(object)
    if (is.null(coords)) {
      return(check_coords(image_coords(object)))
    }
  }
  if (is.character(coords)) coords <- named_coords(object, coords)
  SpatialCoords.default(cells, coords)
}

#' @rdname SpatialCoords
#' @exportS3Method SpatialCoords SingleCellExperiment
SpatialCoords.SingleCellExperiment <- SpatialCoords.Seurat

# What was told and can no longer be found is said, before the object is blamed for having no image.
check_untold <- function(object) {
  told <- run_parts(object, "SpatialCoords")$coords
  if (!is.null(told)) {
    abort_spax("coords", c(
      if (is.character(told)) {
        "The object was told to take coordinates from {.val {told}}, which it no longer has."
      } else {
        "The object was told coordinates by a table, which lacks cells that it has now: were they renamed?"
      },
      "i" = "Give {.arg coords} again."
    ), "coords")
  }
}

# A reduction by its name, or two columns of the meta data by theirs.
named_coords <- function(object, names) {
  if (length(names) == 1L && names %in% reduction_names(object)) reduction_coords(object, names) else meta_coords(object, names)
}

meta_coords <- function(object, columns) {
  if (!length(columns) %in% 2:3) {
    abort_spax("coords", c(
      "{.arg coords} names {length(columns)} column{?s} of the meta data; two or three are needed.",
      "i" = "For instance {.code coords = c(\"x\", \"y\")}, or one reduction{if (length(reduction_names(object))) paste0(': ', some_of(reduction_names(object)))}."
    ), "coords")
  }
  values <- lapply(columns, function(column) meta_column(object, column, "coords"))
  table <- data.frame(rlang::set_names(lapply(values, unname), c("x", "y", "z")[seq_along(columns)]), row.names = cell_names(object))
  structure(table, source = paste("the meta data columns", paste0("\"", columns, "\"", collapse = " and ")))
}

# As a run takes them: the places, and how they were found.
task_coords <- function(cells, coords) {
  place <- SpatialCoords.default(cells, coords)
  list(
    coords = data.frame(only_axes(place)), coords_found = attr(place, "found"), y_down = isTRUE(attr(place, "y_down")), height = attr(place, "height"),
    samples = attr(place, "samples")
  )
}
