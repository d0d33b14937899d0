kinds <- function(object, modality = NULL, cells = "same", coords = tissue()$spots) {
  vapply(read_modalities(object, modality, cells, coords), `[[`, "", "kind")
}

renamed <- function(names, counts = tissue()$counts) rlang::set_names(counts[seq_along(names)], names)

test_that("the kind comes from features, then the name, then values, then the number of features", {
  counts <- tissue()$counts
  expect_identical(kinds(counts), c(RNA = "rna", ADT = "protein", ATAC = "atac"))
  expect_identical(
    kinds(renamed(c("Spatial", "Antibody.Capture", "x"))),
    c(Spatial = "rna", Antibody.Capture = "protein", x = "atac")
  )
  expect_identical(kinds(renamed(c("a", "b"))), c(a = "rna", b = "protein"))
  rownames(counts$ATAC) <- sub("-", ":", rownames(counts$ATAC))
  expect_identical(kinds(list(a = counts$RNA, b = counts$ATAC))[["b"]], "atac")
  peaks <- counts$ATAC
  rownames(peaks) <- paste0("f", seq_len(nrow(peaks)))
  expect_identical(kinds(list(RNA = counts$RNA, peaks = peaks))[["peaks"]], "atac")
})

test_that("genes with a dash and a number are no peaks", {
  counts <- tissue()$counts
  rownames(counts$RNA) <- paste0("HLA-", seq_len(nrow(counts$RNA)))
  expect_identical(kinds(list(a = counts$RNA, b = counts$ADT))[["a"]], "rna")
})

test_that("negative values of an unknown name are features; a given kind wins over everything", {
  counts <- tissue()$counts
  below <- as.matrix(counts$ADT) - 5
  expect_identical(kinds(list(RNA = counts$RNA, b = below))[["b"]], "features")
  expect_identical(kinds(counts, c(ATAC = "features"))[["ATAC"]], "features")
  expect_identical(kinds(counts[1:2], c("protein", "rna")), c(RNA = "protein", ADT = "rna"))
})

test_that("what was inferred is said, with the reason", {
  read <- read_modalities(tissue()$counts, NULL, "same", tissue()$spots)
  said <- cli::ansi_strip(conditionMessage(expect_message(say_modalities(read))))
  expect_match(said, "\"ADT\" is taken as protein: its name says so.", fixed = TRUE)
  expect_match(said, "\"ATAC\" is taken as atac: its features are regions of the genome.", fixed = TRUE)
})

test_that("kinds that make no sense are refused", {
  expect_spax_error(kinds(tissue()$counts, c(RNA = "dna")), "argument", "modality")
  expect_spax_error(kinds(tissue()$counts, c(HTO = "protein")), "argument", "modality")
  expect_spax_error(kinds(tissue()$counts, c(RNA = "rna", RNA = "atac")), "argument", "modality")
  expect_spax_error(kinds(tissue()$counts, 1), "argument", "modality")
})

test_that("cells are matched by name, and other cells are an error unless asked for", {
  counts <- tissue()$counts[c("RNA", "ADT")]
  n <- ncol(counts$RNA)
  counts$ADT <- counts$ADT[, rev(seq_len(n))]
  read <- read_modalities(counts, NULL, "same", tissue()$spots)
  expect_identical(colnames(read$ADT$x), colnames(read$RNA$x))
  expect_identical(read$ADT$x, tissue()$counts$ADT)
  counts$ADT <- counts$ADT[, 11:n]
  expect_spax_error(kinds(counts), "argument", "object")
  expect_message(read <- read_modalities(counts, NULL, "shared", tissue()$spots), "left out: RNA 10, ADT 0")
  expect_identical(colnames(read$ADT$x), colnames(counts$RNA)[seq_len(n - 10)])
  colnames(counts$ADT) <- paste0("other", seq_len(n - 10))
  expect_spax_error(kinds(counts, cells = "shared"), "argument", "object")
  expect_spax_error(kinds(counts, cells = "both"), "argument", "cells")
})

test_that("cells without names are taken in their order, if all are without", {
  counts <- lapply(tissue()$counts[c("RNA", "ADT")], function(x) {
    colnames(x) <- NULL
    x
  })
  read <- read_modalities(counts, NULL, "same", tissue()$spots)
  expect_identical(colnames(read$ADT$x), rownames(tissue()$spots))
  expect_spax_error(kinds(list(RNA = counts$RNA, ADT = counts$ADT[, -1])), "argument", "object")
  expect_spax_error(kinds(list(RNA = counts$RNA, ADT = tissue()$counts$ADT)), "argument", "object")
})

test_that("features come with cells in rows or in columns", {
  rna <- tissue()$counts$RNA
  x <- t(as.matrix(tissue()$counts$ADT))
  a <- read_modalities(list(RNA = rna, image = x), NULL, "same", NULL)$image$x
  expect_identical(a, read_modalities(list(RNA = rna, image = t(x)), NULL, "same", NULL)$image$x)
  expect_identical(rownames(a), colnames(rna))
})

test_that("lists without names, one modality, one twice and things that are no list are refused", {
  counts <- tissue()$counts
  expect_spax_error(kinds(unname(counts)), "argument", "object")
  expect_spax_error(kinds(counts["RNA"]), "argument", "object")
  expect_spax_error(kinds(counts[c("RNA", "RNA")]), "argument", "object")
  expect_spax_error(kinds(counts$RNA), "argument", "object")
  expect_spax_error(kinds(list(RNA = counts$RNA, ADT = "counts")), "argument", "object")
})

test_that("missing, negative, empty and constant modalities are refused, by name", {
  bad <- function(change, modality = NULL) {
    counts <- tissue()$counts[c("RNA", "ADT")]
    counts$ADT <- change(as.matrix(counts$ADT))
    kinds(counts, modality)
  }
  for (value in list(NA, Inf)) {
    condition <- expect_spax_error(bad(function(x) replace(x, 7, value)), "counts", "object")
    expect_match(conditionMessage(condition), "ADT")
    expect_spax_error(bad(function(x) replace(x, 7, value), c(ADT = "features")), "counts", "object")
  }
  condition <- expect_spax_error(bad(function(x) x - 5), "counts", "object")
  expect_match(conditionMessage(condition), "modality = c(ADT = \"features\")", fixed = TRUE)
  expect_spax_error(bad(function(x) x * 0), "counts", "object")
  expect_spax_error(bad(function(x) x * 0 + 3), "counts", "object")
  expect_spax_error(bad(function(x) x * 0 - 3, c(ADT = "features")), "counts", "object")
})

test_that("negative values are allowed for features, with a note", {
  counts <- list(RNA = tissue()$counts$RNA, ADT = as.matrix(tissue()$counts$ADT) - 5)
  read <- read_modalities(counts, c(ADT = "features"), "same", tissue()$spots)
  expect_message(say_modalities(read), "negative values are taken as they are")
})

test_that("counts that are not whole, and cells without any, are warned of by modality", {
  counts <- tissue()$counts[c("RNA", "ADT")]
  odd <- counts
  odd$ADT@x[1] <- 1.5
  expect_match(conditionMessage(expect_warning(kinds(odd), class = "spaxR_warning_counts")), "ADT")
  empty <- counts
  empty$RNA[, 4] <- 0
  condition <- expect_warning(kinds(empty), class = "spaxR_warning_counts")
  expect_match(conditionMessage(condition), colnames(counts$RNA)[4], fixed = TRUE)
})
