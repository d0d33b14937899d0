# Memory that cannot be had is an error of a class of its own, before any long work.

test_that("what the machine has free is known, or the user's option", {
  left <- memory_left()
  expect_length(left, 1L)
  if (file.exists("/proc/meminfo")) expect_gt(left, 1e6)
  withr::local_options(spaxR.memory = 2)
  expect_identical(memory_left(), 2e9)
  withr::local_options(spaxR.memory = "2 GB")
  expect_spax_error(memory_left(), "argument", "spaxR.memory")
})

test_that("every verb refuses what needs more than there is", {
  fit <- quick_fit()
  embedding <- fit$embedding
  counts <- tissue()$counts[c("RNA", "ADT")]
  withr::local_options(spaxR.memory = 1e-6)
  told <- expect_spax_error(quick(), "memory")
  expect_match(conditionMessage(told), "at least 1 MB.*allowed")
  expect_spax_error(RunPredictivePCA(small()$counts, coords = small_xy(), verbose = FALSE), "memory")
  expect_spax_error(quick_lora(counts), "memory")
  expect_spax_error(predict(fit, small()$counts, small_xy()), "memory")
  expect_spax_error(ChooseDomains(small()$counts, 2:4, coords = small_xy(), verbose = FALSE), "memory")
  expect_spax_error(FindDomains(embedding, 4), "memory")
  expect_spax_error(BuildSpatialGraph(small_xy()), "memory")
  expect_spax_error(BuildSpatialGraph(small_xy(), radius = 2 * min(stats::dist(small_xy()))), "memory")
  expect_spax_error(BuildFeatureGraph(embedding, k = 10), "memory")
  expect_spax_error(IntegrationMetrics(embedding, slice = rep_len(1:2, nrow(embedding))), "memory")
  expect_spax_error(AlignSlices(pair_tables(), verbose = FALSE), "memory")
  expect_spax_error(quick_seurat(), "memory")
})

test_that("what is counted grows with the cells, the neighbours and what is imputed, and is less than what is used", {
  needed <- function(code) {
    told <- tryCatch(code, spaxR_error_memory = identity)
    as.numeric(sub(".*at least ([0-9.]+) GB.*", "\\1", conditionMessage(told)))
  }
  withr::local_options(spaxR.memory = 1e-6)
  counts <- small()$counts
  task <- list(counts = counts, cells = character(1e6), options = spacross_options())
  whole <- needed(check_run_memory(task, 12))
  expect_gte(whole, 1)
  expect_lt(whole, 3)
  expect_gt(needed(check_run_memory(task, 1000)), 8)
  expect_equal(needed(check_run_memory(c(task, impute = TRUE), 12)), whole + 20 * min(2000, nrow(counts)) / 1000, tolerance = 0.01)
  expect_gt(needed(check_graph_memory(1e6, 900, "radius")), 17)
})

test_that("a limit on the address space counts, as schedulers of clusters set it", {
  skip_on_cran()
  skip_if_not(file.exists("/proc/self/limits"))
  code <- "cat(spaxR:::memory_left())"
  script <- withr::local_tempfile(lines = code, fileext = ".R")
  command <- paste("ulimit -v 6000000 &&", shQuote(file.path(R.home("bin"), "Rscript")), "--vanilla", shQuote(script))
  said <- withr::with_envvar(
    c(R_LIBS = paste(.libPaths(), collapse = ":")), system2("bash", c("-c", shQuote(command)), stdout = TRUE)
  )
  expect_lt(as.numeric(said), 6.1e9)
})
