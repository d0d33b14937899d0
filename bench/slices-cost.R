# What several slices cost: CPU seconds and peak memory of a run over four slices of some 3,600 spots beside a run over
# one, each in a process of its own. The four are 151673 and 151674, once as they are and once turned by 30 degrees.
# Run: SPAX_DATA_DIR=... Rscript bench/slices-cost.R
library(spaxR)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "data.R"))

prepare <- function(name, turn) {
  slice <- read_slice(name)
  angle <- turn * pi / 180
  xy <- as.matrix(slice$spots[c("x", "y")]) %*% rbind(c(cos(angle), sin(angle)), c(-sin(angle), cos(angle)))
  colnames(slice$counts) <- paste(name, turn, colnames(slice$counts), sep = "_")
  list(counts = slice$counts, coords = data.frame(x = xy[, 1], y = xy[, 2], row.names = colnames(slice$counts)))
}

memory <- function(field) {
  as.numeric(gsub("\\D", "", grep(paste0("^", field), readLines("/proc/self/status"), value = TRUE))) / 1024
}

run <- function(n) {
  all <- Map(prepare, rep(c("dlpfc_151673", "dlpfc_151674"), 2)[seq_len(n)], c(0, 0, 30, 30)[seq_len(n)])
  names(all) <- paste0("slice", seq_len(n))
  # One matrix, as a Seurat object with `split.by` holds it.
  genes <- Reduce(intersect, lapply(all, function(x) rownames(x$counts)))
  counts <- do.call(cbind, lapply(unname(all), function(x) x$counts[genes, ]))
  coords <- do.call(rbind, lapply(unname(all), `[[`, "coords"))
  slice <- if (n > 1) factor(rep(names(all), vapply(all, function(x) nrow(x$coords), 0L)))
  rm(all)
  invisible(gc())
  before <- memory("VmRSS")
  fit <- RunSpaCross(counts, 7, coords, slice = slice, verbose = FALSE)
  cat(sprintf(
    "%d slices: %.1f s CPU, peak %.0f MB, of which input and session %.0f MB\n", n, sum(fit$timings$cpu),
    memory("VmHWM"), before
  ))
  print(fit$timings, row.names = FALSE)
}

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) > 0) {
  run(as.integer(arguments[1]))
} else {
  script <- file.path(here, "slices-cost.R")
  for (n in c(1, 4)) system2(file.path(R.home("bin"), "Rscript"), c(shQuote(script), n))
}
