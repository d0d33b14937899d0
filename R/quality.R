# What a run says of how far its cells' neighbours predict them.

# With the modalities' names where there are several, and without what is only said.
named_quality <- function(quality, modalities) {
  unheard <- modalities[from_zero(unlist(quality$unheard))]
  quality$unheard <- quality$nothing <- NULL
  if (is.null(quality) || is.null(modalities)) {
    return(quality)
  }
  names(quality$r2) <- names(quality$lambda) <- modalities
  c(quality, list(unheard = unheard))
}

# `quality` as the core gives it, of cells with `modalities` (NULL: one).
say_quality <- function(quality, modalities, verbose) {
  if (verbose) say_twins(quality$twins)
  if (verbose) say_predicted(quality$r2, modalities)
  unheard <- modalities[from_zero(unlist(quality$unheard))]
  if (length(unheard) > 0L) say_unheard(unheard)
  if (isTRUE(quality$nothing)) say_nothing()
}

# The guard of a run, where a user sees it.
say_predicted <- function(r2, modalities) {
  if (length(r2) == 0L) {
    return(invisible())
  }
  shares <- paste0(percent(r2), " %", if (length(modalities) > 0L) paste0(" (", modalities, ")"), collapse = ", ")
  cli::cli_inform(
    c("i" = "Neighbours predict {shares} of what differs between cells (R2; about 0 would be no structure in space)."),
    class = "spaxR_message_quality"
  )
}

percent <- function(share) format(round(100 * share))

# Members agree on domains of a few hundred shuffled cells too: confidence does not show it.
say_nothing <- function() {
  warn_spax("structure", c(
    "A cell's neighbours say nothing about it: its place and its values have nothing to do with each other.",
    "i" = "Look whether {.arg coords} stand in the order of the cells: rows without the cells' names are taken in
           theirs.",
    "i" = "If they do, the data show no structure in space, and domains mean nothing, however confident."
  ), "coords")
}

# Twins of osmFISH and the like: duplicated rows of a table, more often than not.
say_twins <- function(n) {
  if (isTRUE(n > 0L)) {
    cli::cli_inform(c(
      "i" = "{n} cells stand in the data twice, in one place and with the same values: a twin does not count as a
             neighbour."
    ), class = "spaxR_message_twins")
  }
}

# Most often its cells are matched to the wrong places.
say_unheard <- function(unheard) {
  warn_spax("modality", c(
    "A cell's neighbours say nothing about its modalit{?y/ies} {.val {unheard}}: {?it does/they do} not count in the
     domains.",
    "i" = "Look whether its cells stand in the order of the others', and whether the assay worked."
  ), "object")
}

# The line of a printed result.
describe_quality <- function(result) {
  quality <- result$quality
  if (is.null(quality)) {
    return(NULL)
  }
  network <- quality$r2_network
  c(
    paste0("  neighbours predict ", percent(quality$r2), " % of the variance of the components in regions left out"),
    if (!is.null(network)) {
      paste0(
        "  the network, where it does not see the cell, ", percent(network), " %",
        if (network <= quality$r2) ": it has learned nothing of the tissue that means over neighbours do not say"
      )
    }
  )
}
