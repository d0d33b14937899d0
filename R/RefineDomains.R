#' Smooth domain labels in space
#'
#' Gives each cell the commonest label among its `k` nearest cells, itself included. Helps data with single cells (osmFISH, MERFISH); makes
#' little difference on Visium.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, the result of a run of matrices, or labels: a factor or vector, one a cell.
#' @param ... Not used; anything here is an error.
#' @param coords Where the coordinates come from: see [SpatialCoords()]. For labels with names, rows are matched by name.
#' @param slice NULL, or the slice of each cell: each is smoothed by itself.
#' @param k How many nearest cells vote.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param assay Assay that the logged command names (Seurat only). NULL: the default assay.
#' @param split.by NULL, or the meta data column with the slices (`"image"`: the images). Without it, each image is a slice.
#' @param domain.name Meta data column with the labels. NULL: `spacross_domain`, `spalora_domain` or `ppca_domain`, whichever there is; of several that of the last run, with a message.
#' @param refined.name Meta data column for the result; may be the same as `domain.name`. NULL: that name with `_refined` in place of `_domain`.
#' @return The default method: a factor with the levels and names of the input. Cells without a label (NA) keep NA and do not vote. For
#'   an object, the object with the factor in the meta data column `refined.name`, each slice on its own (Seurat: and the command logged).
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' noisy <- factor(sample(slice$spots$label))
#' table(RefineDomains(noisy, coords = slice$spots[c("x", "y")], k = 20))
RefineDomains <- function(object, ...) UseMethod("RefineDomains")

#' @rdname RefineDomains
#' @export
RefineDomains.default <- function(object, ..., coords, slice = NULL, k = 50, threads = NULL) {
  check_dots(...)
  labels <- as_labels(object)
  place <- label_coords(labels, coords)
  threads <- check_threads(threads)
  known <- which(!is.na(labels))
  k <- check_k(k, length(known))
  groups <- slice_groups(place, check_slice_labels(slice, labels))
  labels[known] <- levels(labels)[refine_within(as.integer(labels)[known], place[known, ], groups[known], k, threads)]
  labels
}

#' @rdname RefineDomains
#' @export
RefineDomains.SpaxResult <- function(object, ..., coords = result_coords(object), slice = object$slice) {
  if (is.null(object$domain)) abort_no_domains()
  RefineDomains.default(object$domain, ..., coords = coords, slice = slice)
}

#' @rdname RefineDomains
#' @exportS3Method RefineDomains Seurat
RefineDomains.Seurat <- function(object, ..., coords = NULL, split.by = NULL, k = 50, threads = NULL, assay = NULL,
                                 domain.name = NULL, refined.name = NULL) {
  check_dots(...)
  assay <- check_assay(object, assay)
  domain.name <- sole_domain(object, domain.name, "domain.name")
  refined.name <- refined.name %||% paste0(sub("_domain$", "", domain.name), "_refined")
  check_name(refined.name, "refined.name")
  part <- labelled_part(object, domain.name)
  labels <- meta_labels(part, domain.name, "domain.name")
  slice <- slice_column(part, split.by)
  place <- SpatialCoords(part, coords)
  warn_overlaid_object(part, place, split.by, threads)
  refined <- RefineDomains.default(labels, coords = place, slice = slice, k = k, threads = threads)
  # Domains that were refined are not those that mixtures agreed on.
  object <- write_domains(keep_coords(object, coords, cell_names(part)), refined, NULL, list(domain = refined.name, confidence = confidence_column(refined.name)))
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  coords <- loggable_coords(coords)
  SeuratObject::LogSeuratCommand(object)
}

#' @rdname RefineDomains
#' @exportS3Method RefineDomains SingleCellExperiment
RefineDomains.SingleCellExperiment <- RefineDomains.Seurat
