# The functions of src/rust/src: values or a spaxR_core_error, never an R error of their own.

tissue_pointer <- function(threads = 2L) core_tissue(coords_matrix(small_xy()), NULL, TRUE, threads)

run_pointer <- function(
  device = "cpu", system = "spacross", options = core_options(spacross_options(epochs = 3)), tissue = tissue_pointer()
) {
  core_run_new(
    system,
    tissue,
    options,
    list(n_domains = 4, seed = 1, device = device, published = FALSE, impute = FALSE)
  )
}

part <- function() {
  counts <- small()$counts
  list(counts_part("counts", "rna", counts))
}

# To the stage `until`, or to the end.
through <- function(run, until = "done", show = NULL) {
  while (!(core_run_stage(run) %in% c(until, "done"))) core(core_run_advance(run, part(), show))
  run
}

core_failure <- function(result, kind, argument = NA_character_) {
  expect_s3_class(result, "spaxR_core_error")
  expect_identical(result$kind, kind)
  expect_identical(result$argument, argument)
  expect_true(nzchar(result$message))
}

test_that("a pointer that was saved says that it cannot be used again", {
  file <- withr::local_tempfile()
  saveRDS(tissue_pointer(), file)
  core_failure(core_tissue_graph(readRDS(file), 6, NA_real_), "internal")
  expect_match(core_tissue_graph(readRDS(file), 6, NA_real_)$message, "make it anew")
})

test_that("pointers of another kind and values of another type come back as failures", {
  core_failure(core_graph_csc(tissue_pointer()), "internal")
  core_failure(core_graph_csc(NULL), "internal")
  core_failure(core_run_stage(tissue_pointer()), "internal")
  core_failure(core_run_advance(run_pointer(), list(list(name = "counts")), NULL), "internal")
  core_failure(core_run_labels(run_pointer(), rep(1L, 5L)), "internal")
  core_failure(core_kmeans("a", 2, 1, 1, 1L), "internal")
  core_failure(core_kmeans(matrix(1:4, 2), 2, 1, 1, 1L), "internal")
  core_failure(core_refine(c(1L, NA), matrix(0, 2, 2), 1, 1L), "internal")
  core_failure(core_check_counts(c(0L, 5L), 0L, 1, 3), "counts", "counts")
  core_failure(run_pointer(system = "abacus"), "model")
})

test_that("a seed is one whole number, negative or not", {
  x <- clouds()
  for (seed in list(0, -3, 2^40, 7L)) {
    expect_length(core_kmeans(x, 3, 2, seed, 1L)$labels, nrow(x))
  }
  core_failure(core_kmeans(x, 3, 2, 0.5, 1L), "argument", "seed")
})

test_that("values that f32 cannot hold are refused", {
  for (bad in c(NaN, 1e300)) {
    x <- matrix(c(1, bad, 2, 3), 2)
    core_failure(core_run_advance(run_pointer(), list(columns_part("x", x)), NULL), "argument", "reduction")
  }
})

test_that("a run goes through its stages in order, and a freed one is at its end", {
  run <- run_pointer()
  stages <- character()
  while ((stage <- core_run_stage(run)) != "done") {
    stages <- c(stages, stage)
    core(core_run_advance(run, part(), NULL))
  }
  expect_identical(stages, c("preprocess", "graph", "place", "smooth", "train", "domains", "model"))
  expect_identical(dim(core_run_result(run)$history), c(3L, 4L))
  expect_null(core_run_free(run))
  expect_null(core_run_free(run))
  core_failure(core_run_stage(run), "internal")
  core_failure(core_run_result(run), "internal")
})

test_that("what a run holds outlives the call that made it, and R's garbage collection", {
  run <- through(run_pointer(), "train")
  gc()
  first <- core_run_result(through(run))
  gc()
  expect_identical(core_run_result(through(run_pointer())), first)
})

test_that("labels of a method that is not one of the core come from outside", {
  options <- core_options(spacross_options(epochs = 3, cluster = "mclust"))
  run <- through(run_pointer(options = options), "labels")
  asked <- core(core_run_columns(run))
  expect_identical(nrow(asked$x), nrow(small_xy()))
  labels <- rep_len(1:4, nrow(asked$x))
  expect_identical(core(core_run_labels(run, labels)), "model")
  expect_true(same_partition(core_run_result(through(run))$domains, labels))
})

test_that("runs show their stages on R's thread, and end when told so", {
  stages <- character()
  totals <- numeric()
  run <- through(run_pointer(options = core_options(spacross_options(epochs = 400))), "train", function(...) TRUE)
  core(core_run_advance(run, NULL, function(stage, done, total, note) {
    stages <<- c(stages, stage)
    totals <<- c(totals, total)
    TRUE
  }))
  expect_identical(unique(stages), "train")
  # Before the first epoch and after the last nobody counts.
  expect_identical(unique(totals[!is.na(totals)]), 400)
  run <- through(run_pointer(options = core_options(spacross_options(epochs = 1e6))), "train")
  core_failure(core_run_advance(run, NULL, function(...) FALSE), "interrupted")
})

test_that("training works in a forked process, before and after use of the library", {
  skip_on_os("windows")
  train_here <- function(...) core_run_result(through(run_pointer()))$embedding
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
    run <- through(run_pointer(device = name), "place")
    core_failure(core_run_advance(run, NULL, NULL), "device", "device")
  }
})

test_that("the build knows its versions", {
  build <- core_build()
  expect_match(build$rustc, "^rustc [0-9]")
  expect_match(build$candle, "^[0-9]+\\.[0-9]+")
})
