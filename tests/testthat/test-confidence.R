test_that("a consensus groups an embedding, or several, and says how sure it is", {
  x <- clouds()
  expect_null(attr(FindDomains(x, 3), "confidence"))
  domains <- FindDomains(x, 3, confidence = TRUE)
  expect_identical(nlevels(domains), 3L)
  expect_true(all(attr(domains, "confidence") == 1))
  expect_identical(as.integer(table(domains)), c(40L, 40L, 40L))
  both <- FindDomains(list(x, x[, 1:2]), 3, method = "consensus")
  expect_identical(partition_ari(both, domains), 1)
  expect_spax_error(FindDomains(list(x, x), 3, method = "gmm"), "argument", "object")
  expect_spax_error(FindDomains(list(x, x[-1, ]), 3, method = "consensus"), "argument", "object")
})

test_that("an object keeps the confidence beside the domains", {
  object <- RunPredictivePCA(small_seurat(), coords = c("x", "y"), verbose = FALSE)
  object <- FindDomains(object, 3, method = "consensus", coords = c("x", "y"))
  expect_true(all(c("ppca_domain", "ppca_confidence") %in% names(object[[]])))
  expect_null(attr(object$ppca_domain, "confidence"))
  table <- DomainMetrics(object, coords = c("x", "y"), by = "domain")
  expect_named(table, c("slice", "domain", "n", "confidence", "sure"))
  expect_equal(sum(table$n), ncol(object))
  expect_equal(sum(table$n * table$confidence) / ncol(object), mean(object$ppca_confidence))
})

test_that("confidence goes by the domains that it is of, and none stays beside others", {
  object <- RunPredictivePCA(small_seurat(), 4, coords = c("x", "y"), verbose = FALSE)
  first <- object$ppca_confidence
  object <- FindDomains(object, 3, coords = c("x", "y"), domain.name = "three")
  expect_identical(object$ppca_confidence, first)
  expect_true("three_confidence" %in% names(object[[]]))
  sums <- function(name) sum(DomainMetrics(object, coords = c("x", "y"), domain.name = name, by = "domain")$n)
  expect_equal(c(sums("three"), sums("ppca_domain")), rep(ncol(object), 2))
  expect_spax_error(
    DomainPlot(object, group.by = "label", coords = c("x", "y"), confidence = TRUE), "argument", "confidence"
  )
  again <- FindDomains(object, 3, coords = c("x", "y"), method = "kmeans")
  expect_false("ppca_confidence" %in% names(again[[]]))
  expect_spax_error(
    DomainMetrics(again, coords = c("x", "y"), domain.name = "ppca_domain", by = "domain"), "argument", "confidence"
  )
  plain <- RunPredictivePCA(object, 3, coords = c("x", "y"), options = ppca_options(cluster = "gmm"), verbose = FALSE)
  expect_false("ppca_confidence" %in% names(plain[[]]))
  refined <- RefineDomains(
    object, coords = c("x", "y"), k = 10, domain.name = "ppca_domain", refined.name = "ppca_domain"
  )
  expect_false("ppca_confidence" %in% names(refined[[]]))
  model <- SeuratObject::Tool(object, "RunPredictivePCA")$model
  expect_false("ppca_confidence" %in% names(predict(model, object, coords = c("x", "y"))[[]]))
  named <- RunPredictivePCA(small_seurat(), 4, coords = c("x", "y"), domain.name = "mine", verbose = FALSE)
  expect_equal(unname(named$mine_confidence), unname(first))
})

test_that("unsure cells are paler", {
  fit <- RunPredictivePCA(small()$counts, 4, small_xy(), verbose = FALSE)
  plot <- DomainPlot(fit, coords = small_xy(), confidence = TRUE)
  drawn <- ggplot2::ggplot_build(plot)$data[[1]]
  expect_gt(length(unique(drawn$alpha)), 1)
  expect_equal(max(drawn$alpha), 1)
  expect_spax_error(DomainPlot(fit$domain, coords = small_xy(), confidence = 1:3), "argument", "confidence")
  plain <- RunPredictivePCA(
    small()$counts, coords = small_xy(), n.domains = 3, options = ppca_options(cluster = "gmm"), verbose = FALSE
  )
  expect_null(plain$confidence)
  expect_spax_error(DomainPlot(plain, coords = small_xy(), confidence = TRUE), "argument", "confidence")
  expect_spax_error(DomainMetrics(plain, coords = small_xy(), by = "domain"), "argument", "confidence")
})
