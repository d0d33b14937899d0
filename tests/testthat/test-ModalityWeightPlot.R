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

test_that("the panels share one scale of colours, about an equal share", {
  weights <- list(a = c(0.1, 0.2, 0.3), b = c(0.9, 0.8, 0.7))
  scale <- weight_scale(weights, 0.5, "Weight")
  reach <- 0.5 - stats::quantile(unlist(weights), 0.01, names = FALSE)
  expect_equal(scale$limits, 0.5 + reach * c(-1, 1))
  place <- data.frame(x = 1:3, y = 1:3)
  panel <- weight_panel(place, c(0.5, -1, 2), cell_points(place, 1)) + scale
  expect_identical(ggplot2::layer_data(panel)$colour, c("#E6E6E6", "#08519C", "#A50F15"))
  even <- weight_scale(list(a = c(0.5, 0.5), b = c(0.5, 0.5)), 0.5, "Weight")
  expect_gt(diff(even$limits), 0)
})

test_that("slices, and samples that lie over each other, have a panel each", {
  skip_if_not_installed("patchwork")
  object <- quick_lora_seurat()
  maps <- function(plot) plot[[1L]][[1L]]
  expect_null(maps(ModalityWeightPlot(object, coords = c("x", "y")))$data$image)
  object$section <- rep_len(c("u", "v"), ncol(object))
  split <- maps(ModalityWeightPlot(object, coords = c("x", "y"), split.by = "section"))
  expect_identical(levels(split$data$image), c("u", "v"))
  expect_identical(nlevels(ggplot2::layer_data(split)$PANEL), 2L)
  expect_message(
    alone <- ModalityWeightPlot(object, coords = c("x", "y")), "a panel each", class = "spaxR_message_coords"
  )
  expect_identical(levels(maps(alone)$data$image), c("u", "v"))
  halves <- ifelse(seq_len(nrow(tissue()$spots)) %% 2 == 0, "u", "v")
  expect_identical(
    levels(maps(ModalityWeightPlot(quick_lora_fit(), coords = tissue()$spots, slice = halves))$data$image),
    c("u", "v")
  )
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

test_that("sizes and directions that are none are refused before drawing", {
  expect_spax_error(ModalityWeightPlot(quick_lora_fit(), pt.size = "a"), "argument", "pt.size")
  expect_spax_error(ModalityWeightPlot(quick_lora_fit(), y.down = "a"), "argument", "y.down")
})
