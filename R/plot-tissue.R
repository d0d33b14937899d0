# What plots of cells on the tissue share.

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

# On a panel much higher than wide a title breaks into lines, or it would run into its neighbour's.
fit_title <- function(title, coords) {
  narrow <- diff(range(coords$y)) > 2 * diff(range(coords$x))
  if (narrow) gsub("([_ .])", "\\1\n", title) else title
}
