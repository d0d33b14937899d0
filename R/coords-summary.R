# What a run says of its coordinates before it starts, and whether its radius makes sense.

# A radius that joins nothing, or all, is a mistaken unit. Looks at a sample of the cells, before any graph is built. `task` holds coords, slices and threads.
check_neighbourhood <- function(task, radius) {
  seen <- core(core_tissue_around(new_tissue(task), as.double(radius %||% NA)))
  if (!is.null(radius)) check_reach(radius, seen, nrow(task$coords))
  seen
}

# Training grows with the edges; so many neighbours are far beyond any neighbourhood.
most_neighbours <- 1000

check_reach <- function(radius, seen, n_cells) {
  typical <- stats::median(seen$within)
  distance <- signif(nearest_distance(seen), 3L)
  if (all(seen$within == 0)) {
    abort_spax("argument", c(
      "No cell has another within {.code radius = {format(radius)}}: typically the nearest is {distance} away.",
      "i" = "The radius is in the units of the coordinates: for instance {.code radius = {signif(1.5 * distance, 2L)}}."
    ), "radius")
  }
  if (typical > most_neighbours || n_cells > 20L && typical > n_cells / 2) {
    abort_spax("argument", c(
      "Within {.code radius = {format(radius)}} a cell typically has {typical} of the {n_cells - 1} others: that is no neighbourhood.",
      "i" = "Typically the nearest is {distance} away: for instance {.code radius = {signif(2 * distance, 2L)}}."
    ), "radius")
  }
}

nearest_distance <- function(seen) stats::median(seen$nearest[is.finite(seen$nearest)])

# Before long work: refuses a radius that cannot be meant, and where verbose says what the run goes by.
look_at_coords <- function(task) {
  seen <- check_neighbourhood(task, task$options$radius)
  if (!task$verbose) {
    return(invisible())
  }
  xy <- task$coords[c("x", "y")]
  shared <- sum(shares_place(xy, task$slices))
  lines <- c(
    paste0("Coordinates: ", said_source(task$coords_found), "."),
    paste0(
      nrow(xy), " cells over ", shown_number(diff(range(xy$x))), " x ", shown_number(diff(range(xy$y))), ", typically ",
      shown_number(nearest_distance(seen)), " from the nearest."
    ),
    said_neighbours(task$options, seen),
    if (shared > 0L) paste(shared, "cells lie where another one lies.")
  )
  rlang::inform(rlang::set_names(lines, "i"), class = "spaxR_message_coords")
}

# How SpatialCoords() came to them.
said_source <- function(found) {
  from <- found$source %||% paste0("columns ", paste0("\"", found$columns, "\"", collapse = " and "), " of `coords`")
  if (is.null(found$rows)) {
    return(from)
  }
  paste0(from, ", rows by ", if (found$rows == "order") "their order, taken for that of the cells" else found$rows)
}

said_neighbours <- function(options, seen) {
  if (is.null(options$radius)) {
    return(paste0("Each cell is joined to its ", options$k, " nearest, none is without a neighbour."))
  }
  alone <- mean(seen$within == 0)
  paste0(said_reach(options$radius, seen), ", ", if (alone == 0) "none is without." else paste0(shown_number(100 * alone), " % have none."))
}

said_reach <- function(radius, seen) paste0("Within the radius of ", format(radius), " a cell typically has ", stats::median(seen$within), " neighbours")

shown_number <- function(x) format(signif(x, 3L), scientific = FALSE, drop0trailing = TRUE)

shares_place <- function(xy, slices) {
  places <- if (is.null(slices)) xy else data.frame(xy, slice = slices$of)
  duplicated(places) | duplicated(places, fromLast = TRUE)
}
