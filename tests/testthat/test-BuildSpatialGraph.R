grid <- function(side = 6) {
  expand.grid(x = seq_len(side), y = seq_len(side))
}

test_that("the graph is symmetric, unweighted, without loops, and has the k nearest", {
  graph <- BuildSpatialGraph(small_xy(), k = 6)
  expect_s4_class(graph, "dgCMatrix")
  expect_true(methods::validObject(graph))
  expect_identical(dimnames(graph), list(rownames(small_xy()), rownames(small_xy())))
  dense <- as.matrix(graph)
  expect_identical(dense, t(dense))
  expect_true(all(dense %in% c(0, 1)))
  expect_true(all(diag(dense) == 0))
  expect_true(all(rowSums(dense) >= 6))
  distance <- as.matrix(stats::dist(small_xy()))
  diag(distance) <- Inf
  sixth <- apply(distance, 1, function(row) sort(row)[6])
  for (i in c(1, 50, 100)) expect_true(all(dense[i, distance[i, ] < sixth[i]] == 1))
})

test_that("a radius joins all within it", {
  graph <- as.matrix(BuildSpatialGraph(grid(), radius = 1.01))
  distance <- as.matrix(stats::dist(grid()))
  expect_identical(unname(graph == 1), unname(distance > 0 & distance <= 1.01))
})

test_that("threads do not change it", {
  expect_identical(BuildSpatialGraph(small_xy(), threads = 1), BuildSpatialGraph(small_xy(), threads = 4))
})

test_that("bad k, radius and coordinates are refused", {
  for (bad in list(0, 1, NA, 36, 2.5)) {
    expect_spax_error(BuildSpatialGraph(grid(), k = bad), "argument", "k")
  }
  for (bad in list(0, -1, NA, "a", Inf)) {
    expect_spax_error(BuildSpatialGraph(grid(), radius = bad), "argument", "radius")
  }
  expect_spax_error(BuildSpatialGraph(grid(), neighbours = 3), "argument", "neighbours")
  expect_spax_error(BuildSpatialGraph(1:10), "coords", "coords")
})

test_that("a Seurat object gets a Graph of its default assay", {
  object <- BuildSpatialGraph(small_seurat(), coords = c("x", "y"), k = 6)
  expect_s4_class(object[["spatial_nn"]], "Graph")
  expect_identical(SeuratObject::DefaultAssay(object[["spatial_nn"]]), "RNA")
  expect_true("BuildSpatialGraph.RNA" %in% SeuratObject::Command(object))
})
