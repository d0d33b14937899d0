# predict(), SaveModel() and plot() on what holds a run.

drawn <- function(plot) plot$data[c("x", "y", "label")]

test_that("plot() draws the domains of a result where its cells were found", {
  fit <- quick_fit()
  expect_equal(data.frame(fit$coords), small_xy())
  expect_equal(drawn(plot(fit)), drawn(DomainPlot(fit$domain, coords = small_xy())))
  expect_equal(drawn(plot(fit, coords = small_xy() * 2))$x, 2 * drawn(plot(fit))$x)
  expect_equal(drawn(plot(fit, confidence = TRUE)), drawn(plot(fit)))
  expect_identical(DomainMetrics(fit), DomainMetrics(fit, coords = small_xy()))
  upright <- function(plot) !any(vapply(plot$scales$scales, function(s) "y" %in% s$aesthetics, NA))
  expect_true(upright(plot(fit)))
  pixels <- stats::setNames(small_xy(), c("pxl_col_in_fullres", "pxl_row_in_fullres"))
  expect_false(upright(plot(quick(coords = pixels))))
  none <- RunPredictivePCA(small()$counts, coords = small_xy(), verbose = FALSE)
  expect_spax_error(plot(none), "argument", "object")
})

test_that("it does so for several slices, stacked or not, and for predictions", {
  apart <- quick_pair(stack = FALSE, gaps = NULL, spot.distance = NULL)
  expect_identical(levels(plot(apart)$data$image), c("a", "b"))
  stacked <- quick_pair()
  expect_null(stacked$coords)
  expect_identical(levels(plot(stacked)$data$image), c("a", "b"))
  new <- predict(quick_fit(), small()$counts, coords = small_xy())
  expect_equal(drawn(plot(new)), drawn(DomainPlot(new$domain, coords = small_xy())))
})

test_that("objects that hold a run predict, save their model and are plotted", {
  plain <- predict(quick_fit(), small()$counts, small_xy())
  file <- withr::local_tempfile(fileext = ".safetensors")
  for (object in list(quick_seurat(), quick_sce(), quick_sce(as_spatial(small_sce(), small_xy(), "one"), coords = NULL))) {
    expect_identical(predict(object, small()$counts, small_xy()), plain)
    again <- predict(object, object, coords = c("x", "y"), domain.name = "zone")
    expect_identical(unname(as.character(meta_column(again, "zone", "column"))), unname(as.character(plain$domain)))
    SaveModel(object, file, overwrite = TRUE)
    expect_identical(LoadModel(file)$tensors, quick_fit()$model$tensors)
    expect_equal(drawn(plot(object, coords = c("x", "y"))), drawn(DomainPlot(object, coords = c("x", "y"))))
  }
})

test_that("what holds no run says so", {
  expect_spax_error(predict(small_seurat(), small()$counts, small_xy()), "argument", "object")
  expect_spax_error(plot(small_seurat(), coords = c("x", "y")), "argument", "group.by")
  expect_spax_error(predict(quick_fit()), "argument", "newdata")
  expect_spax_error(predict(quick_seurat()), "argument", "newdata")
})
