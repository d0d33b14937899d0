test_that("a matrix comes back as embedding, domains, history, timings and options", {
  fit <- quick_fit()
  cells <- colnames(small()$counts)
  expect_s3_class(fit, "SpaCrossResult")
  expect_identical(dimnames(fit$embedding), list(cells, paste0("spacross_", seq_len(length(cells) %/% 20))))
  expect_true(all(is.finite(fit$embedding)))
  expect_s3_class(fit$domain, "factor")
  expect_identical(levels(fit$domain), as.character(1:4))
  expect_identical(names(fit$domain), cells)
  expect_false(anyNA(fit$domain))
  expect_setequal(as.character(fit$domain), as.character(1:4))
  expect_identical(fit$history$epoch, 1:12)
  expect_named(fit$history, c("epoch", "total", "reconstruction", "consistency", "contrast"))
  expect_true(all(is.finite(fit$history$total)))
  expect_named(fit$timings, c("stage", "wall", "cpu"))
  expect_true(all(fit$genes %in% rownames(small()$counts)))
  expect_identical(fit$call[[1]], quote(RunSpaCross))
})

test_that("training lowers the loss", {
  history <- quick(epochs = 40)$history
  expect_lt(mean(tail(history$reconstruction, 5)), mean(head(history$reconstruction, 5)))
})

test_that("the contrast is NaN until the hybrid graph exists, and a number after", {
  history <- quick(epochs = 8, options = spacross_options(update_every = 4))$history
  expect_true(is.nan(history$contrast[1]))
  expect_true(is.finite(history$contrast[8]))
})

test_that("the same seed gives the same bytes for 1, 2 and 4 threads, another seed others", {
  one <- quick(threads = 1)
  expect_identical(quick(threads = 2)$embedding, one$embedding)
  four <- quick(threads = 4)
  expect_identical(four$embedding, one$embedding)
  expect_identical(four$domain, one$domain)
  expect_identical(four$history, one$history)
  expect_false(identical(quick(seed = 2)$embedding, one$embedding))
})

test_that("the same seed gives the same bytes in another session", {
  skip_if_not_installed("callr")
  elsewhere <- callr::r(function() {
    library(spaxR)
    slice <- cortex_slice(small = TRUE)
    fit <- RunSpaCross(
      slice$counts, n.domains = 4, coords = slice$spots[c("x", "y")], epochs = 12, verbose = FALSE, threads = 2
    )
    fit[c("embedding", "domain")]
  })
  expect_identical(elsewhere, unclass(quick_fit())[c("embedding", "domain")])
})

test_that("seed = NULL follows R's generator, and no run disturbs it", {
  withr::local_seed(5)
  a <- quick(seed = NULL)
  set.seed(5)
  b <- quick(seed = NULL)
  expect_identical(a$embedding, b$embedding)
  set.seed(5)
  before <- .Random.seed
  quick(seed = 1)
  expect_identical(.Random.seed, before)
})

test_that("the order of the rows of coords does not matter, that of the cells goes through", {
  xy <- small_xy()
  fit <- quick(coords = xy[rev(seq_len(nrow(xy))), ])
  expect_identical(fit$embedding, quick_fit()$embedding)
})

test_that("a Seurat object comes back with a reduction, a factor, a tool entry and a logged command", {
  object <- quick_seurat()
  before <- small_seurat()
  expect_s4_class(object, "Seurat")
  embedding <- SeuratObject::Embeddings(object, "spacross")
  expect_identical(SeuratObject::Key(object[["spacross"]])[[1]], "spacross_")
  expect_identical(unname(embedding), unname(quick_fit()$embedding))
  expect_identical(colnames(embedding), colnames(quick_fit()$embedding))
  domain <- object[[]]$spacross_domain
  expect_s3_class(domain, "factor")
  expect_identical(domain, unname(quick_fit()$domain))
  tool <- SeuratObject::Tool(object, "RunSpaCross")
  expect_named(
    tool, c("options", "history", "timings", "versions", "genes", "seed", "device", "quality", "model", "wrote"),
    ignore.order = TRUE
  )
  expect_true("RunSpaCross.RNA" %in% SeuratObject::Command(object))
  expect_identical(colnames(object), colnames(before))
  expect_identical(SeuratObject::Idents(object), SeuratObject::Idents(before))
})

test_that("a logged command can be printed, and keeps no table of coordinates", {
  object <- quick_seurat(coords = small_xy(), options = spacross_options(k = 7))
  object <- BuildSpatialGraph(object, coords = small_xy(), k = 6)
  object <- FindDomains(object, n.domains = 3, coords = small_xy())
  object <- RefineDomains(object, coords = small_xy(), k = 8)
  commands <- SeuratObject::Command(object)
  expect_setequal(commands, c("RunSpaCross.RNA", "BuildSpatialGraph.RNA", "FindDomains", "RefineDomains.RNA"))
  for (command in commands) {
    expect_output(print(SeuratObject::Command(object, command)), "Command: ")
    expect_error(SeuratObject::Command(object, command, "coords"), "not a valid parameter")
  }
  expect_true("k = 7" %in% SeuratObject::Command(object, "RunSpaCross.RNA", "options"))
  object <- quick_seurat()
  expect_identical(SeuratObject::Command(object, "RunSpaCross.RNA", "coords"), c("x", "y"))
})

test_that("the reconstruction does not replace the counts it came from", {
  expect_spax_error(quick_seurat(impute = TRUE, imputed.assay = "RNA"), "argument", "imputed.assay")
  expect_true("RNA" %in% SeuratObject::Assays(quick_seurat(imputed.assay = "RNA", epochs = 3)))
})

test_that("names of the results can be chosen", {
  object <- quick_seurat(reduction.name = "sx", reduction.key = "SX_", domain.name = "zone")
  expect_identical(colnames(SeuratObject::Embeddings(object, "sx"))[1], "SX_1")
  expect_true("zone" %in% colnames(object[[]]))
  expect_spax_error(quick_seurat(reduction.key = "no key"), "argument", "reduction.key")
  expect_spax_error(quick_seurat(domain.name = 3), "argument", "domain.name")
})

test_that("coordinates come from the image when none are named", {
  object <- with_image(small_seurat(meta = FALSE), visium_v1())
  object <- quick_seurat(object, coords = NULL)
  expect_identical(unname(SeuratObject::Embeddings(object, "spacross")), unname(quick_fit()$embedding))
})

test_that("an existing reduction can be the input", {
  object <- small_seurat()
  pcs <- stats::prcomp(t(as.matrix(log1p(small()$counts))), rank. = 12)$x
  colnames(pcs) <- paste0("PC_", 1:12)
  object[["pca"]] <- SeuratObject::CreateDimReducObject(pcs, key = "PC_", assay = "RNA")
  ran <- quick_seurat(object, reduction = "pca", dims = 1:10)
  plain <- quick(NULL, reduction = unname(pcs[, 1:10]))
  expect_identical(unname(SeuratObject::Embeddings(ran, "spacross")), unname(plain$embedding))
  expect_spax_error(quick_seurat(object, reduction = "pca", dims = 1:30), "argument", "dims")
  expect_spax_error(quick_seurat(object, reduction = "pca", impute = TRUE), "argument", "impute")
})

test_that("impute = TRUE adds the reconstruction as an assay", {
  fit <- quick(impute = TRUE, epochs = 3)
  expect_identical(dimnames(fit$reconstruction), list(fit$genes, colnames(small()$counts)))
  expect_true(all(fit$reconstruction >= 0))
  object <- quick_seurat(impute = TRUE, epochs = 3)
  expect_true("SpaCross" %in% SeuratObject::Assays(object))
  expect_identical(SeuratObject::DefaultAssay(object), "RNA")
})

test_that("fewer genes for the network change neither domains nor what neighbours say of these genes", {
  all <- quick(impute = TRUE, epochs = 3)
  few <- quick(impute = TRUE, epochs = 3, options = spacross_options(n_genes = 50))
  expect_identical(rownames(few$reconstruction), few$genes)
  expect_length(few$genes, 50L)
  expect_identical(few$domain, all$domain)
  expect_equal(few$reconstruction, all$reconstruction[few$genes, ], tolerance = 1e-6)
})

test_that("what is imputed comes from neighbours, or from the network", {
  near <- quick(impute = TRUE, epochs = 3)
  network <- quick(impute = TRUE, epochs = 3, options = spacross_options(impute_from = "network"))
  expect_identical(dimnames(near$reconstruction), dimnames(network$reconstruction))
  expect_false(identical(near$reconstruction, network$reconstruction))
  expect_identical(near$embedding, quick(epochs = 3)$embedding)
  expect_false(identical(network$embedding, near$embedding))
  log_counts <- as.matrix(log1p(small()$counts[near$genes, ]))
  alike <- function(x) mean(vapply(seq_len(nrow(x)), function(i) stats::cor(x[i, ], log_counts[i, ]), 0), na.rm = TRUE)
  expect_gt(alike(near$reconstruction), 0.1)
})

test_that("published = TRUE runs on small data and is refused on large", {
  skip_if_not_installed("mclust")
  fit <- suppressWarnings(quick(published = TRUE))
  expect_identical(fit$options$contrast, "all_pairs")
  expect_spax_error(check_all_pairs(fit$options, 20001), "argument", "published")
})

test_that("consensus over several trainings gives one set of domains", {
  fit <- quick(options = spacross_options(consensus = 3), epochs = 5)
  expect_identical(nlevels(fit$domain), 4L)
  expect_identical(fit$embedding, quick(epochs = 5)$embedding)
})

test_that("domains from smoothed components need no word of the network", {
  a <- quick(options = spacross_options(domains_from = "smoothed"), epochs = 2)
  b <- quick(options = spacross_options(domains_from = "smoothed"), epochs = 4)
  expect_identical(a$domain, b$domain)
  expect_false(identical(a$embedding, b$embedding))
})

test_that("domains are numbered along the tissue", {
  xy <- as.matrix(small_xy())
  places <- scale(xy, scale = FALSE) %*% stats::prcomp(xy)$rotation[, 1]
  means <- tapply(places, quick_fit()$domain, mean)
  monotone <- abs(stats::cor(means, seq_along(means), method = "spearman"))
  expect_gt(monotone, 0.5)
})

test_that("printing a result says what is in it", {
  fit <- quick_fit()
  expect_output(print(fit), "4 domains")
  expect_output(print(fit), "12 epochs")
  expect_output(print(fit), "neighbours predict [0-9]+ %")
  expect_output(print(fit), "the network, where it does not see the cell, -?[0-9]+ %")
})

test_that("verbose off is silent, verbose on without a terminal is a line at either end, and what there is to know", {
  expect_silent(quick())
  lines <- capture_messages(quick(verbose = TRUE))
  expect_match(lines[4], "Neighbours predict [0-9]+ %")
  expect_lte(length(lines), 5)
  expect_match(lines[1], "Coordinates")
  expect_match(lines[2], "12 epochs")
  expect_match(lines[3], "loss")
})
