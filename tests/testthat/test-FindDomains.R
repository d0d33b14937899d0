truth <- rep(1:3, each = 40)

test_that("every method finds clouds that lie far apart", {
  for (method in c("gmm", "kmeans", "mclust", "leiden", "louvain")) {
    if (method == "mclust") skip_if_not_installed("mclust")
    if (method %in% c("leiden", "louvain")) skip_if_not_installed("igraph")
    domains <- FindDomains(clouds(), n.domains = 3, method = method)
    expect_true(same_partition(domains, truth), info = method)
    expect_identical(names(domains), rownames(clouds()))
    expect_identical(levels(domains), c("1", "2", "3"))
  }
})

test_that("the same seed gives the same domains, for any number of threads, and R's generator stays", {
  noise <- clouds() / 8
  set.seed(2)
  before <- .Random.seed
  for (method in c("gmm", "kmeans", "mclust", "leiden", "louvain")) {
    a <- suppressWarnings(FindDomains(noise, 4, method = method, threads = 1))
    b <- suppressWarnings(FindDomains(noise, 4, method = method, threads = 4))
    expect_identical(a, b, info = method)
  }
  expect_identical(.Random.seed, before)
})

test_that("consensus over runs gives the wanted number", {
  domains <- FindDomains(clouds() / 4, 3, runs = 5)
  expect_identical(nlevels(droplevels(domains)), 3L)
})

test_that("domains are numbered by size, or along the tissue", {
  x <- clouds()[c(1:40, 41:60, 81:110), ]
  sizes <- tabulate(FindDomains(x, 3))
  expect_identical(sizes, sort(sizes, decreasing = TRUE))
  place <- data.frame(x = x[, 1], y = rep(0:1, length.out = nrow(x)), row.names = rownames(x))
  means <- tapply(place$x, FindDomains(x, 3, coords = place), mean)
  expect_false(is.unsorted(means) && is.unsorted(rev(means)))
})

test_that("fewer domains than asked for come with a classed warning", {
  expect_warning(domain_factor(rep(1:2, 5), 3, NULL, NULL), class = "spaxR_warning_clustering")
})

test_that("a resolution that cannot be hit warns and gives the nearest", {
  jumps <- function(resolution) if (resolution > 1) rep(1:5, 4) else rep(1, 20)
  expect_warning(found <- search_resolution(jumps, 4), class = "spaxR_warning_clustering")
  expect_identical(max(found), 5L)
  steps <- function(resolution) rep_len(seq_len(ceiling(resolution)), 100)
  expect_identical(max(search_resolution(steps, 7)), 7L)
})

test_that("bad input is refused", {
  x <- clouds()
  for (bad in list(0, 1, NA, 121, "3")) expect_spax_error(FindDomains(x, bad), "argument", "n.domains")
  expect_spax_error(FindDomains(x), "argument", "n.domains")
  expect_spax_error(FindDomains(x, 3, method = "hclust"), "argument", "method")
  expect_spax_error(FindDomains(x, 3, metod = "gmm"), "argument", "metod")
  expect_spax_error(FindDomains(replace(x, 5, NA), 3), "argument", "object")
  expect_spax_error(FindDomains(x, 3, seed = 1.5), "argument", "seed")
  expect_spax_error(FindDomains(x, 3, runs = 0), "argument", "runs")
  expect_spax_error(FindDomains(x, 3, method = "leiden", prune = 2), "argument", "prune")
})

test_that("a Seurat object gets a factor column", {
  object <- small_seurat()
  embedding <- quick_fit()$embedding
  object[["spacross"]] <- SeuratObject::CreateDimReducObject(embedding, key = "spacross_", assay = "RNA")
  object <- FindDomains(object, 3, method = "kmeans", dims = 1:5, domain.name = "zone")
  expect_identical(nlevels(object[[]]$zone), 3L)
  expect_spax_error(FindDomains(object, 3, reduction = "pca"), "argument", "reduction")
})

test_that("an image that lacks cells is no error, but gives no order", {
  object <- quick_seurat()
  methods::slot(object, "tools")$SpatialCoords <- NULL
  cells <- colnames(object)
  in_part <- FindDomains(with_image(object, visium_v1(cells[1:100])), n.domains = 3)
  expect_identical(in_part$spacross_domain, FindDomains(object, n.domains = 3)$spacross_domain)
  in_full <- FindDomains(with_image(object, visium_v1()), n.domains = 3)
  expect_identical(in_full$spacross_domain, FindDomains(object, n.domains = 3, coords = c("x", "y"))$spacross_domain)
})

test_that("the result of a run, and a sparse embedding, are embeddings", {
  fit <- quick_fit()
  found <- FindDomains(fit, 4, method = "kmeans")
  expect_identical(found, FindDomains(fit$embedding, 4, method = "kmeans", coords = fit$coords))
  sparse <- methods::as(fit$embedding, "CsparseMatrix")
  expect_identical(FindDomains(sparse, 4, method = "kmeans", coords = fit$coords), found)
  expect_spax_error(FindDomains(quick_seurat(), 4, reduction = c("spacross", "pca")), "argument", "reduction")
})
