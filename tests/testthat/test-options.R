test_that("an option has the value given, the others their defaults", {
  options <- spacross_options(k = 6, domains_from = "embedding")
  defaults <- spacross_options()
  expect_equal(options$k, 6)
  expect_identical(options$domains_from, "embedding")
  same <- setdiff(names(defaults), c("k", "domains_from"))
  expect_identical(unclass(options)[same], unclass(defaults)[same])
})

test_that("the defaults of the network are those of the core", {
  defaults <- core_spacross_defaults()
  expect_identical(core_options(spacross_options())[names(defaults)], defaults)
})

test_that("an option given by name wins over the preset", {
  expect_equal(spacross_options(preset = "starmap")$top_k, 30)
  expect_equal(spacross_options(preset = "starmap", top_k = 5)$top_k, 5)
  for (preset in names(spacross_presets())) expect_s3_class(spacross_options(preset = preset), "spacross_options")
})

test_that("unknown, unnamed, double and impossible options are refused", {
  expect_spax_error(spacross_options(kk = 3), "option", "kk")
  expect_spax_error(spacross_options(3), "option")
  expect_spax_error(spacross_options(k = 3, k = 4), "option", "k")
  expect_spax_error(spacross_options(preset = "visum"), "argument", "preset")
  bad <- list(
    k = 1, k = NA, k = 2.5, k = "6", k = c(6, 7), n_genes = 0, dropout = 1, dropout = -0.1, mask_rate = 0, mask_rate = 1,
    momentum = 1, learning_rate = 0, learning_rate = Inf, epochs = 0, radius = -1, radius = NA, log1p = NA, contrast = "some",
    cluster = "hclust", domains_from = "image", consensus = 0, refine_k = -1, w_contrast = NaN
  )
  for (i in seq_along(bad)) {
    expect_error(do.call(spacross_options, bad[i]), class = "spaxR_error", info = paste(names(bad)[i], bad[[i]]))
  }
})

test_that("every option of numbers has a range and every other a check", {
  for (set in option_sets()) {
    checked <- c(names(set$ranges), names(set$vectors), names(set$choices), set$flags, names(set$optional))
    expect_setequal(checked, option_names(set))
  }
})

test_that("printing marks what differs", {
  expect_snapshot(spacross_options(preset = "osmfish", epochs = 20))
})

test_that("published settings: fixed where the code fixes them, the preset and the user elsewhere", {
  options <- published_options(spacross_options(preset = "starmap", epochs = 20))
  expect_identical(options$contrast, "all_pairs")
  expect_identical(options$cluster, "mclust")
  expect_identical(options$domains_from, "embedding")
  expect_equal(options$top_k, 30)
  expect_equal(options$epochs, 20)
  expect_spax_error(published_options(spacross_options(contrast = "none")), "argument", "published")
})
