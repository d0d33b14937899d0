# Tables of coordinates as users have them. `xy`: the small slice's places, the truth.

expect_places <- function(table, cells = rownames(small_xy()), truth = small_xy(), ...) {
  got <- suppressMessages(SpatialCoords(cells, coords = table), "spaxR_message_coords")
  expect_identical(rownames(got), cells, ...)
  expect_equal(got$x, truth[cells, "x"], ...)
  expect_equal(got$y, truth[cells, "y"], ...)
  invisible(got)
}

shuffled <- function(table, seed = 1) table[withr::with_seed(seed, sample(nrow(table))), , drop = FALSE]

with_names_in <- function(column = "barcode", xy = small_xy()) {
  table <- data.frame(rownames(xy), xy)
  names(table)[[1L]] <- column
  rownames(table) <- NULL
  table
}

test_that("rows are matched by whatever column holds the cells' names", {
  for (column in c("barcode", "cell_id", "V1", "X", "what")) {
    table <- shuffled(with_names_in(column))
    rownames(table) <- NULL
    expect_places(table, info = column)
    table[[column]] <- factor(table[[column]])
    expect_places(table, info = column)
  }
  expect_message(
    SpatialCoords(rownames(small_xy()), shuffled(with_names_in("what"))), "what", class = "spaxR_message_coords"
  )
  expect_silent(SpatialCoords(rownames(small_xy()), shuffled(small_xy())))
})

test_that("tables of other packages are read alike", {
  table <- shuffled(with_names_in())
  if (requireNamespace("tibble", quietly = TRUE)) expect_places(tibble::as_tibble(table))
  if (requireNamespace("data.table", quietly = TRUE)) expect_places(data.table::as.data.table(table))
  if (requireNamespace("S4Vectors", quietly = TRUE)) {
    expect_places(S4Vectors::DataFrame(table))
    expect_places(S4Vectors::DataFrame(
      x = S4Vectors::Rle(small_xy()$x), y = small_xy()$y, row.names = rownames(small_xy())
    ))
  }
  expect_places(Matrix::Matrix(as.matrix(shuffled(small_xy()))))
})

test_that("more rows than cells are matched too: the whole slide's places", {
  cells <- rownames(small_xy())[c(9, 3, 30:60)]
  expect_places(shuffled(with_names_in()), cells)
  whole <- rbind(with_names_in(), data.frame(barcode = c("none", "none", NA), x = c(1, NA, 3), y = 4))
  expect_places(shuffled(whole), cells)
})

test_that("cells named by numbers are found in a column of numbers", {
  cells <- as.character(100000 * seq_len(nrow(small_xy())))
  truth <- data.frame(small_xy(), row.names = cells)
  table <- shuffled(data.frame(cell_id = as.numeric(cells), truth, cluster = 1:3))
  rownames(table) <- NULL
  expect_places(table, cells, truth)
  names(table)[[1L]] <- "number"
  expect_places(table, cells, truth)
  # The places themselves are no names, even where they could be.
  n <- length(cells)
  numbered <- data.frame(x = withr::with_seed(1, sample(n)), y = small_xy()$y, row.names = NULL)
  expect_message(
    got <- SpatialCoords(as.character(seq_len(n)), numbered), "order of the cells", class = "spaxR_message_coords"
  )
  expect_identical(got$x, as.double(numbered$x))
})

test_that("CosMx numbers its cells anew in each field of view", {
  n <- nrow(small_xy())
  fov <- rep_len(1:3, n)
  number <- as.integer(stats::ave(seq_len(n), fov, FUN = seq_along))
  cells <- paste(number, fov, sep = "_")
  truth <- data.frame(small_xy(), row.names = cells)
  table <- data.frame(
    fov, cell_ID = number, Area = 100 + seq_len(n), AspectRatio = 1, CenterX_local_px = truth$x %% 10,
    CenterY_local_px = truth$y %% 10, CenterX_global_px = truth$x, CenterY_global_px = truth$y
  )
  expect_places(shuffled(table), cells, truth)
  expect_spax_error(SpatialCoords(paste0("s_", cells), table), "coords", "coords")
})

test_that("names that are not those of the cells are an error, not an order", {
  cells <- rownames(small_xy())
  table <- with_names_in()
  expect_spax_error(SpatialCoords(paste0("s1_", cells), table), "coords", "coords")
  expect_spax_error(SpatialCoords(c(cells[-1], "other"), table), "coords", "coords")
  expect_spax_error(
    SpatialCoords(cells, data.frame(id = seq_along(cells), small_xy(), row.names = NULL)), "coords", "coords"
  )
  # Row names left over from a larger table.
  kept <- with_names_in()[-1, c("x", "y")]
  expect_spax_error(SpatialCoords(cells[-1], kept), "coords", "coords")
  two <- rbind(table, table)
  expect_spax_error(SpatialCoords(cells, two), "argument", "coords")
  expect_spax_error(SpatialCoords(c(cells, paste0(cells, "_2")), two), "argument", "coords")
  rival <- transform(table, neighbour = rev(barcode))
  expect_spax_error(SpatialCoords(cells, rival), "coords", "coords")
})

test_that("rows go by their order when nothing can be names, and that is said", {
  cells <- rownames(small_xy())
  bare <- data.frame(small_xy(), label = rep_len(c("a", "b"), length(cells)), row.names = NULL)
  expect_message(got <- SpatialCoords(cells, bare), "order of the cells", class = "spaxR_message_coords")
  expect_equal(got$x, small_xy()$x)
  expect_spax_error(SpatialCoords(cells, bare[-1, ]), "coords", "coords")
  counts <- small()$counts
  colnames(counts) <- NULL
  expect_message(quick(counts, coords = small_xy()), "no names", class = "spaxR_message_coords")
})

test_that("a run goes by the names in a column", {
  table <- shuffled(with_names_in())
  rownames(table) <- NULL
  expect_identical(suppressMessages(quick(coords = table))$embedding, quick_fit()$embedding)
})

test_that("the columns of every platform are known, and which is x", {
  pairs <- list(
    c("x", "y"), c("X", "Y"), c("pxl_col_in_fullres", "pxl_row_in_fullres"), c("imagecol", "imagerow"),
    c("sdimx", "sdimy"), c("x_centroid", "y_centroid"), c("CenterX_global_px", "CenterY_global_px"),
    c("x_global_px", "y_global_px"), c("x_slide_mm", "y_slide_mm"), c("center_x", "center_y"),
    c("centroid_x", "centroid_y"), c("spax_x", "spax_y"), c("spatial_1", "spatial_2"), c("x_location", "y_location"),
    c("xcoord", "ycoord"), c("Centroid X \u00b5m", "Centroid Y \u00b5m"), c("Location_Center_X", "Location_Center_Y"),
    c("x.um", "y.um"), c("pos_x", "pos_y"), c("SPATIAL_1", "SPATIAL_2")
  )
  cells <- rownames(small_xy())
  for (pair in pairs) {
    # y first, among other numbers.
    table <- data.frame(
      Area = seq_along(cells), y = small_xy()$y, fov = 1, x = small_xy()$x, total = 7, row.names = cells
    )
    names(table)[c(2, 4)] <- rev(pair)
    expect_places(table, info = pair[[1L]])
    expect_places(as.matrix(table), info = pair[[1L]])
  }
})

test_that("Space Ranger's and Seurat's tables, and the best of several pairs", {
  spots <- small()$spots
  cells <- rownames(spots)
  ranger <- data.frame(
    barcode = cells, in_tissue = 1L, array_row = spots$array_row, array_col = spots$array_col,
    pxl_row_in_fullres = spots$y, pxl_col_in_fullres = spots$x
  )
  expect_true(attr(expect_places(shuffled(ranger)), "y_down"))
  seurat <- data.frame(
    tissue = 1L, row = spots$array_row, col = spots$array_col, imagerow = spots$y, imagecol = spots$x,
    row.names = cells
  )
  expect_places(shuffled(seurat))
  cosmx <- data.frame(
    CenterX_local_px = 1, CenterY_local_px = 1, CenterX_global_px = spots$x, CenterY_global_px = spots$y,
    row.names = cells
  )
  expect_places(cosmx)
  names(ranger) <- paste0("V", 1:6)
  expect_match(
    conditionMessage(expect_spax_error(SpatialCoords(cells, ranger), "coords", "coords")),
    "pxl_col_in_fullres"
  )
})

test_that("places on a hexagonal array keep its shape", {
  spots <- small()$spots
  table <- data.frame(array_row = spots$array_row, array_col = spots$array_col, row.names = rownames(spots))
  got <- suppressMessages(SpatialCoords(rownames(spots), table))
  expect_equal(got$x, as.double(spots$array_col))
  expect_equal(got$y, spots$array_row * sqrt(3))
  near <- function(xy) BuildSpatialGraph(xy, radius = 1.2 * min(stats::dist(xy)))
  expect_identical(near(got), near(small_xy()))
  square <- data.frame(row = rep(1:6, 6), col = rep(1:6, each = 6))
  expect_equal(SpatialCoords(NULL, square)$y, as.double(square$row))
})

test_that("several columns of numbers without known names are an error that lists them", {
  cells <- rownames(small_xy())
  table <- data.frame(fov = 1:3, Area = seq_along(cells), width = small_xy()$y, row.names = cells)
  expect_match(conditionMessage(expect_spax_error(SpatialCoords(cells, table), "coords", "coords")), "fov.*Area.*width")
  expect_spax_error(SpatialCoords(cells, matrix(stats::rnorm(3 * length(cells)), ncol = 3)), "coords", "coords")
  expect_spax_error(SpatialCoords(cells, cbind(small_xy(), x = 1)), "coords", "coords")
  expect_spax_error(SpatialCoords(cells, cbind(small_xy()["x"], size = 1)), "coords", "coords")
  expect_spax_error(
    SpatialCoords(cells, transform(small_xy(), ax = x, ay = y, bx = x, by = y)[-(1:2)]), "coords", "coords"
  )
  two <- stats::setNames(small_xy(), c("east", "north"))
  expect_message(SpatialCoords(cells, two), "east", class = "spaxR_message_coords")
  expect_places(two)
  expect_silent(SpatialCoords(cells, stats::setNames(small_xy(), c("V1", "V2"))))
})

test_that("text, factors and a constant axis are refused with a remedy", {
  xy <- small_xy()
  cells <- rownames(xy)
  remedy <- function(table) conditionMessage(expect_spax_error(SpatialCoords(cells, table), "coords", "coords"))
  expect_match(remedy(transform(xy, x = as.character(x))), "as.numeric(", fixed = TRUE)
  expect_match(remedy(transform(xy, y = factor(y))), "as.numeric(as.character(", fixed = TRUE)
  expect_match(remedy(as.matrix(with_names_in()[sample(nrow(xy)), ])), "as.numeric(", fixed = TRUE)
  expect_match(remedy(transform(xy, y = 1)), "line")
  expect_match(
    remedy(data.frame(left = as.character(xy$x), top = as.character(xy$y), row.names = cells)), "as.numeric",
    fixed = TRUE
  )
  list_column <- xy
  list_column$x <- as.list(xy$x)
  remedy(list_column)
})

test_that("a third axis is told, and not taken for a place of the plane", {
  cells <- rownames(small_xy())
  deep <- data.frame(small_xy(), z = rep_len(1:2, length(cells)))
  expect_message(SpatialCoords(cells, deep), "\"z\"", class = "spaxR_message_coords")
  expect_silent(SpatialCoords(cells, transform(deep, z = 0)))
  expect_places(deep)
})
