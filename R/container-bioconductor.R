#' Bioconductor objects
#'
#' Every verb of this package that takes a Seurat object takes a SingleCellExperiment too, and a SpatialExperiment, which is one with coordinates: the
#' same arguments, the same numbers, and the same object back. Lists of them are slices as lists of Seurat objects are.
#'
#' Where Seurat has a word of its own, this is what it stands for:
#'
#' | in arguments and help pages | in a SingleCellExperiment |
#' |---|---|
#' | counts: `assay`, or else `layer` | `assay(object, "counts")` |
#' | meta data columns | columns of `colData(object)` |
#' | reduction | `reducedDim(object)` |
#' | `assays` of [RunSpaLORA()] | the main experiment, by `mainExpName(object)` (`"main"` where that is NULL), and alternative experiments |
#' | image | `sample_id` of a SpatialExperiment |
#' | `imputed.assay` | alternative experiment with the assay `imputed` |
#' | graph | `colPair(object)` |
#' | `Tool(object, "RunSpaCross")` | `metadata(object)$spaxR$RunSpaCross` |
#'
#' Coordinates are those of a SpatialExperiment, or two columns of `colData` (`coords = c("x", "y")`), or a table; see [SpatialCoords()]. Cells need names that are
#' unique (`colnames(object)`). Counts that are not in memory (DelayedArray, HDF5) are read in blocks of columns into a sparse matrix, which has to fit.
#'
#' The package SpatialExperiment need not be installed to read the coordinates of such an object.
#'
#' @name bioconductor
#' @aliases SingleCellExperiment SpatialExperiment
#' @seealso [RunSpaCross()], [RunSpaLORA()], [SpatialCoords()].
#' @examplesIf requireNamespace("SingleCellExperiment", quietly = TRUE)
#' slice <- cortex_slice(small = TRUE)
#' counts <- list(counts = slice$counts)
#' sce <- SingleCellExperiment::SingleCellExperiment(counts, colData = slice$spots)
#' sce <- RunSpaCross(sce, n.domains = 4, coords = c("x", "y"), epochs = 30, verbose = FALSE)
#' sce
#' table(sce$spacross_domain, sce$label)
#' DomainMetrics(sce, coords = c("x", "y"), truth = "label")
NULL

# SingleCellExperiment, and SpatialExperiment, which is one with coordinates. The packages they come from are only asked for where there is such
# an object.

# Results go back by name, and a name that is made up here would be nowhere in the object.
cell_names.SingleCellExperiment <- function(object) {
  if (is.null(colnames(object))) {
    abort_spax("argument", c(
      "The cells of the {.cls {class(object)[[1L]]}} have no names.",
      "i" = "Name them first: {.code colnames(object) <- make.unique(object$Barcode)}, or {.code paste0(\"cell\", seq_len(ncol(object)))}."
    ), "object")
  }
  if (anyDuplicated(colnames(object))) abort_shared_names(object)
  colnames(object)
}

abort_shared_names <- function(object) {
  # The column that tells the cells of one name apart, if there is one.
  sample <- Find(
    function(name) !anyDuplicated(paste(meta_table(object)[[name]], colnames(object))), names(sample_columns(meta_table(object)))
  )
  if (is.null(sample)) check_unique(colnames(object), "object")
  column <- deparse(as.name(sample), backtick = TRUE)
  abort_spax("argument", c(
    "Cells of several samples of {.arg object} share their names.",
    "i" = "Put the sample in front: {.code colnames(object) <- paste(object${column}, colnames(object), sep = \"_\")}."
  ), "object")
}

# Columns stored as runs (Rle) come as plain vectors.
meta_table.SingleCellExperiment <- function(object) {
  lapply(as.list(SummarizedExperiment::colData(object)), S4Vectors::decode)
}

identities.SingleCellExperiment <- function(object) NULL

write_columns.SingleCellExperiment <- function(object, columns) {
  rows <- match(cell_names(object), rownames(columns))
  for (name in names(columns)) SummarizedExperiment::colData(object)[[name]] <- columns[[name]][rows]
  object
}

check_assay.SingleCellExperiment <- function(object, assay) {
  if (!is.null(assay)) check_assay_name(object, assay, "assay")
  assay
}

check_assay_name <- function(experiment, name, argument) {
  known <- SummarizedExperiment::assayNames(experiment)
  if (!rlang::is_string(name) || !name %in% known) {
    abort_spax("argument", c(
      "The object has no assay {show_value(name)}.",
      "i" = if (length(known)) {
        "There {cli::qty(length(known))}{?is/are} {.val {known}}: give the one with the raw counts as {.arg {argument}}."
      } else {
        "Its assays have no names: name them, as in {.code assayNames(object) <- \"counts\"}."
      }
    ), argument)
  }
}

assay_cells.SingleCellExperiment <- function(object, assay) cell_names(object)

view_cells.SingleCellExperiment <- function(object, cells) object[, match(cells, cell_names(object))]

# What a layer is to Seurat is an assay here: either argument names it.
stored_counts.SingleCellExperiment <- function(object, assay, layer) named_assay(object, assay %||% layer, cell_names(object), "assay")

named_assay <- function(experiment, name, cells, argument) {
  check_assay_name(experiment, name, argument)
  counts <- SummarizedExperiment::assay(experiment, name, withDimnames = TRUE)
  # An alternative experiment has the cells of the main one in their order, but maybe no names for them.
  colnames(counts) <- cells
  as_counts(counts)
}

# The main experiment need not have a name.
main_experiment <- function(object) SingleCellExperiment::mainExpName(object) %||% "main"

experiment_names.SingleCellExperiment <- function(object) c(main_experiment(object), SingleCellExperiment::altExpNames(object))

experiment_counts.SingleCellExperiment <- function(object, name, layer) {
  experiment <- if (name == main_experiment(object)) object else SingleCellExperiment::altExp(object, name)
  named_assay(experiment, layer, cell_names(object), "layer")
}

experiment_kind.SingleCellExperiment <- function(object, name) NULL

modality_home.SingleCellExperiment <- function(object, name) name

reduction_names.SingleCellExperiment <- function(object) SingleCellExperiment::reducedDimNames(object)

reduction_matrix.SingleCellExperiment <- function(object, name) {
  embedding <- as.matrix(SingleCellExperiment::reducedDim(object, name))
  rownames(embedding) <- cell_names(object)
  embedding
}

write_reduction.SingleCellExperiment <- function(object, embedding, name, key, assay, misc) {
  cells <- cell_names(object)
  SingleCellExperiment::reducedDim(object, name) <- name_embedding(embedding[cells, , drop = FALSE], cells, key)
  object
}

drop_results.SingleCellExperiment <- function(object, columns, reductions) {
  for (name in columns) SummarizedExperiment::colData(object)[[name]] <- NULL
  for (name in reductions) SingleCellExperiment::reducedDim(object, name) <- NULL
  object
}

check_imputed_assay.SingleCellExperiment <- function(object, imputed, assay) {
  if (identical(imputed, main_experiment(object))) {
    abort_spax("argument", c(
      "{.arg imputed.assay} is {.val {imputed}}, the main experiment, which would be hidden by it.",
      "i" = "Choose another name."
    ), "imputed.assay")
  }
}

# Other genes than the main experiment's, so an experiment beside it.
write_imputed.SingleCellExperiment <- function(object, values, name) {
  SingleCellExperiment::altExp(object, name) <- SummarizedExperiment::SummarizedExperiment(list(imputed = values))
  object
}

write_graph.SingleCellExperiment <- function(object, graph, name, assay) {
  edges <- methods::as(graph, "TsparseMatrix")
  SingleCellExperiment::colPair(object, name) <- S4Vectors::SelfHits(edges@i + 1L, edges@j + 1L, nnode = ncol(object), x = edges@x)
  object
}

# Objects that were bound together have the entries of all: what each keeps is of a part, and of the whole there is none.
kept_metadata <- function(object) {
  entries <- which(names(S4Vectors::metadata(object)) == "spaxR")
  if (length(entries) == 1L) S4Vectors::metadata(object)[[entries]]
}

run_names.SingleCellExperiment <- function(object) names(kept_metadata(object))

run_parts.SingleCellExperiment <- function(object, name) kept_metadata(object)[[name]]

write_run.SingleCellExperiment <- function(object, name, parts) {
  runs <- last_of_runs(kept_metadata(object), name, parts)
  others <- names(S4Vectors::metadata(object)) != "spaxR"
  S4Vectors::metadata(object) <- c(S4Vectors::metadata(object)[others], list(spaxR = runs))
  object
}

run_code.SingleCellExperiment <- function(object, name) paste0("metadata(object)$spaxR$", name)

# The coordinates of a SpatialExperiment, cells x columns; NULL where there are none. Where its package is missing they are read from
# where it puts them.
spatial_matrix <- function(object) {
  if (!methods::is(object, "SpatialExperiment")) {
    return(NULL)
  }
  place <- if (nzchar(system.file(package = "SpatialExperiment"))) {
    # Not `::`: DESCRIPTION cannot suggest it, since some systems with SingleCellExperiment have no package of it.
    getExportedValue("SpatialExperiment", "spatialCoords")(object)
  } else {
    SingleCellExperiment::int_colData(object)$spatialCoords
  }
  if (length(dim(place)) == 2L && ncol(place) >= 2L) place
}

# As the readers of Space Ranger's output name them: pixels of the full-size image, x to the right and y downwards.
visium_pixels <- c("pxl_col_in_fullres", "pxl_row_in_fullres")

image_coords.SingleCellExperiment <- function(object) {
  place <- spatial_matrix(object)
  if (is.null(place)) {
    abort_spax("coords", c(
      "The {.cls {class(object)[[1L]]}} has no spatial coordinates of its own.",
      "i" = "Give {.arg coords}: a data frame, or two columns of its {.code colData} as in {.code coords = c(\"x\", \"y\")}."
    ), "coords")
  }
  if (all(visium_pixels %in% colnames(place))) place <- place[, visium_pixels, drop = FALSE]
  # Rows are the object's cells, whatever they are called.
  table <- read_coords(unname_rows(place), NULL)
  rownames(table) <- cell_names(object)
  table$image <- sample_ids(object)
  source <- paste("the columns", paste0("\"", attr(table, "found")$columns, "\"", collapse = " and "), "of spatialCoords")
  structure(table, found = list(source = source))
}

unname_rows <- function(x) {
  rownames(x) <- NULL
  x
}

# In the order of the object; NULL where it has none.
sample_ids <- function(object) {
  ids <- meta_table(object)$sample_id
  if (!is.null(ids)) droplevels(factor(ids, if (is.factor(ids)) levels(ids) else unique(ids)))
}

image_names.SingleCellExperiment <- function(object) {
  if (!is.null(spatial_matrix(object))) levels(sample_ids(object)) %||% "image"
}

image_cells.SingleCellExperiment <- function(object) if (!is.null(spatial_matrix(object))) cell_names(object)
