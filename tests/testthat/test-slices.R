test_that("two slices come back with shared domains, one embedding and their alignment", {
  fit <- quick_pair()
  n <- ncol(small()$counts)
  expect_identical(names(fit$domain), colnames(pair_counts()))
  expect_identical(dim(fit$embedding), c(2L * n, 15L))
  expect_identical(unname(fit$slice), pair_slice())
  expect_equal(fit$alignment$transforms$b$angle, -25, tolerance = 1e-4)
  expect_equal(unique(fit$alignment$coords$z)[[1L]], 0)
  # Every cell of b lies over the cell that it copies, and looks like it.
  expect_equal(
    fit$alignment$coords[n + seq_len(n), 1:2], fit$alignment$coords[seq_len(n), 1:2], tolerance = 1e-4,
    ignore_attr = TRUE
  )
  expect_gt(mean(fit$domain[seq_len(n)] == fit$domain[n + seq_len(n)]), 0.9)
  expect_identical(quick_pair()$embedding, fit$embedding)
  expect_identical(quick_pair(threads = 1)$embedding, fit$embedding)
})

test_that("a list of matrices, one matrix with slices, and an object give the same", {
  fit <- quick_pair()
  listed <- quick(pair_list(), coords = pair_tables(), gaps = 10, spot.distance = 100)
  expect_identical(listed$embedding, fit$embedding)
  expect_identical(listed$domain, fit$domain)
  object <- quick_seurat(pair_seurat(), split.by = "slice", gaps = 10, spot.distance = 100)
  expect_identical(unname(SeuratObject::Embeddings(object, "spacross")), unname(fit$embedding))
  expect_identical(unname(object$spacross_domain), unname(fit$domain))
})

test_that("a list of objects comes back as that list, each with its cells' results", {
  object <- pair_seurat()
  slices <- lapply(c(first = "a", second = "b"), function(s) object[, object$slice == s])
  found <- quick_seurat(slices, gaps = 10, spot.distance = 100)
  expect_named(found, c("first", "second"))
  whole <- quick_seurat(object, split.by = "slice", gaps = 10, spot.distance = 100)
  for (name in names(found)) {
    expect_identical(colnames(found[[name]]), colnames(slices[[name]]))
    expect_identical(found[[name]]$spacross_domain, whole$spacross_domain[colnames(slices[[name]])])
    expect_identical(
      SeuratObject::Tool(found[[name]], "RunSpaCross")$history,
      SeuratObject::Tool(whole, "RunSpaCross")$history
    )
  }
})

test_that("slices that are not stacked keep their places and share the domains", {
  fit <- quick_pair(stack = FALSE, gaps = NULL, spot.distance = NULL)
  expect_false(fit$alignment$stacked)
  expect_null(fit$alignment$coords)
  shared <- table(fit$domain, fit$slice) > 0
  expect_true(any(shared[, "a"] & shared[, "b"]))
})

test_that("cells of other slices that are alike take part in the hybrid graph", {
  run <- function(...) {
    options <- spacross_options(update_every = 4, ...)
    quick_pair(stack = FALSE, gaps = NULL, spot.distance = NULL, options = options)$embedding
  }
  expect_false(identical(run(), run(top_k_inter = 0)))
})

test_that("a slice that was turned over on its slide comes back as it was cut", {
  flipped <- pair_tables()
  flipped$b$y <- -flipped$b$y
  fit <- quick_pair(coords = do.call(rbind, unname(flipped)))
  n <- nrow(flipped$a)
  expect_equal(fit$alignment$coords[n + seq_len(n), 1:2], fit$alignment$coords[seq_len(n), 1:2], tolerance = 1e-4, ignore_attr = TRUE)
  expect_true(fit$alignment$residuals$mirrored[[2L]])
  left <- suppressWarnings(quick_pair(coords = do.call(rbind, unname(flipped)), mirror = FALSE))
  expect_false(left$alignment$residuals$mirrored[[2L]])
  expect_spax_error(quick(mirror = TRUE), "argument", "mirror")
  expect_spax_error(quick_pair(mirror = "maybe"), "argument", "mirror")
})

test_that("order, names and size of the slices are checked before any work", {
  n <- ncol(small()$counts)
  three <- rep_len(c("a", "b", "c"), 2L * n)
  expect_spax_error(quick_pair(slice = three), "argument", "slice")
  expect_spax_error(quick_pair(slice = rep(c("a", "b"), c(2L * n - 19L, 19L))), "argument", "slice")
  expect_spax_error(quick_pair(slice = c(NA, as.character(pair_slice())[-1])), "argument", "slice")
  expect_spax_error(quick_pair(gaps = c(1, 2)), "argument", "gaps")
  expect_spax_error(quick_pair(stack = FALSE), "argument", "gaps")
  expect_spax_error(quick(gaps = 10), "argument", "gaps")
  expect_spax_error(quick_pair(align = "best"), "argument", "align")
  expect_spax_error(quick_pair(stack = NA), "argument", "stack")
  expect_spax_error(quick_seurat(pair_seurat(), split.by = "slcie"), "argument", "split.by")
})

test_that("lists of slices with a fault are refused by name", {
  counts <- pair_list()
  tables <- pair_tables()
  expect_spax_error(quick(counts["a"], coords = tables["a"]), "argument", "object")
  expect_spax_error(quick(counts, coords = tables["a"]), "coords", "coords")
  apart <- counts
  rownames(apart$b) <- paste0("other_", rownames(apart$b))
  expect_spax_error(quick(apart, coords = tables), "counts")
  tables$b$x[[1L]] <- NA
  expect_match(conditionMessage(expect_spax_error(quick(counts, coords = tables), "coords")), "b")
})

test_that("domains are drawn slice by slice in the same colours, and their shares as bars", {
  fit <- quick_pair()
  plot <- DomainPlot(fit)
  expect_silent(ggplot2::ggplot_build(plot))
  bars <- ggplot2::layer_data(CompositionPlot(fit))
  expect_equal(as.vector(tapply(bars$xmax - bars$xmin, bars$y, sum)), c(1, 1))
  object <- quick_seurat(pair_seurat(), split.by = "slice", gaps = 10, spot.distance = 100)
  expect_silent(ggplot2::ggplot_build(DomainPlot(object, split.by = "slice", coords = c("x", "y"))))
  expect_equal(ggplot2::layer_data(CompositionPlot(object, split.by = "slice"))$fill, bars$fill)
  expect_spax_error(CompositionPlot(object), "argument", "split.by")
  expect_spax_error(CompositionPlot(object, split.by = "sample"), "argument", "split.by")
  expect_spax_error(CompositionPlot(fit$domain), "argument", "slice")
  scores <- IntegrationMetrics(object, split.by = "slice", domain = "spacross_domain")
  expect_identical(as.character(scores$slice), c("a", "b", "overall"))
  expect_gt(scores$iLISI[[3L]], 1.5)
})

test_that("slices that share the names of their cells go by the names of the slices", {
  counts <- pair_list()
  colnames(counts$b) <- colnames(counts$a)
  tables <- pair_tables()
  rownames(tables$b) <- rownames(tables$a)
  expect_message(
    fit <- quick(counts, coords = tables, gaps = 10, spot.distance = 100), "a_AAAC", class = "spaxR_message_cells"
  )
  expect_identical(unname(fit$embedding), unname(quick_pair()$embedding))
  expect_identical(names(fit$domain)[c(1, 274)], paste0(c("a_", "b_"), colnames(counts$a)[[1L]]))
})

test_that("objects that share barcodes come back with their own names", {
  skip_if_not_installed("Seurat")
  object <- pair_seurat()
  slices <- lapply(c(a = "a", b = "b"), function(s) object[, object$slice == s])
  twins <- slices
  twins$b <- SeuratObject::RenameCells(twins$b, new.names = colnames(twins$a))
  found <- suppressMessages(quick_seurat(twins, gaps = 10, spot.distance = 100), "spaxR_message_cells")
  whole <- quick_seurat(slices, gaps = 10, spot.distance = 100)
  for (name in c("a", "b")) {
    expect_identical(colnames(found[[name]]), colnames(slices$a))
    expect_identical(unname(found[[name]]$spacross_domain), unname(whole[[name]]$spacross_domain))
    expect_identical(
      unname(SeuratObject::Embeddings(found[[name]], "spacross")),
      unname(SeuratObject::Embeddings(whole[[name]], "spacross"))
    )
  }
  aligned <- suppressMessages(
    AlignSlices(twins, coords = c("x", "y"), gaps = 10, spot.distance = 100, verbose = FALSE),
    "spaxR_message_cells"
  )
  apart <- AlignSlices(slices, coords = c("x", "y"), gaps = 10, spot.distance = 100, verbose = FALSE)
  expect_identical(unname(aligned$b$spax_x), unname(apart$b$spax_x))
  expect_silent(ggplot2::ggplot_build(DomainPlot(found, coords = c("x", "y"))))
})

test_that("small slices are left out by option, with a warning that names them", {
  cores <- rep(c("a", "b"), each = ncol(small()$counts))
  cores[c(1:5, 300:306)] <- rep(c("tiny", "small"), c(5, 7))
  spread <- function(...) quick_pair(slice = cores, stack = FALSE, gaps = NULL, spot.distance = NULL, ...)
  expect_spax_error(spread(), "argument", "slice")
  withr::local_options(spaxR.leave_out_small_slices = TRUE)
  told <- expect_warning(fit <- spread(), class = "spaxR_warning_slices")
  expect_match(conditionMessage(told), "small.*tiny.*12 cells")
  kept <- !cores %in% c("tiny", "small")
  expect_identical(names(fit$domain), colnames(pair_counts())[kept])
  withr::with_options(list(spaxR.leave_out_small_slices = NULL), {
    without <- quick_pair(
      pair_counts()[, kept], do.call(rbind, unname(pair_tables()))[kept, ], slice = cores[kept], stack = FALSE,
      gaps = NULL, spot.distance = NULL
    )
  })
  expect_identical(fit$embedding, without$embedding)
  # Of two slices one is left, and that is a run of one slice.
  two <- rep(c("a", "tiny"), c(ncol(pair_counts()) - 5L, 5L))
  expect_warning(
    one <- quick_pair(slice = two, stack = FALSE, gaps = NULL, spot.distance = NULL),
    class = "spaxR_warning_slices"
  )
  expect_null(one$slice)
})

test_that("an object's cells of small slices get no domain", {
  withr::local_options(spaxR.leave_out_small_slices = TRUE)
  object <- pair_seurat()
  object$core <- replace(as.character(object$slice), 1:5, "tiny")
  expect_warning(found <- quick_seurat(object, split.by = "core", stack = FALSE), class = "spaxR_warning_slices")
  expect_identical(which(is.na(unname(found$spacross_domain))), 1:5)
  expect_identical(which(is.na(unname(SeuratObject::Embeddings(found, "spacross")[, 1]))), 1:5)
  expect_warning(
    found <- RunPredictivePCA(object, 3, coords = c("x", "y"), split.by = "core", verbose = FALSE),
    class = "spaxR_warning_slices"
  )
  expect_identical(which(is.na(unname(found$ppca_domain))), 1:5)
  sce <- pair_sce()
  sce$core <- object$core
  expect_warning(found <- quick_sce(sce, split.by = "core", stack = FALSE), class = "spaxR_warning_slices")
  expect_identical(which(is.na(found$spacross_domain)), 1:5)
  expect_spax_error(
    BuildSpatialGraph(object, coords = c("x", "y"), split.by = "core", stack = FALSE), "argument", "slice"
  )
})
