# Tables of coordinates, from what users give to what the core takes. The columns are found in input-coords-columns.R,
# the rows in input-coords-rows.R.

# The places of the cells: a data frame of x, y and, where they do not lie in a plane, z, named by cell, whose attribute
# `found` says how: list(columns, rows, and what else read_axes() saw).
read_coords <- function(coords, cells) {
  coords <- without_features(coords)
  table <- plain_table(coords)
  known <- find_known_axes(table)
  rows <- match_rows(table, cells, axes_no_names(table, known))
  axes <- read_axes(table, known %||% guess_axes(table, rows$column))
  found <- c(axes[c("columns", "guessed", "hexagonal", "third")], list(rows = rows$by, source = attr(coords, "source")))
  if (is.null(attr(coords, "found"))) say_found(found, !is.null(cells))
  place <- data.frame(axes$places[rows$rows, ], row.names = cells %||% rows$cells)
  # Of coordinates that have been read before, the first time tells.
  structure(
    place,
    y_down = axes$y_down || isTRUE(attr(coords, "y_down")),
    height = attr(coords, "height") %||% axes$height,
    found = attr(coords, "found") %||% found,
    samples = attr(coords, "samples") %||% lapply(sample_columns(table$columns), `[`, rows$rows)
  )
}

# What is not as the user would expect without being told: guessed columns, rows matched by something else than their
# names.
say_found <- function(found, named) {
  lines <- c(
    if (found$guessed) "The columns {.val {found$columns}} of {.arg coords} are taken as x and y.",
    if (found$hexagonal) {
      paste(
        "The columns {.val {found$columns}} of {.arg coords} are places",
        "on a hexagonal array, whose rows lie sqrt(3) columns apart."
      )
    },
    if (!is.null(found$third)) {
      paste(
        "The column {.val {found$third}} of {.arg coords} is the third",
        "coordinate: neighbours are looked for in space, not in the plane."
      )
    },
    if (grepl("^column", found$rows) && named) "The rows of {.arg coords} go with the cells by its {found$rows}.",
    if (found$rows == "order" && named) {
      "Nothing in {.arg coords} can be cell names: its rows are taken in the order of the cells."
    }
  )
  if (length(lines) > 0L) cli::cli_inform(rlang::set_names(lines, "i"), class = "spaxR_message_coords")
}

check_coords <- function(coords) {
  bad <- !Reduce(`&`, lapply(only_axes(coords), is.finite))
  if (any(bad)) {
    abort_spax("coords", c(
      paste(
        "{.arg coords} {cli::qty(sum(bad))}{?is/are} missing or infinite",
        "for {sum(bad)} cell{?s}: {some_of(rownames(coords)[bad])}."
      ),
      "i" = "Fill them in, or take {cli::qty(sum(bad))}{?this cell/these cells} out of the input first."
    ), "coords")
  }
  still <- vapply(coords[c("x", "y")], function(axis) length(axis) > 1L && all(axis == axis[[1L]]), NA)
  if (all(still)) {
    abort_spax("coords", c(
      "All cells have the same coordinates.",
      "i" = "Check the columns that {.arg coords} names."
    ), "coords")
  }
  # Two cells may well lie above each other.
  if (any(still) && nrow(coords) > 2L) {
    abort_spax("coords", c(
      paste(
        "All cells have the same {.field {names(still)[still]}},",
        "{coords[[1L, names(still)[still]]]}: that is no tissue but a line."
      ),
      "i" = "Check the columns that {.arg coords} names; {.help SpatialCoords} lists those that are known."
    ), "coords")
  }
  coords
}

# The columns that are places.
only_axes <- function(place) place[intersect(c("x", "y", "z"), names(place))]

# As one of several slices, for which the z of all of its cells is a height.
slice_axes <- function(place) {
  axes <- only_axes(place)
  axes$z <- axes$z %||% attr(place, "height")
  axes
}

# Of several slices: the height counts where all have one.
join_places <- function(places) {
  axes <- Reduce(intersect, lapply(places, names))
  do.call(rbind, unname(lapply(places, `[`, axes)))
}

# Coordinates as the core takes them: x and y, and z where there is one, as in a stack.
coords_matrix <- function(coords) {
  unname(cbind(as.double(coords$x), as.double(coords$y), coords$z))
}

# A graph over several images would join cells that only seem to be neighbours.
check_one_slice <- function(coords) {
  images <- levels(coords$image)
  if (length(images) > 1L) {
    abort_spax("coords", c(
      "The cells lie in {length(images)} images ({.val {images}}), whose coordinates do not share a frame.",
      "i" = paste(
        "Say which slice each cell belongs to with {.arg split.by}: a meta",
        "data column, or {.code split.by = \"image\"} for the images."
      ),
      "i" = "For one slice, subset the object to the cells of one image, or give {.arg coords} in one frame."
    ), "coords")
  }
  coords
}

# What a logged command keeps: the names of meta data columns, but no table of all cells, which it could not print
# either.
loggable_coords <- function(coords) if (is.character(coords)) coords

# Cells without names of their own take those of the coordinates, which then must be in their order.
unnamed_cells <- function(coords, n_cells) {
  if (length(dim(coords)) != 2L) {
    return(paste0("cell", seq_len(n_cells)))
  }
  table <- plain_table(coords)
  check_coords_length(table$n, n_cells)
  found <- match_rows(table, NULL, axes_no_names(table, find_known_axes(table)))
  if (found$by != "order") {
    cli::cli_inform(
      c("i" = "The cells have no names: they take those of {.arg coords} ({found$by}), in its order."),
      class = "spaxR_message_coords"
    )
  }
  found$cells
}
