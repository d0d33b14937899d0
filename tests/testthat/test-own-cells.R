# Assays that hold a part of the object's cells (Seurat 5), and assays that SCTransform made.

test_that("the default assay of SCTransform is told, with the raw one to take", {
  skip_if_not_installed("Seurat")
  object <- small_seurat()
  sct <- suppressWarnings(Seurat::CreateSCTAssayObject(counts = small()$counts))
  object[["SCT"]] <- sct
  SeuratObject::DefaultAssay(object) <- "SCT"
  said <- capture_messages(found <- quick_seurat(object))
  expect_match(said, "SCTransform corrected.*assay = \"RNA\"", all = FALSE)
  expect_length(grep("SCTransform", said), 1L)
  expect_identical(found$spacross_domain, quick_fit()$domain)
  expect_length(grep("SCTransform", capture_messages(quick_seurat(object, assay = "SCT"))), 0L)
  expect_length(grep("SCTransform", capture_messages(quick_seurat(object, assay = "RNA"))), 0L)
})

test_that("an object is seen with some of its cells only", {
  skip_if_not_installed("Seurat")
  object <- with_image(small_seurat(), visium_v1())
  cells <- rev(colnames(object))[c(2, 7, 30:60)]
  # Seurat 4 names cells by the assay, all of which have the same.
  skip_if_not_installed("SeuratObject", "5.0.0")
  part <- view_cells(object, cells)
  expect_identical(cell_names(part), cells)
  expect_identical(unname(meta_column(part, "label", "column")), unname(object$label[cells]))
  expect_identical(SpatialCoords(part)$x, SpatialCoords(object)[cells, "x"])
  expect_identical(names(identities(part)), cells)
})

test_that("so is a SingleCellExperiment", {
  object <- small_sce()
  cells <- rev(colnames(object))[1:50]
  expect_identical(colnames(view_cells(object, cells)), cells)
  expect_identical(own_part(object, NULL), object)
})

# Every other cell in an assay of its own, as SketchData() leaves it.
sketched <- function() {
  skip_if_not_installed("Seurat", "5.0.0")
  object <- small_seurat()
  own <- colnames(object)[c(TRUE, FALSE)]
  object[["sketch"]] <- SeuratObject::CreateAssay5Object(small()$counts[, own])
  SeuratObject::DefaultAssay(object) <- "sketch"
  list(object = object, own = own, fit = quick(small()$counts[, own], coords = small_xy()[own, ]))
}

test_that("a sketch is run on its own cells; the others have NA, and it is said", {
  made <- sketched()
  other <- setdiff(colnames(made$object), made$own)
  expect_message(found <- quick_seurat(made$object), "holds 137 of the 273 cells", class = "spaxR_message_cells")
  expect_true(methods::validObject(found))
  expect_identical(found$spacross_domain[made$own], made$fit$domain)
  expect_true(all(is.na(found$spacross_domain[other])))
  expect_identical(unname(SeuratObject::Embeddings(found, "spacross")), unname(made$fit$embedding))
  expect_identical(rownames(SeuratObject::Embeddings(found, "spacross")), made$own)
  expect_identical(SeuratObject::DefaultAssay(found[["spacross"]]), "sketch")
  # The whole by name.
  expect_identical(quick_seurat(made$object, assay = "RNA")$spacross_domain, quick_fit()$domain)
})

test_that("what follows a run on a sketch works on its cells", {
  made <- sketched()
  found <- suppressMessages(RunPredictivePCA(made$object, n.domains = 4, coords = c("x", "y"), verbose = FALSE))
  plain <- RunPredictivePCA(small()$counts[, made$own], n.domains = 4, coords = small_xy()[made$own, ], verbose = FALSE)
  expect_identical(found$ppca_domain[made$own], plain$domain)
  again <- suppressMessages(FindDomains(found, n.domains = 3, coords = c("x", "y")))
  expect_identical(again$ppca_domain[made$own], FindDomains(plain$embedding, 3, coords = small_xy()[made$own, ]))
  refined <- RefineDomains(found, coords = c("x", "y"), k = 6)
  expect_identical(refined$ppca_refined[made$own], RefineDomains(plain$domain, coords = small_xy()[made$own, ], k = 6))
  scores <- DomainMetrics(found, coords = c("x", "y"), truth = "label")
  expect_identical(scores$n, DomainMetrics(plain, coords = small_xy()[made$own, ], truth = small()$spots[made$own, "label"])$n)
  plot <- DomainPlot(found, coords = c("x", "y"), confidence = TRUE)
  expect_identical(nrow(plot$data), 273L)
  expect_silent(ggplot2::ggplot_build(plot))
  graph <- suppressMessages(BuildSpatialGraph(found, coords = c("x", "y"), k = 5))
  expect_identical(dim(graph[["spatial_nn"]]), c(137L, 137L))
  features <- suppressMessages(BuildFeatureGraph(found, reduction = "ppca", k = 5))
  expect_identical(dim(features[["feature_nn"]]), c(137L, 137L))
  new <- suppressMessages(predict(quick_fit(), made$object, coords = c("x", "y")))
  expect_identical(sum(!is.na(new$spacross_domain)), 137L)
  choice <- suppressMessages(ChooseDomains(made$object, 2:4, coords = c("x", "y"), thin = NULL, verbose = FALSE))
  expect_identical(rownames(choice$domains), made$own)
})

# Bins of two sizes, each with an image, as Load10X_Spatial(bin.size = c(8, 16)) makes them.
two_bins <- function() {
  skip_if_not_installed("Seurat", "5.0.0")
  cells <- colnames(small()$counts)
  wide <- cells[c(TRUE, FALSE, FALSE)]
  counts <- small()$counts[, wide]
  colnames(counts) <- paste0("wide_", wide)
  object <- suppressWarnings(merge(
    SeuratObject::CreateSeuratObject(small()$counts, assay = "Spatial.008um"), SeuratObject::CreateSeuratObject(counts, assay = "Spatial.016um")
  ))
  object <- with_image(object, field_image(cells, "b8_"), "slice1.008um")
  object <- with_image(object, field_image(wide, "b16_", colnames(counts)), "slice1.016um")
  list(object = object, fine = cells, wide = colnames(counts), wide_cells = wide)
}

test_that("of bins of two sizes the assay's are run, over its own image", {
  made <- two_bins()
  object <- made$object
  expect_message(found <- quick_seurat(object, coords = NULL), "Spatial.008um.*holds 273 of the 364 cells")
  expect_identical(unname(found$spacross_domain[made$fine]), unname(quick_fit()$domain))
  expect_true(all(is.na(found$spacross_domain[made$wide])))
  other <- suppressMessages(quick_seurat(object, coords = NULL, assay = "Spatial.016um", epochs = 5, domain.name = "wide_domain", reduction.name = "wide", reduction.key = "wide_"))
  fit <- quick(small()$counts[, made$wide_cells], coords = small_xy()[made$wide_cells, ], epochs = 5)
  expect_identical(unname(other$wide_domain[made$wide]), unname(fit$domain))
  # Both beside each other: those of one size are drawn, refined and scored.
  both <- suppressMessages(quick_seurat(other, coords = NULL))
  expect_identical(nrow(DomainPlot(both)$data), 273L)
  expect_identical(DomainPlot(both, group.by = "wide_domain")$data$x, small_xy()[made$wide_cells, "x"] + 0)
  expect_identical(DomainMetrics(both)$n, 273L)
  expect_identical(unname(RefineDomains(both, k = 8)$spacross_refined[made$fine]), unname(RefineDomains(quick_fit()$domain, coords = small_xy(), k = 8)))
})

test_that("slices are aligned on the assay's own cells", {
  skip_if_not_installed("SeuratObject", "5.0.0")
  object <- pair_seurat()
  kept <- colnames(object)[c(TRUE, TRUE, FALSE)]
  object[["sketch"]] <- SeuratObject::CreateAssay5Object(pair_counts()[, kept])
  align <- function(object, ...) AlignSlices(object, split.by = "slice", coords = c("x", "y"), ..., verbose = FALSE)
  expect_message(found <- align(object, assay = "sketch"), class = "spaxR_message_cells")
  alone <- align(subset(object, cells = kept), assay = "sketch")
  expect_equal(found$spax_x[kept], alone$spax_x[kept])
  expect_setequal(colnames(object)[is.na(found$spax_x)], setdiff(colnames(object), kept))
  expect_s3_class(AlignmentPlot(found), "ggplot")
  # Without counts, no assay is looked at.
  expect_false(anyNA(align(object, counts = FALSE, assay = "sketch")$spax_x))
})
