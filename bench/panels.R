# Tissues with several modalities: simulated ones, and slices whose genes are dealt at random into two panels, each a
# modality. Needs data.R here.

read_triple <- function(modalities) {
  x <- readRDS(file.path(Sys.getenv("SPAX_DATA_DIR"), "sim_triple_omics.rds"))
  counts <- list(RNA = x$rna, ADT = x$protein, ATAC = x$atac)[modalities]
  list(
    counts = counts, xy = data.frame(x$spots[c("x", "y")], row.names = colnames(x$rna)), truth = x$spots$label,
    domains = 5
  )
}

# The panels and the lost counts are the same in every run: what varies over the seeds is the method.
read_panels <- function(change, name = "dlpfc_151673") {
  slice <- read_slice(name)
  counts <- deal_panels(withr::with_seed(151673, change(slice$counts)))
  list(
    counts = counts, xy = slice$spots[c("x", "y")], truth = slice$spots$label, domains = slices[[name]]$domains,
    modality = c(A = "rna", B = "rna")
  )
}

deal_panels <- function(counts) {
  first <- withr::with_seed(2, sample(nrow(counts), nrow(counts) %/% 2))
  list(A = counts[sort(first), ], B = counts[-first, ])
}
