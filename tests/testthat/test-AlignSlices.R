# A slice and copies of it, turned and shifted.

aligned <- function(object = pair_tables(), ...) AlignSlices(object, ..., gaps = 10, spot.distance = 100)

test_that("a turned copy is laid on its original", {
  found <- aligned(counts = pair_counts())
  xy <- small_xy()
  n <- nrow(xy)
  expect_equal(as.matrix(found$coords[n + seq_len(n), 1:2]), as.matrix(xy), tolerance = 1e-6, ignore_attr = TRUE)
  expect_equal(found$transforms$b$angle, -25, tolerance = 1e-6)
  expect_false(found$transforms$b$mirrored)
  expect_identical(rownames(found$coords), c(rownames(xy), paste0("b_", rownames(xy))))
  expect_true(all(found$ok))
  expect_gt(found$residuals$agreement[[2L]], 0.99)
  expect_lt(found$residuals$mean_after[[2L]], 1e-6)
  expect_gt(found$residuals$mean_before[[2L]], 1)
})

test_that("the transforms give the coordinates", {
  found <- aligned(counts = pair_counts())
  move <- found$transforms$b
  given <- as.matrix(found$given[found$slice == "b", ])
  moved <- sweep(move$scale * given %*% t(move$rotation), 2L, move$shift, "+")
  expect_equal(moved, as.matrix(found$coords[found$slice == "b", 1:2]), tolerance = 1e-9, ignore_attr = TRUE)
})

test_that("cells keep their order, whatever that is", {
  tables <- pair_tables()
  all <- rbind(tables$a, tables$b)
  slice <- factor(rep(c("a", "b"), each = nrow(tables$a)))
  mixed <- withr::with_seed(1, sample(nrow(all)))
  found <- suppressWarnings(aligned(all, slice))
  again <- suppressWarnings(aligned(all[mixed, ], slice[mixed]))
  expect_equal(again$coords[rownames(all), ], found$coords, tolerance = 1e-6)
  expect_identical(rownames(again$coords), rownames(all)[mixed])
})

test_that("three slices come back to the first, each at its height", {
  xy <- small_xy()
  tables <- list(a = xy, b = turned(xy, 100), c = turned(xy, -70, c(90, 9), "c_"))
  unit <- min(stats::dist(xy)) / 100
  counts <- lapply(tables, function(t) {
    counts <- small()$counts
    colnames(counts) <- rownames(t)
    counts
  })
  found <- AlignSlices(tables, gaps = c(10, 30), spot.distance = 100, counts = do.call(cbind, unname(counts)))
  expect_equal(found$coords$z, rep(c(0, 10, 40) * unit, each = nrow(xy)))
  for (slice in c("b", "c")) {
    expect_equal(
      as.matrix(found$coords[found$slice == slice, 1:2]), as.matrix(xy), tolerance = 1e-6, ignore_attr = TRUE
    )
  }
})

test_that("grids of another scale are brought to that of the first", {
  other <- pair_tables()
  other$b[] <- other$b * 0.4
  found <- aligned(other, counts = pair_counts())
  expect_equal(found$transforms$b$scale, 2.5, tolerance = 1e-6)
  expect_lt(found$residuals$mean_after[[2L]], 1e-4)
})

test_that("a grid that is scaled is told", {
  other <- pair_tables()
  other$b[] <- other$b * 0.4
  expect_message(aligned(other, counts = pair_counts()), "scaled by 2.5")
  expect_warning(
    unscaled <- aligned(other, counts = pair_counts(), scale = FALSE),
    class = "spaxR_warning_alignment"
  )
  expect_identical(unscaled$residuals$problem[[2L]], "another unit")
})

test_that("a slice is turned over where expression or the user says so", {
  tables <- pair_tables()
  tables$b$x <- -tables$b$x
  expect_false(suppressWarnings(aligned(tables))$transforms$b$mirrored)
  expect_message(found <- aligned(tables, counts = pair_counts()), "turned over")
  expect_no_message(asked <- aligned(tables, mirror = TRUE, counts = pair_counts()), message = "turned over")
  for (one in list(found, asked)) {
    expect_true(one$transforms$b$mirrored && one$residuals$mirrored[[2L]] && one$ok[["b"]])
    expect_lt(one$residuals$mean_after[[2L]], 1e-4)
  }
  expect_gt(found$residuals$agreement[[2L]], 1.1 * found$residuals$other_side[[2L]])
})

# Two neighbouring slices of cortex, the second as it is or with y flipped, and the share of its spots that lie on one of their layer.
cortex_pair <- function(flip, ...) {
  slices <- lapply(c(a = "151673", b = "151674"), function(sample) cortex_slice(sample = sample))
  genes <- Reduce(intersect, lapply(slices, function(s) rownames(s$counts)))
  tables <- lapply(slices, function(s) s$spots[c("x", "y")])
  if (flip) tables$b$y <- -tables$b$y
  names <- Map(function(slice, table) paste0(slice, "_", rownames(table)), names(tables), tables)
  tables <- Map(`rownames<-`, tables, names)
  counts <- do.call(cbind, unname(lapply(slices, function(s) s$counts[genes, ])))
  colnames(counts) <- unlist(names)
  found <- aligned(tables, counts = counts, ..., verbose = FALSE)
  layer <- unlist(lapply(slices, function(s) as.character(s$spots$label)))
  xy <- split(found$coords[c("x", "y")], found$slice)
  near <- vapply(seq_len(nrow(xy$b)), function(i) which.min((xy$a$x - xy$b$x[[i]])^2 + (xy$a$y - xy$b$y[[i]])^2), 0L)
  found$same_layer <- mean(layer[found$slice == "b"] == layer[found$slice == "a"][near], na.rm = TRUE)
  found
}

test_that("a flipped slice of cortex is laid as it was cut, or the alignment is not believed", {
  as_given <- cortex_pair(flip = FALSE)
  flipped <- cortex_pair(flip = TRUE)
  for (found in list(as_given, flipped)) {
    expect_true(all(found$ok))
    expect_gt(found$same_layer, 0.85)
    expect_gt(found$residuals$agreement[[2L]], found$residuals$chance[[2L]] + 0.2)
  }
  expect_false(as_given$transforms$b$mirrored)
  expect_true(flipped$transforms$b$mirrored)
  warned <- expect_warning(wrong <- cortex_pair(flip = TRUE, mirror = FALSE), class = "spaxR_warning_alignment")
  expect_match(conditionMessage(warned), "mirror image agrees better")
  expect_identical(unname(wrong$ok), c(TRUE, FALSE))
  expect_lt(wrong$same_layer, 0.7)
})

# Cells of no grid.
scattered_pair <- function(scale) {
  tables <- pair_tables()
  jitter <- withr::with_seed(1, matrix(stats::runif(2L * nrow(tables$a), -45, 45), ncol = 2L))
  tables$a[] <- tables$a + jitter
  tables$b[] <- turned(tables$a, 25, c(500, -80)) * scale
  tables
}

test_that("slices in different units are refused, with the factor", {
  other <- scattered_pair(0.4)
  refused <- expect_spax_error(aligned(other, counts = pair_counts()), "coords", "coords")
  expect_match(conditionMessage(refused), "0.4 times as far apart.*0.4 times as wide.*2.5")
  expect_spax_error(quick_pair(coords = do.call(rbind, unname(other))), "coords", "coords")
  expect_warning(quick_pair(coords = do.call(rbind, unname(other)), align = "none"), class = "spaxR_warning_coords")
  expect_warning(inside <- aligned(other, counts = pair_counts(), scale = FALSE), class = "spaxR_warning_alignment")
  expect_identical(unname(inside$ok), c(TRUE, FALSE))
  expect_equal(inside$residuals$spacing[[2L]], 0.4, tolerance = 1e-6)
  scaled <- aligned(other, counts = pair_counts(), scale = TRUE)
  expect_true(all(scaled$ok))
  expect_equal(scaled$transforms$b$scale, 2.5, tolerance = 1e-6)
  expect_lt(scaled$residuals$mean_after[[2L]], 1e-3)
  expect_true(all(aligned(scattered_pair(1), counts = pair_counts())$ok))
})

test_that("an alignment that expression does not bear out is not ok", {
  shuffled <- pair_counts()
  n <- ncol(small()$counts)
  shuffled[, n + seq_len(n)] <- shuffled[, n + withr::with_seed(2, sample(n))]
  # By the outline alone: of all places, expression finds one where even noise agrees a little.
  found <- suppressWarnings(aligned(counts = shuffled, overlap = 1))
  expect_identical(unname(found$ok), c(TRUE, FALSE))
  expect_match(found$residuals$problem[[2L]], "expression")
})

test_that("'none' moves nothing, and still says how slices lie", {
  found <- suppressWarnings(aligned(method = "none"))
  expect_equal(found$coords[1:2], found$given, ignore_attr = TRUE)
  expect_identical(found$residuals$mean_before, found$residuals$mean_after)
})

test_that("a square without expression is reported as ambiguous, and expression decides", {
  grid <- expand.grid(x = 1:20, y = 1:20) * 100
  rownames(grid) <- paste0("a", seq_len(400))
  tables <- list(a = grid, b = turned(grid, 90))
  condition <- expect_warning(aligned(tables), class = "spaxR_warning_alignment")
  expect_match(conditionMessage(condition), "another turn fits as well")
  stripes <- rbind(g1 = round(grid$x / 100), g2 = round(grid$y / 50), g3 = 20, g4 = 21 - round(grid$x / 100))
  counts <- cbind(stripes, stripes)
  colnames(counts) <- c(rownames(tables$a), rownames(tables$b))
  found <- aligned(tables, counts = counts)
  expect_equal(found$transforms$b$angle, -90, tolerance = 1e-4)
})

test_that("PASTE finds a turn too", {
  found <- aligned(pair_tables(130), method = "paste", counts = pair_counts())
  expect_lt(abs(found$transforms$b$angle + 130), 1)
  expect_lt(found$residuals$mean_after[[2L]], 0.5)
})

test_that("threads change nothing", {
  expect_identical(
    aligned(counts = pair_counts(), threads = 1)$coords, aligned(counts = pair_counts(), threads = 3)$coords
  )
})

test_that("a Seurat object gets its columns, and a record", {
  object <- AlignSlices(pair_seurat(), split.by = "slice", coords = c("x", "y"), gaps = 10, spot.distance = 100)
  expect_true(all(c("spax_x", "spax_y", "spax_z") %in% colnames(object[[]])))
  record <- SeuratObject::Tool(object, "AlignSlices")
  expect_equal(record$transforms$b$angle, -25, tolerance = 1e-6)
  expect_true("AlignSlices" %in% sub("[.].*", "", SeuratObject::Command(object)))
  expect_s3_class(AlignmentPlot(object), "ggplot")
})

test_that("images are slices when no column is named", {
  object <- pair_seurat()
  cells <- colnames(small()$counts)
  object <- with_image(object, visium_v1(cells), "first")
  spots <- turned(small_xy(), 25)
  second <- methods::new(
    getClass("SlideSeq", where = asNamespace("Seurat")), coordinates = spots, assay = "RNA", key = "second_"
  )
  object <- with_image(object, second, "second")
  found <- SeuratObject::Tool(AlignSlices(object, gaps = 10, spot.distance = 100), "AlignSlices")
  expect_identical(names(found$transforms), c("first", "second"))
  expect_equal(found$transforms$second$angle, -25, tolerance = 1e-6)
})

test_that("a list of Seurat objects comes back as a list", {
  object <- pair_seurat()
  objects <- list(a = subset(object, slice == "a"), b = subset(object, slice == "b"))
  found <- AlignSlices(objects, coords = c("x", "y"), gaps = 10, spot.distance = 100)
  expect_named(found, c("a", "b"))
  expect_equal(found$b$spax_x, found$a$spax_x, tolerance = 1e-6, ignore_attr = TRUE)
  expect_named(SeuratObject::Tool(found$a, "AlignSlices")$transforms, c("a", "b"))
})

test_that("AlignmentPlot shows both states on equal axes", {
  plot <- AlignmentPlot(suppressWarnings(aligned()))
  expect_s3_class(plot, "ggplot")
  expect_silent(ggplot2::ggplot_build(plot))
  expect_length(plot$layers, 2L)
  expect_length(AlignmentPlot(suppressWarnings(aligned()), outline = FALSE)$layers, 1L)
  expect_spax_error(AlignmentPlot(suppressWarnings(aligned()), outline = 2), "argument", "outline")
  expect_spax_error(AlignmentPlot(1), "argument", "object")
  expect_spax_error(AlignmentPlot(small_seurat()), "argument", "object")
})

test_that("the rim of a tissue runs along its border, round a large hole too, and follows a turn", {
  disc <- expand.grid(x = -40:40, y = -40:40)
  far <- sqrt(disc$x^2 + disc$y^2)
  rim <- tissue_outline(disc[far <= 40, ])
  expect_length(unique(rim$line), 1L)
  expect_lt(max(abs(sqrt(rim$x^2 + rim$y^2) - 40)), 2.5)
  ring <- tissue_outline(disc[far <= 40 & far > 20, ])
  expect_length(unique(ring$line), 2L)
  expect_equal(unlist(rim[1L, ], use.names = FALSE), unlist(rim[nrow(rim), ], use.names = FALSE))
})

test_that("slices that overlap in part find each other by expression", {
  slice <- cortex_slice()
  xy <- slice$spots[c("x", "y")]
  left <- slice$spots$array_col < 90
  right <- slice$spots$array_col > 38
  moved <- turned(xy[right, ], 25, c(900, -300))
  counts <- cbind(slice$counts[, left], slice$counts[, right])
  colnames(counts) <- c(rownames(xy)[left], rownames(moved))
  found <- aligned(list(a = xy[left, ], b = moved), counts = counts, verbose = FALSE)
  spacing <- 137
  off <- sqrt(rowSums((as.matrix(found$coords[rownames(moved), 1:2]) - as.matrix(xy[right, ]))^2)) / spacing
  expect_lt(median(off), 0.5)
  expect_lt(abs(found$transforms$b$angle + 25), 1)
})

test_that("bad input is refused, with the argument and the remedy", {
  tables <- pair_tables()
  all <- rbind(tables$a, tables$b)
  n <- nrow(tables$a)
  expect_spax_error(AlignSlices(all), "argument", "slice")
  expect_spax_error(AlignSlices(all, rep("a", 2 * n)), "argument", "slice")
  expect_spax_error(AlignSlices(all, rep(c("a", "b"), c(2 * n - 19, 19))), "argument", "slice")
  expect_spax_error(AlignSlices(all, rep_len(c("a", "b", "c"), 2 * n)), "argument", "slice")
  expect_spax_error(
    AlignSlices(all, rep_len(c("a", "b", "c"), 2 * n), slice.order = c("a", "b")), "argument", "slice.order"
  )
  expect_spax_error(AlignSlices(all, c(NA, rep_len(c("a", "b"), 2 * n - 1))), "argument", "slice")
  expect_spax_error(AlignSlices(tables, gaps = c(1, 2)), "argument", "gaps")
  expect_spax_error(AlignSlices(tables, gaps = -1), "argument", "gaps")
  expect_spax_error(AlignSlices(tables, spot.distance = 0), "argument", "spot.distance")
  expect_spax_error(AlignSlices(tables, overlap = 0), "argument", "overlap")
  expect_spax_error(AlignSlices(tables, mirror = "yes"), "argument", "mirror")
  expect_spax_error(AlignSlices(tables, mirror = NA), "argument", "mirror")
  expect_spax_error(AlignSlices(tables, scale = 2), "argument", "scale")
  expect_spax_error(AlignSlices(tables, method = "best"), "argument", "method")
  expect_spax_error(AlignSlices(tables, method = "paste"), "argument", "counts")
  expect_spax_error(AlignSlices(tables, counts = small()$counts), "counts", "counts")
  # Tables that share names of cells are no fault: the slices tell them apart.
  twins <- suppressMessages(AlignSlices(list(u = tables$a, v = tables$a), verbose = FALSE), "spaxR_message_cells")
  expect_identical(rownames(twins$coords)[c(1, nrow(tables$a) + 1)], paste0(c("u_", "v_"), rownames(tables$a)[[1L]]))
  expect_spax_error(AlignSlices(tables, mehtod = "icp"), "argument", "mehtod")
  tables$b$x[[3L]] <- NA
  expect_spax_error(AlignSlices(tables), "coords", "coords")
})

test_that("bad Seurat input is refused", {
  object <- pair_seurat()
  expect_spax_error(AlignSlices(object, split.by = "slcie", coords = c("x", "y")), "argument", "split.by")
  expect_spax_error(AlignSlices(object, coords = c("x", "y")), "argument", "split.by")
  expect_spax_error(AlignSlices(object, split.by = "slice", coords = c("x", "y"), names = "x"), "argument", "names")
  object <- with_image(object, visium_v1(colnames(small()$counts)))
  expect_spax_error(AlignSlices(object, split.by = "slice"), "coords", "coords")
})

test_that("counts may be a list as the tables are, are checked, and are told when they are transposed", {
  xy <- list(a = small_xy(), b = `rownames<-`(pair_tables()$b, rownames(small_xy())))
  one <- AlignSlices(pair_tables(), counts = pair_counts(), verbose = FALSE)
  # Slices share the names of their cells.
  many <- suppressMessages(AlignSlices(xy, counts = list(b = small()$counts, a = small()$counts), verbose = FALSE))
  expect_equal(many$transforms, one$transforms)
  expect_spax_error(AlignSlices(xy, counts = list(small()$counts)), "argument", "counts")
  expect_match(
    conditionMessage(expect_spax_error(AlignSlices(pair_tables(), counts = Matrix::t(pair_counts())), "counts", "counts")), "t(counts)",
    fixed = TRUE
  )
  wrong <- as.matrix(pair_counts())
  for (value in list(NA, -1, Inf)) {
    wrong[3, 3] <- value
    expect_spax_error(AlignSlices(pair_tables(), counts = wrong), "counts", "counts")
  }
  expect_spax_error(AlignSlices(list()), "argument", "object")
  expect_match(conditionMessage(expect_spax_error(AlignSlices(pair_tables(), gaps = -1), "argument", "gaps")), "not -1")
})
