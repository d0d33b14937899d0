#' Options of SpaCross
#'
#' Everything about [RunSpaCross()] beyond its own arguments: how the counts are prepared, the network, its training, and how
#' domains are found. An option that is not given keeps its default. Printing marks what differs from the defaults.
#'
#' The defaults stand in the compiled core (those of the network) and in one list of this package (those of the steps after
#' it); `spacross_options()` lists them all with their values.
#'
#' @section Preparing the counts:
#' \describe{
#'   \item{`n_genes`}{genes kept, those with the highest standardised variance ("vst").}
#'   \item{`min_cells`, `min_counts`}{a gene is kept when it is seen in at least `min_cells` cells and has at least `min_counts`
#'     counts in all. With fewer than 500 cells, `min_cells` is a tenth of them.}
#'   \item{`target_sum`}{counts per cell after scaling.}
#'   \item{`log1p`}{TRUE takes log(1 + x) after scaling.}
#'   \item{`slice_center`}{of several slices: `"mean"`: the genes of each slice are centred on their own; `"scale"`: and scaled; `"none"`.}
#'   \item{`n_components`}{principal components given to the network. A panel with fewer genes skips this step.}
#' }
#' @section Spatial graph:
#' \describe{
#'   \item{`k`}{nearest neighbours in the plane; pairs count when either is a neighbour of the other.}
#'   \item{`radius`}{if not NULL: all cells within this distance instead, in the units of the coordinates; an error where it joins no cells, or typically more than 1,000 or half of all.}
#' }
#' @section Network and training:
#' \describe{
#'   \item{`hidden1`, `hidden2`, `gcn_hidden`, `latent`, `project`}{widths of the layers; `latent` is the width of the embedding.}
#'   \item{`dropout`}{share of values set to zero while training.}
#'   \item{`mask_rate`, `replace_rate`}{share of cells masked in a step, and the share of those that take another cell's features.}
#'   \item{`momentum`}{of the target encoder, from 0 (a copy at every step) to below 1.}
#'   \item{`sharpness`}{power of the cosine losses.}
#'   \item{`w_recon`, `w_consistency`, `w_contrast`}{weights of the three losses.}
#'   \item{`contrast`}{`"node"`: each cell against the summary of its own neighbours; `"all_pairs"`: as the published code
#'     does it, quadratic in cells; `"none"`: off.}
#'   \item{`top_k`, `update_every`}{the hybrid graph: how many most similar cells, how many epochs between two rebuilds.}
#'   \item{`top_k_inter`}{of several slices: how many most similar cells of the other slices.}
#'   \item{`cluster_test`, `kmeans_runs`}{whether a similar cell that is no neighbour must also share a cluster in one of so many
#'     k-means runs. The published code never rejects one.}
#'   \item{`learning_rate`, `weight_decay`, `clip_norm`, `epochs`}{the optimiser (Adam).}
#' }
#' @section Domains:
#' \describe{
#'   \item{`cluster`}{method of [FindDomains()]: `"consensus"`, `"gmm"`, `"mclust"`, `"kmeans"`, `"leiden"` or `"louvain"`.}
#'   \item{`domains_from`}{`"predicted"`: components as the cells' neighbours predict them ([RunPredictivePCA()]), no network; `"embedding"`: the network's; `"smoothed"`: principal components averaged over neighbours, no
#'     network; `"both"`: side by side, each column scaled.}
#'   \item{`smooth_components`, `smooth_k`, `smooth_passes`}{for `"smoothed"` and `"both"`: how many components of the
#'     log-normalised counts, averaged over how many nearest cells, how many times.}
#'   \item{`starts`}{starts of the mixture or of k-means.}
#'   \item{`consensus`}{train and cluster so many times with different seeds and take the labels most of them agree on.}
#'   \item{`boundaries`}{for `"predicted"`: TRUE looks at the cells along borders once more, by what they are themselves: each may take the domain of one of its 6 nearest.}
#'   \item{`refine_k`}{if not 0, give each cell the commonest label of so many nearest cells in the end.}
#' }
#'
#' @param ... Options by name, from the lists below. An unknown name is an error.
#' @param preset NULL, or the published settings for a kind of data: `"visium"`, `"visium_mouse_brain"`, `"starmap"`, `"osmfish"`,
#'   `"merfish"`, `"stereoseq"` or `"stereoseq_embryo"`. Options given by name win over the preset.
#' @return An object of class `spacross_options`: a named list with a value for every option.
#' @source Published settings: the configuration files of SpaCross (Communications Biology 8, 1393, 2025).
#' @export
#' @examples
#' spacross_options()
#' spacross_options(k = 6, domains_from = "embedding")
#' spacross_options(preset = "starmap", epochs = 100)
spacross_options <- function(..., preset = NULL) new_options(spacross_option_set(), rlang::list2(...), preset)

spacross_option_set <- function() {
  list(
    class = "spacross_options", system = "SpaCross", core = core(core_spacross_defaults()), after = spacross_after(),
    ranges = spacross_ranges(), choices = c(spacross_choices(), domain_choices()),
    flags = c("log1p", "cluster_test", "boundaries"), optional = list(radius = option_range("radius", .Machine$double.xmin, Inf, FALSE)[[1L]]),
    presets = spacross_presets(), published = list(fixed = spacross_published_fixed(), free = spacross_published_free(), preset = "visium")
  )
}

# Options of the steps after the network; those of the network stand in the core.
spacross_after <- function() {
  list(
    cluster = "consensus", domains_from = "predicted", smooth_components = 20L, smooth_k = 18L, smooth_passes = 1L,
    starts = 20L, consensus = 1L, boundaries = FALSE, refine_k = 0L
  )
}

spacross_choices <- function() list(contrast = c("node", "all_pairs", "none"), slice_center = c("none", "mean", "scale"))

spacross_ranges <- function() {
  count <- c("n_genes", "n_components", "hidden1", "hidden2", "gcn_hidden", "latent", "project", "top_k", "update_every",
    "kmeans_runs", "epochs")
  weight <- c("w_recon", "w_consistency", "w_contrast", "weight_decay")
  positive <- c("target_sum", "sharpness", "learning_rate", "clip_norm")
  tiny <- .Machine$double.eps
  c(
    option_range(count, 1, 1e9, TRUE), option_range(c("min_cells", "min_counts", "top_k_inter"), 0, 1e9, TRUE), option_range("k", 2, 1e9, TRUE),
    option_range(c("dropout", "replace_rate", "momentum"), 0, 1 - tiny, FALSE), option_range("mask_rate", tiny, 1 - tiny, FALSE),
    option_range(weight, 0, 1e9, FALSE), option_range(positive, tiny, 1e12, FALSE), domain_ranges(), smooth_range()
  )
}

spacross_presets <- function() {
  preset <- function(mask_rate, k, top_k, w_consistency, w_recon, w_contrast, top_k_inter = 20) {
    list(
      mask_rate = mask_rate, momentum = 0, k = k, top_k = top_k, top_k_inter = top_k_inter,
      w_consistency = w_consistency, w_recon = w_recon, w_contrast = w_contrast
    )
  }
  list(
    visium = preset(0.5, 12, 20, 0.3, 0.6, 0.6),
    visium_mouse_brain = preset(0.6, 8, 20, 0.8, 0.5, 1),
    starmap = preset(0.3, 12, 30, 0.8, 0.6, 0.1),
    osmfish = preset(0.6, 6, 20, 0.8, 0.5, 1),
    merfish = preset(0.7, 8, 20, 0.4, 0.5, 0.3),
    stereoseq = preset(0.6, 10, 10, 1, 0.6, 0.1),
    stereoseq_embryo = preset(0.5, 8, 10, 0.5, 0.5, 0.8)
  )
}

# What the published code fixes, whatever the defaults of spaxR become.
spacross_published_fixed <- function() {
  list(contrast = "all_pairs", cluster_test = FALSE, cluster = "mclust", domains_from = "embedding", consensus = 1L)
}

spacross_published_free <- function() {
  list(
    n_genes = 2000L, min_cells = 50L, min_counts = 10L, target_sum = 1e6, log1p = FALSE, slice_center = "none",
    n_components = 200L,
    hidden1 = 64L, hidden2 = 32L, gcn_hidden = 64L, latent = 16L, project = 32L, dropout = 0.2, replace_rate = 0.05,
    sharpness = 2, update_every = 50L, kmeans_runs = 5L, learning_rate = 1e-3, weight_decay = 3e-4, clip_norm = 5,
    epochs = 300L, refine_k = 0L
  )
}
