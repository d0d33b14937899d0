test_that("y grows as the viewer of each platform draws it, by the names of columns", {
  down <- c("pxl_row_in_fullres", "imagerow", "array_row", "y_centroid", "center_y")
  up <- c("CenterY_global_px", "CenterY_local_px", "y_slide_mm", "sdimy", "centroid_y", "y")
  table <- function(y_name) {
    x_name <- switch(
      y_name,
      pxl_row_in_fullres = "pxl_col_in_fullres",
      imagerow = "imagecol",
      array_row = "array_col",
      chartr("yY", "xX", y_name)
    )
    stats::setNames(small_xy(), c(x_name, y_name))
  }
  is_down <- function(y_name) attr(suppressMessages(SpatialCoords(rownames(small_xy()), table(y_name))), "y_down")
  for (name in down) expect_true(is_down(name), info = name)
  for (name in up) expect_false(is_down(name), info = name)
})

# A field of view as the loader of a platform leaves it: its assay, and the names that the platform gives its cells.
platform_object <- function(assay, cells = NULL) {
  skip_if_not_installed("Seurat")
  counts <- small()$counts
  if (!is.null(cells)) colnames(counts) <- cells
  object <- suppressWarnings(SeuratObject::CreateSeuratObject(counts, assay = assay))
  centroids <- data.frame(x = as.double(small_xy()$x), y = as.double(small_xy()$y), cell = colnames(counts))
  image <- SeuratObject::CreateFOV(
    SeuratObject::CreateCentroids(centroids), type = "centroids", assay = assay, key = "fov_"
  )
  with_image(object, image, "fov")
}

test_that("of a field of view by its assay, or by the names of its cells", {
  down <- function(...) attr(SpatialCoords(platform_object(...)), "y_down")
  for (assay in c("Xenium", "Vizgen", "MERSCOPE", "Akoya")) expect_true(down(assay), info = assay)
  for (assay in c("Nanostring", "CosMx", "RNA", "Spatial")) expect_false(down(assay), info = assay)
  n <- ncol(small()$counts)
  letters_of <- function(i) chartr("0123456789", "abcdefghij", formatC(i, width = 8, flag = "0"))
  expect_true(down("RNA", paste0(letters_of(seq_len(n)), "-1")))
  expect_true(down("RNA", paste0("1127456000", formatC(seq_len(n), width = 8, flag = "0"))))
  expect_false(down("RNA", paste0(seq_len(n), "_12")))
})

test_that("plots draw it so unless told otherwise", {
  down <- function(plot) any(vapply(plot$scales$scales, function(s) "y" %in% s$aesthetics, NA))
  object <- platform_object("Xenium")
  object$label <- small()$spots$label
  expect_true(down(DomainPlot(object, group.by = "label")))
  expect_false(down(DomainPlot(object, group.by = "label", y.down = FALSE)))
  table <- stats::setNames(small_xy(), c("x_centroid", "y_centroid"))
  expect_true(down(DomainPlot(small()$spots$label, coords = table)))
  tables <- list(a = table, b = stats::setNames(table, names(table)))
  aligned <- AlignSlices(tables, verbose = FALSE)
  expect_true(down(AlignmentPlot(aligned)))
  expect_false(down(AlignmentPlot(aligned, y.down = FALSE)))
})

test_that("each platform stands once in the table, with a direction", {
  names <- vapply(platforms, `[[`, "", "name")
  expect_false(anyDuplicated(names) > 0)
  expect_type(vapply(platforms, `[[`, NA, "y_down"), "logical")
  expect_false(anyDuplicated(unlist(lapply(platforms, `[[`, "columns"))) > 0)
})
