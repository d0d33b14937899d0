test_that("a panel for each modality, and boxes by domain", {
  skip_if_not_installed("patchwork")
  plot <- ModalityWeightPlot(quick_lora_fit(), coords = tissue()$spots)
  expect_s3_class(plot, "patchwork")
  expect_s3_class(ModalityWeightPlot(quick_lora_fit(), coords = tissue()$spots, what = "graph"), "patchwork")
})

test_that("a Seurat object is drawn from its meta data", {
  skip_if_not_installed("patchwork")
  object <- quick_lora_seurat()
  expect_s3_class(ModalityWeightPlot(object, coords = c("x", "y")), "patchwork")
  expect_s3_class(ModalityWeightPlot(object, coords = c("x", "y"), group.by = NULL), "patchwork")
  expect_s3_class(ModalityWeightPlot(object, coords = c("x", "y"), group.by = "label", what = "graph"), "patchwork")
  expect_s3_class(DomainPlot(object, coords = c("x", "y")), "ggplot")
  expect_s3_class(TrainingPlot(object), "ggplot")
  expect_s3_class(TrainingPlot(object, tool = "RunSpaLORA"), "ggplot")
  expect_spax_error(TrainingPlot(object, tool = "RunSpaCross"), "argument", "object")
})

test_that("the panels share one scale of colours", {
  weights <- list(a = c(0.1, 0.2), b = c(0.9, 0.8))
  panel <- weight_panel(data.frame(x = 1:2, y = 1:2), weights$a, 1, FALSE, "a", range(unlist(weights)), "Weight")
  expect_identical(panel$scales$get_scales("colour")$limits, c(0.1, 0.9))
})

test_that("results draw their domains and training", {
  expect_s3_class(DomainPlot(quick_lora_fit(), coords = tissue()$spots), "ggplot")
  plot <- TrainingPlot(quick_lora_fit())
  expect_setequal(levels(plot$data$loss), c(
    "Total", "Reconstruction of RNA", "Reconstruction of ADT", "RNA through the others", "ADT through the others"
  ))
})

test_that("objects without weights or domains are refused", {
  expect_spax_error(ModalityWeightPlot(quick_fit()), "argument", "object")
  expect_spax_error(ModalityWeightPlot(quick_lora_fit(), coords = tissue()$spots, what = "cell"), "argument", "what")
  object <- tissue_seurat()
  expect_spax_error(ModalityWeightPlot(object, coords = c("x", "y")), "argument", "object")
  expect_spax_error(DomainPlot(object, coords = c("x", "y")), "argument", "group.by")
})
