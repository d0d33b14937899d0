# A trained model of SpaCross. Beside the parts that every model has (model.R):
#   input      "counts" or "reduction"; `columns`, how many the network takes
#   kept       genes whose counts add up to a cell's total; `genes`, those of them that are used
#   tensors    features.* and smooth.*: mean, scale and rotation of the genes, for the network and for the columns averaged over neighbours

spacross_model <- function(found, task, features, components, smoothed) {
  projection <- core(core_features_projection(features))
  genes <- if (!is.null(projection)) make.unique(rownames(task$counts))[projection$kept]
  own <- list(input = if (is.null(projection)) "reduction" else "counts", columns = found$info$n_columns, kept = genes, genes = genes[projection$genes])
  new_model("spacross", own, found$domain, task, c(
    found$weights, projection_tensors(projection, "features"), projection_tensors(components$projection, "smooth"),
    rule_tensors(task, found$embedding, smoothed, found$domain)
  ))
}

restore_spacross <- function(document) {
  document[c("kept", "genes")] <- lapply(document[c("kept", "genes")], as_texts)
  document
}

spacross_source <- function(model) {
  if (model$input == "counts") paste(length(model$genes), "genes") else paste(model$columns, "columns of a reduction")
}
