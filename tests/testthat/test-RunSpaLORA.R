test_that("matrices come back as embeddings, attention, domains, history and timings", {
  fit <- quick_lora_fit()
  cells <- rownames(tissue()$spots)
  width <- fit$options$latent
  expect_s3_class(fit, "SpaLORAResult")
  expect_identical(dimnames(fit$embedding), list(cells, paste0("spalora_", seq_len(min(15, length(cells) %/% 20)))))
  own <- quick_lora(options = spalora_options(embedding_from = "network"))
  expect_identical(dimnames(own$embedding), list(cells, paste0("spalora_", seq_len(width))))
  expect_equal(unname(rowSums(own$embedding^2)), rep(1, length(cells)), tolerance = 1e-4)
  expect_identical(own$domain, fit$domain)
  expect_named(fit$modality, c("RNA", "ADT"))
  expect_identical(dimnames(fit$modality$ADT), list(cells, paste0("spaloraadt_", seq_len(width))))
  expect_identical(levels(fit$domain), as.character(1:5))
  expect_identical(names(fit$domain), cells)
  expect_false(anyNA(fit$domain))
  expect_identical(fit$history$epoch, 1:8)
  expect_named(fit$history, c("epoch", "total", "recon_RNA", "recon_ADT", "cross_RNA", "cross_ADT"))
  expect_true(all(is.finite(as.matrix(fit$history))))
  expect_named(fit$timings, c("stage", "wall", "cpu"))
  expect_identical(fit$modalities$kind, c("rna", "protein"))
  expect_true(all(fit$features$RNA %in% rownames(tissue()$counts$RNA)))
  expect_identical(fit$features$ADT, rownames(tissue()$counts$ADT))
  expect_identical(fit$call[[1]], quote(RunSpaLORA))
})

test_that("the weights of a cell add up to 1, over the modalities and over the graphs", {
  attention <- quick_lora_fit()$attention
  expect_named(attention, c("weight_RNA", "weight_ADT", "spatial_RNA", "feature_RNA", "spatial_ADT", "feature_ADT"))
  one <- rep(1, nrow(attention))
  expect_equal(attention$weight_RNA + attention$weight_ADT, one, tolerance = 1e-5)
  expect_equal(attention$spatial_RNA + attention$feature_RNA, one, tolerance = 1e-5)
  expect_equal(attention$spatial_ADT + attention$feature_ADT, one, tolerance = 1e-5)
})

test_that("training lowers the loss", {
  history <- quick_lora(epochs = 40)$history
  expect_lt(mean(tail(history$total, 5)), mean(head(history$total, 5)))
})

test_that("the same seed gives the same bytes for 1, 2 and 4 threads, another seed others", {
  one <- quick_lora(threads = 1)
  same <- c("embedding", "modality", "attention", "domain", "history")
  for (threads in c(2, 4)) expect_identical(unclass(quick_lora(threads = threads))[same], unclass(one)[same])
  expect_false(identical(quick_lora(seed = 2)$embedding, one$embedding))
})

test_that("the same seed gives the same bytes in another session", {
  skip_if_not_installed("callr")
  elsewhere <- callr::r(function() {
    library(spaxR)
    made <- simulate_tissue(n.cells = 300)
    RunSpaLORA(
      made$counts[c("RNA", "ADT")], n.domains = 5, coords = made$spots, epochs = 8, threads = 2, verbose = FALSE
    )$embedding
  })
  expect_identical(elsewhere, quick_lora_fit()$embedding)
})

test_that("seed = NULL follows R's generator, and no run disturbs it", {
  withr::local_seed(5)
  a <- quick_lora(seed = NULL)$embedding
  b <- withr::with_seed(5, quick_lora(seed = NULL)$embedding)
  expect_identical(a, b)
  before <- .Random.seed
  quick_lora(seed = 1)
  expect_identical(.Random.seed, before)
})

test_that("the order of cells in the second modality and in coords does not matter", {
  counts <- tissue()$counts[c("RNA", "ADT")]
  back <- rev(seq_len(ncol(counts$RNA)))
  counts$ADT <- counts$ADT[, back]
  fit <- quick_lora(counts, coords = tissue()$spots[back, ])
  expect_identical(fit$embedding, quick_lora_fit()$embedding)
})

test_that("three modalities work, and modalities without RNA", {
  fit <- quick_lora(tissue()$counts)
  expect_named(fit$modality, c("RNA", "ADT", "ATAC"))
  expect_equal(
    unname(rowSums(fit$attention[startsWith(names(fit$attention), "weight_")])), rep(1, nrow(fit$embedding)),
    tolerance = 1e-5
  )
  expect_identical(quick_lora(tissue()$counts[c("ADT", "ATAC")])$modalities$kind, c("protein", "atac"))
})

test_that("two modalities of one kind and a reduction work", {
  counts <- tissue()$counts
  fit <- quick_lora(list(A = counts$RNA[1:150, ], B = counts$RNA[151:300, ]), modality = c("rna", "rna"))
  expect_identical(fit$modalities$kind, c("rna", "rna"))
  image <- t(log1p(as.matrix(counts$ADT)))
  fit <- quick_lora(list(RNA = counts$RNA, image = image))
  expect_identical(fit$modalities$kind, c("rna", "features"))
})

test_that("cells that only one modality has are left out when asked, and said", {
  counts <- tissue()$counts[c("RNA", "ADT")]
  counts$ADT <- counts$ADT[, -(1:10)]
  expect_spax_error(quick_lora(counts), "argument", "object")
  expect_message(fit <- quick_lora(counts, cells = "shared"), "left out: RNA 10, ADT 0")
  expect_identical(names(fit$domain), colnames(counts$ADT))
})

test_that("a Seurat object comes back with reductions, weights, domains, a tool entry and a logged command", {
  before <- tissue_seurat()
  object <- quick_lora_seurat()
  fit <- quick_lora_fit()
  expect_true(methods::validObject(object))
  expect_setequal(SeuratObject::Reductions(object), c("spalora", "spalora.rna", "spalora.adt"))
  expect_identical(unname(SeuratObject::Embeddings(object, "spalora")), unname(fit$embedding))
  expect_identical(unname(SeuratObject::Embeddings(object, "spalora.adt")), unname(fit$modality$ADT))
  expect_identical(SeuratObject::DefaultAssay(object[["spalora.adt"]]), "ADT")
  expect_identical(object$spalora_weight_ADT, rlang::set_names(fit$attention$weight_ADT, colnames(object)))
  expect_identical(object$spalora_spatial_RNA, rlang::set_names(fit$attention$spatial_RNA, colnames(object)))
  expect_identical(object$spalora_feature_RNA, rlang::set_names(fit$attention$feature_RNA, colnames(object)))
  expect_identical(object$spalora_domain, fit$domain)
  tool <- SeuratObject::Tool(object, "RunSpaLORA")
  expect_identical(tool$history, fit$history)
  expect_identical(tool$options, fit$options)
  expect_output(
    print(SeuratObject::Command(object, grep("RunSpaLORA", SeuratObject::Command(object), value = TRUE))),
    "RunSpaLORA"
  )
  kept <- setdiff(names(before[[]]), character())
  expect_identical(object[[]][kept], before[[]][kept])
  expect_identical(colnames(object), colnames(before))
})

test_that("names of the results can be chosen, and a reduction can be a modality", {
  object <- tissue_seurat()
  scores <- t(log1p(as.matrix(tissue()$counts$ADT)))
  colnames(scores) <- paste0("IMG_", seq_len(ncol(scores)))
  object[["img"]] <- SeuratObject::CreateDimReducObject(scores, key = "IMG_", assay = "RNA")
  object <- quick_lora_seurat(
    object, c("RNA", "img"), reduction.name = "joint", reduction.key = "joint_", domain.name = "zone"
  )
  expect_true(all(c("joint", "joint.rna", "joint.img") %in% SeuratObject::Reductions(object)))
  expect_true(all(c("zone", "joint_weight_img") %in% names(object[[]])))
  expect_identical(SeuratObject::Tool(object, "RunSpaLORA")$modalities$kind, c("rna", "features"))
})

test_that("layers can be named for each assay", {
  object <- tissue_seurat()
  again <- quick_lora_seurat(object, layer = c(ADT = "counts", RNA = "counts"))
  expect_identical(again$spalora_domain, quick_lora_fit()$domain)
  expect_spax_error(quick_lora_seurat(object, layer = c(RNA = "counts", HTO = "counts")), "argument", "layer")
  expect_spax_error(quick_lora_seurat(object, layer = "spliced"), "argument", "layer")
})

test_that("published = TRUE runs the published settings", {
  skip_if_not_installed("mclust")
  fit <- quick_lora(published = TRUE)
  fixed <- c(weights = "published", input = "genes", init = "random", components = "cells", cluster = "mclust")
  expect_identical(unlist(unclass(fit$options)[names(fixed)]), fixed)
  expect_false(identical(fit$embedding, quick_lora_fit()$embedding))
})

test_that("the weights of the genes can be chosen", {
  none <- quick_lora(options = spalora_options(weights = "none"))
  expect_false(identical(none$embedding, quick_lora_fit()$embedding))
  expect_spax_error(spalora_options(weights = "some"), "argument", "weights")
})

test_that("components are those of neighbourhoods or of cells, and the network sees them or all genes", {
  spatial <- quick_lora_fit()
  cells <- quick_lora(options = spalora_options(components = "cells"))
  genes <- quick_lora(options = spalora_options(input = "genes"))
  rows <- function(fit) nrow(core(core_tensors_read(fit$model$tensors))[["encoder_omics1.weight"]])
  n_genes <- length(spatial$features$RNA)
  expect_identical(c(rows(spatial), rows(cells), rows(genes)), c(30L, 30L, n_genes))
  expect_identical(spatial$modalities[c("features", "components")], cells$modalities[c("features", "components")])
  expect_false(identical(spatial$embedding, cells$embedding))
  expect_false(identical(spatial$embedding, genes$embedding))
  expect_spax_error(spalora_options(components = "genes"), "argument", "components")
  expect_spax_error(spalora_options(input = "cells"), "argument", "input")
})

test_that("few cells are clustered by few columns, unless numbers are given", {
  columns <- function(n, ..., m = 2) {
    given <- rlang::list2(...)
    given$domains_from <- given$domains_from %||% "both"
    unlist(
      fewer_columns(spalora_options(!!!given), n, m)[c("embedding_components", "smooth_components")],
      use.names = FALSE
    )
  }
  expect_identical(columns(800), c(10L, 15L))
  expect_identical(columns(600), c(10L, 10L))
  expect_identical(columns(300), c(5L, 5L))
  expect_identical(columns(30), c(2L, 2L))
  expect_identical(columns(600, m = 3), c(7L, 7L))
  expect_identical(columns(300, embedding_components = 9), c(9L, 5L))
  expect_identical(columns(300, embedding_components = 9, smooth_components = 12), c(9L, 12L))
  expect_identical(columns(300, domains_from = "smoothed"), c(10L, 7L))
  expect_identical(columns(300, domains_from = "embedding"), c(10L, 15L))
  expect_identical(
    quick_lora_fit()$options$smooth_components,
    fewer_columns(spalora_options(), nrow(tissue()$spots), 2)$smooth_components
  )
})

test_that("consensus over several trainings gives one set of domains", {
  fit <- quick_lora(options = spalora_options(consensus = 2))
  expect_identical(levels(fit$domain), as.character(1:5))
})

test_that("printing a result says what is in it", {
  text <- capture.output(print(quick_lora_fit()))
  expect_match(text[[1]], paste("SpaLORA on", nrow(tissue()$spots), "cells: 5 domains"))
  expect_match(paste(text, collapse = "\n"), "ADT +protein +20 features")
})

test_that("verbose says the kinds and is one line at either end; off is silent", {
  expect_silent(quick_lora(verbose = FALSE))
  said <- paste(capture_messages(quick_lora(verbose = TRUE)), collapse = "")
  expect_match(said, "\"ADT\" is taken as protein")
  expect_match(said, "Training 8 epochs")
  expect_match(said, "Trained 8 epochs: loss")
})

test_that("a biologist's default finds the domains of the simulated tissue", {
  made <- simulate_tissue()
  fit <- RunSpaLORA(made$counts[c("RNA", "ADT")], n.domains = 5, coords = made$spots, verbose = FALSE)
  expect_gt(DomainMetrics(fit$domain, truth = made$spots$label, coords = made$spots)$ARI, 0.8)
})

# Six columns over a grid of 24 x 24 cells: a level of their own for each square of 6 x 6 cells, and noise on top.
noisy_squares <- function(noise) {
  square <- rep(1:4, each = 6)
  of <- as.vector(outer(square, 4 * (square - 1), `+`))
  levels <- withr::with_seed(1, matrix(stats::rnorm(16 * 6), 16))
  levels[of, ] + noise * withr::with_seed(2, matrix(stats::rnorm(576 * 6), 576))
}

test_that("noisy components are averaged over more cells than clean ones, and a number is a number", {
  cells <- paste0("c", 1:576)
  squares <- lapply(c(clean = 0.1, mixed = 1, noisy = 3), function(noise) {
    structure(noisy_squares(noise), dimnames = list(cells, NULL))
  })
  coords <- data.frame(expand.grid(x = 1:24, y = 1:24), row.names = cells)
  k <- function(domains_from = "both", ...) {
    options <- spalora_options(domains_from = domains_from, ...)
    fit <- RunSpaLORA(
      squares, 16, coords, modality = rep("features", 3), options = options, epochs = 1, verbose = FALSE
    )
    fit$modalities$smooth_k
  }
  found <- k()
  expect_type(found, "integer")
  expect_identical(found[[1]], 7L)
  expect_true(found[[3]] > found[[1]] && !is.unsorted(found))
  expect_identical(k(smooth_k = 9), c(9L, 9L, 9L))
  expect_identical(k(domains_from = "embedding"), rep(NA_integer_, 3))
})

test_that("the result says over how many cells each modality was averaged", {
  fit <- quick_lora(options = spalora_options(domains_from = "both"))
  chosen <- fit$modalities$smooth_k
  expect_true(all(chosen %in% (c(6, 8, 12, 18, 20, 24, 28, 30, 36) + 1)))
  expect_output(print(fit), paste("averaged over", chosen[[1]], "cells"))
  fixed <- quick_lora(options = spalora_options(domains_from = "both", smooth_k = 9))
  expect_identical(fixed$modalities$smooth_k, c(9L, 9L))
  expect_identical(fixed$embedding, fit$embedding)
  same <- quick_lora(options = spalora_options(domains_from = "smoothed", smooth_k = 9))
  expect_false(identical(
    quick_lora(options = spalora_options(domains_from = "smoothed", smooth_k = 37))$domain,
    same$domain
  ))
})

test_that("published settings average nothing", {
  skip_if_not_installed("mclust")
  fit <- quick_lora(published = TRUE)
  expect_identical(fit$modalities$smooth_k, c(NA_integer_, NA_integer_))
  expect_identical(quick_lora(published = TRUE, options = spalora_options(smooth_k = 9))$domain, fit$domain)
})

test_that("a second run takes away what the first wrote of modalities that it lacks", {
  object <- quick_lora_seurat(tissue_seurat(c("RNA", "ADT", "ATAC")), c("RNA", "ADT"))
  again <- quick_lora_seurat(object, c("RNA", "ATAC"))
  weights <- grep("^spalora_(weight|spatial|feature)_", names(again[[]]), value = TRUE)
  expect_setequal(weights, paste0("spalora_", outer(c("weight_", "spatial_", "feature_"), c("RNA", "ATAC"), paste0)))
  expect_true("spalora.atac" %in% SeuratObject::Reductions(again))
  expect_false("spalora.adt" %in% SeuratObject::Reductions(again))
  expect_equal(unname(again$spalora_weight_RNA + again$spalora_weight_ATAC), rep(1, ncol(again)), tolerance = 1e-5)
})

test_that("seeds agree on the weights of modalities", {
  made <- simulate_tissue()
  weight <- function(seed) {
    RunSpaLORA(
      made$counts[c("RNA", "ADT")], n.domains = 5, coords = made$spots, seed = seed, verbose = FALSE
    )$attention$weight_ADT
  }
  expect_gt(stats::cor(weight(1), weight(2)), 0.8)
})

test_that("the other verbs find what the run wrote, and ask when there are two runs", {
  object <- quick_lora_seurat(tissue_seurat())
  place <- tissue()$spots[c("x", "y")]
  expect_identical(
    DomainMetrics(object, coords = place),
    DomainMetrics(object, coords = place, domain.name = "spalora_domain")
  )
  expect_s3_class(RefineDomains(object, coords = place)$spalora_refined, "factor")
  again <- FindDomains(object, n.domains = 3)
  expect_identical(levels(again$spalora_domain), as.character(1:3))
  object$half <- rep(c("a", "b"), length.out = ncol(object))
  expect_s3_class(CompositionPlot(object, split.by = "half"), "ggplot")
  expect_identical(IntegrationMetrics(object, "half", domain = "spalora_domain")$slice, c("a", "b", "overall"))
  object$spacross_domain <- object$spalora_domain
  embedding <- SeuratObject::Embeddings(object, "spalora")
  colnames(embedding) <- paste0("spacross_", seq_len(ncol(embedding)))
  object[["spacross"]] <- SeuratObject::CreateDimReducObject(embedding, key = "spacross_", assay = "RNA")
  expect_spax_error(DomainMetrics(object, coords = place), "argument", "domain.name")
  expect_spax_error(RefineDomains(object, coords = place), "argument", "domain.name")
  expect_spax_error(CompositionPlot(object, split.by = "half"), "argument", "group.by")
  expect_spax_error(FindDomains(object, n.domains = 3), "argument", "reduction")
  expect_spax_error(FindDomains(tissue_seurat(), n.domains = 3), "argument", "reduction")
})

test_that("a modality whose cells are shuffled is said not to count, and takes nothing from the domains", {
  made <- simulate_tissue()
  counts <- made$counts[c("RNA", "ADT")]
  alone <- RunPredictivePCA(counts$RNA, n.domains = 5, coords = made$spots, verbose = FALSE)
  cells <- colnames(counts$ADT)
  counts$ADT <- withr::with_seed(1, counts$ADT[, sample(cells)])
  colnames(counts$ADT) <- cells
  run <- function() RunSpaLORA(counts, n.domains = 5, coords = made$spots, epochs = 2, verbose = FALSE)
  warned <- expect_warning(fit <- run(), class = "spaxR_warning_modality")
  expect_match(conditionMessage(warned), "ADT")
  expect_identical(fit$quality$unheard, "ADT")
  expect_lt(fit$quality$r2[["ADT"]], 0.0015)
  right <- function(fit) DomainMetrics(fit$domain, truth = made$spots$label, coords = made$spots)$ARI
  expect_gt(right(fit), right(alone) - 0.02)
})
