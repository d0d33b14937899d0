#' Plot slices before and after alignment
#'
#' Draws the slices on top of each other as they were given and as they lie now, side by side, a colour a slice, with
#' equal axes. Points are translucent, so that spots that lie on each other show.
#'
#' @param object A result of [AlignSlices()]: a `SlicesAligned`, or an object (Seurat, SingleCellExperiment).
#' @param ... Not used; anything here is an error.
#' @param slices Names of the slices to draw. NULL: all.
#' @param pt.size Size of the points. NULL: so that neighbours nearly touch in a figure of ordinary size.
#' @param cols Colours, one a slice, with or without their names. NULL: [domain_palette()].
#' @param y.down TRUE draws y downwards, as in images.
#' @return A ggplot object.
#' @seealso [AlignSlices()].
#' @export
#' @examples
#' first <- cortex_slice(small = TRUE)$spots[c("x", "y")]
#' second <- data.frame(x = -first$y, y = first$x, row.names = paste0("b_", rownames(first)))
#' AlignmentPlot(AlignSlices(list(first = first, second = second), verbose = FALSE), y.down = TRUE)
AlignmentPlot <- function(object, ...) UseMethod("AlignmentPlot")

#' @rdname AlignmentPlot
#' @export
AlignmentPlot.default <- function(object, ...) {
  abort_spax("argument", c(
    "{.arg object} must be a result of {.fn AlignSlices}, not {show_value(object)}.",
    "i" = "Call {.fn AlignSlices} first."
  ), "object")
}

#' @rdname AlignmentPlot
#' @export
AlignmentPlot.SlicesAligned <- function(object, ..., slices = NULL, pt.size = NULL, cols = NULL, y.down = FALSE) {
  check_dots(...)
  alignment_plot(object, slices, pt.size, cols, check_flag(y.down, "y.down"))
}

#' @rdname AlignmentPlot
#' @exportS3Method AlignmentPlot Seurat
AlignmentPlot.Seurat <- function(object, ..., slices = NULL, pt.size = NULL, cols = NULL, y.down = FALSE) {
  check_dots(...)
  record <- run_parts(object, "AlignSlices")
  if (is.null(record$given)) {
    abort_spax("argument", c("{.arg object} holds no alignment of its slices.", "i" = "Call {.fn AlignSlices} first."), "object")
  }
  alignment_plot(record, slices, pt.size, cols, check_flag(y.down, "y.down"))
}

#' @rdname AlignmentPlot
#' @exportS3Method AlignmentPlot SingleCellExperiment
AlignmentPlot.SingleCellExperiment <- AlignmentPlot.Seurat

alignment_plot <- function(record, slices, pt.size, cols, y_down) {
  slices <- check_slices_shown(slices, levels(record$slice))
  shown <- which(record$slice %in% slices)
  moved <- alignment_moved(record)
  states <- list(before = record$given, after = moved)
  table <- do.call(rbind, lapply(c("before", "after"), function(state) {
    place <- states[[state]][shown, ]
    # Each panel about its own middle: positions have no meaning between panels.
    data.frame(x = place$x - mean(range(place$x)), y = place$y - mean(range(place$y)), slice = factor(record$slice[shown], slices), state = state)
  }))
  table$state <- factor(table$state, c("before", "after"))
  size <- pt.size %||% max(0.15, min(2, 50 / sqrt(length(shown) / length(slices))))
  colours <- cols %||% rlang::set_names(domain_palette(length(slices)), slices)
  draw_alignment(table, colours, size, y_down)
}

check_slices_shown <- function(slices, known) {
  if (is.null(slices)) {
    return(known)
  }
  unknown <- setdiff(slices, known)
  if (length(unknown) > 0L) {
    abort_spax("argument", "{.arg slices} names {.val {unknown}}; there {?is/are} {.val {known}}.", "slices")
  }
  slices
}

# A record in a Seurat object keeps the coordinates as given, and the transforms.
alignment_moved <- function(record) {
  moved <- record$given
  for (slice in levels(record$slice)) {
    rows <- which(record$slice == slice)
    moved[rows, ] <- transform_points(as.matrix(moved[rows, ]), record$transforms[[slice]])
  }
  moved
}

draw_alignment <- function(table, colours, size, y_down) {
  y <- if (y_down) ggplot2::scale_y_reverse() else ggplot2::scale_y_continuous()
  ggplot2::ggplot(table, ggplot2::aes(.data$x, .data$y, colour = .data$slice)) +
    ggplot2::geom_point(shape = 16, size = size, alpha = 0.55, stroke = 0) +
    ggplot2::facet_wrap(ggplot2::vars(.data$state)) +
    ggplot2::coord_fixed() +
    y +
    ggplot2::scale_colour_manual(values = colours, name = NULL) +
    ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(size = 3, alpha = 1))) +
    ggplot2::theme_void(base_size = 11) +
    ggplot2::theme(
      strip.text = ggplot2::element_text(size = 12, margin = ggplot2::margin(3, 0, 5, 0)), legend.position = "right",
      plot.margin = ggplot2::margin(6, 6, 6, 6), panel.spacing = ggplot2::unit(14, "pt")
    )
}
