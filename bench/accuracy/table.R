# The tables of a study: by set, over the sets, under perturbations, and how right cells are by how sure their domain
# is.
# Run: Rscript bench/accuracy/table.R FILE.csv
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "summary.R"))

# Rows: methods. Columns: sets, then the means of their means.
by_set <- function(cells) {
  shown <- tapply(
    paste0(brief(cells$mean), ifelse(is.na(cells$sd), "", paste(" +-", brief(cells$sd)))), cells[c("method", "set")],
    identity
  )
  shown[is.na(shown)] <- ""
  all <- over_sets(cells)
  cbind(shown, all[match(rownames(shown), all$method), -1])
}

# A set's mean under each perturbation, the agreement between seeds (each of which draws its own noise), and with the
# partition of the same seed without it.
by_perturbation <- function(cells) {
  parts <- split(cells, cells[c("method", "perturb")], drop = TRUE)
  do.call(
    rbind,
    lapply(unname(parts), function(part) {
      data.frame(
        row.names = paste(part$method[[1]], part$perturb[[1]], sep = ", "), sets = nrow(part),
        ARI = brief(mean(part$mean)), sd = brief(mean(part$sd, na.rm = TRUE)), worst = brief(min(part$worst)),
        agreement = brief(mean(part$agreement)), agreement_worst = brief(least(part$agreement_worst)),
        as_unperturbed = brief(mean(part$as_unperturbed)), worst_set = brief(min(part$as_unperturbed))
      )
    })
  )
}

# The perturbed methods only, with what they are without, over the same seeds.
perturbed <- function(runs) {
  tried <- runs[runs$perturb != "none", ]
  summarised(runs[runs$method %in% tried$method & runs$seed %in% tried$seed & runs$set %in% tried$set, ])
}

calibration <- function(runs) {
  runs <- runs[!is.na(runs$cells_100) & runs$perturb == "none", ]
  bins <- grep("^cells_", names(runs), value = TRUE)
  share <- function(part) vapply(bins, function(bin) sum(part[[sub("cells", "right", bin)]]) / sum(part[[bin]]), 0)
  among <- function(part) vapply(bins, function(bin) sum(part[[bin]]) / sum(part[bins]), 0)
  groups <- split(runs, runs[c("method", "set")], drop = TRUE)
  rows <- lapply(groups, function(part) data.frame(t(brief(c(rbind(among(part), share(part)))))))
  table <- do.call(rbind, rows)
  names(table) <- paste(c("cells", "right"), rep(c("to .5", "to .7", "to .95", "above"), each = 2))
  table
}

runs <- read.csv(commandArgs(trailingOnly = TRUE)[[1]])
cat(
  paste(
    "Mean ARI +- sd over seeds; over the sets: the mean, the mean sd, the worst",
    "run, agreement of two seeds (mean, worst), R2, CPU s (mean over sets)\n\n"
  )
)
markdown(by_set(summarised(runs[runs$perturb == "none", ])))
cat(
  paste(
    "\nPerturbed: ARI, and agreement with the same seed unperturbed",
    "(mean over sets, and of the set where it is least)\n\n"
  )
)
if (any(runs$perturb != "none")) {
  markdown(by_perturbation(perturbed(runs)))
}
cat("\nBy confidence: share of the cells, and share of those whose label is the commonest of their domain\n\n")
markdown(calibration(runs))
