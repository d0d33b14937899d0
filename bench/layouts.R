# Do the borders between domains gain from a second look at the cells themselves (`boundaries` of spalora_options())?
# Simulated tissues in three layouts, with RNA, protein and peaks that each tell only some of the domains apart.
# Run: Rscript bench/layouts.R [seeds] [output.csv]
library(spaxR)
arguments <- commandArgs(trailingOnly = TRUE)
seeds <- seq_len(if (length(arguments) > 0) as.integer(arguments[1]) else 5)
output <- if (length(arguments) > 1) arguments[2] else "layouts.csv"

grid <- function(side) expand.grid(x = seq_len(side), y = seq_len(side))

layouts <- list(
  # A follicle: five rings about one centre, off the middle.
  rings = function(xy) {
    distance <- sqrt((xy$x - 22)^2 + (xy$y - 18)^2)
    as.integer(cut(distance, c(-1, 6, 11, 16, 22, Inf)))
  },
  # Patches of any form and size: a place has the domain of the nearest of 25 points.
  patches = function(xy) {
    points <- data.frame(x = runif(25, 0, 41), y = runif(25, 0, 41), domain = rep(1:5, 5))
    apart <- outer(xy$x, points$x, "-")^2 + outer(xy$y, points$y, "-")^2
    points$domain[max.col(-apart, ties.method = "first")]
  },
  # Wavy layers with small islands of a fifth domain in them.
  islands = function(xy) {
    layer <- as.integer(cut(xy$y + 3 * sin(xy$x / 6), c(-Inf, 10, 20, 30, Inf)))
    centres <- data.frame(x = runif(12, 2, 39), y = runif(12, 2, 39))
    inside <- outer(xy$x, centres$x, "-")^2 + outer(xy$y, centres$y, "-")^2 < 2.5^2
    ifelse(rowSums(inside) > 0, 5L, layer)
  }
)

# Counts whose mean is moved by a factor in a share of the features of each group of domains that the modality tells
# apart.
simulate_counts <- function(domain, groups, features, depth, change, shape) {
  group <- groups[domain]
  mean <- matrix(rgamma(features, 0.7), features, max(groups)) * depth
  marked <- matrix(runif(features * max(groups)) < 0.1, features)
  mean <- mean * ifelse(marked, change, 1)
  cell <- rgamma(length(domain), 4, 4)
  counts <- rnbinom(features * length(domain), mu = mean[, group] %*% diag(cell), size = shape)
  matrix(counts, features)
}

simulate_tissue <- function(layout) {
  xy <- grid(40)
  domain <- layouts[[layout]](xy)
  counts <- list(
    RNA = simulate_counts(domain, c(1, 2, 3, 4, 4), 800, 0.4, 2, 2),
    ADT = simulate_counts(domain, c(1, 1, 2, 2, 3), 40, 8, 1.7, 3),
    ATAC = simulate_counts(domain, c(1, 2, 2, 1, 3), 600, 0.2, 2, 2)
  )
  cells <- paste0("cell", seq_along(domain))
  counts <- Map(function(x, name) {
    dimnames(x) <- list(paste0(name, "-", seq_len(nrow(x))), cells)
    x
  }, counts, names(counts))
  list(counts = counts, xy = data.frame(xy, row.names = cells), truth = domain)
}

one_run <- function(tissue, modalities, boundaries, seed) {
  options <- spalora_options(boundaries = boundaries, epochs = 1)
  type <- c(RNA = "rna", ADT = "protein", ATAC = "atac")[modalities]
  RunSpaLORA(
    tissue$counts[modalities], n.domains = 5, coords = tissue$xy, modality = type, seed = seed, options = options,
    verbose = FALSE
  )$domain
}

runs <- expand.grid(
  seed = seeds, boundaries = c(TRUE, FALSE), modalities = c("RNA+ADT", "RNA+ATAC", "RNA+ADT+ATAC"),
  layout = names(layouts), stringsAsFactors = FALSE
)
# The seed makes the tissue and the run.
runs$ari <- vapply(seq_len(nrow(runs)), function(i) {
  run <- runs[i, ]
  tissue <- withr::with_seed(run$seed, simulate_tissue(run$layout))
  found <- one_run(tissue, strsplit(run$modalities, "+", fixed = TRUE)[[1]], run$boundaries, run$seed)
  mclust::adjustedRandIndex(found, tissue$truth)
}, 0)
write.csv(runs, output, row.names = FALSE)
print(aggregate(ari ~ boundaries + modalities + layout, runs, function(x) round(c(mean = mean(x), sd = sd(x)), 3)))
