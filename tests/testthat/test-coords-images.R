# Objects with several images: emptied ones, a part beside the whole, and samples laid over each other.

two_samples <- function() {
  skip_if_not_installed("Seurat")
  counts <- small()$counts
  first <- with_image(small_seurat(), visium_v1(), "one")
  colnames(counts) <- paste0("b_", colnames(counts))
  second <- suppressWarnings(SeuratObject::CreateSeuratObject(counts))
  image <- SeuratObject::RenameCells(visium_v1(key = "two_"), paste0("b_", colnames(small()$counts)))
  second <- with_image(second, image, "two")
  object <- suppressWarnings(merge(first, second))
  object$sample <- ifelse(startsWith(colnames(object), "b_"), "second", "first")
  object
}

test_that("an image without the object's cells is none", {
  object <- two_samples()
  expect_setequal(image_names(object), c("one", "two"))
  part <- suppressWarnings(subset(object, cells = colnames(object)[object$sample == "second"]))
  got <- SpatialCoords(part)
  expect_equal(got$x, small_xy()$x)
  expect_identical(levels(got$image), "two")
  fit <- quick_seurat(part, coords = NULL)
  expect_identical(unname(fit$spacross_domain), unname(quick_fit()$domain))
  expect_silent(ggplot2::ggplot_build(DomainPlot(fit)))
  fit <- FindDomains(fit, n.domains = 4, method = "kmeans", starts = 2)
  expect_s3_class(DomainMetrics(fit), "data.frame")
  expect_silent(RefineDomains(fit, k = 10))
  for (each in Seurat::SplitObject(object, "sample")) expect_equal(SpatialCoords(each)$x, small_xy()$x)
  bare <- object[, object$sample == "first"]
  methods::slot(bare, "images") <- methods::slot(part, "images")
  expect_match(
    conditionMessage(expect_spax_error(SpatialCoords(bare), "coords", "coords")),
    "none of its cells|no image"
  )
})

test_that("one of three samples can be taken out", {
  object <- two_samples()
  third <- small_seurat(meta = FALSE)
  third <- SeuratObject::RenameCells(third, new.names = paste0("c_", colnames(third)))
  third <- with_image(third, SeuratObject::RenameCells(visium_v1(key = "three_"), colnames(third)), "three")
  object <- suppressWarnings(merge(object, third))
  kept <- suppressWarnings(subset(object, cells = grep("^b_", colnames(object), invert = TRUE, value = TRUE)))
  expect_setequal(levels(SpatialCoords(kept)$image), c("one", "three"))
  fit <- quick_seurat(kept, coords = NULL, split.by = "image", gaps = 10, spot.distance = 100)
  expect_false(anyNA(fit$spacross_domain))
})

test_that("of several images of the same cells the one that holds all counts", {
  object <- with_image(small_seurat(), fov(), "whole")
  centroids <- data.frame(x = small_xy()$x[1:50] * 10, y = small_xy()$y[1:50] * 10, cell = rownames(small_xy())[1:50])
  zoom <- SeuratObject::CreateFOV(
    SeuratObject::CreateCentroids(centroids), type = "centroids", assay = "RNA", key = "zoom_"
  )
  first <- with_image(small_seurat(), zoom, "zoom")
  for (both in list(with_image(object, zoom, "zoom"), with_image(first, fov(), "whole"))) {
    got <- SpatialCoords(both)
    expect_identical(levels(got$image), "whole")
    expect_equal(got$x, small_xy()$x)
  }
})

test_that("samples laid over each other are told", {
  object <- two_samples()
  expect_match(conditionMessage(expect_spax_error(quick_seurat(object, coords = NULL), "coords", "coords")), "split.by")
  object$px <- rep(small_xy()$x, 2)
  object$py <- rep(small_xy()$y, 2) + rep(c(0, 30), each = nrow(small_xy()))
  told <- expect_warning(quick_seurat(object, coords = c("px", "py")), class = "spaxR_warning_coords")
  expect_match(conditionMessage(told), "split.by = \"sample\"", fixed = TRUE)
  object$py <- object$py + 1e5 * (object$sample == "second")
  expect_silent(quick_seurat(object, coords = c("px", "py")))
})

test_that("so they are in Bioconductor's objects and tables", {
  object <- pair_sce()
  names <- names(SummarizedExperiment::colData(object))
  SummarizedExperiment::colData(object)$x <- rep(small_xy()$x, 2)
  SummarizedExperiment::colData(object)$y <- rep(small_xy()$y, 2)
  names(SummarizedExperiment::colData(object)) <- sub("^slice$", "sample_id", names)
  told <- expect_warning(quick_sce(object), class = "spaxR_warning_coords")
  expect_match(conditionMessage(told), "split.by = \"sample_id\"", fixed = TRUE)
  doubled <- data.frame(rbind(small_xy(), small_xy()), row.names = colnames(pair_counts()))
  told <- expect_warning(quick(pair_counts(), coords = doubled), class = "spaxR_warning_coords")
  expect_match(conditionMessage(told), "slice")
  table <- data.frame(doubled + rep(c(0, 40), each = nrow(small_xy())), library_id = pair_slice())
  told <- expect_warning(quick(pair_counts(), coords = table), class = "spaxR_warning_coords")
  expect_match(conditionMessage(told), "library_id")
})

test_that("what says how slices lie is refused without slices", {
  expect_spax_error(quick(stack = FALSE), "argument", "stack")
  expect_spax_error(quick(stack = TRUE), "argument", "stack")
  expect_spax_error(quick(align = "paste"), "argument", "align")
  expect_spax_error(quick_seurat(align = "icp"), "argument", "align")
  expect_spax_error(BuildSpatialGraph(small_xy(), stack = FALSE), "argument", "stack")
})

test_that("numbers are no order of slices", {
  three <- rep_len(c(1, 2, 10), ncol(pair_counts()))
  expect_spax_error(quick_pair(slice = three), "argument", "slice")
  object <- pair_seurat()
  object$fov <- three
  expect_spax_error(quick_seurat(object, split.by = "fov"), "argument", "split.by")
  expect_s3_class(quick_pair(slice = three, stack = FALSE, gaps = NULL, spot.distance = NULL), "SpaCrossResult")
})

test_that("a SpatialExperiment with repeated barcodes says how to name them", {
  object <- small_sce()
  object$sample_id <- rep_len(c("one", "two"), ncol(object))
  colnames(object)[[2L]] <- colnames(object)[[1L]]
  told <- expect_spax_error(quick_sce(object), "argument", "object")
  expect_match(conditionMessage(told), "paste(object$sample_id, colnames(object)", fixed = TRUE)
})

test_that("verbs that look at neighbours warn too, and marks beside barcodes tell", {
  object <- pair_seurat()
  object$x <- rep(small_xy()$x, 2)
  object$y <- rep(small_xy()$y, 2) + rep(c(0, 25), each = nrow(small_xy()))
  object$group <- rep_len(c("u", "v"), ncol(object))
  expect_warning(
    RefineDomains(object, coords = c("x", "y"), domain.name = "group", k = 6),
    class = "spaxR_warning_coords"
  )
  expect_warning(DomainMetrics(object, coords = c("x", "y"), domain.name = "group"), class = "spaxR_warning_coords")
  expect_warning(BuildSpatialGraph(object, coords = c("x", "y")), class = "spaxR_warning_coords")
  expect_silent(RefineDomains(object, coords = c("x", "y"), domain.name = "group", k = 6, split.by = "slice"))
  counts <- pair_counts()
  colnames(counts) <- paste0(rep(colnames(small()$counts), 2), rep(c("_1", "_2"), each = nrow(small_xy())))
  place <- data.frame(x = object$x, y = object$y, row.names = colnames(counts))
  told <- expect_warning(quick(counts, coords = place), class = "spaxR_warning_coords")
  expect_match(conditionMessage(told), "slice")
  place$x <- place$x + rep(c(0, 1e5), each = nrow(small_xy()))
  expect_silent(quick(counts, coords = place))
})

test_that("a model's radius must make sense for the new cells", {
  fit <- quick(options = spacross_options(radius = 300))
  expect_s3_class(predict(fit, small()$counts, coords = small_xy()), "SpaxPrediction")
  expect_spax_error(predict(fit, small()$counts, coords = small_xy() * 100), "argument", "radius")
})

test_that("samples are told by what merging put beside any names, and by what differs between samples", {
  n <- nrow(small_xy())
  counts <- cbind(small()$counts, small()$counts)
  place <- rbind(small_xy(), small_xy() + 3)
  run <- function(cells, more = data.frame(row.names = cells)) {
    colnames(counts) <- rownames(place) <- cells
    RunPredictivePCA(counts, 2, cbind(place, more), verbose = FALSE)
  }
  sample <- rep(c("s1", "s2"), each = n)
  # Xenium's names are letters.
  letters_of <- function(i) paste0("aaaa", chartr("0123456789", "abcdefghij", sprintf("%04d", i)), "-1")
  for (cells in list(
    paste0(sample, "_cell", seq_len(n)), paste0("cell", seq_len(n), "_", sample),
    paste0(sample, "_", letters_of(seq_len(2 * n)))
  )) {
    expect_warning(run(cells), class = "spaxR_warning_coords", label = cells[[1]])
  }
  cells <- paste0("c", seq_len(2 * n))
  for (column in c("condition", "TimePoint", "brain_section_label", "ImageNumber", "fov", "Bregma")) {
    more <- data.frame(as.integer(factor(sample)), row.names = cells)
    names(more) <- column
    expect_warning(run(cells, more), class = "spaxR_warning_coords", label = column)
  }
  # Bins are named by their places: rows of an array are no samples.
  grid <- expand.grid(column = 1:13, row = 1:21)
  bins <- data.frame(x = grid$column, y = grid$row, row.names = paste(grid$row, grid$column, sep = "_"))
  # The cells as they lie, row by row, since cells at any other places are warned of too.
  by_row <- split(order(small_xy()$y), rep(1:21, each = 13))
  as_they_lie <- unlist(lapply(by_row, function(cells) cells[order(small_xy()$x[cells])]))
  counts <- `colnames<-`(small()$counts[, as_they_lie], rownames(bins))
  expect_no_warning(RunPredictivePCA(counts, 2, bins, verbose = FALSE))
})

test_that("cells of one name in several samples name the column that tells them apart", {
  skip_if_not_installed("SingleCellExperiment")
  object <- small_sce()[, rep(seq_len(ncol(small()$counts)), 2)]
  object$Sample <- rep(c("a", "b"), each = ncol(small()$counts))
  condition <- expect_spax_error(SpatialCoords(object, c("x", "y")), "argument", "object")
  expect_match(conditionMessage(condition), "object$Sample", fixed = TRUE)
  object$Sample <- NULL
  condition <- expect_spax_error(SpatialCoords(object, c("x", "y")), "argument", "object")
  expect_match(conditionMessage(condition), "make.unique")
})
