test_that("perfect labels score perfectly, and each slice has a row", {
  place <- expand.grid(x = 1:10, y = 1:10)
  labels <- ifelse(place$x <= 5, "left", "right")
  got <- DomainMetrics(labels, coords = place, truth = labels, k = 6)
  expect_identical(nrow(got), 1L)
  expect_equal(unlist(got[c("ARI", "NMI", "HOM", "COM", "ACC")], use.names = FALSE), rep(1, 5))
  slice <- ifelse(place$y <= 5, "low", "high")
  both <- DomainMetrics(labels, coords = place, truth = labels, slice = slice, k = 6)
  expect_identical(both$slice, c("high", "low"))
  expect_identical(both$n, c(50L, 50L))
})

test_that("ARI is that of mclust", {
  skip_if_not_installed("mclust")
  slice <- small()
  guess <- as.integer(cut(slice$spots$y, 4))
  got <- DomainMetrics(guess, coords = small_xy(), truth = slice$spots$label)
  known <- !is.na(slice$spots$label)
  expect_equal(got$ARI, mclust::adjustedRandIndex(guess[known], slice$spots$label[known]))
})

test_that("missing labels are left out and counted", {
  place <- expand.grid(x = 1:10, y = 1:10)
  labels <- ifelse(place$x <= 5, "left", "right")
  truth <- replace(labels, 1:7, NA)
  got <- DomainMetrics(replace(labels, 7:9, NA), coords = place, truth = truth)
  expect_identical(got$n, 91L)
  expect_identical(got$n_left_out, 9L)
})

test_that("without known labels the numbers that need them are NaN", {
  got <- DomainMetrics(small()$spots$label, coords = small_xy())
  expect_true(all(is.nan(unlist(got[c("ARI", "NMI", "HOM", "COM", "ACC")]))))
  expect_true(all(is.finite(unlist(got[c("ASW", "CHAOS", "PAS", "DIS")]))))
})

test_that("a Seurat object by column names", {
  object <- small_seurat()
  object$guess <- factor(as.integer(cut(object$y, 4)))
  got <- DomainMetrics(object, domain.name = "guess", truth = "label", coords = c("x", "y"))
  plain <- DomainMetrics(object$guess, coords = small_xy(), truth = small()$spots$label)
  expect_equal(got, plain)
})

test_that("bad input is refused", {
  labels <- small()$spots$label
  expect_spax_error(DomainMetrics(labels, coords = small_xy(), truth = labels[-1]), "argument", "truth")
  expect_spax_error(DomainMetrics(labels, coords = small_xy(), slice = 1:3), "argument", "slice")
  expect_spax_error(DomainMetrics(labels, coords = small_xy(), k = 0), "argument", "k")
  expect_spax_error(DomainMetrics(labels, coords = small_xy(), trut = labels), "argument", "trut")
  expect_spax_error(DomainMetrics(list(1, 2), coords = small_xy()), "argument", "object")
})
