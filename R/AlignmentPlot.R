#' Plot slices before and after alignment
#'
#' Draws the slices on top of each other as they were given and as they lie now, side by side, a colour a slice, with
#' equal axes. Points are translucent, so that spots that lie on each other show; a line is the rim of the tissue.
#'
#' @param object A result of [AlignSlices()]: a `SlicesAligned`, or an object (Seurat, SingleCellExperiment).
#' @param ... Not used; anything here is an error.
#' @param slices Names of the slices to draw. NULL: all.
#' @param pt.size Size of the points. NULL: a little less than their cells lie apart, in a figure of any size.
#' @param cols Colours, one a slice, with or without their names. NULL: [domain_palette()].
#' @param y.down As for [DomainPlot()].
#' @param outline TRUE draws the rim of each slice.
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
AlignmentPlot.SlicesAligned <- function(
  object, ..., slices = NULL, pt.size = NULL, cols = NULL, y.down = NULL, outline = TRUE
) {
  check_dots(...)
  alignment_plot(object, slices, pt.size, cols, y.down, outline)
}

#' @rdname AlignmentPlot
#' @exportS3Method AlignmentPlot Seurat
AlignmentPlot.Seurat <- function(
  object, ..., slices = NULL, pt.size = NULL, cols = NULL, y.down = NULL, outline = TRUE
) {
  check_dots(...)
  record <- run_parts(object, "AlignSlices")
  if (is.null(record$given)) {
    abort_spax("argument", c(
      "{.arg object} holds no alignment of its slices.",
      "i" = "Call {.fn AlignSlices} first."
    ), "object")
  }
  alignment_plot(record, slices, pt.size, cols, y.down, outline)
}

#' @rdname AlignmentPlot
#' @exportS3Method AlignmentPlot SingleCellExperiment
AlignmentPlot.SingleCellExperiment <- AlignmentPlot.Seurat

alignment_plot <- function(record, slices, pt.size, cols, y.down, outline) {
  slices <- check_slices_shown(slices, levels(record$slice))
  y_down <- check_flag(y.down %||% isTRUE(attr(record$given, "y_down")), "y.down")
  shown <- which(record$slice %in% slices)
  slice <- factor(record$slice[shown], slices)
  states <- list("As given" = record$given, "Aligned" = alignment_moved(record))
  states <- Map(
    function(place, state) alignment_state(place[shown, ], slice, factor(state, names(states))), states, names(states)
  )
  points <- cell_points(cbind(states[[1L]], image = slice), check_size(pt.size), share = 0.7, alpha = 0.6)
  rims <- if (check_flag(outline, "outline")) do.call(rbind, lapply(unname(states), slice_rims))
  colours <- given_colours(slice, cols) %||% domain_palette(slice)
  draw_alignment(shuffle_slices(do.call(rbind, unname(states))), rims, colours, points, y_down)
}

# The first cell of every slice, the second of every slice, and so on: none lies on top of another as a whole.
shuffle_slices <- function(table) {
  table[order(stats::ave(seq_len(nrow(table)), table$state, table$slice, FUN = function(i) rank(i) / length(i))), ]
}

# Each panel about its own middle: positions have no meaning between panels.
alignment_state <- function(place, slice, state) {
  data.frame(x = place$x - mean(range(place$x)), y = place$y - mean(range(place$y)), slice = slice, state = state)
}

slice_rims <- function(table) {
  rims <- lapply(split(table, table$slice), function(part) {
    cbind(tissue_outline(part), part[1L, c("slice", "state")], row.names = NULL)
  })
  do.call(rbind, unname(rims))
}

check_slices_shown <- function(slices, known) {
  if (is.null(slices)) {
    return(known)
  }
  slices <- unique(as.character(slices))
  unknown <- setdiff(slices, known)
  if (length(unknown) > 0L || length(slices) == 0L) {
    what <- if (length(slices) == 0L) "is empty" else paste("names", some_of(unknown))
    abort_spax("argument", c(
      "{.arg slices} {what}.", "i" = "There {cli::qty(length(known))}{?is/are} {.val {known}}."
    ), "slices")
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

draw_alignment <- function(table, rims, colours, points, y_down) {
  plot <- ggplot2::ggplot(table, ggplot2::aes(.data$x, .data$y, colour = .data$slice)) +
    points +
    ggplot2::facet_wrap(ggplot2::vars(.data$state)) +
    ggplot2::coord_fixed(clip = "off") +
    ggplot2::scale_colour_manual(values = colours, name = NULL) +
    ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(size = 3, alpha = 1, linetype = 0))) +
    theme_domains() +
    ggplot2::theme(
      strip.text = ggplot2::element_text(size = 11, face = "bold", margin = ggplot2::margin(3, 0, 5, 0)),
      panel.spacing = ggplot2::unit(14, "pt")
    )
  if (!is.null(rims)) {
    lines <- ggplot2::aes(group = interaction(.data$slice, .data$line))
    plot <- plot + ggplot2::geom_path(lines, rims, linewidth = 0.6, show.legend = FALSE)
  }
  if (y_down) plot + ggplot2::scale_y_reverse() else plot
}

transform_points <- function(xy, transform) {
  sweep(transform$scale * xy %*% t(transform$rotation), 2L, transform$shift, "+")
}
