# Simple features (package sf) as tables: a place for each geometry. They are read by their structure, which needs no
# package.

is_simple_features <- function(x) inherits(x, c("sf", "sfc"))

# The other columns, and x, y and maybe z in place of the geometry; anything else as it is.
without_features <- function(coords) {
  if (!is_simple_features(coords)) {
    return(coords)
  }
  geometry <- if (inherits(coords, "sfc")) coords else unclass(coords)[[attr(coords, "sf_column")]]
  types <- feature_types(geometry)
  places <- feature_places(geometry, types)
  # What else is called x or y is not the place.
  other <- if (inherits(coords, "sf")) Filter(function(x) !inherits(x, "sfc"), as.list(unclass(coords)))
  columns <- c(other[!plain_name(names(other)) %in% c("x", "y", "z")], Filter(Negate(is.null), places))
  rows <- if (inherits(coords, "sf")) attr(coords, "row.names") else names(geometry)
  structure(
    columns,
    class = "data.frame",
    row.names = rows %||% seq_along(places$x),
    source = if (all(types == "POINT")) {
      "the points of a simple feature table"
    } else {
      "the centres of the geometries of a simple feature table"
    }
  )
}

# Newer versions of sf keep points as one matrix.
feature_types <- function(geometry) {
  if (!is.null(attr(geometry, "points"))) {
    return(rep("POINT", nrow(attr(geometry, "points"))))
  }
  types <- vapply(unclass(geometry), function(g) if (inherits(g, "sfg")) class(g)[[2L]] else "no geometry", "")
  unknown <- setdiff(types, c("POINT", "MULTIPOINT", "POLYGON", "MULTIPOLYGON"))
  if (length(unknown) > 0L) {
    abort_spax("coords", c(
      "{.arg coords} has geometries of the type {.val {unknown}}, of which no place of a cell can be told.",
      "i" = "Give points or polygons, for instance by {.code sf::st_centroid()}."
    ), "coords")
  }
  types
}

# list(x, y, z): of points the place, of several their mean, of outlines the centre of their area.
feature_places <- function(geometry, types) {
  points <- attr(geometry, "points")
  if (!is.null(points)) {
    return(list(
      x = points[, 1L], y = points[, 2L], z = if (grepl("Z", attr(geometry, "points_dim") %||% "XY")) points[, 3L]
    ))
  }
  geometry <- unclass(geometry)
  found <- matrix(NaN, length(geometry), 3L)
  outlined <- types %in% c("POLYGON", "MULTIPOLYGON")
  found[outlined, ] <- outline_centres(geometry[outlined], types[outlined])
  found[!outlined, ] <- matrix(vapply(geometry[!outlined], mean_point, numeric(3L)), ncol = 3L, byrow = TRUE)
  deep <- vapply(geometry, function(g) grepl("Z", class(g)[[1L]]), NA)
  list(x = found[, 1L], y = found[, 2L], z = if (all(deep)) found[, 3L])
}

mean_point <- function(g) {
  points <- matrix(as.double(unclass(g)), ncol = nchar(class(g)[[1L]]))
  colMeans(cbind(points, NaN))[1:3]
}

# Centres of the areas within outlines, a row each; the first ring of a polygon is its outside, others are holes.
outline_centres <- function(geometry, types) {
  polygons <- Map(function(g, type) if (type == "POLYGON") list(unclass(g)) else unclass(g), geometry, types)
  feature <- rep(seq_along(polygons), lengths(polygons))
  polygons <- unlist(polygons, recursive = FALSE, use.names = FALSE)
  feature <- rep(feature, lengths(polygons))
  sign <- ifelse(sequence(lengths(polygons)) == 1L, 1, -1)
  rings <- unlist(polygons, recursive = FALSE, use.names = FALSE)
  found <- matrix(NaN, length(geometry), 3L)
  if (length(rings) == 0L) {
    return(found)
  }
  centres <- ring_centres(rings)
  weight <- sign * centres[, 4L]
  sums <- rowsum(cbind(centres[, 1:3, drop = FALSE] * weight, weight), feature)
  found[as.integer(rownames(sums)), ] <- sums[, 1:3, drop = FALSE] / sums[, 4L]
  found
}

# x, y, z and area of closed rings, about the first corner of each: coordinates are large beside cells. A ring without
# an area is where its corners are, and next to nothing beside one that has.
ring_centres <- function(rings) {
  n <- vapply(rings, nrow, 0L)
  ring <- rep(seq_along(rings), n)
  corners <- do.call(rbind, lapply(rings, function(r) cbind(r, NaN)[, 1:3, drop = FALSE]))
  first <- corners[cumsum(n) - n + 1L, , drop = FALSE]
  x <- corners[, 1L] - first[ring, 1L]
  y <- corners[, 2L] - first[ring, 2L]
  # The last corner is the first again.
  ahead <- c(seq_along(x)[-1L], 1L)
  cross <- ifelse(ring == ring[ahead], x * y[ahead] - x[ahead] * y, 0)
  sums <- rowsum(cbind((x + x[ahead]) * cross, (y + y[ahead]) * cross, cross, x, y, corners[, 3L]), ring)
  area <- sums[, 3L] / 2
  flat <- area == 0
  middle <- sums[, 1:2, drop = FALSE] / (6 * area)
  middle[flat, ] <- sums[flat, 4:5, drop = FALSE] / n[flat]
  cbind(first[, 1:2, drop = FALSE] + middle, sums[, 6L] / n, pmax(abs(area), .Machine$double.xmin))
}
