reduced <- function(object, name = "spacross") SingleCellExperiment::reducedDim(object, name)
runs <- function(object) S4Vectors::metadata(object)$spaxR
columns <- function(object) SummarizedExperiment::colData(object)

trained_sce <- local({
  object <- NULL
  function() {
    if (is.null(object)) object <<- quick_sce()
    object
  }
})

# Slices that lie where they lie: aligning them would take most of the time.
quick_stack <- function(object, ..., coords = c("x", "y")) {
  quick_sce(object, coords = coords, ..., align = "none", gaps = 10, spot.distance = 100)
}

stacked_fit <- local({
  fit <- NULL
  function() {
    if (is.null(fit)) fit <<- quick_pair(align = "none")
    fit
  }
})

# The pair of slices, with the coordinates in the object.
pair_spe <- function(env = parent.frame()) {
  object <- pair_sce()
  as_spatial(object, as.data.frame(columns(object)[c("x", "y")]), object$slice, env)
}

test_that("an object comes back with the results of its matrix", {
  object <- trained_sce()
  fit <- quick_fit()
  expect_s4_class(object, "SingleCellExperiment")
  expect_identical(reduced(object), fit$embedding)
  expect_identical(rlang::set_names(object$spacross_domain, colnames(object)), fit$domain)
  run <- runs(object)$RunSpaCross
  parts <- c("options", "history", "timings", "versions", "genes", "seed", "device", "quality", "model", "wrote")
  expect_named(run, parts)
  same <- c("options", "history", "genes", "seed", "device", "model")
  expect_identical(run[same], unclass(fit)[same])
  plain <- small_sce()
  expect_identical(SummarizedExperiment::assays(object), SummarizedExperiment::assays(plain))
  expect_identical(columns(object)[names(columns(plain))], columns(plain))
})

test_that("a run keeps the same parts as in a Seurat object", {
  object <- trained_sce()
  seurat <- quick_seurat(epochs = 2)
  expect_setequal(names(runs(object)$RunSpaCross), names(SeuratObject::Tool(seurat, "RunSpaCross")))
})

test_that("assays, names of results and reductions can be chosen", {
  object <- small_sce()
  SummarizedExperiment::assayNames(object) <- "umi"
  named <- quick_sce(object, assay = "umi", reduction.name = "mine", reduction.key = "my_", domain.name = "place")
  expect_identical(unname(reduced(named, "mine")), unname(quick_fit()$embedding))
  expect_identical(colnames(reduced(named, "mine"))[[1L]], "my_1")
  expect_identical(unname(quick_fit()$domain), named$place)
  # Without counts, on a reduction.
  SummarizedExperiment::assays(object) <- list(logcounts = SummarizedExperiment::assay(object, "umi"))
  x <- quick_fit()$embedding
  SingleCellExperiment::reducedDim(object, "PCA") <- x
  expect_identical(
    reduced(quick_sce(object, reduction = "PCA", dims = 1:5)), quick(NULL, reduction = x, dims = 1:5)$embedding
  )
})

test_that("reconstructed genes are an alternative experiment", {
  object <- quick_sce(impute = TRUE, epochs = 3)
  imputed <- SingleCellExperiment::altExp(object, "SpaCross")
  expect_identical(SummarizedExperiment::assay(imputed, "imputed"), quick(impute = TRUE, epochs = 3)$reconstruction)
  expect_spax_error(quick_sce(impute = TRUE, imputed.assay = "main"), "argument", "imputed.assay")
})

test_that("a SpatialExperiment brings its coordinates and slices", {
  found <- SpatialCoords(small_spe())
  xy <- small_xy()
  expect_identical(
    found[c("x", "y")], data.frame(x = as.double(xy$x), y = as.double(xy$y), row.names = rownames(xy)),
    ignore_attr = "y_down"
  )
  expect_identical(levels(found$image), "one")
  expect_true(attr(found, "y_down"))
  turned_round <- as_spatial(
    small_sce(), stats::setNames(small_xy()[c("y", "x")], c("pxl_row_in_fullres", "pxl_col_in_fullres")), "one"
  )
  expect_identical(SpatialCoords(turned_round), found)
  plain <- SpatialCoords(small_spe(c("x", "y")))
  expect_identical(plain$x, found$x)
  expect_false(attr(plain, "y_down"))
  expect_identical(SpatialCoords(small_spe(c("left", "top")))$y, found$y)
  object <- quick_sce(small_spe(), coords = NULL)
  expect_true(methods::is(object, "SpatialExperiment"))
  expect_identical(reduced(object), quick_fit()$embedding)
})

test_that("several slices in one object are those of a matrix", {
  wanted <- stacked_fit()
  object <- quick_stack(pair_sce(), split.by = "slice")
  expect_identical(reduced(object), wanted$embedding)
  expect_identical(runs(object)$RunSpaCross$alignment, wanted$alignment)
  spatial <- pair_spe()
  expect_spax_error(quick_sce(spatial, coords = NULL), "coords", "coords")
  by_sample <- quick_stack(spatial, coords = NULL, split.by = "sample_id")
  expect_identical(reduced(by_sample), wanted$embedding)
  expect_identical(DomainMetrics(by_sample)$slice, c("a", "b"))
})

test_that("a list of objects is a stack", {
  wanted <- stacked_fit()
  object <- pair_sce()
  parts <- lapply(split(seq_len(ncol(object)), object$slice), function(cells) object[, cells])
  found <- quick_stack(parts)
  expect_named(found, c("a", "b"))
  expect_identical(rbind(reduced(found$a), reduced(found$b)), wanted$embedding)
  expect_identical(runs(found$b)$RunSpaCross$slice, wanted$slice)
  expect_s3_class(DomainPlot(found, coords = c("x", "y")), "ggplot")
  expect_spax_error(quick_sce(list(parts$a, SummarizedExperiment::assay(parts$b))), "argument", "object")
})

test_that("slices are aligned in place", {
  align <- function(...) AlignSlices(..., gaps = 10, spot.distance = 100, search = FALSE)
  wanted <- align(pair_tables(), counts = pair_counts())
  object <- align(pair_sce(), split.by = "slice", coords = c("x", "y"))
  places <- c("spax_x", "spax_y", "spax_z")
  expect_identical(as.data.frame(columns(object)[places]), rlang::set_names(wanted$coords, places))
  expect_s3_class(AlignmentPlot(object), "ggplot")
  parts <- lapply(c(a = "a", b = "b"), function(name) pair_sce()[, pair_slice() == name])
  found <- align(parts, coords = c("x", "y"))
  expect_identical(c(found$a$spax_x, found$b$spax_x), wanted$coords$x)
})

test_that("domains are found, refined, measured and drawn", {
  object <- trained_sce()
  fit <- quick_fit()
  xy <- small_xy()
  again <- FindDomains(object, n.domains = 3, coords = c("x", "y"), domain.name = "three")
  expect_identical(again$three, unname(FindDomains(fit$embedding, n.domains = 3, coords = xy)))
  refined <- RefineDomains(object, coords = c("x", "y"), k = 10)
  expect_identical(refined$spacross_refined, unname(RefineDomains(fit$domain, coords = xy, k = 10)))
  expect_identical(
    DomainMetrics(object, coords = c("x", "y"), truth = "label"),
    DomainMetrics(fit$domain, coords = xy, truth = small()$spots$label)
  )
  expect_identical(DomainPlot(object, coords = c("x", "y"))$data, DomainPlot(fit, coords = xy)$data)
  expect_identical(TrainingPlot(object)$data, TrainingPlot(fit)$data)
  object$half <- S4Vectors::Rle(ifelse(xy$y > stats::median(xy$y), "lower", "upper"))
  expect_identical(
    CompositionPlot(object, split.by = "half")$data,
    CompositionPlot(fit$domain, slice = as.vector(object$half))$data
  )
  expect_identical(
    IntegrationMetrics(object, split.by = "half"),
    IntegrationMetrics(fit$embedding, as.vector(object$half))
  )
  # The order along the tissue needs no `coords` where the object holds them.
  spatial <- small_spe()
  SingleCellExperiment::reducedDim(spatial, "spacross") <- fit$embedding
  expect_identical(FindDomains(spatial, n.domains = 3)$spacross_domain, again$three)
})

test_that("graphs are pairs of columns", {
  object <- BuildFeatureGraph(
    BuildSpatialGraph(trained_sce(), coords = c("x", "y"), k = 6), reduction = "spacross", k = 5
  )
  graph <- function(name) unname(as.matrix(SingleCellExperiment::colPair(object, name, asSparse = TRUE)))
  expect_equal(graph("spatial_nn"), unname(as.matrix(BuildSpatialGraph(small_xy(), k = 6))))
  expect_equal(graph("feature_nn"), unname(as.matrix(BuildFeatureGraph(quick_fit()$embedding, k = 5))))
})

test_that("the main experiment and those beside it are modalities", {
  object <- quick_lora(tissue_sce(), assays = c("RNA", "ADT"), coords = c("x", "y"))
  fit <- quick_lora_fit()
  expect_identical(SingleCellExperiment::reducedDimNames(object), c("spalora", "spalora.rna", "spalora.adt"))
  expect_identical(reduced(object, "spalora"), fit$embedding)
  expect_identical(reduced(object, "spalora.adt"), fit$modality$ADT)
  expect_identical(object$spalora_weight_ADT, fit$attention$weight_ADT)
  expect_identical(object$spalora_domain, unname(fit$domain))
  expect_setequal(names(runs(object)), c("SpatialCoords", "RunSpaLORA"))
  expect_identical(runs(object)$RunSpaLORA$modalities, fit$modalities)
  skip_if_not_installed("patchwork")
  expect_s3_class(ModalityWeightPlot(object, coords = c("x", "y")), "ggplot")
})

test_that("a main experiment without a name is \"main\", and a reduction is features", {
  object <- tissue_sce()
  SingleCellExperiment::mainExpName(object) <- NULL
  x <- stats::prcomp(t(as.matrix(tissue()$counts$ADT)), rank. = 5)$x
  SingleCellExperiment::reducedDim(object, "PCA") <- x
  first <- quick_lora(
    object, assays = c("main", "ADT", "PCA"), coords = c("x", "y"), modality = c(main = "rna"), epochs = 2
  )
  expect_identical(runs(first)$RunSpaLORA$modalities$kind, c("rna", "protein", "features"))
  second <- quick_lora(first, assays = c("main", "PCA"), coords = c("x", "y"), modality = c(main = "rna"), epochs = 2)
  wanted <- quick_lora(
    list(main = tissue()$counts$RNA, PCA = x), modality = c(main = "rna", PCA = "features"), epochs = 2
  )
  expect_identical(reduced(second, "spalora"), wanted$embedding)
  # Nothing of the earlier run is left.
  expect_false(any(grepl("ADT", names(columns(second)))))
  expect_setequal(SingleCellExperiment::reducedDimNames(second), c("PCA", "spalora", "spalora.main", "spalora.pca"))
})

test_that("a trained object predicts, is saved, and takes predictions", {
  object <- trained_sce()
  file <- withr::local_tempfile(fileext = ".safetensors")
  SaveModel(object, file)
  model <- LoadModel(file)
  wanted <- predict(model, small()$counts, coords = small_xy())
  found <- predict(model, small_sce(), coords = c("x", "y"), domain.name = "new")
  expect_identical(reduced(found), wanted$embedding)
  expect_identical(found$new, unname(wanted$domain))
  expect_identical(reduced(predict(model, small_spe())), wanted$embedding)
})

test_that("a model of several modalities predicts an object", {
  both <- quick_lora(tissue_sce(), assays = c("RNA", "ADT"), coords = c("x", "y"), epochs = 2)
  model <- runs(both)$RunSpaLORA$model
  found <- predict(model, tissue_sce(), coords = c("x", "y"))
  wanted <- predict(model, tissue()$counts[c("RNA", "ADT")], coords = tissue()$spots)
  expect_identical(reduced(found, "spalora"), wanted$embedding)
  expect_identical(found$spalora_domain, unname(wanted$domain))
  S4Vectors::metadata(both)$spaxR$RunSpaCross <- runs(trained_sce())$RunSpaCross
  file <- withr::local_tempfile()
  expect_message(SaveModel(both, file), "metadata(object)$spaxR$RunSpaLORA$model", fixed = TRUE)
  expect_identical(LoadModel(file)$system, "spacross")
})

test_that("samples run side by side", {
  found <- RunSamples(
    list(a = small_sce(), b = small_sce()), n.domains = 4, coords = c("x", "y"), epochs = 12, verbose = FALSE
  )
  expect_identical(reduced(found$b), quick_fit()$embedding)
})

test_that("delayed counts are read in blocks", {
  skip_if_not_installed("DelayedArray")
  dense <- DelayedArray::DelayedArray(as.matrix(small()$counts))
  sparse <- DelayedArray::DelayedArray(small()$counts)
  expect_identical(delayed_to_dgc(dense, block = 5000), as_counts(as.matrix(small()$counts)))
  expect_equal(delayed_to_dgc(sparse, block = 5000), small()$counts)
  expect_identical(reduced(quick_sce(small_sce(dense))), quick_fit()$embedding)
})

test_that("bad input is refused before training", {
  object <- small_sce()
  unnamed <- object
  colnames(unnamed) <- NULL
  twice <- object
  colnames(twice)[2L] <- colnames(twice)[1L]
  expect_spax_error(quick_sce(unnamed), "argument", "object")
  expect_spax_error(quick_sce(twice), "argument", "object")
  expect_spax_error(quick_sce(object, assay = "logcounts"), "argument", "assay")
  expect_spax_error(quick_sce(object, coords = NULL), "coords", "coords")
  expect_spax_error(quick_sce(object, coords = c("x", "z")), "argument", "coords")
  expect_spax_error(quick_sce(object, split.by = "sample"), "argument", "split.by")
  expect_spax_error(quick_sce(object, reduction = "PCA"), "argument", "reduction")
  expect_spax_error(quick_sce(object, k.neighbours = 3), "argument", "k.neighbours")
  expect_spax_error(DomainPlot(object, coords = c("x", "y")), "argument", "group.by")
  expect_spax_error(TrainingPlot(object), "argument", "object")
  expect_spax_error(SaveModel(object, tempfile()), "argument", "object")
  expect_spax_error(AlignmentPlot(object), "argument", "object")
  object$nested <- S4Vectors::DataFrame(a = seq_len(ncol(object)))
  expect_spax_error(DomainMetrics(object, coords = c("x", "y"), domain.name = "nested"), "argument", "domain.name")
  both <- tissue_sce()
  expect_spax_error(quick_lora(both, assays = c("RNA", "ATAC"), coords = c("x", "y")), "argument", "assays")
  expect_spax_error(
    quick_lora(both, assays = c("RNA", "ADT"), coords = c("x", "y"), layer = "umi"), "argument", "layer"
  )
  empty <- small_spe()
  SingleCellExperiment::int_colData(empty)$spatialCoords <- matrix(0, ncol(empty), 0)
  expect_spax_error(quick_sce(empty, coords = NULL), "coords", "coords")
})
