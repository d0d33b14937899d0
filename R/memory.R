# Whether the machine has the memory, before long work: an allocation that fails in compiled code would end R. What is counted is what an operation holds for sure,
# so that nothing is refused that could run; what a training needs beside that, the core knows once it has prepared its input.

# Bytes that can be had, or that the user allows (the option is in GB); NA where nobody can tell: only Linux says.
memory_left <- function() {
  allowed <- getOption("spaxR.memory")
  if (is.null(allowed)) {
    return(core(core_available_memory()))
  }
  if (!is.numeric(allowed) || length(allowed) != 1L || is.na(allowed) || allowed <= 0) {
    abort_spax("argument", "The option {.code spaxR.memory} must be one number of GB above 0, not {show_value(allowed)}.", "spaxR.memory")
  }
  allowed * 1e9
}

check_memory <- function(needed, remedy) {
  left <- memory_left()
  if (!is.na(left) && needed > left) {
    abort_spax("memory", c(
      "This needs at least {format_bytes(needed)} of memory, and {format_bytes(left)} are {if (is.null(getOption('spaxR.memory'))) 'free' else 'allowed'}.",
      "i" = remedy, "i" = "{.code options(spaxR.memory = )} says in GB how much may be used, where that is not what the machine has free."
    ))
  }
}

# A run: its input prepared, its graph with `neighbours` a cell, its columns, the result in R. (Held against the peaks in bench/README.md, all of which are higher.)
check_run_memory <- function(task, neighbours) {
  n <- as.double(length(task$cells))
  matrices <- if (is.null(task$modalities)) list(task$counts %||% task$embedding) else lapply(task$modalities, `[[`, "x")
  input <- sum(vapply(matrices, function(x) if (inherits(x, "dgCMatrix")) 8 * as.double(length(x@x)) else 4 * as.double(length(x)), 0))
  columns <- length(matrices) * min(task$options$n_components %||% 30, vapply(matrices, function(x) min(dim(x)), 0L))
  # Genes x cells as the core gives them, turned, and in R.
  imputed <- if (isTRUE(task$impute)) 20 * n * min(task$options$n_genes %||% Inf, nrow(task$counts)) else 0
  check_memory(
    input + n * (4 * columns + 8 * neighbours + 8 * (task$options$latent %||% 15)) + imputed,
    paste("Use fewer genes or components (see {.arg options}),", if (imputed > 0) "no {.arg impute}," else "a {.arg sketch},", "or a machine with more memory.")
  )
}

# An edge is an index in the core, and an index, its copy and a number in R.
check_graph_memory <- function(n, neighbours, argument) {
  check_memory(20 * as.double(n) * neighbours, paste0("Use a smaller {.arg ", argument, "}."))
}

# Mixtures look at centred columns in double precision, and keep each cell's chance of each domain.
check_domains_memory <- function(x, n) {
  check_memory(8 * as.double(nrow(x[[1L]])) * (sum(vapply(x, ncol, 0L)) + n), "Use fewer columns ({.arg dims}) or domains.")
}

# Counts log-normalised, and turned, beside the input; components.
check_align_memory <- function(counts, n) {
  entries <- if (is.null(counts)) 0 else length(counts@x)
  check_memory(24 * as.double(entries) + 8 * 15 * as.double(n), "Align by the coordinates alone ({.code counts = NULL}, of an object {.code counts = FALSE}), or with fewer genes.")
}
