# What is measured on the cells of a tissue: several matrices, each of a kind, in one order of cells.

modality_kinds <- function() c("rna", "protein", "atac", "features")

# A list of modalities, each list(name, kind, why, x): `x` is a dgCMatrix of features x cells, or for "features" a
# matrix of cells x columns. `cells` says what to do when they hold different cells. The attribute "argument" of the
# object names what the user gave.
read_modalities <- function(object, modality, cells, coords) {
  argument <- attr(object, "argument") %||% "object"
  check_modality_list(object, argument)
  given <- check_modality_kinds(modality, names(object))
  told <- attr(object, "told")
  kinds <- Map(function(x, name) modality_kind(x, name, given, told[[name]]), object, names(object))
  read <- Map(function(x, kind, name) read_modality(x, kind, name, argument), object, kinds, names(object))
  rule <- check_choice(cells, c("same", "shared"), "cells")
  read <- align_modalities(orient_features(read), rule, coords, argument, attr(object, "cells"))
  lapply(read, check_modality, argument = argument)
}

check_modality_list <- function(object, argument) {
  if (!is.list(object) || is.data.frame(object)) {
    abort_spax("argument", c(
      "{.arg {argument}} must be a list of matrices, one a modality, or a Seurat object, not {show_value(object)}.",
      "i" = "For instance {.code list(RNA = counts, ADT = counts2)}."
    ), argument)
  }
  names <- rlang::names2(object)
  if (length(object) < 2L) {
    abort_spax("argument", c(
      "{.arg {argument}} has {length(object)} modalit{?y/ies}; at least two are needed.",
      "i" = "For a single one use {.fn RunSpaCross}."
    ), argument)
  }
  if (any(!nzchar(names))) {
    abort_spax("argument", c(
      "Each modality in {.arg {argument}} needs a name.",
      "i" = "For instance {.code list(RNA = counts, ADT = counts2)}."
    ), argument)
  }
  check_twice(names, argument)
  check_case(names, argument)
}

# Results are named in lower case.
check_case <- function(names, argument) {
  alike <- names[tolower(names) %in% tolower(names)[duplicated(tolower(names))]]
  if (length(alike) > 0L) {
    abort_spax("argument", c(
      "The names {.val {alike}} in {.arg {argument}} differ in case only, and results would overwrite each other.",
      "i" = "Rename one of them."
    ), argument)
  }
}

check_twice <- function(names, argument) {
  twice <- unique(names[duplicated(names)])
  if (length(twice) > 0L) {
    abort_spax("argument", c(
      "{.arg {argument}} names {.val {twice}} more than once.",
      "i" = "Each modality counts once: leave out the repetition."
    ), argument)
  }
}

# The kinds that the user gave, by modality; those without a name stand for the modalities in their order.
check_modality_kinds <- function(modality, names) {
  if (is.null(modality)) {
    return(NULL)
  }
  if (is.null(names(modality)) && length(modality) == length(names)) names(modality) <- names
  given <- rlang::names2(modality)
  unknown <- setdiff(given, names)
  if (!is.character(modality) || length(unknown) > 0L) {
    abort_spax("argument", c(
      paste(
        "{.arg modality} must give kinds by the names of the",
        "modalities{if (any(nzchar(unknown))) ', and there is no '}{.val {unknown[nzchar(unknown)]}}."
      ),
      "i" = "For instance {.code modality = c({names[[1L]]} = \"rna\")}."
    ), "modality")
  }
  check_twice(given, "modality")
  for (kind in modality) check_choice(kind, modality_kinds(), "modality")
  modality
}

# The kind of a modality and what tells it: list(kind, why).
modality_kind <- function(x, name, given, told) {
  if (name %in% names(given)) {
    return(list(kind = given[[name]], why = "as given"))
  }
  told %||% kind_of_features(rownames(x)) %||% kind_of_name(name) %||% kind_of_values(x) %||% kind_of_number(nrow(x))
}

# Peaks carry their place on the genome: chr1-100-200, chr1:100-200, chr1.100.200, with an assembly before it or not.
kind_of_features <- function(features) {
  form <- "^.*[^[:punct:]][:._-]([0-9]+)[._-]([0-9]+)$"
  peaks <- grepl(form, features)
  ends <- function(at) as.numeric(sub(form, paste0("\\", at), features[peaks]))
  peaks[peaks] <- ends(1) < ends(2)
  if (length(peaks) > 0L && mean(peaks) > 0.5) list(kind = "atac", why = "its features are regions of the genome")
}

kind_of_name <- function(name) {
  patterns <- c(
    features = "pca|lsi|embed|reduc|image|morpho", atac = "atac|peak|chromatin", protein = "adt|prot|antibod|cite|^ab$",
    rna = "rna|sct|gene|transcript|spatial|xenium|vizgen|cosmx|nanostring"
  )
  found <- Filter(function(kind) grepl(patterns[[kind]], name, ignore.case = TRUE), names(patterns))
  if (length(found) > 0L) list(kind = found[[1L]], why = "its name says so")
}

kind_of_values <- function(x) {
  if ((is.matrix(x) && is.numeric(x) || inherits(x, "dgCMatrix")) && isTRUE(min(x) < 0)) {
    list(kind = "features", why = "it has negative values")
  }
}

kind_of_number <- function(n, most_proteins = 200L) {
  few <- n <= most_proteins
  list(kind = if (few) "protein" else "rna", why = paste("it has", if (few) "only", n, "features"))
}

say_modalities <- function(modalities) {
  lines <- vapply(
    modalities,
    function(m) paste0("\"", m$name, "\" is taken as ", m$kind, ": ", paste(c(m$why, m$note), collapse = "; "), "."),
    ""
  )
  guessed <- any(vapply(modalities, `[[`, "", "why") != "as given")
  remedy <- if (guessed) c(" " = "Give {.arg modality} if that is wrong.")
  cli::cli_inform(c(rlang::set_names(lines, "i"), remedy))
}

read_modality <- function(x, kind, name, argument) {
  read <- c(list(name = name), kind)
  if (kind$kind == "features") {
    if (inherits(x, "Matrix")) x <- as.matrix(x)
    check_missing(x, name, argument)
    read$x <- as_embedding(x, argument)
    read$named <- !is.null(rownames(x)) || !is.null(colnames(x))
  } else {
    read$x <- as_counts(x, argument)
    read$named <- !is.null(colnames(x))
  }
  read
}

# The cells of an embedding stand in rows, those of an assay in columns: names tell which, or else numbers.
orient_features <- function(modalities) {
  counts <- Filter(function(m) m$kind != "features", modalities)
  lapply(modalities, function(m) {
    if (m$kind == "features" && length(counts) > 0L && cells_in_columns(m$x, colnames(counts[[1L]]$x))) m$x <- t(m$x)
    if (m$kind == "features") m$named <- !is.null(rownames(m$x))
    m
  })
}

cells_in_columns <- function(x, cells) {
  if (!is.null(dimnames(x)) && any(cells %in% unlist(dimnames(x)))) {
    return(sum(colnames(x) %in% cells) > sum(rownames(x) %in% cells))
  }
  ncol(x) == length(cells) && nrow(x) != length(cells)
}

modality_cells <- function(m) if (m$kind == "features") rownames(m$x) else colnames(m$x)

n_modality_cells <- function(m) if (m$kind == "features") nrow(m$x) else ncol(m$x)

n_modality_features <- function(m) if (m$kind == "features") ncol(m$x) else nrow(m$x)

modality_features <- function(m) if (m$kind == "features") colnames(m$x) %||% seq_len(ncol(m$x)) else rownames(m$x)

take_cells <- function(m, cells) {
  if (!identical(modality_cells(m), cells)) {
    m$x <- if (m$kind == "features") m$x[cells, , drop = FALSE] else as_counts(m$x[, cells, drop = FALSE])
  }
  m
}

# All modalities with the cells of the first, in its order.
align_modalities <- function(modalities, rule, coords, argument, all) {
  named <- vapply(modalities, `[[`, NA, "named")
  if (!any(named)) {
    return(name_modality_cells(modalities, coords, argument))
  }
  if (!all(named)) {
    without <- names(modalities)[!named]
    abort_spax("argument", c(
      paste(
        "{cli::qty(without)}The cells of {.val {without}} have no",
        "names, those of {.val {names(modalities)[named]}} have."
      ),
      "i" = "Name them all, or none: names tell which cells belong together."
    ), argument)
  }
  cells <- c(lapply(modalities, modality_cells), if (!is.null(all)) list(object = all))
  shared <- Reduce(intersect, cells)
  if (any(lengths(cells) != length(shared))) check_shared(cells, shared, rule, argument)
  lapply(modalities, take_cells, cells = shared)
}

name_modality_cells <- function(modalities, coords, argument) {
  n_cells <- vapply(modalities, n_modality_cells, 0L)
  if (length(unique(n_cells)) > 1L) {
    abort_spax("argument", c(
      "The modalities have different numbers of cells: {paste0(names(n_cells), ' ', n_cells, collapse = ', ')}.",
      "i" = "Give the same cells in each, or name the cells and use {.code cells = \"shared\"}."
    ), argument)
  }
  cells <- unnamed_cells(coords, n_cells[[1L]])
  lapply(modalities, function(m) {
    if (m$kind == "features") rownames(m$x) <- cells else colnames(m$x) <- cells
    m
  })
}

check_shared <- function(cells, shared, rule, argument) {
  lost <- vapply(cells, function(x) length(x) - length(shared), 0L)
  if (length(shared) < 2L) {
    abort_spax("argument", c(
      paste(
        "The modalities share {length(shared)} cell{?s}: {.val {names(cells)[[1L]]}} has",
        "{some_of(cells[[1L]], 2L)}, {.val {names(cells)[[2L]]}} has {some_of(cells[[2L]], 2L)}."
      ),
      "i" = "The same cell must have the same name in each."
    ), argument)
  }
  counted <- paste0(names(lost), " ", lost, collapse = ", ")
  if (rule == "same") {
    abort_spax("argument", c(
      "The modalities have different cells: {length(shared)} are in all, others are not ({counted}).",
      "i" = "Use {.code cells = \"shared\"} to go on with the {length(shared)} cells that all have."
    ), argument)
  }
  cli::cli_inform(c("i" = "{length(shared)} cell{?s} are in all modalities; left out: {counted}."))
}

check_modality <- function(m, argument) {
  if (m$kind == "protein" && nrow(m$x) == 1L) {
    abort_spax("counts", c(
      "The modality {.val {m$name}} has one protein, whose share of a cell's proteins is always one.",
      "i" = paste(
        "Take its values as they are: {.code modality = c({m$name} = \"features\")};",
        "or leave it out, and use {.fn RunSpaCross}."
      )
    ), argument)
  }
  if (m$kind != "features") {
    check_modality_values(m, argument)
  } else if (min(m$x) < 0) {
    m$note <- "negative values are taken as they are"
  }
  check_variation(m, argument)
  m
}

check_missing <- function(x, name, argument) {
  if (is.numeric(x) && !all(is.finite(x))) {
    abort_spax("counts", c(
      "The modality {.val {name}} has missing or infinite values.",
      "i" = "Leave out those cells or features."
    ), argument)
  }
}

check_modality_values <- function(m, argument) {
  check_missing(m$x@x, m$name, argument)
  if (any(m$x@x < 0)) abort_negative(m, argument)
  found <- in_modality(core_check_counts(m$x@p, m$x@i, m$x@x, nrow(m$x)), m$name, argument)
  if (length(found$empty_cells) == ncol(m$x)) {
    abort_spax("counts", c(
      "All counts of the modality {.val {m$name}} are zero.",
      "i" = "Check the assay and layer."
    ), argument)
  }
  warn_odd_counts(found, m, argument)
}

abort_negative <- function(m, argument) {
  cells <- colnames(m$x)[unique(rep(seq_len(ncol(m$x)), diff(m$x@p))[m$x@x < 0])]
  abort_spax("counts", c(
    paste(
      "The modality {.val {m$name}} has negative values in {length(cells)}",
      "cell{?s}: {some_of(cells, 2L)}. {.val {m$kind}} needs raw counts."
    ),
    "i" = paste(
      "Give the counts from before background removal, or take the values",
      "as they are: {.code modality = c({m$name} = \"features\")}."
    )
  ), argument)
}

warn_odd_counts <- function(found, m, argument) {
  if (!found$whole) {
    warn_spax("counts", c(
      "The counts of the modality {.val {m$name}} are not whole numbers.",
      "i" = "Give the raw ones (for Seurat, {.code layer = \"counts\"})."
    ), argument)
  }
  empty <- found$empty_cells
  if (length(empty) > 0L) {
    warn_spax("counts", c(
      "{length(empty)} cell{?s} without any counts of the modality {.val {m$name}}: {some_of(colnames(m$x)[empty])}.",
      "i" = paste(
        "{cli::qty(length(empty))}{?It keeps/They keep} a label,",
        "which rests on the neighbours and the other modalities."
      )
    ), argument)
  }
}

check_variation <- function(m, argument) {
  if (!varies(m$x)) {
    abort_spax("counts", c(
      "No feature of the modality {.val {m$name}} varies between cells: nothing in it tells them apart.",
      "i" = "Leave it out, or check its assay and layer."
    ), argument)
  }
}

# Whether any feature takes two different values.
varies <- function(x) {
  if (is.matrix(x)) {
    return(any(apply(x, 2L, function(column) any(column != column[[1L]]))))
  }
  seen <- tabulate(x@i[x@x != 0] + 1L, nrow(x))
  if (any(seen > 0L & seen < ncol(x))) {
    return(TRUE)
  }
  for (row in which(seen == ncol(x))) {
    if (length(unique(x[row, ])) > 1L) return(TRUE)
  }
  FALSE
}

# Like core(), for one of several modalities: its name in the message, and the argument that the user gave it by.
in_modality <- function(result, name, argument) {
  if (inherits(result, "spaxR_core_error")) {
    result$message <- paste0("In the modality \"", name, "\": ", result$message)
    result$argument <- argument
  }
  core(result)
}

# The modalities in one order of cells, and the coordinates.
modalities_input <- function(object, modality, cells, coords) {
  modalities <- read_modalities(object, modality, cells, coords)
  names <- modality_cells(modalities[[1L]])
  c(
    list(modalities = modalities, cells = names),
    task_coords(names, coords),
    list(argument = attr(object, "argument") %||% "object")
  )
}

# A number of components that was asked for by name must be there in each modality.
check_components <- function(modalities, options, argument) {
  wanted <- options$n_components
  if (is.null(wanted) || !"n_components" %in% attr(options, "given")) {
    return(invisible())
  }
  for (m in modalities) {
    if (m$kind != "features" && n_modality_features(m) <= wanted) {
      abort_spax("argument", c(
        paste(
          "{.code n_components} is {wanted}, but the modality",
          "{.val {m$name}} has only {n_modality_features(m)} feature{?s}."
        ),
        "i" = paste(
          "Use at most {max(1, n_modality_features(m) - 1)}, or",
          "leave {.code n_components} out of {.fn spalora_options}."
        )
      ), "n_components")
    }
  }
}
