# The functions of src/rust/src: values or a spaxR_core_error, never an R error of their own.

features <- function() {
  counts <- small()$counts
  prepare_counts(list(counts = counts, published = FALSE, threads = 2L), spacross_options())
}

graph <- function() core_graph(SpatialCoords.default(NULL, small_xy()), 6, NULL, 2L)

trainer <- function() {
  core_spacross_new(features(), graph(), core_options(spacross_options()), 4, 1, 2L, "cpu")
}

core_failure <- function(result, kind, argument = NA_character_) {
  expect_s3_class(result, "spaxR_core_error")
  expect_identical(result$kind, kind)
  expect_identical(result$argument, argument)
  expect_true(nzchar(result$message))
}

test_that("a pointer that was saved says that it cannot be used again", {
  file <- withr::local_tempfile()
  saveRDS(features(), file)
  core_failure(core_features_info(readRDS(file)), "internal")
  expect_match(core_features_info(readRDS(file))$message, "make it anew")
})

test_that("pointers of another kind and values of another type come back as failures", {
  core_failure(core_features_info(graph()), "internal")
  core_failure(core_graph_csc(NULL), "internal")
  core_failure(core_spacross_step(trainer(), -1), "internal")
  core_failure(core_kmeans("a", 2, 1, 1, 1L), "internal")
  core_failure(core_kmeans(matrix(1:4, 2), 2, 1, 1, 1L), "internal")
  core_failure(core_refine(c(1L, NA), matrix(0, 2, 2), 1, 1L), "internal")
  core_failure(core_prepare(0L, integer(), numeric(), 3, list(), NULL, 1L), "internal")
  core_failure(core_check_counts(c(0L, 5L), 0L, 1, 3), "counts", "counts")
})

test_that("a seed is one whole number, negative or not", {
  x <- clouds()
  for (seed in list(0, -3, 2^40, 7L)) {
    expect_length(core_kmeans(x, 3, 2, seed, 1L)$labels, nrow(x))
  }
  core_failure(core_kmeans(x, 3, 2, 0.5, 1L), "argument", "seed")
})

test_that("values that f32 cannot hold are refused", {
  core_failure(core_prepare_matrix(matrix(c(1, NaN, 2, 3), 2), 1L), "argument", "reduction")
  core_failure(core_prepare_matrix(matrix(c(1, 1e300, 2, 3), 2), 1L), "argument", "reduction")
})

test_that("a freed trainer is at its end, and freeing it twice is no error", {
  handle <- trainer()
  expect_identical(dim(core_spacross_step(handle, 2)), c(2L, 5L))
  expect_null(core_spacross_free(handle))
  expect_null(core_spacross_free(handle))
  core_failure(core_spacross_step(handle, 1), "internal")
  core_failure(core_spacross_embedding(handle), "internal")
})

test_that("features outlive the call that made them, and R's garbage collection", {
  handle <- trainer()
  gc()
  first <- core_spacross_step(handle, 3)
  gc()
  expect_identical(core_spacross_step(trainer(), 3), first)
})

test_that("training works in a forked process, before and after use of the library", {
  skip_on_os("windows")
  train_here <- function(...) {
    handle <- trainer()
    core_spacross_step(handle, 2)
    core_spacross_embedding(handle)
  }
  here <- train_here()
  forked <- parallel::mclapply(1:2, train_here, mc.cores = 2L)
  expect_identical(forked, list(here, here))
})

test_that("neighbours in an embedding are those of dist()", {
  x <- clouds(10)
  found <- core_embedding_knn(x, 4, 2L)
  distance <- as.matrix(stats::dist(x))
  diag(distance) <- Inf
  wanted <- t(apply(distance, 1L, order))[, 1:4]
  expect_identical(found$index, unname(wanted))
  expect_equal(found$distance, unname(t(apply(distance, 1L, sort))[, 1:4]), tolerance = 1e-5)
})

test_that("devices that are not available say why", {
  devices <- core_devices()
  expect_true("cpu" %in% devices$name[devices$available])
  for (name in c(devices$name[!devices$available], "abacus")) {
    failure <- core_spacross_new(features(), graph(), core_options(spacross_options()), 4, 1, 1L, name)
    core_failure(failure, "device", "device")
  }
})

test_that("the build knows its versions", {
  build <- core_build()
  expect_match(build$rustc, "^rustc [0-9]")
  expect_match(build$candle, "^[0-9]+\\.[0-9]+")
})
