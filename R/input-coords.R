# Tables of coordinates, from what users give to what the core takes.

# Two numeric columns from a matrix or data frame. Automatic row names are no names.
xy_table <- function(coords) {
  if (length(dim(coords)) != 2L || ncol(coords) < 2L) {
    abort_spax("coords", c(
      "{.arg coords} must be a matrix or data frame with two columns, not {show_value(coords)}.",
      "i" = "Give the columns x and y, one row a cell."
    ), "coords")
  }
  columns <- if (all(c("x", "y") %in% colnames(coords))) c("x", "y") else 1:2
  names <- if (has_row_names(coords)) rownames(coords)
  x <- coords[, columns[[1L]], drop = TRUE]
  y <- coords[, columns[[2L]], drop = TRUE]
  if (!is.numeric(x) || !is.numeric(y)) {
    abort_spax("coords", "The columns of {.arg coords} must be numbers, not {.cls {class(x)}} and {.cls {class(y)}}.", "coords")
  }
  list(xy = data.frame(x = as.double(x), y = as.double(y)), names = names)
}

has_row_names <- function(x) {
  if (is.data.frame(x)) .row_names_info(x) > 0L else !is.null(rownames(x))
}

# The rows of the table in the order of the cells.
match_coords <- function(table, cells) {
  names <- table$names
  if (is.null(cells)) cells <- names %||% paste0("cell", seq_len(nrow(table$xy)))
  if (is.null(names)) {
    check_coords_length(nrow(table$xy), length(cells))
    return(data.frame(table$xy, row.names = cells))
  }
  check_unique(names, "coords")
  rows <- match(cells, names)
  abort_absent_coords(cells[is.na(rows)], length(cells))
  data.frame(table$xy[rows, ], row.names = cells)
}

check_coords_length <- function(n_rows, n_cells) {
  if (n_rows != n_cells) {
    abort_spax("coords", c(
      "{.arg coords} has {n_rows} row{?s} for {n_cells} cells.",
      "i" = "Give one row a cell, or row names to match them by."
    ), "coords")
  }
}

abort_absent_coords <- function(absent, n_cells) {
  if (length(absent) == 0L) {
    return(invisible())
  }
  if (length(absent) == n_cells) {
    abort_spax("coords", c(
      "None of the {n_cells} cell names is in {.arg coords}.",
      "i" = "Its row names must be the cell names, such as {some_of(absent, 2L)}."
    ), "coords")
  }
  abort_spax("coords", c(
    "{length(absent)} of {n_cells} cells {cli::qty(length(absent))}{?has/have} no coordinates: {some_of(absent)}.",
    "i" = "Give theirs too, or take {cli::qty(length(absent))}{?this cell/these cells} out of the input first."
  ), "coords")
}

check_coords <- function(coords) {
  bad <- !is.finite(coords$x) | !is.finite(coords$y)
  if (any(bad)) {
    abort_spax("coords", c(
      "{.arg coords} {cli::qty(sum(bad))}{?is/are} missing or infinite for {sum(bad)} cell{?s}: {some_of(rownames(coords)[bad])}.",
      "i" = "Fill them in, or take {cli::qty(sum(bad))}{?this cell/these cells} out of the input first."
    ), "coords")
  }
  if (nrow(coords) > 1L && all(coords$x == coords$x[[1L]]) && all(coords$y == coords$y[[1L]])) {
    abort_spax("coords", c(
      "All cells have the same coordinates.",
      "i" = "Check the columns that {.arg coords} names."
    ), "coords")
  }
  coords
}

# Coordinates as the core takes them: x and y, and the height in a stack.
coords_matrix <- function(coords) {
  unname(cbind(as.double(coords$x), as.double(coords$y), coords$z))
}

# A graph over several images would join cells that only seem to be neighbours.
check_one_slice <- function(coords) {
  images <- levels(coords$image)
  if (length(images) > 1L) {
    abort_spax("coords", c(
      "The cells lie in {length(images)} images ({.val {images}}), whose coordinates do not share a frame.",
      "i" = "Say which slice each cell belongs to with {.arg split.by}: a meta data column, or {.code split.by = \"image\"} for the images.",
      "i" = "For one slice, subset the object to the cells of one image, or give {.arg coords} in one frame."
    ), "coords")
  }
  coords
}

# What a logged command keeps: the names of meta data columns, but no table of all cells, which it could not print either.
loggable_coords <- function(coords) if (is.character(coords)) coords

# Cells without names of their own take those of the coordinates, which then must be in their order.
unnamed_cells <- function(coords, n_cells) {
  if (length(dim(coords)) == 2L && has_row_names(coords)) {
    check_coords_length(nrow(coords), n_cells)
    return(rownames(coords))
  }
  paste0("cell", seq_len(n_cells))
}
