test_that("assays that are missing, unknown, doubled or alone are refused", {
  object <- tissue_seurat()
  expect_spax_error(RunSpaLORA(object, n.domains = 5, coords = c("x", "y")), "argument", "assays")
  expect_spax_error(quick_lora_seurat(object, c("RNA", "HTO")), "argument", "assays")
  expect_spax_error(quick_lora_seurat(object, c("RNA", "RNA")), "argument", "assays")
  expect_spax_error(quick_lora_seurat(object, "RNA"), "argument", "assays")
  expect_spax_error(quick_lora_seurat(object, 1:2), "argument", "assays")
})

test_that("coordinates, domains and neighbours are checked before long work", {
  expect_spax_error(quick_lora(coords = NULL), "coords", "coords")
  expect_spax_error(quick_lora(coords = tissue()$spots[-1, ]), "coords", "coords")
  expect_spax_error(quick_lora(n.domains = 1), "argument", "n.domains")
  expect_spax_error(RunSpaLORA(tissue()$counts, coords = tissue()$spots), "argument", "n.domains")
  n <- nrow(tissue()$spots)
  expect_spax_error(quick_lora(options = spalora_options(k = n)), "argument", "k")
  expect_spax_error(quick_lora(options = spalora_options(feature_k = n)), "argument", "feature_k")
})

test_that("bad values of a Seurat object are blamed on its assays", {
  object <- tissue_seurat()
  values <- tissue()$counts$ADT
  values@x[3] <- -1
  object[["BAD"]] <- suppressWarnings(SeuratObject::CreateAssayObject(values))
  condition <- expect_spax_error(
    quick_lora_seurat(object, c("RNA", "BAD"), modality = c(BAD = "protein")), "counts", "assays"
  )
  expect_match(conditionMessage(condition), "BAD")
})

test_that("more components than a modality has features are refused", {
  counts <- tissue()$counts
  most <- which.max(Matrix::rowSums(counts$ADT))
  condition <- expect_error(
    quick_lora(list(RNA = counts$RNA, ADT = counts$ADT[most, , drop = FALSE])),
    class = "spaxR_error"
  )
  expect_match(conditionMessage(condition), "ADT")
  expect_spax_error(quick_lora(options = spalora_options(n_components = 500)), "argument", "n_components")
})

test_that("flags, epochs, seeds, devices and options of the wrong kind are refused", {
  expect_spax_error(quick_lora(verbose = NA), "argument", "verbose")
  expect_spax_error(quick_lora(published = "yes"), "argument", "published")
  expect_spax_error(quick_lora(epochs = 0), "argument", "epochs")
  expect_spax_error(quick_lora(options = spacross_options()), "argument", "options")
  expect_spax_error(quick_lora(options = list()), "argument", "options")
  expect_spax_error(quick_lora(seed = "a"), "argument", "seed")
  expect_spax_error(quick_lora(device = "cuda"), "device", "device")
  expect_spax_error(quick_lora(threads = 0), "argument", "threads")
})

test_that("misspelt arguments are errors, options given as arguments are explained", {
  expect_spax_error(quick_lora(sed = 1), "argument", "sed")
  condition <- expect_spax_error(quick_lora(feature_k = 3), "argument", "feature_k")
  expect_match(conditionMessage(condition), "spalora_options(feature_k", fixed = TRUE)
})

test_that("an error leaves the object as it was", {
  object <- tissue_seurat()
  copy <- object
  expect_error(quick_lora_seurat(object, n.domains = 1e6), class = "spaxR_error")
  expect_identical(object, copy)
})

test_that("names that differ in case only are refused: their results would overwrite each other", {
  counts <- rlang::set_names(tissue()$counts[c("RNA", "ADT")], c("RNA", "rna"))
  error <- expect_spax_error(quick_lora(counts), "argument", "object")
  expect_match(conditionMessage(error), "differ in case only")
})
