# What a run says of its coordinates before it starts.

# Before long work: refuses a radius that cannot be meant, and where verbose says what the run goes by.
look_at_coords <- function(task) {
  seen <- check_neighbourhood(task, task$options$radius)
  check_run_memory(task, if (is.null(task$options$radius)) task$options$k %||% 36 else usual_neighbours(seen))
  if (is.null(task$slices)) warn_overlaid(task$coords, task$samples, task$threads)
  if (!task$verbose) {
    return(invisible())
  }
  shared <- sum(shares_place(task$coords, task$slices))
  lines <- c(
    paste0("Coordinates: ", said_source(task$coords_found), "."),
    paste0(
      nrow(task$coords),
      " cells over ",
      paste(vapply(task$coords, function(axis) shown_number(diff(range(axis))), ""), collapse = " x "),
      ", typically ",
      shown_number(nearest_distance(seen)),
      " from the nearest."
    ),
    said_neighbours(task$options, seen),
    if (shared > 0L) paste(shared, "cells lie where another one lies.")
  )
  rlang::inform(rlang::set_names(lines, "i"), class = "spaxR_message_coords")
}

# How SpatialCoords() came to them.
said_source <- function(found) {
  from <- found$source %||% paste0("columns ", paste0("\"", found$columns, "\"", collapse = " and "), " of `coords`")
  # An object's own coordinates are named by its cells.
  if (is.null(found$rows) || !is.null(found$source) && found$rows == "row names") {
    return(from)
  }
  paste0(from, ", rows by ", if (found$rows == "order") "their order, taken for that of the cells" else found$rows)
}

said_neighbours <- function(options, seen) {
  if (is.null(options$radius)) {
    # Predictive components look over several distances of their own.
    return(
      if (!is.null(options$k)) {
        paste0("Each cell is joined to its ", options$k, " nearest, none is without a neighbour.")
      }
    )
  }
  alone <- mean(seen$within == 0)
  paste0(
    said_reach(options$radius, seen),
    ", ",
    if (alone == 0) "none is without." else paste0(shown_number(100 * alone), " % have none.")
  )
}

shown_number <- function(x) format(signif(x, 3L), scientific = FALSE, drop0trailing = TRUE)
