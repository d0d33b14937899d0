told <- function(code) {
  lines <- character()
  withCallingHandlers(code, message = function(m) {
    lines <<- c(lines, cli::ansi_strip(conditionMessage(m)))
    invokeRestart("muffleMessage")
  })
  gsub("\\s+", " ", paste(lines, collapse = " "))
}

test_that("a run says what it goes by: columns, rows, distances, neighbours, cells at one place", {
  said <- told(quick(verbose = TRUE, epochs = 1))
  expect_match(said, "columns \"x\" and \"y\" of `coords`, rows by row names", fixed = TRUE)
  expect_match(said, "typically 138 from the nearest")
  expect_match(said, "joined to its 12 nearest")
  expect_no_match(said, "where another one lies")
  table <- data.frame(barcode = rownames(small_xy()), sdimy = small_xy()$y, sdimx = small_xy()$x)
  table[2, -1] <- table[1, -1]
  said <- told(quick(coords = table, verbose = TRUE, epochs = 1))
  expect_match(said, "columns \"sdimx\" and \"sdimy\" of `coords`, rows by column \"barcode\"", fixed = TRUE)
  expect_match(said, "2 cells lie where another one lies")
  expect_identical(told(quick()), "")
})

test_that("objects say where their coordinates come from", {
  expect_match(told(quick_seurat(verbose = TRUE, epochs = 1)), "the meta data columns \"x\" and \"y\"", fixed = TRUE)
  object <- with_image(small_seurat(), visium_v1())
  expect_match(
    told(quick_seurat(object, coords = NULL, verbose = TRUE, epochs = 1)), "the images \"slice\"", fixed = TRUE
  )
  expect_match(told(quick_lora(verbose = TRUE, epochs = 1)), "Coordinates: columns \"x\" and \"y\"", fixed = TRUE)
})

test_that("a radius that joins nothing or all is refused before long work, and what it joins is said", {
  with_radius <- function(radius, ...) quick(options = spacross_options(radius = radius), ...)
  expect_match(conditionMessage(expect_spax_error(with_radius(1), "argument", "radius")), "radius = 210")
  expect_match(conditionMessage(expect_spax_error(with_radius(1e5), "argument", "radius")), "272 of the 272")
  expect_match(told(with_radius(300, verbose = TRUE, epochs = 1)), "a cell typically has 15 neighbours", fixed = TRUE)
  expect_spax_error(BuildSpatialGraph(small_xy(), radius = 1), "argument", "radius")
  expect_spax_error(BuildSpatialGraph(small_xy(), radius = 1e5), "argument", "radius")
  graph <- NULL
  expect_match(told(graph <- BuildSpatialGraph(small_xy(), radius = 300)), "typically has 15 neighbours")
  expect_identical(stats::median(Matrix::colSums(graph)), 15)
  # Some cells without a neighbour are no mistake of the unit, but are told.
  apart <- small_xy()
  apart[1:3, ] <- data.frame(x = c(1e5, 2e5, 3e5), y = 1e5)
  expect_match(
    told(quick(coords = apart, options = spacross_options(radius = 300), verbose = TRUE, epochs = 1)),
    "1.1 % have none"
  )
  expect_spax_error(quick_lora(options = spalora_options(radius = 1e-9)), "argument", "radius")
  many <- data.frame(x = rep(1:200, 100), y = rep(1:100, each = 200))
  expect_lt(system.time(expect_spax_error(BuildSpatialGraph(many, radius = 1e4), "argument", "radius"))[["elapsed"]], 5)
})

test_that("a radius is looked at in each slice that stands alone, and where a few places are crowded", {
  place <- do.call(rbind, unname(pair_tables()))
  place[pair_slice() == "b", ] <- place[pair_slice() == "b", ] / 100
  run <- function(...) quick(pair_counts(), coords = place, slice = pair_slice(), stack = FALSE, ...)
  condition <- expect_spax_error(run(options = spacross_options(radius = 200)), "argument", "radius")
  expect_match(conditionMessage(condition), "slice \"b\"")
  withr::local_seed(1)
  axis <- function() c(stats::runif(5000), 1e5 * stats::runif(7000))
  crowd <- data.frame(x = axis(), y = axis())
  expect_spax_error(BuildSpatialGraph(crowd, radius = 500), "argument", "radius")
})
