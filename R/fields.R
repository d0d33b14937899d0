# Fields of view that lie beside each other in one frame: parts of one tissue, not slices of a stack.

# Values that are called as fields of view are.
are_field_names <- function(x) all(grepl("^(fov|field|tile)[ ._-]*[0-9]+$", unique(as.character(x)), ignore.case = TRUE))

# Some cells lie between the outermost ones of two fields that touch.
tile <- function(coords, field, threads) {
  extents <- field_extents(coords, field)
  near <- nearest_distance(check_neighbourhood(list(coords = coords[c("x", "y")], threads = threads), NULL))
  lie_apart(extents) && hang_together(extents, 5 * near)
}

say_fields <- function(what, field) {
  cli::cli_inform(c(
    "i" = "The {nlevels(field)} {what} lie beside each other in one frame: they are taken for fields of view of one tissue, and so for one slice."
  ), class = "spaxR_message_fields")
}

# Slices that are fields of one tissue are none: a column of an object that is called so.
are_fields <- function(object, column, slice, coords) {
  if (!is_field_column(column) || anyNA(slice)) {
    return(FALSE)
  }
  # What is wrong with the coordinates is told where they are used.
  place <- tryCatch(
    suppressMessages(SpatialCoords(object, coords), "spaxR_message_coords"),
    spaxR_error = function(e) NULL
  )
  field <- droplevels(as.factor(slice))
  several <- !is.null(place) && nlevels(place$image) < 2L && nlevels(field) > 1L
  fields <- several && lie_apart(field_extents(place, field))
  if (fields) say_fields("slices", field)
  fields
}

# The same of matrices, where no column has a name: what the slices are called, or `numbers` that are no order of a stack, and whose extents touch.
unless_fields <- function(slice, coords, threads, joins = TRUE, numbers = joins) {
  if (is.null(slice) || !joins || anyNA(slice) || length(slice) != nrow(coords)) {
    return(slice)
  }
  field <- droplevels(check_companion(slice, rlang::set_names(factor(rownames(coords)), rownames(coords)), "slice"))
  called <- are_field_names(field)
  if (nlevels(field) < 2L || !(called || numbers && is.numeric(slice) && nlevels(field) > 2L)) {
    return(slice)
  }
  fields <- if (called) lie_apart(field_extents(coords, field)) else tile(coords, field, check_threads(threads))
  if (!fields) {
    return(slice)
  }
  say_fields("slices", field)
  NULL
}
