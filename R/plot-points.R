# Cells as points whose size is a length on the tissue: neighbours nearly touch in a figure of any size, as they would
# not with points of so many millimetres.

# Beside the aesthetics of geom_point(): `diameter`, in units of the coordinates (NULL: `size`, as there); `opaque`,
# whether `alpha` mixes a colour with white in place of letting through what lies below, which would show where points
# overlap.
GeomCell <- ggplot2::ggproto("GeomCell", ggplot2::GeomPoint,
  draw_panel = function(data, panel_params, coord, na.rm = FALSE, diameter = NULL, opaque = FALSE) {
    if (opaque) {
      data$colour <- on_white(data$colour, data$alpha)
      data$alpha <- NA
    }
    if (is.null(diameter)) {
      return(ggplot2::GeomPoint$draw_panel(data, panel_params, coord, na.rm))
    }
    ends <- coord$transform(data.frame(x = c(0, diameter), y = data$y[[1L]]), panel_params)
    cell_grob(coord$transform(data, panel_params), abs(diff(ends$x)))
  }
)

# `diameter`: as a share of the width of the panel.
cell_grob <- function(placed, diameter) {
  # A point is drawn over three quarters of its size, and devices lose what is too small.
  size <- grid::unit.pmax(grid::unit(diameter / 0.75, "npc"), grid::unit(0.04, "mm"))
  grid::pointsGrob(
    placed$x, placed$y, placed$shape[[1L]], size,
    name = grid::grobName(prefix = "geom_cell"),
    gp = grid::gpar(col = ggplot2::alpha(placed$colour, placed$alpha), lwd = 0)
  )
}

# A layer of the cells at `place`. `size` of the user; NULL: about the spacing of the cells, times `share`.
cell_points <- function(place, size, share = 1, opaque = FALSE, alpha = NA) {
  diameter <- if (is.null(size)) point_diameter(place)
  # A cell alone, or all in one place, have none.
  shown <- if (is.null(diameter)) size %||% 3 else 1
  ggplot2::layer(
    geom = GeomCell, stat = "identity", position = "identity",
    params = c(
      list(size = share * shown, shape = point_shape(nrow(place)), stroke = 0, opaque = opaque, na.rm = FALSE),
      if (!is.null(diameter)) list(diameter = share * diameter),
      if (!is.na(alpha)) list(alpha = alpha)
    )
  )
}

# So that spots of a hexagonal array just touch; where points are too small to be seen apart, more: the paper between
# cells that lie at random would make their colours paler. NULL where there is no spacing.
point_diameter <- function(place) {
  spacing <- slice_spacing(place)
  if (!is.na(spacing)) spacing * if (nrow(place) > many_points) 1.5 else 1.075
}

# Colours as they look on white paper, opaque.
on_white <- function(colours, alpha) {
  alpha <- ifelse(is.na(alpha), 1, alpha)
  mix <- 255 - rep(alpha, each = 3L) * (255 - grDevices::col2rgb(colours))
  grDevices::rgb(t(mix), maxColorValue = 255)
}
