test_that("the bundled slices hold raw counts with places and labels", {
  for (slice in list(cortex_slice(small = TRUE), cortex_slice(), cortex_slice(sample = "151674"))) {
    expect_s4_class(slice$counts, "dgCMatrix")
    expect_identical(colnames(slice$counts), rownames(slice$spots))
    expect_true(all(slice$counts@x == round(slice$counts@x)))
    expect_true(all(c("x", "y", "label") %in% names(slice$spots)))
  }
  expect_spax_error(cortex_slice("small"), "argument", "small")
  expect_spax_error(cortex_slice(sample = 151675), "argument", "sample")
  expect_spax_error(cortex_slice(small = TRUE, sample = "151674"), "argument", "sample")
})

test_that("devices are listed with a reason", {
  devices <- SpaxDevices()
  expect_named(devices, c("device", "available", "memory", "reason"))
  expect_true(devices$available[devices$device == "cpu"])
})
