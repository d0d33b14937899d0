# CPU seconds of whole runs and of an epoch, stage by stage, of two versions of the package by turns in one session of
# the machine: the ratios after / before of their medians.
# Run: Rscript bench/engine.R LIBRARY_BEFORE LIBRARY_AFTER [cells, comma-separated] [rounds] [systems, comma-separated]
#   [threads]
# Both libraries hold an installed spaxR. Cells: 3600,20000,100000 unless given, on two threads, 3 rounds. One library
# alone (twice the same) shows how far the machine itself wanders.
arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1])

# Cells that lie at random in a square, and waves over it that features follow.
square <- function(n) {
  side <- sqrt(n)
  data.frame(x = runif(n, 0, side), y = runif(n, 0, side), row.names = paste0("cell", seq_len(n)))
}
wave <- function(coords, turns, phase) 0.5 + 0.5 * sin(2 * pi * turns * (coords$x + phase * coords$y) / max(coords$x))

# Counts of `genes`, 7 % of them not zero: a gene is likelier found where its wave is high.
simulate_rna <- function(coords, genes = 2000, share = 0.08) {
  n <- nrow(coords)
  waves <- vapply(1:6, function(turns) wave(coords, turns, turns %% 3 - 1), numeric(n))
  drawn <- round(1.6 * share * genes * n)
  gene <- sample.int(genes, drawn, replace = TRUE)
  cell <- sample.int(n, drawn, replace = TRUE)
  kept <- runif(drawn) < 0.25 + 0.75 * waves[cbind(cell, gene %% 6L + 1L)]
  counts <- Matrix::sparseMatrix(gene[kept], cell[kept], x = rpois(sum(kept), 0.7) + 1, dims = c(genes, n))
  dimnames(counts) <- list(paste0("gene", seq_len(genes)), rownames(coords))
  counts
}

simulate_protein <- function(coords, proteins = 30) {
  mean <- vapply(seq_len(proteins), function(j) 5 + 30 * wave(coords, j %% 4 + 1, j %% 5 - 2), numeric(nrow(coords)))
  counts <- matrix(
    rpois(length(mean), mean), nrow(coords), dimnames = list(rownames(coords), paste0("protein", seq_len(proteins)))
  )
  Matrix::Matrix(t(counts), sparse = TRUE)
}

# Epochs that leave the stages before training a part of the time, and two hybrid graphs in SpaCross's.
epochs_of <- function(n) if (n > 50000) 8L else if (n > 10000) 24L else 100L

# Domains as they were found before predictive components and the consensus, so that both versions do the same work.
same_domains <- list(domains_from = "both", cluster = "gmm")

run <- list(
  spacross = function(coords, epochs, threads) {
    options <- do.call(spacross_options, c(same_domains, update_every = max(1L, epochs %/% 3L)))
    RunSpaCross(simulate_rna(coords), 7, coords, options = options, epochs = epochs, threads = threads, verbose = FALSE)
  },
  spalora = function(coords, epochs, threads) {
    options <- do.call(spalora_options, c(same_domains, starts = 50L))
    counts <- list(RNA = simulate_rna(coords), ADT = simulate_protein(coords))
    RunSpaLORA(counts, 7, coords, options = options, epochs = epochs, threads = threads, verbose = FALSE)
  }
)

peak_megabytes <- function() {
  as.numeric(gsub("\\D", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
}

# In a process of its own, with one library: the stages of one run, and its peak memory, into a file.
measure <- function(system, n, threads, output) {
  suppressPackageStartupMessages(library(spaxR))
  set.seed(1)
  coords <- square(n)
  epochs <- epochs_of(n)
  fit <- suppressMessages(run[[system]](coords, epochs, threads))
  stages <- data.frame(stage = fit$timings$stage, value = fit$timings$cpu)
  training <- stages$value[stages$stage == "train"]
  rest <- data.frame(
    stage = c("whole run", "epoch, ms", "peak, MB"),
    value = c(sum(stages$value), 1000 * training / epochs, peak_megabytes())
  )
  saveRDS(rbind(stages, rest), output)
}

one_round <- function(libraries, system, n, threads, round) {
  do.call(
    rbind,
    lapply(names(libraries), function(version) {
      output <- tempfile(fileext = ".rds")
      on.exit(unlink(output))
      status <- system2(
        file.path(R.home("bin"), "Rscript"),
        c("--vanilla", shQuote(script), "--one", system, n, threads, shQuote(output)),
        env = paste0("R_LIBS=", shQuote(libraries[[version]]))
      )
      if (status != 0) {
        stop("The run with the package in ", libraries[[version]], " failed.")
      }
      data.frame(system, cells = n, version, round, readRDS(output))
    })
  )
}

report <- function(rows) {
  medians <- stats::aggregate(value ~ stage + version + cells + system, rows, stats::median)
  stages <- unique(rows$stage)
  for (system in unique(rows$system)) {
    for (n in unique(rows$cells)) {
      value <- function(version, stage) {
        found <- medians$value[
          medians$system == system & medians$cells == n & medians$version == version & medians$stage == stage
        ]
        if (length(found)) found else NA
      }
      before <- vapply(stages, function(stage) value("before", stage), 0)
      after <- vapply(stages, function(stage) value("after", stage), 0)
      cat("\n", system, ", ", format(n, big.mark = ","), " cells: CPU seconds but where it says otherwise\n", sep = "")
      table <- data.frame(
        stage = stages, before = round(before, 2), after = round(after, 2), ratio = round(after / before, 3)
      )
      print(table[!is.na(before) | !is.na(after), ], row.names = FALSE)
    }
  }
}

if (identical(arguments[1], "--one")) {
  measure(arguments[2], as.numeric(arguments[3]), as.integer(arguments[4]), arguments[5])
} else {
  if (length(arguments) < 2) stop("Give the two libraries.")
  libraries <- c(before = arguments[[1]], after = arguments[[2]])
  several <- function(i, default) if (length(arguments) >= i) strsplit(arguments[[i]], ",")[[1]] else default
  rows <- NULL
  for (n in as.numeric(several(3, c("3600", "20000", "100000")))) {
    for (system in several(5, names(run))) {
      for (round in seq_len(as.integer(several(4, "3")))) {
        # The one that goes first changes: the second finds a warmer machine.
        order <- if (round %% 2) libraries else rev(libraries)
        rows <- rbind(rows, one_round(order, system, n, as.integer(several(6, "2")), round))
      }
    }
  }
  report(rows)
}
