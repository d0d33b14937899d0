# The slices of an object, and where its cells lie.

# The slices of an object: a column of its meta data, or its images. `joins`: fields of view of one tissue are no slices.
object_slices <- function(object, split.by, stack, coords, joins = stack) {
  if (is.null(split.by)) {
    return(NULL)
  }
  slice <- slice_column(object, split.by)
  if (isTRUE(joins) && !is_by_image(object, split.by) && are_fields(object, split.by, slice, coords)) {
    return(NULL)
  }
  as_slices(slice, cell_names(object), stack, "split.by", leave = leaves_out_small())
}

# The slice of each cell by the name of a column; "image": its image.
slice_column <- function(object, split.by) {
  if (is.null(split.by)) {
    return(NULL)
  }
  if (!is_by_image(object, split.by)) {
    return(meta_column(object, split.by, "split.by"))
  }
  image <- image_coords(object)$image
  if (!is.null(image)) rlang::set_names(image, cell_names(object))
}

is_by_image <- function(object, split.by) identical(split.by, "image") && !"image" %in% names(meta_table(object))

# The coordinates of an object with slices: one image a slice, if they come from images.
object_slice_coords <- function(object, coords, slice) {
  coords <- coords %||% kept_coords(object)
  if (is.null(slice)) {
    return(structure(check_one_slice(SpatialCoords(object, coords)), samples = object_samples(object)))
  }
  if (is.null(coords)) check_slices_covered(object, slice)
  place <- SpatialCoords(object, coords)
  if (!is.null(place$image)) check_one_image(place$image, slice)
  place
}

check_slices_covered <- function(object, slice) {
  covered <- image_cells(object)
  absent <- setdiff(levels(slice), unique(as.character(slice[names(slice) %in% covered])))
  if (length(covered) > 0L && length(absent) > 0L) {
    abort_spax("coords", c(
      "No image of the object holds cells of the slice{?s} {.val {absent}}.",
      "i" = "Add the image, give {.arg coords}, or take the slice out."
    ), "coords")
  }
}

check_one_image <- function(image, slice) {
  images <- lapply(split(image, slice), function(x) levels(droplevels(x)))
  several <- Filter(function(x) length(x) > 1L, images)
  if (length(several) > 0L) {
    abort_spax("coords", c(
      "The slice {.val {names(several)[[1L]]}} lies in {length(several[[1L]])} images ({.val {several[[1L]]}}), whose coordinates do not share a frame.",
      "i" = "Split by another column, or give {.arg coords} in one frame a slice."
    ), "split.by")
  }
}

# Columns of an object that may tell samples apart, and its images.
object_samples <- function(object) {
  columns <- sample_columns(meta_table(object))
  images <- if (length(image_names(object)) > 1L) tryCatch(suppressMessages(image_coords(object), "spaxR_message_fields")$image, spaxR_error_coords = function(e) NULL)
  if (!is.null(images)) columns$image <- images
  columns
}
