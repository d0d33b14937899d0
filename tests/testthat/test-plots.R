test_that("one grouping is a ggplot with equal aspect", {
  plot <- DomainPlot(small()$spots$label, coords = small_xy())
  expect_s3_class(plot, "ggplot")
  expect_equal(plot$coordinates$ratio, 1)
  expect_silent(ggplot2::ggplot_build(plot))
})

test_that("y points downwards for images only", {
  skip_if_not_installed("Seurat")
  down <- function(plot) any(vapply(plot$scales$scales, function(s) "y" %in% s$aesthetics, NA))
  object <- small_seurat()
  expect_false(down(DomainPlot(object, group.by = "label", coords = c("x", "y"))))
  expect_true(down(DomainPlot(object, group.by = "label", coords = c("x", "y"), y.down = TRUE)))
  expect_true(down(DomainPlot(with_image(object, visium_v1()), group.by = "label")))
  expect_false(down(DomainPlot(with_image(object, fov()), group.by = "label")))
})

test_that("panels have titles in words, and legends say what has no label", {
  expect_identical(column_title("spacross_domain"), "SpaCross")
  expect_identical(column_title("spalora_refined"), "SpaLORA: refined")
  expect_identical(column_title("seurat_clusters"), "Seurat clusters")
  expect_identical(column_title("RNA_snn_res.0.5"), "RNA_snn_res.0.5")
  expect_identical(column_title(""), "")
  labels <- small()$spots$label
  labels[1:3] <- NA
  legend <- function(plot) levels(plot$data$label)
  plot <- DomainPlot(data.frame(label = labels), coords = small_xy())
  expect_identical(plot$labels$title, "Label")
  expect_identical(legend(plot), c(levels(labels), "not annotated"))
  drawn <- ggplot2::layer_data(plot)
  expect_identical(sum(drawn$colour == "grey85"), 3L)
  plot <- DomainPlot(data.frame(spacross_domain = labels), coords = small_xy(), titles = "mine")
  expect_identical(plot$labels$title, "mine")
  expect_identical(legend(plot), c(levels(labels), "no domain"))
  expect_identical(legend(DomainPlot(small()$spots$label, coords = small_xy())), levels(labels))
  expect_false(anyNA(TrainingPlot(quick_fit())$labels$caption))
})

test_that("points are as large as their cells lie apart, whatever the size of the figure and however slices lie", {
  one <- data.frame(expand.grid(x = 1:30, y = 1:30), image = factor("a"))
  both <- rbind(one, transform(one, image = "b"))
  expect_identical(slices_across(both), 2L)
  expect_equal(point_diameter(both), point_diameter(one))
  expect_gt(point_diameter(one), 1)
  expect_lt(point_diameter(one), 1.3)
  expect_equal(point_diameter(transform(one, x = 10 * x, y = 10 * y)), 10 * point_diameter(one))
  # In millimetres on paper: the size of a point over the width of its panel, in two figures.
  drawn <- function(inches) {
    grDevices::pdf(NULL, inches, inches)
    withr::defer(grDevices::dev.off())
    grid::grid.draw(ggplot2::ggplotGrob(DomainPlot(one$y %/% 11, coords = one[c("x", "y")])))
    grid::grid.force()
    points <- grid::grid.get("geom_cell", grep = TRUE)
    views <- format(grid::current.vpTree())
    grid::seekViewport(regmatches(views, regexpr("panel[.0-9-]*[0-9]", views)))
    c(
      grid::convertWidth(points$size[[1L]], "mm", valueOnly = TRUE),
      grid::convertWidth(grid::unit(1, "npc"), "mm", valueOnly = TRUE)
    )
  }
  small <- drawn(3)
  large <- drawn(9)
  expect_gt(large[[2L]], 2 * small[[2L]])
  expect_equal(large[[1L]] / large[[2L]], small[[1L]] / small[[2L]])
  # 30 cells and the margins of a scale share a panel; a point is three quarters of its size.
  expect_equal(0.75 * small[[1L]] / small[[2L]], point_diameter(one) / (29 * 1.1), tolerance = 1e-6)
})

test_that("paler points are opaque: what lies below does not show", {
  expect_identical(on_white(c("#000000", "red", "#0000FF"), c(1, NA, 0.5)), c("#000000", "#FF0000", "#7F7FFF"))
  place <- data.frame(x = c(1, 1, 2), y = c(1, 2, 1))
  grob <- ggplot2::layer_grob(DomainPlot(factor(1:3), coords = place, confidence = c(1, 0.5, 0.7)))[[1L]]
  expect_length(unique(grob$gp$col), 3L)
  expect_false(any(nchar(grob$gp$col) > 7 & substring(grob$gp$col, 8) != "FF"))
})

test_that("several groupings stand side by side in shared colours", {
  skip_if_not_installed("patchwork")
  spots <- small()$spots
  renamed <- factor(spots$label, labels = paste0("zone", seq_along(unique(stats::na.omit(spots$label)))))
  colours <- match_colours(list(factor(spots$label), renamed), NULL)
  expect_identical(unname(colours[[1]]), unname(colours[[2]]))
  plot <- DomainPlot(data.frame(a = spots$label, b = renamed), coords = small_xy())
  expect_s3_class(plot, "patchwork")
})

test_that("a level that shares no cells has a colour of its own", {
  first <- factor(rep(1:2, each = 5))
  other <- factor(rep(c("a", "b", "c"), c(5, 3, 2)))
  colours <- match_colours(list(first, other), NULL)[[2]]
  expect_length(unique(colours), 3)
  expect_false(anyNA(colours))
})

test_that("the palette is distinct, and goes on beyond its end", {
  expect_identical(domain_palette(3), domain_palette(10)[1:3])
  expect_false(anyDuplicated(domain_palette(60)) > 0)
  expect_length(domain_palette(0), 0)
  expect_identical(domain_palette(factor(c("b", "a", "b"))), c(a = domain_palette(2)[[1]], b = domain_palette(2)[[2]]))
  expect_spax_error(domain_palette(-1), "argument", "n")
})

# Distance in OKLab of the nearest two colours, as somebody with this vision sees them.
nearest <- function(colours, vision) {
  rgb <- t(grDevices::col2rgb(colours)) / 255
  linear <- ifelse(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055)^2.4) %*% t(vision)
  lms <- pmin(pmax(linear, 0), 1) %*%
    t(matrix(
      c(
        0.4122214708,
        0.5363325363,
        0.0514459929,
        0.2119034982,
        0.6806995451,
        0.1073969566,
        0.0883024619,
        0.2817188376,
        0.6299787005
      ),
      3,
      byrow = TRUE
    ))
  lab <- lms^(1 / 3) %*%
    t(matrix(
      c(
        0.2104542553,
        0.7936177850,
        -0.0040720468,
        1.9779984951,
        -2.4285922050,
        0.4505937099,
        0.0259040371,
        0.7827717662,
        -0.8086757660
      ),
      3,
      byrow = TRUE
    ))
  min(stats::dist(lab))
}

test_that("24 colours stay apart under red-green and blue-yellow blindness", {
  visions <- list(
    normal = diag(3),
    protan = matrix(
      c(0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998), 3, byrow = TRUE
    ),
    deutan = matrix(
      c(0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881), 3, byrow = TRUE
    ),
    tritan = matrix(
      c(1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900), 3, byrow = TRUE
    )
  )
  # 0.02 in OKLab is about the least difference that is seen side by side.
  for (name in names(visions)) expect_gt(nearest(domain_palette(24), visions[[name]]), 0.05)
})

test_that("100,000 points are drawn in seconds, with points that fit", {
  n <- 1e5
  place <- data.frame(x = rep(seq_len(400), 250), y = rep(seq_len(250), each = 400))
  labels <- place$x %/% 20
  file <- withr::local_tempfile(fileext = ".png")
  spent <- system.time({
    grDevices::png(file, 1200, 900, res = 150)
    print(DomainPlot(labels, coords = place))
    grDevices::dev.off()
  })
  expect_lt(sum(spent[c("user.self", "sys.self")]), 5)
})

test_that("training curves come from a result and from an object", {
  expect_s3_class(TrainingPlot(quick_fit()), "ggplot")
  expect_silent(ggplot2::ggplot_build(TrainingPlot(quick_fit())))
  expect_s3_class(TrainingPlot(quick_seurat(epochs = 3)), "ggplot")
  expect_spax_error(TrainingPlot(small_seurat()), "argument", "object")
  expect_spax_error(TrainingPlot(1), "argument", "object")
  expect_spax_error(TrainingPlot(quick_fit(), log = TRUE), "argument", "log")
})

test_that("bad input is refused", {
  expect_spax_error(DomainPlot(stats::runif(200), coords = small_xy()[1:200, ]), "argument", "object")
  expect_spax_error(DomainPlot(small()$spots$label, coords = small_xy(), cols = "red"), "argument", "cols")
  expect_spax_error(DomainPlot(small()$spots$label, coords = small_xy(), pt_size = 2), "argument", "pt_size")
})

test_that("what is drawn is at its place in its colour, with any ggplot2", {
  place <- expand.grid(x = 1:12, y = 1:8)
  labels <- factor(place$x %/% 3)
  drawn <- ggplot2::layer_data(DomainPlot(labels, coords = place, pt.size = 4))
  expect_setequal(paste(drawn$x, drawn$y), paste(place$x, place$y))
  want <- domain_palette(nlevels(labels))[as.integer(labels)]
  expect_identical(drawn$colour[order(drawn$y, drawn$x)], unname(want))
  expect_true(all(drawn$size == 4))
  history <- data.frame(
    epoch = 1:60, total = 2 / (1:60), reconstruction = 1 / (1:60), consistency = 0.5 / (1:60), contrast = NaN
  )
  history$contrast[50:60] <- 1.3
  plot <- plot_history(history)
  expect_identical(nrow(plot$data), 191L)
  expect_identical(levels(droplevels(plot$data$loss[plot$data$epoch > 49])), levels(plot$data$loss))
  expect_true(all(vapply(seq_along(plot$layers), function(i) all(is.finite(ggplot2::layer_data(plot, i)$y)), NA)))
})

test_that("pictures stay as they were looked at", {
  skip_if_not_installed("vdiffr")
  skip_on_cran()
  # Later versions of ggplot2 draw the same plot in other words.
  skip_if_not(utils::packageVersion("ggplot2") < "3.5.0")
  place <- expand.grid(x = 1:12, y = 1:8)
  vdiffr::expect_doppelganger("domains of a grid", DomainPlot(place$x %/% 3, coords = place, pt.size = 4))
  history <- data.frame(
    epoch = 1:60, total = 2 / (1:60), reconstruction = 1 / (1:60), consistency = 0.5 / (1:60), contrast = NaN
  )
  history$contrast[50:60] <- 1.3
  vdiffr::expect_doppelganger("training curve", plot_history(history))
})

test_that("the result of a matrix run is drawn by its domains", {
  slice <- cortex_slice(small = TRUE)
  fit <- RunSpaCross(slice$counts, 4, slice$spots, epochs = 3, verbose = FALSE)
  plot <- DomainPlot(fit, coords = slice$spots)
  expect_identical(table(plot$data$label), table(unname(fit$domain)), ignore_attr = TRUE)
})

test_that("plots of lists show every slice's levels, of every column", {
  object <- small_seurat()
  few <- object
  few$spacross_domain <- factor(rep_len(1:3, ncol(object)))
  few$note <- factor(rep_len(c("p", "q"), ncol(object)))
  many <- object
  many$spacross_domain <- factor(rep_len(c(5, 1:4), ncol(object)), 1:5)
  many$note <- factor("r")
  plot <- DomainPlot(list(a = few, b = many), coords = c("x", "y"), group.by = c("spacross_domain", "note"))
  labels <- lapply(seq_len(2), function(i) plot[[i]]$data$label)
  expect_false(anyNA(unlist(lapply(labels, as.character))))
  expect_identical(levels(labels[[1L]]), as.character(1:5))
  expect_identical(levels(labels[[2L]]), c("p", "q", "r"))
  # Seurat 5 counts in doubles.
  expect_identical(nrow(ggplot2::layer_data(plot[[1L]])), 2L * as.integer(ncol(object)))
  grey <- ggplot2::layer_data(plot[[1L]])$colour == "grey85"
  expect_false(any(grey))
})

test_that("identities are drawn by \"ident\"", {
  object <- small_seurat()
  SeuratObject::Idents(object) <- "label"
  expect_identical(
    DomainPlot(object, group.by = "ident", coords = c("x", "y"))$data,
    DomainPlot(object, group.by = "label", coords = c("x", "y"))$data
  )
  expect_spax_error(DomainPlot(small_sce(), group.by = "ident", coords = c("x", "y")), "argument", "group.by")
})

test_that("samples that lie over each other are drawn in a panel each", {
  object <- pair_seurat()
  object$x <- rep(small_xy()$x, 2)
  object$y <- rep(small_xy()$y, 2)
  object$group <- rep_len(c("u", "v"), ncol(object))
  expect_message(
    plot <- DomainPlot(object, group.by = "group", coords = c("x", "y")), "a panel each",
    class = "spaxR_message_coords"
  )
  expect_identical(levels(plot$data$image), c("a", "b"))
  object$x <- object$x + 1e5 * (object$slice == "b")
  expect_silent(plot <- DomainPlot(object, group.by = "group", coords = c("x", "y")))
  expect_null(plot$data$image)
})

test_that("lists of results are drawn as lists of objects are", {
  fits <- lapply(c(a = 3, b = 5), function(n) RunPredictivePCA(small()$counts, n, small_xy(), verbose = FALSE))
  plot <- DomainPlot(fits, confidence = TRUE)
  expect_identical(levels(plot$data$label), as.character(1:5))
  expect_identical(as.vector(table(plot$data$image)), rep(nrow(small_xy()), 2))
  fits$b$domain <- NULL
  expect_match(conditionMessage(expect_spax_error(DomainPlot(fits), "argument", "object")), "Slice \"b\"")
})

test_that("of a list of objects confidence is drawn, numbers are refused, and what lacks is named", {
  objects <- lapply(c(a = 3, b = 5), function(n) RunPredictivePCA(small_seurat(), n, c("x", "y"), verbose = FALSE))
  expect_true("alpha" %in% names(DomainPlot(objects, coords = c("x", "y"), confidence = TRUE)$mapping))
  expect_spax_error(DomainPlot(objects, coords = c("x", "y"), group.by = "nCount_RNA"), "argument", "group.by")
  expect_identical(levels(CompositionPlot(objects)$data$domain), as.character(1:5))
  objects$b$ppca_domain <- NULL
  condition <- expect_spax_error(DomainPlot(objects, coords = c("x", "y")), "argument", "group.by")
  expect_match(conditionMessage(condition), "Slice \"b\"")
  names(objects) <- c("a", "a")
  expect_match(conditionMessage(expect_spax_error(DomainPlot(objects), "argument", "object")), "share the name")
})

test_that("panels of labels go with the cells by name", {
  label <- stats::setNames(factor(small()$spots$label), rownames(small_xy()))
  panels <- DomainPlot(list(a = label, b = rev(label)), coords = small_xy())
  place <- function(i) with(panels[[i]]$data, table(paste(x, y), label))
  expect_identical(place(1), place(2))
  expect_spax_error(DomainPlot(list(a = label, b = label[-1]), coords = small_xy()), "argument", "object")
  expect_spax_error(DomainPlot(list(), coords = small_xy()), "argument", "object")
})

test_that("slices by image, of every verb that looks at slices; a cell without one is no slice's", {
  object <- with_image(small_seurat(), fov())
  object$one_domain <- factor(rep(1:2, length.out = ncol(object)))
  expect_identical(nlevels(DomainPlot(object, group.by = "one_domain", split.by = "image")$data$image), 1L)
  expect_identical(DomainMetrics(object, domain.name = "one_domain", split.by = "image")$slice, "slice")
  expect_s3_class(CompositionPlot(object, group.by = "one_domain", split.by = "image"), "ggplot")
  expect_identical(
    RefineDomains(object, domain.name = "one_domain", split.by = "image", k = 5)$one_refined,
    RefineDomains(object, domain.name = "one_domain", k = 5)$one_refined
  )
  object$half <- rep(c("a", NA), length.out = ncol(object))
  expect_spax_error(DomainPlot(object, group.by = "one_domain", split.by = "half"), "argument", "split.by")
  expect_spax_error(DomainMetrics(object, domain.name = "one_domain", split.by = "half"), "argument", "split.by")
  expect_spax_error(RefineDomains(object, domain.name = "one_domain", split.by = "half"), "argument", "split.by")
  expect_spax_error(DomainPlot(object, group.by = "one_domain", split.by = "nCount_RNA"), "argument", "split.by")
})

test_that("what cannot be drawn by is refused before drawing", {
  label <- small()$spots$label
  draw <- function(...) DomainPlot(label, coords = small_xy(), ...)
  expect_spax_error(draw(y.down = "yes"), "argument", "y.down")
  expect_spax_error(draw(pt.size = "a"), "argument", "pt.size")
  expect_spax_error(draw(pt.size = 0), "argument", "pt.size")
  expect_spax_error(draw(ncol = "a"), "argument", "ncol")
  expect_spax_error(draw(cols = c("nocolour", rep("red", 6))), "argument", "cols")
  expect_spax_error(draw(cols = grDevices::rainbow), "argument", "cols")
  of_object <- function(...) DomainPlot(small_seurat(), coords = c("x", "y"), ...)
  expect_spax_error(of_object(group.by = factor("label")), "argument", "group.by")
  aligned <- AlignSlices(pair_tables(), verbose = FALSE)
  for (wrong in list("z", 1:2, character())) {
    expect_spax_error(AlignmentPlot(aligned, slices = wrong), "argument", "slices")
  }
  expect_s3_class(AlignmentPlot(aligned, slices = c("a", "a")), "ggplot")
  expect_spax_error(AlignmentPlot(aligned, pt.size = "a"), "argument", "pt.size")
})

test_that("a cell alone is drawn", {
  expect_null(point_diameter(data.frame(x = 1, y = 1)))
  expect_s3_class(cell_points(data.frame(x = 1, y = 1), NULL), "LayerInstance")
})

test_that("text gives colours as a factor does", {
  expect_identical(domain_palette(c("b", "a", "b")), domain_palette(factor(c("a", "b"))))
})
