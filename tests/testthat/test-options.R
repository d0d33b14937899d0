test_that("an option has the value given, the others their defaults", {
  options <- spacross_options(k = 6, domains_from = "embedding")
  defaults <- spacross_options()
  expect_equal(options$k, 6)
  expect_identical(options$domains_from, "embedding")
  same <- setdiff(names(defaults), c("k", "domains_from"))
  expect_identical(unclass(options)[same], unclass(defaults)[same])
})

test_that("the defaults are those of the core, in its types", {
  options <- spacross_options()
  expect_type(options$k, "integer")
  expect_type(options$sharpness, "double")
  expect_null(options$radius)
  expect_identical(
    unclass(options)[names(options)],
    unclass(spacross_options(k = as.numeric(options$k), sharpness = 2L))[names(options)]
  )
  expect_identical(spalora_options(smooth_k = 9)$smooth_k, 9L)
  expect_identical(spalora_options(preset = "slide_tags")$w_recon, c(5, 6))
  expect_identical(spalora_options()$w_recon, 1)
})

test_that("every option of the core's table is an argument, with its default", {
  for (system in spax_systems()) {
    table <- option_set(system$name)$rows
    # What users call, and what the verbs take.
    exported <- getExportedValue("spaxR", paste0(system$name, "_options"))
    expect_identical(formals(system$options), formals(exported))
    arguments <- formals(exported)
    expect_identical(names(arguments), c("...", names(table), "preset"))
    defaults <- lapply(arguments[names(table)], eval, baseenv())
    expect_equal(defaults, lapply(table, `[[`, "default"), info = system$name)
  }
})

test_that("options that come through dots, a list or a missing argument are those that were given", {
  through <- function(...) spacross_options(...)
  expect_identical(attr(through(k = 6, epochs = 3), "given"), c("k", "epochs"))
  expect_identical(do.call(spacross_options, list(k = 6)), spacross_options(k = 6))
  expect_identical(spacross_options(!!!list(k = 6))$k, 6L)
  expect_identical(attr(spacross_options(radius = NULL), "given"), "radius")
  passed <- function(k) spacross_options(k = k)
  expect_null(attr(passed(), "given"))
})

test_that("an option given by name wins over the preset", {
  expect_equal(spacross_options(preset = "starmap")$top_k, 30)
  expect_equal(spacross_options(preset = "starmap", top_k = 5)$top_k, 5)
  for (preset in option_set("spacross")$presets) expect_s3_class(spacross_options(preset = preset), "spacross_options")
  for (preset in option_set("spalora")$presets) expect_s3_class(spalora_options(preset = preset), "spalora_options")
})

test_that("unknown, unnamed, double and impossible options are refused", {
  expect_spax_error(spacross_options(kk = 3), "option", "kk")
  expect_spax_error(spacross_options(3), "option")
  # R itself refuses an argument that is typed twice; one that comes through a list is told as others are.
  expect_error(spacross_options(k = 3, k = 4), "matched by multiple")
  expect_spax_error(spacross_options(k = 3, !!!list(k = 4)), "option", "k")
  # No short form counts.
  expect_spax_error(spacross_options(epoch = 3), "option", "epoch")
  expect_spax_error(spacross_options(preset = "visum"), "argument", "preset")
  bad <- list(
    k = 1, k = NA, k = 2.5, k = "6", k = c(6, 7), n_genes = 0, dropout = 1, dropout = -0.1, mask_rate = 0,
    mask_rate = 1, momentum = 1, learning_rate = 0, learning_rate = Inf, epochs = 0, radius = -1, radius = NA,
    log1p = NA, contrast = "some", cluster = "hclust", domains_from = "image", consensus = 0, refine_k = -1,
    w_contrast = NaN
  )
  for (i in seq_along(bad)) {
    expect_error(do.call(spacross_options, bad[i]), class = "spaxR_error", info = paste(names(bad)[i], bad[[i]]))
  }
})

test_that("every option prints, and passes its own check", {
  for (system in spax_systems()) {
    options <- system$options()
    printed <- capture.output(print(options))[-1]
    expect_identical(sub("^  ([a-z0-9_]+) .*", "\\1", printed), names(option_set(system$name)$rows))
    expect_identical(check_options(options), options)
    expect_length(option_lines(options), length(options))
  }
})

test_that("options keep what was given and the preset", {
  options <- spacross_options(k = 6, preset = "starmap")
  expect_identical(attributes(options)[c("given", "preset")], list(given = "k", preset = "starmap"))
  expect_identical(attributes(published_options(options))[c("given", "preset")], list(given = "k", preset = "starmap"))
  expect_null(attr(spacross_options(), "given"))
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
  expect_identical(options$n_genes, 2000L)
  expect_identical(published_options(spacross_options(), several = TRUE)$n_genes, 5000L)
  expect_identical(published_options(spacross_options(n_genes = 300), several = TRUE)$n_genes, 300L)
  expect_spax_error(published_options(spacross_options(contrast = "none")), "argument", "published")
})

test_that("hints name what was meant", {
  hint <- function(code, class) conditionMessage(expect_error(code, class = class))
  expect_match(hint(spacross_options(100), "spaxR_error_option"), "by name")
  expect_match(hint(spacross_options(preset = "Visium"), "spaxR_error_argument"), "Did you mean \"visium\"")
  expect_match(hint(spacross_options(preset = "xenium"), "spaxR_error_argument"), "Leave `preset` out")
  expect_match(hint(ppca_options(preset = "visium"), "spaxR_error_argument"), "Leave `preset` out")
  expect_match(hint(RunPredictivePCA(small_seurat(), slot = "data"), "spaxR_error_argument"), "layer")
})
