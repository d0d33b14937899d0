# Makes inst/extdata/dlpfc_151673.rds (the whole slice), dlpfc_small.rds (for examples) and dlpfc_151674.rds (the next
# slice).
#
#   Rscript data-raw/dlpfc.R <dlpfc_151673.rds> <dlpfc_151674.rds>
#
# Each input is list(counts = dgCMatrix genes x spots, spots = data.frame(barcode, x, y, array_row,
# array_col, slice, label)), put together from the two public repositories that
# inst/extdata/README.md names. 4 MB is the limit on the files together.

library(Matrix)

read_slice <- function(path) {
  slice <- readRDS(path)
  # The layers, from the surface of the brain to the white matter.
  slice$spots$label <- factor(slice$spots$label, c("L1", "L2", "L3", "L4", "L5", "L6", "WM"))
  rownames(slice$spots) <- slice$spots$barcode
  stopifnot(identical(colnames(slice$counts), slice$spots$barcode))
  slice
}

files <- commandArgs(trailingOnly = TRUE)
slice <- read_slice(files[[1L]])
counts <- slice$counts
spots <- slice$spots

spots_with <- function(m) tabulate(m@i + 1L, nrow(m))

save_small <- function(counts, spots, path) {
  con <- xzfile(path, "wb", compression = -9)
  on.exit(close(con))
  saveRDS(list(counts = counts, spots = spots), con)
}

# The genes that RunSpaCross keeps (>= 50 spots and >= 10 counts): the rest changes no result.
# Frequent genes first: their row indices lie close together, which saves 200 kB.
seen <- spots_with(counts)
kept <- which(seen >= 50 & rowSums(counts) >= 10)
counts <- counts[kept[order(-seen[kept])], ]
save_small(counts, spots, "inst/extdata/dlpfc_151673.rds")

# A strip through all the layers, and the 600 genes that vary most for their mean.
strip <- with(spots, array_col >= 28 & array_col <= 37 & array_row <= 54 & !is.na(label))
crop <- counts[, strip]
crop <- crop[spots_with(crop) >= 0.1 * sum(strip), ]
dispersion <- function(x) rowMeans(x^2) / rowMeans(x) - rowMeans(x)
crop <- crop[sort(order(-dispersion(crop))[1:600]), ]
save_small(crop, droplevels(spots[strip, ]), "inst/extdata/dlpfc_small.rds")

# Of the next slice the 1500 most dispersed of the genes that both keep: with 1000, the two slices together gave poorer
# domains than each alone.
second <- read_slice(files[[2L]])
seen <- spots_with(second$counts)
both <- which(seen >= 50 & rownames(second$counts) %in% rownames(counts))
scaled <- t(t(second$counts[both, ]) / colSums(second$counts)) * 1e4
chosen <- both[order(-dispersion(scaled))[1:1500]]
save_small(second$counts[chosen[order(-seen[chosen])], ], second$spots, "inst/extdata/dlpfc_151674.rds")

message(paste(capture.output(print(table(spots$label[strip]))), collapse = "\n"))
for (file in list.files("inst/extdata", "rds$", full.names = TRUE)) {
  message(file, ": ", file.size(file), " bytes")
}
