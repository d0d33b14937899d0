saved <- function(fit = quick_fit(), env = parent.frame()) {
  file <- withr::local_tempfile(fileext = ".safetensors", .local_envir = env)
  SaveModel(fit, file)
  file
}

# Bytes of a file changed by `change`, in a new file.
changed <- function(file, change, env = parent.frame()) {
  bytes <- readBin(file, "raw", file.size(file))
  other <- withr::local_tempfile(.local_envir = env)
  writeBin(change(bytes), other)
  other
}

test_that("a model is the same after a file, and the file after the model", {
  file <- saved()
  model <- LoadModel(file)
  expect_s3_class(model, "SpaxModel")
  same <- function(model) {
    attributes(model$options) <- attributes(model$options)["names"]
    model
  }
  expect_identical(same(model), same(quick_fit()$model))
  again <- saved(model)
  expect_identical(unname(tools::md5sum(file)), unname(tools::md5sum(again)))
})

test_that("every kind of result holds a model, and saveRDS keeps it", {
  file <- withr::local_tempfile()
  saveRDS(quick_fit(), file)
  expect_identical(readRDS(file)$model, quick_fit()$model)
  expect_lt(as.numeric(utils::object.size(quick_fit()$model)), 4e6)
  object <- quick_seurat()
  expect_identical(SeuratObject::Tool(object, "RunSpaCross")$model, quick_fit()$model)
  expect_identical(LoadModel(saved(object))$tensors, quick_fit()$model$tensors)
  expect_spax_error(SaveModel(small_seurat(), file), "argument", "object")
  expect_spax_error(SaveModel(list(1), file), "argument", "object")
})

test_that("the file is plain safetensors, with names of arrays as in PyTorch and a JSON document", {
  bytes <- readBin(saved(), "raw", 1e7)
  size <- sum(as.integer(bytes[1:8]) * 256^(0:7))
  header <- rawToChar(bytes[9:(8 + size)])
  expect_match(header, "\"__metadata__\"", fixed = TRUE)
  expect_match(header, "\"encoder.encoder_L1.0.weight\":{\"dtype\":\"F32\",\"shape\":[64,", fixed = TRUE)
  expect_match(header, "\"gc2.bn.running_var\":{\"dtype\":\"F64\",\"shape\":[16]", fixed = TRUE)
  expect_match(header, "\\\"format\\\":\\\"spaxR model\\\"", fixed = TRUE)
  expect_match(header, "\\\"system\\\":\\\"spacross\\\"", fixed = TRUE)
})

test_that("a file that is there is kept unless told otherwise", {
  file <- saved()
  expect_spax_error(SaveModel(quick_fit(), file), "argument", "file")
  other <- quick(seed = 2)
  SaveModel(other, file, overwrite = TRUE)
  expect_identical(LoadModel(file)$seed, 2)
  expect_false(file.exists(paste0(file, ".part")))
  expect_spax_error(SaveModel(other, file.path(file, "nowhere", "m")), "model", "file")
  expect_spax_error(SaveModel(other, 3), "argument", "file")
})

test_that("damaged, cut, foreign and absent files are refused", {
  file <- saved()
  n <- file.size(file)
  refused <- function(file, what) expect_match(conditionMessage(expect_spax_error(LoadModel(file), "model")), what)
  for (keep in c(0, 5, 100, n %/% 2, n - 1)) refused(changed(file, function(b) b[seq_len(keep)]), "cut off")
  refused(changed(file, function(b) c(b, as.raw(1))), "cut off")
  flip <- function(place) function(b) replace(b, place, xor(b[place], as.raw(4)))
  refused(changed(file, flip(n - 3)), "checksum|damaged")
  refused(changed(file, flip(n %/% 2)), "checksum|damaged")
  refused(changed(file, function(b) charToRaw(strrep("not a model ", 20))), "no model file")
  foreign <- core(core_tensors_write(list(weight = matrix(as.double(1:6), 2))))
  refused(changed(file, function(b) foreign), "not of a model")
  newer <- function(b) {
    header <- rawToChar(b[9:(8 + sum(as.integer(b[1:8]) * 256^(0:7)))])
    at <- regexpr("\\\"version\\\":1", header, fixed = TRUE)
    replace(b, 8 + at + nchar("\\\"version\\\":"), charToRaw("2"))
  }
  refused(changed(file, newer), "newer spaxR")
  refused(file.path(tempdir(), "nowhere"), "no file")
  refused(tempdir(), "no file")
})

test_that("a model of another system says so", {
  model <- quick_fit()$model
  model$system <- "spaother"
  expect_spax_error(LoadModel(saved(model)), "model", "file")
})

test_that("a loaded model prints what it is", {
  expect_output(print(LoadModel(saved())), "SpaCross: [0-9]+ genes, 4 domains")
  expect_output(print(quick_fit()$model), "predict")
})
