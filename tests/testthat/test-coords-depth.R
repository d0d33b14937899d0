# z beside x and y: cells in space, or heights of a stack.

# Two layers of spots that lie so close that the nearest of most are in the other.
deep_xy <- function() {
  xy <- small_xy()
  step <- min(stats::dist(xy))
  data.frame(xy, z = rep_len(c(0, 0.25), nrow(xy)) * step)
}

test_that("a z that differs between cells is the third coordinate, and says so", {
  deep <- deep_xy()
  cells <- rownames(deep)
  said <- capture_messages(got <- SpatialCoords(cells, deep))
  expect_length(grep("third coordinate", said), 1L)
  expect_equal(data.frame(got), deep)
  expect_named(suppressMessages(SpatialCoords(cells, transform(deep, z = 7))), c("x", "y"))
  expect_equal(
    suppressMessages(SpatialCoords(cells, stats::setNames(deep, c("center_x", "center_y", "center_z"))))$z,
    deep$z
  )
  deep$z[[3L]] <- NA
  expect_spax_error(suppressMessages(SpatialCoords(cells, deep)), "coords", "coords")
})

test_that("neighbours are those in space", {
  deep <- withr::with_seed(1, data.frame(x = stats::runif(200), y = stats::runif(200), z = stats::runif(200)))
  graph <- suppressMessages(BuildSpatialGraph(deep, k = 5))
  distance <- as.matrix(stats::dist(deep))
  near <- t(apply(distance, 1L, function(d) rank(d, ties.method = "first") %in% 2:6))
  expect_identical(unname(as.matrix(graph)) == 1, unname(near | t(near)))
  # As a stack that shares a frame gives them.
  stack <- transform(deep, z = rep(c(0, 0.1), each = 100))
  slice <- factor(rep(c("low", "high"), each = 100), c("low", "high"))
  stacked <- suppressMessages(BuildSpatialGraph(
    stack[c("x", "y")], k = 5, slice = slice, align = "none", gaps = 0.1, spot.distance = NULL
  ))
  expect_identical(suppressMessages(BuildSpatialGraph(stack, k = 5)), stacked)
})

test_that("runs, objects and metrics look in space; the message comes once", {
  deep <- deep_xy()
  said <- capture_messages(fit <- quick(coords = deep))
  expect_length(grep("third coordinate", said), 1L)
  expect_false(identical(fit$embedding, quick_fit()$embedding))
  object <- SeuratObject::AddMetaData(small_seurat(), deep["z"])
  said <- capture_messages(run <- quick_seurat(object, coords = c("x", "y", "z")))
  expect_length(grep("third coordinate", said), 1L)
  said <- capture_messages(graph <- BuildSpatialGraph(object, coords = c("x", "y", "z"), k = 4))
  expect_length(grep("third coordinate", said), 1L)
  expect_equal(
    unname(as.matrix(graph[["spatial_nn"]])),
    unname(as.matrix(suppressMessages(BuildSpatialGraph(deep, k = 4))))
  )
  expect_identical(unname(run$spacross_domain), unname(fit$domain))
  sce <- small_sce()
  sce$z <- deep$z
  expect_identical(suppressMessages(quick_sce(sce, coords = c("x", "y", "z")))$spacross_domain, unname(fit$domain))
  said <- capture_messages(quick(coords = deep, verbose = TRUE))
  expect_match(said, "cells over [0-9.]+ x [0-9.]+ x [0-9.]+,", all = FALSE)
  # Cells that lie over each other in the plane lie apart in space.
  twice <- rbind(
    transform(small_xy(), z = 0),
    data.frame(small_xy(), z = 1000, row.names = paste0("b_", rownames(small_xy())))
  )
  expect_silent(suppressMessages(quick(pair_counts(), coords = twice)))
  labels <- factor(rep(c("a", "b"), each = nrow(small_xy())))
  flat <- DomainMetrics(labels, coords = unname(as.matrix(twice[1:2])), k = 6)
  solid <- suppressMessages(DomainMetrics(labels, coords = twice, k = 6))
  expect_gt(flat$PAS, 0.1)
  expect_identical(solid$PAS, 0)
  expect_identical(suppressMessages(RefineDomains(labels, coords = twice, k = 6)), labels)
  expect_s3_class(suppressMessages(predict(fit, small()$counts, coords = deep)), "SpaxPrediction")
})

test_that("a reduction of three columns, and spatialCoords of three, are in space", {
  object <- small_seurat(meta = FALSE)
  embedding <- as.matrix(deep_xy())
  colnames(embedding) <- paste0("spatial_", 1:3)
  object[["spatial"]] <- suppressWarnings(SeuratObject::CreateDimReducObject(
    embedding, key = "spatial_", assay = "RNA"
  ))
  expect_equal(suppressMessages(SpatialCoords(object))$z, deep_xy()$z)
  spe <- as_spatial(small_sce(), deep_xy(), "one")
  expect_message(got <- SpatialCoords(spe), "third coordinate")
  expect_equal(got$z, deep_xy()$z)
})

test_that("one z a slice is the height of a slice in a stack", {
  tables <- pair_tables()
  high <- list(a = transform(tables$a, z = 0), b = transform(tables$b, z = 40))
  joined <- do.call(rbind, unname(high))
  fit <- suppressMessages(quick_pair(coords = joined, gaps = NULL, spot.distance = NULL))
  expect_equal(unname(fit$alignment$coords$z), joined$z)
  same <- quick_pair(gaps = 40, spot.distance = min(stats::dist(tables$a)))
  expect_equal(fit$alignment$coords, same$alignment$coords)
  listed <- suppressMessages(RunSpaCross(pair_list(), n.domains = 4, coords = high, epochs = 12, verbose = FALSE))
  expect_equal(listed$embedding, fit$embedding)
  expect_equal(unname(AlignSlices(high, verbose = FALSE)$coords$z), joined$z)
  # What is at one height all through, or has gaps given, is as without z.
  expect_equal(
    AlignSlices(lapply(tables, transform, z = 3), gaps = 10, spot.distance = 100, verbose = FALSE)$coords,
    AlignSlices(tables, gaps = 10, spot.distance = 100, verbose = FALSE)$coords
  )
  expect_message(given <- AlignSlices(high, gaps = 10, spot.distance = 100, verbose = FALSE), "gaps")
  expect_equal(given$coords, AlignSlices(tables, gaps = 10, spot.distance = 100, verbose = FALSE)$coords)
})

test_that("slices out of the order of their heights, or with cells at several, are told", {
  three <- lapply(c(a = 0, b = 9, c = 4), function(z) transform(small_xy(), z = z))
  told <- expect_spax_error(suppressMessages(AlignSlices(three, verbose = FALSE)), "coords", "coords")
  expect_match(conditionMessage(told), "b = 9")
  expect_equal(unique(suppressMessages(AlignSlices(three[c("a", "c", "b")], verbose = FALSE))$coords$z), c(0, 4, 9))
  thick <- lapply(pair_tables(), function(t) transform(t, z = seq_len(nrow(t))))
  expect_message(found <- AlignSlices(thick, verbose = FALSE), "one height", class = "spaxR_message_coords")
  expect_length(unique(found$coords$z), 2L)
})
