# What SpaCross is to the verbs, see registry.R.
spacross_system <- function() {
  list(
    name = "spacross", title = "SpaCross", verb = "RunSpaCross", modalities = FALSE,
    options = spacross_options, option_set = spacross_option_set,
    result = "SpaCrossResult", model = NULL, describe = function(result) NULL,
    parts = c("input", "columns", "kept", "genes"), restore = restore_spacross, source = spacross_source,
    read_new = spacross_read_new, embed = spacross_embed, write = write_result
  )
}
