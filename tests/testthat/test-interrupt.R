test_that("Ctrl-C stops training within a second and leaves the session usable", {
  skip_if_not_installed("callr")
  skip_on_os("windows")
  session <- callr::r_session$new()
  withr::defer(session$close())
  session$run(function() {
    library(spaxR)
    slice <<- cortex_slice(small = TRUE)
    fit <<- function(epochs) {
      RunSpaCross(slice$counts, n.domains = 4, coords = slice$spots[c("x", "y")], epochs = epochs, verbose = FALSE)
    }
    before <<- fit(5)$embedding
  })
  session$call(function() {
    tryCatch(fit(1e6), interrupt = function(condition) "stopped")
  })
  Sys.sleep(3)
  expect_identical(session$get_state(), "busy")
  sent <- Sys.time()
  session$interrupt()
  session$poll_process(5000)
  expect_lt(as.numeric(difftime(Sys.time(), sent, units = "secs")), 1.5)
  expect_identical(session$read()$result, "stopped")
  expect_true(session$run(function() identical(fit(5)$embedding, before)))
})
