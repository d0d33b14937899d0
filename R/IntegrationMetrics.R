#' How well are slices integrated?
#'
#' The local inverse Simpson's index (LISI) counts the labels that live round a cell in an embedding: of slices (iLISI, which should be high) and of known labels
#' or domains (cLISI, which should be low). Where known labels are given, the agreement of the domains with them is added for each slice.
#'
#' LISI is computed as harmony does: the `3 * perplexity - 1` nearest other cells count with weights that fall exponentially with their distance, so fast that the weights'
#' perplexity is `perplexity`; the index is the inverse of the chance that two of them, drawn by weight, carry the same label. Up to 30,000 cells the neighbours are exact; above,
#' an index finds more than 98 % of them. iLISI looks at all cells; cLISI and ARI leave out cells without a label or domain.
#'
#' iLISI can only reach the number of slices where all are equally large. Where one slice holds tissue that the others lack, it should be low there.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, the result of a run of matrices of several slices, or an embedding: a numeric matrix of cells x columns.
#' @param ... Not used; anything here is an error.
#' @param slice The slice of each cell: a factor or vector; with names, it is matched by name.
#' @param domain,truth NULL, or domains and known labels, one a cell; for an object, names of meta data columns. cLISI counts `truth` where it is given, else `domain`.
#' @param perplexity How many neighbours count, in effect. At most a third of the cells.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param reduction Reduction to look at. NULL: `spacross` or `spalora`, whichever there is; of several that of the last run, with a message.
#' @param dims Its columns. NULL: all.
#' @param split.by The meta data column with the slices.
#' @return A data frame with one row a slice and the last row, `overall`, for all cells:
#'   * `slice`; `n`, its cells; `n_left_out`, those of them without a domain or a known label, which cLISI and ARI leave out;
#'   * `iLISI`: mean over its cells, from 1 (each slice on its own) to the number of slices (mixed);
#'   * `cLISI`: likewise, from 1 (each label on its own) to the number of labels; NaN without `domain` and `truth`;
#'   * `ARI`: adjusted Rand index of `domain` and `truth` within the slice (`overall`: over all cells together); NaN unless both are given.
#' @source Korsunsky et al., Nature Methods 16, 1289 (2019). \doi{10.1038/s41592-019-0619-0}
#' @seealso [DomainMetrics()] for how the domains of each slice lie in space.
#' @export
#' @examples
#' embedding <- matrix(stats::rnorm(1200), nrow = 300)
#' slice <- rep(c("one", "two"), 150)
#' IntegrationMetrics(embedding, slice = slice)
IntegrationMetrics <- function(object, ...) UseMethod("IntegrationMetrics")

#' @rdname IntegrationMetrics
#' @export
IntegrationMetrics.default <- function(object, slice, ..., domain = NULL, truth = NULL, perplexity = 30, threads = NULL) {
  check_dots(...)
  x <- as_embedding(object)
  slice <- check_slices(rlang::maybe_missing(slice), x)
  domain <- check_cell_labels(domain, x, "domain")
  truth <- check_cell_labels(truth, x, "truth")
  perplexity <- check_whole(perplexity, "perplexity", 2)
  threads <- check_threads(threads)
  check_graph_memory(nrow(x), 3 * perplexity, "perplexity")
  known <- known_cells(domain, truth, nrow(x))
  scores <- data.frame(
    iLISI = lisi(x, slice, seq_along(slice), perplexity, threads),
    cLISI = lisi(x, truth %||% domain, which(known), perplexity, threads)
  )
  groups <- c(split(seq_along(slice), slice), list(overall = seq_along(slice)))
  rows <- Map(function(name, cells) integration_row(name, cells, scores, known, domain, truth), names(groups), groups)
  do.call(rbind, unname(rows))
}

#' @rdname IntegrationMetrics
#' @export
IntegrationMetrics.SpaxResult <- function(object, slice = object$slice, ..., domain = object$domain) {
  IntegrationMetrics.default(object$embedding, slice, ..., domain = domain)
}

#' @rdname IntegrationMetrics
#' @exportS3Method IntegrationMetrics Seurat
IntegrationMetrics.Seurat <- function(object, split.by, ..., reduction = NULL, dims = NULL, domain = NULL, truth = NULL, perplexity = 30,
                                      threads = NULL) {
  check_dots(...)
  if (rlang::is_missing(split.by)) abort_no_slices("split.by", "the name of the meta data column with the slices")
  reduction <- sole_reduction(object, reduction)
  part <- own_part(object, reduction = reduction)
  column <- function(name, argument) if (!is.null(name)) meta_column(part, name, argument)
  IntegrationMetrics.default(
    stored_reduction(part, reduction, dims), slice_column(part, split.by),
    domain = column(domain, "domain"), truth = column(truth, "truth"), perplexity = perplexity, threads = threads
  )
}

#' @rdname IntegrationMetrics
#' @exportS3Method IntegrationMetrics SingleCellExperiment
IntegrationMetrics.SingleCellExperiment <- IntegrationMetrics.Seurat

abort_no_slices <- function(argument, what) {
  abort_spax("argument", c("{.arg {argument}} is missing.", "i" = "Give {what}."), argument)
}

# The slice of every cell; at least two slices.
check_slices <- function(slice, x) {
  if (rlang::is_missing(slice) || is.null(slice)) abort_no_slices("slice", "the slice of each cell")
  slice <- droplevels(check_cell_labels(slice, x, "slice"))
  if (anyNA(slice)) {
    abort_spax("argument", c(
      "{sum(is.na(slice))} cell{?s} {?has/have} no {.arg slice}.",
      "i" = "Fill them in, or leave out those cells."
    ), "slice")
  }
  if (nlevels(slice) < 2L) {
    abort_spax("argument", c(
      "All cells are in one slice, {.val {levels(slice)}}: there is nothing to integrate.",
      "i" = "Give the slice of each cell; see {.fn DomainMetrics} for one slice."
    ), "slice")
  }
  slice
}

# Labels one a cell of the embedding, matched by name where both have names.
check_cell_labels <- function(labels, x, argument) {
  cells <- rlang::set_names(factor(rep("cell", nrow(x))), rownames(x))
  check_companion(labels, cells, argument)
}

# Cells that have every label that was given; none without any.
known_cells <- function(domain, truth, n) {
  given <- Filter(Negate(is.null), list(domain, truth))
  if (length(given) == 0L) {
    return(logical(n))
  }
  !Reduce(`|`, lapply(given, is.na))
}

# LISI of `cells` among themselves; NaN for the others.
lisi <- function(x, labels, cells, perplexity, threads) {
  scores <- rep(NaN, nrow(x))
  if (length(cells) > 0L) {
    scores[cells] <- core(core_lisi(x[cells, , drop = FALSE], as.integer(labels)[cells], perplexity, threads))
  }
  scores
}

integration_row <- function(name, cells, scores, known, domain, truth) {
  judged <- cells[known[cells]]
  given <- !is.null(domain) || !is.null(truth)
  agreement <- if (!is.null(domain) && !is.null(truth)) adjusted_rand(domain[judged], truth[judged]) else NaN
  data.frame(
    slice = name, n = length(cells), n_left_out = if (given) length(cells) - length(judged) else 0L,
    iLISI = mean(scores$iLISI[cells]), cLISI = mean(scores$cLISI[judged]), ARI = agreement
  )
}

adjusted_rand <- function(domain, truth) {
  if (length(truth) == 0L) {
    return(NaN)
  }
  core(core_agreement(as.integer(truth), as.integer(domain)))$ARI
}
