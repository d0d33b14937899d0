# Whether a radius makes sense, and what cells have round them.

# A radius that joins nothing, or all, is a mistaken unit. Looks at a sample of the cells, before any graph is built.
# `task` holds coords, slices and threads.
check_neighbourhood <- function(task, radius) {
  seen <- seen_around(task, radius)
  if (!is.null(radius)) check_reaches(task, radius, seen)
  seen
}

seen_around <- function(task, radius) core(core_tissue_around(new_tissue(task), as.double(radius %||% NA)))

# Slices that are joined by nothing are looked at each by itself: one of them may be in another unit.
check_reaches <- function(task, radius, seen) {
  if (is_stacked(task$slices)) {
    return(check_reach(radius, seen, nrow(task$coords)))
  }
  for (name in levels(task$slices$of)) {
    own <- list(coords = task$coords[task$slices$of == name, ], threads = task$threads)
    check_reach(radius, seen_around(own, radius), nrow(own$coords), name)
  }
}

# Training grows with the edges; so many neighbours are far beyond any neighbourhood.
most_neighbours <- 1000

# What memory and time go by: a few crowded places may hold most of the edges.
usual_neighbours <- function(seen) max(stats::median(seen$within), mean(seen$within))

check_reach <- function(radius, seen, n_cells, slice = NULL) {
  typical <- signif(usual_neighbours(seen), 3L)
  distance <- signif(nearest_distance(seen), 3L)
  where <- if (!is.null(slice)) paste0(" of slice \"", slice, "\"")
  if (all(seen$within == 0)) {
    abort_spax("argument", c(
      "No cell{where} has another within {.code radius = {format(radius)}}: typically the nearest is {distance} away.",
      "i" = "The radius is in the units of the coordinates: for instance {.code radius = {signif(1.5 * distance, 2L)}}."
    ), "radius")
  }
  if (typical > most_neighbours || n_cells > 20L && typical > n_cells / 2) {
    abort_spax("argument", c(
      paste(
        "Within {.code radius = {format(radius)}} a cell{where} has on average",
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
