# The methods that group cells by the columns of an embedding.

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

cluster_mclust <- function(x, n, seed) {
  check_packages("mclust", "{.code method = \"mclust\"}")
  # Mclust() looks for this function where it is called.
  mclustBIC <- mclust::mclustBIC
  x <- varying_columns(x)
  # Of a single column, the model of one covariance for all is called E.
  model <- if (ncol(x) == 1L) "E" else "EEE"
  fit <- with_r_seed(seed, mclust::Mclust(x, G = n, modelNames = model, verbose = FALSE))
  if (is.null(fit)) {
    abort_spax("clustering", c(
      "mclust could not fit {n} domains.",
      "i" = "Ask for fewer domains, or use {.code method = \"gmm\"}, which is regularised."
    ), "method")
  }
  as.integer(fit$classification)
}

# mclust never ends where nothing varies, and has no answer where a column does not.
varying_columns <- function(x) {
  varies <- apply(x, 2L, function(column) any(column != column[[1L]]))
  if (!any(varies)) {
    abort_spax("argument", c(
      "No column of {.arg object} varies between cells: there is nothing to group them by.",
      "i" = "Check what it holds, and {.arg dims}."
    ), "object")
  }
  x[, varies, drop = FALSE]
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
    rlang::exec(
      igraph::cluster_leiden, graph, objective_function = "modularity", weights = weights, n_iterations = 5, !!!given
    )
  }
  as.integer(igraph::membership(groups))
}

# Bisection for the resolution (on its logarithm) that gives n groups. A disconnected graph has at least as many groups
# as parts, and the number can jump over n: then the nearest number comes back, and domain_factor() or a warning says
# so.
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
