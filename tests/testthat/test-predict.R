again <- function(fit, centre = "model", counts = small()$counts, coords = small_xy(), ...) {
  predict(fit, counts, coords, centre = centre, ...)
}

test_that("the slice trained on gets the same embedding and nearly the same domains", {
  fit <- quick(epochs = 40)
  new <- again(fit)
  expect_s3_class(new, "SpaxPrediction")
  expect_lt(max(abs(new$embedding - fit$embedding)), 1e-5)
  expect_identical(dimnames(new$embedding), dimnames(fit$embedding))
  expect_gt(mean(new$domain == fit$domain), 0.95)
  expect_identical(names(new$domain), names(fit$domain))
  expect_identical(levels(new$domain), levels(fit$domain))
  expect_identical(again(fit$model), new)
})

test_that("this holds for every source of domains, scaled genes, a radius, and every method", {
  skip_if_not_installed("mclust")
  trained <- function(..., impute = FALSE) quick(options = spacross_options(...), impute = impute)
  fits <- list(
    trained(domains_from = "embedding"), trained(domains_from = "smoothed"), trained(impute = TRUE),
    trained(n_genes = 50), trained(radius = 2.5 * min(stats::dist(small_xy()))), trained(cluster = "kmeans"),
    trained(cluster = "mclust")
  )
  for (fit in fits) {
    new <- again(fit)
    expect_lt(max(abs(new$embedding - fit$embedding)), 1e-5)
    expect_gt(mean(new$domain == fit$domain), 0.85)
  }
})

test_that("threads and the order of genes and cells change nothing", {
  # On a grid, which of several equally near cells is a neighbour depends on their order.
  xy <- small_xy()
  xy[] <- xy + withr::with_seed(3, stats::runif(2 * nrow(xy)))
  again <- function(fit, centre = "model", counts = small()$counts, ...) predict(fit, counts, xy, centre = centre, ...)
  new <- again(quick_fit(), threads = 1)
  expect_identical(again(quick_fit(), threads = 3), new)
  counts <- small()$counts
  mixed <- again(quick_fit(), counts = counts[withr::with_seed(1, sample(nrow(counts))), ])
  expect_equal(mixed$embedding, new$embedding, tolerance = 1e-6)
  cells <- rev(colnames(counts))
  turned <- again(quick_fit(), counts = counts[, cells])
  expect_equal(turned$embedding[colnames(counts), ], new$embedding, tolerance = 1e-5)
})

test_that("scaling by the new slice undoes a change of staining", {
  fit <- quick_fit()
  bright <- small()$counts
  bright[seq(1, nrow(bright), 2), ] <- 3 * bright[seq(1, nrow(bright), 2), ]
  away <- function(centre) sqrt(mean((again(fit, centre, bright)$embedding - fit$embedding)^2))
  expect_lt(away("slice"), 0.7 * away("model"))
})

test_that("genes that are missing count as their mean, up to half of them", {
  fit <- quick_fit()
  counts <- small()$counts
  gone <- fit$genes[1:20]
  warning <- expect_warning(
    new <- again(fit, counts = counts[setdiff(rownames(counts), gone), ]),
    class = "spaxR_warning_genes"
  )
  expect_match(conditionMessage(warning), paste("lacks 20 of the", length(fit$genes)))
  expect_identical(new$genes_missing, gone)
  expect_true(all(is.finite(new$embedding)))
  few <- counts
  rownames(few) <- toupper(paste0("ENS", seq_len(nrow(few))))
  error <- expect_spax_error(again(fit, counts = few), "argument", "newdata")
  expect_match(conditionMessage(error), paste(length(fit$genes), "of the", length(fit$genes), "genes"))
  expect_match(
    conditionMessage(error), paste0("names like \"", fit$genes[[1L]], "\", the new slice like \"ENS1\""), fixed = TRUE
  )
  error <- expect_spax_error(
    again(fit, counts = counts[setdiff(rownames(counts), fit$genes[-(1:20)]), ]), "argument", "newdata"
  )
  expect_match(conditionMessage(error), "intersect(rownames(training), rownames(newdata))", fixed = TRUE)
})

test_that("a Seurat object comes back with a reduction and the model's domains", {
  object <- small_seurat()
  new <- predict(quick_fit(), object, coords = c("x", "y"), centre = "model", domain.name = "zone")
  plain <- again(quick_fit())
  expect_identical(unname(SeuratObject::Embeddings(new, "spacross")), unname(plain$embedding))
  expect_identical(new$zone, plain$domain)
  expect_identical(levels(new$zone), as.character(1:4))
  expect_identical(colnames(new), colnames(object))
})

test_that("a model of a reduction wants the same columns", {
  x <- clouds()
  xy <- withr::with_seed(2, data.frame(x = stats::runif(120), y = stats::runif(120), row.names = rownames(x)))
  fit <- quick(NULL, 3, xy, reduction = x)
  new <- predict(fit, NULL, xy, reduction = x)
  expect_lt(max(abs(new$embedding - fit$embedding)), 1e-5)
  expect_spax_error(predict(fit, NULL, xy), "argument", "reduction")
  expect_spax_error(predict(fit, NULL, xy, reduction = x[, 1:3]), "argument", "reduction")
  expect_spax_error(predict(quick_fit(), NULL, xy, reduction = x), "argument", "reduction")
})

test_that("labels can be refined, and are as the run's options say", {
  fit <- quick(options = spacross_options(refine_k = 12), epochs = 5)
  by_itself <- again(fit)
  expect_identical(by_itself$domain, again(fit, refine.k = 12)$domain)
  rough <- again(fit, refine.k = 0)$domain
  expect_identical(RefineDomains(rough, coords = small_xy(), k = 12), by_itself$domain)
})

test_that("bad input is refused", {
  fit <- quick_fit()
  expect_spax_error(again(fit, centre = "other"), "argument", "centre")
  expect_spax_error(again(fit, refine.k = -1), "argument", "refine.k")
  expect_spax_error(again(fit, kk = 3), "argument", "kk")
  expect_spax_error(predict(fit, small()$counts), "coords", "coords")
  expect_spax_error(predict(fit, small()$counts[, 1:8], small_xy()), "argument", "k")
  expect_spax_error(predict(fit, "x", small_xy()), "argument", "newdata")
  broken <- fit$model
  broken$tensors <- broken$tensors[1:100]
  expect_spax_error(again(broken), "model")
})

test_that("a prediction prints its sizes", {
  expect_output(print(again(quick_fit())), "cells a domain")
})

test_that("a model of several slices labels one more", {
  slice <- small()
  left <- rlang::set_names(
    ifelse(slice$spots$x < stats::median(slice$spots$x), "left", "right"),
    colnames(slice$counts)
  )
  fit <- quick(slice = left, stack = FALSE)
  expect_identical(fit$model$slices, c("left", "right"))
  new <- again(fit, centre = "slice")
  expect_identical(levels(new$domain), levels(fit$domain))
  expect_true(all(is.finite(new$embedding)))
})

test_that("samples over each other are told, and neighbours that are not there", {
  twice <- rbind(small_xy(), small_xy() + 3)
  rownames(twice) <- paste0(rep(c("a_", "b_"), each = nrow(small_xy())), rownames(small_xy()))
  counts <- `colnames<-`(cbind(small()$counts, small()$counts), rownames(twice))
  expect_warning(predict(quick_fit(), counts, twice), class = "spaxR_warning_coords")
  expect_spax_error(predict(quick_fit(), small()$counts, small_xy(), refine.k = 1000), "argument", "refine.k")
  condition <- expect_spax_error(predict(quick_fit(), list(small()$counts), small_xy()), "argument", "newdata")
  expect_match(conditionMessage(condition), "one at a time")
})

test_that("fewer cells than the model looks at are refused by the right name", {
  few <- colnames(small()$counts)[1:15]
  expect_spax_error(predict(quick_fit(), small()$counts[, few], small_xy()[few, ]), "argument", "newdata")
})

test_that("of all genes of a transcriptome more may be missing than of chosen ones, or of a panel", {
  genes <- paste0("gene", 1:2000)
  model <- list(genes = genes, kept = genes, options = ppca_options())
  counts <- Matrix::Matrix(1, 700, 3, sparse = TRUE, dimnames = list(genes[1:700], letters[1:3]))
  matched <- function(model) match_features(model, counts, "genes", most_missing(model))
  expect_warning(known <- matched(model), "lacks 1300 of the 2000 genes")
  expect_identical(sum(known$present), 700L)
  for (options in list(ppca_options(n_genes = 2000), spacross_options())) {
    model$options <- options
    expect_spax_error(matched(model), "argument", "newdata")
  }
  expect_identical(most_missing(list(genes = genes[1:500], options = ppca_options())), 0.5)
})
