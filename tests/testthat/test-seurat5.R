# A user's walk with the objects that Seurat 5 makes by itself. (With Seurat 4 the same steps run in
# test-RunSpaCross.R.)

skip_if_not_installed("Seurat", "5.0.0")

layers <- function(object) getExportedValue("SeuratObject", "Layers")(object)

# As merge() of two samples leaves it: the cells of every second column in layers of their own.
split_seurat <- function() {
  object <- small_seurat()
  object[["RNA"]] <- split(object[["RNA"]], f = rep(c("A", "B"), length.out = ncol(object)))
  object
}

# Spots on disk as Space Ranger writes them, read by Seurat.
read_visium <- function(folder) {
  skip_if_not_installed("png")
  spots <- small()$spots
  png::writePNG(array(0.5, c(60, 60, 3)), file.path(folder, "tissue_lowres_image.png"))
  writeLines(
    c(
      '{"spot_diameter_fullres": 100, "tissue_hires_scalef": 0.2,',
      '"fiducial_diameter_fullres": 150, "tissue_lowres_scalef": 0.005}'
    ),
    file.path(folder, "scalefactors_json.json")
  )
  places <- data.frame(
    barcode = rownames(spots), in_tissue = 1, array_row = spots$array_row, array_col = spots$array_col,
    pxl_row_in_fullres = spots$y, pxl_col_in_fullres = spots$x
  )
  utils::write.csv(places, file.path(folder, "tissue_positions.csv"), row.names = FALSE, quote = FALSE)
  Seurat::Read10X_Image(folder, assay = "RNA", slice = "slice")
}

test_that("an object made by CreateSeuratObject() has a v5 assay", {
  object <- small_seurat()
  expect_s4_class(object[["RNA"]], "Assay5")
  expect_identical(layers(object), "counts")
})

test_that("the walk: reduction, domains, tool entry, command, plot", {
  before <- small_seurat()
  object <- RunSpaCross(before, n.domains = 4, coords = c("x", "y"), epochs = 12, verbose = FALSE)
  expect_true(methods::validObject(object))
  expect_identical(SeuratObject::Embeddings(object, "spacross"), quick_fit()$embedding)
  expect_identical(SeuratObject::DefaultAssay(object[["spacross"]]), "RNA")
  expect_identical(object$spacross_domain, quick_fit()$domain)
  expect_identical(SeuratObject::Tool(object, "RunSpaCross")$history, quick_fit()$history)
  expect_identical(SeuratObject::Misc(object[["spacross"]], "seed"), 1)
  logged <- SeuratObject::Command(object, "RunSpaCross.RNA")
  expect_s4_class(logged, "SeuratCommand")
  expect_identical(SeuratObject::Command(object, "RunSpaCross.RNA", "n.domains"), 4)
  expect_identical(SeuratObject::Command(object, "RunSpaCross.RNA", "coords"), c("x", "y"))
  expect_identical(layers(object), layers(before))
  plot <- DomainPlot(object, coords = c("x", "y"))
  expect_s3_class(plot, "ggplot")
  expect_silent(ggplot2::ggplot_build(plot))
  expect_s3_class(TrainingPlot(object), "ggplot")
})

test_that("what Seurat does with a reduction works on this one", {
  object <- quick_seurat()
  dims <- seq_len(ncol(object[["spacross"]]))
  object <- Seurat::FindNeighbors(object, reduction = "spacross", dims = dims, verbose = FALSE)
  expect_true("RNA_snn" %in% SeuratObject::Graphs(object))
  values <- SeuratObject::FetchData(object, c("spacross_1", "spacross_domain"))
  expect_identical(values$spacross_1, unname(quick_fit()$embedding[, 1]))
  SeuratObject::Idents(object) <- "spacross_domain"
  expect_s3_class(Seurat::DimPlot(object, reduction = "spacross"), "ggplot")
  part <- subset(object, cells = colnames(object)[1:100])
  expect_identical(nrow(SeuratObject::Embeddings(part, "spacross")), 100L)
})

test_that("saved and read again, an object is the same and goes on", {
  file <- withr::local_tempfile(fileext = ".rds")
  object <- quick_seurat()
  saveRDS(object, file)
  again <- readRDS(file)
  expect_identical(SeuratObject::Embeddings(again, "spacross"), SeuratObject::Embeddings(object, "spacross"))
  expect_identical(SeuratObject::Tool(again, "RunSpaCross"), SeuratObject::Tool(object, "RunSpaCross"))
  found <- FindDomains(again, n.domains = 3, coords = c("x", "y"))
  expect_identical(nlevels(found$spacross_domain), 3L)
  expect_s3_class(DomainPlot(found, coords = c("x", "y")), "ggplot")
})

test_that("layers split by sample give the domains of the whole", {
  object <- split_seurat()
  expect_setequal(layers(object), c("counts.A", "counts.B"))
  object <- quick_seurat(object)
  expect_identical(unname(SeuratObject::Embeddings(object, "spacross")), unname(quick_fit()$embedding))
  expect_identical(object$spacross_domain, quick_fit()$domain)
  expect_setequal(layers(object), c("counts.A", "counts.B"))
})

test_that("one of several split layers lacks cells, and says so", {
  condition <- expect_spax_error(quick_seurat(split_seurat(), layer = "counts.A"), "argument", "layer")
  expect_match(conditionMessage(condition), "lacks 136 cells")
})

test_that("layers are found by whole name, not by the start of another", {
  object <- Seurat::NormalizeData(split_seurat(), verbose = FALSE)
  expect_true(all(c("data.A", "data.B", "counts.A", "counts.B") %in% layers(object)))
  expect_equal(as.matrix(stored_counts(object, NULL, "counts"))[rownames(small()$counts), ], as.matrix(small()$counts))
  condition <- expect_spax_error(quick_seurat(object, layer = "count"), "argument", "layer")
  expect_match(conditionMessage(condition), "counts.A")
})

test_that("merged samples, each with its layer, are one input", {
  cells <- colnames(small()$counts)
  half <- seq_along(cells) <= 130
  object <- suppressWarnings(merge(
    subset(small_seurat(), cells = cells[half]),
    subset(small_seurat(), cells = cells[!half])
  ))
  expect_length(layers(object), 2)
  object <- quick_seurat(object)
  expect_identical(unname(SeuratObject::Embeddings(object, "spacross")), unname(quick_fit()$embedding))
})

test_that("components of RunPCA() can be the input", {
  object <- Seurat::NormalizeData(small_seurat(), verbose = FALSE)
  object <- Seurat::FindVariableFeatures(object, nfeatures = 500, verbose = FALSE)
  object <- Seurat::ScaleData(object, verbose = FALSE)
  object <- suppressWarnings(Seurat::RunPCA(object, npcs = 20, verbose = FALSE))
  ran <- quick_seurat(object, reduction = "pca", dims = 1:15)
  plain <- quick(NULL, reduction = SeuratObject::Embeddings(object, "pca")[, 1:15])
  expect_identical(unname(SeuratObject::Embeddings(ran, "spacross")), unname(plain$embedding))
  expect_identical(ran$spacross_domain, plain$domain)
  expect_setequal(SeuratObject::Reductions(ran), c("pca", "spacross"))
})

test_that("impute = TRUE adds an assay with the layer data, and keys stay apart", {
  object <- quick_seurat(impute = TRUE, epochs = 3)
  expect_identical(SeuratObject::DefaultAssay(object), "RNA")
  imputed <- getExportedValue("SeuratObject", "LayerData")(object, assay = "SpaCross", layer = "data")
  expect_identical(rownames(imputed), SeuratObject::Tool(object, "RunSpaCross")$genes)
  expect_identical(colnames(imputed), colnames(object))
  expect_true(all(imputed >= 0))
  expect_false(anyDuplicated(SeuratObject::Key(object)) > 0)
  gene <- rownames(imputed)[1]
  key <- SeuratObject::Key(object[["SpaCross"]])
  expect_equal(SeuratObject::FetchData(object, paste0(key, gene))[[1]], unname(imputed[1, ]))
})

test_that("a slice that Seurat read from Space Ranger's files gives x to the right and y downwards", {
  image <- read_visium(withr::local_tempdir())
  object <- with_image(small_seurat(meta = FALSE), image)
  got <- SpatialCoords(object)
  expect_equal(got$x, small_xy()$x)
  expect_equal(got$y, small_xy()$y)
  expect_identical(rownames(got), colnames(object))
  expect_true(attr(got, "y_down"))
  object <- quick_seurat(object, coords = NULL)
  expect_identical(unname(SeuratObject::Embeddings(object, "spacross")), unname(quick_fit()$embedding))
  plot <- DomainPlot(object)
  expect_true(any(vapply(plot$scales$scales, function(s) "y" %in% s$aesthetics, NA)))
})

test_that("centroids of a field of view are coordinates, also beside outlines and after a subset", {
  spots <- small()$spots
  cells <- rownames(spots)
  centres <- data.frame(x = as.double(spots$x), y = as.double(spots$y), cell = cells)
  corners <- do.call(
    rbind,
    lapply(list(c(-9, -1), c(9, -1), c(9, 7), c(-9, 7)), function(d) {
      data.frame(x = centres$x + d[[1]], y = centres$y + d[[2]], cell = cells)
    })
  )
  both <- list(
    segmentation = SeuratObject::CreateSegmentation(corners),
    centroids = SeuratObject::CreateCentroids(centres)
  )
  image <- SeuratObject::CreateFOV(both, type = c("segmentation", "centroids"), assay = "RNA", key = "fov_")
  SeuratObject::DefaultBoundary(image) <- "segmentation"
  object <- with_image(small_seurat(), image, "fov")
  got <- SpatialCoords(object)
  expect_equal(got$x, centres$x)
  expect_equal(got$y, centres$y)
  expect_false(attr(got, "y_down"))
  part <- suppressWarnings(subset(object, cells = cells[40:10]))
  got <- SpatialCoords(part)
  expect_identical(rownames(got), colnames(part))
  expect_equal(got$x, spots[colnames(part), "x"])
})

test_that("several fields of view are told apart, and a zoom on one is none of its own", {
  spots <- small()$spots
  cells <- rownames(spots)
  field <- function(cells, key) {
    centres <- data.frame(x = as.double(spots[cells, "x"]), y = as.double(spots[cells, "y"]), cell = cells)
    SeuratObject::CreateFOV(SeuratObject::CreateCentroids(centres), type = "centroids", assay = "RNA", key = key)
  }
  object <- with_image(small_seurat(), field(cells, "all_"), "all")
  object <- with_image(object, field(cells[1:50], "zoom_"), "zoom")
  expect_identical(levels(SpatialCoords(object)$image), "all")
  expect_identical(quick_seurat(object, coords = NULL)$spacross_domain, quick_fit()$domain)
  object <- with_image(small_seurat(), field(cells[1:100], "one_"), "one")
  expect_spax_error(quick_seurat(object, coords = NULL), "coords", "coords")
  object <- with_image(object, field(cells[101:273], "two_"), "two")
  expect_identical(as.vector(table(SpatialCoords(object)$image)), c(100L, 173L))
  expect_spax_error(quick_seurat(object, coords = NULL), "coords", "coords")
  expect_identical(DomainMetrics(object, domain.name = "label")$slice, c("one", "two"))
  part <- suppressWarnings(subset(object, cells = cells[150:273]))
  expect_s3_class(quick_seurat(part, coords = NULL)$spacross_domain, "factor")
})

test_that("a v4 assay in Seurat 5, a dense layer and corrected counts are inputs as well", {
  withr::local_options(Seurat.object.assay.version = "v3")
  old <- small_seurat()
  expect_s4_class(old[["RNA"]], "Assay")
  expect_identical(quick_seurat(old)$spacross_domain, quick_fit()$domain)
  withr::local_options(Seurat.object.assay.version = "v5")
  object <- small_seurat()
  set_layer <- getExportedValue("SeuratObject", "LayerData<-")
  object <- set_layer(object, layer = "dense", value = as.matrix(small()$counts))
  expect_identical(quick_seurat(object, layer = "dense")$spacross_domain, quick_fit()$domain)
  object <- suppressWarnings(suppressMessages(Seurat::SCTransform(object, verbose = FALSE)))
  expect_identical(SeuratObject::DefaultAssay(quick_seurat(object)[["spacross"]]), "SCT")
  expect_identical(quick_seurat(object, assay = "RNA")$spacross_domain, quick_fit()$domain)
})

test_that("graph and refinement write into a v5 object", {
  object <- BuildSpatialGraph(quick_seurat(), coords = c("x", "y"), k = 6)
  expect_true("spatial_nn" %in% SeuratObject::Graphs(object))
  expect_s4_class(object[["spatial_nn"]], "Graph")
  object <- RefineDomains(object, coords = c("x", "y"), k = 8)
  expect_s3_class(object$spacross_refined, "factor")
  expect_true("RefineDomains.RNA" %in% SeuratObject::Command(object))
  object$label <- small()$spots$label
  scores <- DomainMetrics(object, coords = c("x", "y"), truth = "label")
  expect_true(is.finite(scores$ARI))
  expect_true(methods::validObject(object))
})
