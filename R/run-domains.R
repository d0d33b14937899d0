# What follows the training, the same for every system. A task holds `options` (those of domain_choices() and domain_ranges()), `n_domains`,
# `cells`, `coords`, `seed`, `threads`, `verbose`, and for several slices `slices` (see input-slices.R).

# Trains as often as the consensus wants, and finds the domains: the first run with the labels that all agree on. `new_trainer(seed, first)`
# makes the trainer of a run; `view` takes the embedding to what is clustered, which the result holds too.
fit_runs <- function(task, timer, smoothed, new_trainer, view = identity) {
  runs <- lapply(seq_len(task$options$consensus), function(run) {
    seed <- run_seed(task$seed, run)
    fit <- timed(timer, "train", train(new_trainer(seed, run == 1L), task$options$epochs, task$verbose))
    fit$view <- timed(timer, "domains", view(fit$embedding))
    fit$labels <- timed(timer, "domains", labels_once(task, fit$view, smoothed, seed))
    fit
  })
  labels <- timed(timer, "domains", agree(lapply(runs, `[[`, "labels"), task$n_domains))
  first <- runs[[1L]]
  first$domain <- finish_domains(labels, task)
  first
}

# The columns of `x`, averaged over the `k` nearest cells, the cell itself one of them. Components are not computed when domains come from the embedding alone.
smoothed_components <- function(task, x, k = task$options$smooth_k) {
  options <- task$options
  if (options$domains_from == "embedding") {
    return(NULL)
  }
  stacked <- is_stacked(task$slices)
  k <- min(k, fewest_neighbours(task) + 1L)
  core(core_smooth(
    unname(x), coords_matrix(task$coords), slice_codes(task$slices), stacked, k, options$smooth_passes, task$threads
  ))
}

# Over how many cells to average the columns of each matrix: as the options say, or as many as predict the cell in their middle.
smoothing_wanted <- function(task, parts) {
  options <- task$options
  if (options$domains_from == "embedding") {
    return(NULL)
  }
  vapply(parts, function(x) as.integer(options$smooth_k %||% (neighbours_wanted(task, x) + 1L)), 0L)
}

neighbours_wanted <- function(task, x) {
  core(core_reach(unname(x), coords_matrix(task$coords), slice_codes(task$slices), is_stacked(task$slices), fewest_neighbours(task), task$threads))
}

first_columns <- function(x, n) x[, seq_len(min(ncol(x), n)), drop = FALSE]

labels_once <- function(task, embedding, smoothed, seed) {
  x <- domain_columns(task$options, embedding, smoothed)
  domains <- FindDomains.default(
    scale_columns(x, domain_moments(task$options, x)), task$n_domains,
    method = task$options$cluster, starts = task$options$starts, seed = seed, threads = task$threads
  )
  as.integer(domains)
}

# What domains are found from, before scaling.
domain_columns <- function(options, embedding, smoothed) {
  switch(options$domains_from,
    embedding = embedding,
    smoothed = smoothed,
    both = cbind(embedding, smoothed)
  )
}

# Columns from two sources are made comparable, others stay as they are.
domain_moments <- function(options, x) {
  if (options$domains_from == "both") column_moments(x) else list(centre = rep(0, ncol(x)), spread = rep(1, ncol(x)))
}

scale_columns <- function(x, moments) scale(x, center = moments$centre, scale = moments$spread)

# What scales every column to mean 0 and standard deviation 1, and a constant column to 0.
column_moments <- function(x) {
  spread <- apply(x, 2L, stats::sd)
  spread[!is.finite(spread) | spread == 0] <- 1
  list(centre = unname(colMeans(x)), spread = unname(spread))
}

finish_domains <- function(labels, task) {
  k <- task$options$refine_k
  if (k > 0L) labels <- refine_within(labels, task$coords, task$slices$of, k, task$threads)
  domain_factor(labels, task$n_domains, task$cells, task$coords, task$slices)
}
