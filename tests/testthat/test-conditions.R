test_that("an error value of the core becomes a classed condition with argument, remedy and the user's call", {
  failure <- structure(
    list(kind = "counts", argument = "counts", message = "a {brace} in the message"),
    class = "spaxR_core_error"
  )
  condition <- expect_spax_error(core(failure), "counts", "counts")
  expect_match(conditionMessage(condition), "a {brace} in the message", fixed = TRUE)
  expect_match(conditionMessage(condition), "Give raw counts")
  expect_identical(core(42), 42)
})

test_that("every kind of core error has a remedy", {
  kinds <- c("argument", "counts", "coords", "memory", "device", "numeric", "clustering", "internal")
  for (kind in kinds) {
    failure <- structure(list(kind = kind, argument = NA_character_, message = "no"), class = "spaxR_core_error")
    condition <- expect_spax_error(core(failure), kind)
    expect_gt(nchar(condition$body), 10)
  }
})

test_that("the call in an error is the one that the user typed", {
  condition <- expect_spax_error(quick(seed = 1.5), "argument", "seed")
  expect_identical(condition$call[[1]], quote(RunSpaCross))
  condition <- expect_spax_error(DomainPlot(RunSpaCross(small()$counts, 4, small_xy(), seed = 1.5)), "argument", "seed")
  expect_identical(condition$call[[1]], quote(RunSpaCross))
  condition <- expect_spax_error(spaxR::RunSpaCross(small()$counts, 4, small_xy(), seed = 1.5), "argument", "seed")
  expect_identical(condition$call[[1]], quote(spaxR::RunSpaCross))
})

test_that("a frame that is its own caller is no end of callers", {
  # As in the workers of plan(multicore).
  expect_identical(outermost_frame(1L, 1L), 1L)
})

test_that("messages name the argument and the remedy", {
  expect_snapshot({
    said(RunSpaCross(small()$counts, coords = small_xy()))
    said(quick(n.domains = 1))
    said(quick(mask_rate = 0.3))
    said(quick(epoch = 3, trheads = 2))
    said(quick(options = list(k = 6)))
    said(quick(device = "cuda"))
    said(quick(coords = small_xy()[-1, ]))
    said(spacross_options(mask_rat = 0.3))
    said(spacross_options(mask_rate = 1.5))
    said(spacross_options(k = 6, !!!list(k = 7)))
  })
})

test_that("an object without a number of domains is told so as a matrix is", {
  expect_error(RunSpaCross(small_seurat(), coords = c("x", "y")), class = "spaxR_error_argument", regexp = "n.domains")
})
