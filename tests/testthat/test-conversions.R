# Objects and matrices as conversions from other tools leave them.

spatial_object <- function(name = "spatial", key = "spatial_", xy = small_xy()) {
  object <- small_seurat(meta = FALSE)
  embedding <- as.matrix(xy)
  colnames(embedding) <- paste0(key, seq_len(ncol(xy)))
  object[[name]] <- suppressWarnings(SeuratObject::CreateDimReducObject(embedding, key = key, assay = "RNA"))
  object
}

test_that("coordinates that an AnnData conversion keeps as a reduction are found", {
  object <- spatial_object()
  got <- SpatialCoords(object)
  expect_equal(got$x, small_xy()$x)
  expect_equal(got$y, small_xy()$y)
  expect_equal(SpatialCoords(object, coords = "spatial"), got)
  expect_equal(SpatialCoords(spatial_object("X_spatial", "XSPATIAL_"))$y, small_xy()$y)
  expect_equal(SpatialCoords(spatial_object("where", "WH_"), coords = "where")$x, small_xy()$x)
  expect_spax_error(SpatialCoords(spatial_object("where", "WH_")), "coords", "coords")
  expect_equal(SpatialCoords(spatial_object(xy = cbind(small_xy(), z = 1)))$x, small_xy()$x)
  fit <- quick_seurat(object, coords = NULL)
  expect_identical(unname(fit$spacross_domain), unname(quick_fit()$domain))
  # An image says more.
  expect_identical(levels(SpatialCoords(with_image(object, visium_v1()))$image), "slice")
  expect_match(
    conditionMessage(expect_spax_error(SpatialCoords(object, coords = "spatail"), "coords", "coords")),
    "spatial"
  )
})

test_that("so they are in a SingleCellExperiment", {
  object <- small_sce()
  SingleCellExperiment::reducedDim(object, "X_spatial") <- unname(as.matrix(small_xy()))
  expect_equal(SpatialCoords(object)$x, small_xy()$x)
  expect_equal(SpatialCoords(object, coords = "X_spatial")$y, small_xy()$y)
})

test_that("cells x genes are told from genes x cells", {
  counts <- small()$counts
  told <- expect_spax_error(quick(Matrix::t(counts)), "counts", "object")
  expect_match(conditionMessage(told), "t(object)", fixed = TRUE)
  bare <- as.matrix(counts)[1:50, ]
  dimnames(bare) <- NULL
  expect_spax_error(quick(t(bare), coords = unname(as.matrix(small_xy()))), "counts", "object")
  in_column <- data.frame(barcode = rownames(small_xy()), small_xy(), row.names = NULL)
  expect_spax_error(quick(Matrix::t(counts), coords = in_column), "counts", "object")
})

test_that("peaks are peaks however they are written, and whatever holds them", {
  for (form in c(
    "chr%d-100-200",
    "chr%d:100-200",
    "chr%d.100.200",
    "chr%d_100_200",
    "GRCh38-chr%d-100-200",
    "GRCh38_chr%d:100-200",
    "%d:100-200",
    "KI2707%02d.1-100-2000"
  )) {
    expect_identical(kind_of_features(sprintf(form, 1:9))$kind, "atac", info = form)
  }
  for (form in c(
    "GENE%d",
    "RP11-%d",
    "AC0933%02d.1",
    "HLA-DRB%d",
    "MT-ND%d",
    "CD%d-2",
    "ENSG0000%d.12",
    "HLA-A-%d-1"
  )) {
    expect_null(kind_of_features(sprintf(form, 11:19)), info = form)
  }
})

test_that("values in place of a column's name get the remedy", {
  object <- pair_seurat()
  told <- expect_spax_error(quick_seurat(object, split.by = object$slice), "argument", "split.by")
  expect_match(conditionMessage(told), "not its values")
  expect_match(
    conditionMessage(expect_spax_error(
      DomainPlot(object, group.by = list(object$slice), coords = c("x", "y")), "argument", "group.by"
    )),
    "not its values"
  )
})

test_that("mclust finds groups in one column, and refuses what does not vary", {
  skip_if_not_installed("mclust")
  x <- clouds()
  one <- FindDomains(x[, 1, drop = FALSE], n.domains = 3, method = "mclust")
  expect_true(same_partition(one, rep(1:3, each = 40)))
  expect_identical(
    FindDomains(cbind(x, 1), n.domains = 3, method = "mclust"),
    FindDomains(x, n.domains = 3, method = "mclust")
  )
  expect_spax_error(FindDomains(x[, 1, drop = FALSE] * 0, n.domains = 3, method = "mclust"), "argument", "object")
})

test_that("one protein is an error with a remedy that works", {
  counts <- tissue()$counts[c("RNA", "ADT")]
  counts$ADT <- counts$ADT[1, , drop = FALSE]
  told <- expect_spax_error(quick_lora(counts), "counts", "object")
  expect_match(conditionMessage(told), "ADT = \"features\"", fixed = TRUE)
  counts$ADT <- Matrix::t(counts$ADT)
  expect_s3_class(quick_lora(counts, modality = c(ADT = "features")), "SpaLORAResult")
})

test_that("mitochondrial genes among those used are mentioned once", {
  counts <- small()$counts
  rownames(counts)[match(quick_fit()$genes[1:2], rownames(counts))] <- c("MT-CO1", "mt-Nd1")
  said <- capture_messages(quick(counts, verbose = TRUE))
  expect_length(grep("mitochondrial", said), 1L)
  expect_length(grep("mitochondrial", capture_messages(quick(verbose = TRUE))), 0L)
})
