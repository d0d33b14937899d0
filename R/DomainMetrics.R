#' How good are the domains?
#'
#' Agreement with known labels (an annotation) where there are any, and how the domains lie in space.
#'
#' | column | what | best |
#' |---|---|---|
#' | `ARI` | adjusted Rand index | 1 |
#' | `NMI`, `HOM`, `COM` | normalised mutual information, homogeneity, completeness | 1 |
#' | `ASW` | mean silhouette width of the domains on the coordinates | 1 |
#' | `CHAOS` | mean distance to the nearest cell of the same domain (coordinates scaled) | 0 |
#' | `PAS` | share of cells whose `k` nearest mostly lie in other domains | 0 |
#' | `ACC` | mean of `NMI`, `HOM` and `COM` | 1 |
#' | `DIS` | mean of `CHAOS` and `PAS` | 0 |
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, the result of a run of matrices, or domain labels: a factor or vector, one a cell.
#' @param ... Not used; anything here is an error.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param truth NULL, or the known labels: one a cell; for an object, the name of a meta data column.
#' @param slice NULL, or the slice of each cell: one row of results each.
#' @param k Nearest cells that `PAS` looks at.
#' @param by `"slice"`: the table above. `"domain"`: how sure the domains are, from what the run kept beside them.
#' @param confidence For labels and `by = "domain"`: a number from 0 to 1 for each cell.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param domain.name Meta data column with the domains. NULL: `spacross_domain`, `spalora_domain` or `ppca_domain`, whichever there is; of several that of the last run, with a message.
#' @param split.by NULL, or the meta data column with the slices (`"image"`: the images). Without it, each image is a slice.
#' @return A data frame, one row a slice: `slice`, `n` (cells used), `n_left_out` (cells without a domain or a known label, which no number counts),
#'   `n_domains`, and the columns above. Those that need known labels are NaN without them.
#'   With `by = "domain"` one row a slice and domain: `slice`, `domain`, `n` (cells), `confidence` (its mean over them) and `sure` (the share of them above 0.95).
#' @source Definitions: SDMBench (Nature Methods 2024) and the SpaCross paper.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' guess <- stats::kmeans(slice$spots$y, 4)$cluster
#' DomainMetrics(guess, coords = slice$spots[c("x", "y")], truth = slice$spots$label)
DomainMetrics <- function(object, ...) UseMethod("DomainMetrics")

#' @rdname DomainMetrics
#' @export
DomainMetrics.default <- function(object, ..., coords, truth = NULL, slice = NULL, k = 10, threads = NULL, by = "slice", confidence = NULL) {
  check_dots(...)
  labels <- as_labels(object)
  place <- label_coords(labels, coords)
  truth <- check_companion(truth, labels, "truth")
  groups <- slice_groups(place, check_slice_labels(slice, labels))
  known <- !is.na(labels) & (if (is.null(truth)) TRUE else !is.na(truth))
  if (check_choice(by, c("slice", "domain"), "by") == "domain") {
    return(confidence_table(labels, check_shares(confidence %||% abort_unsure("confidence"), labels), groups))
  }
  threads <- check_threads(threads)
  k <- check_whole(k, "k", 2)
  rows <- lapply(levels(groups), function(name) {
    inside <- which(groups == name)
    slice_metrics(name, labels, truth, place, inside[known[inside]], length(inside), k, threads)
  })
  do.call(rbind, rows)
}

#' @rdname DomainMetrics
#' @export
DomainMetrics.SpaxResult <- function(object, ..., coords = result_coords(object), slice = object$slice) {
  DomainMetrics.default(object$domain, ..., coords = coords, slice = slice, confidence = object$confidence)
}

#' @rdname DomainMetrics
#' @exportS3Method DomainMetrics Seurat
DomainMetrics.Seurat <- function(object, ..., coords = NULL, truth = NULL, k = 10, threads = NULL, domain.name = NULL,
                                 split.by = NULL, by = "slice") {
  check_dots(...)
  domain.name <- sole_domain(object, domain.name, "domain.name")
  part <- labelled_part(object, domain.name)
  labels <- meta_labels(part, domain.name, "domain.name")
  confidence <- if (identical(by, "domain")) stored_confidence(part, domain.name)
  truth <- if (!is.null(truth)) meta_labels(part, truth, "truth")
  slice <- slice_column(part, split.by)
  place <- SpatialCoords(part, coords)
  warn_overlaid_object(part, place, split.by, threads)
  DomainMetrics.default(labels, coords = place, truth = truth, slice = slice, k = k, threads = threads, by = by, confidence = confidence)
}

#' @rdname DomainMetrics
#' @exportS3Method DomainMetrics SingleCellExperiment
DomainMetrics.SingleCellExperiment <- DomainMetrics.Seurat

slice_metrics <- function(name, labels, truth, coords, cells, n_all, k, threads) {
  k <- check_k(k, length(cells), where = if (n_all < length(labels)) paste0(" of slice \"", name, "\"") else "")
  found <- droplevels(labels[cells])
  known <- if (is.null(truth)) integer() else as.integer(truth[cells])
  values <- core(core_metrics(known, as.integer(found), coords_matrix(coords[cells, ]), k, threads))
  data.frame(
    slice = name, n = length(cells), n_left_out = n_all - length(cells), n_domains = nlevels(found), values
  )
}
