# The main job of spaxR on a real slice: from a Seurat object to spatial domains.
#
#   Rscript cortex.R [folder for the results]
#
# Writes labels.csv, embedding.csv and domains.png.

suppressPackageStartupMessages({
  library(spaxR)
  library(SeuratObject)
  library(ggplot2)
})
folder <- c(commandArgs(trailingOnly = TRUE), "demo-output")[[1L]]
dir.create(folder, showWarnings = FALSE, recursive = TRUE)

# A Visium slice of human cortex that comes with the package, as a Seurat object with coordinates and the annotated
# layers.
slice <- cortex_slice()
cortex <- CreateSeuratObject(slice$counts, project = "DLPFC 151673")
cortex <- AddMetaData(cortex, slice$spots[c("x", "y", "label")])
print(cortex)

cortex <- RunSpaCross(cortex, n.domains = 7, coords = c("x", "y"))

# Results: the domain of each spot, the embedding, and a picture.
labels <- data.frame(spot = Cells(cortex), domain = cortex$spacross_domain, layer = cortex$label)
embedding <- data.frame(spot = Cells(cortex), Embeddings(cortex, "spacross"))
files <- file.path(folder, c("labels.csv", "embedding.csv", "domains.png"))
write.csv(labels, files[[1L]], row.names = FALSE)
write.csv(embedding, files[[2L]], row.names = FALSE)

domains <- DomainPlot(
  cortex,
  group.by = c("spacross_domain", "label"), coords = c("x", "y"), y.down = TRUE, confidence = TRUE,
  titles = c("Domains, paler where unsure", "Annotated layers")
)
picture <- patchwork::wrap_plots(domains, TrainingPlot(cortex), widths = c(2.2, 1))
ggsave(files[[3L]], picture, width = 15, height = 5, dpi = 120)

quality <- DomainMetrics(cortex, coords = c("x", "y"), truth = "label")
timings <- Tool(cortex, "RunSpaCross")$timings
cat(sprintf(
  "\nAdjusted Rand index against the annotated layers: %.3f (%d spots without annotation left out)\n\n", quality$ARI,
  quality$n_left_out
))
total <- data.frame(stage = "all", wall = sum(timings$wall), cpu = sum(timings$cpu))
cat("Seconds of each stage (cpu: all threads together)\n")
print(format(rbind(timings, total), digits = 2, nsmall = 2), row.names = FALSE)
cat("\nResults:\n", paste0("  ", normalizePath(files), "\n"), sep = "")
