#' Plot domains in space
#'
#' Draws each cell at its place, coloured by its domain. Several columns, say domains and an annotation, are drawn side by side, and the later
#' panels borrow the colours of the first: a group takes the colour of the domain that it shares most cells with, if they share a fifth of both.
#'
#' `plot()` of an object or a result that holds a run draws this, with the same arguments; of what [predict()][predict.SpaxModel] gives for matrices, too.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or a list of such, one a slice; what a run made of matrices (its domains, where its cells were), or a list of those; labels (a factor or vector, one a cell), or a data frame of
#'   labels, one panel a column.
#' @param ... Not used; anything here is an error.
#' @param group.by Meta data columns to draw, one panel each; `"ident"` are the identities of a Seurat object. NULL: those that runs wrote: `spacross_domain`, `spalora_domain` and `ppca_domain`, or what their `domain.name` was.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param pt.size Size of the points, in millimetres as ggplot2 has it. NULL: as far as their cells lie apart, so that neighbours nearly touch in a figure of any size.
#' @param cols Colours, one a level, with or without the names of the levels. NULL: [domain_palette()], matched between panels.
#' @param slice,split.by NULL, or the slice of each cell (for an object, a meta data column, or `"image"`): a panel each, side by side at one scale, with the same colours. Without
#'   it, each image of an object is a slice, and samples that lie over each other (`sample_id` and the like) get a panel each. What [RunSpaCross()] gave for several slices is split by them.
#' @param ncol Panels in a row. NULL: all.
#' @param y.down TRUE draws y downwards, as in images, FALSE upwards. NULL: as the viewer of the platform does, where the coordinates tell their platform (see
#'   [SpatialCoords()]), else upwards, so for a plain table of `x` and `y`: use TRUE where the tissue stands on its head.
#' @param confidence TRUE draws cells paler the less sure their domain is, by what the run kept beside it (see [RunPredictivePCA()]); for labels a number from 0 to 1 for each cell.
#' @param titles Titles of the panels. NULL: made from the names of the columns.
#' @return A ggplot object; with several panels a patchwork, which is one too. Cells without a label are light grey, "not annotated". With several
#'   slices or images, each has a panel of its own.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' DomainPlot(slice$spots$label, coords = slice$spots[c("x", "y")], y.down = TRUE)
DomainPlot <- function(object, ...) UseMethod("DomainPlot")

#' @rdname DomainPlot
#' @export
DomainPlot.default <- function(object, ..., coords, slice = NULL, pt.size = NULL, cols = NULL, ncol = NULL, y.down = NULL, titles = NULL,
                               confidence = NULL) {
  check_dots(...)
  labels <- label_table(object)
  place <- apart(label_coords(labels[[1L]], rlang::maybe_missing(coords)), check_panel_slices(slice, labels[[1L]]))
  y_down <- check_flag(y.down %||% isTRUE(attr(place, "y_down")), "y.down")
  titles <- check_titles(titles, labels)
  colours <- match_colours(labels, cols)
  ncol <- if (!is.null(ncol)) check_whole(ncol, "ncol", 1)
  points <- cell_points(place, check_size(pt.size), opaque = TRUE)
  sure <- check_confidence(confidence, labels)
  panels <- lapply(seq_along(labels), function(i) {
    panel <- domain_panel(place, labels[[i]], colours[[i]], points, names(labels)[[i]], sure[[i]])
    panel + panel_frame(place, titles[[i]], y_down)
  })
  arrange_panels(panels, ncol)
}

#' @rdname DomainPlot
#' @export
DomainPlot.SpaxResult <- function(object, ..., coords = result_coords(object), slice = object$slice, confidence = FALSE) {
  if (is.null(object$domain)) abort_no_domains()
  sure <- if (wants_confidence(confidence)) object$confidence %||% abort_unsure("confidence")
  DomainPlot.default(object$domain, ..., coords = coords, slice = slice, confidence = sure)
}

#' @rdname DomainPlot
#' @exportS3Method DomainPlot Seurat
DomainPlot.Seurat <- function(object, ..., group.by = NULL, coords = NULL, split.by = NULL, pt.size = NULL, cols = NULL, ncol = NULL,
                              y.down = NULL, titles = NULL, confidence = FALSE) {
  check_dots(...)
  group.by <- check_group_columns(group.by %||% known_domains(object))
  object <- labelled_part(object, group.by)
  place <- SpatialCoords(object, coords)
  slice <- panel_slices(object, place, split.by)
  if (is.null(slice)) warn_overlaid_object(object, place, split.by, NULL)
  labels <- lapply(rlang::set_names(group.by), function(column) meta_column(object, column, "group.by"))
  DomainPlot.default(
    label_table(labels, "group.by"),
    coords = place, slice = slice, pt.size = pt.size, cols = cols, ncol = ncol, y.down = y.down, titles = titles,
    confidence = if (wants_confidence(confidence)) stored_confidences(object, group.by)
  )
}

#' @rdname DomainPlot
#' @exportS3Method DomainPlot SingleCellExperiment
DomainPlot.SingleCellExperiment <- DomainPlot.Seurat

#' @rdname DomainPlot
#' @param x What holds a run: an object, or a result of matrices.
#' @export
plot.SpaxResult <- function(x, ...) DomainPlot(x, ...)

#' @rdname DomainPlot
#' @export
plot.SpaxPrediction <- function(x, ..., coords = x$coords) DomainPlot(x$domain, ..., coords = coords)

#' @rdname DomainPlot
#' @exportS3Method plot Seurat
plot.Seurat <- function(x, ...) DomainPlot(x, ...)

#' @rdname DomainPlot
#' @exportS3Method plot SingleCellExperiment
plot.SingleCellExperiment <- plot.Seurat

# What the cells of an object are drawn apart by: the column that is named, or what panel_samples() finds.
panel_slices <- function(object, place, split.by) {
  if (is.null(split.by)) panel_samples(object, place) else check_panel_slices(slice_column(object, split.by), cell_names(object))
}

# Cells of several samples that would be drawn over each other get a panel each; NULL for a single one, or where images do so already.
panel_samples <- function(object, place) {
  samples <- object_samples(object)
  name <- if (nlevels(place$image) < 2L) overlaid_by(place, samples, check_threads(NULL))
  if (!is.null(name)) {
    cli::cli_inform(c("i" = "The samples of {.field {name}} lie over each other: a panel each ({.code split.by = \"{name}\"})."), class = "spaxR_message_coords")
    rlang::set_names(as.factor(samples[[name]]), cell_names(object))
  }
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

# The columns that runs wrote.
known_domains <- function(object) {
  found <- intersect(union(domain_names(), written(object, "domain")), names(meta_table(object)))
  if (length(found) == 0L) {
    abort_spax("argument", c(
      "The meta data has no domains yet.",
      "i" = remedy_no_domains(object, "group.by")
    ), "group.by")
  }
  found
}

check_group_columns <- function(group.by) {
  if (!is.character(group.by) || length(group.by) == 0L) {
    abort_spax("argument", c(
      "{.arg group.by} must be the names of meta data columns, not {show_value(group.by)}.",
      "i" = "Give the name, not its values: {.code group.by = \"...\"} and not {.code group.by = object$...}."
    ), "group.by")
  }
  group.by
}

# A list of factors of the same cells in one order, one a panel.
label_table <- function(object, argument = "object") {
  labels <- if (is.list(object)) as.list(object) else list(object)
  if (length(labels) == 0L) abort_spax("argument", c("{.arg {argument}} holds nothing to draw.", "i" = "Give labels, one a cell."), argument)
  if (is.null(names(labels))) names(labels) <- rep("", length(labels))
  labels <- Map(function(x, name) check_discrete(as_labels(x, argument), x, name, argument), labels, names(labels))
  lapply(labels, function(x) check_companion(x, labels[[1L]], argument))
}

# A panel each: as many as one can look at, and one for every cell.
check_panel_slices <- function(slice, labels) {
  found <- check_slice_labels(slice, labels, all = TRUE)
  if (!is.null(found)) check_discrete(found, slice, "slice", slice_argument())
  found
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
  titles <- titles %||% vapply(names(labels), column_title, "")
  if (length(titles) != length(labels)) {
    abort_spax("argument", "{.arg titles} has {length(titles)} value{?s} for {length(labels)} panel{?s}.", "titles")
  }
  titles
}

domain_panel <- function(coords, labels, colours, points, name, confidence = NULL) {
  data <- data.frame(x = coords$x, y = coords$y, label = unname(labels))
  if (!is.null(confidence)) data$confidence <- pmax(unname(confidence), palest, na.rm = TRUE)
  data$image <- coords$image
  # Missing labels first, so that the others lie on top of them.
  data <- data[order(!is.na(data$label)), ]
  absent <- if (is_run_column(name)) "no domain" else "not annotated"
  data$label <- say_absent(data$label, absent)
  colours <- c(colours, if (absent %in% data$label) rlang::set_names("grey85", absent))
  plot <- ggplot2::ggplot(data, ggplot2::aes(.data$x, .data$y, colour = .data$label)) +
    points +
    ggplot2::scale_colour_manual(values = colours, guide = domain_guide(length(colours), is.null(confidence))) +
    ggplot2::labs(colour = if (is_run_column(name)) "Domain")
  if (is.null(confidence)) plot else plot + ggplot2::aes(alpha = .data$confidence) + confidence_scale()
}

# A last level for missing labels, where there are any: a legend shows levels.
say_absent <- function(labels, absent) {
  if (!anyNA(labels)) {
    return(labels)
  }
  levels <- levels(labels)
  labels <- ifelse(is.na(labels), absent, as.character(labels))
  factor(labels, union(levels, absent))
}

# Up to 20 lines a column, fewer above another legend: a narrow one leaves more room to the tissue.
domain_guide <- function(n, alone = TRUE) {
  ggplot2::guide_legend(override.aes = list(size = 3.2, shape = 16), ncol = ceiling(n / if (alone) 20 else 10), order = 1)
}

arrange_panels <- function(panels, ncol) {
  if (length(panels) == 1L) {
    return(panels[[1L]])
  }
  check_packages("patchwork", "A plot with several panels")
  patchwork::wrap_plots(panels, ncol = ncol %||% length(panels))
}
