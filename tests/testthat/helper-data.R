# The small slice that ships with the package, and what tests build from it.

small <- function() cortex_slice(small = TRUE)

small_xy <- function() small()$spots[c("x", "y")]

# A run short enough for a test.
quick <- function(counts = small()$counts, n.domains = 4, coords = small_xy(), ..., epochs = 12, verbose = FALSE) {
  RunSpaCross(counts, n.domains = n.domains, coords = coords, ..., epochs = epochs, verbose = verbose)
}

# Trained once for all tests of one file.
quick_fit <- local({
  fit <- NULL
  function() {
    if (is.null(fit)) fit <<- quick()
    fit
  }
})

small_seurat <- function(meta = TRUE) {
  skip_if_not_installed("Seurat")
  slice <- small()
  object <- suppressWarnings(SeuratObject::CreateSeuratObject(slice$counts))
  if (meta) object <- SeuratObject::AddMetaData(object, slice$spots[c("x", "y", "label")])
  object
}

quick_seurat <- function(
  object = small_seurat(), n.domains = 4, coords = c("x", "y"), ..., epochs = 12, verbose = FALSE
) {
  RunSpaCross(object, n.domains = n.domains, coords = coords, ..., epochs = epochs, verbose = verbose)
}

# Three well separated clouds.
clouds <- function(n = 40, seed = 1) {
  withr::with_seed(seed, {
    centres <- rep(c(0, 8, 16), each = n)
    x <- matrix(centres, 3 * n, 4) + matrix(stats::rnorm(12 * n), 3 * n)
  })
  rownames(x) <- paste0("c", seq_len(nrow(x)))
  x
}

same_partition <- function(a, b) {
  counts <- table(a, b) > 0
  all(rowSums(counts) == 1) && all(colSums(counts) == 1)
}

# An error of this class, about this argument.
expect_spax_error <- function(code, kind, argument = NULL) {
  condition <- expect_error(code, class = paste0("spaxR_error_", kind))
  expect_s3_class(condition, "spaxR_error")
  if (!is.null(argument)) expect_identical(condition$argument, argument)
  invisible(condition)
}

# What an error says: the same text for every version of testthat.
said <- function(code) {
  condition <- tryCatch(code, error = identity)
  writeLines(c(
    paste0("<", class(condition)[[1]], "> in ", rlang::as_label(condition$call[[1]])),
    cli::ansi_strip(conditionMessage(condition))
  ))
}
