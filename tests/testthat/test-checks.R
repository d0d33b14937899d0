test_that("seeds: whole numbers only, NULL from R's generator", {
  expect_identical(check_seed(3), 3)
  for (bad in list(1.5, NA, Inf, "1", c(1, 2), TRUE, 2^60)) expect_spax_error(check_seed(bad), "argument", "seed")
  withr::with_seed(7, a <- check_seed(NULL))
  withr::with_seed(7, b <- check_seed(NULL))
  withr::with_seed(8, c <- check_seed(NULL))
  expect_identical(a, b)
  expect_false(identical(a, c))
})

test_that("threads: argument, option, limit under R CMD check", {
  expect_identical(check_threads(3), 3L)
  withr::with_options(list(spaxR.threads = 1), expect_identical(check_threads(NULL), 1L))
  withr::with_envvar(c("_R_CHECK_LIMIT_CORES_" = "TRUE"), {
    withr::with_options(list(spaxR.threads = NULL), expect_lte(check_threads(NULL), 2L))
  })
  for (bad in list(0, -1, 1.5, NA, "two")) expect_spax_error(check_threads(bad), "argument", "threads")
})

test_that("devices that are not there are refused with the reason", {
  expect_identical(check_device("auto"), "cpu")
  expect_spax_error(check_device("cuda"), "device", "device")
  expect_spax_error(check_device("gpu"), "argument", "device")
})

test_that("the user's generator is as it was after a seeded call", {
  set.seed(11)
  before <- .Random.seed
  with_r_seed(3, stats::rnorm(5))
  expect_identical(.Random.seed, before)
})

test_that("whole numbers beyond R's are refused, and factors are told as such", {
  expect_spax_error(BuildSpatialGraph(small_xy(), k = 1e10), "argument", "k")
  condition <- expect_spax_error(quick(n.domains = factor(4)), "argument", "n.domains")
  expect_match(conditionMessage(condition), "the factor \"4\"")
  condition <- expect_spax_error(FindDomains(matrix(1, 1, 2), 2), "argument", "object")
  expect_match(conditionMessage(condition), "one cell only")
})
