# A model trained on one slice labels another: adjusted Rand index of predict() on the second, beside that of a run of
# its own, over seeds.
# Run: SPAX_DATA_DIR=... Rscript bench/transfer.R [seeds]
library(spaxR)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "data.R"))
arguments <- commandArgs(trailingOnly = TRUE)
seeds <- seq_len(if (length(arguments) > 0) as.integer(arguments[1]) else 5)

pairs <- list(c("dlpfc_151673", "dlpfc_151674"), c("starmap_mpfc_BZ5", "starmap_mpfc_BZ9"))
one_pair <- function(names, seed) {
  data <- lapply(names, read_slice)
  fits <- lapply(seq_along(names), function(i) {
    RunSpaCross(data[[i]]$counts, slices[[names[i]]]$domains, data[[i]]$spots, seed = seed, verbose = FALSE)
  })
  do.call(rbind, lapply(1:2, function(from) {
    new <- data[[3 - from]]
    score <- function(centre) {
      ari(suppressWarnings(predict(fits[[from]], new$counts, new$spots, centre = centre))$domain, new$spots$label)
    }
    data.frame(
      trained_on = names[from], labels = names[3 - from], seed, own_run = ari(fits[[3 - from]]$domain, new$spots$label),
      slice = score("slice"), model = score("model")
    )
  }))
}

runs <- do.call(
  rbind,
  lapply(pairs, function(names) do.call(rbind, lapply(seeds, function(seed) one_pair(names, seed))))
)
table <- aggregate(cbind(own_run, slice, model) ~ trained_on + labels, runs, function(x) {
  sprintf("%.3f +- %.3f", mean(x), sd(x))
})
print(table, row.names = FALSE)
print(colMeans(runs[c("own_run", "slice", "model")]))
