# What SpaLORA is to the verbs, see registry.R.
spalora_system <- function() {
  list(
    name = "spalora", title = "SpaLORA", verb = "RunSpaLORA", modalities = TRUE,
    options = spalora_options,
    result = "SpaLORAResult", model = "SpaLORAModel", describe = describe_modalities,
    parts = "modalities", restore = restore_spalora, source = spalora_source,
    parts_of = modality_inputs, told = function(described, task) NULL, found = named_embeddings, more = modalities_used,
    late = function(found, task) NULL, own = spalora_own,
    read_new = spalora_read_new, new_parts = new_modality_parts, write = write_modalities
  )
}

modality_inputs <- function(task) unname(lapply(task$modalities, function(m) modality_input(m, m$x)))

modalities_used <- function(found, task) {
  features <- Map(
    function(described, m) modality_features(m)[from_zero(described$features)], found$info$modalities, task$modalities
  )
  list(
    modalities = modality_table(task$modalities, found$info$modalities, found$info$smooth_k),
    features = rlang::set_names(features, names(task$modalities))
  )
}
