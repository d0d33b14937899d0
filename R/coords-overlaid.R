# Samples that lie over each other, as pixels of two images do: one graph of all would join cells of different tissues.

# Of the pairs of neighbours that chance would join across samples, this share is.
overlaid_share <- 0.3

# The first column that tells samples apart which do; NULL for none.
overlaid_by <- function(coords, samples, threads) {
  Find(function(name) mixed_share(coords, samples[[name]], threads) > overlaid_share, names(samples))
}

warn_overlaid <- function(coords, samples, threads) {
  name <- overlaid_by(coords, samples, threads)
  if (!is.null(name)) {
    warn_spax("coords", c(
      "The samples {.val {utils::head(unique(as.character(samples[[name]])), 5L)}} ({.field {name}}) lie over each other, and are taken for one slice: neighbours are cells of different samples.",
      "i" = "If they are slices of their own, say so: {.code split.by = \"{name}\"} for an object, {.arg slice} for matrices; with {.code stack = FALSE} if they are no neighbours."
    ), "split.by")
    return(invisible())
  }
  shared <- mean(shares_place(coords[c("x", "y")], NULL))
  if (shared > overlaid_share) {
    warn_spax("coords", c(
      "{round(100 * shared)} % of the cells lie exactly where another one lies, as in samples laid over each other.",
      "i" = "If they are several slices, say which cell lies in which: {.arg split.by} for an object, {.arg slice} for matrices."
    ), "split.by")
  }
}

# How many neighbours are of other samples, as a share of those that would be if samples were drawn at random. A part of the cells is enough.
mixed_share <- function(coords, sample, threads, most = 4000L, k = 6L) {
  sample <- as.factor(sample)
  sizes <- table(sample)
  rows <- which(sample %in% names(sizes)[sizes >= fewest_cells])
  if (length(unique(sample[rows])) < 2L || length(unique(sample[rows])) > 100L) {
    return(0)
  }
  rows <- rows[unique(round(seq(1, length(rows), length.out = min(most, length(rows)))))]
  code <- as.integer(sample)[rows]
  graph <- graph_matrix(core_graph(coords[rows, ], k, NULL, threads), NULL, length(rows))
  across <- mean(code[graph@i + 1L] != rep(code, diff(graph@p)))
  chance <- 1 - sum((tabulate(code) / length(code))^2)
  if (chance > 0) across / chance else 0
}

# Cells that lie where another one of their slice lies.
shares_place <- function(xy, slices) {
  places <- if (is.null(slices)) xy else data.frame(xy, slice = slices$of)
  duplicated(places) | duplicated(places, fromLast = TRUE)
}
