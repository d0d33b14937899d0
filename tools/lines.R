# Run by `make lint`: fails where a line of R code, or of a comment in it, has more than 120 characters. Rows of tables
# in roxygen comments cannot be broken.

limit <- 120L

# Of a vignette the chunks.
code_lines <- function(file) {
  lines <- readLines(file, encoding = "UTF-8")
  if (!grepl("[.]Rmd$", file)) {
    return(seq_along(lines))
  }
  fence <- grepl("^```", lines)
  which(cumsum(fence) %% 2L == 1L & !fence)
}

too_long <- function(file) {
  lines <- readLines(file, encoding = "UTF-8")
  at <- code_lines(file)
  at <- at[nchar(lines[at]) > limit & !grepl("^#' *[|]", lines[at])]
  if (length(at) > 0L) paste0(file, ":", at, ": ", nchar(lines[at]), " characters")
}

files <- list.files(
  c("R", "tests", "vignettes", "tools", "bench", "data-raw", "inst/scripts"), "[.](R|Rmd)$",
  recursive = TRUE, full.names = TRUE
)
# Not broken yet: none is to come in here, and who works on one takes it out.
waiting <- c(
  "R/AlignSlices.R", "R/BuildFeatureGraph.R", "R/BuildSpatialGraph.R", "R/ChooseDomains.R", "R/DomainMetrics.R",
  "R/DomainPlot.R", "R/FindDomains.R", "R/IntegrationMetrics.R", "R/ModalityWeightPlot.R", "R/RefineDomains.R",
  "R/RunPredictivePCA.R", "R/RunSpaCross.R", "R/RunSpaLORA.R", "R/SpatialCoords.R", "R/align-report.R", "R/align.R",
  "R/confidence.R", "R/container-bioconductor.R", "R/container-seurat.R", "R/container.R", "R/fields.R",
  "R/input-list.R", "R/input-slices.R", "R/memory.R", "R/object-slices.R", "R/own-cells.R", "R/parts.R",
  "R/predict-matrix.R", "R/predict-spalora.R", "R/predict.R", "R/result.R", "R/run-object.R", "R/run-result.R",
  "R/run.R", "R/sketch.R", "tests/testthat/helper-images.R", "tests/testthat/test-AlignSlices.R",
  "tests/testthat/test-fields.R", "tests/testthat/test-memory.R", "tests/testthat/test-objects-of-runs.R",
  "tests/testthat/test-own-cells.R", "tests/testthat/test-sketch.R", "tests/testthat/test-slices.R"
)
# The first is generated.
files <- setdiff(files, c("R/extendr-wrappers.R", waiting))
found <- unlist(lapply(files, too_long))
if (length(found) > 0L) {
  writeLines(c(found, paste("Lines of more than", limit, "characters: break them.")))
  quit(status = 1L)
}
