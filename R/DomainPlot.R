#' Plot domains in space
#'
#' Draws each cell at its place, coloured by its domain. Several columns, say domains and an annotation, are drawn side by side, and the later
#' panels borrow the colours of the first: a group takes the colour of the domain that it shares most cells with.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or a list of such, one a slice; what [RunSpaCross()] or [RunSpaLORA()] made of matrices (its domains), labels (a factor or vector, one a cell), or a data frame of
#'   labels, one panel a column.
#' @param ... Not used; anything here is an error.
#' @param group.by Meta data columns to draw, one panel each. NULL: `spacross_domain` and `spalora_domain`, as far as the object has them.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param pt.size Size of the points. NULL: so that neighbours nearly touch in a figure of ordinary size.
#' @param cols Colours, one a level, with or without the names of the levels. NULL: [domain_palette()], matched between panels.
#' @param slice,split.by NULL, or the slice of each cell (for an object, a meta data column): a panel each, side by side at one scale, with the same colours. Without
#'   it, each image of an object is a slice. What [RunSpaCross()] gave for several slices is split by them.
#' @param ncol Panels in a row. NULL: all.
#' @param y.down TRUE draws y downwards, as in images. NULL: when the coordinates come from a Visium image.
#' @param titles Titles of the panels. NULL: the names of the columns.
#' @return A ggplot object; with several panels a patchwork, which is one too. Cells without a label are light grey. With several
#'   slices or images, each has a panel of its own.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' DomainPlot(slice$spots$label, coords = slice$spots[c("x", "y")], y.down = TRUE)
DomainPlot <- function(object, ...) UseMethod("DomainPlot")

#' @rdname DomainPlot
#' @export
DomainPlot.default <- function(object, ..., coords, slice = NULL, pt.size = NULL, cols = NULL, ncol = NULL, y.down = NULL, titles = NULL) {
  check_dots(...)
  labels <- label_table(object)
  place <- apart(label_coords(labels[[1L]], rlang::maybe_missing(coords)), check_companion(slice, labels[[1L]], "slice"))
  y_down <- y.down %||% isTRUE(attr(coords, "y_down"))
  titles <- check_titles(titles, labels)
  colours <- match_colours(labels, cols)
  size <- pt.size %||% point_size(place, length(labels))
  panels <- lapply(seq_along(labels), function(i) {
    domain_panel(place, labels[[i]], colours[[i]], size, y_down, titles[[i]])
  })
  arrange_panels(panels, ncol)
}

#' @rdname DomainPlot
#' @export
DomainPlot.SpaCrossResult <- function(object, ..., coords = object$alignment$coords, slice = object$slice) {
  if (is.null(coords)) {
    return(DomainPlot.default(object$domain, ..., slice = slice))
  }
  DomainPlot.default(object$domain, ..., coords = coords, slice = slice)
}

#' @rdname DomainPlot
#' @export
DomainPlot.SpaLORAResult <- DomainPlot.SpaCrossResult

#' @rdname DomainPlot
#' @exportS3Method DomainPlot Seurat
DomainPlot.Seurat <- function(object, ..., group.by = NULL, coords = NULL, split.by = NULL, pt.size = NULL, cols = NULL, ncol = NULL,
                              y.down = NULL, titles = NULL) {
  check_dots(...)
  group.by <- group.by %||% known_domains(object)
  slice <- if (!is.null(split.by)) meta_column(object, split.by, "split.by")
  labels <- lapply(rlang::set_names(group.by), function(column) meta_column(object, column, "group.by"))
  DomainPlot.default(
    label_table(labels, "group.by"),
    coords = SpatialCoords(object, coords), slice = slice, pt.size = pt.size, cols = cols, ncol = ncol, y.down = y.down, titles = titles
  )
}

#' @rdname DomainPlot
#' @exportS3Method DomainPlot SingleCellExperiment
DomainPlot.SingleCellExperiment <- DomainPlot.Seurat

#' @rdname DomainPlot
#' @export
DomainPlot.list <- function(object, ..., group.by = NULL, coords = NULL) {
  if (!is_object_list(object)) {
    return(if (is.null(coords)) DomainPlot.default(object, ...) else DomainPlot.default(object, ..., coords = coords))
  }
  slices <- rlang::set_names(object, slice_names(object))
  group.by <- group.by %||% known_domains(slices[[1L]])
  place <- lapply(slices, function(x) check_one_slice(SpatialCoords(x, coords)))
  y_down <- all(vapply(place, function(x) isTRUE(attr(x, "y_down")), NA))
  labels <- lapply(rlang::set_names(group.by), function(column) {
    unlist(unname(lapply(slices, function(x) as.character(meta_column(x, column, "group.by")))))
  })
  first <- meta_column(slices[[1L]], group.by[[1L]], "group.by")
  if (is.factor(first)) labels[[1L]] <- factor(labels[[1L]], levels(first))
  joined <- do.call(rbind, unname(lapply(place, `[`, c("x", "y"))))
  slice <- rep(factor(names(slices), names(slices)), vapply(place, nrow, 0L))
  DomainPlot.default(labels, ..., coords = structure(joined, y_down = y_down), slice = slice)
}

# Slices side by side in panels of one scale: each about its own middle.
apart <- function(coords, slice) {
  if (!is.null(slice)) coords$image <- droplevels(slice)
  if (nlevels(coords$image) < 2L) {
    return(coords)
  }
  middle <- function(x) x - mean(range(x))
  coords$x <- stats::ave(coords$x, coords$image, FUN = middle)
  coords$y <- stats::ave(coords$y, coords$image, FUN = middle)
  coords
}

# The columns that the runs write by default.
known_domains <- function(object) {
  found <- intersect(paste0(run_names(), "_domain"), names(meta_table(object)))
  if (length(found) == 0L) {
    abort_spax("argument", c(
      "The meta data has no domains yet.",
      "i" = "Call {.fn RunSpaCross} or {.fn RunSpaLORA} first, or give {.arg group.by}."
    ), "group.by")
  }
  found
}

# A list of factors, one a panel.
label_table <- function(object, argument = "object") {
  labels <- if (is.list(object)) as.list(object) else list(object)
  if (is.null(names(labels))) names(labels) <- rep("", length(labels))
  Map(function(x, name) check_discrete(as_labels(x, argument), x, name, argument), labels, names(labels))
}

check_discrete <- function(labels, x, name, argument, most = 100L) {
  if (is.numeric(x) && nlevels(labels) > most) {
    abort_spax("argument", c(
      "{.val {name}} has {nlevels(labels)} different numbers: it is no grouping of the cells.",
      "i" = "Choose a column of labels; {.fn Seurat::SpatialFeaturePlot} draws numbers."
    ), argument)
  }
  labels
}

check_titles <- function(titles, labels) {
  titles <- titles %||% names(labels)
  if (length(titles) != length(labels)) {
    abort_spax("argument", "{.arg titles} has {length(titles)} value{?s} for {length(labels)} panel{?s}.", "titles")
  }
  titles
}

# Named colours for each panel: given, or the palette, later panels after the first.
match_colours <- function(labels, cols) {
  first <- labels[[1L]]
  own <- given_colours(first, cols) %||% rlang::set_names(domain_palette(nlevels(first)), levels(first))
  rest <- lapply(labels[-1L], function(x) given_colours(x, cols) %||% borrow_colours(x, first, own))
  c(list(own), rest)
}

given_colours <- function(labels, cols) {
  if (is.null(cols)) {
    return(NULL)
  }
  if (!is.null(names(cols)) && all(levels(labels) %in% names(cols))) {
    return(cols[levels(labels)])
  }
  if (length(cols) < nlevels(labels)) {
    abort_spax("argument", c(
      "{.arg cols} has {length(cols)} colour{?s} for {nlevels(labels)} levels.",
      "i" = "Give one a level, or leave it out."
    ), "cols")
  }
  rlang::set_names(unname(cols)[seq_len(nlevels(labels))], levels(labels))
}

# Pairs with the largest overlap first; who finds no partner gets an unused colour.
borrow_colours <- function(labels, first, colours) {
  overlap <- unclass(table(labels, first))
  result <- rlang::set_names(rep(NA_character_, nlevels(labels)), levels(labels))
  for (step in seq_len(min(dim(overlap)))) {
    best <- arrayInd(which.max(overlap), dim(overlap))
    if (overlap[best] <= 0) break
    result[best[[1L]]] <- colours[[best[[2L]]]]
    overlap[best[[1L]], ] <- -1
    overlap[, best[[2L]]] <- -1
  }
  open <- is.na(result)
  spare <- setdiff(domain_palette(nlevels(labels) + length(colours)), c(colours, result))
  result[open] <- spare[seq_len(sum(open))]
  result
}

# Diameter of about the spacing of the cells, when the longer side of a panel is about 110 mm (75 when it has a neighbour).
point_size <- function(coords, n_panels) {
  extent <- max(diff(range(coords$x)), diff(range(coords$y)))
  width <- if (n_panels > 1L) 75 else 110
  # A ggplot size is the diameter in mm over 0.75 for this shape.
  min(6, max(0.05, 1.15 * width * cell_spacing(coords) / extent / 0.75))
}

# Square root of the area a cell has: occupied boxes of a coarse grid over the number of cells.
cell_spacing <- function(coords) {
  bins <- ceiling(sqrt(nrow(coords) / 10)) + 1
  width <- max(diff(range(coords$x)), diff(range(coords$y))) / bins
  box <- paste(floor((coords$x - min(coords$x)) / width), floor((coords$y - min(coords$y)) / width))
  sqrt(length(unique(box)) * width^2 / nrow(coords))
}

domain_panel <- function(coords, labels, colours, size, y_down, title) {
  data <- data.frame(x = coords$x, y = coords$y, label = unname(labels))
  data$image <- coords$image
  # Missing labels first, so that the others lie on top of them.
  data <- data[order(!is.na(data$label)), ]
  # Squares draw faster than discs, and nobody sees the difference among so many.
  shape <- if (nrow(data) > 50000) 15 else 16
  plot <- ggplot2::ggplot(data, ggplot2::aes(.data$x, .data$y, colour = .data$label)) +
    ggplot2::geom_point(size = size, shape = shape, stroke = 0) +
    ggplot2::scale_colour_manual(values = colours, na.value = "grey85", guide = domain_guide(length(colours))) +
    # Cells at the border stay whole.
    ggplot2::coord_fixed(clip = "off") +
    ggplot2::labs(title = if (nzchar(title)) fit_title(title, coords), colour = NULL) +
    theme_domains()
  if (y_down) plot <- plot + ggplot2::scale_y_reverse()
  if (nlevels(data$image) > 1L) plot <- plot + ggplot2::facet_wrap(~image)
  plot
}

# On a panel much higher than wide a title breaks into lines, or it would run into its neighbour's.
fit_title <- function(title, coords) {
  narrow <- diff(range(coords$y)) > 2 * diff(range(coords$x))
  if (narrow) gsub("([_ .])", "\\1\n", title) else title
}

# Up to 20 lines a column: a narrow legend leaves more room to the tissue.
domain_guide <- function(n) {
  ggplot2::guide_legend(override.aes = list(size = 3.2, shape = 16), ncol = ceiling(n / 20))
}

theme_domains <- function() {
  ggplot2::theme_void(base_size = 11) +
    ggplot2::theme(
      plot.title = ggplot2::element_text(hjust = 0.5, face = "bold", margin = ggplot2::margin(b = 4)),
      legend.key.height = ggplot2::unit(4.4, "mm"),
      legend.key.width = ggplot2::unit(4, "mm"),
      legend.text = ggplot2::element_text(size = 9),
      plot.margin = ggplot2::margin(4, 4, 4, 4),
      plot.background = ggplot2::element_rect(fill = "white", colour = NA)
    )
}

arrange_panels <- function(panels, ncol) {
  if (length(panels) == 1L) {
    return(panels[[1L]])
  }
  check_packages("patchwork", "A plot with several panels")
  patchwork::wrap_plots(panels, ncol = ncol %||% length(panels))
}
