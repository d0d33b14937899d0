# Labels that users give: a value a cell.

# Labels as a factor with names, if they came with any.
as_labels <- function(labels, argument = "object") {
  if (!is.atomic(labels) || length(labels) == 0L || !is.null(dim(labels))) {
    abort_spax("argument", c(
      "{.arg {argument}} must be a factor or vector of labels, one a cell, not {show_value(labels)}."
    ), argument)
  }
  result <- if (is.factor(labels)) labels else factor(labels, in_order(unique(labels)))
  if (all(is.na(result))) {
    abort_spax("argument", c("All labels in {.arg {argument}} are missing.", "i" = "Choose another column."), argument)
  }
  rlang::set_names(result, names(labels))
}

# Numbers that became text, as domains do where objects are merged, by their size.
in_order <- function(values) {
  values <- sort(values)
  if (is.character(values) && all(grepl("^[0-9]{1,9}$", values))) values[order(as.integer(values))] else values
}

meta_labels <- function(object, column, argument) {
  as_labels(meta_column(object, column, argument), argument)
}

# Coordinates in the order of the labels, the image kept if they have been through SpatialCoords() before.
label_coords <- function(labels, coords) {
  if (rlang::is_missing(coords)) coords <- NULL
  place <- SpatialCoords.default(names(labels), coords)
  if (is.null(names(labels))) {
    check_coords_length(nrow(place), length(labels))
    if (identical(attr(place, "found")$rows, "row names")) say_order()
  }
  if (is.data.frame(coords) && is.factor(coords$image) && all(rownames(place) %in% rownames(coords))) {
    place$image <- coords[rownames(place), "image"]
  }
  place
}

# What the user gave the slices as.
slice_argument <- function() if ("split.by" %in% user_arguments()) "split.by" else "slice"

# The slice of each cell that has a label, or of all: none is left out in silence.
check_slice_labels <- function(slice, labels, all = FALSE) {
  slice <- check_companion(slice, labels, slice_argument())
  lost <- if (!is.null(slice)) sum(is.na(slice) & (all | !is.na(labels))) else 0L
  if (lost > 0L) {
    abort_spax("argument", c(
      "{.arg {slice_argument()}} is missing for {lost} cell{?s}.",
      "i" = "Fill it in, or take {cli::qty(lost)}{?this cell/these cells} out of the input first."
    ), slice_argument())
  }
  slice
}

# Whoever draws the columns of one table knows that, and need not hear it each time.
say_order <- function() {
  cli::cli_inform(
    c("i" = "The labels have no names: they are taken in the order of the rows of {.arg coords}."),
    class = "spaxR_message_coords", .frequency = "once", .frequency_id = "spaxR_labels_without_names"
  )
}

# The slice of each cell: the one given, else its image, else one for all.
slice_groups <- function(coords, slice) {
  slice <- slice %||% coords$image %||% rep("all", nrow(coords))
  droplevels(as.factor(slice))
}

# Labels that go with others: as many, and matched by name where both have names.
check_companion <- function(x, labels, argument) {
  if (is.null(x)) {
    return(NULL)
  }
  x <- as_labels(x, argument)
  if (length(x) != length(labels)) {
    abort_spax("argument", c(
      "{.arg {argument}} has {length(x)} value{?s} for {length(labels)} cells.",
      "i" = "Give one a cell, in the order of the cells."
    ), argument)
  }
  if (!is.null(names(x)) && !is.null(names(labels)) && setequal(names(x), names(labels))) x <- x[names(labels)]
  x
}
