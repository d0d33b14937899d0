# Two halves of the small slice and one sample that cannot work.
halves <- function() {
  slice <- small()
  left <- slice$spots$x < stats::median(slice$spots$x)
  list(
    counts = list(left = slice$counts[, left], right = slice$counts[, !left]),
    coords = list(slice$spots[left, c("x", "y")], slice$spots[!left, c("x", "y")])
  )
}

run_halves <- function(data = halves(), ..., n.domains = 3, epochs = 4, verbose = FALSE) {
  RunSamples(
    data$counts, n.domains = n.domains, epochs = epochs, each = list(coords = data$coords), ..., verbose = verbose
  )
}

# All but how long it took and how it was called.
lasting <- function(fits) {
  lapply(fits, function(fit) unclass(fit)[c("embedding", "domain", "history", "seed", "genes", "model")])
}

test_that("samples run one after the other as each by itself, names kept", {
  data <- halves()
  fits <- run_halves(data)
  expect_named(fits, c("left", "right"))
  alone <- quick(data$counts$left, 3, data$coords[[1]], epochs = 4)
  expect_identical(lasting(fits)$left, lasting(list(alone))[[1]])
})

test_that("two multisession workers give the same bytes, with seeds that do not depend on them", {
  # Sessions of their own: a check on CRAN may have two processes, and little time.
  skip_on_cran()
  skip_if_not_installed("future")
  withr::local_envvar(R_LIBS = paste(.libPaths(), collapse = .Platform$path.sep))
  one <- run_halves()
  withr::local_seed(8)
  drawn <- run_halves(seed = NULL)
  old <- future::plan(future::multisession, workers = 2)
  withr::defer(future::plan(old))
  expect_identical(lasting(run_halves()), lasting(one))
  set.seed(8)
  again <- run_halves(seed = NULL)
  expect_identical(lasting(again), lasting(drawn))
  expect_false(drawn$left$seed == drawn$right$seed)
  failing <- halves()
  failing$counts$left <- "no matrix"
  expect_warning(fits <- run_halves(failing), class = "spaxR_warning_samples")
  expect_s3_class(fits$left, "spaxR_error_argument")
  expect_identical(lasting(fits["right"]), lasting(one["right"]))
  dying <- function(x, ...) if (x == 1) quit("no", status = 1) else "alive"
  expect_warning(lives <- RunSamples(list(a = 2, b = 1), FUN = dying, verbose = FALSE), class = "spaxR_warning_samples")
  expect_identical(lives$a, "alive")
  expect_s3_class(lives$b, "error")
})

test_that("so do forked workers", {
  skip_on_cran()
  skip_if_not_installed("future")
  withr::local_options(parallelly.fork.enable = TRUE)
  skip_if_not(future::supportsMulticore())
  one <- run_halves()
  old <- future::plan(future::multicore, workers = 2)
  withr::defer(future::plan(old))
  expect_identical(lasting(run_halves()), lasting(one))
})

test_that("a sample that fails is named with its reason, and the others are there", {
  data <- halves()
  data$counts$right <- data$counts$right * -1
  warning <- expect_warning(fits <- run_halves(data), class = "spaxR_warning_samples")
  expect_match(conditionMessage(warning), "right")
  expect_match(conditionMessage(warning), "negative")
  expect_s3_class(fits$right, "spaxR_error_counts")
  expect_s3_class(fits$left, "SpaCrossResult")
  names(data$counts) <- NULL
  expect_warning(run_halves(data), "sample 2")
})

test_that("threads are shared among the workers", {
  withr::local_options(spaxR.threads = 8)
  expect_identical(threads_a_worker(3L), 2L)
  expect_identical(threads_a_worker(100L), 1L)
  expect_message(run_halves(verbose = TRUE), "8 threads each")
  expect_message(run_halves(verbose = TRUE, threads = 1), "1 thread each")
})

test_that("any verb can be run, with Seurat objects too", {
  sizes <- RunSamples(list(a = 1:3, b = 1:5), FUN = function(x, ...) length(x), verbose = FALSE)
  expect_identical(sizes, list(a = 3L, b = 5L))
  objects <- RunSamples(list(small_seurat()), n.domains = 3, coords = c("x", "y"), epochs = 3, verbose = FALSE)
  expect_true("spacross_domain" %in% colnames(objects[[1]][[]]))
})

test_that("progress is told, a step a sample", {
  skip_if_not_installed("progressr")
  withr::local_options(progressr.enable = TRUE)
  told <- character()
  withCallingHandlers(run_halves(), progression = function(p) {
    if (identical(p$type, "update")) told <<- c(told, conditionMessage(p))
    invokeRestart("muffleProgression")
  })
  expect_identical(told, c("left", "right"))
})

test_that("bad input is refused before anything runs", {
  data <- halves()
  expect_spax_error(RunSamples(data$counts$left, n.domains = 3), "argument", "objects")
  expect_spax_error(RunSamples(list(), n.domains = 3), "argument", "objects")
  expect_spax_error(RunSamples(data$counts, each = list(coords = data$coords[1])), "argument", "each")
  expect_spax_error(RunSamples(data$counts, each = list(data$coords)), "argument", "each")
  expect_spax_error(run_halves(seed = "a"), "argument", "seed")
  expect_spax_error(run_halves(threads = 0), "argument", "threads")
})

test_that("what differs between samples goes by their names", {
  data <- halves()
  data$coords <- stats::setNames(data$coords, names(data$counts))
  run <- function(coords) {
    RunSamples(data$counts, RunPredictivePCA, n.domains = 3, each = list(coords = coords), verbose = FALSE)
  }
  expect_identical(lapply(run(rev(data$coords)), `[[`, "domain"), lapply(run(data$coords), `[[`, "domain"))
  names(data$coords)[[1]] <- "other"
  expect_spax_error(run(data$coords), "argument", "each")
  expect_spax_error(RunSamples(data$counts, "nothing that is called so"), "argument", "FUN")
})
