# A further system is a folder in the core and one registration here: every verb then finds what it wrote. The core's
# plain baseline (components averaged over neighbours, no training) serves as that system; it has no verb of its own.

baseline_options <- function(..., preset = NULL) new_options(option_set("baseline"), rlang::list2(...), preset)

baseline_system <- function() {
  utils::modifyList(spacross_system(), list(
    name = "baseline", title = "The baseline", verb = "RunBaseline", options = baseline_options,
    result = "BaselineResult"
  ))
}

local_baseline <- function(.envir = parent.frame()) {
  before <- registry$systems
  register_system(baseline_system())
  withr::defer(registry$systems <- before, .envir)
}

# What its verb would be.
run_baseline <- function(counts, n.domains, coords, options = baseline_options()) {
  input <- matrix_input(counts, coords, NULL, NULL, FALSE)
  task <- c(input, run_settings(n.domains, length(input$cells), options, 1, 2, "cpu", FALSE))
  fit_system(task, spax_system("baseline"), new_timer(), quote(RunBaseline()))
}

test_that("a third system runs, prints, and gives the same whatever the threads", {
  local_baseline()
  fit <- run_baseline(small()$counts, 4, small_xy())
  expect_s3_class(fit, c("BaselineResult", "SpaxResult"), exact = TRUE)
  expect_identical(dim(fit$embedding), c(nrow(small_xy()), 20L))
  expect_identical(levels(fit$domain), as.character(1:4))
  expect_null(fit$history)
  text <- capture.output(print(fit))
  expect_match(text[[1]], "The baseline on .* cells: 4 domains, embedding of 20 columns")
  agreed <- DomainMetrics(fit$domain, truth = small()$spots$label, coords = small_xy())$ARI
  expect_gt(agreed, 0.3)
})

test_that("FindDomains, DomainPlot and DomainMetrics take what it found", {
  local_baseline()
  fit <- run_baseline(small()$counts, 4, small_xy())
  expect_identical(unname(FindDomains(fit$embedding, 4, coords = small_xy(), method = "gmm")), unname(fit$domain))
  expect_s3_class(DomainPlot(fit$domain, coords = small_xy()), "ggplot")
  names <- output_names("baseline", "baseline_", "baseline_domain")
  object <- write_result(small_seurat(), fit, names, "RNA", list())
  object <- write_run(object, "RunBaseline", kept_of_run(fit, names))
  expect_s3_class(DomainPlot(object, coords = c("x", "y")), "ggplot")
  found <- FindDomains(object, 4, coords = c("x", "y"), method = "gmm")
  expect_identical(unname(found$baseline_domain), unname(fit$domain))
  expect_s3_class(as_model(object), "SpaxModel")
})

test_that("its model is saved, loaded, and labels further cells", {
  local_baseline()
  fit <- run_baseline(small()$counts, 4, small_xy())
  file <- withr::local_tempfile(fileext = ".safetensors")
  SaveModel(fit, file)
  model <- LoadModel(file)
  expect_match(capture.output(print(model))[[1]], "Trained model of The baseline")
  new <- predict(model, small()$counts, small_xy(), centre = "model")
  expect_lt(max(abs(new$embedding - fit$embedding)), 1e-4)
  expect_gt(mean(new$domain == fit$domain), 0.95)
})
