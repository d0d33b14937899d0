# A small simulated tissue, and what tests build from it.

tissue <- local({
  made <- NULL
  function() {
    if (is.null(made)) made <<- simulate_tissue(n.cells = 300)
    made
  }
})

# A run short enough for a test.
quick_lora <- function(
  object = tissue()$counts[c("RNA", "ADT")], n.domains = 5, coords = tissue()$spots, ..., epochs = 8, verbose = FALSE
) {
  RunSpaLORA(object, n.domains = n.domains, coords = coords, ..., epochs = epochs, verbose = verbose)
}

# Trained once for all tests of one file.
quick_lora_fit <- local({
  fit <- NULL
  function() {
    if (is.null(fit)) fit <<- quick_lora()
    fit
  }
})

tissue_seurat <- function(modalities = c("RNA", "ADT")) {
  skip_if_not_installed("Seurat")
  counts <- tissue()$counts
  object <- suppressWarnings(SeuratObject::CreateSeuratObject(counts$RNA))
  for (name in setdiff(modalities, "RNA")) {
    object[[name]] <- suppressWarnings(SeuratObject::CreateAssayObject(counts[[name]]))
  }
  SeuratObject::AddMetaData(object, tissue()$spots)
}

quick_lora_seurat <- function(
  object = tissue_seurat(), assays = c("RNA", "ADT"), n.domains = 5, coords = c("x", "y"), ..., epochs = 8,
  verbose = FALSE
) {
  RunSpaLORA(object, assays, n.domains = n.domains, coords = coords, ..., epochs = epochs, verbose = verbose)
}
