# Runs of a study put together: a row for each set, method and perturbation, then for each method.

brief <- function(x) ifelse(is.na(x), "", sub("^0[.]", ".", sprintf("%.3f", x)))

# To be put into a README as it is. Row names are the first column.
markdown <- function(table, rows = rownames(table)) {
  line <- function(x) cat("|", paste(x, collapse = " | "), "|\n")
  line(c("", colnames(table)))
  line(rep("---", ncol(table) + 1))
  for (number in seq_len(nrow(table))) line(c(rows[number], vapply(table[number, ], as.character, "")))
}

least <- function(x) if (all(is.na(x))) NA_real_ else min(x, na.rm = TRUE)

# Each row's agreement is a mean over its pairs with the seeds before it.
summarised <- function(runs) {
  parts <- split(runs, runs[c("set", "method", "perturb")], drop = TRUE)
  do.call(
    rbind,
    lapply(unname(parts), function(part) {
      pairs <- part$pairs > 0
      data.frame(
        part[1, c("set", "method", "perturb")], seeds = nrow(part), mean = mean(part$ari), sd = sd(part$ari),
        worst = min(part$ari),
        agreement = if (any(pairs)) weighted.mean(part$agreement[pairs], part$pairs[pairs]) else NA_real_,
        agreement_worst = least(part$agreement_worst), as_unperturbed = mean(part$as_unperturbed), r2 = mean(part$r2),
        cpu = mean(part$cpu)
      )
    })
  )
}

over_sets <- function(cells) {
  do.call(
    rbind,
    lapply(unname(split(cells, cells$method)), function(part) {
      data.frame(
        method = part$method[[1]], sets = nrow(part), seeds = paste(unique(range(part$seeds)), collapse = " to "),
        mean = brief(mean(part$mean)), sd = brief(mean(part$sd, na.rm = TRUE)), worst = brief(min(part$worst)),
        agreement = brief(mean(part$agreement)), agreement_worst = brief(least(part$agreement_worst)),
        r2 = brief(mean(part$r2)), cpu = sprintf("%.1f", mean(part$cpu))
      )
    })
  )
}
