# Ctrl-C during a long run, in a session of its own. `prepare` makes there fit(epochs), which runs that long and returns an embedding.
expect_stops_at_ctrl_c <- function(prepare) {
  skip_if_not_installed("callr")
  skip_on_os("windows")
  skip_if(interrupts_are_ignored(), "SIGINT is ignored here, as in the background of a script")
  session <- callr::r_session$new()
  withr::defer(session$close())
  session$run(prepare)
  session$run(function() before <<- fit(5))
  session$call(function() tryCatch(fit(1e7), interrupt = function(condition) "stopped"))
  Sys.sleep(3)
  expect_identical(session$get_state(), "busy")
  sent <- Sys.time()
  session$interrupt()
  session$poll_process(5000)
  expect_lt(as.numeric(difftime(Sys.time(), sent, units = "secs")), 1.5)
  expect_identical(session$read()$result, "stopped")
  expect_true(session$run(function() identical(fit(5), before)))
}

# Sessions inherit this; R does not undo it.
interrupts_are_ignored <- function() {
  status <- "/proc/self/status"
  if (!file.exists(status)) {
    return(FALSE)
  }
  mask <- sub("SigIgn:\\s*", "", grep("^SigIgn:", readLines(status), value = TRUE))
  last <- strtoi(substring(mask, nchar(mask)), 16L)
  bitwAnd(last, 2L) > 0L
}
