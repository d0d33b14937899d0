# What a run gives back: the parts that all results have, and what goes into an object.

# `more`: parts of one system, placed before the seed.
result_parts <- function(found, task, timer, call, more) {
  c(
    list(history = found$history, timings = timings(timer), options = task$options), more,
    list(seed = task$seed, device = found$device, versions = spax_versions(), call = call)
  )
}

name_embedding <- function(x, cells, key) {
  dimnames(x) <- list(cells, paste0(key, seq_len(ncol(x))))
  x
}

spax_versions <- function() {
  c(list(spaxR = as.character(utils::packageVersion("spaxR")), R = as.character(getRversion())), core(core_build()))
}

# The lines of a printed result that say how the run went.
describe_run <- function(x) {
  total <- colSums(x$timings[c("wall", "cpu")])
  sizes <- table(x$domain)
  c(
    paste0("  cells a domain: ", paste0(names(sizes), " (", sizes, ")", collapse = ", ")),
    paste0("  ", nrow(x$history), " epochs, last loss ", format(utils::tail(x$history$total, 1L), digits = 4), ", seed ", format(x$seed)),
    paste0("  ", format(round(total[["wall"]], 1)), " s wall, ", format(round(total[["cpu"]], 1)), " s CPU on ", x$device)
  )
}
