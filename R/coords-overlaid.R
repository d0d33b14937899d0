# Samples that lie over each other, as pixels of two images do: one graph of all would join cells of different tissues.

# Of the pairs of neighbours that chance would join across samples, this share is.
overlaid_share <- 0.3

# The first column that tells samples apart which do; NULL for none.
overlaid_by <- function(coords, samples, threads) {
  Find(function(name) mixed_share(coords, samples[[name]], threads) > overlaid_share, names(samples))
}

# What stands beside the barcode in the names of cells, as merging puts it there for each sample: "_1", "-2", "s1_".
# Names without barcodes are marked where the same stand behind several marks. NULL where that tells nothing apart.
barcode_samples <- function(cells) {
  barcode <- "[ACGT]{10,}|[a-p]{8}(?=-[0-9])"
  if (all(grepl(barcode, cells, perl = TRUE))) {
    tag <- sub(barcode, "", cells, perl = TRUE)
    return(if (length(unique(tag)) > 1L) list("cell names" = tag))
  }
  marks <- list(
    list(tag = sub("[_.:|-].*$", "", cells), rest = sub("^.*?[_.:|-]", "", cells, perl = TRUE)),
    list(tag = sub("^.*[_.:|-]", "", cells), rest = sub("[_.:|-][^_.:|-]*$", "", cells))
  )
  several <- Find(function(mark) tells_samples(mark$tag, mark$rest), marks)
  if (!is.null(several)) list("cell names" = several$tag)
}

# Names that merging made unique: most occur in several samples.
tells_samples <- function(tag, rest) {
  n <- length(unique(tag))
  n > 1L && n < length(tag) / fewest_cells && mean(duplicated(rest) | duplicated(rest, fromLast = TRUE)) > 0.5
}

warn_overlaid <- function(coords, samples, threads) {
  samples <- c(samples, barcode_samples(rownames(coords)))
  name <- overlaid_by(coords, samples, threads)
  if (identical(name, "cell names")) {
    warn_spax("coords", c(
      paste(
        "Cells whose names are marked as of different samples ({.val {utils::head(unique(samples[[name]]), 5L)}})",
        "lie over each other, and are taken for one slice."
      ),
      "i" = paste(
        "If they are slices of their own, say which cell lies in which:",
        "{.arg split.by} for an object, {.arg slice} for matrices."
      )
    ), "split.by")
    return(invisible())
  }
  if (!is.null(name)) {
    warn_spax("coords", c(
      paste(
        "The samples {.val {utils::head(unique(as.character(samples[[name]])), 5L)}} ({.field {name}})",
        "lie over each other, and are taken for one slice: neighbours are cells of different samples."
      ),
      "i" = paste(
        "If they are slices of their own, say so: {.code split.by = \"{name}\"} for an object,",
        "{.arg slice} for matrices; in a run with {.code stack = FALSE} if they are no neighbours."
      )
    ), "split.by")
    return(invisible())
  }
  warn_shared_places(coords)
}

warn_shared_places <- function(coords) {
  shared <- mean(shares_place(only_axes(coords), NULL))
  if (shared > overlaid_share) {
    warn_spax("coords", c(
      "{round(100 * shared)} % of the cells lie exactly where another one lies, as in samples laid over each other.",
      "i" = paste(
        "If they are several slices, say which cell lies in which:",
        "{.arg split.by} for an object, {.arg slice} for matrices."
      )
    ), "split.by")
  }
}

# For verbs that look at neighbours in an object, where nobody said which slice a cell lies in.
warn_overlaid_object <- function(object, place, split.by, threads) {
  if (is.null(split.by) && nlevels(place$image) < 2L) {
    warn_overlaid(place, object_samples(object), check_threads(threads))
  }
}

# How many neighbours are of other samples, as a share of those that would be if samples were drawn at random. A part of
# the cells is enough.
mixed_share <- function(coords, sample, threads, most = 4000L, k = 6L) {
  sample <- as.factor(sample)
  sizes <- table(sample)
  rows <- which(sample %in% names(sizes)[sizes >= fewest_cells])
  if (length(unique(sample[rows])) < 2L || length(unique(sample[rows])) > 100L) {
    return(0)
  }
  rows <- rows[unique(round(seq(1, length(rows), length.out = min(most, length(rows)))))]
  code <- as.integer(sample)[rows]
  # Rows and columns of an array lie beside each other, however near.
  if (lie_apart(field_extents(as.data.frame(coords[rows, ]), droplevels(sample[rows])))) {
    return(0)
  }
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
