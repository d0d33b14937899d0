changed <- function(value, entry = 3) {
  counts <- small()$counts
  counts@x[entry] <- value
  counts
}

test_that("negative, missing and infinite counts are refused", {
  for (bad in list(-1, NA, NaN, Inf, -Inf)) expect_spax_error(quick(changed(bad)), "counts")
})

test_that("counts that are all zero are refused", {
  counts <- small()$counts
  expect_spax_error(quick(counts * 0), "counts")
})

test_that("a cell without counts is named in a warning, and gets a label", {
  counts <- small()$counts
  counts[, 7] <- 0
  condition <- expect_warning(fit <- quick(Matrix::drop0(counts)), class = "spaxR_warning_counts")
  expect_match(conditionMessage(condition), colnames(counts)[7], fixed = TRUE)
  expect_false(is.na(fit$domain[[7]]))
  counts[, 9] <- 0
  condition <- expect_warning(check_counts(Matrix::drop0(counts)), class = "spaxR_warning_counts")
  expect_match(conditionMessage(condition), "2 cells without")
  expect_true(all(is.finite(fit$embedding)))
})

test_that("genes without counts are left out", {
  counts <- small()$counts
  counts[1:5, ] <- 0
  fit <- quick(Matrix::drop0(counts))
  expect_false(any(rownames(counts)[1:5] %in% fit$genes))
})

test_that("counts that are not whole warn once", {
  warnings <- capture_warnings(fit <- quick(changed(1.5)))
  expect_length(warnings, 1)
  expect_match(warnings, "whole numbers")
  expect_s3_class(fit, "SpaCrossResult")
})

test_that("numbers of domains and neighbours that make no sense are refused", {
  n <- ncol(small()$counts)
  for (bad in list(0, 1, NA, -3, 2.5, n + 1, "7", NULL, c(3, 4))) {
    expect_spax_error(quick(n.domains = bad), "argument", "n.domains")
  }
  expect_spax_error(quick(options = spacross_options(k = n)), "argument", "k")
  few <- small()$counts[, 1:8]
  expect_spax_error(quick(few, n.domains = 2, coords = small_xy()[1:8, ]), "argument", "k")
})

test_that("misspelt and unnamed arguments are never swallowed", {
  expect_spax_error(quick(sed = 2), "argument", "sed")
  expect_spax_error(quick(split.by = "slice"), "argument", "split.by")
  expect_spax_error(RunSpaCross(small()$counts, 4, small_xy(), 3), "argument", "...")
  expect_spax_error(quick_seurat(reduction.nam = "x"), "argument", "reduction.nam")
})

test_that("flags, epochs and options of the wrong kind are refused", {
  expect_spax_error(quick(verbose = NA), "argument", "verbose")
  expect_spax_error(quick(published = "yes"), "argument", "published")
  expect_spax_error(quick(impute = 1), "argument", "impute")
  expect_spax_error(quick(epochs = 0), "argument", "epochs")
  expect_spax_error(quick(options = list(k = 6)), "argument", "options")
})

test_that("an error leaves the object as it was", {
  object <- small_seurat()
  copy <- object
  expect_error(quick_seurat(object, seed = "a"), class = "spaxR_error")
  expect_identical(object, copy)
})
