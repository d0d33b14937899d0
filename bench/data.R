# The labelled real slices that the accuracy benchmark uses. They are not part of the package (their licences differ):
# put them, as the .rds files that README.md here describes, into the folder named by SPAX_DATA_DIR.

slices <- list(
  dlpfc_151673 = list(domains = 7, preset = "visium"),
  dlpfc_151674 = list(domains = 7, preset = "visium"),
  osmfish_cortex = list(domains = 11, preset = "osmfish"),
  starmap_mpfc_BZ5 = list(domains = 4, preset = "starmap"),
  starmap_mpfc_BZ9 = list(domains = 4, preset = "starmap")
)

read_slice <- function(name) {
  folder <- Sys.getenv("SPAX_DATA_DIR")
  if (!nzchar(folder)) stop("Set SPAX_DATA_DIR to the folder with the .rds files of the slices.")
  slice <- readRDS(file.path(folder, paste0(name, ".rds")))
  if (is.null(rownames(slice$spots)) || !identical(rownames(slice$spots), colnames(slice$counts))) {
    rownames(slice$spots) <- colnames(slice$counts)
  }
  slice
}

# Barcodes repeat between Visium slices.
read_renamed <- function(name) {
  slice <- read_slice(name)
  colnames(slice$counts) <- rownames(slice$spots) <- paste(name, colnames(slice$counts), sep = "_")
  slice
}

ari <- function(labels, truth) {
  keep <- !is.na(truth)
  mclust::adjustedRandIndex(labels[keep], truth[keep])
}
