#' @rdname SaveModel
#' @export
LoadModel <- function(file) {
  check_path(file)
  if (!file.exists(file) || dir.exists(file)) {
    abort_spax("model", c("There is no file {.file {file}}.", "i" = "Check the path; the working directory is {.file {getwd()}}."), "file")
  }
  found <- core(core_model_read(readBin(file, "raw", file.size(file))))
  restore_model(found$document, found$tensors)
}

# The document as R had it: JSON knows neither classes nor vectors of one value or none.
restore_model <- function(document, tensors) {
  known <- is.list(document) && identical(document$system, "spacross")
  if (!known) {
    abort_spax("model", c(
      "The file holds a model of the system {show_value(document$system)}, which this version of spaxR does not know.",
      "i" = "Install a newer spaxR."
    ), "file")
  }
  texts <- c("kept", "genes", "levels", "slices")
  document[texts] <- lapply(document[texts], function(x) if (!is.null(x)) as.character(unlist(x)))
  document$options <- restore_options(document$options)
  document$versions <- document$versions[union(names(spax_versions()), names(document$versions))]
  structure(c(rlang::set_names(lapply(model_parts, function(part) document[[part]]), model_parts), list(tensors = tensors)), class = "SpaxModel")
}

# In the usual order, checked; an option that has come since has its default.
restore_options <- function(stored) {
  set <- spacross_option_set()
  defaults <- option_defaults(set)
  known <- intersect(names(defaults), names(stored))
  options <- as_options(set_options(defaults, stored[known]), set, NULL, NULL)
  check_options(options)
  options
}
