# Checks of the arguments that all runs share, before any long work.

# The options as the run takes them: the published ones if wanted, with the epochs given.
run_options <- function(options, set, epochs, published, several) {
  check_is_options(options, set)
  check_flag(published, "published")
  if (published) options <- published_options(options, several)
  if (!is.null(epochs)) options$epochs <- check_whole(epochs, "epochs", 1)
  options
}

run_settings <- function(n.domains, n_cells, options, seed, threads, device, verbose) {
  check_cluster_packages(options)
  list(
    n_domains = check_n_domains(n.domains, n_cells), options = options, seed = check_seed(seed),
    threads = check_threads(threads), device = check_device(device), verbose = check_flag(verbose, "verbose")
  )
}

check_cluster_packages <- function(options) {
  needed <- list(mclust = "mclust", leiden = "igraph", louvain = "igraph")[[options$cluster]]
  if (!is.null(needed)) check_packages(c(needed, "withr"), "This {.code cluster} method")
}

# The names of what a run writes into an object; `arguments` are the user's arguments they came from, by the names of
# `names`.
check_output_names <- function(names, arguments) {
  for (name in names(arguments)) check_name(names[[name]], arguments[[name]])
  if (!grepl("^[[:alnum:]]+_$", names$key)) {
    abort_spax("argument", c(
      "{.arg reduction.key} must be letters or digits and one underscore at the end, not {show_value(names$key)}.",
      "i" = "For instance {.code reduction.key = \"spacross_\"}."
    ), "reduction.key")
  }
}
