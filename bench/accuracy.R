# Mean and spread of the adjusted Rand index over seeds, on every labelled slice:
#   published   RunSpaCross(published = TRUE) with the published settings of the platform, mclust EEE
#   default     RunSpaCross() as it is
#   baseline    20 principal components of log-normalised genes, averaged over the 18 nearest spots twice, mclust EEE
#               (no seed)
# Run: SPAX_DATA_DIR=... Rscript bench/accuracy.R [seeds] [output.csv] [methods, comma-separated]
library(spaxR)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "data.R"))
source(file.path(here, "baseline.R"))

arguments <- commandArgs(trailingOnly = TRUE)
seeds <- seq_len(if (length(arguments) > 0) as.integer(arguments[1]) else 5)
methods <- if (length(arguments) > 2) strsplit(arguments[3], ",")[[1]] else c("published", "default", "baseline")
output <- if (length(arguments) > 1) arguments[2] else file.path(here, "accuracy.csv")

baseline <- function(slice, k) {
  scores <- mean_components(slice$counts, as.matrix(slice$spots[c("x", "y")]))
  mclust::Mclust(scores, G = k, modelNames = "EEE", verbose = FALSE)$classification
}

one_run <- function(name, method, seed) {
  slice <- read_slice(name)
  k <- slices[[name]]$domains
  cpu <- sum(proc.time()[1:2])
  labels <- switch(method,
    baseline = baseline(slice, k),
    published = RunSpaCross(slice$counts, k, slice$spots, published = TRUE, seed = seed, verbose = FALSE,
      options = spacross_options(preset = slices[[name]]$preset))$domain,
    default = RunSpaCross(slice$counts, k, slice$spots, seed = seed, verbose = FALSE)$domain
  )
  data.frame(slice = name, method, seed, ari = ari(labels, slice$spots$label), cpu = sum(proc.time()[1:2]) - cpu)
}

library(mclust)
jobs <- rbind(
  expand.grid(name = names(slices), method = c("published", "default"), seed = seeds, stringsAsFactors = FALSE),
  data.frame(name = names(slices), method = "baseline", seed = NA)
)
jobs <- jobs[jobs$method %in% methods, ]
runs <- do.call(rbind, lapply(seq_len(nrow(jobs)), function(job) {
  run <- do.call(one_run, jobs[job, ])
  cat(sprintf("%s %s seed %s: ARI %.3f, %.1f s CPU\n", run$slice, run$method, run$seed, run$ari, run$cpu))
  run
}))
write.csv(runs, output, row.names = FALSE)
table <- aggregate(ari ~ slice + method, runs, function(x) {
  sprintf("%.3f +- %.3f", mean(x), if (length(x) > 1) sd(x) else 0)
})
print(reshape(table, idvar = "slice", timevar = "method", direction = "wide"), row.names = FALSE)
means <- aggregate(ari ~ method + slice, runs, mean)
print(aggregate(ari ~ method, means, mean), row.names = FALSE)
