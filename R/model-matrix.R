# A trained model of one matrix. Beside the parts that every model has (model.R):
#   input      "counts" or "reduction"; `columns`, how many the network takes
#   kept       genes whose counts add up to a cell's total; `genes`, those of them that are used
#   tensors    features.*, smooth.*, predict.*: mean, scale and rotation of the genes, for the network, for what is
#              averaged over neighbours, and for what these predict (predict.genes: the places of its genes in `kept`)

matrix_model_parts <- function(found, task) {
  kept <- if (!is.null(task$counts)) make.unique(rownames(task$counts))[from_zero(found$info$kept)]
  input <- if (is.null(kept)) "reduction" else "counts"
  list(input = input, columns = found$info$n_columns, kept = kept, genes = kept[from_zero(found$info$kept_genes)])
}

restore_matrix_model <- function(document) {
  document[c("kept", "genes")] <- lapply(document[c("kept", "genes")], as_texts)
  document
}

matrix_source <- function(model) {
  if (model$input == "counts") paste(length(model$genes), "genes") else paste(model$columns, "columns of a reduction")
}
