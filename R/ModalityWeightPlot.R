#' Plot how much each modality weighs
#'
#' Draws the attention of [RunSpaLORA()]: above, each cell at its place, a panel for each modality, coloured by the weight that the modality has there; below, the same
#' weights by domain. The weights of the m modalities of a cell add up to 1. All panels share one scale: grey is 1/m, where a cell takes as much from this modality as from the
#' others, red more and blue less. The scale ends where all but the outermost hundredths of the weights lie.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object after [RunSpaLORA()], or its result of matrices.
#' @param ... Not used; anything here is an error.
#' @param what `"modality"`: the weights of the modalities; `"graph"`: within each modality, the weight of the neighbours in space, as against those with similar features.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param pt.size Size of the points. NULL: so that neighbours nearly touch, in a figure of any size.
#' @param y.down,slice,split.by As for [DomainPlot()]: slices, and samples that lie over each other, get a panel each.
#' @param cols Colours of the modalities in the lower panel. NULL: [domain_palette()].
#' @param group.by Meta data column with the groups of the lower panel. NULL: no lower panel.
#' @param reduction Name of the reduction that [RunSpaLORA()] wrote: the columns of the weights begin with it.
#' @return A patchwork of ggplot objects, itself a ggplot object. In the lower panel boxes span the middle half of the cells of a domain, and whiskers at most 1.5 times as much;
#'   cells beyond are not drawn.
#' @export
#' @examplesIf requireNamespace("patchwork", quietly = TRUE) && requireNamespace("withr", quietly = TRUE)
#' tissue <- simulate_tissue(n.cells = 300, modalities = c("RNA", "ADT"))
#' fit <- RunSpaLORA(tissue$counts, n.domains = 5, coords = tissue$spots, epochs = 30, verbose = FALSE)
#' ModalityWeightPlot(fit, coords = tissue$spots)
ModalityWeightPlot <- function(object, ...) UseMethod("ModalityWeightPlot")

#' @rdname ModalityWeightPlot
#' @export
ModalityWeightPlot.default <- function(object, ...) {
  check_dots(...)
  abort_no_weights(show_value(object))
}

#' @rdname ModalityWeightPlot
#' @export
ModalityWeightPlot.SpaxResult <- function(object, ..., what = "modality", coords = result_coords(object), slice = object$slice,
                                          pt.size = NULL, y.down = NULL, cols = NULL) {
  check_dots(...)
  if (is.null(object$attention)) abort_no_weights(show_value(object))
  prefix <- weight_prefix(what)
  place <- apart(label_coords(object$domain, coords), check_companion(slice, object$domain, "slice"))
  weights <- pick_weights(object$attention, prefix)
  plot_weights(weights, place, object$domain, what, pt.size, y.down, cols)
}

#' @rdname ModalityWeightPlot
#' @exportS3Method ModalityWeightPlot Seurat
ModalityWeightPlot.Seurat <- function(object, ..., what = "modality", coords = NULL, split.by = NULL, pt.size = NULL, y.down = NULL,
                                      cols = NULL, group.by = "spalora_domain", reduction = "spalora") {
  check_dots(...)
  prefix <- paste0(check_name(reduction, "reduction"), "_", weight_prefix(what))
  weights <- pick_weights(meta_table(object), prefix)
  place <- SpatialCoords(object, coords)
  place <- apart(place, panel_slices(object, place, split.by))
  groups <- if (!is.null(group.by)) meta_labels(object, group.by, "group.by")
  plot_weights(weights, place, groups, what, pt.size, y.down, cols)
}

#' @rdname ModalityWeightPlot
#' @exportS3Method ModalityWeightPlot SingleCellExperiment
ModalityWeightPlot.SingleCellExperiment <- ModalityWeightPlot.Seurat

weight_prefix <- function(what) c(modality = "weight_", graph = "spatial_")[[check_choice(what, c("modality", "graph"), "what")]]

# The columns whose names begin so, named by modality.
pick_weights <- function(table, prefix) {
  columns <- names(table)[startsWith(names(table), prefix)]
  if (length(columns) == 0L) abort_no_weights(paste0("without columns \"", prefix, "...\""))
  rlang::set_names(as.list(table[columns]), substring(columns, nchar(prefix) + 1L))
}

abort_no_weights <- function(what) {
  abort_spax("argument", c(
    "{.arg object} must hold the weights of modalities, not be {what}.",
    "i" = "Call {.fn RunSpaLORA} first."
  ), "object")
}

plot_weights <- function(weights, coords, groups, what, size, y_down, cols) {
  size <- check_size(size)
  y_down <- check_flag(y_down %||% isTRUE(attr(coords, "y_down")), "y.down")
  check_packages("patchwork", "A plot of several panels")
  # Where all weigh the same.
  even <- if (what == "modality") 1 / length(weights) else 0.5
  scale <- weight_scale(weights, even, if (what == "modality") "Weight" else "Weight\nof space")
  points <- cell_points(coords, size)
  panels <- Map(function(values, name) {
    weight_panel(coords, values, points) + scale + panel_frame(coords, name, y_down)
  }, weights, names(weights))
  map <- patchwork::wrap_plots(unname(panels), nrow = 1L, guides = "collect")
  if (is.null(groups)) {
    return(map)
  }
  patchwork::wrap_plots(map, weight_boxes(weights, groups, what, even, cols), ncol = 1L, heights = c(3, 2))
}

weight_panel <- function(coords, values, points) {
  data <- data.frame(x = coords$x, y = coords$y, value = values)
  data$image <- coords$image
  ggplot2::ggplot(data, ggplot2::aes(.data$x, .data$y, colour = .data$value)) +
    points
}

# As far to one side of `even` as to the other, over all panels.
weight_scale <- function(weights, even, title) {
  # A few cells far out would leave all others in one colour.
  ends <- stats::quantile(unlist(weights), c(0.01, 0.99), na.rm = TRUE, names = FALSE)
  reach <- max(abs(ends - even), 1e-3)
  shown <- even + reach * c(-1, -0.5, 0, 0.5, 1)
  ggplot2::scale_colour_gradientn(
    colours = c("#08519C", "#6BAED6", "#E6E6E6", "#F4946A", "#A50F15"), limits = range(shown), breaks = shown, oob = within_limits,
    labels = function(x) formatC(x, format = "f", digits = max(2, ceiling(-log10(reach)) + 1)), na.value = "white", name = title
  )
}

within_limits <- function(x, range) pmin(pmax(x, range[[1L]]), range[[2L]])

weight_boxes <- function(weights, groups, what, even, cols) {
  data <- do.call(rbind, lapply(names(weights), function(name) {
    data.frame(group = unname(groups), modality = name, value = weights[[name]])
  }))
  data$modality <- factor(data$modality, names(weights))
  data <- data[!is.na(data$group) & !is.na(data$value), ]
  colours <- given_colours(data$modality, cols) %||% rlang::set_names(domain_palette(length(weights)), names(weights))
  ggplot2::ggplot(data, ggplot2::aes(.data$group, .data$value, fill = .data$modality)) +
    ggplot2::geom_hline(yintercept = even, linetype = "dashed", colour = "grey60", linewidth = 0.3) +
    ggplot2::geom_boxplot(outlier.shape = NA, linewidth = 0.3, width = 0.7) +
    ggplot2::scale_fill_manual(values = colours) +
    ggplot2::labs(x = "Domain", y = if (what == "modality") "Weight" else "Weight of space", fill = NULL) +
    ggplot2::theme_classic(base_size = 11)
}
