# From the modalities as read to the core's (external pointers), by kind.

prepare_modalities <- function(task) {
  argument <- task$argument
  n_components <- components_wanted(task)
  near <- neighbourhoods(task)
  Map(function(m, n) {
    in_modality(prepare_modality(m, n, near, task), m$name, argument)
  }, task$modalities, n_components)
}

# The neighbours whose means components are made from; NULL where they are those of single cells.
neighbourhoods <- function(task) {
  options <- task$options
  if (options$components == "cells") {
    return(NULL)
  }
  k <- min(options$k, fewest_neighbours(task))
  core(core_neighbours(coords_matrix(task$coords), slice_codes(task$slices), is_stacked(task$slices), k, task$threads))
}

prepare_modality <- function(m, n_components, near, task) {
  x <- m$x
  options <- task$options
  slices <- slice_codes(task$slices)
  settings <- c(list(min_cells = fewest_with_gene(options, ncol(x), task$slices)), unclass(options)[c("min_counts", "n_genes", "target_sum", "slice_center")], list(log1p = TRUE, n_components = n_components))
  switch(m$kind,
    rna = core_modality_rna(x@p, x@i, x@x, nrow(x), settings, slices, near, task$threads),
    protein = core_modality_protein(x@p, x@i, x@x, nrow(x), settings, slices, near, task$threads),
    atac = core_modality_atac(x@p, x@i, x@x, nrow(x), n_components, task$seed, near, task$threads),
    features = core_modality_features(unname(x), task$threads)
  )
}

# In how many cells of a slice a gene must be seen.
fewest_with_gene <- function(options, n_cells, slices) {
  n_slices <- max(1L, nlevels(slices$of))
  max(options$min_cells, as.integer(ceiling(options$min_share * n_cells / n_slices)))
}

# How many components each modality gives: the option, as far as there are features; or as the published code has it.
components_wanted <- function(task) {
  modalities <- task$modalities
  most <- vapply(modalities, function(m) max(1L, n_modality_features(m) - 1L), 0L)
  wanted <- task$options$n_components
  if (!is.null(wanted)) {
    return(pmin(wanted, most))
  }
  kinds <- vapply(modalities, `[[`, "", "kind")
  own <- ifelse(kinds == "atac", pmin(50L, most), ifelse(kinds == "rna", 50L, most))
  beside <- if (all(kinds == "rna")) 50L else own[kinds != "rna"][[1L]]
  pmin(ifelse(kinds == "rna", beside, own), most)
}

# A number of components that was asked for by name must be there in each modality.
check_components <- function(modalities, options, argument) {
  wanted <- options$n_components
  if (is.null(wanted) || !"n_components" %in% attr(options, "given")) {
    return(invisible())
  }
  for (m in modalities) {
    if (m$kind != "features" && n_modality_features(m) <= wanted) {
      abort_spax("argument", c(
        "{.code n_components} is {wanted}, but the modality {.val {m$name}} has only {n_modality_features(m)} feature{?s}.",
        "i" = "Use at most {max(1, n_modality_features(m) - 1)}, or leave {.code n_components} out of {.fn spalora_options}."
      ), "n_components")
    }
  }
}

# Components of the modalities, each modality with the same variance in all (divided by its spread); those of a modality with more
# columns would otherwise outvote the others.
modality_components <- function(prepared, options, spreads = NULL) {
  parts <- lapply(unname(prepared), function(pointer) first_columns(core(core_modality_components(pointer)), options$smooth_components))
  spreads <- spreads %||% vapply(parts, function(x) sqrt(sum(apply(x, 2L, stats::var))), 0)
  list(parts = Map(`/`, parts, spreads), spreads = spreads)
}

# Side by side, each averaged over its number of cells.
smoothed_modalities <- function(task, parts, k) {
  if (!is.null(k)) do.call(cbind, Map(function(x, k) smoothed_components(task, x, k), parts, k))
}
