# Two halves of a grid.
halves <- function() {
  place <- expand.grid(x = 1:10, y = 1:10)
  list(place = place, labels = factor(ifelse(place$x <= 5, "left", "right")))
}

test_that("a lone label takes that of its neighbours", {
  case <- halves()
  noisy <- case$labels
  noisy[12] <- "right"
  expect_identical(RefineDomains(noisy, coords = case$place, k = 9), case$labels)
})

test_that("missing labels stay missing and do not vote", {
  case <- halves()
  noisy <- case$labels
  noisy[c(3, 40)] <- NA
  refined <- RefineDomains(noisy, coords = case$place, k = 5)
  expect_identical(which(is.na(refined)), c(3L, 40L))
})

test_that("levels and names stay, also those that nobody has", {
  case <- halves()
  labels <- factor(case$labels, c("none", "left", "right"))
  names(labels) <- paste0("c", seq_along(labels))
  rownames(case$place) <- rev(names(labels))
  case$place <- case$place[names(labels), ]
  refined <- RefineDomains(labels, coords = case$place, k = 5)
  expect_identical(levels(refined), levels(labels))
  expect_identical(names(refined), names(labels))
})

test_that("bad input is refused", {
  case <- halves()
  expect_spax_error(RefineDomains(case$labels, coords = case$place, k = 0), "argument", "k")
  expect_spax_error(RefineDomains(case$labels, coords = case$place, k = 100), "argument", "k")
  expect_spax_error(RefineDomains(case$labels), "coords", "coords")
  expect_spax_error(RefineDomains(case$labels, coords = case$place[-1, ]), "coords", "coords")
  expect_spax_error(RefineDomains(factor(rep(NA, 5)), coords = case$place[1:5, ]), "argument", "object")
  expect_spax_error(RefineDomains(case$labels, coords = case$place, kk = 5), "argument", "kk")
})

test_that("a Seurat object gets a column of its own", {
  object <- small_seurat()
  refined <- RefineDomains(object, coords = c("x", "y"), k = 8, domain.name = "label")
  expect_s3_class(refined[[]]$label_refined, "factor")
  expect_identical(refined[[]]$label, object[[]]$label)
})

test_that("the result of a run is smoothed, and a slice that is too small is named", {
  fit <- quick_fit()
  expect_identical(RefineDomains(fit, k = 10), RefineDomains(fit$domain, coords = small_xy(), k = 10))
  slice <- rep(c("one", "two"), c(5, nrow(small_xy()) - 5))
  for (condition in list(
    expect_spax_error(RefineDomains(fit, slice = slice, k = 10), "argument", "k"),
    expect_spax_error(DomainMetrics(fit, slice = slice), "argument", "k")
  )) {
    expect_match(conditionMessage(condition), "slice \"one\"")
  }
})
