test_that("the bundled slices hold raw counts with places and labels", {
  for (small in c(TRUE, FALSE)) {
    slice <- cortex_slice(small)
    expect_s4_class(slice$counts, "dgCMatrix")
    expect_identical(colnames(slice$counts), rownames(slice$spots))
    expect_true(all(slice$counts@x == round(slice$counts@x)))
    expect_true(all(c("x", "y", "label") %in% names(slice$spots)))
  }
  expect_spax_error(cortex_slice("small"), "argument", "small")
})

test_that("devices are listed with a reason", {
  devices <- SpaxDevices()
  expect_named(devices, c("device", "available", "memory", "reason"))
  expect_true(devices$available[devices$device == "cpu"])
})
