test_that("names that are nearly those of the cells are an error that says what they differ in", {
  xy <- small_xy()
  cells <- rownames(xy)
  read <- function(cells, names) SpatialCoords(cells, data.frame(barcode = names, x = xy$x, y = xy$y))
  differ <- function(cells, names, what) {
    condition <- expect_spax_error(read(cells, names), "coords", "coords")
    expect_match(conditionMessage(condition), paste0("differ in ", what), label = what)
  }
  differ(cells, sub("-1$", "", cells), "what stands beside the barcode")
  differ(paste0("s1_", cells), cells, "what stands beside the barcode")
  differ(paste0(cells, "_1"), cells, "what stands beside the barcode")
  differ(cells, make.names(cells), "signs")
  differ(cells, tolower(cells), "capital letters")
  differ(cells, paste0(cells, " "), "blanks")
  differ(paste0("cell_", seq_along(cells)), paste0("n", seq_along(cells)), "what stands beside the number")
  # Of a part of the cells only.
  differ(c(cells[1:5], sub("-1$", "-2", cells[-(1:5)])), cells, "what stands beside the barcode")
  # What all barcodes have in common tells nothing.
  others <- paste0("b", seq_along(cells)[-(1:5)])
  lost <- expect_spax_error(read(cells, c(cells[1:5], others)), "coords", "coords")
  expect_no_match(conditionMessage(lost), "may be")
})

test_that("many rows a cell are outlines or molecules, and the message says how to get one", {
  xy <- small_xy()
  cells <- rownames(xy)
  corners <- data.frame(
    cell_id = rep(cells, each = 4), vertex_x = rep(xy$x, each = 4) + c(-5, 5, 5, -5),
    vertex_y = rep(xy$y, each = 4) + c(-5, -5, 5, 5)
  )
  condition <- expect_spax_error(SpatialCoords(cells, corners), "argument", "coords")
  code <- "aggregate(cbind(vertex_x, vertex_y) ~ cell_id, coords, mean)"
  expect_match(gsub("\\s+", " ", conditionMessage(condition)), code, fixed = TRUE)
  coords <- corners
  centres <- suppressMessages(SpatialCoords(cells, eval(str2lang(code))))
  expect_equal(centres[c("x", "y")], xy, ignore_attr = TRUE)
  twice <- data.frame(barcode = cells, xy, row.names = NULL)[c(seq_along(cells), 1), ]
  rownames(twice) <- NULL
  condition <- expect_spax_error(SpatialCoords(cells, twice), "argument", "coords")
  expect_match(conditionMessage(condition), "Keep one row a cell")
})

test_that("a table with a row an axis is to be turned round", {
  condition <- expect_spax_error(SpatialCoords(rownames(small_xy()), t(as.matrix(small_xy()))), "coords", "coords")
  expect_match(conditionMessage(condition), "t(coords)", fixed = TRUE)
})

test_that("cells of CosMx are found however their numbers are put together", {
  xy <- small_xy()
  fov <- rep(1:3, length.out = nrow(xy))
  cell <- ave(seq_along(fov), fov, FUN = seq_along)
  table <- data.frame(fov = fov, cell_ID = cell, CenterX_global_px = xy$x, CenterY_global_px = xy$y)
  for (cells in list(paste(cell, fov, sep = "_"), paste(fov, cell, sep = "_"), paste("c_2", fov, cell, sep = "_"))) {
    found <- suppressMessages(SpatialCoords(cells, table[rev(seq_along(fov)), ]))
    expect_equal(found$x, as.double(xy$x))
  }
})

test_that("columns and rows are axes by whatever else their names share", {
  xy <- small_xy()
  pairs <- list(
    c("px_col", "px_row"), c("pxl_col_in_hires", "pxl_row_in_hires"), c("column", "row"), c("centroid-1", "centroid-0")
  )
  for (names in pairs) {
    table <- data.frame(rownames(xy), stats::runif(nrow(xy)), xy$y, xy$x)
    names(table) <- c("barcode", "score", rev(names))
    found <- suppressMessages(SpatialCoords(rownames(xy), table))
    expect_equal(found[c("x", "y")], xy, ignore_attr = TRUE, info = names[[1]])
  }
})

test_that("text with a decimal comma has its own remedy", {
  table <- data.frame(x = sub(".", ",", format(small_xy()$x + 0.5), fixed = TRUE), y = small_xy()$y)
  condition <- expect_spax_error(SpatialCoords(rownames(small_xy()), table), "coords", "coords")
  expect_match(conditionMessage(condition), "dec = \",\"", fixed = TRUE)
})
