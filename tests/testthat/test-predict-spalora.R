# A model of `counts`, and what it makes of the cells that it was trained on.
again <- function(fit, centre = "model", counts = tissue()$counts, coords = tissue()$spots, ...) {
  predict(fit, counts, coords, centre = centre, ...)
}

expect_same_cells <- function(new, fit) {
  expect_s3_class(new, "SpaxPrediction")
  expect_lt(max(abs(new$embedding - fit$embedding)), 1e-5)
  expect_lt(max(abs(new$attention - fit$attention)), 1e-5)
  expect_identical(dimnames(new$embedding), dimnames(fit$embedding))
  expect_identical(names(new$attention), names(fit$attention))
  expect_identical(names(new$modality), names(fit$modality))
  expect_identical(names(new$domain), names(fit$domain))
  expect_identical(levels(new$domain), levels(fit$domain))
  expect_gt(mean(new$domain == fit$domain), 0.9)
}

test_that("the tissue trained on gets the same embedding, attention and nearly the same domains", {
  fit <- quick_lora_fit()
  new <- again(fit)
  expect_same_cells(new, fit)
  for (name in names(fit$modality)) expect_lt(max(abs(new$modality[[name]] - fit$modality[[name]])), 1e-5)
  expect_same_cells(again(fit, "slice"), fit)
  expect_identical(again(fit$model, threads = 1), new)
})

test_that("this holds for peaks, columns as they are, three modalities and every source of domains", {
  columns <- withr::with_seed(
    4,
    matrix(stats::rnorm(6 * nrow(tissue()$spots)), ncol = 6, dimnames = list(rownames(tissue()$spots), NULL))
  )
  counts <- c(tissue()$counts, list(image = columns))
  runs <- list(list(c("RNA", "ATAC"), "both"), list(c("ADT", "image"), "embedding"), list(names(counts), "smoothed"))
  for (run in runs) {
    fit <- quick_lora(counts[run[[1]]], options = spalora_options(domains_from = run[[2]]))
    expect_same_cells(again(fit, counts = counts), fit)
  }
})

test_that("this holds when neighbours predict more genes than the network sees", {
  fit <- quick_lora(options = spalora_options(n_genes = 40))
  expect_length(fit$features$RNA, 40L)
  expect_same_cells(again(fit), fit)
})

test_that("this holds when the network saw all genes, and for components of single cells", {
  for (options in list(
    spalora_options(input = "genes"), spalora_options(components = "cells"), spalora_options(weights = "none")
  )) {
    fit <- quick_lora(options = options)
    expect_same_cells(again(fit), fit)
  }
})

test_that("a model is the same after a file", {
  fit <- quick_lora_fit()
  file <- withr::local_tempfile(fileext = ".safetensors")
  SaveModel(fit, file)
  model <- LoadModel(file)
  expect_s3_class(model, "SpaLORAModel")
  expect_identical(model$modalities, fit$model$modalities)
  expect_equal(unclass(model$options), unclass(fit$model$options), ignore_attr = TRUE)
  expect_identical(again(model), again(fit))
  expect_output(print(model), "SpaLORA: RNA .* \\+ ADT")
})

test_that("half a tissue labels the other half", {
  skip_if_not_installed("mclust")
  whole <- simulate_tissue(n.cells = 1000, modalities = c("RNA", "ADT"))
  below <- whole$spots$y < stats::median(whole$spots$y)
  half <- function(cells) lapply(whole$counts, function(counts) counts[, cells])
  fit <- RunSpaLORA(half(below), n.domains = 5, coords = whole$spots[below, ], epochs = 100, verbose = FALSE)
  for (centre in c("slice", "model")) {
    new <- predict(fit, half(!below), coords = whole$spots[!below, ], centre = centre)
    expect_gt(mclust::adjustedRandIndex(new$domain, whole$spots$label[!below]), 0.7)
  }
})

test_that("features that are missing count as their mean, up to half of them", {
  counts <- tissue()$counts
  counts$ADT <- counts$ADT[-(1:3), ]
  warning <- expect_warning(new <- again(quick_lora_fit(), counts = counts), class = "spaxR_warning_genes")
  expect_match(conditionMessage(warning), "lacks 3 of the 20 features of the modality \"ADT\"")
  expect_identical(new$genes_missing, list(ADT = rownames(tissue()$counts$ADT)[1:3]))
  expect_true(all(is.finite(new$embedding)))
  counts$ADT <- counts$ADT[1:5, ]
  expect_spax_error(again(quick_lora_fit(), counts = counts), "argument", "newdata")
})

test_that("new cells that do not fit the model are errors with a remedy", {
  fit <- quick_lora_fit()
  counts <- tissue()$counts
  expect_spax_error(again(fit, counts = counts["RNA"]), "argument", "newdata")
  expect_spax_error(again(fit, counts = counts$RNA), "argument", "newdata")
  expect_spax_error(again(fit, centre = "none"), "argument", "centre")
  few <- lapply(counts, function(x) x[, 1:15])
  expect_spax_error(again(fit, counts = few, coords = tissue()$spots[1:15, ]), "argument", "newdata")
  negative <- counts
  negative$ADT[1, 1] <- -1
  expect_spax_error(again(fit, counts = negative), "counts", "newdata")
  columns <- withr::with_seed(
    4,
    matrix(stats::rnorm(6 * ncol(counts$RNA)), ncol = 6, dimnames = list(colnames(counts$RNA), NULL))
  )
  of_columns <- quick_lora(list(ADT = counts$ADT, image = columns))
  expect_spax_error(again(of_columns, counts = list(ADT = counts$ADT, image = columns[, 1:4])), "argument", "newdata")
})

test_that("a Seurat object comes back as from a run, also with other names of assays", {
  object <- tissue_seurat()
  fit <- quick_lora_fit()
  new <- predict(fit, object, coords = c("x", "y"), centre = "model", domain.name = "zone")
  expect_identical(unname(SeuratObject::Embeddings(new, "spalora")), unname(again(fit)$embedding))
  expect_true(all(c("spalora.rna", "spalora.adt") %in% SeuratObject::Reductions(new)))
  expect_identical(unname(new$zone), unname(again(fit)$domain))
  expect_identical(unname(new$spalora_weight_ADT), again(fit)$attention$weight_ADT)
  object[["protein"]] <- suppressWarnings(SeuratObject::CreateAssayObject(tissue()$counts$ADT))
  renamed <- predict(fit, object, coords = c("x", "y"), assays = c(ADT = "protein", RNA = "RNA"), centre = "model")
  expect_identical(unname(renamed$spalora_domain), unname(new$zone))
  expect_identical(SeuratObject::DefaultAssay(renamed[["spalora.adt"]]), "protein")
  expect_spax_error(predict(fit, object, coords = c("x", "y"), assays = "RNA"), "argument", "assays")
  expect_spax_error(
    predict(fit, object, coords = c("x", "y"), assays = c(RNA = "RNA", CITE = "ADT")), "argument", "assays"
  )
})

test_that("of an object after runs of both systems the model of the last is kept, and said", {
  object <- quick_lora_seurat()
  file <- withr::local_tempfile()
  SaveModel(object, file)
  expect_identical(LoadModel(file)$tensors, SeuratObject::Tool(object, "RunSpaLORA")$model$tensors)
  both <- suppressWarnings(RunSpaCross(object, n.domains = 4, coords = c("x", "y"), epochs = 2, verbose = FALSE))
  expect_message(SaveModel(both, file, overwrite = TRUE), "Tool(object, \"RunSpaLORA\")$model", fixed = TRUE)
  expect_identical(LoadModel(file)$tensors, SeuratObject::Tool(both, "RunSpaCross")$model$tensors)
})

test_that("new cells are averaged over as many cells as those of the training", {
  fit <- quick_lora(options = spalora_options(domains_from = "smoothed"))
  model <- fit$model
  tensors <- core(core_tensors_read(model$tensors))
  expect_equal(as.vector(tensors$smooth.k), fit$modalities$smooth_k)
  tensors$smooth.k[] <- 37
  model$tensors <- core(core_tensors_write(tensors))
  wide <- quick_lora(options = spalora_options(domains_from = "smoothed", smooth_k = 37))
  expect_equal(as.vector(core(core_tensors_read(wide$model$tensors))$smooth.k), c(37, 37))
  expect_false(identical(again(model)$domain, again(fit)$domain))
})
