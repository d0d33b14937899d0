test_that("every kind of matrix gives the same counts", {
  counts <- small()$counts
  dense <- as.matrix(counts)
  integers <- dense
  storage.mode(integers) <- "integer"
  triplets <- methods::as(counts, "TsparseMatrix")
  rows <- methods::as(counts, "RsparseMatrix")
  for (x in list(dense, integers, triplets, rows, as.data.frame(dense))) {
    got <- as_counts(x)
    expect_s4_class(got, "dgCMatrix")
    expect_equal(as.matrix(got), dense, info = class(x)[1])
  }
})

test_that("what is no matrix of counts is refused", {
  expect_spax_error(as_counts("counts.csv"), "argument", "object")
  expect_spax_error(as_counts(matrix("a", 2, 2)), "counts", "object")
  expect_spax_error(as_counts(small()$counts[, 0]), "counts", "object")
  twice <- small()$counts
  colnames(twice)[2] <- colnames(twice)[1]
  expect_spax_error(as_counts(twice), "argument", "object")
})

test_that("assays, layers, reductions and columns that do not exist are named with those that do", {
  object <- small_seurat()
  expect_snapshot({
    said(quick_seurat(object, assay = "ADT"))
    said(quick_seurat(object, reduction = "pca"))
    said(quick_seurat(object, coords = c("x", "z")))
    said(DomainMetrics(object, domain.name = "labl", coords = c("x", "y")))
    said(DomainPlot(object, group.by = "labl", coords = c("x", "y")))
  })
})

test_that("a layer that does not exist is refused", {
  condition <- expect_spax_error(quick_seurat(small_seurat(), layer = "cnts"), "argument", "layer")
  expect_match(conditionMessage(condition), "\"counts\"")
})

test_that("layers that are split are joined by cell, genes united", {
  counts <- small()$counts
  a <- counts[-1, 1:20]
  b <- counts[-2, 21:50]
  joined <- join_layers(list(b, a))
  expect_setequal(rownames(joined), rownames(counts))
  expect_equal(joined[rownames(a), colnames(a)], a)
  expect_true(all(joined[rownames(counts)[1], colnames(a)] == 0))
})

test_that("a v5 assay, whole or split, gives the same counts as a v4 one", {
  skip_if_not_installed("SeuratObject", "5.0.0")
  counts <- small()$counts
  object <- SeuratObject::CreateSeuratObject(SeuratObject::CreateAssay5Object(counts))
  expect_equal(as.matrix(stored_counts(object, NULL, "counts")), as.matrix(counts))
  groups <- rep(c("a", "b"), length.out = ncol(counts))
  object[["RNA"]] <- split(object[["RNA"]], f = groups)
  expect_gt(length(SeuratObject::Layers(object)), 1)
  expect_equal(as.matrix(stored_counts(object, NULL, "counts"))[rownames(counts), ], as.matrix(counts))
})

test_that("tables with a column of genes, and other objects, get a remedy", {
  counts <- as.matrix(small()$counts)[1:20, ]
  run <- function(x) RunPredictivePCA(x, 2, small_xy())
  remedy <- function(x, kind, what) {
    expect_match(conditionMessage(expect_spax_error(run(x), kind, "object")), what, fixed = TRUE)
  }
  remedy(data.frame(gene = rownames(counts), counts, check.names = FALSE), "counts", "rownames(m) <- x$gene")
  remedy(list(counts), "argument", "hold two or more slices")
  skip_if_not_installed("SummarizedExperiment")
  remedy(SummarizedExperiment::SummarizedExperiment(list(counts = counts)), "argument", "SingleCellExperiment")
  skip_if_not_installed("SeuratObject")
  remedy(suppressWarnings(SeuratObject::CreateAssayObject(small()$counts)), "argument", "object that holds this assay")
})
