# Slices in one frame: each aligned to the one before it, in the order of the levels, and each at its height.

# `coords`: data frame x, y, row names cells; `slice`: a factor, one value a cell. Returns list(coords = x, y, z in the order of the cells;
# transforms = a list a slice; residuals = a data frame with a row a slice; ok = TRUE, or FALSE where an alignment is poor, a slice).
align_slices <- function(coords, slice, method = c("icp", "paste", "none"), counts = NULL, gaps = NULL, spot.distance = NULL,
                         outline = TRUE, search = TRUE, overlap = NULL, mirror = FALSE, threads = NULL, verbose = TRUE) {
  method <- match.arg(method)
  gaps <- check_gaps(gaps, nlevels(slice))
  check_spot_distance(spot.distance)
  settings <- icp_settings(method, outline, search, overlap, mirror)
  threads <- check_threads(threads)
  features <- if (method != "none" && !is.null(counts)) alignment_features(counts, coords, slice, threads)
  steps <- if (method == "paste") paste_steps(coords, slice, counts, mirror, threads)
  found <- core(core_align_stack(coords_matrix(coords[c("x", "y")]), as.integer(slice), features, steps, settings, threads))
  names(found) <- levels(slice)
  z <- given_heights(coords, slice, gaps) %||% slice_heights(gaps, length(found), found[[1L]], spot.distance, verbose)
  residuals <- alignment_residuals(found)
  if (method != "none") warn_poor_alignment(residuals)
  list(
    coords = moved_coords(coords, slice, found, z),
    transforms = lapply(found, `[`, c("rotation", "shift", "angle", "mirrored", "scale")),
    residuals = residuals,
    ok = rlang::set_names(is.na(residuals$problem), names(found))
  )
}

# Published: tolerance 0.01, 20 rounds, one turn to start from or six. Real slices then end up to 7 degrees off: closest points pull from some 20 degrees
# away, and slide slowly along a smooth outline.
icp_settings <- function(method, outline, search, overlap, mirror) {
  list(
    outline = check_flag(outline, "outline"), tolerance = 1e-4, rounds = 200L, keeps = overlap_shares(overlap),
    starts = if (check_flag(search, "search")) 36L else 1L, mirror = check_flag(mirror, "mirror"), still = method == "none"
  )
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
    abort_spax("argument", c(
      "{.arg gaps} must be one distance in micrometres, or {n_slices - 1} for the {n_slices} slices, each 0 or more: not {length(gaps)} value{?s}.",
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

# The thickness of a section where none is given.
section_thickness <- 10

slice_heights <- function(gaps, n_slices, first, spot.distance, verbose) {
  regular <- first$lattice != "irregular"
  said <- c(
    if (is.null(gaps)) "Slices are taken to lie {section_thickness} micrometres apart ({.arg gaps}).",
    if (is.null(spot.distance) && regular) "Spots on a grid are taken as Visium, 100 micrometres apart ({.arg spot.distance}).",
    if (is.null(spot.distance) && !regular) "Coordinates are taken as micrometres ({.arg spot.distance})."
  )
  if (verbose && length(said) > 0L) cli::cli_inform(rlang::set_names(said, "i"))
  unit <- if (!is.null(spot.distance)) first$smallest / spot.distance else if (regular) first$smallest / 100 else 1
  core(core_heights(gaps %||% rep(section_thickness, n_slices - 1L), unit))
}

moved_coords <- function(coords, slice, found, z) {
  moved <- cbind(coords$x, coords$y)
  for (s in seq_along(found)) {
    rows <- which(as.integer(slice) == s)
    moved[rows, ] <- transform_points(moved[rows, , drop = FALSE], found[[s]])
  }
  data.frame(x = moved[, 1L], y = moved[, 2L], z = z[as.integer(slice)], row.names = rownames(coords))
}

transform_points <- function(xy, transform) {
  sweep(transform$scale * xy %*% t(transform$rotation), 2L, transform$shift, "+")
}

# One row a slice, distances to the slice before it in spot distances of the first.
alignment_residuals <- function(found) {
  unit <- found[[1L]]$spacing
  number <- function(s, name, at = 1L) if (length(s[[name]]) < at) NA_real_ else s[[name]][[at]]
  column <- function(name, at = 1L) vapply(found, number, 0, name, at, USE.NAMES = FALSE)
  table <- data.frame(
    slice = names(found), onto = c(NA, utils::head(names(found), -1L)),
    mean_before = column("before", 1L) / unit, median_before = column("before", 2L) / unit,
    mean_after = column("after", 1L) / unit, median_after = column("after", 2L) / unit,
    overlap_before = column("before", 3L), overlap_after = column("after", 3L),
    outline = column("outline") / unit, agreement = column("agreement"), rival = column("rival")
  )
  table$problem <- alignment_problem(table)
  table
}

# What is wrong with each alignment; NA for nothing.
alignment_problem <- function(table) {
  problem <- rep(NA_character_, nrow(table))
  set <- function(where, text) problem[which(where & is.na(problem))] <<- text
  set(table$overlap_after < 0.5, "little overlap")
  set(table$agreement < 0.1, "expression disagrees")
  set(!is.na(table$rival), "another turn fits as well")
  problem
}

# What is compared between spots that lie on each other: cells x components of log-normalised counts over the genes that vary most, smoothed over
# neighbours and centred within each slice, so that what differs between whole slices does not count.
alignment_features <- function(counts, coords, slice, threads, n_genes = 500L, n_components = 15L) {
  x <- log_normalised(counts)
  x <- Matrix::t(x[most_variable(x, n_genes), , drop = FALSE])
  loadings <- leading_components(x, n_components)
  scores <- unname(as.matrix(x %*% loadings))
  k <- min(6L, min(table(slice)) - 1L)
  scores <- core(core_tissue_smooth(core(core_tissue(coords_matrix(coords[c("x", "y")]), as.integer(slice), FALSE, threads)), scores, k, 1L))
  for (rows in split(seq_along(slice), slice)) {
    scores[rows, ] <- sweep(scores[rows, , drop = FALSE], 2L, colMeans(scores[rows, , drop = FALSE]))
  }
  scores
}

log_normalised <- function(counts) {
  total <- pmax(Matrix::colSums(counts), 1)
  counts@x <- log1p(counts@x * rep(1e4 / total, diff(counts@p)))
  counts
}

# Rows of the largest variance.
most_variable <- function(x, n) {
  mean <- Matrix::rowMeans(x)
  x@x <- x@x^2
  variance <- Matrix::rowMeans(x) - mean^2
  utils::head(order(variance, decreasing = TRUE), n)
}

# Eigenvectors of the covariance of the columns.
leading_components <- function(x, n) {
  mean <- Matrix::colMeans(x)
  covariance <- as.matrix(Matrix::crossprod(x)) / nrow(x) - tcrossprod(mean)
  eigen(covariance, symmetric = TRUE)$vectors[, seq_len(min(n, ncol(x))), drop = FALSE]
}

# Enough spots to find one turn and shift; memory and time of PASTE grow with their square and cube.
paste_spots <- 1500L
paste_genes <- 1000L

# From each slice to the one before it, by PASTE on a sample of its spots: columns of the matrix (by columns), the shift, and the scale.
paste_steps <- function(coords, slice, counts, mirror, threads) {
  if (is.null(counts)) {
    abort_spax("argument", c("{.code align = \"paste\"} needs counts.", "i" = "Use {.code \"icp\"} to align by coordinates alone."), "align")
  }
  counts <- counts[most_variable(log_normalised(counts), paste_genes), , drop = FALSE]
  places <- lapply(levels(slice), function(s) {
    rows <- which(slice == s)
    xy <- coords_matrix(coords[rows, c("x", "y")])
    sample <- core(core_even_sample(xy, paste_spots))
    list(xy = xy, sample = sample, counts = as.matrix(Matrix::t(counts[, rows[sample], drop = FALSE])))
  })
  steps <- lapply(seq_along(places)[-1L], function(s) core(core_align_paste(places[[s]], places[[s - 1L]], mirror, threads)))
  do.call(rbind, steps)
}

warn_poor_alignment <- function(residuals) {
  poor <- residuals[!is.na(residuals$problem), ]
  if (nrow(poor) == 0L) {
    return(invisible())
  }
  lines <- paste0("slice \"", poor$slice, "\" on \"", poor$onto, "\": ", poor$problem, rival_angle(poor))
  warn_spax("alignment", c(
    "The alignment of {nrow(poor)} slice{?s} is poor.",
    rlang::set_names(gsub("([{}])", "\\1\\1", lines), "x"),
    "i" = "Look at {.fn AlignmentPlot}; try {.code outline = FALSE} in {.fn AlignSlices}, PASTE, or give {.arg counts}."
  ), "align")
}

rival_angle <- function(poor) ifelse(is.na(poor$rival), "", paste0(" (", round(poor$rival), " degrees)"))
