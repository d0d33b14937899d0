# Results of systems that read several modalities: beside the parts that all have (result.R), `modality` (an embedding
# for each, by name), `attention` (a row a cell: the weight of each modality, and within it those of the two graphs) and
# `modalities` (a row each: what it is and what of it was used).

# Embeddings and attention with the names of cells and modalities.
named_embeddings <- function(found, names, cells, key) {
  modality <- Map(function(x, name) name_embedding(x, cells, modality_key(key, name)), found$more$modality, names)
  list(
    embedding = name_embedding(found$embedding, cells, key), modality = rlang::set_names(modality, names),
    attention = attention_table(found$more, names, cells)
  )
}

# A row a cell: the weight of each modality, and within it those of the two graphs.
attention_table <- function(weights, names, cells) {
  across <- weights$across[[1L]]
  colnames(across) <- paste0("weight_", names)
  within <- Map(function(x, name) {
    colnames(x) <- paste0(c("spatial_", "feature_"), name)
    x
  }, weights$within, names)
  data.frame(across, do.call(cbind, unname(within)), row.names = cells, check.names = FALSE)
}

modality_table <- function(modalities, info, smoothing) {
  data.frame(
    modality = names(modalities),
    kind = vapply(modalities, `[[`, "", "kind"),
    why = vapply(modalities, `[[`, "", "why"),
    features = vapply(info, function(x) length(x$features), 0L),
    components = vapply(info, function(x) as.integer(x$n_components), 0L),
    smooth_k = if (length(smoothing) > 0L) smoothing else NA_integer_,
    row.names = NULL
  )
}

describe_modalities <- function(result) {
  m <- result$modalities
  weights <- colMeans(result$attention[paste0("weight_", m$modality)])
  smoothed <- if (!anyNA(m$smooth_k)) paste0(", averaged over ", format(m$smooth_k), " cells")
  paste0(
    "  ",
    format(m$modality),
    "  ",
    format(m$kind),
    "  ",
    format(m$features),
    " features, mean weight ",
    format(round(weights, 2), nsmall = 2),
    smoothed
  )
}

# A key has letters and digits only, and one underscore at the end.
modality_key <- function(key, name) paste0(sub("_$", "", key), gsub("[^[:alnum:]]", "", tolower(name)), "_")

# As write_result(), with a reduction for each modality, which belongs to the assay in `homes`, and the columns of
# attention. A cell that a modality lacked has none.
write_modalities <- function(object, result, names, homes, misc) {
  object <- drop_earlier_run(object, names$reduction)
  homes <- rlang::set_names(homes, names(result$modality))
  object <- write_reduction(object, result$embedding, names$reduction, names$key, homes[[1L]], misc)
  for (name in names(result$modality)) {
    reduction <- paste0(names$reduction, ".", tolower(name))
    object <- write_reduction(
      object, result$modality[[name]], reduction, modality_key(names$key, name), homes[[name]], list()
    )
  }
  rows <- match(cell_names(object), names(result$domain))
  columns <- data.frame(result$attention[rows, , drop = FALSE], row.names = cell_names(object), check.names = FALSE)
  names(columns) <- paste0(names$reduction, "_", names(columns))
  columns[[names$domain]] <- unname(result$domain)[rows]
  object <- drop_columns(object, names$confidence)
  if (!is.null(result$confidence)) columns[[names$confidence]] <- unname(result$confidence)[rows]
  write_columns(object, columns)
}

# Weights and reductions of modalities that an earlier run wrote: this one may have fewer.
drop_earlier_run <- function(object, reduction) {
  columns <- names(meta_table(object))
  start <- paste0(reduction, "_", c("weight", "spatial", "feature"), "_")
  modalities <- substring(columns[startsWith(columns, start[[1L]])], nchar(start[[1L]]) + 1L)
  stale <- intersect(columns, outer(start, modalities, paste0))
  drop_results(object, stale, intersect(reduction_names(object), paste0(reduction, ".", tolower(modalities))))
}
