# Each method: from a set and a seed to list(domain, and where it has them confidence, r2). A method of one's own is one
# more entry.

spacross <- function(set, seed, options = spacross_options(), published = FALSE) {
  RunSpaCross(set$counts, set$k, set$coords, published = published, options = options, seed = seed, verbose = FALSE)
}

single_mixture <- function(embedding, set, seed) FindDomains(embedding, set$k, method = "gmm", seed = seed)

methods <- list(
  ppca = function(set, seed) {
    fit <- RunPredictivePCA(set$counts, set$k, set$coords, seed = seed, verbose = FALSE)
    list(domain = fit$domain, confidence = fit$confidence, r2 = fit$quality$r2)
  },
  ppca_gmm = function(set, seed) {
    fit <- RunPredictivePCA(set$counts, coords = set$coords, seed = seed, verbose = FALSE)
    list(domain = single_mixture(fit$embedding, set, seed), r2 = fit$quality$r2)
  },
  spacross = function(set, seed) {
    fit <- spacross(set, seed)
    list(domain = fit$domain, confidence = fit$confidence, r2 = fit$quality$r2)
  },
  before = function(set, seed) spacross(set, seed, spacross_options(domains_from = "both", cluster = "gmm"))["domain"],
  # Its domains do not see the network, which is trained no longer than it must be.
  smoothed = function(set, seed) {
    spacross(set, seed, spacross_options(domains_from = "smoothed", cluster = "gmm", epochs = 1))["domain"]
  },
  pca_mean = function(set, seed) list(domain = single_mixture(mean_components(set$counts, set$coords), set, seed)),
  published = function(set, seed) spacross(set, seed, spacross_options(preset = set$preset), published = TRUE)["domain"]
)

# What takes minutes a run: with few seeds, and on small sets only.
limits <- list(published = list(seeds = 5, cells = 2000))

within_limits <- function(method, seed, cells) {
  limit <- limits[[method]]
  is.null(limit) || (seed <= limit$seeds && cells <= limit$cells)
}
