# What a run gives back: the parts that all results have, and what goes into an object.

# `more`: parts of one system, placed before the seed.
result_parts <- function(found, task, timer, call, more) {
  c(
    if (!is.null(found$history)) list(history = found$history), list(timings = timings(timer), options = task$options), more,
    list(seed = task$seed, device = found$device, versions = spax_versions(), call = call)
  )
}

# Where the cells were found; of a stack its `alignment` says it. Plots draw y as the coordinates' source does.
place_parts <- function(task) {
  if (is.null(task$slices) || !task$slices$stacked) list(coords = structure(task$coords, y_down = task$y_down))
}

name_embedding <- function(x, cells, key) {
  dimnames(x) <- list(cells, paste0(key, seq_len(ncol(x))))
  x
}

spax_versions <- function() {
  c(list(spaxR = as.character(utils::packageVersion("spaxR")), R = as.character(getRversion())), core(core_build()))
}
