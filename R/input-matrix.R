# From what users hold to a dgCMatrix of genes x cells, by accessor functions only.

as_counts <- function(x, argument = "object") {
  check_matrix_like(x, argument)
  if (is.data.frame(x)) {
    check_frame(x, argument)
    x <- as.matrix(x)
  }
  if (is.matrix(x) && !is.numeric(x) && !is.logical(x)) {
    abort_spax("counts", c(
      "{.arg {argument}} must hold numbers, not values of type {typeof(x)}.",
      "i" = "Give a matrix of raw counts, genes in rows and cells in columns."
    ), argument)
  }
  name_counts(to_dgc(x, argument), argument)
}

# Tables read from files have the genes in a column.
check_frame <- function(x, argument) {
  text <- names(x)[!vapply(x, function(column) is.numeric(column) || is.logical(column), NA)]
  if (length(text) == 1L) {
    abort_spax("counts", c(
      "{.arg {argument}} must hold numbers; its column {.val {text}} does not.",
      "i" = paste(
        "If it holds the genes, make them the row names of a matrix of the rest: of a plain data frame",
        "{.code m <- as.matrix(x[names(x) != \"{text}\"]); rownames(m) <- x${text}}."
      )
    ), argument)
  }
}

check_matrix_like <- function(x, argument) {
  like <- is.data.frame(x) || (length(dim(x)) == 2L)
  if (!like) {
    abort_spax("argument", c(
      "{.arg {argument}} must be a matrix of counts (genes x cells) or a Seurat object, not {show_value(x)}.",
      if (is.list(x)) c("i" = "Of several slices give one at a time, for instance by {.fn lapply}.")
    ), argument)
  }
  if (any(dim(x) == 0L)) {
    abort_spax("counts", c(
      "{.arg {argument}} has {nrow(x)} genes and {ncol(x)} cells.",
      "i" = "Give a matrix with genes in rows and cells in columns."
    ), argument)
  }
}

to_dgc <- function(x, argument) {
  if (inherits(x, "dgCMatrix")) {
    return(x)
  }
  if (inherits(x, "DelayedMatrix")) {
    return(delayed_to_dgc(x))
  }
  if (is.matrix(x)) storage.mode(x) <- "double"
  tryCatch(
    methods::as(methods::as(methods::as(x, "CsparseMatrix"), "generalMatrix"), "dMatrix"),
    error = function(e) other_to_dgc(x, argument)
  )
}

# Matrices of other packages (BPCells) bring their own conversion.
other_to_dgc <- function(x, argument) {
  tryCatch(methods::as(x, "dgCMatrix"), error = function(e) {
    remedy <- if (inherits(x, "SummarizedExperiment")) {
      "Make it an object with cells: {.code as(x, \"SingleCellExperiment\")}."
    } else if (inherits(x, c("Assay", "StdAssay"))) {
      "Give the Seurat object that holds this assay, and {.arg assay}."
    } else {
      "Convert it first, for instance with {.code as(x, \"dgCMatrix\")}."
    }
    abort_spax("argument", c(
      "{.arg {argument}} of class {.cls {class(x)}} cannot be made a sparse matrix: {conditionMessage(e)}", "i" = remedy
    ), argument)
  })
}

name_counts <- function(x, argument) {
  # Without names of their own, cells and genes get numbered ones.
  cells <- colnames(x) %||% paste0("cell", seq_len(ncol(x)))
  genes <- rownames(x) %||% paste0("gene", seq_len(nrow(x)))
  dimnames(x) <- list(genes, check_unique(cells, argument))
  x
}

# Not by its own conversion, which makes one dense matrix of all that is not stored sparse: in blocks of columns that
# fit into some 100 MB.
delayed_to_dgc <- function(x, block = 1e7) {
  width <- max(1, floor(block / max(1, nrow(x))))
  starts <- seq(1, ncol(x), by = width)
  blocks <- lapply(starts, function(start) {
    to_dgc(as.matrix(x[, seq(start, min(start + width - 1, ncol(x))), drop = FALSE]), "object")
  })
  do.call(cbind, blocks)
}

# Checks the values and says what is unusual. Returns the cells without counts (1-based).
check_counts <- function(counts) {
  found <- core(core_check_counts(counts@p, counts@i, counts@x, nrow(counts)))
  if (!found$whole) {
    warn_spax("counts", c(
      "The counts are not whole numbers.",
      "i" = "Genes are chosen and cells scaled by raw counts: give those (for Seurat, {.code layer = \"counts\"})."
    ), "counts")
  }
  empty <- found$empty_cells
  if (length(empty) == ncol(counts)) {
    abort_spax("counts", c("All counts are zero.", "i" = "Check the assay and layer."), "counts")
  }
  if (length(empty) > 0L) {
    warn_spax("counts", c(
      "{length(empty)} cell{?s} without any counts: {some_of(colnames(counts)[empty])}.",
      "i" = "{cli::qty(length(empty))}{?It keeps/They keep} a label, but one that rests on the neighbours alone."
    ), "counts")
  }
  empty
}

# Side by side, genes united: a gene that a layer lacks is zero there.
join_layers <- function(parts) {
  genes <- unique(unlist(lapply(parts, rownames)))
  as_counts(do.call(cbind, lapply(parts, expand_rows, genes = genes)))
}

expand_rows <- function(x, genes) {
  to <- match(rownames(x), genes)
  selector <- Matrix::sparseMatrix(i = to, j = seq_along(to), x = 1, dims = c(length(genes), length(to)))
  result <- selector %*% x
  dimnames(result) <- list(genes, colnames(x))
  result
}

# An embedding: a numeric matrix of cells x columns without holes.
as_embedding <- function(x, argument = "object") {
  if (is.data.frame(x) || inherits(x, "Matrix")) x <- as.matrix(x)
  if (!is.matrix(x) || !is.numeric(x) || any(dim(x) == 0L)) {
    abort_spax("argument", c(
      "{.arg {argument}} must be a numeric matrix with cells in rows, not {show_value(x)}."
    ), argument)
  }
  if (!all(is.finite(x))) {
    abort_spax("argument", c(
      "{.arg {argument}} has missing or infinite values.",
      "i" = "Leave out those cells or columns."
    ), argument)
  }
  if (!is.null(rownames(x))) check_unique(rownames(x), argument)
  storage.mode(x) <- "double"
  x
}

pick_dims <- function(x, dims) {
  if (is.null(dims)) {
    return(x)
  }
  ok <- is.numeric(dims) && length(dims) > 0L && all(dims %in% seq_len(ncol(x)))
  if (!ok) {
    abort_spax("argument", c(
      "{.arg dims} must be columns of the reduction, from 1 to {ncol(x)}.",
      "i" = "For instance {.code dims = 1:{min(30, ncol(x))}}."
    ), "dims")
  }
  x[, dims, drop = FALSE]
}
