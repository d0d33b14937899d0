#' Plot how the slices are composed
#'
#' One bar a slice, with the share of its cells that lies in each domain, in the colours of [DomainPlot()]. Consecutive
#' slices of one block should look alike; a domain that only one slice has is either biology or a slice that was not
#' integrated.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, a list of such, one a slice, what
#'   [RunSpaCross()] or [RunSpaLORA()] made
#'   of matrices of several slices, or labels: a factor or vector, one a cell.
#' @param ... Not used; anything here is an error.
#' @param slice For labels, the slice of each cell.
#' @param group.by Meta data column with the domains. NULL: `spacross_domain`, `spalora_domain` or
#'   `ppca_domain`, whichever there is; of several that of the last run, with a message.
#' @param split.by Meta data column with the slices; `"image"`: one slice an image.
#' @param cols As for [DomainPlot()].
#' @return A ggplot object. Cells without a label are left out.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' half <- ifelse(slice$spots$y > stats::median(slice$spots$y), "lower", "upper")
#' CompositionPlot(slice$spots$label, slice = half)
CompositionPlot <- function(object, ...) UseMethod("CompositionPlot")

#' @rdname CompositionPlot
#' @export
CompositionPlot.default <- function(object, ..., slice, cols = NULL) {
  check_dots(...)
  labels <- as_labels(object)
  if (missing(slice) || is.null(slice)) {
    abort_spax("argument", c("{.arg slice} is missing.", "i" = "Give the slice of each cell."), "slice")
  }
  slice <- check_slice_labels(slice, labels)
  share <- as.data.frame(prop.table(table(slice = slice, domain = labels), 1L), responseName = "share")
  share$slice <- factor(share$slice, rev(levels(slice)))
  ggplot2::ggplot(share, ggplot2::aes(.data$share, .data$slice, fill = .data$domain)) +
    ggplot2::geom_col(
      width = 0.7, colour = "white", linewidth = 0.2, position = ggplot2::position_stack(reverse = TRUE)
    ) +
    ggplot2::scale_fill_manual(values = match_colours(list(labels), cols)[[1L]]) +
    ggplot2::scale_x_continuous(labels = function(x) paste0(100 * x, " %"), expand = ggplot2::expansion(c(0, 0.02))) +
    ggplot2::labs(x = "Share of cells", y = NULL, fill = "Domain") +
    ggplot2::theme_classic(base_size = 11) +
    ggplot2::theme(axis.line.y = ggplot2::element_blank(), axis.ticks.y = ggplot2::element_blank())
}

#' @rdname CompositionPlot
#' @export
CompositionPlot.SpaxResult <- function(object, ..., slice = object$slice) {
  CompositionPlot.default(object$domain, ..., slice = slice)
}

#' @rdname CompositionPlot
#' @export
CompositionPlot.list <- function(object, ..., group.by = NULL, cols = NULL) {
  check_dots(...)
  if (length(object) == 0L || !is_object_list(object)) return(CompositionPlot.default(object))
  slices <- rlang::set_names(object, slice_names(object))
  labels <- Map(function(name, x) {
    in_slice(name, meta_column(x, sole_domain(x, group.by, "group.by"), "group.by"))
  }, names(slices), slices)
  slice <- rep(factor(names(slices), names(slices)), lengths(labels))
  CompositionPlot.default(joined_labels(labels), slice = slice, cols = cols)
}

#' @rdname CompositionPlot
#' @exportS3Method CompositionPlot Seurat
CompositionPlot.Seurat <- function(object, split.by, ..., group.by = NULL, cols = NULL) {
  check_dots(...)
  if (missing(split.by)) {
    abort_spax("argument", c(
      "{.arg split.by} is missing.",
      "i" = "Give the meta data column with the slices."
    ), "split.by")
  }
  labels <- meta_labels(object, sole_domain(object, group.by, "group.by"), "group.by")
  CompositionPlot.default(labels, slice = slice_column(object, split.by), cols = cols)
}

#' @rdname CompositionPlot
#' @exportS3Method CompositionPlot SingleCellExperiment
CompositionPlot.SingleCellExperiment <- CompositionPlot.Seurat
