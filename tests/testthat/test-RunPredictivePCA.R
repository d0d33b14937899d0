run_ppca <- function(counts = small()$counts, n.domains = 4, coords = small_xy(), ..., verbose = FALSE) {
  RunPredictivePCA(counts, n.domains, coords, ..., verbose = verbose)
}

test_that("a matrix gives columns, domains like the annotation, and how sure they are", {
  fit <- run_ppca()
  expect_s3_class(fit, c("PredictivePCAResult", "SpaxResult"), exact = TRUE)
  expect_identical(dim(fit$embedding), c(nrow(small_xy()), 13L))
  expect_identical(colnames(fit$embedding)[[1]], "ppca_1")
  expect_identical(levels(fit$domain), as.character(1:4))
  expect_named(fit$domain, colnames(small()$counts))
  expect_true(all(fit$confidence >= 0 & fit$confidence <= 1))
  expect_gt(mean(fit$confidence), 0.7)
  expect_gt(DomainMetrics(fit, coords = small_xy(), truth = small()$spots$label)$ARI, 0.45)
  expect_null(fit$history)
  expect_gt(fit$quality$r2, 0.1)
  expect_identical(fit$quality$twins, 0L)
  expect_match(capture.output(print(fit))[[1]], "Predictive components on .* cells: 4 domains, embedding of 13 columns")
})

test_that("all genes that pass the filter are predicted, unless fewer are asked for", {
  genes <- function(...) run_ppca(n.domains = NULL, options = ppca_options(min_cells = 27, min_counts = 60, ...))$genes
  seen <- small()$counts
  passing <- rownames(seen)[Matrix::rowSums(seen > 0) >= 27 & Matrix::rowSums(seen) >= 60]
  expect_lt(length(passing), nrow(seen))
  expect_identical(genes(), passing)
  expect_length(genes(n_genes = 50), 50L)
  expect_true(all(genes(n_genes = 50) %in% passing))
})

test_that("seeds, threads and the order of the cells hardly matter, or not at all", {
  fit <- run_ppca(threads = 1)
  expect_identical(
    run_ppca(threads = 2)[c("embedding", "domain", "confidence")],
    fit[c("embedding", "domain", "confidence")]
  )
  order <- withr::with_seed(1, sample(nrow(small_xy())))
  shuffled <- run_ppca(small()$counts[, order], coords = small_xy()[order, ])
  expect_identical(shuffled$domain[names(fit$domain)], fit$domain)
  expect_identical(shuffled$embedding[names(fit$domain), ], fit$embedding)
  expect_gt(partition_ari(run_ppca(seed = 7)$domain, fit$domain), 0.9)
  mixture <- function(order) {
    run_ppca(small()$counts[, order], coords = small_xy()[order, ], options = ppca_options(cluster = "gmm"))$domain
  }
  expect_identical(mixture(order)[names(fit$domain)], mixture(seq_along(order)))
})

test_that("without a number of domains there are columns only", {
  fit <- run_ppca(n.domains = NULL)
  expect_null(fit$domain)
  expect_identical(fit$embedding, run_ppca()$embedding)
  expect_match(capture.output(print(fit))[[1]], "cells: embedding of 13 columns")
  new <- predict(fit, small()$counts, small_xy(), centre = "model")
  expect_null(new$domain)
  expect_lt(max(abs(new$embedding - fit$embedding)), 1e-3)
})

test_that("a model labels cells as its run did, also after saving", {
  fit <- run_ppca()
  file <- withr::local_tempfile(fileext = ".safetensors")
  SaveModel(fit, file)
  new <- predict(LoadModel(file), small()$counts, small_xy(), centre = "model")
  expect_lt(max(abs(new$embedding - fit$embedding)), 1e-3)
  expect_gt(mean(new$domain == fit$domain), 0.9)
})

test_that("slices are scaled each by itself, and share directions and domains", {
  counts <- small()$counts
  deep <- counts
  deep@x <- deep@x * 3
  colnames(deep) <- paste0("deep_", colnames(deep))
  xy <- small_xy()
  far <- data.frame(x = xy$x + 1e5, y = xy$y, row.names = colnames(deep))
  fit <- run_ppca(list(a = counts, b = deep), coords = list(xy, far))
  expect_identical(levels(fit$slice), c("a", "b"))
  same <- fit$domain[fit$slice == "a"] == fit$domain[fit$slice == "b"]
  expect_gt(mean(same), 0.99)
})

test_that("an object gets reduction, domains and confidence", {
  object <- RunPredictivePCA(small_seurat(), 4, coords = c("x", "y"), verbose = FALSE)
  expect_true("ppca" %in% SeuratObject::Reductions(object))
  fit <- run_ppca()
  expect_identical(unname(object$ppca_domain), unname(fit$domain))
  expect_equal(unname(object$ppca_confidence), unname(fit$confidence))
  tool <- SeuratObject::Tool(object, "RunPredictivePCA")
  expect_named(
    tool, c("options", "timings", "versions", "genes", "seed", "device", "quality", "model", "wrote"),
    ignore.order = TRUE
  )
  expect_identical(tool$wrote, list(reduction = "ppca", domain = "ppca_domain"))
  expect_true("RunPredictivePCA.RNA" %in% SeuratObject::Command(object))
  bare <- RunPredictivePCA(
    small_seurat(), coords = c("x", "y"), verbose = FALSE, reduction.name = "near", reduction.key = "near_"
  )
  expect_true("near" %in% SeuratObject::Reductions(bare))
  expect_false("ppca_domain" %in% names(bare[[]]))
})

test_that("a reduction takes the place of the counts", {
  pcs <- withr::with_seed(
    1,
    matrix(stats::rnorm(40 * nrow(small_xy())), ncol = 40, dimnames = list(rownames(small_xy()), NULL))
  )
  expect_warning(
    fit <- RunPredictivePCA(NULL, coords = small_xy(), reduction = pcs, verbose = FALSE),
    class = "spaxR_warning_structure"
  )
  expect_identical(rownames(fit$embedding), rownames(pcs))
  expect_lt(fit$quality$r2, 0.05)
})

test_that("twins are counted and said", {
  counts <- cbind(small()$counts, small()$counts[, 1:3])
  colnames(counts) <- paste0("c", seq_len(ncol(counts)))
  xy <- rbind(small_xy(), small_xy()[1:3, ])
  rownames(xy) <- colnames(counts)
  expect_message(fit <- run_ppca(counts, coords = xy, verbose = TRUE), class = "spaxR_message_twins")
  expect_identical(fit$quality$twins, 6L)
})

test_that("wrong input is refused before long work", {
  expect_spax_error(run_ppca(n.domains = 1), "argument", "n.domains")
  expect_spax_error(run_ppca(options = list()), "argument", "options")
  expect_spax_error(ppca_options(k = 3), "option", "k")
  expect_spax_error(run_ppca(seed = "a"), "argument", "seed")
  expect_spax_error(
    RunPredictivePCA(small_seurat(), coords = c("x", "y"), confidence.name = ""), "argument", "confidence.name"
  )
})

test_that("slices that lie on each other are aligned and predict each other's cells", {
  places <- do.call(rbind, unname(pair_tables()))
  # Each slice lacks cells that the other has.
  kept <- withr::with_seed(1, stats::runif(nrow(places)) < 0.6)
  run <- function(...) {
    RunPredictivePCA(
      pair_counts()[, kept], n.domains = 4, coords = places[kept, ], slice = pair_slice()[kept], verbose = FALSE, ...
    )
  }
  alone <- run()
  stack <- suppressMessages(run(stack = TRUE))
  expect_true(stack$alignment$stacked)
  expect_false(alone$alignment$stacked)
  expect_identical(dim(stack$alignment$coords), c(sum(kept), 3L))
  label <- rep(small()$spots$label, 2)[kept]
  right <- function(fit) DomainMetrics(fit$domain, truth = label, coords = places[kept, ])$ARI
  expect_gt(right(stack), right(alone) - 0.02)
  expect_false(identical(stack$confidence, alone$confidence))
})

test_that("what says how slices lie needs a stack, and a stack needs slices", {
  pair <- function(...) {
    RunPredictivePCA(pair_counts(), coords = do.call(rbind, unname(pair_tables())), slice = pair_slice(), ...)
  }
  expect_error(pair(align = "none"), class = "spaxR_error_argument", regexp = "stack = TRUE")
  expect_error(pair(stack = NA), class = "spaxR_error_argument", regexp = "stack")
  one <- function() RunPredictivePCA(small()$counts, coords = small_xy(), stack = TRUE)
  expect_error(one(), class = "spaxR_error_argument", regexp = "stack")
  object <- pair_seurat()
  object <- suppressMessages(RunPredictivePCA(
    object, n.domains = 4, coords = c("x", "y"), split.by = "slice", stack = TRUE, verbose = FALSE
  ))
  expect_true(SeuratObject::Tool(object, "RunPredictivePCA")$alignment$stacked)
})

test_that("a model of a wide reduction takes that reduction again", {
  wide <- withr::with_seed(1, matrix(stats::rnorm(273 * 50), 273, dimnames = list(colnames(small()$counts), NULL)))
  wide[, 1:5] <- wide[, 1:5] + 3 * scale(small_xy()$x)[, 1]
  fit <- RunPredictivePCA(NULL, n.domains = 3, coords = small_xy(), reduction = wide, verbose = FALSE)
  found <- predict(fit, NULL, small_xy(), reduction = wide)
  expect_equal(unname(found$embedding), unname(fit$embedding), tolerance = 1e-5)
  expect_spax_error(predict(fit, NULL, small_xy(), reduction = wide[, 1:40]), "argument", "reduction")
})

test_that("cells whose coordinates are in another order are warned of, however sure their domains are", {
  made <- simulate_tissue(n.cells = 400)
  elsewhere <- withr::with_seed(1, made$spots[sample(nrow(made$spots)), c("x", "y")])
  rownames(elsewhere) <- rownames(made$spots)
  warned <- expect_warning(
    fit <- RunPredictivePCA(made$counts$RNA, n.domains = 3, coords = elsewhere, verbose = FALSE),
    class = "spaxR_warning_structure"
  )
  expect_match(conditionMessage(warned), "say nothing about it")
  expect_null(fit$quality$nothing)
  expect_warning(
    choice <- ChooseDomains(made$counts$RNA, 2:3, coords = elsewhere, thin = NULL, verbose = FALSE),
    class = "spaxR_warning_structure"
  )
  expect_true(all(choice$suggested$n.domains %in% 2:3))
  expect_no_warning(RunPredictivePCA(made$counts$RNA, n.domains = 3, coords = made$spots, verbose = FALSE))
})
