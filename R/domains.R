# Labels on their way to domains.

# The labels that several runs agree on.
agree <- function(found, n) {
  if (length(found) == 1L) {
    return(found[[1L]])
  }
  labels <- do.call(cbind, lapply(found, as.integer))
  core(core_consensus(labels, n))$labels
}

# Levels 1..n, along the tissue or by size; says when there are fewer than n.
domain_factor <- function(labels, n, cells, coords, slices = NULL) {
  order <- order(tabulate(labels), decreasing = TRUE)
  labels <- match(labels, order)
  if (!is.null(coords)) labels <- core(core_order_domains(labels, coords_matrix(coords), slice_codes(slices)))
  numbered_domains(labels, n, cells)
}

# Codes from 1 as a factor of at least n levels; says when fewer occur.
numbered_domains <- function(codes, n, cells) {
  n_found <- length(unique(codes))
  if (n_found < n) {
    warn_spax("clustering", c(
      "{n_found} domain{?s} found where {n} were asked for.",
      "i" = "Ask for fewer, or choose another {.arg method}."
    ), "n.domains")
  }
  rlang::set_names(factor(codes, levels = seq_len(max(n, codes))), cells)
}

# Each slice by itself.
refine_within <- function(codes, coords, slice, k, threads) {
  parts <- split(seq_along(codes), slice %||% rep(1L, length(codes)), drop = TRUE)
  for (name in names(parts)) {
    cells <- parts[[name]]
    check_k(k, length(cells), where = if (length(parts) > 1L) paste0(" of slice \"", name, "\"") else "")
    codes[cells] <- core(core_refine(codes[cells], coords_matrix(coords[cells, ]), k, threads))
  }
  codes
}
