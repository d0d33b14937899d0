# Simple features as the package sf makes them, by hand: it need not be installed.

sfg <- function(x, type, dims = "XY") structure(x, class = c(dims, type, "sfg"))

sfc <- function(geometries, type = class(geometries[[1L]])[[2L]]) {
  structure(
    geometries, class = c(paste0("sfc_", type), "sfc"), precision = 0, n_empty = 0L,
    crs = structure(list(input = NA_character_, wkt = NA_character_), class = "crs")
  )
}

# As st_sf() makes it.
sf_table <- function(columns, geometry, names = seq_along(geometry)) {
  structure(
    c(columns, list(geometry = geometry)), class = c("sf", "data.frame"), row.names = names, sf_column = "geometry"
  )
}

# A square with its corner here, closed.
square <- function(x, y, side) cbind(x + side * c(0, 1, 1, 0, 0), y + side * c(0, 0, 1, 1, 0))
