#' Simulate a tissue measured for RNA, protein and chromatin
#'
#' SIMULATED counts on a round piece of tissue with five known domains, for examples, tests and teaching: `rim`,
#' `cortex`, `medulla`, and follicles with a `mantle` around a `centre`. No modality tells all of them apart: RNA sees
#' rim, cortex, medulla and follicles, but not centre from mantle; proteins see only centre and mantle; chromatin sees
#' follicles and medulla. Nothing here was measured on a tissue, and a method that does well on it has shown little.
#'
#' Each count is drawn from a negative binomial distribution. Its mean is the level of the feature, times the depth of
#' the cell, times a factor of 1.5 to 4 where the feature marks a group of domains that the cell is in.
#'
#' @param n.cells About how many cells: the tissue is cut out of a hexagonal grid.
#' @param modalities Which of `"RNA"` (300 genes), `"ADT"` (20 proteins) and `"ATAC"` (400 peaks) to simulate.
#' @param dropout Share of the counts to lose, each at random, from 0 to below 1.
#' @param seed One whole number: the same seed gives the same tissue. R's generator is left as it was (needs the package
#'   withr).
#' @return A list: `counts`, a named list with a `dgCMatrix` of features x cells for each modality; `spots`, a data
#'   frame with a row a cell (row names: the cells): `x`, `y` and the factor `label`, the true domain.
#' @export
#' @examples
#' tissue <- simulate_tissue()
#' lapply(tissue$counts, dim)
#' table(tissue$spots$label)
simulate_tissue <- function(n.cells = 600, modalities = c("RNA", "ADT", "ATAC"), dropout = 0, seed = 1) {
  n <- check_whole(n.cells, "n.cells", 50)
  for (name in modalities) check_choice(name, c("RNA", "ADT", "ATAC"), "modalities")
  check_lost_share(dropout, "dropout")
  spots <- tissue_spots(n)
  counts <- lapply(rlang::set_names(unique(modalities)), function(name) {
    # Each modality has a seed of its own, so that leaving one out does not change the others.
    seed <- run_seed(check_seed(seed), match(name, c("RNA", "ADT", "ATAC")))
    with_r_seed(seed, simulate_counts(spots, name, dropout))
  })
  list(counts = counts, spots = spots)
}

check_lost_share <- function(x, argument) {
  if (!is.numeric(x) || length(x) != 1L || is.na(x) || x < 0 || x >= 1) {
    abort_spax("argument", "{.arg {argument}} must be one number from 0 to below 1, not {show_value(x)}.", argument)
  }
  x
}

# A disc of radius 1 on a hexagonal grid, with its domains.
tissue_spots <- function(n) {
  step <- sqrt(pi / n / (sqrt(3) / 2))
  rows <- seq(-1, 1, by = step * sqrt(3) / 2)
  grid <- expand.grid(column = seq(-1, 1, by = step), row = seq_along(rows))
  x <- grid$column + (grid$row %% 2) * step / 2
  y <- rows[grid$row]
  inside <- x^2 + y^2 <= 1
  spots <- data.frame(x = x[inside], y = y[inside])
  spots$label <- tissue_domain(spots$x, spots$y)
  rownames(spots) <- paste0("cell", seq_len(nrow(spots)))
  spots
}

# Like a cut lymph node: a rim, follicles in the cortex on one side, the medulla on the other.
tissue_domain <- function(x, y) {
  near <- pmin(sqrt((x + 0.43)^2 + (y - 0.38)^2), sqrt((x + 0.52)^2 + (y + 0.25)^2), sqrt((x - 0.05)^2 + (y - 0.58)^2))
  label <- ifelse(x > 0.12 + 0.15 * sin(3 * y) - 0.3 * pmin(y, 0), "medulla", "cortex")
  label[near < 0.28] <- "mantle"
  label[near < 0.17] <- "centre"
  label[x^2 + y^2 > 0.87^2] <- "rim"
  factor(label, c("rim", "cortex", "mantle", "centre", "medulla"))
}

# How many features, how deep, how dispersed, and which groups of domains they mark.
simulated_modality <- function(name) {
  switch(name,
    RNA = list(
      names = sprintf("gene%d", 1:300), level = exp(stats::rnorm(300, -1, 1)), size = 4,
      marks = list("rim", "cortex", c("mantle", "centre"), "medulla")
    ),
    ADT = list(
      names = sprintf("protein%d", 1:20), level = exp(stats::rnorm(20, 3, 0.7)), size = 4,
      marks = list("mantle", "centre")
    ),
    ATAC = list(
      names = sprintf("chr%d-%d-%d", rep(1:8, each = 50), rep(1:50, 8) * 10000L, rep(1:50, 8) * 10000L + 500L),
      level = exp(stats::rnorm(400, -1.5, 0.5)), size = 4, marks = list(c("mantle", "centre"), "medulla")
    )
  )
}

simulate_counts <- function(spots, name, dropout) {
  modality <- simulated_modality(name)
  n_features <- length(modality$names)
  n_cells <- nrow(spots)
  depth <- exp(stats::rnorm(n_cells, 0, 0.3))
  # Every other feature marks a group of domains.
  group <- ifelse(stats::runif(n_features) < 0.5, sample(length(modality$marks), n_features, replace = TRUE), NA)
  fold <- stats::runif(n_features, 1.5, 4)
  factor <- matrix(1, n_features, n_cells)
  for (mark in seq_along(modality$marks)) {
    rows <- which(group == mark)
    factor[rows, spots$label %in% modality$marks[[mark]]] <- fold[rows]
  }
  mean <- modality$level * factor * rep(depth, each = n_features)
  values <- matrix(stats::rnbinom(length(mean), size = modality$size, mu = mean), n_features)
  if (dropout > 0) values <- values * (stats::runif(length(values)) >= dropout)
  dimnames(values) <- list(modality$names, rownames(spots))
  as_counts(values)
}
