# Two slices of three domains; `gap` moves the second slice away, `apart` the domains.
two_slices <- function(gap, apart = 40, n = 200) {
  withr::with_seed(4, {
    slice <- rep(c("a", "b"), each = n)
    domain <- rep_len(1:3, 2 * n)
    x <- matrix(stats::rnorm(8 * n), 2 * n) + cbind(gap * (slice == "b"), apart * domain, 0, 0)
  })
  rownames(x) <- paste0("c", seq_len(2 * n))
  list(x = x, slice = rlang::set_names(slice, rownames(x)), domain = rlang::set_names(factor(domain), rownames(x)))
}

metrics_of <- function(data, ..., perplexity = 15) {
  IntegrationMetrics(data$x, data$slice, domain = data$domain, ..., perplexity = perplexity)
}

test_that("mixed slices have an iLISI near 2, separate ones 1, separate domains a cLISI of 1", {
  mixed <- metrics_of(two_slices(0), perplexity = 30)
  expect_identical(mixed$slice, c("a", "b", "overall"))
  expect_identical(mixed$n, c(200L, 200L, 400L))
  expect_gt(mixed$iLISI[3], 1.85)
  expect_equal(mixed$cLISI, rep(1, 3))
  expect_true(all(is.nan(mixed$ARI)))
  apart <- metrics_of(two_slices(100))
  expect_equal(apart$iLISI, rep(1, 3))
  expect_gt(metrics_of(two_slices(0, apart = 0), perplexity = 30)$cLISI[3], 2.5)
})

test_that("overall is the mean over cells, and ARI is each slice's own", {
  data <- two_slices(1)
  truth <- data$domain
  truth[data$slice == "b"] <- rev(truth[data$slice == "b"])
  got <- metrics_of(data, truth = truth)
  expect_equal(got$iLISI[3], mean(got$iLISI[1:2]))
  expect_equal(got$ARI[1], 1)
  place <- expand.grid(x = 1:20, y = 1:10)
  b <- data$slice == "b"
  expect_equal(got$ARI[2], DomainMetrics(unname(data$domain[b]), coords = place, truth = unname(truth[b]))$ARI)
})

test_that("LISI is that of harmony", {
  # Directly: sort all distances, solve for the rate of the kernel.
  data <- two_slices(1, apart = 1, n = 60)
  by_hand <- vapply(seq_len(nrow(data$x)), function(i) {
    distance <- sqrt(colSums((t(data$x) - data$x[i, ])^2))
    near <- setdiff(order(distance), i)[1:44]
    weights <- function(rate) exp(-rate * distance[near]) / sum(exp(-rate * distance[near]))
    excess <- function(rate) -sum(weights(rate) * log(weights(rate))) - log(15)
    p <- weights(stats::uniroot(excess, c(0.01, 50), tol = 1e-12)$root)
    1 / sum(tapply(p, data$slice[near], sum)^2)
  }, 0)
  expect_equal(metrics_of(data)$iLISI[3], mean(by_hand), tolerance = 1e-6)
})

test_that("cells without a label are left out of cLISI and ARI, and counted", {
  data <- two_slices(0)
  data$domain[1:10] <- NA
  got <- metrics_of(data)
  expect_identical(got$n_left_out, c(10L, 0L, 10L))
  expect_true(all(is.finite(got$cLISI)))
  data$domain[data$slice == "a"] <- NA
  one <- metrics_of(data)
  expect_true(is.nan(one$cLISI[1]) && is.finite(one$cLISI[2]))
})

test_that("labels are matched by name, and threads change nothing", {
  data <- two_slices(1)
  mixed <- data
  mixed$slice <- data$slice[sample(400)]
  expect_identical(metrics_of(mixed, threads = 1), metrics_of(data, threads = 3))
})

test_that("a Seurat object by column names", {
  object <- small_seurat()
  object$slice <- ifelse(object$x > stats::median(object$x), "right", "left")
  embedding <- cbind(object$x, object$y)
  dimnames(embedding) <- list(colnames(object), paste0("spacross_", 1:2))
  object[["spacross"]] <- SeuratObject::CreateDimReducObject(embedding, key = "spacross_", assay = "RNA")
  got <- IntegrationMetrics(object, split.by = "slice", truth = "label", perplexity = 10)
  plain <- IntegrationMetrics(embedding, object$slice, truth = object$label, perplexity = 10)
  expect_equal(got, plain)
  expect_spax_error(IntegrationMetrics(object), "argument", "split.by")
  expect_spax_error(IntegrationMetrics(object, split.by = "nowhere"), "argument", "split.by")
  expect_spax_error(IntegrationMetrics(object, split.by = "slice", reduction = "pca"), "argument", "reduction")
})

test_that("bad input is refused", {
  data <- two_slices(0)
  expect_spax_error(IntegrationMetrics(data$x), "argument", "slice")
  expect_spax_error(IntegrationMetrics(data$x, rep("a", 400)), "argument", "slice")
  expect_spax_error(IntegrationMetrics(data$x, data$slice[-1]), "argument", "slice")
  expect_spax_error(IntegrationMetrics(data$x, replace(data$slice, 3, NA)), "argument", "slice")
  expect_spax_error(metrics_of(data, truth = 1:3), "argument", "truth")
  expect_spax_error(metrics_of(data, perplexity = 200), "argument", "perplexity")
  expect_spax_error(metrics_of(data, perplexity = 0.5), "argument", "perplexity")
  expect_spax_error(metrics_of(data, trut = 1), "argument", "trut")
  expect_spax_error(IntegrationMetrics(replace(data$x, 1, NA), data$slice), "argument", "object")
})
