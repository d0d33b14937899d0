#' Plot how much each modality weighs
#'
#' Draws the attention of [RunSpaLORA()]: above, each cell at its place, a panel for each modality, coloured by the weight that the modality has there; below, the same
#' weights by domain. The weights of the modalities of a cell add up to 1, so that all panels share one scale,
#' which runs over all but the outermost hundredths of the weights.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object after [RunSpaLORA()], or its result of matrices.
#' @param ... Not used; anything here is an error.
#' @param what `"modality"`: the weights of the modalities; `"graph"`: within each modality, the weight of the neighbours in space, as against those with similar features.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param pt.size Size of the points. NULL: so that neighbours nearly touch.
#' @param y.down TRUE draws y downwards, as in images. NULL: when the coordinates come from a Visium image.
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
ModalityWeightPlot.SpaxResult <- function(object, ..., what = "modality", coords, pt.size = NULL, y.down = NULL, cols = NULL) {
  check_dots(...)
  if (is.null(object$attention)) abort_no_weights(show_value(object))
  prefix <- weight_prefix(what)
  place <- label_coords(object$domain, rlang::maybe_missing(coords))
  weights <- pick_weights(object$attention, prefix)
  plot_weights(weights, place, object$domain, what, pt.size, y.down %||% isTRUE(attr(coords, "y_down")), cols)
}

#' @rdname ModalityWeightPlot
#' @exportS3Method ModalityWeightPlot Seurat
ModalityWeightPlot.Seurat <- function(object, ..., what = "modality", coords = NULL, pt.size = NULL, y.down = NULL, cols = NULL,
                                      group.by = "spalora_domain", reduction = "spalora") {
  check_dots(...)
  prefix <- paste0(check_name(reduction, "reduction"), "_", weight_prefix(what))
  weights <- pick_weights(meta_table(object), prefix)
  place <- SpatialCoords(object, coords)
  groups <- if (!is.null(group.by)) meta_labels(object, group.by, "group.by")
  plot_weights(weights, place, groups, what, pt.size, y.down %||% isTRUE(attr(place, "y_down")), cols)
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
  check_packages("patchwork", "A plot of several panels")
  # A few cells far out would leave all others in one colour.
  limits <- stats::quantile(unlist(weights), c(0.01, 0.99), na.rm = TRUE, names = FALSE)
  size <- size %||% point_size(coords, length(weights))
  legend <- if (what == "modality") "Weight" else "Weight\nof space"
  panels <- Map(function(values, name) weight_panel(coords, values, size, y_down, name, limits, legend), weights, names(weights))
  map <- patchwork::wrap_plots(unname(panels), nrow = 1L, guides = "collect")
  if (is.null(groups)) {
    return(map)
  }
  patchwork::wrap_plots(map, weight_boxes(weights, groups, what, cols), ncol = 1L, heights = c(3, 2))
}

weight_panel <- function(coords, values, size, y_down, title, limits, legend) {
  data <- data.frame(x = coords$x, y = coords$y, value = values)
  data$image <- coords$image
  plot <- ggplot2::ggplot(data, ggplot2::aes(.data$x, .data$y, colour = .data$value)) +
    ggplot2::geom_point(size = size, shape = if (nrow(data) > 50000) 15 else 16, stroke = 0) +
    ggplot2::scale_colour_viridis_c(limits = limits, oob = within_limits, na.value = "grey85", name = legend) +
    ggplot2::coord_fixed(clip = "off") +
    ggplot2::labs(title = title) +
    theme_domains()
  if (y_down) plot <- plot + ggplot2::scale_y_reverse()
  if (nlevels(data$image) > 1L) plot <- plot + ggplot2::facet_wrap(~image)
  plot
}

within_limits <- function(x, range) pmin(pmax(x, range[[1L]]), range[[2L]])

weight_boxes <- function(weights, groups, what, cols) {
  data <- do.call(rbind, lapply(names(weights), function(name) {
    data.frame(group = unname(groups), modality = name, value = weights[[name]])
  }))
  data$modality <- factor(data$modality, names(weights))
  data <- data[!is.na(data$group) & !is.na(data$value), ]
  colours <- given_colours(data$modality, cols) %||% rlang::set_names(domain_palette(length(weights)), names(weights))
  even <- if (what == "modality") 1 / length(weights) else 0.5
  ggplot2::ggplot(data, ggplot2::aes(.data$group, .data$value, fill = .data$modality)) +
    # Where all would weigh the same.
    ggplot2::geom_hline(yintercept = even, linetype = "dashed", colour = "grey60", linewidth = 0.3) +
    ggplot2::geom_boxplot(outlier.shape = NA, linewidth = 0.3, width = 0.7) +
    ggplot2::scale_fill_manual(values = colours) +
    ggplot2::labs(x = "Domain", y = if (what == "modality") "Weight" else "Weight of space", fill = NULL) +
    ggplot2::theme_classic(base_size = 11)
}
