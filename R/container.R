# What the verbs ask of an object that holds cells, whatever its class: internal generics, with their methods for Seurat in container-seurat.R and for
# SingleCellExperiment (and so SpatialExperiment) in container-bioconductor.R. The verbs' own methods are written once over these.
# They are found from within the package only: give lapply() and its like a function that calls one, not the generic.

is_container <- function(x) inherits(x, c("Seurat", "SingleCellExperiment"))

# Names of the cells, unique, in the object's order.
cell_names <- function(object) UseMethod("cell_names")

# Columns with a value a cell, by name.
meta_table <- function(object) UseMethod("meta_table")

# The groups that the object itself works with, one value a cell; NULL where there are none.
identities <- function(object) UseMethod("identities")

# Writes the columns of a data frame whose row names are cells.
write_columns <- function(object, columns) UseMethod("write_columns")

# The assay that counts come from: NULL is the default.
check_assay <- function(object, assay) UseMethod("check_assay")

# The cells that an assay has, of all or a part; and the object with these cells only, in its order, for reading.
assay_cells <- function(object, assay) UseMethod("assay_cells")
view_cells <- function(object, cells) UseMethod("view_cells")

# Counts as a dgCMatrix of genes x cells, all cells in the object's order.
stored_counts <- function(object, assay, layer) UseMethod("stored_counts")

# What holds features of its own and so can be a modality, by name; the counts of one, with the cells that it has; and what it says of its kind, if
# anything: list(kind, why).
experiment_names <- function(object) UseMethod("experiment_names")
experiment_counts <- function(object, name, layer) UseMethod("experiment_counts")
experiment_kind <- function(object, name) UseMethod("experiment_kind")

# The experiment that a modality belongs to: a reduction may belong to one.
modality_home <- function(object, name) UseMethod("modality_home")

# Embeddings: their names; one as a matrix of cells x columns, with the cells that it has; and writing one.
reduction_names <- function(object) UseMethod("reduction_names")
reduction_matrix <- function(object, name) UseMethod("reduction_matrix")
write_reduction <- function(object, embedding, name, key, assay, misc) UseMethod("write_reduction")

# Takes out what an earlier run wrote.
drop_results <- function(object, columns, reductions) UseMethod("drop_results")

# Reconstructed expression, genes x cells; refused before the run where it would take the place of something measured.
check_imputed_assay <- function(object, imputed, assay) UseMethod("check_imputed_assay")
write_imputed <- function(object, values, name) UseMethod("write_imputed")

# A sparse matrix of cells x cells.
write_graph <- function(object, graph, name, assay) UseMethod("write_graph")

# The parts of a run that are kept beside its results, by the name of the verb (runs.R); NULL for a run that never was. run_names() has the last one
# last; run_code() says how a user gets at them.
run_names <- function(object) UseMethod("run_names")
run_parts <- function(object, name) UseMethod("run_parts")
write_run <- function(object, name, parts) UseMethod("write_run")
run_code <- function(object, name) UseMethod("run_code")

# Coordinates that the object itself holds, as SpatialCoords() gives them; the names of the images that they come from (none: there are no such
# coordinates), and the cells that lie in any.
image_coords <- function(object) UseMethod("image_coords")
image_names <- function(object) UseMethod("image_names")
image_cells <- function(object) UseMethod("image_cells")

# The columns of domains that the runs write by default.
domain_names <- function() paste0(system_names(), "_domain")

# A column, named by cell; "ident" stands for the object's own groups, as in Seurat.
meta_column <- function(object, column, argument) {
  table <- meta_table(object)
  if (identical(column, "ident") && !"ident" %in% names(table)) table$ident <- identities(object)
  if (!rlang::is_string(column) || !column %in% names(table)) {
    abort_spax("argument", c(
      if (rlang::is_string(column)) {
        "The meta data has no column {show_value(column)}."
      } else {
        "{.arg {argument}} must be the name of a column of the meta data, not {show_value(column)}."
      },
      "i" = if (rlang::is_string(column)) {
        did_you_mean(column, names(table))
      } else if (length(column) == length(cell_names(object))) {
        "Give the name of the column, not its values: {.code {argument} = \"...\"} and not {.code {argument} = object$...}."
      } else {
        "Give the name of one column."
      }
    ), argument)
  }
  values <- table[[column]]
  if (!is.atomic(values) || !is.null(dim(values))) {
    abort_spax("argument", c(
      "The column {.val {column}} of the meta data is a {.cls {class(values)[[1L]]}}, not one value a cell.",
      "i" = "Choose a column of labels or numbers."
    ), argument)
  }
  rlang::set_names(values, cell_names(object))
}

# Values named by cell.
write_column <- function(object, name, values) {
  write_columns(object, rlang::set_names(data.frame(unname(values), row.names = names(values)), name))
}

# A reduction as a matrix with the object's cells in order.
stored_reduction <- function(object, reduction, dims) {
  known <- reduction_names(object)
  if (!rlang::is_string(reduction) || !reduction %in% known) {
    abort_spax("argument", c(
      "The object has no reduction {show_value(reduction)}.",
      "i" = if (length(known)) "There {cli::qty(length(known))}{?is/are} {.val {known}}." else "It has none: run {.fn RunSpaCross} or {.fn RunPCA} first."
    ), "reduction")
  }
  embedding <- reduction_matrix(object, reduction)
  absent <- setdiff(cell_names(object), rownames(embedding))
  if (length(absent) > 0L) {
    abort_spax("argument", c(
      "The reduction {.val {reduction}} lacks {length(absent)} cell{?s} of the object: {some_of(absent)}.",
      "i" = "Compute it for all cells first."
    ), "reduction")
  }
  pick_dims(as_embedding(embedding[cell_names(object), , drop = FALSE], "reduction"), dims)
}

# Where conversions from AnnData put the places of cells.
spatial_reduction <- function(object) {
  found <- Filter(function(name) plain_name(name) %in% c("spatial", "xspatial"), reduction_names(object))
  if (length(found) > 0L) found[[1L]]
}

# What keep_coords() kept, as `coords` of a verb; NULL where there is none, or where cells have been renamed since.
kept_coords <- function(object) {
  kept <- run_parts(object, "SpatialCoords")$coords
  known <- if (is.character(kept)) c(names(meta_table(object)), reduction_names(object)) else rownames(kept)
  wanted <- if (is.character(kept)) kept else cell_names(object)
  if (length(kept) > 0L && all(wanted %in% known)) kept
}

# Coordinates from a reduction: its first two columns, or all of three.
reduction_coords <- function(object, name) {
  embedding <- reduction_matrix(object, name)
  axes <- c("x", "y", if (ncol(embedding) == 3L) "z")
  if (ncol(embedding) >= 2L) embedding <- rlang::set_names(data.frame(embedding[, seq_along(axes)]), axes)
  structure(embedding, source = paste0("the reduction \"", name, "\""))
}

is_object_list <- function(object) all(vapply(object, is_container, NA))
