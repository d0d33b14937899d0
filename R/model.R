# A trained model as plain R data: a list of the class SpaxModel, whose tensors hold all numbers as safetensors bytes.
# The parts that every system's has:
#   system     its name (registry.R)
#   levels     names of the domains
#   options    of the run; seed, slices, n_cells, versions
#   tensors    the encoder; rule.* the centre and spread of the columns that domains are found from, weight and bias of
#              the rule that labels them
# and beside them those of the system, see model-spacross.R and model-spalora.R.

model_parts <- c("levels", "options", "slices", "n_cells", "seed", "versions")

# `own`: the parts of the system; `tensors`: safetensors bytes.
new_model <- function(system, own, domain, task, tensors) {
  shared <- list(
    levels = levels(domain), options = task$options, slices = levels(task$slices$of), n_cells = length(task$cells),
    seed = task$seed, versions = spax_versions()
  )
  model_of_parts(system$name, c(own, shared), tensors)
}

model_of_parts <- function(name, parts, tensors) {
  system <- spax_system(name)
  wanted <- c(system$parts, model_parts)
  parts <- rlang::set_names(lapply(wanted, function(part) parts[[part]]), wanted)
  structure(c(list(system = name), parts, list(tensors = tensors)), class = c(system$model, "SpaxModel"))
}

# The system of a model, as in a file. `argument`: what the user gave it by.
model_system <- function(name, argument) {
  system <- if (rlang::is_string(name)) spax_system(name)
  if (is.null(system)) {
    abort_spax("model", c(
      "The {argument} holds a model of the system {show_value(name)}, which this version of spaxR does not know.",
      "i" = "Install a newer spaxR."
    ), argument)
  }
  system
}

# The document as R had it: JSON knows neither classes nor vectors of one value or none.
restore_model <- function(document, tensors) {
  system <- model_system(if (is.list(document)) document$system, "file")
  document <- system$restore(document)
  document[c("levels", "slices")] <- lapply(document[c("levels", "slices")], as_texts)
  document$options <- restore_options(document$options, option_set(system$name))
  document$versions <- document$versions[union(names(spax_versions()), names(document$versions))]
  model_of_parts(system$name, document, tensors)
}

as_texts <- function(x) if (!is.null(x)) as.character(unlist(x))

# The places of the genes of a part of a model among those that it kept, and whether the new cells have these.
model_genes <- function(part, present) list(genes = match(part$genes, part$kept), present = present)

#' @export
print.SpaxModel <- function(x, ...) {
  system <- model_system(x$system, "object")
  writeLines(c(
    paste0(
      "Trained model of ",
      system$title,
      ": ",
      system$source(x),
      ", ",
      length(x$levels),
      " domains (",
      paste(x$levels, collapse = ", "),
      ")"
    ),
    paste0(
      "  trained on ",
      x$n_cells,
      " cells",
      if (length(x$slices) > 1L) paste(" of", length(x$slices), "slices"),
      ", seed ",
      format(x$seed)
    ),
    paste0("  spaxR ", x$versions$spaxR, ", ", format_bytes(length(x$tensors)), " of weights"),
    "  predict() labels a new slice, SaveModel() writes a file"
  ))
  invisible(x)
}

# The model in what a user gives: a model, a result that holds one, or an object after a run.
as_model <- function(object) {
  model <- if (inherits(object, "SpaxModel")) object
  if (inherits(object, "SpaxResult")) model <- object$model
  if (is_container(object)) model <- stored_model(object)
  if (inherits(model, "SpaxModel")) {
    return(model)
  }
  abort_spax("argument", c(
    "{.arg object} holds no trained model.",
    "i" = paste0("Give the result of ", one_of_runs("LoadModel"), ".")
  ), "object")
}

format_bytes <- function(bytes) {
  if (bytes >= 1e9) paste(format(round(bytes / 1e9, 1)), "GB") else paste(format(max(1, round(bytes / 1e6))), "MB")
}
