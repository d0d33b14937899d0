# Training on a sketch of the cells.

sketch_of <- function(n, xy = small_xy()) rownames(xy)[core(core_even_sample(coords_matrix(xy), as.integer(n)))]

test_that("a run on a sketch is the training on these cells, and the prediction of all", {
  fit <- quick(sketch = 150)
  own <- sketch_of(150)
  expect_identical(fit$sketch, own)
  part <- quick(small()$counts[, own], coords = small_xy()[own, ])
  expect_identical(fit$model$tensors, part$model$tensors)
  expect_identical(fit$history, part$history)
  all <- predict(part, small()$counts, small_xy(), centre = "model")
  expect_identical(fit$embedding, all$embedding)
  expect_identical(fit$domain, all$domain)
  expect_null(fit$confidence)
  expect_equal(data.frame(fit$coords), small_xy())
  expect_true("predict" %in% fit$timings$stage)
  expect_match(capture.output(print(fit)), "sketch of 150 cells", all = FALSE)
  expect_s3_class(plot(fit), "ggplot")
  expect_identical(quick(sketch = 273)$embedding, quick_fit()$embedding)
})

test_that("the domains of a sketch are nearly those of all cells", {
  tissue <- simulate_tissue(n.cells = 2000, modalities = "RNA", seed = 2)
  run <- function(...) RunPredictivePCA(tissue$counts[[1L]], n.domains = 5, coords = tissue$spots, verbose = FALSE, ...)
  whole <- run()
  fit <- run(sketch = 700)
  expect_length(fit$sketch, 700L)
  agreement <- function(fit) adjusted_rand(fit$domain, factor(tissue$spots$label))
  expect_gt(agreement(fit), agreement(whole) - 0.06)
  expect_identical(rownames(fit$embedding), rownames(tissue$spots))
})

test_that("each slice gives its share, and is predicted by itself", {
  fit <- quick_pair(stack = FALSE, gaps = NULL, spot.distance = NULL, sketch = 300)
  expect_identical(as.vector(table(sub("_.*", "", ifelse(startsWith(fit$sketch, "b_"), "b_", "a_")))), c(150L, 150L))
  expect_identical(names(fit$domain), colnames(pair_counts()))
  expect_identical(rownames(fit$embedding), colnames(pair_counts()))
  expect_identical(unname(fit$slice), pair_slice())
  # All cells are mixed, not the sketch alone; domains are as they were.
  apart <- quick_pair(
    stack = FALSE, gaps = NULL, spot.distance = NULL, sketch = 300, options = spacross_options(mix_slices = FALSE)
  )
  first <- predict(apart$model, small()$counts, small_xy(), centre = "slice")
  expect_equal(apart$embedding[colnames(small()$counts), ], first$embedding)
  expect_identical(apart$domain, fit$domain)
  # How far apart the slices' cells of one domain lie, on the mean.
  gap <- function(fit) {
    means <- rowsum(fit$embedding, paste(fit$domain, fit$slice)) / as.vector(table(paste(fit$domain, fit$slice)))
    of_domain <- sub(" .*", "", rownames(means))
    mean(vapply(split(as.data.frame(means), of_domain), function(x) if (nrow(x) == 2L) sqrt(sum((x[1, ] - x[2, ])^2)) else 0, 0))
  }
  expect_lt(gap(fit), 0.6 * gap(apart))
  # Cells in any order.
  mixed <- withr::with_seed(1, sample(ncol(pair_counts())))
  places <- do.call(rbind, unname(pair_tables()))
  other <- quick_pair(pair_counts()[, mixed], coords = places[mixed, ], slice = pair_slice()[mixed], stack = FALSE, gaps = NULL, spot.distance = NULL, sketch = 300)
  expect_setequal(other$sketch, fit$sketch)
  expect_identical(rownames(other$embedding), colnames(pair_counts())[mixed])
})

test_that("objects and several modalities take a sketch", {
  found <- quick_seurat(sketch = 150)
  expect_identical(found$spacross_domain, quick(sketch = 150)$domain)
  expect_identical(SeuratObject::Tool(found, "RunSpaCross")$sketch, sketch_of(150))
  sce <- RunPredictivePCA(small_sce(), n.domains = 4, coords = c("x", "y"), sketch = 150, verbose = FALSE)
  expect_identical(sce$ppca_domain, unname(RunPredictivePCA(small()$counts, n.domains = 4, coords = small_xy(), sketch = 150, verbose = FALSE)$domain))
  expect_null(RunPredictivePCA(small()$counts, coords = small_xy(), sketch = 150, verbose = FALSE)$domain)
  lora <- quick_lora(tissue()$counts[c("RNA", "ADT")], sketch = 200)
  expect_identical(rownames(lora$attention), rownames(tissue()$spots))
  expect_identical(nrow(lora$modality$ADT), nrow(tissue()$spots))
  expect_length(lora$sketch, 200L)
})

test_that("what a sketch does not go with is refused", {
  expect_spax_error(quick(sketch = 5), "argument", "sketch")
  expect_spax_error(quick(sketch = "many"), "argument", "sketch")
  expect_spax_error(quick(sketch = 150, impute = TRUE), "argument", "sketch")
  expect_spax_error(quick_pair(sketch = 300), "argument", "sketch")
})
