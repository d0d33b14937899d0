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
  name <- if (is.list(document)) document$system
  system <- if (rlang::is_string(name)) model_systems()[[name]]
  if (is.null(system)) {
    abort_spax("model", c(
      "The file holds a model of the system {show_value(name)}, which this version of spaxR does not know.",
      "i" = "Install a newer spaxR."
    ), "file")
  }
  document <- system$restore(document)
  document[c("levels", "slices")] <- lapply(document[c("levels", "slices")], as_texts)
  document$options <- restore_options(document$options, option_sets()[[paste0(name, "_options")]])
  document$versions <- document$versions[union(names(spax_versions()), names(document$versions))]
  model_of_parts(name, document, tensors)
}

as_texts <- function(x) if (!is.null(x)) as.character(unlist(x))

# In the usual order, checked; an option that has come since has its default.
restore_options <- function(stored, set) {
  defaults <- option_defaults(set)
  vectors <- intersect(names(set$vectors), names(stored))
  stored[vectors] <- lapply(stored[vectors], unlist)
  known <- intersect(names(defaults), names(stored))
  options <- as_options(set_options(defaults, stored[known]), set, NULL, NULL)
  check_options(options)
  options
}
