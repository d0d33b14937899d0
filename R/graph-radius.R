# Whether a radius makes sense, and what cells have round them.

# A radius that joins nothing, or all, is a mistaken unit. Looks at a sample of the cells, before any graph is built.
# `task` holds coords, slices and threads.
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
      paste(
        "Within {.code radius = {format(radius)}} a cell typically has",
        "{typical} of the {n_cells - 1} others: that is no neighbourhood."
      ),
      "i" = "Typically the nearest is {distance} away: for instance {.code radius = {signif(2 * distance, 2L)}}."
    ), "radius")
  }
}

nearest_distance <- function(seen) stats::median(seen$nearest[is.finite(seen$nearest)])

said_reach <- function(radius, seen) {
  paste0("Within the radius of ", format(radius), " a cell typically has ", stats::median(seen$within), " neighbours")
}
