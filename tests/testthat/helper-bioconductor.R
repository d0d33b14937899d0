# The small slice, the pair of slices and the simulated tissue as objects of Bioconductor.

small_sce <- function(counts = small()$counts) {
  skip_if_not_installed("SingleCellExperiment")
  places <- small()$spots[c("x", "y", "label")]
  SingleCellExperiment::SingleCellExperiment(list(counts = counts), colData = S4Vectors::DataFrame(places))
}

quick_sce <- function(object = small_sce(), n.domains = 4, coords = c("x", "y"), ..., epochs = 12, verbose = FALSE) {
  RunSpaCross(object, n.domains = n.domains, coords = coords, ..., epochs = epochs, verbose = verbose)
}

pair_sce <- function() {
  skip_if_not_installed("SingleCellExperiment")
  places <- do.call(rbind, unname(pair_tables()))
  SingleCellExperiment::SingleCellExperiment(
    list(counts = pair_counts()),
    colData = S4Vectors::DataFrame(places, slice = as.character(pair_slice()))
  )
}

tissue_sce <- function(modalities = c("RNA", "ADT")) {
  skip_if_not_installed("SingleCellExperiment")
  experiments <- lapply(tissue()$counts[modalities], function(counts) {
    SummarizedExperiment::SummarizedExperiment(list(counts = counts))
  })
  SingleCellExperiment::SingleCellExperiment(
    list(counts = tissue()$counts$RNA),
    altExps = experiments[-1L], mainExpName = "RNA", colData = S4Vectors::DataFrame(tissue()$spots)
  )
}

# Where SpatialExperiment is not installed, its class by name, with its content where the real one keeps it.
as_spatial <- function(object, place, sample_id, env = parent.frame()) {
  names <- colnames(place)
  place <- unname(as.matrix(place))
  colnames(place) <- names
  object$sample_id <- sample_id
  if (nzchar(system.file(package = "SpatialExperiment"))) {
    make <- getExportedValue("SpatialExperiment", "SpatialExperiment")
    return(make(
      assays = SummarizedExperiment::assays(object), colData = SummarizedExperiment::colData(object),
      spatialCoords = place
    ))
  }
  if (!methods::isClass("SpatialExperiment")) {
    methods::setClass("SpatialExperiment", contains = "SingleCellExperiment", where = globalenv())
    withr::defer(methods::removeClass("SpatialExperiment", where = globalenv()), envir = env)
  }
  SingleCellExperiment::int_colData(object)$spatialCoords <- place
  methods::as(object, "SpatialExperiment")
}

small_spe <- function(columns = c("pxl_col_in_fullres", "pxl_row_in_fullres"), env = parent.frame()) {
  as_spatial(small_sce(), stats::setNames(small_xy(), columns), "one", env)
}
