test_that("Ctrl-C stops SpaCross within a second and leaves the session usable", {
  expect_stops_at_ctrl_c(function() {
    library(spaxR)
    slice <<- cortex_slice(small = TRUE)
    fit <<- function(epochs) {
      RunSpaCross(
        slice$counts, n.domains = 4, coords = slice$spots[c("x", "y")], epochs = epochs, verbose = FALSE
      )$embedding
    }
  })
})

test_that("Ctrl-C stops SpaLORA within a second and leaves the session usable", {
  expect_stops_at_ctrl_c(function() {
    library(spaxR)
    made <<- simulate_tissue(n.cells = 300, modalities = c("RNA", "ADT"))
    fit <<- function(epochs) {
      RunSpaLORA(made$counts, n.domains = 5, coords = made$spots, epochs = epochs, verbose = FALSE)$embedding
    }
  })
})

test_that("Ctrl-C stops the search for domains", {
  expect_work_stops_at_ctrl_c(function() {
    library(spaxR)
    set.seed(1)
    x <<- matrix(rnorm(4e5), 2e4) + rep_len(0:6, 2e4)
    work <<- function() FindDomains(x, n.domains = 9, method = "gmm")
  }, after = c(0.5, 2))
})

test_that("Ctrl-C stops the preparation of counts", {
  expect_work_stops_at_ctrl_c(function() {
    library(spaxR)
    counts <<- Matrix::rsparsematrix(3000, 2e4, 0.1, rand.x = function(n) rpois(n, 2) + 1)
    dimnames(counts) <<- list(paste0("g", 1:3000), paste0("c", 1:2e4))
    coords <<- data.frame(x = runif(2e4), y = runif(2e4), row.names = colnames(counts))
    work <<- function() RunSpaCross(counts, n.domains = 7, coords = coords, verbose = FALSE)
  }, after = c(0.5, 2))
})
