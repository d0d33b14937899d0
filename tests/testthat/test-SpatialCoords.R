test_that("rows with names are matched by name, in any order", {
  xy <- small_xy()
  cells <- rownames(xy)
  shuffled <- xy[rev(seq_len(nrow(xy))), ]
  expect_equal(SpatialCoords(cells, coords = shuffled), SpatialCoords(cells, coords = xy))
  expect_equal(SpatialCoords(cells, coords = as.matrix(shuffled)), SpatialCoords(cells, coords = xy))
  expect_identical(rownames(SpatialCoords(cells, coords = xy)), cells)
})

test_that("rows without names must be as many as the cells", {
  xy <- unname(as.matrix(small_xy()))
  cells <- rownames(small_xy())
  expect_equal(SpatialCoords(cells, coords = xy)$x, small_xy()$x)
  expect_spax_error(SpatialCoords(cells, coords = xy[-1, ]), "coords", "coords")
})

test_that("more rows than cells are fine when they have names", {
  cells <- rownames(small_xy())[5:20]
  expect_identical(rownames(SpatialCoords(cells, coords = small_xy())), cells)
})

test_that("columns named x and y are found among others", {
  table <- data.frame(label = "a", y = small_xy()$y, x = small_xy()$x, row.names = rownames(small_xy()))
  expect_equal(SpatialCoords(rownames(table), coords = table)$x, small_xy()$x)
})

test_that("bad coordinates are refused", {
  xy <- small_xy()
  cells <- rownames(xy)
  bad <- function(change) expect_spax_error(SpatialCoords(cells, coords = change), "coords", "coords")
  bad(NULL)
  bad(xy[-1, ])
  bad(xy[-(1:3), ])
  bad(replace(xy, cbind(2:4, 1), NA))
  bad(replace(xy, cbind(2, 1), NA))
  bad(replace(xy, cbind(2, 1), Inf))
  bad(transform(xy, x = 1, y = 2))
  bad(rlang::set_names(as.list(xy), c("x", "y")))
  bad(xy["x"])
  bad(data.frame(x = letters[seq_along(cells) %% 26 + 1], y = 1, row.names = cells))
  other <- xy
  rownames(other) <- paste0("spot", seq_along(cells))
  bad(other)
  doubled <- as.matrix(xy)
  rownames(doubled)[2] <- rownames(doubled)[1]
  expect_spax_error(SpatialCoords(cells, coords = doubled), "argument", "coords")
  expect_spax_error(SpatialCoords(cells, coords = xy, scale = 2), "argument", "scale")
})

test_that("every image class of Seurat gives the same places", {
  object <- small_seurat()
  want <- small_xy()
  for (image in list(visium_v1(), slide_seq(), starmap(), fov())) {
    got <- SpatialCoords(with_image(object, image))
    expect_equal(got$x, want$x, info = class(image))
    expect_equal(got$y, want$y, info = class(image))
    expect_identical(rownames(got), colnames(object), info = class(image))
    expect_identical(attr(got, "y_down"), inherits(image, "VisiumV1"), info = class(image))
  }
})

test_that("a VisiumV2 image gives x to the right and y downwards", {
  skip_if_not_installed("Seurat", "5.1.0")
  got <- SpatialCoords(with_image(small_seurat(), visium_v2()))
  expect_equal(got$x, small_xy()$x)
  expect_equal(got$y, small_xy()$y)
  expect_true(attr(got, "y_down"))
})

test_that("a VisiumV2 image of a later SeuratObject says which axis is which", {
  skip_if_not_installed("Seurat", "5.1.0")
  spots <- small()$spots
  places <- data.frame(x = as.double(spots$x), y = as.double(spots$y), cell = rownames(spots))
  centroids <- SeuratObject::CreateFOV(
    SeuratObject::CreateCentroids(places), type = "centroids", assay = "RNA", key = "slice_"
  )
  image <- visium_v2()
  methods::slot(image, "boundaries") <- methods::slot(centroids, "boundaries")
  attr(image, "coords_x_orientation") <- "horizontal"
  got <- visium_v2_coords(image)
  expect_equal(got$x, spots$x)
  expect_equal(got$y, spots$y)
})

test_that("a cell given by its outline takes the mean of the corners", {
  got <- SpatialCoords(with_image(small_seurat(), outlines()))
  expect_lt(max(abs(got$x - small_xy()$x)), 5)
})

test_that("all images are read, not only the default one, and joined by name", {
  object <- small_seurat()
  cells <- colnames(object)
  half <- seq_along(cells) <= length(cells) / 2
  object <- with_image(object, visium_v1(cells[half], "one_"), "one")
  expect_spax_error(SpatialCoords(object), "coords", "coords")
  object <- with_image(object, visium_v1(cells[!half], "two_"), "two")
  got <- SpatialCoords(object)
  expect_equal(got$x, small_xy()$x)
  expect_identical(as.integer(got$image), ifelse(half, 1L, 2L))
  expect_spax_error(quick_seurat(object, coords = NULL), "coords", "coords")
})

test_that("meta data columns by name", {
  object <- small_seurat()
  expect_equal(SpatialCoords(object, coords = c("x", "y"))$y, small_xy()$y)
  expect_spax_error(SpatialCoords(object, coords = c("x", "z")), "argument", "coords")
  expect_spax_error(SpatialCoords(object, coords = "x"), "coords", "coords")
  expect_spax_error(SpatialCoords(object), "coords", "coords")
})
