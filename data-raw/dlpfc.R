# Makes inst/extdata/dlpfc_151673.rds (the whole slice) and dlpfc_small.rds (for examples).
#
#   Rscript data-raw/dlpfc.R <dlpfc_151673.rds>
#
# The input is list(counts = dgCMatrix genes x spots, spots = data.frame(barcode, x, y, array_row,
# array_col, slice, label)), put together from the two public repositories that
# inst/extdata/README.md names. 3 MB is the limit on the files together.

library(Matrix)

slice <- readRDS(commandArgs(trailingOnly = TRUE)[[1L]])
counts <- slice$counts
spots <- slice$spots
# The layers, from the surface of the brain to the white matter.
spots$label <- factor(spots$label, c("L1", "L2", "L3", "L4", "L5", "L6", "WM"))
rownames(spots) <- spots$barcode
stopifnot(identical(colnames(counts), spots$barcode))

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
means <- rowMeans(crop)
dispersion <- (rowMeans(crop^2) - means^2) / means
crop <- crop[sort(order(-dispersion)[1:600]), ]
save_small(crop, droplevels(spots[strip, ]), "inst/extdata/dlpfc_small.rds")

message(paste(capture.output(print(table(spots$label[strip]))), collapse = "\n"))
for (file in list.files("inst/extdata", "rds$", full.names = TRUE)) {
  message(file, ": ", file.size(file), " bytes")
}
