# A trained model as plain R data. A SpaxModel is a list:
#   system     "spacross"
#   input      "counts" or "reduction"; `columns`, how many the network takes
#   kept       genes whose counts add up to a cell's total; `genes`, those of them that are used
#   levels     names of the domains
#   options    of the run; seed, slices, n_cells, versions
#   tensors    all numbers, as safetensors bytes: the encoder, and by prefix
#                features.* and smooth.*   mean, scale and rotation of the genes, for the network and for the columns averaged over neighbours
#                rule.*                    centre and spread of the columns that domains are found from, weight and bias of the rule that labels them

model_parts <- c("system", "input", "columns", "kept", "genes", "levels", "options", "slices", "n_cells", "seed", "versions")

spacross_model <- function(found, task, features, components, smoothed) {
  projection <- core(core_features_projection(features))
  tensors <- c(
    found$weights, projection_tensors(projection, "features"), projection_tensors(components$projection, "smooth"),
    rule_tensors(task, found$embedding, smoothed, found$domain)
  )
  genes <- if (!is.null(projection)) make.unique(rownames(task$counts))[projection$kept]
  structure(list(
    system = "spacross", input = if (is.null(projection)) "reduction" else "counts", columns = found$info$n_columns,
    kept = genes, genes = genes[projection$genes], levels = levels(found$domain), options = task$options,
    slices = levels(task$slices$of), n_cells = length(task$cells), seed = task$seed, versions = spax_versions(),
    tensors = core(core_tensors_write(tensors))
  ), class = "SpaxModel")
}

projection_tensors <- function(projection, prefix) {
  parts <- Filter(Negate(is.null), projection[c("mean", "scale", "rotation")])
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

#' @export
print.SpaxModel <- function(x, ...) {
  source <- if (x$input == "counts") paste(length(x$genes), "genes") else paste(x$columns, "columns of a reduction")
  writeLines(c(
    paste0("Trained model of ", system_title(x$system), ": ", source, ", ", length(x$levels), " domains (", paste(x$levels, collapse = ", "), ")"),
    paste0("  trained on ", x$n_cells, " cells", if (length(x$slices) > 1L) paste(" of", length(x$slices), "slices"), ", seed ", format(x$seed)),
    paste0("  spaxR ", x$versions$spaxR, ", ", format_bytes(length(x$tensors)), " of weights"),
    "  predict() labels a new slice, SaveModel() writes a file"
  ))
  invisible(x)
}

system_title <- function(system) c(spacross = "SpaCross")[[system]]

# The model in what a user gives: a model, a result that holds one, or a Seurat object after a run.
as_model <- function(object) {
  model <- if (inherits(object, "SpaxModel")) object
  if (inherits(object, "SpaCrossResult")) model <- object$model
  if (inherits(object, "Seurat")) model <- SeuratObject::Tool(object, "RunSpaCross")$model
  if (inherits(model, "SpaxModel")) {
    return(model)
  }
  abort_spax("argument", c(
    "{.arg object} holds no trained model.",
    "i" = "Give the result of {.fn RunSpaCross} or of {.fn LoadModel}."
  ), "object")
}
