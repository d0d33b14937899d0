# Random tables of coordinates: whatever users do to one, every cell gets its own place, or an error says what is wrong.
# Only where rows are in another order and nothing tells which cell is which can nobody know.

# Cells of one kind of names, and their places in some unit.
fuzz_truth <- function() {
  n <- sample(c(3, 8, 40), 1)
  named <- list(
    paste0("cell", 1:n),
    paste0(replicate(n, paste(sample(c("A", "C", "G", "T"), 8, TRUE), collapse = "")), 1:n, "-1"), as.character(1:n),
    as.character(sample(1e6, n)), sprintf("%d_%d", seq_len(n), 1L), paste0("s1_x=", 1:n)
  )
  unit <- sample(c(1, 0.001, 1e4, 1e9), 1)
  data.frame(
    x = stats::runif(n) * unit, y = sample(c(1, -1), 1) * stats::runif(n) * unit,
    row.names = named[[sample(length(named), 1)]]
  )
}

fuzz_columns <- list(
  c("x", "y"), c("y", "x"), c("X", "Y"), c("pxl_col_in_fullres", "pxl_row_in_fullres"), c("imagecol", "imagerow"),
  c("sdimx", "sdimy"), c("x_centroid", "y_centroid"), c("CenterX_global_px", "CenterY_global_px"),
  c("center_x", "center_y"), c("a", "b"), c("V1", "V2"), c("tsne_x", "tsne_y")
)

# What else stands in tables: labels, numbers, text, places of another kind, names of other things.
fuzz_extras <- function(n) {
  list(
    label = sample(c("a", "b"), n, TRUE), cluster = factor(sample(1:3, n, TRUE)), in_tissue = rep(1L, n),
    Area = stats::runif(n), nCount = sample(n), sample_id = rep("one", n), array_row = sample(n), z = rep(1, n),
    note = NA_character_, when = rep(Sys.Date(), n), flag = rep(TRUE, n)
  )
}

# list(table, sorted = whether its rows are in the order of the cells).
fuzz_table <- function(truth) {
  n <- nrow(truth)
  axes <- fuzz_columns[[sample(length(fuzz_columns), 1)]]
  columns <- stats::setNames(list(truth$x, truth$y), axes)
  if (identical(axes, c("y", "x"))) columns <- stats::setNames(columns, c("x", "y"))
  extras <- fuzz_extras(n)
  columns <- c(columns, extras[sample(length(extras), sample(0:3, 1))])
  place <- sample(c("row names", "column", "both", "nowhere"), 1)
  if (place %in% c("column", "both")) {
    names <- rownames(truth)
    called <- sample(c("barcode", "cell_id", "V0", "who"), 1)
    if (called %in% c("barcode", "cell_id") && all(grepl("^[0-9]+$", names)) && stats::runif(1) < 0.5) {
      names <- as.numeric(names)
    }
    if (stats::runif(1) < 0.3) {
      names <- factor(names)
    }
    columns[[called]] <- names
  }
  # The order of the two axes is all that columns without known names have.
  if (!axes[[1L]] %in% c("a", "V1")) columns <- columns[sample(length(columns))]
  table <- as.data.frame(columns, check.names = FALSE)
  if (place %in% c("row names", "both")) rownames(table) <- rownames(truth)
  rows <- if (stats::runif(1) < 0.6) sample(n) else seq_len(n)
  table <- table[rows, , drop = FALSE]
  if (!place %in% c("row names", "both") && stats::runif(1) < 0.8) rownames(table) <- NULL
  list(table = table, sorted = !is.unsorted(rows))
}

# What makes a table wrong, now and then; with what it does to it.
fuzz_faults <- list(
  none = identity, none = identity, none = identity,
  missing = function(t) replace(t, cbind(sample(nrow(t), 1), sample(ncol(t), 1)), NA),
  fewer = function(t) t[-1, , drop = FALSE],
  more = function(t) rbind(t, t[1, ]),
  repeated = function(t) t[c(2, 2:nrow(t)), , drop = FALSE],
  text = function(t) data.frame(lapply(t, as.character), row.names = rownames(t), check.names = FALSE),
  fewer_columns = function(t) t[-sample(ncol(t), 1)],
  renamed = function(t) stats::setNames(t, sample(names(t))),
  twice = function(t) stats::setNames(t, rep(names(t)[[1L]], ncol(t))),
  nameless = function(t) unname(t),
  matrix = function(t) as.matrix(t),
  tibble = function(t) if (requireNamespace("tibble", quietly = TRUE)) tibble::as_tibble(t) else t,
  data.table = function(t) if (requireNamespace("data.table", quietly = TRUE)) data.table::as.data.table(t) else t
)

# Whether the names of all cells stand anywhere in it.
fuzz_told <- function(truth, table) {
  table <- as.data.frame(table)
  rows <- if (!identical(rownames(table), as.character(seq_len(nrow(table))))) list(rownames(table))
  any(vapply(
    c(rows, unclass(table)), function(x) all(rownames(truth) %in% format(x, trim = TRUE, scientific = FALSE)), NA
  ))
}

# TRUE: every cell has its place; FALSE: an error of ours; else what is wrong.
fuzz_outcome <- function(truth, table) {
  got <- tryCatch(
    suppressWarnings(suppressMessages(SpatialCoords(rownames(truth), table), "spaxR_message_coords")),
    error = identity
  )
  if (inherits(got, "spaxR_error")) {
    return(FALSE)
  }
  if (inherits(got, "error")) {
    return(conditionMessage(got))
  }
  same <- identical(rownames(got), rownames(truth)) &&
    isTRUE(all.equal(got$x, truth$x)) &&
    isTRUE(all.equal(got$y, truth$y))
  if (same) TRUE else "another place"
}

test_that("random tables give every cell its own place, or an error of ours", {
  outcomes <- vapply(1:1500, function(seed) {
    withr::with_seed(seed, {
      truth <- fuzz_truth()
      made <- fuzz_table(truth)
      fault <- sample(length(fuzz_faults), 1)
      name <- names(fuzz_faults)[[fault]]
      table <- fuzz_faults[[fault]](made$table)
    })
    # What has lost its names cannot be known, nor which is x where columns have lost theirs.
    lost <- !made$sorted && !fuzz_told(truth, table) || name %in% c("renamed", "nameless")
    outcome <- fuzz_outcome(truth, table)
    if (identical(outcome, "another place") && lost) return("lost")
    if (identical(outcome, FALSE) && name == "none") return("refused")
    if (is.character(outcome)) paste(seed, name, outcome) else "right"
  }, "")
  expect_identical(setdiff(outcomes, c("right", "lost", "refused")), character())
  # Most tables without a fault are read.
  expect_gt(mean(outcomes == "right"), 0.75)
})
