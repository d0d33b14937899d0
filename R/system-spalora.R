# What SpaLORA is to the verbs, see registry.R.
spalora_system <- function() {
  list(
    name = "spalora", title = "SpaLORA", verb = "RunSpaLORA", modalities = TRUE,
    options = spalora_options, option_set = spalora_option_set,
    result = "SpaLORAResult", model = "SpaLORAModel", describe = describe_modalities,
    parts = "modalities", restore = restore_spalora, source = spalora_source,
    read_new = spalora_read_new, embed = spalora_embed, write = write_modalities
  )
}
