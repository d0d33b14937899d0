# Which rows of a table belong to which cells.

# A matrix or data frame of any kind as list(columns = a list, names = row names or NULL, n = rows). Automatic row names
# are no names.
plain_table <- function(coords) {
  coords <- without_features(coords)
  if (length(dim(coords)) != 2L || ncol(coords) < 1L) {
    abort_spax("coords", c(
      "{.arg coords} must be a matrix or data frame with two columns, not {show_value(coords)}.",
      "i" = "Give the columns x and y, one row a cell."
    ), "coords")
  }
  if (inherits(coords, "Matrix")) coords <- as.matrix(coords)
  columns <- if (is.data.frame(coords)) {
    as.list(coords)
  } else if (inherits(coords, "DataFrame")) {
    lapply(as.list(coords), S4Vectors::decode)
  } else {
    lapply(seq_len(ncol(coords)), function(i) as.vector(coords[, i]))
  }
  names <- colnames(coords) %||% rep("", ncol(coords))
  names(columns) <- ifelse(is.na(names), "", names)
  list(columns = columns, names = if (has_row_names(coords)) rownames(coords), n = nrow(coords))
}

# The numbers 1, 2, ... in this order are no names, whether R keeps them as such or not.
has_row_names <- function(x) {
  if (is.data.frame(x)) {
    .row_names_info(x) > 0L && !identical(attr(x, "row.names"), seq_len(nrow(x)))
  } else {
    !is.null(rownames(x))
  }
}

# The rows of the cells, in their order: list(rows, by = "row names", a column, or "order", column = which it is).
# `cells` NULL: all rows, by the names that they have. `axes`: columns that are known to be places, and so no names.
match_rows <- function(table, cells, axes) {
  if (is.null(cells)) {
    return(named_rows(table, axes))
  }
  found <- name_candidates(table, cells, axes)
  whole <- Filter(function(m) !anyNA(m$rows), found)
  sure <- Filter(function(m) m$kind != "number", whole)
  whole <- if (length(sure) > 0L) sure else whole
  if (length(whole) == 0L) {
    return(unmatched_rows(table, found, cells))
  }
  once <- Filter(function(m) length(twice_named(m, cells)) == 0L, whole)
  if (length(once) == 0L) abort_twice(twice_named(whole[[1L]], cells), whole[[1L]], table)
  if (!all(vapply(once, function(m) identical(m$rows, once[[1L]]$rows), NA))) abort_rival_names(once)
  # Numbers in another order may be those of the cells, or ranks of anything.
  first <- once[[1L]]
  counted <- first$kind == "number" && identical(cells, as.character(seq_along(cells)))
  if (counted && is.unsorted(first$rows)) abort_rival_names(c(once, list(list(by = "the order of the rows"))))
  first
}

# What may hold the cells' names. Its kind: "names" are called so, "text" is none that can be read as numbers, and of a
# "number" only its values can tell.
name_candidates <- function(table, cells, axes) {
  columns <- lapply(setdiff(seq_along(table$columns), axes), function(i) column_candidate(table, i, cells))
  rows <- if (!is.null(table$names)) list(candidate(table$names, cells, "row names", "names"))
  Filter(Negate(is.null), c(rows, columns, field_candidates(table, cells)))
}

candidate <- function(names, cells, by, kind, column = integer()) {
  list(rows = match(cells, names), names = names, by = by, kind = kind, column = column)
}

column_candidate <- function(table, i, cells) {
  x <- table$columns[[i]]
  named <- is_name_column(table, i)
  if (!is.null(dim(x)) || !is.atomic(x)) {
    return(NULL)
  }
  wide <- inherits(x, "integer64")
  if (wide && !requireNamespace("bit64", quietly = TRUE)) {
    return(NULL)
  }
  # Cells may be named by numbers, and then read as such.
  digits <- is.numeric(x) && !wide && all(grepl("^[0-9]{1,15}$", cells))
  kind <- if (named) {
    "names"
  } else if (is.numeric(x) || is_number_text(x)) {
    "number"
  } else {
    "text"
  }
  candidate(
    if (digits) x else as.character(x),
    if (digits) as.numeric(cells) else cells,
    paste("column", quoted(table, i)),
    kind,
    i
  )
}

# CosMx numbers its cells anew in each field of view. Seurat names them cell_fov, other readers fov_cell, and the
# platform's own tables c_slide_fov_cell.
field_candidates <- function(table, cells) {
  plain <- plain_name(names(table$columns))
  at <- match(c("cellid", "fov"), plain)
  if (anyNA(at)) {
    return(NULL)
  }
  cell <- as.character(table$columns[[at[[1L]]]])
  fov <- as.character(table$columns[[at[[2L]]]])
  slide <- unique(sub("^(c_[0-9]+_)[0-9]+_[0-9]+$", "\\1", cells))
  orders <- list(
    list(names = paste(cell, fov, sep = "_"), at = at),
    list(names = paste(fov, cell, sep = "_"), at = rev(at)),
    # Of one slide only: the table does not say which.
    if (length(slide) == 1L) list(names = paste0(slide, fov, "_", cell), at = rev(at))
  )
  found <- lapply(Filter(Negate(is.null), orders), function(order) {
    candidate(order$names, cells, paste("columns", quoted(table, order$at)), "text", order$at)
  })
  # The orders that have most of the cells: one, as a rule.
  share <- vapply(found, function(m) sum(!is.na(m$rows)), 0)
  if (all(share == 0)) found[1L] else found[share == max(share)]
}

# Names of wanted cells that the column holds more than once.
twice_named <- function(match, cells) {
  repeated <- unique(match$names[duplicated(match$names)])
  cells[!is.na(match$rows) & match$names[match$rows] %in% repeated]
}

# No column holds all cells: an error that says which cells lack, or no names at all, and then the rows are the cells as
# they stand.
unmatched_rows <- function(table, found, cells) {
  share <- vapply(found, function(m) mean(!is.na(m$rows)), 0)
  like <- vapply(found, function(m) could_be_names(m, table$n), NA)
  if (any(share[like] > 0)) {
    best <- found[like][[which.max(share[like])]]
    twice <- twice_named(best, cells)
    if (length(twice) > 0L) abort_twice(twice, best, table)
    absent <- cells[is.na(best$rows)]
    abort_absent_coords(absent, length(cells), best$by, said_likeness(absent, list(best)))
  }
  if (is_turned(table, length(cells))) abort_turned_coords(table, length(cells))
  if (any(like)) abort_unlike(cells, found[like])
  check_coords_length(table$n, length(cells))
  list(rows = seq_len(table$n), by = "order", column = integer())
}

# Names are mostly different (but for those of several samples), and labels are not; numbers tell nothing.
could_be_names <- function(match, n) {
  different <- length(unique(match$names[!is.na(match$names)]))
  switch(match$kind, names = different > n / 50, text = different > 0.75 * n, FALSE)
}

# All rows; their names, if a column or the row names can be names.
named_rows <- function(table, axes) {
  if (!is.null(table$names)) {
    check_unique(table$names, "coords")
    return(list(rows = seq_len(table$n), by = "row names", column = integer(), cells = table$names))
  }
  found <- Filter(
    function(m) m$kind != "number" && !anyNA(m$names) && !anyDuplicated(m$names),
    name_candidates(table, character(), axes)
  )
  called <- Filter(function(m) m$kind == "names", found)
  found <- if (length(called) > 0L) called else found
  if (length(found) != 1L) {
    return(list(rows = seq_len(table$n), by = "order", column = integer(), cells = paste0("cell", seq_len(table$n))))
  }
  utils::modifyList(found[[1L]], list(rows = seq_len(table$n), cells = format_names(found[[1L]]$names)))
}

# Outlines and molecules have many rows a cell; a few cells of many have two by mistake, or in two samples.
abort_twice <- function(twice, match, table) {
  many <- stats::median(tabulate(factor(match$names, unique(match$names)))) >= 3
  abort_spax("argument", c(
    "{.arg coords} has {length(twice)} of the cells more than once, by its {match$by}: {some_of(twice)}.",
    "i" = if (many) {
      paste0(
        "Outlines and molecules have many rows a cell, and a cell lies at one place: use the platform's table of ",
        "cells, or their means, for instance {.code ", in_braces(mean_code(match, table)), "}."
      )
    } else {
      paste(
        "Keep one row a cell, for instance with {.fn unique}. Cells of several samples that share names need the",
        "sample in front, as in {.code paste(sample, barcode, sep = \"_\")}, in both places."
      )
    }
  ), "coords")
}

# How to get one place a cell.
mean_code <- function(match, table) {
  axes <- (find_known_axes(table) %||% paired_axes(table, match$column))$at
  quoted <- function(x) deparse(as.name(x), backtick = TRUE)
  code <- function(columns) paste(vapply(column_names(table)[columns], quoted, ""), collapse = ", ")
  at <- if (length(axes) >= 2L) code(axes[1:2]) else "x, y"
  by <- if (length(match$column) == 0L) "cell" else gsub(", ", " + ", code(match$column))
  paste0("aggregate(cbind(", at, ") ~ ", by, ", coords, mean)")
}

# A row an axis, a column a cell.
is_turned <- function(table, n_cells) table$n %in% 2:3 && length(table$columns) == n_cells && n_cells > 3L

abort_turned_coords <- function(table, n_cells) {
  abort_spax("coords", c(
    "{.arg coords} has {table$n} rows and {length(table$columns)} columns for {n_cells} cells.",
    "i" = "Turn it round, one row a cell: {.code t(coords)}."
  ), "coords")
}

abort_rival_names <- function(matches) {
  by <- vapply(matches, `[[`, "", "by")
  abort_spax("coords", c(
    "{.arg coords} can be matched to the cells in several ways that disagree: by {paste(by, collapse = ', by ')}.",
    "i" = "Call the column with the names {.val cell_id}, or keep it alone."
  ), "coords")
}

abort_unlike <- function(cells, like) {
  shown <- vapply(
    like, function(m) paste0(m$by, " with ", some_of(format_names(utils::head(m$names[!is.na(m$names)], 2L)))), ""
  )
  abort_spax("coords", c(
    paste(
      "None of the {length(cells)} cell names is in {.arg coords}: cells are called",
      "{some_of(cells, 2L)}; what it has of names is {paste(shown, collapse = '; ')}."
    ),
    said_likeness(cells, like),
    "i" = paste(
      "Give both the same names. To take its rows in the order of the cells,",
      "leave names out: no such column, and {.code rownames(coords) <- NULL}."
    )
  ), "coords")
}

check_coords_length <- function(n_rows, n_cells) {
  if (n_rows != n_cells) {
    abort_spax("coords", c(
      "{.arg coords} has {n_rows} row{?s} for {n_cells} cells.",
      "i" = "Give one row a cell, or row names (or a column with the cells' names) to match them by."
    ), "coords")
  }
}

# `by`: where names were looked for; NULL: in an image. `hint`: a line of the message.
abort_absent_coords <- function(absent, n_cells, by = NULL, hint = NULL) {
  if (length(absent) == 0L) {
    return(invisible())
  }
  where <- if (!is.null(by)) " in {.arg coords}, by its {by}"
  abort_spax("coords", c(
    paste0(
      "{length(absent)} of {n_cells} cells {cli::qty(length(absent))}{?has/have} no coordinates",
      where,
      ": {some_of(absent)}."
    ),
    hint,
    "i" = "Give theirs too, or take {cli::qty(length(absent))}{?this cell/these cells} out of the input first."
  ), "coords")
}
