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
#'   \item{`n_components`}{principal components given to the network. A panel with fewer genes skips this step.}
#' }
#' @section Spatial graph:
#' \describe{
#'   \item{`k`}{nearest neighbours in the plane; pairs count when either is a neighbour of the other.}
#'   \item{`radius`}{if not NULL: all cells within this distance instead, in the units of the coordinates.}
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
#'   \item{`cluster_test`, `kmeans_runs`}{whether a similar cell that is no neighbour must also share a cluster in one of so many
#'     k-means runs. The published code never rejects one.}
#'   \item{`learning_rate`, `weight_decay`, `clip_norm`, `epochs`}{the optimiser (Adam).}
#' }
#' @section Domains:
#' \describe{
#'   \item{`cluster`}{method of [FindDomains()]: `"gmm"`, `"mclust"`, `"kmeans"`, `"leiden"` or `"louvain"`.}
#'   \item{`domains_from`}{`"embedding"`: the network's; `"smoothed"`: principal components averaged over neighbours, no
#'     network; `"both"`: side by side, each column scaled.}
#'   \item{`smooth_components`, `smooth_k`, `smooth_passes`}{for `"smoothed"` and `"both"`: how many components of the
#'     log-normalised counts, averaged over how many nearest cells, how many times.}
#'   \item{`starts`}{starts of the mixture or of k-means.}
#'   \item{`consensus`}{train and cluster so many times with different seeds and take the labels most of them agree on.}
#'   \item{`refine_k`}{if not 0, give each cell the commonest label of so many nearest cells in the end.}
#' }
#'
#' @param ... Options by name, from the lists below. An unknown name is an error.
#' @param preset NULL, or the published settings for a kind of data: `"visium"`, `"visium_mouse_brain"`, `"starmap"`, `"osmfish"`,
#'   `"merfish"` or `"stereoseq"`. Options given by name win over the preset.
#' @return An object of class `spacross_options`: a named list with a value for every option.
#' @source Published settings: the configuration files of SpaCross (Communications Biology 8, 1393, 2025).
#' @export
#' @examples
#' spacross_options()
#' spacross_options(k = 6, domains_from = "embedding")
#' spacross_options(preset = "starmap", epochs = 100)
spacross_options <- function(..., preset = NULL) {
  given <- rlang::list2(...)
  check_option_names(given)
  base <- if (is.null(preset)) NULL else presets()[[check_choice(preset, names(presets()), "preset")]]
  options <- set_options(set_options(option_defaults(), base), given)
  check_options(options)
  structure(options, class = "spacross_options", given = names(given), preset = preset)
}

# Options of the steps after the network; those of the network stand in the core.
after_defaults <- function() {
  list(
    cluster = "gmm", domains_from = "both", smooth_components = 20L, smooth_k = 18L, smooth_passes = 1L,
    starts = 20L, consensus = 1L, refine_k = 0L
  )
}

option_defaults <- function() c(core(core_spacross_defaults()), after_defaults())

option_names <- function() names(option_defaults())

# The options that the core reads.
core_options <- function(options) {
  unclass(options)[names(core(core_spacross_defaults()))]
}

presets <- function() {
  preset <- function(mask_rate, k, top_k, w_consistency, w_recon, w_contrast) {
    list(
      mask_rate = mask_rate, momentum = 0, k = k, top_k = top_k,
      w_consistency = w_consistency, w_recon = w_recon, w_contrast = w_contrast
    )
  }
  list(
    visium = preset(0.5, 12, 20, 0.3, 0.6, 0.6),
    visium_mouse_brain = preset(0.6, 8, 20, 0.8, 0.5, 1),
    starmap = preset(0.3, 12, 30, 0.8, 0.6, 0.1),
    osmfish = preset(0.6, 6, 20, 0.8, 0.5, 1),
    merfish = preset(0.7, 8, 20, 0.4, 0.5, 0.3),
    stereoseq = preset(0.6, 10, 10, 1, 0.6, 0.1)
  )
}

# What the published code fixes, whatever the defaults of spaxR become.
published_fixed <- function() {
  list(contrast = "all_pairs", cluster_test = FALSE, cluster = "mclust", domains_from = "embedding", consensus = 1L)
}

published_free <- function() {
  list(
    n_genes = 2000L, min_cells = 50L, min_counts = 10L, target_sum = 1e6, log1p = FALSE, n_components = 200L,
    hidden1 = 64L, hidden2 = 32L, gcn_hidden = 64L, latent = 16L, project = 32L, dropout = 0.2, replace_rate = 0.05,
    sharpness = 2, update_every = 50L, kmeans_runs = 5L, learning_rate = 1e-3, weight_decay = 3e-4, clip_norm = 5,
    epochs = 300L, refine_k = 0L
  )
}

# The published settings, with what the user gave by name where the published code leaves it free.
published_options <- function(options) {
  given <- unclass(options)[attr(options, "given")]
  fixed <- published_fixed()
  clash <- Filter(function(name) !identical(given[[name]], fixed[[name]]), intersect(names(given), names(fixed)))
  if (length(clash) > 0L) {
    abort_spax("argument", c(
      "{.code published = TRUE} fixes the option{cli::qty(length(clash))}{?s} {.code {clash}}.",
      "i" = "Leave {cli::qty(length(clash))}{?it/them} out of {.fn spacross_options}, or leave out {.code published = TRUE}."
    ), "published")
  }
  preset <- presets()[[attr(options, "preset") %||% "visium"]]
  result <- Reduce(set_options, list(options, published_free(), preset, given, fixed))
  structure(result, class = "spacross_options", given = attr(options, "given"), preset = attr(options, "preset"))
}

# Like modifyList(), but a NULL stays in the list, and whole numbers keep the type of the default.
set_options <- function(options, values) {
  for (name in names(values)) {
    value <- values[[name]]
    if (is.integer(options[[name]]) && is_whole(value)) value <- as.integer(value)
    options[name] <- list(value)
  }
  options
}

check_option_names <- function(given) {
  names <- rlang::names2(given)
  known <- option_names()
  unknown <- setdiff(names, known)
  if (length(unknown) > 0L) {
    first <- if (nzchar(unknown[[1L]])) unknown[[1L]] else "an option without a name"
    abort_spax("option", c(
      "{.code {first}} is not an option of SpaCross.",
      "i" = did_you_mean(unknown[[1L]], known)
    ), unknown[[1L]])
  }
  if (anyDuplicated(names)) {
    twice <- names[duplicated(names)][[1L]]
    abort_spax("option", c("The option {.code {twice}} is given twice.", "i" = "Give it once."), twice)
  }
}

option_choices <- function() {
  list(
    contrast = c("node", "all_pairs", "none"),
    cluster = c("gmm", "mclust", "kmeans", "leiden", "louvain"),
    domains_from = c("embedding", "smoothed", "both")
  )
}

# The range of each number: least, most, whole or not.
option_ranges <- function() {
  count <- c("n_genes", "n_components", "hidden1", "hidden2", "gcn_hidden", "latent", "project", "top_k", "update_every",
    "kmeans_runs", "epochs", "smooth_components", "smooth_passes", "starts", "consensus")
  nought <- c("min_cells", "min_counts", "refine_k")
  share <- c("dropout", "replace_rate", "momentum")
  weight <- c("w_recon", "w_consistency", "w_contrast", "weight_decay")
  positive <- c("target_sum", "sharpness", "learning_rate", "clip_norm")
  range <- function(names, least, most, whole) {
    rlang::set_names(rep(list(list(least = least, most = most, whole = whole)), length(names)), names)
  }
  tiny <- .Machine$double.eps
  c(
    range(count, 1, 1e9, TRUE), range(nought, 0, 1e9, TRUE), range(c("k", "smooth_k"), 2, 1e9, TRUE),
    range(share, 0, 1 - tiny, FALSE), range("mask_rate", tiny, 1 - tiny, FALSE),
    range(weight, 0, 1e9, FALSE), range(positive, tiny, 1e12, FALSE)
  )
}

check_options <- function(options) {
  ranges <- option_ranges()
  for (name in intersect(names(options), names(ranges))) {
    check_option_number(options[[name]], name, ranges[[name]])
  }
  choices <- option_choices()
  for (name in names(choices)) {
    check_choice(options[[name]], choices[[name]], name)
  }
  check_flag(options$log1p, "log1p")
  check_flag(options$cluster_test, "cluster_test")
  if (!is.null(options$radius)) {
    check_option_number(options$radius, "radius", list(least = .Machine$double.xmin, most = Inf, whole = FALSE))
  }
  invisible(options)
}

check_option_number <- function(x, name, range) {
  ok <- is.numeric(x) && length(x) == 1L && is.finite(x) && x >= range$least && x <= range$most
  if (ok && (!range$whole || x == round(x))) {
    return(invisible(x))
  }
  kind <- if (range$whole) "whole number" else "number"
  bounds <- describe_range(range)
  abort_spax("option", c(
    "The option {.code {name}} must be one {kind} {bounds}, not {show_value(x)}.",
    "i" = "See {.help spacross_options}."
  ), name)
}

describe_range <- function(range) {
  least <- if (range$least > 0 && !range$whole) "above 0" else paste("of at least", range$least)
  if (range$most < 1 && !range$whole) paste(least, "and below 1") else least
}

check_is_options <- function(options) {
  if (!inherits(options, "spacross_options")) {
    abort_spax("argument", c(
      "{.arg options} must come from {.fn spacross_options}, not be {show_value(options)}.",
      "i" = "For instance {.code options = spacross_options(k = 6)}."
    ), "options")
  }
  check_options(options)
}

#' @export
print.spacross_options <- function(x, ...) {
  defaults <- option_defaults()
  changed <- !mapply(function(a, b) isTRUE(all.equal(a, b)), unclass(x)[names(defaults)], defaults)
  value <- option_values(x)
  note <- ifelse(changed, paste0("  <- default ", vapply(defaults, show_value, "")), "")
  head <- paste0("SpaCross options", if (!is.null(attr(x, "preset"))) paste0(", preset \"", attr(x, "preset"), "\""))
  lines <- paste0("  ", format(names(defaults)), "  ", format(value), note)
  writeLines(c(head, sub(" +$", "", lines)))
  invisible(x)
}

option_values <- function(options) vapply(unclass(options)[names(option_defaults())], show_value, "")

# For a logged command, which prints its arguments with cat(): a list there is an error.
option_lines <- function(options) {
  values <- option_values(options)
  paste(names(values), "=", values)
}
