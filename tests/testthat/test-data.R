test_that("the bundled slices hold raw counts with places and labels", {
  for (slice in list(cortex_slice(small = TRUE), cortex_slice(), cortex_slice(sample = "151674"))) {
    expect_s4_class(slice$counts, "dgCMatrix")
    expect_identical(colnames(slice$counts), rownames(slice$spots))
    expect_true(all(slice$counts@x == round(slice$counts@x)))
    expect_true(all(c("x", "y", "label") %in% names(slice$spots)))
    expect_identical(rownames(slice$genes), rownames(slice$counts))
  }
  # Markers of white matter, neurons and the fifth layer.
  markers <- c(ENSG00000197971 = "MBP", ENSG00000132639 = "SNAP25", ENSG00000183036 = "PCP4")
  expect_identical(cortex_slice()$genes[names(markers), "symbol"], unname(markers))
  known <- stats::na.omit(cortex_slice()$genes$symbol)
  expect_gt(length(known), 5600)
  expect_false(anyDuplicated(known) > 0)
  expect_spax_error(cortex_slice("small"), "argument", "small")
  expect_spax_error(cortex_slice(sample = 151675), "argument", "sample")
  expect_spax_error(cortex_slice(small = TRUE, sample = "151674"), "argument", "sample")
})

test_that("devices are listed with a reason", {
  devices <- SpaxDevices()
  expect_named(devices, c("device", "available", "memory_gb", "reason"))
  expect_true(devices$available[devices$device == "cpu"])
  # Gigabytes: no machine that runs this has a thousandth or a million of one.
  memory <- devices$memory_gb[devices$device == "cpu"]
  expect_true(is.na(memory) || (memory > 0.01 && memory < 1e5))
})
