#' Graph of spatial neighbours
#'
#' Joins each cell to its nearest cells in the plane, or to all within a radius. Two cells are joined when either is among the
#' other's neighbours; edges have no weight, and no cell is joined to itself. Several slices are stacked in three dimensions, or each is a graph by itself.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or a matrix or data frame of coordinates (columns `x` and `y`, one row a cell).
#' @param ... Not used; anything here is an error.
#' @param k Neighbours a cell, at least 2 and fewer than the cells.
#' @param radius NULL, or a distance in the units of the coordinates: all cells within it are joined, and `k` is not used; a message says how many that typically are.
#'   An error where it joins no cells, or typically more than 1,000 or half of all.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param slice NULL, or the slice of each cell: a factor with its levels in the order of the stack.
#' @param split.by NULL, or what says which slice a cell lies in: see [RunSpaCross()], also for the next arguments.
#' @param align,mirror,stack,gaps,spot.distance How slices lie to each other. No slice is turned over without counts, unless `mirror = TRUE`.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param assay Assay that the graph belongs to (Seurat only). NULL: the default assay.
#' @param graph.name Name of the graph in the object.
#' @return The default method: a symmetric `dgCMatrix`, cells x cells, with 1 for each edge. The Seurat method: the object with this
#'   matrix as a `Graph` named `graph.name`, and the command logged. For a SingleCellExperiment: with the edges as `colPair(object, graph.name)`.
#' @source Section "Spatial graph" of Communications Biology 8, 1393 (2025).
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' graph <- BuildSpatialGraph(slice$spots[c("x", "y")], k = 6)
#' summary(Matrix::colSums(graph))
BuildSpatialGraph <- function(object, ...) UseMethod("BuildSpatialGraph")

#' @rdname BuildSpatialGraph
#' @export
BuildSpatialGraph.default <- function(object, ..., slice = NULL, align = "icp", mirror = "auto", stack = TRUE, gaps = NULL, spot.distance = NULL, k = 12,
                                      radius = NULL, threads = NULL) {
  check_dots(...)
  coords <- SpatialCoords.default(NULL, object)
  layout <- check_layout(align, mirror, stack, gaps, spot.distance, !is.null(slice))
  slice <- as_slices(unless_fields(slice, coords, threads, stack), rownames(coords), stack, "slice")
  placed <- place_slices(list(coords = coords, threads = check_threads(threads), verbose = FALSE), slice, layout)
  graph <- core_graph(placed$coords %||% coords, k, radius, check_threads(threads), placed$slices)
  graph_matrix(graph, rownames(coords), nrow(coords))
}

#' @rdname BuildSpatialGraph
#' @exportS3Method BuildSpatialGraph Seurat
BuildSpatialGraph.Seurat <- function(object, ..., coords = NULL, split.by = NULL, align = "icp", mirror = "auto", stack = TRUE, gaps = NULL,
                                     spot.distance = NULL, k = 12, radius = NULL, threads = NULL, assay = NULL,
                                     graph.name = "spatial_nn") {
  check_dots(...)
  check_name(graph.name, "graph.name")
  assay <- check_assay(object, assay)
  check_layout(align, mirror, stack, gaps, spot.distance, !is.null(split.by))
  part <- own_part(object, assay)
  slice <- object_slices(part, split.by, stack, coords)
  place <- object_slice_coords(part, coords, slice)
  warn_overlaid_object(part, place, split.by, threads)
  graph <- BuildSpatialGraph.default(
    place,
    slice = slice, align = align, mirror = mirror, stack = stack, gaps = gaps, spot.distance = spot.distance, k = k, radius = radius, threads = threads
  )
  object <- write_graph(object, graph, graph.name, assay)
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  coords <- loggable_coords(coords)
  SeuratObject::LogSeuratCommand(object)
}

#' @rdname BuildSpatialGraph
#' @exportS3Method BuildSpatialGraph SingleCellExperiment
BuildSpatialGraph.SingleCellExperiment <- BuildSpatialGraph.Seurat
