# Alignment of slices: `SPAX_DATA_DIR=... Rscript bench/align.R` prints the tables of the section "Alignment" in
# README.md here.

library(spaxR)
source("bench/data.R")

turned <- function(xy, degrees, shift = c(0, 0), prefix = "b_") {
  angle <- degrees * pi / 180
  data.frame(
    x = xy$x * cos(angle) - xy$y * sin(angle) + shift[[1L]], y = xy$x * sin(angle) + xy$y * cos(angle) + shift[[2L]],
    row.names = paste0(prefix, rownames(xy))
  )
}

renamed <- function(counts, prefix) {
  colnames(counts) <- paste0(prefix, colnames(counts))
  counts
}

cpu <- function(code) {
  time <- system.time(value <- suppressWarnings(code))
  list(value = value, seconds = sum(time[c(1L, 2L)]))
}

# Degrees and spot distances off the truth.
errors <- function(found, degrees, spacing) {
  angle <- (found$transforms[[2L]]$angle + degrees + 180) %% 360 - 180
  here <- as.matrix(found$coords[found$slice == "b", c("x", "y")])
  truth <- as.matrix(xy[sub("^b_", "", rownames(here)), ])
  c(degrees = abs(angle), spots = mean(sqrt(rowSums((here - truth)^2))) / spacing)
}

recover <- function(first, second, counts, method, angles, spacing, ...) {
  rows <- vapply(angles, function(degrees) {
    moved <- turned(second, degrees, c(2000, -5000))
    run <- cpu(AlignSlices(
      list(a = first, b = moved),
      method = method, counts = counts, gaps = 10, spot.distance = 100, verbose = FALSE, threads = 2, ...
    ))
    c(errors(run$value, degrees, spacing), cpu = run$seconds)
  }, numeric(3L))
  c(degrees = max(rows["degrees", ]), spots = max(rows["spots", ]), cpu = mean(rows["cpu", ]))
}

show <- function(what, row) {
  cat(sprintf("| %s | %.2f | %.2f | %.2f |\n", what, row[["degrees"]], row[["spots"]], row[["cpu"]]))
}

slice <- read_slice("dlpfc_151673")
xy <- data.frame(x = as.double(slice$spots$x), y = as.double(slice$spots$y), row.names = colnames(slice$counts))
spacing <- min(stats::dist(xy[1:1000, ]))
counts <- cbind(slice$counts, renamed(slice$counts, "b_"))
angles <- seq(5, 355, by = 10)
few <- c(25, 85, 190, 310)
right <- xy$x > stats::quantile(xy$x, 0.3)
left <- xy$x < stats::quantile(xy$x, 0.7)
holed <- with(xy, (x - mean(x))^2 + (y - mean(y))^2) > (10 * spacing)^2
thin <- seq_len(nrow(xy)) %% 10 != 0

cat("| slice 151673 and a turned copy | degrees off, most | spots off, most | CPU s |\n|---|---|---|---|\n")
show("outline, 36 angles", recover(xy, xy, NULL, "icp", angles, spacing))
show("outline and expression, 4 angles", recover(xy, xy, counts, "icp", few, spacing))
show("all spots, 4 angles", recover(xy, xy, NULL, "icp", few, spacing, outline = FALSE))
show("a tenth of the copy's spots missing, outline, 36 angles", recover(xy, xy[thin, ], NULL, "icp", angles, spacing))
show("a hole in the copy, outline, 36 angles", recover(xy, xy[holed, ], NULL, "icp", angles, spacing))
show(
  "copy lacks 30 % at one side, outline and expression, 4 angles",
  recover(xy, xy[right, ], counts, "icp", few, spacing)
)
show(
  "both lack 30 %, at opposite sides, outline and expression, 4 angles",
  recover(xy[left, ], xy[right, ], counts, "icp", few, spacing)
)
show(
  "the same with overlap = 0.57, 4 angles",
  recover(xy[left, ], xy[right, ], counts, "icp", few, spacing, overlap = 0.57)
)
show("PASTE, 4 angles", recover(xy, xy, counts, "paste", few, spacing))
show("PASTE, copy lacks 30 %, 4 angles", recover(xy, xy[right, ], counts, "paste", few, spacing))

other <- read_slice("dlpfc_151674")
genes <- intersect(rownames(slice$counts), rownames(other$counts))
both <- cbind(slice$counts[genes, ], renamed(other$counts[genes, ], "b_"))
xy2 <- data.frame(x = as.double(other$spots$x), y = as.double(other$spots$y), row.names = colnames(other$counts))
cat(
  paste(
    "\n| 151674 on 151673, turned by | method | angle + turn |",
    "agreement | outline, spots | CPU s |\n|---|---|---|---|---|---|\n"
  )
)
for (method in c("icp", "paste")) {
  for (degrees in c(0, 65, 170, 275)) {
    run <- cpu(AlignSlices(
      list(a = xy, b = turned(xy2, degrees)), method = method, counts = both, gaps = 10, spot.distance = 100,
      verbose = FALSE, threads = 2
    ))
    found <- run$value
    angle <- (found$transforms$b$angle + degrees + 180) %% 360 - 180
    row <- found$residuals[2L, ]
    cat(sprintf(
      "| %g | %s | %.2f | %.3f | %.2f | %.1f |\n", degrees, method, angle, row$agreement, row$outline, run$seconds
    ))
  }
}

# Cells anywhere within a tissue of irregular outline; the second slice has other cells.
tissue <- function(n, seed, prefix) {
  set.seed(seed)
  angle <- stats::runif(n, 0, 2 * pi)
  radius <- sqrt(stats::runif(n)) * (3000 + 600 * sin(angle) + 400 * cos(3 * angle))
  data.frame(x = radius * cos(angle), y = radius * sin(angle), row.names = paste0(prefix, seq_len(n)))
}
cat("\n| cells a slice, other cells in each | degrees off | CPU s |\n|---|---|---|\n")
for (n in c(5000, 50000)) {
  for (outline in c(TRUE, FALSE)) {
    run <- cpu(AlignSlices(
      list(a = tissue(n, 1, "a"), b = turned(tissue(n, 2, ""), 77)), outline = outline, gaps = 10, verbose = FALSE,
      threads = 2
    ))
    angle <- (run$value$transforms$b$angle + 77 + 180) %% 360 - 180
    cat(sprintf("| %g, %s | %.2f | %.1f |\n", n, if (outline) "outline" else "all cells", abs(angle), run$seconds))
  }
}
