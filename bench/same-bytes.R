# Do two versions of the package give the same bytes? Runs of both systems, each with one and with two threads; the
# numbers of every part of their results go into a file. Run with either version on R_LIBS, then compare:
#   SPAX_DATA_DIR=... R_LIBS=... Rscript bench/same-bytes.R OUT.rds [cases, comma-separated]
#   Rscript bench/same-bytes.R --compare BEFORE.rds AFTER.rds
# The comparison ends with status 1 where anything differs. All cases take about five CPU minutes.
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "data.R"))
source(file.path(here, "panels.R"))

# --- the runs ---

cross <- function(name, threads, ...) {
  slice <- read_slice(name)
  RunSpaCross(slice$counts, slices[[name]]$domains, slice$spots, threads = threads, verbose = FALSE, ...)
}

cross_slices <- function(names, threads, ...) {
  data <- lapply(rlang::set_names(names), read_renamed)
  RunSpaCross(
    lapply(data, `[[`, "counts"), slices[[names[[1L]]]]$domains, lapply(data, `[[`, "spots"),
    gaps = 10, spot.distance = 100, threads = threads, verbose = FALSE, ...
  )
}

lora <- function(set, threads, ...) {
  RunSpaLORA(set$counts, set$domains, set$xy, modality = set$modality, threads = threads, verbose = FALSE, ...)
}

# The two slices of starmap, the genes that both have, one matrix a panel.
panels_of_slices <- function(names) {
  data <- lapply(names, read_renamed)
  genes <- intersect(rownames(data[[1L]]$counts), rownames(data[[2L]]$counts))
  counts <- do.call(cbind, lapply(data, function(x) x$counts[genes, ]))
  xy <- do.call(rbind, lapply(data, function(x) x$spots[c("x", "y")]))
  set <- list(
    counts = deal_panels(counts), xy = xy, domains = slices[[names[[1L]]]]$domains, modality = c(A = "rna", B = "rna")
  )
  c(set, list(slice = factor(rep(names, vapply(data, function(x) ncol(x$counts), 0L)), names)))
}

lora_slices <- function(names, threads) {
  set <- panels_of_slices(names)
  lora(set, threads, slice = set$slice, stack = FALSE)
}

# A slice that the model has not seen.
foretold <- function(threads) {
  new <- read_slice("starmap_mpfc_BZ9")
  predict(cross("starmap_mpfc_BZ5", threads), new$counts, new$spots, threads = threads)
}

foretold_panels <- function(threads) {
  new <- read_panels(identity, "starmap_mpfc_BZ9")
  model <- lora(read_panels(identity, "starmap_mpfc_BZ5"), threads)
  suppressWarnings(predict(model, new$counts, new$xy, threads = threads))
}

cases <- list(
  cross_151673 = function(threads) cross("dlpfc_151673", threads),
  cross_BZ5 = function(threads) cross("starmap_mpfc_BZ5", threads),
  cross_two_slices = function(threads) cross_slices(c("dlpfc_151673", "dlpfc_151674"), threads),
  cross_published = function(threads) cross("starmap_mpfc_BZ5", threads, published = TRUE),
  cross_impute = function(threads) cross("starmap_mpfc_BZ5", threads, impute = TRUE),
  cross_consensus = function(threads) {
    cross("starmap_mpfc_BZ5", threads, options = spacross_options(consensus = 3, refine_k = 10), epochs = 100)
  },
  cross_predict = foretold,
  lora_151673 = function(threads) lora(read_panels(identity), threads),
  lora_BZ5 = function(threads) lora(read_panels(identity, "starmap_mpfc_BZ5"), threads),
  lora_rna_protein = function(threads) lora(read_triple(c("RNA", "ADT")), threads),
  lora_three = function(threads) lora(read_triple(c("RNA", "ADT", "ATAC")), threads),
  lora_genes = function(threads) {
    lora(read_triple(c("RNA", "ADT")), threads, options = spalora_options(input = "genes", components = "cells"))
  },
  lora_two_slices = function(threads) lora_slices(c("starmap_mpfc_BZ5", "starmap_mpfc_BZ9"), threads),
  lora_published = function(threads) lora(read_triple(c("RNA", "ADT")), threads, published = TRUE),
  lora_predict = foretold_panels
)

# --- what is kept of them ---

# Everything but what says when and where the run was: `timings`, `versions`, `call`; and the document of the model,
# whose weights are kept.
parts_of <- function(fit) {
  names <- c(
    "embedding",
    "domain",
    "modality",
    "attention",
    "reconstruction",
    "history",
    "genes",
    "features",
    "modalities",
    "slice",
    "alignment",
    "genes_missing"
  )
  parts <- Filter(Negate(is.null), lapply(rlang::set_names(names), function(name) fit[[name]]))
  if (is.null(fit$model)) parts else c(parts, list(weights = weights_of(fit$model)))
}

# The bytes of each array, by name: their order in the file is not a result.
weights_of <- function(model) {
  bytes <- model$tensors
  size <- sum(as.integer(bytes[1:8]) * 256^(0:7))
  entries <- jsonlite::fromJSON(rawToChar(bytes[8 + seq_len(size)]))
  entries <- entries[setdiff(sort(names(entries)), "__metadata__")]
  lapply(entries, function(entry) {
    values <- bytes[8 + size + entry$data_offsets[1] + seq_len(diff(entry$data_offsets))]
    array(
      readBin(values, "double", prod(entry$shape), if (entry$dtype == "F64") 8L else 4L),
      if (length(entry$shape)) rev(entry$shape) else 1L
    )
  })
}

# Of the bytes of the numbers, their names and their order.
digest_of <- function(x) {
  file <- tempfile()
  on.exit(unlink(file))
  writeBin(serialize(x, NULL, version = 2), file)
  unname(tools::md5sum(file))
}

run_cases <- function(output, wanted) {
  suppressPackageStartupMessages(library(spaxR))
  found <- list()
  for (name in wanted) {
    for (threads in 1:2) {
      started <- proc.time()
      parts <- parts_of(suppressMessages(cases[[name]](threads)))
      found[[name]][[threads]] <- list(parts = parts, digests = vapply(parts, digest_of, ""))
      spent <- proc.time() - started
      cat(sprintf("%-18s %d thread%s %6.1f s CPU\n", name, threads, if (threads > 1) "s" else " ", sum(spent[1:2])))
    }
    if (!identical(found[[name]][[1]]$digests, found[[name]][[2]]$digests)) cat("  one and two threads DIFFER\n")
    saveRDS(found, output)
  }
}

# --- the comparison ---

# The largest difference of two parts, in words: of numbers absolute, of others how many.
difference <- function(a, b) {
  if (is.null(b)) {
    return("missing")
  }
  if (is.list(a)) {
    return(list_difference(a, b))
  }
  if (length(a) != length(b)) {
    return(sprintf("%d values, then %d", length(a), length(b)))
  }
  if (!identical(dim(a), dim(b))) {
    return("another shape")
  }
  value <- if (is.numeric(a) && !is.factor(a)) {
    numeric_difference(a, b)
  } else {
    text_difference(as.character(a), as.character(b))
  }
  if (nzchar(value)) value else "same values, other names or types"
}

numeric_difference <- function(a, b) {
  if (!identical(is.na(a), is.na(b))) return("other values missing")
  a <- a[!is.na(a)]
  b <- b[!is.na(b)]
  if (any(a != b)) sprintf("up to %.3g (values up to %.3g)", max(abs(a - b)), max(abs(a))) else ""
}

text_difference <- function(a, b) {
  if (!identical(a, b)) sprintf("%d of %d differ", sum(is.na(a) != is.na(b) | (a != b) %in% TRUE), length(a)) else ""
}

list_difference <- function(a, b) {
  missing <- setdiff(names(a), names(b))
  added <- setdiff(names(b), names(a))
  keys <- if (is.null(names(a))) seq_along(a) else intersect(names(a), names(b))
  changed <- Filter(function(key) !identical(a[[key]], b[[key]]), keys)
  said <- vapply(changed, function(key) paste0(key, ": ", difference(a[[key]], b[[key]])), "")
  shown <- c(
    if (length(missing)) paste("without", toString(missing)),
    if (length(added)) paste("new", toString(added)),
    utils::head(said, 4)
  )
  if (length(said) > 4) {
    shown <- c(shown, sprintf("and %d more", length(said) - 4))
  }
  if (length(shown)) paste(shown, collapse = "; ") else "same values, other names or types"
}

compare_run <- function(name, threads, before, after) {
  parts <- union(names(before$parts), names(after$parts))
  do.call(
    rbind,
    lapply(parts, function(part) {
      same <- identical(unname(before$digests[part]), unname(after$digests[part]))
      what <- if (same) {
        "same"
      } else if (is.null(before$parts[[part]])) {
        "new"
      } else {
        difference(before$parts[[part]], after$parts[[part]])
      }
      data.frame(case = name, threads, part, same, what)
    })
  )
}

compare_files <- function(files) {
  found <- lapply(files, readRDS)
  names <- intersect(names(found[[1]]), names(found[[2]]))
  rows <- do.call(
    rbind,
    lapply(names, function(name) {
      do.call(
        rbind,
        lapply(1:2, function(threads) {
          compare_run(name, threads, found[[1]][[name]][[threads]], found[[2]][[name]][[threads]])
        })
      )
    })
  )
  print(rows[c("case", "threads", "part", "what")], row.names = FALSE, right = FALSE)
  left <- setdiff(union(names(found[[1]]), names(found[[2]])), names)
  if (length(left) > 0) cat("in one file only, not compared:", toString(left), "\n")
  cat(sprintf("%d of %d parts of %d cases are the same\n", sum(rows$same), nrow(rows), length(names)))
  quit(status = if (all(rows$same)) 0 else 1)
}

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) < 1) stop("Say where to write the results, or --compare and two files.")
if (arguments[[1]] == "--compare") {
  compare_files(arguments[2:3])
} else {
  run_cases(arguments[[1]], if (length(arguments) > 1) strsplit(arguments[[2]], ",")[[1]] else names(cases))
}
