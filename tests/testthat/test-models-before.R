# Files in fixtures/ that the first version of the format wrote, and what their models predicted then.

before <- function(name) readRDS(test_path("fixtures", "models-1.rds"))[[name]]

expect_as_before <- function(name, counts, coords) {
  model <- LoadModel(test_path("fixtures", paste0(name, "-1.safetensors")))
  new <- predict(model, counts, coords, centre = "model")
  expect_equal(unname(new$embedding), before(name)$embedding, tolerance = 1e-5)
  expect_identical(unname(new$domain), before(name)$domain)
}

test_that("a file of SpaCross of before still loads, and labels cells as it did", {
  expect_as_before("spacross", small()$counts, small_xy())
})

test_that("a file of SpaLORA of before still loads, and labels cells as it did", {
  expect_as_before("spalora", tissue()$counts[c("RNA", "ADT")], tissue()$spots)
})

test_that("a model of before goes into a file as it came", {
  model <- LoadModel(test_path("fixtures", "spalora-1.safetensors"))
  file <- withr::local_tempfile(fileext = ".safetensors")
  SaveModel(model, file)
  expect_identical(LoadModel(file), model)
})
