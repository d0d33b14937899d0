# One run as a row of the table.

# Below and up to each of these, confidence is counted together.
confidence_bins <- c(0.5, 0.7, 0.95, 1)

# Over the cells that both name.
partitions_agree <- function(a, b) {
  cells <- intersect(names(a)[!is.na(a)], names(b)[!is.na(b)])
  mclust::adjustedRandIndex(as.character(a[cells]), as.character(b[cells]))
}

# Cells whose own label is the commonest of their domain, by how sure the domain is; NA without a confidence.
sure_and_right <- function(domain, confidence, label) {
  counts <- rep(NA_integer_, 2 * length(confidence_bins))
  if (!is.null(confidence)) {
    known <- !is.na(label)
    commonest <- tapply(label[known], as.character(domain[known]), function(x) names(which.max(table(x))))
    right <- label[known] == commonest[as.character(domain[known])]
    bin <- cut(confidence[known], c(-1, confidence_bins))
    counts <- c(table(bin), table(bin[right]))
  }
  setNames(
    as.list(as.integer(counts)),
    paste0(rep(c("cells_", "right_"), each = length(confidence_bins)), 100 * confidence_bins)
  )
}

# `others`: the partitions of the seeds before; `unperturbed`: that of the same seed, or NULL. Pairs of seeds add up
# over the rows.
measure <- function(found, set, others, unperturbed, cpu) {
  agreement <- vapply(others, partitions_agree, 0, b = found$domain)
  data.frame(
    ari = partitions_agree(found$domain, set$label),
    r2 = if (is.null(found$r2)) NA_real_ else found$r2,
    cpu = cpu,
    pairs = length(agreement),
    agreement = if (length(agreement) > 0) mean(agreement) else NA_real_,
    agreement_worst = if (length(agreement) > 0) min(agreement) else NA_real_,
    as_unperturbed = if (is.null(unperturbed)) NA_real_ else partitions_agree(found$domain, unperturbed),
    sure_and_right(found$domain, found$confidence, set$label)
  )
}
