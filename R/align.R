# Slices in one frame: each aligned to the one before it, in the order of the levels, and each at its height.

# `coords`: data frame x, y, row names cells; `slice`: a factor, one value a cell. Returns list(coords = x, y, z in the order of the cells;
# transforms = a list a slice; residuals = a data frame with a row a slice; ok = TRUE, or FALSE where an alignment is poor, a slice).
align_slices <- function(coords, slice, method = c("icp", "paste", "none"), counts = NULL, gaps = NULL, spot.distance = NULL,
                         outline = TRUE, search = TRUE, overlap = NULL, mirror = "auto", scale = NULL, threads = NULL, verbose = TRUE) {
  settings <- align_settings(match.arg(method), outline, search, overlap, mirror, scale)
  gaps <- check_gaps(gaps, nlevels(slice))
  check_spot_distance(spot.distance)
  threads <- check_threads(threads)
  check_align_memory(counts, nrow(coords))
  if (settings$method == "paste") check_paste_counts(counts)
  xy <- coords_matrix(coords[c("x", "y")])
  if (settings$scale != "FALSE") check_slice_units(xy, slice, settings)
  settings$gaps <- gaps %||% rep(section_thickness, nlevels(slice) - 1L)
  settings$spot.distance <- spot.distance %||% NA_real_
  found <- core(core_align_stack(xy, as.integer(slice), if (!is.null(counts)) counts_slots(counts), settings, threads))
  names(found$slices) <- levels(slice)
  residuals <- alignment_residuals(found$slices)
  heights <- given_heights(coords, slice, gaps)
  if (verbose) inform_alignment(found$slices, residuals, settings, if (is.null(heights)) list(gaps = gaps, spot.distance = spot.distance))
  if (settings$method != "none") warn_poor_alignment(residuals)
  list(
    coords = data.frame(
      x = found$coords[, 1L], y = found$coords[, 2L],
      z = if (is.null(heights)) found$coords[, 3L] else heights[as.integer(slice)], row.names = rownames(coords)
    ),
    transforms = lapply(found$slices, `[`, c("rotation", "shift", "angle", "mirrored", "scale")),
    residuals = residuals,
    ok = rlang::set_names(is.na(residuals$problem), names(found$slices))
  )
}

# Published: tolerance 0.01, 20 rounds, one turn to start from or six. Real slices then end up to 7 degrees off: closest points pull from some 20 degrees
# away, and slide slowly along a smooth outline.
align_settings <- function(method, outline, search, overlap, mirror, scale) {
  list(
    method = method, outline = check_flag(outline, "outline"), tolerance = 1e-4, rounds = 200L, keeps = overlap_shares(overlap),
    starts = if (check_flag(search, "search")) 36L else 1L, mirror = check_mirror(mirror),
    scale = if (is.null(scale)) "grids" else as.character(check_flag(scale, "scale"))
  )
}

# "auto", "TRUE" or "FALSE".
check_mirror <- function(mirror) {
  if (identical(mirror, "auto") || is.logical(mirror) && length(mirror) == 1L && !is.na(mirror)) {
    return(as.character(mirror))
  }
  abort_spax("argument", "{.arg mirror} must be TRUE, FALSE or {.val auto}, not {show_value(mirror)}.", "mirror")
}

check_paste_counts <- function(counts) {
  if (is.null(counts)) {
    abort_spax("argument", c("{.code align = \"paste\"} needs counts.", "i" = "Use {.code \"icp\"} to align by coordinates alone."), "align")
  }
}

# A slice in pixels among slices in micrometres would be laid inside the one before it. Who says that they share a frame is
# told, and believed.
check_slice_units <- function(xy, slice, settings) {
  units <- core(core_slice_units(xy, as.integer(slice), settings$scale))
  if (!any(units$differ)) {
    return(invisible())
  }
  at <- which(units$differ)[[1L]]
  names <- levels(slice)[at + 0:1]
  times <- function(x) format(signif(x[[at]], 2L))
  fault <- paste(
    "The coordinates of slice {.val {names[[2L]]}} are not in the unit of those of {.val {names[[1L]]}}: neighbours are",
    "{times(units$spacing)} times as far apart, and the slice is {times(units$extent)} times as wide."
  )
  if (settings$method == "none") {
    taken <- "They are taken as they are: {.code align = \"none\"} says that they share a frame."
    return(invisible(warn_spax("coords", c(fault, "i" = taken), "coords")))
  }
  abort_spax("coords", c(
    fault,
    "i" = paste(
      "Multiply them by {times(1 / units$spacing)}, or by what you know of the two units; {.code scale = TRUE} in",
      "{.fn AlignSlices} does so by the distance of neighbours, and its coordinates go into a run with",
      "{.code align = \"none\"}."
    ),
    "i" = paste(
      "If the cells do lie so, use {.code scale = FALSE} in {.fn AlignSlices}, and its coordinates with",
      "{.code align = \"none\"}."
    )
  ), "coords")
}

# Expression tells which of several shares is right; without it, the first is taken.
overlap_shares <- function(overlap) {
  if (is.null(overlap)) c(1, 0.85, 0.7, 0.55) else check_share(overlap, "overlap")
}

check_share <- function(x, argument) {
  if (is.numeric(x) && length(x) == 1L && is.finite(x) && x > 0 && x <= 1) {
    return(as.double(x))
  }
  abort_spax("argument", "{.arg {argument}} must be one number above 0 and at most 1, not {show_value(x)}.", argument)
}

# One gap a pair of neighbouring slices, in micrometres.
check_gaps <- function(gaps, n_slices) {
  if (is.null(gaps)) {
    return(NULL)
  }
  if (!is.numeric(gaps) || !all(is.finite(gaps)) || any(gaps < 0) || !length(gaps) %in% c(1L, n_slices - 1L)) {
    each <- if (n_slices > 2L) paste0(", or ", n_slices - 1L, " for the ", n_slices, " slices")
    abort_spax("argument", c(
      "{.arg gaps} must be one distance in micrometres{each}, 0 or more, not {show_value(gaps)}.",
      "i" = "For instance {.code gaps = 10}: the thickness of a section."
    ), "gaps")
  }
  rep_len(as.double(gaps), n_slices - 1L)
}

check_spot_distance <- function(x) {
  if (!is.null(x) && !(is.numeric(x) && length(x) == 1L && is.finite(x) && x > 0)) {
    abort_spax("argument", c(
      "{.arg spot.distance} must be one distance in micrometres, not {show_value(x)}.",
      "i" = "It is 100 on Visium. NULL takes a regular grid as Visium, and other coordinates as micrometres."
    ), "spot.distance")
  }
}
