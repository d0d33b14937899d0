# Which columns of a table are x and y.

# The usual names, c(x, y, z) as plain_name() writes them, the first found counts: the slide before a field of view,
# pixels of the image before the array. `?SpatialCoords` lists them.
axis_names <- list(
  c("x", "y", "z"),
  c("pxlcolinfullres", "pxlrowinfullres"),
  c("imagecol", "imagerow"),
  c("sdimx", "sdimy", "sdimz"),
  c("xcentroid", "ycentroid", "zcentroid"),
  c("centerxglobalpx", "centeryglobalpx"),
  c("xglobalpx", "yglobalpx"),
  c("xslidemm", "yslidemm"),
  c("centerx", "centery", "centerz"),
  c("centroidx", "centroidy", "centroidz"),
  # Of scikit-image, rows first.
  c("centroid1", "centroid0"),
  c("spaxx", "spaxy", "spaxz"),
  c("spatial1", "spatial2", "spatial3"),
  c("centerxlocalpx", "centerylocalpx"),
  c("xlocalpx", "ylocalpx"),
  c("arraycol", "arrayrow"),
  c("col", "row")
)

# Rows of an array.
array_names <- c("arrayrow", "row")

# Without case, dots and lines; the micro sign is a letter u.
plain_name <- function(x) gsub("[^a-z0-9]", "", tolower(gsub("[\u00b5\u03bc]", "u", x)))

# The columns for x, y and, where there is one, z: list(at = which they are, known = whether their names say so).
find_known_axes <- function(table) exact_axes(table) %||% known_axes(table)

# `but`: columns of cell names, which are no places.
guess_axes <- function(table, but) paired_axes(table, but) %||% two_numbers(table, but)

# Columns that are places whatever they hold, and so no names of cells: the only two columns of numbers, at least.
axes_no_names <- function(table, known) {
  numbers <- number_columns(table)
  known$at %||% if (length(numbers) == 2L) numbers
}

exact_axes <- function(table) {
  at <- lapply(c("x", "y", "z"), function(name) which(names(table$columns) == name))
  if (all(lengths(at[1:2]) == 1L)) list(at = unlist(at[lengths(at) == 1L]), known = TRUE)
}

known_axes <- function(table) {
  plain <- plain_name(names(table$columns))
  for (axes in axis_names) {
    at <- lapply(axes, function(name) which(plain == name))
    if (all(lengths(at[1:2]) > 0L)) {
      if (any(lengths(at) > 1L)) abort_axes(table, unlist(at), "has several columns for one axis")
      return(list(at = unlist(at), known = TRUE))
    }
  }
}

# Names that differ in one letter, x and y, as in "Centroid X" and "Centroid Y", or in "col" and "row", as in "px_col"
# and "px_row".
paired_axes <- function(table, but) {
  names <- tolower(names(table$columns))
  numbers <- setdiff(number_columns(table), but)
  pairs <- rbind(
    axis_pairs(names, numbers, "x", "y"), axis_pairs(names, numbers, "column", "row"),
    axis_pairs(names, numbers, "col", "row")
  )
  if (is.null(pairs)) {
    return(NULL)
  }
  if (nrow(pairs) > 1L) abort_axes(table, as.vector(t(pairs)), "has several pairs of columns that could be x and y")
  list(at = as.vector(pairs), known = FALSE)
}

# Which columns are called alike but for one place, where the first has `x` and the second `y`.
axis_pairs <- function(names, columns, x, y) {
  do.call(rbind, lapply(columns, function(i) {
    places <- gregexpr(x, names[[i]], fixed = TRUE)[[1L]]
    behind <- function(place) substring(names[[i]], place + nchar(x))
    before <- function(place) substr(names[[i]], 1L, place - 1L)
    partners <- vapply(places[places > 0L], function(place) paste0(before(place), y, behind(place)), "")
    j <- columns[names[columns] %in% partners]
    if (length(j) > 0L) cbind(i, j)
  }))
}

two_numbers <- function(table, but) {
  numbers <- setdiff(number_columns(table), but)
  lone <- Filter(
    function(i) plain_name(names(table$columns)[[i]]) %in% unlist(lapply(axis_names, `[`, 1:2)),
    seq_along(table$columns)
  )
  if (length(lone) > 0L) {
    abort_axes(table, lone, "has a column for one axis, and none for the other")
  }
  if (length(numbers) > 2L) {
    abort_axes(table, numbers, "has several columns of numbers, and none are called x and y")
  }
  if (length(numbers) < 2L) {
    abort_spax("coords", c(
      paste(
        "{.arg coords} must be a matrix or data frame with two columns of numbers for x and",
        "y; of {quoted(table, seq_along(table$columns))}, {length(numbers)} can be that."
      ),
      "i" = "Give the columns x and y, one row a cell{text_remedy(table, but)}."
    ), "coords")
  }
  names <- names(table$columns)[numbers]
  if (nzchar(names[[1L]]) && names[[1L]] == names[[2L]]) abort_axes(table, numbers, "has two columns of one name")
  list(at = numbers, known = FALSE)
}

# Numbers that were read as text, in columns without known names.
text_remedy <- function(table, but) {
  text <- Filter(function(i) is_number_text(table$columns[[i]]), setdiff(seq_along(table$columns), but))
  if (length(text) > 0L) paste0("; make text numbers with as.numeric(), as of column ", quoted(table, text[[1L]]))
}

is_number_text <- function(x, dec = ".") {
  x <- x[!is.na(x)]
  text <- if (is.character(x) || is.factor(x)) sub(dec, ".", as.character(x), fixed = TRUE)
  length(text) > 0L && !anyNA(suppressWarnings(as.numeric(text)))
}

# Numbers that could be places by what they are called.
number_columns <- function(table) {
  numbers <- unname(which(vapply(table$columns, is_number_column, NA)))
  Filter(function(i) !is_name_column(table, i) && !grepl(never_places, plain_name(names(table$columns)[[i]])), numbers)
}

# What platforms measure of a cell.
never_places <- paste0(
  "^(fov|intissue|tissue|area|cellarea|nucleusarea|volume|width|height|size|aspectratio|angle|solidity|",
  "cluster|label|domain|layer|slice|section|n?(counts?|umis?|genes?|features?|transcripts?|total)[a-z]*|",
  "(total|control|unassigned|deprecated)[a-z]*counts?|percent[a-z]*|pct[a-z]*|(mean|max|min|median)[a-z]+)$"
)

is_name_column <- function(table, i) {
  grepl(
    paste0(
      "^((cell|spot|bead|bin|entity|object|row)?(barcodes?|ids?|names?|index)|",
      "cellbarcodes?|cells?|spots?|beads?|bins?|rn)$"
    ),
    plain_name(names(table$columns)[[i]])
  )
}

is_number_column <- function(x) is.null(dim(x)) && (is.numeric(x) || inherits(x, "integer64"))

quoted <- function(table, columns) paste0("\"", column_names(table)[columns], "\"", collapse = ", ")

# Columns without names go by their numbers.
column_names <- function(table) {
  names <- names(table$columns)
  ifelse(nzchar(names), names, as.character(seq_along(names)))
}

abort_axes <- function(table, columns, what) {
  abort_spax("coords", c(
    "{.arg coords} {what}: {quoted(table, unique(columns))}.",
    "i" = paste(
      "Keep the two columns that are the places, x first, or name them",
      "x and y; {.help SpatialCoords} lists the names that are known."
    ),
    if (length(table$columns) == 6L && !any(nzchar(sub("^V[1-6]$", "", names(table$columns))))) {
      c(
        "i" = paste(
          "The columns of {.file tissue_positions_list.csv} are barcode, in_tissue,",
          "array_row, array_col, pxl_row_in_fullres and pxl_col_in_fullres."
        )
      )
    }
  ), "coords")
}

# One axis as numbers.
axis_values <- function(table, column) {
  x <- table$columns[[column]]
  if (!is_number_column(x)) {
    remedy <- if (is_number_text(x, dec = ",") && !is_number_text(x)) {
      "Its decimals have a comma: read the file with {.code dec = \",\"}."
    } else if (!is_number_text(x)) {
      "Choose the columns that hold the places."
    } else if (is.factor(x)) {
      "Make it numbers: {.code as.numeric(as.character(...))}."
    } else {
      "Make it numbers: {.code as.numeric(...)}."
    }
    abort_spax("coords", c(
      "The columns of {.arg coords} must be numbers; {quoted(table, column)} is {.cls {class(x)[[1L]]}}.", "i" = remedy
    ), "coords")
  }
  if (inherits(x, "integer64")) check_packages("bit64", "A column of 64-bit integers")
  as.double(x)
}

# Columns and rows of a hexagonal array: every other place is empty, and rows are farther apart than columns.
is_hexagonal <- function(column, row) {
  whole <- all(is.finite(column), is.finite(row)) && all(column == round(column), row == round(row))
  whole && length(unique(row %% 2)) == 2L && length(unique((column + row) %% 2)) == 1L
}

# x, y and, where it differs between cells, z, and how they were found: list(places, columns, guessed, hexagonal, third,
# height = the z of all, y_down).
read_axes <- function(table, found) {
  at <- found$at
  places <- data.frame(x = axis_values(table, at[[1L]]), y = axis_values(table, at[[2L]]))
  z <- if (length(at) > 2L) unique(table$columns[[at[[3L]]]])
  deep <- length(z) > 1L
  if (deep) places$z <- axis_values(table, at[[3L]])
  y_name <- plain_name(names(table$columns)[[at[[2L]]]])
  hexagonal <- found$known && y_name %in% array_names && is_hexagonal(places$x, places$y)
  if (hexagonal) places$y <- places$y * sqrt(3)
  list(
    places = places,
    columns = column_names(table)[at[seq_len(ncol(places))]],
    hexagonal = hexagonal,
    y_down = found$known && down_by_name(y_name),
    # Columns without names of their own say nothing, and nothing can be said of them.
    guessed = !found$known && !all(grepl("^(V?[0-9]+)?$", names(table$columns)[at])),
    third = if (deep) column_names(table)[[at[[3L]]]],
    height = if (length(z) == 1L && is.numeric(z) && is.finite(z)) as.double(z)
  )
}

is_field_column <- function(name) {
  grepl("^(fovs?|fields?ofview|fields?|tiles?)(id|name|number|index)?$", plain_name(name))
}

# Columns that are called as samples are, as what differs between them, or as fields of view, whose local coordinates
# start anew.
sample_columns <- function(columns) {
  plain <- plain_name(names(columns))
  called <- grepl(
    paste0(
      "^((brain|tissue|tma|bio|biological|tech|technical)?",
      "(sample|slice|slide|section|library|donor|patient|subject|specimen|puck|batch|replicate|animal|mouse|core|roi|",
      "run|chip|image|capturearea)(id|name|label|number|index|nr)?|",
      "origident|condition|treatment|timepoint|genotype|sex|bregma)$"
    ),
    plain
  ) | is_field_column(names(columns))
  found <- Filter(function(x) is.atomic(x) && is.null(dim(x)), as.list(columns)[called])
  # Every Seurat object has this one; what the user calls a sample says more.
  found[order(plain_name(names(found)) == "origident")]
}
