# A trained model of SpaLORA. Beside the parts that every model has (model.R):
#   modalities  in the order of training, each a list: `name`; `kind`; `columns`, how many the network takes; `kept`,
#               features whose counts add up to a cell's total, and `genes`, those of them that are used (both NULL for
#               columns taken as they are)
#   tensors     omics1.*, omics2.*, ...: mean, scale, rotation and turn of the features of each modality (those that it
#               has); smooth.spread: what the components of each are divided by before they are averaged over
#               neighbours, and smooth.k: over how many cells (not for domains from the embedding alone);
#               embedding.centre, embedding.rotation: to the columns of the embedding that are clustered

spalora_own <- function(found, task) {
  list(modalities = unname(Map(modality_part, task$modalities, found$info$modalities)))
}

modality_part <- function(m, described) {
  part <- list(name = m$name, kind = m$kind, columns = described$n_columns)
  if (!is.null(described$kept)) {
    part$kept <- make.unique(modality_features(m))[from_zero(described$kept)]
    part$genes <- part$kept[from_zero(described$kept_genes)]
  }
  part
}

# By name.
modality_parts <- function(model) rlang::set_names(model$modalities, vapply(model$modalities, `[[`, "", "name"))

restore_spalora <- function(document) {
  document$modalities <- lapply(document$modalities, function(part) {
    texts <- intersect(c("kept", "genes"), names(part))
    part[texts] <- lapply(part[texts], as_texts)
    part[intersect(c("name", "kind", "columns", "kept", "genes"), names(part))]
  })
  document
}

spalora_source <- function(model) {
  sizes <- vapply(modality_parts(model), function(part) part$columns, 0)
  paste0(names(sizes), " (", sizes, " columns)", collapse = " + ")
}
