# Interrupts (SIGINT) at random moments of runs and verbs: seconds until each stops, the session's memory, and whether
# its objects and later results are as before.
#   Rscript bench/interrupts.R [interrupts = 100] [cells = 20000]
# In a foreground shell: one that ignores SIGINT passes that on. SEED chooses the moments.

arguments <- as.integer(commandArgs(TRUE))
n_interrupts <- if (length(arguments) > 0L) arguments[[1L]] else 100L
n_cells <- if (length(arguments) > 1L) arguments[[2L]] else 20000L
set.seed(as.integer(Sys.getenv("SEED", "1")))

prepare <- function(n) {
  library(spaxR)
  set.seed(1)
  made <<- simulate_tissue(n.cells = n, modalities = c("RNA", "ADT"))
  coords <<- made$spots[c("x", "y")]
  n <- nrow(coords)
  x <<- matrix(rnorm(20 * n), n) + rep_len(0:6, n)
  domains <<- factor(rep_len(1:7, n))
  work <<- list(
    spacross = function() RunSpaCross(made$counts[[1L]], n.domains = 5, coords = coords, epochs = 100, verbose = FALSE),
    spalora = function() RunSpaLORA(made$counts, n.domains = 5, coords = coords, epochs = 100, verbose = FALSE),
    mixture = function() FindDomains(x, n.domains = 9, method = "gmm"),
    kmeans = function() FindDomains(x, n.domains = 40, method = "kmeans"),
    metrics = function() DomainMetrics(domains, coords = coords)
  )
  quick <<- function() FindDomains(x[1:500, ], n.domains = 4, method = "gmm", seed = 1)
  before <<- list(quick(), rlang::hash(list(made, x, coords)))
  invisible()
}

megabytes <- function(pid) {
  line <- grep("^VmRSS:", readLines(file.path("/proc", pid, "status")), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

usual_seconds <- function(session, name) {
  session$run(function(name) system.time(work[[name]]())[["elapsed"]], list(name))
}

# One interrupt: NA seconds where the work had ended before it.
interrupt_once <- function(session, name, after) {
  session$call(function(name) tryCatch(work[[name]](), interrupt = function(condition) "stopped"), list(name))
  Sys.sleep(after)
  sent <- Sys.time()
  session$interrupt()
  session$poll_process(30000)
  seconds <- as.numeric(difftime(Sys.time(), sent, units = "secs"))
  stopped <- identical(session$read()$result, "stopped")
  session$run(function() invisible(gc()))
  data.frame(
    work = name, after = after, seconds = if (stopped) seconds else NA, megabytes = megabytes(session$get_pid())
  )
}

session <- callr::r_session$new()
invisible(session$run(prepare, list(n_cells)))
names <- session$run(function() names(work))
usual <- vapply(names, function(name) usual_seconds(session, name), 0)
print(round(usual, 2))
rows <- lapply(seq_len(n_interrupts), function(i) {
  name <- names[[(i - 1L) %% length(names) + 1L]]
  interrupt_once(session, name, runif(1L, 0, usual[[name]]))
})
rows <- do.call(rbind, rows)
same <- session$run(function() identical(before, list(quick(), rlang::hash(list(made, x, coords)))))
session$close()

print(rows, digits = 3)
slowest <- aggregate(seconds ~ work, rows, max)
print(slowest, digits = 3)
tenth <- max(1L, nrow(rows) %/% 10L)
cat(
  "memory, MB: ",
  round(median(head(rows$megabytes, tenth))),
  " in the first tenth, ",
  round(median(tail(rows$megabytes, tenth))),
  " in the last\n",
  sep = ""
)
cat("objects and later results as before:", same, "\n")
