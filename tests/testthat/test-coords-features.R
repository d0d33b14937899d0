# Simple features (sf) as coordinates.

cell_points <- function(xy = small_xy()) {
  sfc(lapply(seq_len(nrow(xy)), function(i) sfg(c(xy$x[[i]], xy$y[[i]]), "POINT")))
}

cell_outlines <- function(xy = small_xy()) {
  sfc(lapply(seq_len(nrow(xy)), function(i) sfg(list(square(xy$x[[i]] - 4, xy$y[[i]] - 4, 8)), "POLYGON")))
}

test_that("points are places, matched by a column of names", {
  xy <- small_xy()
  cells <- rownames(xy)
  table <- sf_table(list(cell_id = rev(cells)), sfc(rev(cell_points())))
  said <- capture_messages(got <- SpatialCoords(cells, table))
  expect_match(paste(said, collapse = ""), "cell_id")
  expect_equal(data.frame(got), xy)
  expect_match(said_source(attr(got, "found")), "points of a simple feature table")
  fit <- suppressMessages(quick(coords = table))
  expect_identical(fit$embedding, quick_fit()$embedding)
})

test_that("row names, and points without any, are matched as in other tables", {
  xy <- small_xy()
  cells <- rownames(xy)
  named <- sf_table(list(kind = rep("a", nrow(xy))), cell_points(), cells)
  expect_silent(got <- SpatialCoords(cells, named))
  expect_equal(data.frame(got), xy)
  expect_message(got <- SpatialCoords(cells, cell_points()), "order")
  expect_equal(data.frame(got), xy)
  # Numbers that are called x beside the geometry are not the places.
  odd <- sf_table(list(x = seq_along(cells), y = 1), cell_points(), cells)
  expect_equal(SpatialCoords(cells, odd)$x, xy$x)
})

test_that("newer versions of sf, which keep points as one matrix, are read too", {
  xy <- small_xy()
  geometry <- sfc(vector("list", nrow(xy)), "POINT")
  attr(geometry, "points") <- unname(as.matrix(xy))
  attr(geometry, "points_dim") <- "XY"
  expect_equal(data.frame(SpatialCoords(rownames(xy), sf_table(list(), geometry, rownames(xy)))), xy)
})

test_that("polygons lie at the centre of their area", {
  xy <- small_xy()
  expect_equal(data.frame(SpatialCoords(rownames(xy), sf_table(list(), cell_outlines(), rownames(xy)))), xy)
  expect_equal(
    unname(unlist(feature_places(
      sfc(list(sfg(list(rbind(c(0, 0), c(6, 0), c(0, 3), c(0, 0))), "POLYGON"))),
      "POLYGON"
    ))),
    c(2, 1)
  )
  centre <- function(g) unlist(without_features(sfc(list(g)))[1:2])
  # A hole in a corner, corners that crowd on one side, a square turned the other way, and far from the origin.
  expect_equal(centre(sfg(list(square(0, 0, 4), square(0, 0, 2)), "POLYGON")), c(x = 28 / 12, y = 28 / 12))
  expect_equal(
    centre(sfg(list(rbind(c(0, 0), cbind(4, seq(0, 4, 0.1)), c(0, 4), c(0, 0))), "POLYGON")),
    c(x = 2, y = 2)
  )
  expect_equal(centre(sfg(list(square(0, 0, 4)[5:1, ]), "POLYGON")), c(x = 2, y = 2))
  expect_equal(centre(sfg(list(square(1e7, 1e7, 1e-2)), "POLYGON")) - 1e7, c(x = 0.005, y = 0.005), tolerance = 1e-6)
  # Two pieces, the second four times as large; several points; an outline without an area.
  expect_equal(
    centre(sfg(list(list(square(0, 0, 1)), list(square(10, 0, 2))), "MULTIPOLYGON")),
    c(x = (0.5 + 4 * 11) / 5, y = (0.5 + 4) / 5)
  )
  expect_equal(centre(sfg(rbind(c(0, 0), c(2, 4)), "MULTIPOINT")), c(x = 1, y = 2))
  expect_equal(centre(sfg(list(rbind(c(1, 1), c(3, 1), c(1, 1))), "POLYGON")), c(x = 5 / 3, y = 1))
})

test_that("points and polygons may stand in one table, and points may have a height", {
  mixed <- sfc(list(sfg(c(5, 6), "POINT"), sfg(list(square(0, 0, 2)), "POLYGON"), sfg(c(7, 1), "POINT")), "GEOMETRY")
  expect_equal(
    data.frame(SpatialCoords(NULL, mixed)),
    data.frame(x = c(5, 1, 7), y = c(6, 1, 1), row.names = paste0("cell", 1:3))
  )
  deep <- sfc(lapply(1:4, function(i) sfg(c(i, i^2, -i), "POINT", "XYZ")))
  expect_equal(suppressMessages(SpatialCoords(NULL, deep))$z, -(1:4))
})

test_that("lines, empty geometries and a missing one are refused", {
  line <- sfc(list(sfg(rbind(c(0, 0), c(1, 1)), "LINESTRING"), sfg(c(1, 2), "POINT")), "GEOMETRY")
  expect_match(conditionMessage(expect_spax_error(SpatialCoords(NULL, line), "coords", "coords")), "LINESTRING")
  empty <- sfc(
    list(sfg(c(NaN, NaN), "POINT"), sfg(list(), "POLYGON"), sfg(c(0, 0), "POINT"), sfg(c(1, 1), "POINT")),
    "GEOMETRY"
  )
  expect_match(conditionMessage(expect_spax_error(SpatialCoords(NULL, empty), "coords", "coords")), "2 cells")
  expect_spax_error(SpatialCoords(NULL, sfc(list(sfg(c(0, 0), "POINT"), NULL), "GEOMETRY")), "coords", "coords")
})

test_that("sf itself makes what these tests make by hand", {
  skip_if(!nzchar(system.file(package = "sf")))
  sf <- function(name) getExportedValue("sf", name)
  xy <- small_xy()
  points <- sf("st_as_sf")(data.frame(xy, cell_id = rownames(xy)), coords = c("x", "y"))
  expect_equal(data.frame(suppressMessages(SpatialCoords(rownames(xy), points))), xy)
  outlines <- sf("st_buffer")(points, 3)
  expect_equal(data.frame(suppressMessages(SpatialCoords(rownames(xy), outlines))), xy)
})
