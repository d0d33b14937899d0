# Ctrl-C during a long run, in a session of its own. `prepare` makes there fit(epochs), which runs that long and returns
# an embedding.
expect_stops_at_ctrl_c <- function(prepare) {
  session <- session_with(prepare)
  session$run(function() before <<- fit(5))
  expect_interrupted(session, function() fit(1e7), after = 3)
  expect_true(session$run(function() identical(fit(5), before)))
}

# The same for work of seconds that takes no epochs: `prepare` makes work(), and it is stopped after each of these
# seconds.
expect_work_stops_at_ctrl_c <- function(prepare, after) {
  session <- session_with(prepare)
  for (seconds in after) {
    expect_interrupted(session, function() work(), seconds)
  }
  expect_length(
    session$run(function() FindDomains(matrix(1:200 %% 7 + 0, 100), n.domains = 2, method = "kmeans")),
    100L
  )
}

session_with <- function(prepare, envir = parent.frame(2L)) {
  skip_if_not_installed("callr")
  skip_on_os("windows")
  skip_if(interrupts_are_ignored(), "SIGINT is ignored here, as in the background of a script")
  session <- callr::r_session$new()
  withr::defer(session$close(), envir)
  session$run(prepare)
  session
}

expect_interrupted <- function(session, work, after) {
  session$run(function(work) interrupted_work <<- work, list(work))
  session$call(function() tryCatch(interrupted_work(), interrupt = function(condition) "stopped"))
  Sys.sleep(after)
  expect_identical(session$get_state(), "busy")
  sent <- Sys.time()
  session$interrupt()
  session$poll_process(5000)
  expect_lt(as.numeric(difftime(Sys.time(), sent, units = "secs")), 1.5)
  expect_identical(session$read()$result, "stopped")
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
