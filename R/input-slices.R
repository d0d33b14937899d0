# Several slices in one run. A layout says how they lie to each other: list(align, mirror, stack, gaps, spot.distance), the user's arguments.
# A task holds `slices`: NULL for one slice, or list(of, stacked, align, transforms, residuals), `of` a factor with one value a cell whose levels are in the
# order of the stack.

# The fewest cells that a slice may have.
fewest_cells <- 20L

check_layout <- function(align, mirror, stack, gaps, spot.distance, several) {
  check_several(several, align, mirror, stack)
  layout <- list(
    align = check_choice(align, c("icp", "paste", "none"), "align"), mirror = mirror, stack = check_flag(stack, "stack"),
    gaps = gaps, spot.distance = spot.distance
  )
  given <- Filter(function(name) !is.null(layout[[name]]), c("gaps", "spot.distance"))
  if (length(given) > 0L && !(several && stack)) {
    abort_spax("argument", c(
      "{.arg {given[[1L]]}} is given, but there is no stack of slices.",
      "i" = "Leave it out, or say which cell lies in which slice, with {.code stack = TRUE}."
    ), given[[1L]])
  }
  layout
}

# What says how slices lie to each other means nothing for one, and may stand where `split.by` was forgotten.
check_several <- function(several, align, mirror, stack) {
  check_mirror(mirror)
  set <- c(align = !identical(align, "icp"), mirror = !identical(mirror, "auto"), stack = !isTRUE(stack))
  given <- union(intersect(names(set), user_arguments()), names(set)[set])
  if (!several && length(given) > 0L) {
    abort_spax("argument", c(
      "{.arg {given[[1L]]}} is given, but there are no slices.",
      "i" = "Say which cell lies in which slice, with {.arg split.by} for an object or {.arg slice} for matrices, or leave it out."
    ), given[[1L]])
  }
}

# The slice of each cell as a factor, in the order of the stack; NULL when there is one slice only. `argument` is what the user gave it as;
# `leave`: small slices are seen to later.
as_slices <- function(slice, cells, stack, argument, leave = FALSE) {
  if (is.null(slice)) {
    return(NULL)
  }
  check_slice_order(slice, stack, argument)
  found <- droplevels(check_companion(slice, rlang::set_names(factor(cells), cells), argument))
  if (anyNA(found)) {
    abort_spax("argument", c(
      "{.arg {argument}} is missing for {sum(is.na(found))} cell{?s}: {some_of(cells[is.na(found)])}.",
      "i" = "Fill it in, or take {cli::qty(sum(is.na(found)))}{?this cell/these cells} out of the input first."
    ), argument)
  }
  if (!leave) check_slice_sizes(found, argument)
  if (nlevels(found) > 1L) rlang::set_names(found, cells)
}

# The order of the alphabet, or of numbers, is rarely that of the tissue, and a wrong stack is worse than none. Two slices have but one order.
check_slice_order <- function(slice, stack, argument) {
  names <- unique(slice)
  if (stack && !is.factor(slice) && length(names) > 2L) {
    abort_spax("argument", c(
      "{.arg {argument}} has {length(names)} slices and no order: {some_of(names)}.",
      "i" = "Make it a factor with the levels in the order of the stack, or use {.code stack = FALSE} for slices that are no neighbours."
    ), argument)
  }
}

check_slice_sizes <- function(slice, argument) {
  few <- small_slices(slice)
  if (length(few) > 0L) {
    abort_spax("argument", c(
      "{cli::qty(length(few))}The slice{?s} {some_of(few)} of {.arg {argument}} {cli::qty(length(few))}{?has/have} fewer than {fewest_cells} cells.",
      "i" = "Take {cli::qty(length(few))}{?it/them} out of the input, or join {?it/them} with another slice; {.code options(spaxR.leave_out_small_slices = TRUE)} leaves {?it/them} out in {.fn RunSpaCross} and {.fn RunPredictivePCA}."
    ), argument)
  }
}

small_slices <- function(slice) {
  sizes <- table(slice)
  names(sizes)[sizes > 0L & sizes < fewest_cells]
}

leaves_out_small <- function() isTRUE(getOption("spaxR.leave_out_small_slices"))

# The input of a run and its slices without the small ones, as cores of a tissue array may be, where the user chose so.
without_small_slices <- function(input, slice) {
  few <- if (!is.null(slice) && leaves_out_small() && length(slice) == length(input$cells)) small_slices(slice)
  if (length(few) == 0L) {
    return(list(input = input, slice = slice))
  }
  slice <- check_companion(slice, rlang::set_names(factor(input$cells), input$cells), "slice")
  keep <- which(!slice %in% few)
  warn_spax("slices", c(
    "{cli::qty(length(few))}The slice{?s} {.val {few}} {?has/have} fewer than {fewest_cells} cells, and {cli::qty(length(few))}{?is/are} left out: {length(slice) - length(keep)} cell{?s} get no domain.",
    "i" = "{.code options(spaxR.leave_out_small_slices = FALSE)} makes that an error."
  ), "slice")
  list(input = cells_of_task(input, keep), slice = droplevels(slice[keep]))
}

# What a task holds of its cells, for some of them.
cells_of_task <- function(task, rows) {
  task$cells <- task$cells[rows]
  task$coords <- task$coords[rows, , drop = FALSE]
  if (!is.null(task$counts)) task$counts <- task$counts[, rows, drop = FALSE]
  if (!is.null(task$embedding)) task$embedding <- task$embedding[rows, , drop = FALSE]
  if (!is.null(task$modalities)) task$modalities <- lapply(task$modalities, take_cells, cells = task$cells)
  if (!is.null(task$slices)) task$slices$of <- droplevels(task$slices$of[rows])
  task$samples <- lapply(task$samples, `[`, rows)
  task
}

# Coordinates in one frame with a height, or as they are when nothing joins the slices.
place_slices <- function(task, slice, layout) {
  if (is.null(slice)) {
    return(NULL)
  }
  if (!layout$stack) {
    return(list(slices = list(of = slice, stacked = FALSE, align = "none")))
  }
  placed <- align_slices(task$coords, slice,
    method = layout$align, counts = task$counts, gaps = layout$gaps, spot.distance = layout$spot.distance, mirror = layout$mirror,
    threads = task$threads, verbose = task$verbose
  )
  list(coords = placed$coords, slices = list(
    of = slice, stacked = TRUE, align = layout$align, transforms = placed$transforms, residuals = placed$residuals
  ))
}

slice_codes <- function(slices) if (!is.null(slices)) unname(as.integer(slices$of))

# Whether neighbours are looked for among all cells: one slice, or a stack.
is_stacked <- function(slices) is.null(slices) || slices$stacked

# What a result says about its slices; `coords` only where they were moved.
slice_parts <- function(task) {
  slices <- task$slices
  if (is.null(slices)) {
    return(NULL)
  }
  c(list(slice = slices$of), list(alignment = c(
    list(align = slices$align, stacked = slices$stacked), if (slices$stacked) list(coords = task$coords),
    slices[intersect(c("transforms", "residuals"), names(slices))]
  )))
}

slice_names <- function(x) {
  given <- rlang::names2(x)
  names <- ifelse(nzchar(given), given, paste0("slice", seq_along(x)))
  if (anyDuplicated(names)) {
    abort_spax("argument", c(
      "Slices of {.arg object} share the name{?s} {.val {unique(names[duplicated(names)])}}.", "i" = "Give each slice of the list a name of its own, or none."
    ), "object")
  }
  names
}

# Cells that several slices share the names of, as those of Visium do, or that have none, are called after their slice.
names_apart <- function(cells, named = TRUE) {
  shared <- anyDuplicated(unlist(cells, use.names = FALSE)) > 0L
  if (!shared && named) {
    return(cells)
  }
  prefixed <- Map(function(name, x) paste0(name, "_", x), names(cells), cells)
  if (named) {
    cli::cli_inform(c("i" = "Slices share names of cells: inside they are called after their slice, as {.val {prefixed[[1L]][[1L]]}}."), class = "spaxR_message_cells")
  }
  prefixed
}
