#' @rdname SaveModel
#' @export
LoadModel <- function(file) {
  check_path(file)
  if (!file.exists(file) || dir.exists(file)) {
    abort_spax("model", c(
      "There is no file {.file {file}}.",
      "i" = "Check the path; the working directory is {.file {getwd()}}."
    ), "file")
  }
  found <- core(core_model_read(readBin(file, "raw", file.size(file))))
  restore_model(found$document, found$tensors)
}
