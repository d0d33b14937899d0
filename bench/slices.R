# Two slices in one run beside each slice in a run of its own: adjusted Rand index of each slice, how well the slices
# mix (iLISI, of 2) and how well labels stay apart (cLISI), over seeds. The slices of starmap are of two mice, and not
# stacked.
# Run: SPAX_DATA_DIR=... Rscript bench/slices.R [seeds] [options of the joint runs ...], each as in
# "top_k_inter=60,slice_center='none'"; "" for the defaults
library(spaxR)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "data.R"))
arguments <- commandArgs(trailingOnly = TRUE)
seeds <- seq_len(if (length(arguments) > 0) as.integer(arguments[1]) else 5)
variants <- if (length(arguments) > 1) arguments[-1] else ""
options_of <- function(text) eval(parse(text = sprintf("spacross_options(%s)", text)))

pairs <- list(
  list(names = c("dlpfc_151673", "dlpfc_151674"), stack = TRUE),
  list(names = c("starmap_mpfc_BZ5", "starmap_mpfc_BZ9"), stack = FALSE)
)

scores <- function(fits, data, how, seed) {
  do.call(rbind, Map(function(fit, slice, name) {
    cells <- colnames(slice$counts)
    data.frame(slice = name, how, seed, ARI = ari(fit$domain[cells], slice$spots$label))
  }, fits, data, names(data)))
}

joint <- function(pair, data, variant, seed) {
  fit <- suppressMessages(RunSpaCross(
    lapply(data, `[[`, "counts"), slices[[pair$names[1]]]$domains, lapply(data, `[[`, "spots"),
    stack = pair$stack, seed = seed, verbose = FALSE, options = options_of(variant)
  ))
  truth <- unlist(lapply(data, function(slice) as.character(slice$spots$label)))
  mixed <- IntegrationMetrics(fit$embedding, fit$slice, domain = fit$domain, truth = truth)
  mixed <- mixed[match(pair$names, mixed$slice), c("iLISI", "cLISI")]
  cbind(scores(list(fit, fit), data, paste("joint", variant), seed), mixed)
}

alone <- function(pair, data, seed) {
  fits <- lapply(data, function(slice) {
    RunSpaCross(slice$counts, slices[[pair$names[1]]]$domains, slice$spots, seed = seed, verbose = FALSE)
  })
  clisi <- mapply(
    function(fit, slice) {
      IntegrationMetrics(fit$embedding, rep_len(c("a", "b"), nrow(fit$embedding)), truth = slice$spots$label)$cLISI[3]
    },
    fits,
    data
  )
  cbind(scores(fits, data, "alone", seed), iLISI = NA, cLISI = unname(clisi))
}

runs <- do.call(rbind, lapply(pairs, function(pair) {
  data <- lapply(setNames(nm = pair$names), read_renamed)
  do.call(rbind, lapply(seeds, function(seed) {
    rbind(alone(pair, data, seed), do.call(rbind, lapply(variants, function(variant) joint(pair, data, variant, seed))))
  }))
}))
shown <- function(x) if (all(is.na(x))) "" else sprintf("%.3f +- %.3f", mean(x), sd(x))
print(aggregate(cbind(ARI, iLISI, cLISI) ~ slice + how, runs, shown, na.action = na.pass), row.names = FALSE)
pair <- sub("_[^_]*$", "", runs$slice)
print(aggregate(cbind(ARI, iLISI, cLISI) ~ pair + how, runs, mean, na.action = na.pass), row.names = FALSE)
