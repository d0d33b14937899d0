# What the systems of one matrix (counts, or columns of a reduction) share, see registry.R; `...`: what each has alone.
matrix_system <- function(...) {
  list(
    modalities = FALSE,
    model = NULL,
    parts = c("input", "columns", "kept", "genes"),
    restore = restore_matrix_model,
    source = matrix_source,
    parts_of = matrix_parts,
    told = report_genes,
    found = found_embedding,
    more = genes_used,
    own = matrix_model_parts,
    read_new = read_new_matrix,
    new_parts = new_matrix_parts,
    write = write_result,
    ...
  )
}

# The counts, or the columns to train on.
matrix_parts <- function(task) {
  list(
    if (is.null(task$embedding)) {
      counts_part("counts", "rna", task$counts)
    } else {
      columns_part("reduction", task$embedding)
    }
  )
}

# Slices on different panels, or with names of different kinds, share few genes: never silently.
report_genes <- function(info, task) {
  if (task$verbose) say_mitochondrial(rownames(task$counts)[from_zero(info$genes)])
  if (is.null(task$slices) || length(info$n_kept) < 2L) {
    return(invisible())
  }
  used <- length(info$genes)
  if (task$verbose) {
    cli::cli_inform("The {length(info$n_kept)} slices share {info$n_shared} genes; {used} of them are used.")
  }
  if (info$n_shared < 0.5 * min(info$n_kept)) {
    warn_spax("counts", c(
      paste(
        "The slices share {info$n_shared} genes, of {paste(info$n_kept, collapse = \", \")}",
        "that pass the filter slice by slice; {used} are used."
      ),
      "i" = "Check that all slices name their genes alike, or lower {.code min_cells} in {.fn spacross_options}."
    ), "object")
  }
}

# They vary with the quality of cells as much as with their kind.
say_mitochondrial <- function(genes) {
  found <- grep("^mt[-.]", genes, ignore.case = TRUE, value = TRUE)
  if (length(found) > 0L) {
    cli::cli_inform(c(
      "i" = paste(
        "Among the {length(genes)} genes used are mitochondrial ones: {some_of(found)}.",
        "Leave them out of {.arg object} if they show the quality of cells."
      )
    ))
  }
}

found_embedding <- function(found, modalities, cells, key) list(embedding = name_embedding(found$embedding, cells, key))

genes_used <- function(found, task) list(genes = rownames(task$counts)[from_zero(found$info$genes)])
