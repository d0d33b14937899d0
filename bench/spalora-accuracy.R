# Mean and spread of the adjusted Rand index of SpaLORA over seeds, on tissues with two or three modalities:
#   sim_*     sim_triple_omics (simulated): RNA + protein, RNA + ATAC, all three
#   dlpfc_*   dlpfc_151673 with its genes dealt at random into two panels, each a modality: as it is, with half of the
#             counts lost, with Poisson noise
#   the names of other slices, as in data.R: their genes dealt into two panels likewise (only when named)
# Methods:
#   default, published (published = TRUE), unweighted (weights = "none")
#   latent=32 the default with options, written as in spalora_options(); of several, the commas are semicolons
#   single    the best modality alone: the baseline on one modality, the modality with the highest mean
#   baseline  20 components of each modality side by side, averaged over the 18 nearest spots twice, mclust EEE (no
#             seed)
# Run: SPAX_DATA_DIR=... Rscript bench/spalora-accuracy.R [seeds] [output.csv] [methods, comma-separated] [sets,
# comma-separated]
library(spaxR)
library(mclust)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "data.R"))
source(file.path(here, "panels.R"))

arguments <- commandArgs(trailingOnly = TRUE)
seeds <- seq_len(if (length(arguments) > 0) as.integer(arguments[1]) else 5)
output <- if (length(arguments) > 1) arguments[2] else file.path(here, "spalora-accuracy.csv")
methods <- if (length(arguments) > 2) {
  strsplit(arguments[3], ",")[[1]]
} else {
  c("default", "published", "unweighted", "single", "baseline")
}

lose_half <- function(counts) {
  counts@x <- as.double(stats::rbinom(length(counts@x), counts@x, 0.5))
  Matrix::drop0(counts)
}

# Each count is drawn anew with the one it had, and a background of 0.05 everywhere, as its mean.
add_noise <- function(counts) {
  counts@x <- as.double(stats::rpois(length(counts@x), counts@x))
  background <- stats::rpois(1, 0.05 * prod(dim(counts)))
  cell <- sample(ncol(counts), background, replace = TRUE)
  gene <- sample(nrow(counts), background, replace = TRUE)
  Matrix::drop0(counts + Matrix::sparseMatrix(gene, cell, x = 1, dims = dim(counts)))
}

sets <- list(
  sim_rna_adt = function() read_triple(c("RNA", "ADT")), sim_rna_atac = function() read_triple(c("RNA", "ATAC")),
  sim_all = function() read_triple(c("RNA", "ADT", "ATAC")), dlpfc_panels = function() read_panels(identity),
  dlpfc_dropout = function() read_panels(lose_half), dlpfc_noise = function() read_panels(add_noise)
)
if (length(arguments) > 3) {
  wanted <- strsplit(arguments[4], ",")[[1]]
  others <- setdiff(wanted, names(sets))
  sets <- c(sets, lapply(rlang::set_names(others), function(name) function() read_panels(identity, name)))[wanted]
}

plain_components <- function(counts) {
  logged <- log1p(Matrix::t(Matrix::t(counts) / pmax(Matrix::colSums(counts), 1)) * 1e4)
  x <- as.matrix(Matrix::t(logged[Matrix::rowSums(counts) > 0, ]))
  x <- x[, apply(x, 2, sd) > 0]
  if (ncol(x) > 2000) x <- x[, order(apply(x, 2, var), decreasing = TRUE)[1:2000]]
  prcomp(x, scale. = TRUE, rank. = 20)$x
}

plain_domains <- function(scores, set) {
  near <- RANN::nn2(as.matrix(set$xy), k = 18)$nn.idx
  for (pass in 1:2) scores <- apply(scores, 2, function(column) rowMeans(matrix(column[near], nrow(near))))
  fit <- mclust::Mclust(scores, G = set$domains, modelNames = "EEE", verbose = FALSE)
  if (is.null(fit)) rep(1, nrow(scores)) else fit$classification
}

trained <- function(set, seed, ...) {
  RunSpaLORA(set$counts, set$domains, set$xy, modality = set$modality, seed = seed, verbose = FALSE, ...)
}

# Of the embedding by itself, as FindDomains() on the reduction has it.
embedding_ari <- function(fit, set, seed) {
  components <- stats::prcomp(fit$embedding, rank. = 20)$x
  ari(FindDomains(components, n.domains = set$domains, seed = seed), set$truth)
}

one_row <- function(name, method, seed, labels, set, cpu, embedding = NA) {
  row <- data.frame(set = name, method, seed, ari = ari(labels, set$truth), embedding, cpu)
  cat(sprintf(
    "%s %s seed %s: ARI %.3f, of the embedding alone %.3f, %.1f s CPU\n", name, method, seed, row$ari, row$embedding,
    row$cpu
  ))
  row
}

cpu_of <- function(code) {
  before <- sum(proc.time()[1:2])
  force(code)
  list(value = code, cpu = sum(proc.time()[1:2]) - before)
}

plain_rows <- function(name, set) {
  scores <- lapply(set$counts, plain_components)
  both <- cpu_of(plain_domains(do.call(cbind, scores), set))
  alone <- lapply(scores, function(x) cpu_of(plain_domains(x, set)))
  best <- alone[[which.max(vapply(alone, function(found) ari(found$value, set$truth), 0))]]
  rbind(
    if ("baseline" %in% methods) one_row(name, "baseline", NA, both$value, set, both$cpu),
    if ("single" %in% methods) one_row(name, "single", NA, best$value, set, best$cpu)
  )
}

trained_rows <- function(name, set) {
  run <- list(
    default = function(seed) trained(set, seed), published = function(seed) trained(set, seed, published = TRUE),
    unweighted = function(seed) trained(set, seed, options = spalora_options(weights = "none"))
  )
  others <- setdiff(methods, c(names(run), "single", "baseline"))
  run <- c(run, lapply(rlang::set_names(others), function(text) {
    options <- eval(parse(text = paste0("spalora_options(", gsub(";", ",", text), ")")))
    function(seed) trained(set, seed, options = options)
  }))
  jobs <- expand.grid(method = intersect(methods, names(run)), seed = seeds, stringsAsFactors = FALSE)
  do.call(rbind, Map(function(method, seed) {
    found <- cpu_of(run[[method]](seed))
    one_row(name, method, seed, found$value$domain, set, found$cpu, embedding_ari(found$value, set, seed))
  }, jobs$method, jobs$seed))
}

rows <- do.call(rbind, lapply(names(sets), function(name) {
  set <- sets[[name]]()
  rbind(if (any(c("single", "baseline") %in% methods)) plain_rows(name, set), trained_rows(name, set))
}))
write.csv(rows, output, row.names = FALSE)
table <- aggregate(ari ~ set + method, rows, function(x) {
  sprintf("%.3f +- %.3f", mean(x), if (length(x) > 1) sd(x) else 0)
})
print(reshape(table, idvar = "set", timevar = "method", direction = "wide"), row.names = FALSE)
means <- aggregate(cbind(ari, embedding) ~ method + set, rows, mean, na.action = na.pass)
print(aggregate(cbind(ari, embedding) ~ method, means, mean, na.action = na.pass), row.names = FALSE)
