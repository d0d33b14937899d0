# Graphs of cells.

# The core's graph (an external pointer) of checked coordinates.
core_graph <- function(coords, k, radius, threads, slices = NULL) {
  stacked <- is_stacked(slices)
  if (is.null(radius)) {
    k <- check_k(k, if (stacked) nrow(coords) else min(table(slices$of)))
    radius <- NA_real_
  } else {
    check_radius(radius)
    k <- NA_integer_
  }
  task <- list(coords = coords, slices = slices, threads = threads)
  seen <- if (is.na(k)) check_neighbourhood(task, radius)
  check_graph_memory(nrow(coords), if (is.na(k)) usual_neighbours(seen) else k, if (is.na(k)) "radius" else "k")
  if (is.na(k)) rlang::inform(c("i" = paste0(said_reach(radius, seen), ".")), class = "spaxR_message_coords")
  core(core_tissue_graph(new_tissue(task), k, as.double(radius)))
}

check_radius <- function(radius) {
  if (!is.numeric(radius) || length(radius) != 1L || !is.finite(radius) || radius <= 0) {
    abort_spax("argument", c(
      "{.arg radius} must be one distance above 0, not {show_value(radius)}.",
      "i" = "It is in the units of the coordinates."
    ), "radius")
  }
}

# The core's graph as a sparse matrix of cells x cells.
graph_matrix <- function(graph, cells, n_cells) {
  parts <- core(core_graph_csc(graph))
  methods::new("dgCMatrix",
    p = as.integer(parts$p), i = as.integer(parts$i), x = rep(1, length(parts$i)),
    Dim = rep(n_cells, 2L), Dimnames = list(cells, cells)
  )
}
