# Peak memory of a whole run on N cells with 200 inputs (a reduction), above the input object, in megabytes; and CPU
# seconds.
# Run: Rscript bench/memory.R [cells] [epochs]      (Linux: reads /proc/self/status)
library(spaxR)
arguments <- as.integer(commandArgs(trailingOnly = TRUE))
n <- if (length(arguments) > 0) arguments[1] else 100000L
epochs <- if (length(arguments) > 1) arguments[2] else 6L

status <- function(field) {
  line <- grep(paste0("^", field), readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("\\D", "", line)) / 1024
}

set.seed(1)
side <- sqrt(n)
coords <- data.frame(x = runif(n, 0, side), y = runif(n, 0, side), row.names = paste0("cell", seq_len(n)))
x <- matrix(rnorm(200 * n), n, dimnames = list(rownames(coords), NULL))
x[, 1:5] <- x[, 1:5] + 3 * sin(coords$x / side * 9)
invisible(gc())
before <- status("VmRSS")
# Two hybrid graphs lie within the epochs, so that the peak holds one.
options <- spacross_options(update_every = max(1L, epochs %/% 3L))
fit <- RunSpaCross(
  NULL, n.domains = 10, coords = coords, reduction = x, options = options, epochs = epochs, verbose = FALSE
)
cat(sprintf(
  "%d cells, %d epochs: peak %.0f MB above the %.0f MB of the session with its input\n", n, epochs,
  status("VmHWM") - before, before
))
print(fit$timings)
