#' Find domains in an embedding
#'
#' Groups cells by the columns of an embedding into a wanted number of domains.
#'
#' `"gmm"` is a Gaussian mixture with one covariance shared by all domains (the model that mclust calls EEE), fitted natively from several
#' starts; `"kmeans"` is native too. `"mclust"` is the CRAN package with model EEE, as the published method uses it. `"leiden"` and
#' `"louvain"` (igraph) group the graph of shared nearest neighbours; the resolution that gives the wanted number of domains is found by
#' bisection. The last three draw random numbers from R's generator: it is set to `seed` for them and put back.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or an embedding: a numeric matrix of cells x columns.
#' @param n.domains How many domains to find, at least 2.
#' @param ... Not used; anything here is an error.
#' @param method One of `"gmm"`, `"mclust"`, `"kmeans"`, `"leiden"`, `"louvain"`.
#' @param coords For the default method NULL or coordinates, for the order of the domains; see [SpatialCoords()] for both.
#' @param starts Starts of the mixture or of k-means.
#' @param runs Cluster so many times with different seeds and take the labels that most runs agree on.
#' @param k Nearest neighbours for `"leiden"` and `"louvain"`.
#' @param prune Shared neighbours below this Jaccard index are no edge.
#' @param seed One whole number: the same seed gives the same domains. NULL draws it from R's generator.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param reduction Reduction to use. NULL: `spacross` or `spalora`, whichever there is.
#' @param dims Its columns. NULL: all.
#' @param domain.name Meta data column for the result. NULL: the name of the reduction with `_domain`.
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
FindDomains.default <- function(object, n.domains, ..., method = "gmm", coords = NULL, starts = 20, runs = 1, k = 20, prune = 1 / 15,
                                seed = 1, threads = NULL) {
  check_dots(...)
  x <- as_embedding(object)
  n <- check_n_domains(rlang::maybe_missing(n.domains), nrow(x))
  check_choice(method, domain_choices()$cluster, "method")
  settings <- list(
    starts = check_whole(starts, "starts", 1), prune = check_prune(prune),
    k = if (method %in% c("leiden", "louvain")) check_k(k, nrow(x)), threads = check_threads(threads)
  )
  runs <- check_whole(runs, "runs", 1)
  seed <- check_seed(seed)
  place <- if (!is.null(coords)) SpatialCoords.default(rownames(x), coords)
  found <- lapply(seq_len(runs), function(run) cluster_once(x, n, method, settings, run_seed(seed, run)))
  domain_factor(agree(found, n), n, rownames(x), place)
}

#' @rdname FindDomains
#' @exportS3Method FindDomains Seurat
FindDomains.Seurat <- function(object, n.domains, ..., reduction = NULL, dims = NULL, method = "gmm", coords = NULL, starts = 20,
                               runs = 1, k = 20, prune = 1 / 15, seed = 1, threads = NULL, domain.name = NULL) {
  check_dots(...)
  reduction <- sole_reduction(object, reduction)
  domain.name <- domain.name %||% paste0(reduction, "_domain")
  check_name(domain.name, "domain.name")
  embedding <- stored_reduction(object, reduction, dims)
  place <- if (is.null(coords)) lone_image_coords(object) else SpatialCoords(object, coords)
  domains <- FindDomains.default(
    embedding, rlang::maybe_missing(n.domains),
    method = method, coords = place, starts = starts, runs = runs, k = k, prune = prune, seed = seed, threads = threads
  )
  object <- write_column(object, domain.name, domains)
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
  if (length(image_names(object)) == 1L) {
    tryCatch(SpatialCoords(object), spaxR_error_coords = function(e) NULL)
  }
}

check_prune <- function(prune) {
  if (!is.numeric(prune) || length(prune) != 1L || is.na(prune) || prune < 0 || prune >= 1) {
    abort_spax("argument", "{.arg prune} must be one number from 0 to below 1, not {show_value(prune)}.", "prune")
  }
  prune
}

cluster_once <- function(x, n, method, settings, seed) {
  switch(method,
    gmm = core(core_gmm(x, n, settings$starts, seed, settings$threads))$labels,
    kmeans = core(core_kmeans(x, n, settings$starts, seed, settings$threads))$labels,
    mclust = cluster_mclust(x, n, seed),
    leiden = ,
    louvain = cluster_graph(x, n, method, settings, seed)
  )
}

# The labels that several runs agree on.
agree <- function(found, n) {
  if (length(found) == 1L) {
    return(found[[1L]])
  }
  labels <- do.call(cbind, lapply(found, as.integer))
  core(core_consensus(labels, n))$labels
}

# Levels 1..n, along the tissue or by size; says when there are fewer than n.
domain_factor <- function(labels, n, cells, coords, slices = NULL) {
  order <- order(tabulate(labels), decreasing = TRUE)
  labels <- match(labels, order)
  if (!is.null(coords)) labels <- core(core_order_domains(labels, coords_matrix(coords), slice_codes(slices)))
  n_found <- length(unique(labels))
  if (n_found < n) {
    warn_spax("clustering", c(
      "{n_found} domain{?s} found where {n} were asked for.",
      "i" = "Ask for fewer, or choose another {.arg method}."
    ), "n.domains")
  }
  rlang::set_names(factor(labels, levels = seq_len(max(n, labels))), cells)
}

cluster_mclust <- function(x, n, seed) {
  check_packages("mclust", "{.code method = \"mclust\"}")
  # Mclust() looks for this function where it is called.
  mclustBIC <- mclust::mclustBIC
  fit <- with_r_seed(seed, mclust::Mclust(x, G = n, modelNames = "EEE", verbose = FALSE))
  if (is.null(fit)) {
    abort_spax("clustering", c(
      "mclust could not fit {n} domains.",
      "i" = "Ask for fewer domains, or use {.code method = \"gmm\"}, which is regularised."
    ), "method")
  }
  as.integer(fit$classification)
}

cluster_graph <- function(x, n, method, settings, seed) {
  check_packages("igraph", "{.code method = \"leiden\"} or {.code \"louvain\"}")
  edges <- core(core_snn_edges(x, settings$k, settings$prune, settings$threads))
  graph <- igraph::make_graph(rbind(edges$from, edges$to), n = nrow(x), directed = FALSE)
  at <- function(resolution) with_r_seed(seed, partition(graph, edges$weight, method, resolution))
  search_resolution(at, n)
}

partition <- function(graph, weights, method, resolution) {
  groups <- if (method == "louvain") {
    igraph::cluster_louvain(graph, weights = weights, resolution = resolution)
  } else {
    # igraph 2 renames the argument.
    name <- intersect(c("resolution", "resolution_parameter"), names(formals(igraph::cluster_leiden)))[[1L]]
    given <- rlang::set_names(list(resolution), name)
    rlang::exec(igraph::cluster_leiden, graph, objective_function = "modularity", weights = weights, n_iterations = 5, !!!given)
  }
  as.integer(igraph::membership(groups))
}

# Bisection for the resolution (on its logarithm) that gives n groups. A disconnected graph has at least as many groups as parts,
# and the number can jump over n: then the nearest number comes back, and domain_factor() or a warning says so.
search_resolution <- function(at, n, rounds = 25L) {
  range <- log(c(1e-3, 50))
  best <- NULL
  for (round in seq_len(rounds)) {
    middle <- mean(range)
    labels <- at(exp(middle))
    found <- max(labels)
    if (is.null(best) || abs(found - n) < abs(max(best) - n)) best <- labels
    if (found == n) break
    if (found > n) range[[2L]] <- middle else range[[1L]] <- middle
  }
  if (max(best) > n) warn_resolution(max(best), n)
  best
}

warn_resolution <- function(found, n) {
  warn_spax("clustering", c(
    "No resolution gives {n} domains: the nearest has {found}.",
    "i" = "Ask for {found}, change {.arg k}, or use {.code method = \"gmm\"}."
  ), "n.domains")
}
