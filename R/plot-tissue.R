# What plots of cells on the tissue share.

# NULL: as cell_points() finds it.
check_size <- function(pt.size) {
  if (!is.null(pt.size) && !(is.numeric(pt.size) && length(pt.size) == 1L && is.finite(pt.size) && pt.size > 0)) {
    abort_spax("argument", c(
      "{.arg pt.size} must be one number above 0, not {show_value(pt.size)}.", "i" = "NULL finds one that fits."
    ), "pt.size")
  }
  pt.size
}

# Side by side, where each slice of `coords` has a panel.
slices_across <- function(coords) ggplot2::wrap_dims(max(1L, nlevels(coords$image)))[[2L]]

# Of one slice: they may lie on each other.
slice_spacing <- function(coords) {
  if (is.null(coords$image)) {
    cell_spacing(coords)
  } else {
    stats::median(vapply(split(coords, coords$image, drop = TRUE), cell_spacing, 0), na.rm = TRUE)
  }
}

# Square root of the area a cell has: occupied boxes of a coarse grid over the number of cells. NA for cells in one
# place.
cell_spacing <- function(coords) {
  bins <- ceiling(sqrt(nrow(coords) / 10)) + 1
  width <- max(diff(range(coords$x)), diff(range(coords$y))) / bins
  if (width == 0) {
    return(NA_real_)
  }
  box <- paste(floor((coords$x - min(coords$x)) / width), floor((coords$y - min(coords$y)) / width))
  sqrt(length(unique(box)) * width^2 / nrow(coords))
}

# Squares draw faster than discs, and nobody sees the difference among so many.
point_shape <- function(n) if (n > many_points) 15 else 16

many_points <- 50000

# Around the points of a panel: equal axes, y as in its source, a panel each for slices, and a title.
panel_frame <- function(coords, title, y_down) {
  list(
    # Cells at the border stay whole.
    ggplot2::coord_fixed(clip = "off"),
    ggplot2::labs(title = if (nzchar(title)) fit_title(title, coords)),
    theme_domains(),
    if (y_down) ggplot2::scale_y_reverse(),
    if (nlevels(coords$image) > 1L) ggplot2::facet_wrap(~image)
  )
}

theme_domains <- function() {
  ggplot2::theme_void(base_size = 11) +
    ggplot2::theme(
      plot.title = ggplot2::element_text(size = 11.5, hjust = 0.5, face = "bold", margin = ggplot2::margin(b = 4)),
      legend.key.height = ggplot2::unit(4.4, "mm"), legend.key.width = ggplot2::unit(4, "mm"),
      legend.text = ggplot2::element_text(size = 9), plot.margin = ggplot2::margin(4, 4, 4, 4),
      plot.background = ggplot2::element_rect(fill = "white", colour = NA)
    )
}

# On a panel much higher than wide a title breaks into lines, or it would run into its neighbour's.
fit_title <- function(title, coords) {
  narrow <- diff(range(coords$y)) > 2 * slices_across(coords) * diff(range(coords$x))
  if (narrow) gsub("([_ .])", "\\1\n", title) else title
}

# What a panel is called: the columns of runs by their system, words that are joined by lines or dots as words, and
# other names as they are.
column_title <- function(name) {
  system <- run_of_column(name)
  if (!is.null(system)) {
    what <- sub("^domain$", "", substring(name, nchar(system$name) + 2L))
    return(paste0(system$title, if (nzchar(what)) paste0(": ", gsub("_", " ", what))))
  }
  if (!grepl("^[a-z]+([._][a-z]+)*$", name)) {
    return(name)
  }
  words <- gsub("[._]", " ", name)
  paste0(toupper(substr(words, 1L, 1L)), substring(words, 2L))
}

# The system whose runs write columns that are called so.
run_of_column <- function(name) Find(function(system) startsWith(name, paste0(system$name, "_")), spax_systems())

is_run_column <- function(name) !is.null(run_of_column(name))
