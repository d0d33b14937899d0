#' Find domains in an embedding
#'
#' Groups cells by the columns of an embedding into a wanted number of domains.
#'
#' `"consensus"` fits many mixtures (those of `"gmm"`) from random starts, keeps the most likely and takes what these agree on: nearly the same domains whatever the seed. From a list of
#' embeddings of the same cells it fits mixtures to each. The share of the mixtures that agree with a cell's domain is its confidence. `"gmm"` is a Gaussian mixture with one covariance shared by all domains (the model that mclust calls EEE), fitted natively from several
#' starts; `"kmeans"` is native too. `"mclust"` is the CRAN package with model EEE, as the published method uses it. `"leiden"` and
#' `"louvain"` (igraph) group the graph of shared nearest neighbours; the resolution that gives the wanted number of domains is found by
#' bisection. The last three draw random numbers from R's generator: it is set to `seed` for them and put back.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, the result of a run of matrices, or an embedding: a numeric matrix of cells x columns; for `"consensus"` also a list of embeddings.
#' @param n.domains How many domains to find, at least 2.
#' @param ... Not used; anything here is an error.
#' @param method One of `"consensus"`, `"gmm"`, `"mclust"`, `"kmeans"`, `"leiden"`, `"louvain"`.
#' @param coords For the default method NULL or coordinates, for the order of the domains; see [SpatialCoords()] for both.
#' @param starts Starts of the mixture or of k-means.
#' @param runs For the other methods: cluster so many times with different seeds and take the labels that most runs agree on.
#' @param k Nearest neighbours for `"leiden"` and `"louvain"`.
#' @param prune Shared neighbours below this Jaccard index are no edge.
#' @param seed One whole number: the same seed gives the same domains. NULL draws it from R's generator.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param reduction Reduction to use. NULL: `spacross`, `spalora` or `ppca`, whichever there is; of several that of the last run, with a message.
#' @param dims Its columns. NULL: all.
#' @param domain.name Meta data column for the result. NULL: the name of the reduction with `_domain`.
#' @param confidence TRUE gives the result of the default method with `"consensus"` an attribute `"confidence"`: a number from 0 to 1 for each cell.
#' @param confidence.name Meta data column for the confidence of `"consensus"`. NULL: `domain.name` with `_confidence` in place of `_domain`, where [DomainPlot()] and [DomainMetrics()] look for it. Other methods have none, and take away an earlier one.
#' @return The default method: a factor with a domain for each cell (names: row names of the embedding), levels `1..n.domains`, numbered along the tissue if `coords` are
#'   given, else from the largest to the smallest. For an object, the object with this factor in the meta data column `domain.name` (Seurat: and the command logged).
#'   Fewer non-empty domains than asked for come with a warning of class `spaxR_warning_clustering`.
#' @export
#' @examples
#' centres <- matrix(rep(c(0, 6, 12), each = 40), nrow = 120, ncol = 4)
#' embedding <- centres + matrix(stats::rnorm(480), nrow = 120)
#' table(FindDomains(embedding, n.domains = 3))
FindDomains <- function(object, ...) UseMethod("FindDomains")

#' @rdname FindDomains
#' @export
FindDomains.default <- function(object, n.domains, ..., method = "consensus", coords = NULL, starts = 20, runs = 1, k = 20, prune = 1 / 15,
                                seed = 1, threads = NULL, confidence = FALSE) {
  check_dots(...)
  check_flag(confidence, "confidence")
  check_choice(method, cluster_methods(), "method")
  x <- as_embeddings(object, method)
  first <- x[[1L]]
  n <- check_n_domains(rlang::maybe_missing(n.domains), nrow(first))
  settings <- list(
    starts = check_whole(starts, "starts", 1), prune = check_prune(prune),
    k = if (method %in% c("leiden", "louvain")) check_k(k, nrow(first)), threads = check_threads(threads)
  )
  runs <- check_whole(runs, "runs", 1)
  check_domains_memory(x, n)
  seed <- check_seed(seed)
  place <- if (!is.null(coords)) SpatialCoords.default(rownames(first), coords)
  if (method == "consensus") {
    found <- agreed_domains(x, n, settings, seed, rownames(first), place)
    return(if (confidence) found else structure(found, confidence = NULL))
  }
  found <- lapply(seq_len(runs), function(run) cluster_once(first, n, method, settings, run_seed(seed, run)))
  domain_factor(agree(found, n), n, rownames(first), place)
}

#' @rdname FindDomains
#' @export
FindDomains.SpaxResult <- function(object, ..., coords = result_coords(object)) FindDomains.default(object$embedding, ..., coords = coords)

# With the attribute "confidence".
agreed_domains <- function(x, n, settings, seed, cells, place) {
  found <- core(core_ensemble(x, n, settings$starts, seed, if (!is.null(place)) coords_matrix(place), settings$threads))
  domains <- domain_factor(found$labels, n, cells, place)
  structure(domains, confidence = rlang::set_names(found$confidence, cells))
}

# A list of matrices: several only where a consensus is wanted.
as_embeddings <- function(object, method) {
  several <- is.list(object) && !is.data.frame(object)
  if (!several) {
    return(list(as_embedding(object)))
  }
  if (method != "consensus" || length(object) == 0L) {
    abort_spax("argument", c(
      "{.arg object} is a list, of which {.code method = {show_value(method)}} makes nothing.",
      "i" = "Give one matrix, or use {.code method = \"consensus\"} for several embeddings of the same cells."
    ), "object")
  }
  found <- unname(lapply(object, as_embedding))
  alike <- vapply(found, function(x) nrow(x) == nrow(found[[1L]]) && identical(rownames(x), rownames(found[[1L]])), NA)
  if (!all(alike)) {
    abort_spax("argument", c(
      "The embeddings in {.arg object} are not of the same cells in the same order.",
      "i" = "Give matrices with the same row names."
    ), "object")
  }
  found
}

#' @rdname FindDomains
#' @exportS3Method FindDomains Seurat
FindDomains.Seurat <- function(object, n.domains, ..., reduction = NULL, dims = NULL, method = "consensus", coords = NULL, starts = 20,
                               runs = 1, k = 20, prune = 1 / 15, seed = 1, threads = NULL, domain.name = NULL, confidence.name = NULL) {
  check_dots(...)
  reduction <- sole_reduction(object, reduction)
  domain.name <- domain.name %||% paste0(reduction, "_domain")
  check_name(domain.name, "domain.name")
  names <- list(domain = domain.name, confidence = confidence.name %||% confidence_column(domain.name))
  check_name(names$confidence, "confidence.name")
  part <- own_part(object, reduction = reduction)
  embedding <- stored_reduction(part, reduction, dims)
  place <- if (is.null(coords)) lone_image_coords(part) else SpatialCoords(part, coords)
  domains <- FindDomains.default(
    embedding, rlang::maybe_missing(n.domains),
    method = method, coords = place, starts = starts, runs = runs, k = k, prune = prune, seed = seed, threads = threads,
    confidence = TRUE
  )
  object <- write_domains(keep_coords(object, coords, cell_names(part)), structure(domains, confidence = NULL), attr(domains, "confidence"), names)
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  coords <- loggable_coords(coords)
  SeuratObject::LogSeuratCommand(object)
}

#' @rdname FindDomains
#' @exportS3Method FindDomains SingleCellExperiment
FindDomains.SingleCellExperiment <- FindDomains.Seurat

# The order along the tissue is a nicety: an object without coordinates, or whose image lacks cells, is no error here.
lone_image_coords <- function(object) {
  place <- tryCatch(SpatialCoords(object), spaxR_error_coords = function(e) NULL)
  if (nlevels(place$image) < 2L) place
}
