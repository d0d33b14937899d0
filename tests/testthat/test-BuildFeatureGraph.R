# Brute force: the k most correlated others, joined when either names the other.
correlated <- function(x, k) {
  similar <- stats::cor(t(x))
  diag(similar) <- -Inf
  near <- t(apply(-similar, 1, function(row) seq_along(row) %in% order(row)[seq_len(k)]))
  near | t(near)
}

test_that("the graph joins the most correlated cells, both ways, without loops", {
  x <- clouds()[, 1:4] + withr::with_seed(2, matrix(stats::rnorm(480), 120))
  graph <- BuildFeatureGraph(x, k = 5)
  expect_s4_class(graph, "dgCMatrix")
  expect_identical(dimnames(graph), list(rownames(x), rownames(x)))
  expect_identical(unname(as.matrix(graph) > 0), unname(correlated(x, 5)))
  expect_identical(graph, BuildFeatureGraph(x, k = 5, threads = 1))
})

test_that("a Seurat object gets a graph of the assay of its reduction", {
  object <- quick_seurat()
  object <- BuildFeatureGraph(object, reduction = "spacross", k = 6)
  expect_true("feature_nn" %in% SeuratObject::Graphs(object))
  expect_identical(
    unname(as.matrix(object[["feature_nn"]])),
    unname(as.matrix(BuildFeatureGraph(quick_fit()$embedding, k = 6)))
  )
  expect_identical(SeuratObject::DefaultAssay(object[["feature_nn"]]), "RNA")
})

test_that("bad input is refused", {
  x <- clouds()
  expect_spax_error(BuildFeatureGraph(x, k = 1), "argument", "k")
  expect_spax_error(BuildFeatureGraph(x, k = nrow(x)), "argument", "k")
  expect_spax_error(BuildFeatureGraph("x"), "argument", "object")
  expect_spax_error(BuildFeatureGraph(x, kk = 3), "argument", "kk")
  expect_spax_error(BuildFeatureGraph(small_seurat(), reduction = "pca"), "argument", "reduction")
})
