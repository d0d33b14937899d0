# From what users hold to a dgCMatrix of genes x cells, by accessor functions only.

as_counts <- function(x, argument = "object") {
  check_matrix_like(x, argument)
  if (is.data.frame(x)) x <- as.matrix(x)
  if (is.matrix(x) && !is.numeric(x) && !is.logical(x)) {
    abort_spax("counts", c(
      "{.arg {argument}} must hold numbers, not values of type {typeof(x)}.",
      "i" = "Give a matrix of raw counts, genes in rows and cells in columns."
    ), argument)
  }
  name_counts(to_dgc(x, argument), argument)
}

check_matrix_like <- function(x, argument) {
  like <- is.data.frame(x) || (length(dim(x)) == 2L)
  if (!like) {
    abort_spax("argument", c(
      "{.arg {argument}} must be a matrix of counts (genes x cells) or a Seurat object, not {show_value(x)}."
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
  if (is.matrix(x)) storage.mode(x) <- "double"
  tryCatch(
    methods::as(methods::as(methods::as(x, "CsparseMatrix"), "generalMatrix"), "dMatrix"),
    error = function(e) other_to_dgc(x, argument)
  )
}

# Matrices on disk (BPCells, DelayedArray) bring their own conversion.
other_to_dgc <- function(x, argument) {
  tryCatch(methods::as(x, "dgCMatrix"), error = function(e) {
    abort_spax("argument", c(
      "{.arg {argument}} of class {.cls {class(x)}} cannot be made a sparse matrix: {conditionMessage(e)}",
      "i" = "Convert it first, for instance with {.code as(x, \"dgCMatrix\")}."
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

# Checks the values and says what is unusual. Returns the cells without counts (1-based).
check_counts <- function(counts) {
  found <- core(core_check_counts(counts@p, counts@i, counts@x, nrow(counts)))
  if (!found$whole) {
    warn_spax("counts", c(
      "The counts are not whole numbers.",
      "i" = "SpaCross ranks genes by their raw counts: give the raw ones (for Seurat, {.code layer = \"counts\"})."
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

# The counts of a Seurat object: cells in the object's order, split layers joined.
seurat_counts <- function(object, assay, layer) {
  assay <- check_assay(object, assay)
  counts <- assay_counts(object, assay, layer)
  absent <- setdiff(colnames(object), colnames(counts))
  if (length(absent) > 0L) {
    abort_spax("argument", c(
      "The layer {.val {layer}} of assay {.val {assay}} lacks {length(absent)} cell{?s} of the object: {some_of(absent)}.",
      "i" = "Subset the object to the cells of this assay, or choose another {.arg assay} or {.arg layer}."
    ), "layer")
  }
  counts
}

# The same with the cells that the assay has.
assay_counts <- function(object, assay, layer) {
  parts <- seurat_layers(object, assay, layer)
  counts <- if (length(parts) == 1L) as_counts(parts[[1L]]) else join_layers(lapply(parts, as_counts))
  cells <- intersect(colnames(object), colnames(counts))
  if (identical(colnames(counts), cells)) counts else as_counts(counts[, cells, drop = FALSE])
}

check_assay <- function(object, assay) {
  assay <- assay %||% SeuratObject::DefaultAssay(object)
  known <- SeuratObject::Assays(object)
  if (!rlang::is_string(assay) || !assay %in% known) {
    abort_spax("argument", c(
      "The object has no assay {show_value(assay)}.",
      "i" = "There {?is/are} {.val {known}}: give one as {.arg assay}."
    ), "assay")
  }
  assay
}

seurat_layers <- function(object, assay, layer) {
  check_name(layer, "layer")
  stored <- object[[assay]]
  if (inherits(stored, "StdAssay")) v5_layers(stored, layer) else v4_layer(stored, layer)
}

# SeuratObject 4 has neither accessor, and R CMD check would look for them there.
v5_layers <- function(stored, layer) {
  accessor <- function(name) getExportedValue("SeuratObject", name)
  known <- accessor("Layers")(stored)
  wanted <- if (layer %in% known) layer else known[startsWith(known, paste0(layer, "."))]
  if (length(wanted) == 0L) abort_layer(layer, known)
  lapply(wanted, function(name) accessor("LayerData")(stored, layer = name))
}

v4_layer <- function(stored, layer) {
  known <- c("counts", "data", "scale.data")
  values <- if (layer %in% known) v4_data(stored, layer) else NULL
  if (is.null(values) || any(dim(values) == 0L)) {
    abort_layer(layer, Filter(function(name) all(dim(v4_data(stored, name)) > 0L), known))
  }
  list(values)
}

# SeuratObject 5 calls `slot` by the name of `layer`.
v4_data <- function(stored, layer) {
  if (utils::packageVersion("SeuratObject") >= "5.0.0") {
    SeuratObject::GetAssayData(stored, layer = layer)
  } else {
    SeuratObject::GetAssayData(stored, slot = layer)
  }
}

abort_layer <- function(layer, known) {
  abort_spax("argument", c(
    "The assay has no layer {.val {layer}}.",
    "i" = "There {cli::qty(length(known))}{?is/are} {.val {known}}: give one as {.arg layer}."
  ), "layer")
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
  if (is.data.frame(x)) x <- as.matrix(x)
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

# A reduction of a Seurat object as a matrix with the object's cells in order.
seurat_reduction <- function(object, reduction, dims) {
  known <- SeuratObject::Reductions(object)
  if (!rlang::is_string(reduction) || !reduction %in% known) {
    abort_spax("argument", c(
      "The object has no reduction {show_value(reduction)}.",
      "i" = if (length(known)) "There {cli::qty(length(known))}{?is/are} {.val {known}}." else "It has none: run {.fn RunSpaCross} or {.fn RunPCA} first."
    ), "reduction")
  }
  embedding <- SeuratObject::Embeddings(object, reduction = reduction)
  absent <- setdiff(colnames(object), rownames(embedding))
  if (length(absent) > 0L) {
    abort_spax("argument", c(
      "The reduction {.val {reduction}} lacks {length(absent)} cell{?s} of the object: {some_of(absent)}.",
      "i" = "Compute it for all cells first."
    ), "reduction")
  }
  pick_dims(as_embedding(embedding[colnames(object), , drop = FALSE], "reduction"), dims)
}

# A column of the meta data, named by cell.
seurat_column <- function(object, column, argument) {
  known <- colnames(object[[]])
  if (!rlang::is_string(column) || !column %in% known) {
    abort_spax("argument", c(
      "The meta data has no column {show_value(column)}.",
      "i" = if (rlang::is_string(column)) did_you_mean(column, known) else "Give the name of one column."
    ), argument)
  }
  rlang::set_names(object[[]][[column]], colnames(object))
}
