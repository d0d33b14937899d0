#' Options of SpaLORA
#'
#' Everything about [RunSpaLORA()] beyond its own arguments: how the modalities are prepared, the graphs, the network and its training, and how domains are found. An option that
#' is not given keeps its default. Printing marks what differs from the defaults.
#'
#' The defaults need no platform: they were chosen over simulated and real tissues, with the measurements in the folder `bench` of the sources. The published settings of three
#' platforms are presets.
#'
#' @section Preparing the modalities:
#' \describe{
#'   \item{`n_genes`}{of RNA: genes kept, those with the highest standardised variance ("vst").}
#'   \item{`min_cells`, `min_counts`}{of RNA: a gene is kept when it is seen in at least `min_cells` cells and has at least `min_counts` counts in all.}
#'   \item{`min_share`}{of RNA: and when it is seen in at least this share of the cells (of several slices, of a slice of mean size). Genes that few cells have turn to noise when
#'     they are scaled; 0 keeps them.}
#'   \item{`target_sum`}{of RNA: counts per cell after scaling; log(1 + x) follows.}
#'   \item{`slice_center`}{of RNA and proteins in several slices: `"none"`, `"mean"` (each slice is centred on its own) or `"scale"` (and scaled).}
#'   \item{`n_components`}{components of each modality, at most one fewer than its features. They make the feature graphs, and are what the network sees.
#'     NULL: as published, all of the proteins (one fewer), 50 of chromatin, and of RNA as many as the modality beside it.}
#'   \item{`components`}{`"spatial"`: along the directions in which the means over a cell and its `k` nearest neighbours vary most, which the noise of single cells hardly
#'     turns; `"cells"`: principal components of the cells, as published. A modality of the kind `"features"` is taken as it is.}
#' }
#' @section Graphs:
#' \describe{
#'   \item{`k`}{nearest neighbours in the plane; pairs count when either is a neighbour of the other.}
#'   \item{`radius`}{if not NULL: all cells within this distance instead, in the units of the coordinates; an error where it joins no cells, or typically more than 1,000 or half of all.}
#'   \item{`feature_k`}{most correlated cells in each modality; see [BuildFeatureGraph()].}
#' }
#' @section Network and training:
#' \describe{
#'   \item{`latent`}{width of the embeddings.}
#'   \item{`input`}{what the network sees of RNA. `"components"`: its components, and the genes as far as these tell them, which is several times as fast; `"genes"`:
#'     all genes, as published.}
#'   \item{`weights`}{of the genes in the reconstruction of RNA. `"rank"`: by the rank of their mean expression, from about 5.6 for the rarest to 1; `"published"`: as the published code
#'     computes them, which is in effect at random; `"none"`: all alike. With `input = "components"` they are divided by their mean, so that they change
#'     which genes count and not how much the RNA does.}
#'   \item{`w_recon`, `w_cross`}{weights of the losses: how well each modality is reconstructed from the joint embedding, and how well its own embedding survives a round through the
#'     other modalities. One number for all, or one each in the order of the modalities; the last repeats. The presets have RNA first.}
#'   \item{`init`}{what training starts from. `"components"`: the components of all modalities side by side, and attention that weighs all alike, so that
#'     seeds agree on the weights. `"random"`: random weights, as published.}
#'   \item{`learning_rate`, `weight_decay`, `epochs`}{the optimiser (Adam). Long training follows single cells, most of all on few or noisy ones.}
#' }
#' @section Domains:
#' \describe{
#'   \item{`embedding_components`}{principal components of the embedding that are clustered. With the default, fewer on tissues of fewer than some 800 cells, as with `smooth_components`:
#'     all columns that are clustered are at most a twentieth of the cells. The options of a result say how many.}
#'   \item{`cluster`}{method of [FindDomains()]: `"consensus"`, `"gmm"`, `"mclust"`, `"kmeans"`, `"leiden"` or `"louvain"`.}
#'   \item{`domains_from`}{`"predicted"`: components of all modalities as the cells' neighbours predict them, no network; `"embedding"`: the network's; `"smoothed"`: components of all modalities averaged over neighbours, no network; `"both"`: side by side, each
#'     column scaled.}
#'   \item{`smooth_components`, `smooth_passes`}{for `"smoothed"` and `"both"`: how many components of each modality are averaged over the nearest cells, how many times.}
#'   \item{`smooth_k`}{over how many cells, the cell itself one of them: a number for all modalities, or NULL, and each modality's is chosen from its data, more where they are
#'     noisier. Tried are the nearest 6, 8, 12, 18, 20, 24, 28, 30 and 36 other cells, which complete rings on a hexagonal or a square grid, and judged by how well
#'     their mean predicts the cell in ten regions that the prediction was not fitted to; the fewest that come within one standard error of the best are taken. The result's
#'     `modalities` say how many.}
#'   \item{`starts`}{starts of the mixture or of k-means.}
#'   \item{`consensus`}{train and cluster so many times with different seeds and take the labels most of them agree on.}
#'   \item{`boundaries`}{for `"predicted"`: TRUE looks at the cells along borders once more, by what they are themselves: each may take the domain of one of its 6 nearest.}
#'   \item{`refine_k`}{if not 0, give each cell the commonest label of so many nearest cells in the end.}
#' }
#'
#' @param ... Options by name, from the lists below. An unknown name is an error.
#' @param preset NULL, or the published settings for a kind of data: `"visium_protein"` (Visium with antibodies), `"slide_tags"` or `"spatial_atac_rna"`. Options given by
#'   name win over the preset.
#' @return An object of class `spalora_options`: a named list with a value for every option.
#' @source Published settings: the code of SpaLORA.
#' @export
#' @examples
#' spalora_options()
#' spalora_options(k = 10, weights = "none")
#' spalora_options(preset = "spatial_atac_rna", epochs = 400)
spalora_options <- function(..., preset = NULL) new_options(spalora_option_set(), rlang::list2(...), preset)

spalora_option_set <- function() {
  list(
    class = "spalora_options", system = "SpaLORA", core = core(core_spalora_defaults()), after = spalora_after(),
    ranges = spalora_ranges(), vectors = option_range(c("w_recon", "w_cross"), 0, 1e9, FALSE),
    flags = "boundaries", choices = c(list(weights = c("rank", "published", "none"), input = c("components", "genes"), init = c("components", "random"), components = c("spatial", "cells"), slice_center = c("none", "mean", "scale")), domain_choices()),
    optional = c(option_range("radius", .Machine$double.xmin, Inf, FALSE), option_range("n_components", 2, 1e9, TRUE), smooth_range()),
    presets = spalora_presets(), published = list(fixed = spalora_published_fixed(), free = spalora_published_free(), preset = "visium_protein")
  )
}

# Options that R reads; those of the network stand in the core.
spalora_after <- function() {
  list(
    n_genes = 3000L, min_cells = 10L, min_counts = 0L, min_share = 0.05, target_sum = 1e4, slice_center = "mean", n_components = 30L, components = "spatial",
    k = 6L, radius = NULL, feature_k = 20L, embedding_components = 10L, cluster = "consensus", domains_from = "predicted",
    smooth_components = 15L, smooth_k = NULL, smooth_passes = 1L, starts = 20L, consensus = 1L, boundaries = TRUE, refine_k = 0L
  )
}

spalora_ranges <- function() {
  count <- c("n_genes", "k", "feature_k", "latent", "epochs", "embedding_components")
  tiny <- .Machine$double.eps
  c(
    option_range(count, 1, 1e9, TRUE), option_range(c("min_cells", "min_counts"), 0, 1e9, TRUE), option_range("weight_decay", 0, 1e9, FALSE),
    option_range("min_share", 0, 1, FALSE),
    option_range(c("target_sum", "learning_rate"), tiny, 1e12, FALSE), domain_ranges()
  )
}

spalora_presets <- function() {
  preset <- function(k, latent, epochs, w_recon, w_cross, n_genes = 3000) {
    list(k = k, latent = latent, epochs = epochs, learning_rate = 1e-4, w_recon = w_recon, w_cross = w_cross, n_genes = n_genes, min_share = 0, n_components = NULL, components = "cells", input = "genes", embedding_components = 20L)
  }
  list(
    visium_protein = preset(18, 64, 200, c(1.9, 2.5), c(1.5, 10)),
    slide_tags = preset(1, 128, 200, c(5, 6), c(1, 10)),
    spatial_atac_rna = preset(16, 128, 1600, c(1.5, 5), c(1.5, 1), n_genes = 2000)
  )
}

# What the published code fixes, whatever the defaults of spaxR become.
spalora_published_fixed <- function() list(weights = "published", input = "genes", init = "random", components = "cells", cluster = "mclust", domains_from = "embedding", consensus = 1L)

spalora_published_free <- function() {
  list(
    min_cells = 10L, min_counts = 0L, min_share = 0, target_sum = 1e4, slice_center = "none", radius = NULL, feature_k = 20L,
    learning_rate = 1e-4, weight_decay = 0, embedding_components = 20L, refine_k = 0L
  )
}
