#' Graph of cells with similar features
#'
#' Joins each cell to the cells whose features correlate most with its own, wherever in the tissue they lie. Two cells are joined when either is among the
#' other's neighbours; edges have no weight, and no cell is joined to itself.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or a matrix of cells x features: components of counts, or another embedding.
#' @param ... Not used; anything here is an error.
#' @param k Neighbours a cell, at least 2 and fewer than the cells.
#' @param seed One whole number, for the search among many cells. NULL draws it from R's generator.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param reduction Reduction to use.
#' @param dims Its columns. NULL: all.
#' @param graph.name Name of the graph in the object.
#' @return The default method: a symmetric `dgCMatrix`, cells x cells, with 1 for each edge. The Seurat method: the object with this
#'   matrix as a `Graph` named `graph.name`, which belongs to the assay of the reduction, and the command logged. For a SingleCellExperiment: with the
#'   edges as `colPair(object, graph.name)`.
#' @seealso [BuildSpatialGraph()] for neighbours in space, [RunSpaLORA()], which uses both.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' fit <- RunSpaCross(slice$counts, n.domains = 4, coords = slice$spots, epochs = 30, verbose = FALSE)
#' graph <- BuildFeatureGraph(fit$embedding, k = 10)
#' summary(Matrix::colSums(graph))
BuildFeatureGraph <- function(object, ...) UseMethod("BuildFeatureGraph")

#' @rdname BuildFeatureGraph
#' @export
BuildFeatureGraph.default <- function(object, ..., k = 20, seed = 1, threads = NULL) {
  check_dots(...)
  x <- as_embedding(object)
  k <- check_k(k, nrow(x))
  check_graph_memory(nrow(x), k, "k")
  graph <- core(core_feature_graph(unname(x), k, check_seed(seed), check_threads(threads)))
  graph_matrix(graph, rownames(x), nrow(x))
}

#' @rdname BuildFeatureGraph
#' @exportS3Method BuildFeatureGraph Seurat
BuildFeatureGraph.Seurat <- function(object, ..., reduction = "pca", dims = NULL, k = 20, seed = 1, threads = NULL, graph.name = "feature_nn") {
  check_dots(...)
  check_name(graph.name, "graph.name")
  graph <- BuildFeatureGraph.default(stored_reduction(own_part(object, reduction = reduction), reduction, dims), k = k, seed = seed, threads = threads)
  assay <- modality_home(object, reduction)
  object <- write_graph(object, graph, graph.name, assay)
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  SeuratObject::LogSeuratCommand(object)
}

#' @rdname BuildFeatureGraph
#' @exportS3Method BuildFeatureGraph SingleCellExperiment
BuildFeatureGraph.SingleCellExperiment <- BuildFeatureGraph.Seurat
