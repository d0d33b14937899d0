# Slices that hold other mixtures of tissue.

# One tissue in two pieces, of which the first has nothing of the largest domain, and the second half of it.
halves <- function() {
  tissue <- simulate_tissue(n.cells = 2000, modalities = "RNA", seed = 1)
  first <- tissue$spots$x <= stats::quantile(tissue$spots$x, 0.4)
  list(counts = tissue$counts[[1L]], spots = tissue$spots, first = first)
}

test_that("domains of slices of other composition are those of the whole", {
  tissue <- halves()
  present <- table(tissue$first, tissue$spots$label)
  expect_identical(sum(present["TRUE", ] == 0), 1L)
  run <- function(...) RunPredictivePCA(tissue$counts, n.domains = 5, coords = tissue$spots, verbose = FALSE, ...)
  agreement <- function(fit) adjusted_rand(fit$domain, factor(tissue$spots$label))
  # Scaled within the pieces alone, they have .64.
  expect_gt(agreement(run(slice = ifelse(tissue$first, "a", "b"))), agreement(run()) - 0.05)
})

test_that("a new slice of another composition finds its place", {
  tissue <- halves()
  part <- function(cells) list(counts = tissue$counts[, cells], coords = tissue$spots[cells, ])
  other <- part(!tissue$first)
  fit <- RunPredictivePCA(other$counts, n.domains = 5, coords = other$coords, verbose = FALSE)
  new <- part(tissue$first)
  found <- predict(fit, new$counts, new$coords)
  # Scaled by itself alone, it has .43.
  expect_gt(adjusted_rand(found$domain, factor(new$coords$label)), 0.55)
})
