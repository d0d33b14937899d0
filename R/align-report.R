# What is said of an alignment: messages, the table of residuals, the warning.

# The thickness of a section where none is given.
section_thickness <- 10

# `given`: list(gaps, spot.distance), the user's; NULL where the coordinates bring the heights.
inform_alignment <- function(found, residuals, settings, given) {
  if (!is.null(given)) inform_heights(found[[1L]]$lattice != "irregular", given)
  if (settings$mirror == "auto") inform_mirrored(residuals)
  if (settings$scale == "grids") inform_scaled(found)
}

inform_heights <- function(regular, given) {
  no_distance <- is.null(given$spot.distance)
  said <- c(
    if (is.null(given$gaps)) "Slices are taken to lie {section_thickness} micrometres apart ({.arg gaps}).",
    if (no_distance && regular) "Spots on a grid are taken as Visium, 100 micrometres apart ({.arg spot.distance}).",
    if (no_distance && !regular) "Coordinates are taken as micrometres ({.arg spot.distance})."
  )
  if (length(said) > 0L) cli::cli_inform(rlang::set_names(said, "i"))
}

inform_mirrored <- function(residuals) {
  for (at in which(residuals$mirrored)) {
    row <- residuals[at, ]
    cli::cli_inform(c("i" = paste(
      "Slice {.val {row$slice}} is turned over: its mirror image agrees clearly better with {.val {row$onto}}",
      "(expression {round(row$agreement, 2L)}, as given {round(row$other_side, 2L)}; {.arg mirror})."
    )))
  }
}

# Images of one size differ by less.
inform_scaled <- function(found) {
  scale <- vapply(found, function(s) s$scale, 0)
  for (name in names(found)[abs(log(scale)) > log(1.02)]) {
    cli::cli_inform(c("i" = "Slice {.val {name}} is scaled by {signif(scale[[name]], 3L)}, to the spot distance of {.val {names(found)[[1L]]}}."))
  }
}

# One row a slice, distances to the slice before it in spot distances of the first.
alignment_residuals <- function(found) {
  pairs <- lapply(unname(found), function(s) s$pair)
  number <- function(pair, name, at) if (length(pair[[name]]) < at) NA_real_ else pair[[name]][[at]]
  column <- function(name, at = 1L) vapply(pairs, number, 0, name, at)
  problem <- vapply(pairs, function(pair) pair$problem %||% NA_character_, "")
  data.frame(
    slice = names(found), onto = c(NA, utils::head(names(found), -1L)),
    mean_before = column("before", 1L), median_before = column("before", 2L),
    mean_after = column("after", 1L), median_after = column("after", 2L),
    overlap_before = column("before", 3L), overlap_after = column("after", 3L),
    outline = column("outline"), agreement = column("agreement"), chance = column("chance"), other_side = column("other_side"),
    mirrored = turned_over(found), spacing = column("spacing"), extent = column("extent"), rival = column("rival"),
    problem = unname(alignment_problems[problem])
  )
}

# Against the slice before it: the transforms are those to the first.
turned_over <- function(found) {
  mirrored <- vapply(found, function(s) s$mirrored, NA, USE.NAMES = FALSE)
  c(NA, mirrored[-1L] != mirrored[-length(mirrored)])
}

alignment_problems <- c(
  units = "another unit", overlap = "little overlap", expression = "expression disagrees", chance = "expression agrees no better than by chance",
  mirror = "the mirror image agrees better", rival = "another turn fits as well"
)

warn_poor_alignment <- function(residuals) {
  poor <- residuals[!is.na(residuals$problem), ]
  if (nrow(poor) == 0L) {
    return(invisible())
  }
  lines <- paste0("slice \"", poor$slice, "\" on \"", poor$onto, "\": ", poor$problem, rival_angle(poor))
  warn_spax("alignment", c(
    "The alignment of {nrow(poor)} slice{?s} is poor.",
    rlang::set_names(in_braces(lines), "x"),
    alignment_remedies(poor$problem)
  ), "align")
}

alignment_remedies <- function(problems) {
  told <- c(
    if (alignment_problems[["units"]] %in% problems) "Bring the coordinates to one unit, or use {.code scale = TRUE} in {.fn AlignSlices}.",
    if (alignment_problems[["mirror"]] %in% problems) "{.code mirror = TRUE} takes the mirror image; if no slice was turned over, say so by {.code mirror = FALSE}.",
    "Look at {.fn AlignmentPlot}; try {.code outline = FALSE} in {.fn AlignSlices}, PASTE, or give {.arg counts}."
  )
  rlang::set_names(told, "i")
}

rival_angle <- function(poor) ifelse(is.na(poor$rival), "", paste0(" (", round(poor$rival), " degrees)"))
