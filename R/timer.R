# Wall and CPU seconds of the stages of a run.

new_timer <- function() {
  timer <- new.env(parent = emptyenv())
  timer$rows <- list()
  timer
}

timed <- function(timer, stage, code) {
  before <- proc.time()
  force(code)
  spent <- proc.time() - before
  row <- data.frame(stage = stage, wall = spent[["elapsed"]], cpu = sum(spent[c("user.self", "sys.self")]))
  timer$rows <- c(timer$rows, list(row))
  code
}

# One row a stage in the order they ran; several runs of a stage are added up.
timings <- function(timer) {
  rows <- do.call(rbind, timer$rows)
  stages <- unique(rows$stage)
  sums <- rowsum(as.matrix(rows[c("wall", "cpu")]), factor(rows$stage, stages))
  data.frame(stage = stages, wall = sums[, "wall"], cpu = sums[, "cpu"], row.names = NULL)
}
