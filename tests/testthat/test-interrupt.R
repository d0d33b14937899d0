test_that("Ctrl-C stops SpaCross within a second and leaves the session usable", {
  expect_stops_at_ctrl_c(function() {
    library(spaxR)
    slice <<- cortex_slice(small = TRUE)
    fit <<- function(epochs) {
      RunSpaCross(slice$counts, n.domains = 4, coords = slice$spots[c("x", "y")], epochs = epochs, verbose = FALSE)$embedding
    }
  })
})

test_that("Ctrl-C stops SpaLORA within a second and leaves the session usable", {
  expect_stops_at_ctrl_c(function() {
    library(spaxR)
    made <<- simulate_tissue(n.cells = 300, modalities = c("RNA", "ADT"))
    fit <<- function(epochs) RunSpaLORA(made$counts, n.domains = 5, coords = made$spots, epochs = epochs, verbose = FALSE)$embedding
  })
})
