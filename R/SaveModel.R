#' Save a trained model, and load it again
#'
#' Writes what a run has learnt into one file, so that `predict()` can embed and label new slices in another session, on
#' another machine, or years later, without training.
#'
#' The file is in the safetensors format, which other programs read too: the encoder's weights under the names that
#' PyTorch would use, the means, deviations and components of the genes (and proteins and peaks), and the rule that
#' labels cells. Its metadata hold a JSON document with the name and version of the format, the options of the run, the
#' genes, the domains, the seed and the versions of the software. It holds no counts and no cells: about 2 MB for 2000
#' genes; of chromatin 20 MB for 100,000 peaks. Nothing in it is code, so a file from elsewhere is safe to load.
#'
#' A checksum over the whole content is verified when a file is loaded.
#'
#' Results of [RunSpaCross()] and [RunSpaLORA()] carry their model as plain R data, so `saveRDS()` keeps it too.
#'
#' @param object A trained model: the result of [RunSpaCross()] or [RunSpaLORA()], its part `model`, or an object
#'   (Seurat, SingleCellExperiment) after a run of one of them.
#' @param file Path of the file. The usual ending is `.safetensors`.
#' @param ... Not used; anything here is an error.
#' @param overwrite TRUE replaces a file that is there.
#' @return `SaveModel()`: the path, invisibly. `LoadModel()`: an object of class `SpaxModel`, a list with `system`,
#'   `genes` (of SpaLORA `modalities`), `levels` (the domains), `options`, `seed`, `versions` and more; `tensors` holds
#'   all numbers as safetensors bytes. A file that is damaged, cut off, not of this package, or of a newer version of
#'   the format is refused with an error of class `spaxR_error_model`.
#' @seealso [predict.SpaxModel()], [predict.SpaLORAModel()].
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' fit <- RunSpaCross(slice$counts, n.domains = 4, coords = slice$spots, epochs = 10, verbose = FALSE)
#' file <- tempfile(fileext = ".safetensors")
#' SaveModel(fit, file)
#' LoadModel(file)
SaveModel <- function(object, file, ..., overwrite = FALSE) {
  check_dots(...)
  model <- as_model(object)
  check_path(file)
  if (file.exists(file) && !check_flag(overwrite, "overwrite")) {
    abort_spax("argument", c(
      "{.file {file}} is there already.",
      "i" = "Choose another name, or use {.code overwrite = TRUE}."
    ), "file")
  }
  document <- lapply(unclass(model)[setdiff(names(model), "tensors")], function(part) {
    if (is.list(part)) unclass(part) else part
  })
  write_whole(core(core_model_write(model$tensors, document)), file)
  invisible(file)
}

# Beside the file first, so that a full disk leaves no half of a model under its name.
write_whole <- function(bytes, file) {
  part <- paste0(file, ".part")
  on.exit(unlink(part))
  written <- tryCatch({
    writeBin(bytes, part)
    file.rename(part, file)
  }, error = function(e) FALSE, warning = function(w) FALSE)
  if (!written) {
    abort_spax("model", c(
      "{.file {file}} could not be written.",
      "i" = "Check that the folder exists, may be written to, and has room."
    ), "file")
  }
}
