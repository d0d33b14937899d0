# A trained model as plain R data: a list of the class SpaxModel, whose tensors hold all numbers as safetensors bytes. The parts that every system's has:
#   system     "spacross" or "spalora"
#   levels     names of the domains
#   options    of the run; seed, slices, n_cells, versions
#   tensors    the encoder; rule.* the centre and spread of the columns that domains are found from, weight and bias of the rule that labels them
# and beside them those of the system, see model-spacross.R and model-spalora.R.

model_systems <- function() {
  list(
    spacross = list(title = "SpaCross", tool = "RunSpaCross", class = "SpaxModel", parts = c("input", "columns", "kept", "genes"), restore = restore_spacross),
    spalora = list(title = "SpaLORA", tool = "RunSpaLORA", class = c("SpaLORAModel", "SpaxModel"), parts = "modalities", restore = restore_spalora)
  )
}

model_parts <- c("levels", "options", "slices", "n_cells", "seed", "versions")

# `own`: the parts of the system; `tensors`: a list of arrays.
new_model <- function(system, own, domain, task, tensors) {
  shared <- list(
    levels = levels(domain), options = task$options, slices = levels(task$slices$of), n_cells = length(task$cells), seed = task$seed,
    versions = spax_versions()
  )
  model_of_parts(system, c(own, shared), core(core_tensors_write(tensors)))
}

model_of_parts <- function(system, parts, tensors) {
  wanted <- c(model_systems()[[system]]$parts, model_parts)
  parts <- rlang::set_names(lapply(wanted, function(part) parts[[part]]), wanted)
  structure(c(list(system = system), parts, list(tensors = tensors)), class = model_systems()[[system]]$class)
}

projection_tensors <- function(projection, prefix) {
  parts <- Filter(Negate(is.null), projection[c("mean", "scale", "rotation", "turn")])
  if (length(parts) > 0L) rlang::set_names(parts, paste0(prefix, ".", names(parts)))
}

# The rule that gives further cells the labels of these, whatever method found them.
rule_tensors <- function(task, embedding, smoothed, domain) {
  x <- domain_columns(task$options, embedding, smoothed)
  moments <- domain_moments(task$options, x)
  rule <- core(core_rule_fit(unname(scale_columns(x, moments)), as.integer(domain), nlevels(domain), task$threads))
  tensors <- c(moments, rule)
  rlang::set_names(tensors, paste0("rule.", names(tensors)))
}

# One that new_features() and its like take, of a part of a model: its `genes` and those `kept`.
stored_projection <- function(tensors, prefix, part) {
  parts <- c("mean", "scale", "rotation", "turn")
  arrays <- rlang::set_names(tensors[paste0(prefix, ".", parts)], parts)
  c(list(genes = match(part$genes, part$kept)), arrays)
}

#' @export
print.SpaxModel <- function(x, ...) {
  writeLines(c(
    paste0("Trained model of ", model_systems()[[x$system]]$title, ": ", model_source(x), ", ", length(x$levels), " domains (", paste(x$levels, collapse = ", "), ")"),
    paste0("  trained on ", x$n_cells, " cells", if (length(x$slices) > 1L) paste(" of", length(x$slices), "slices"), ", seed ", format(x$seed)),
    paste0("  spaxR ", x$versions$spaxR, ", ", format_bytes(length(x$tensors)), " of weights"),
    "  predict() labels a new slice, SaveModel() writes a file"
  ))
  invisible(x)
}

# What the model was trained on, in words.
model_source <- function(model) {
  if (model$system == "spalora") {
    sizes <- vapply(modality_parts(model), function(part) part$columns, 0)
    return(paste0(names(sizes), " (", sizes, " columns)", collapse = " + "))
  }
  if (model$input == "counts") paste(length(model$genes), "genes") else paste(model$columns, "columns of a reduction")
}

# The model in what a user gives: a model, a result that holds one, or an object after a run.
as_model <- function(object) {
  model <- if (inherits(object, "SpaxModel")) object
  if (inherits(object, c("SpaCrossResult", "SpaLORAResult"))) model <- object$model
  if (is_container(object)) model <- stored_model(object)
  if (inherits(model, "SpaxModel")) {
    return(model)
  }
  abort_spax("argument", c(
    "{.arg object} holds no trained model.",
    "i" = "Give the result of {.fn RunSpaCross}, {.fn RunSpaLORA} or {.fn LoadModel}."
  ), "object")
}

stored_model <- function(object) {
  runs <- stored_runs(object)
  if (length(runs) > 1L) {
    abort_spax("argument", c(
      "{.arg object} holds the models of {length(runs)} runs: {.fn {runs}}.",
      "i" = "Say which: {.code {run_code(object, runs[[1L]])}$model}."
    ), "object")
  }
  if (length(runs) == 1L) run_parts(object, runs)$model
}
