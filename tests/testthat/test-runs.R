# What an object keeps of runs for the verbs that come after them.

both_runs <- function(object = small_seurat()) {
  object <- RunPredictivePCA(object, n.domains = 4, coords = c("x", "y"), verbose = FALSE)
  RunSpaCross(object, n.domains = 3, epochs = 3, verbose = FALSE)
}

test_that("of several runs the last one is meant, and said", {
  object <- both_runs()
  expect_message(found <- DomainMetrics(object), "spacross_domain", class = "spaxR_message_run")
  expect_identical(found$n_domains, 3L)
  object <- RunPredictivePCA(object, n.domains = 4, verbose = FALSE)
  expect_message(found <- DomainMetrics(object), "ppca_domain", class = "spaxR_message_run")
  expect_identical(found$n_domains, 4L)
  expect_no_message(DomainMetrics(object, domain.name = "spacross_domain"), class = "spaxR_message_run")
  expect_message(RefineDomains(object, k = 6), class = "spaxR_message_run")
  expect_message(FindDomains(object, 2, method = "kmeans", domain.name = "two"), "ppca", class = "spaxR_message_run")
  expect_message(new <- predict(object, small()$counts, small_xy()), "RunSpaCross", class = "spaxR_message_run")
  expect_identical(nlevels(new$domain), 4L)
  expect_silent(ggplot2::ggplot_build(TrainingPlot(object)))
  # Columns of which no run is kept are not taken for the user's.
  methods::slot(object, "tools") <- list()
  expect_spax_error(DomainMetrics(object, coords = c("x", "y")), "argument", "domain.name")
})

test_that("a run without a number of domains is told from none, and from one that named its own", {
  object <- RunPredictivePCA(small_seurat(), n.domains = 3, coords = c("x", "y"), domain.name = "mine", verbose = FALSE)
  expect_s3_class(DomainPlot(object), "ggplot")
  expect_identical(DomainMetrics(object)$n_domains, 3L)
  expect_identical(nlevels(FindDomains(object, 2, method = "kmeans")$ppca_domain), 2L)
  object <- RunPredictivePCA(small_seurat(), coords = c("x", "y"), verbose = FALSE)
  for (verb in list(DomainPlot, DomainMetrics, RefineDomains)) {
    expect_match(conditionMessage(expect_error(verb(object), class = "spaxR_error_argument")), "FindDomains")
  }
  expect_message(RunPredictivePCA(small()$counts, coords = small_xy()), "n.domains", class = "spaxR_message_run")
})

test_that("coordinates that a verb was told are those of the verbs after it", {
  table <- small_xy() + 1
  for (object in list(small_seurat(), small_sce())) {
    expect_spax_error(SpatialCoords(object), "coords", "coords")
    named <- RunPredictivePCA(object, n.domains = 4, coords = c("x", "y"), verbose = FALSE)
    expect_equal(SpatialCoords(named)[c("x", "y")], SpatialCoords(object, c("x", "y"))[c("x", "y")], ignore_attr = TRUE)
    expect_s3_class(DomainPlot(named), "ggplot")
    expect_identical(ChooseDomains(named, 2:3, thin = NULL, verbose = FALSE)$table$n.domains, 2:3)
    given <- RunPredictivePCA(object, n.domains = 4, coords = table[rev(seq_len(nrow(table))), ], verbose = FALSE)
    expect_equal(SpatialCoords(given)$x, table$x)
    expect_equal(SpatialCoords(given[, 11:40])$x, table$x[11:40])
    # What is told anew counts, for this call and for those after it.
    expect_equal(SpatialCoords(given, c("x", "y"))$x, small_xy()$x)
    again <- RefineDomains(given, coords = c("x", "y"), k = 6)
    expect_equal(SpatialCoords(again)$x, small_xy()$x)
  }
  object <- RunPredictivePCA(small_seurat(), coords = table, verbose = FALSE)
  renamed <- SeuratObject::RenameCells(object, add.cell.id = "a")
  expect_match(conditionMessage(expect_spax_error(SpatialCoords(renamed), "coords", "coords")), "renamed")
})

test_that("what was told comes before images, and predictions and lists keep it", {
  imaged <- with_image(small_seurat(), visium_v1())
  expect_true("image" %in% names(SpatialCoords(imaged)))
  table <- 3 * small_xy()
  object <- RunPredictivePCA(imaged, n.domains = 3, coords = table, verbose = FALSE)
  expect_identical(names(SpatialCoords(object)), c("x", "y"))
  expect_identical(RefineDomains(object, k = 6)$ppca_refined, RefineDomains(object, coords = table, k = 6)$ppca_refined)
  expect_identical(slice_column(object, "image"), slice_column(imaged, "image"))
  new <- predict(quick_fit(), small_seurat(), coords = c("x", "y"))
  expect_equal(SpatialCoords(new)$x, small_xy()$x)
  pair <- list(small_seurat(), small_seurat())
  apart <- RunPredictivePCA(pair, 3, coords = list(small_xy(), small_xy() * 2), verbose = FALSE)
  expect_equal(SpatialCoords(apart[[2]])$x, 2 * SpatialCoords(apart[[1]])$x)
})

test_that("domains that mixtures disagree on are named while a run speaks", {
  domain <- factor(rep(1:3, each = 20))
  said <- function(shares) {
    expect_message(say_unsure(domain, rep(shares, each = 20)), class = "spaxR_message_unsure")
  }
  expect_match(conditionMessage(said(c(1, 0.6, 0.9))), "85 % .* domain 2")
  expect_match(conditionMessage(said(c(1, 0.6, 0.8))), "domains 2 and 3")
  expect_no_message(say_unsure(domain, rep(0.86, 60)))
  expect_message(RunPredictivePCA(small()$counts, 4, small_xy()), "%", class = "spaxR_message_quality")
})

test_that("a run that wrote under a name of its own is not mistaken for an earlier one", {
  object <- RunPredictivePCA(small_seurat(), n.domains = 4, coords = c("x", "y"), verbose = FALSE)
  object <- RunPredictivePCA(
    object, 3, domain.name = "mine", reduction.name = "own", reduction.key = "own_", verbose = FALSE
  )
  # The first is of no run that is kept: the second took its place.
  expect_spax_error(DomainMetrics(object), "argument", "domain.name")
  expect_spax_error(FindDomains(object, 3), "argument", "reduction")
  expect_length(DomainPlot(object)$patches$plots, 1L)
})

test_that("domains do not stay beside a reduction that they are not of", {
  object <- RunPredictivePCA(small_seurat(), n.domains = 4, coords = c("x", "y"), verbose = FALSE)
  expect_message(object <- RunPredictivePCA(object, verbose = FALSE), "ppca_domain", class = "spaxR_message_run")
  expect_false(any(c("ppca_domain", "ppca_confidence") %in% names(object[[]])))
})

test_that("objects that were bound together have no run of a part", {
  told <- function(coords) RunPredictivePCA(small_sce(), n.domains = 3, coords = coords, verbose = FALSE)
  one <- told(c("x", "y"))
  both <- SingleCellExperiment::cbind(one, told(small_xy() + 5))
  colnames(both) <- paste0("cell", seq_len(ncol(both)))
  expect_length(stored_runs(both), 0L)
  expect_spax_error(SpatialCoords(both), "coords", "coords")
  again <- suppressWarnings(RunPredictivePCA(both, 3, coords = c("x", "y"), verbose = FALSE), "spaxR_warning_coords")
  expect_identical(stored_runs(again), "RunPredictivePCA")
})

test_that("a table of the cells that a verb looked at is kept, and no more is asked of it", {
  half <- colnames(small_seurat())[1:100]
  kept <- keep_coords(small_seurat(), small_xy()[half, ], half)
  expect_identical(rownames(run_parts(kept, "SpatialCoords")$coords), half)
  expect_equal(SpatialCoords(kept[, half])$x, small_xy()[half, "x"])
  expect_spax_error(SpatialCoords(kept), "coords", "coords")
  expect_s3_class(DomainPlot(kept[, half], group.by = "label"), "ggplot")
})
