# Choose the best method on some sets and look at it on the others; then the other way about. Unperturbed runs; methods
# that ran on all of the sets.
# Run: Rscript bench/accuracy/choose.R FILE.csv a,b [c,d]: the sets of the first half, and of the second (else all
# others)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "summary.R"))

chosen_and_checked <- function(cells, choose, check) {
  on <- function(sets) tapply(cells$mean[cells$set %in% sets], cells$method[cells$set %in% sets], mean)
  table <- data.frame(chosen_on = on(choose), checked_on = on(check))
  table <- table[order(-table$chosen_on), ]
  data.frame(
    lapply(table, brief), rank_when_checked = rank(-table$checked_on, ties.method = "min"),
    row.names = rownames(table)
  )
}

arguments <- commandArgs(trailingOnly = TRUE)
runs <- read.csv(arguments[[1]])
cells <- summarised(runs[runs$perturb == "none", ])
first <- strsplit(arguments[[2]], ",")[[1]]
second <- if (length(arguments) > 2) strsplit(arguments[[3]], ",")[[1]] else setdiff(cells$set, first)
cells <- cells[cells$set %in% c(first, second), ]
everywhere <- names(which(table(cells$method) == length(c(first, second))))
cells <- cells[cells$method %in% everywhere, ]
for (halves in list(list(first, second), list(second, first))) {
  cat("\nChosen on", toString(halves[[1]]), "; checked on", toString(halves[[2]]), "\n\n")
  markdown(chosen_and_checked(cells, halves[[1]], halves[[2]]))
}
