# The matrices of a run on their way to the core.

# One matrix of a run: raw counts, genes x cells, or columns, cells x columns.
counts_part <- function(name, kind, counts) c(list(name = name, kind = kind), counts_slots(counts))

counts_slots <- function(counts) list(p = counts@p, i = counts@i, x = counts@x, n = nrow(counts))

columns_part <- function(name, x) list(name = name, kind = "features", columns = unname(x))

# A modality whose counts may have been matched to those of a model.
modality_input <- function(m, x) if (m$kind == "features") columns_part(m$name, x) else counts_part(m$name, m$kind, as_counts(x))

# Indices as the core counts them, from 0, as R does.
from_zero <- function(x) as.integer(unlist(x)) + 1L
