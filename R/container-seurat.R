# Seurat objects, v4 and v5, by accessor functions only.

cell_names.Seurat <- function(object) colnames(object)

meta_table.Seurat <- function(object) object[[]]

identities.Seurat <- function(object) SeuratObject::Idents(object)

write_columns.Seurat <- function(object, columns) SeuratObject::AddMetaData(object, columns)

check_assay.Seurat <- function(object, assay) {
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

# Seurat 4 names the cells of an object by its default assay: there all have the same. A reduction is a modality of RunSpaLORA().
assay_cells.Seurat <- function(object, assay) {
  if (assay %in% SeuratObject::Assays(object)) colnames(object[[assay]]) else rownames(SeuratObject::Embeddings(object, assay))
}

# subset() would copy the counts of every assay.
view_cells.Seurat <- function(object, cells) {
  methods::slot(object, "meta.data") <- object[[]][cells, , drop = FALSE]
  methods::slot(object, "active.ident") <- SeuratObject::Idents(object)[cells]
  object
}

# SCTransform makes its assay the default one.
say_corrected <- function(object, assay) {
  raw <- Filter(function(name) !inherits(object[[name]], "SCTAssay"), SeuratObject::Assays(object))
  if (inherits(object[[assay]], "SCTAssay") && !"assay" %in% user_arguments()) {
    cli::cli_inform(c(
      "i" = "The counts of the default assay {.val {assay}} are those that SCTransform corrected{if (length(raw)) paste0('; for the raw ones use `assay = \"', raw[[1L]], '\"`')}."
    ), class = "spaxR_message_assay")
  }
}

# Cells in the object's order, split layers joined.
stored_counts.Seurat <- function(object, assay, layer) {
  assay <- check_assay(object, assay)
  say_corrected(object, assay)
  counts <- experiment_counts(object, assay, layer)
  absent <- setdiff(colnames(object), colnames(counts))
  if (length(absent) > 0L) {
    abort_spax("argument", c(
      "The layer {.val {layer}} of assay {.val {assay}} lacks {length(absent)} cell{?s} of the object: {some_of(absent)}.",
      "i" = "Subset the object to the cells of this assay, or choose another {.arg assay} or {.arg layer}."
    ), "layer")
  }
  counts
}

experiment_counts.Seurat <- function(object, name, layer) {
  parts <- seurat_layers(object, name, layer)
  counts <- if (length(parts) == 1L) as_counts(parts[[1L]]) else join_layers(lapply(parts, as_counts))
  cells <- intersect(colnames(object), colnames(counts))
  if (identical(colnames(counts), cells)) counts else as_counts(counts[, cells, drop = FALSE])
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

experiment_names.Seurat <- function(object) SeuratObject::Assays(object)

experiment_kind.Seurat <- function(object, name) {
  if (inherits(object[[name]], "ChromatinAssay")) list(kind = "atac", why = "it is a ChromatinAssay")
}

modality_home.Seurat <- function(object, name) {
  if (name %in% SeuratObject::Assays(object)) name else SeuratObject::DefaultAssay(object[[name]])
}

reduction_names.Seurat <- function(object) SeuratObject::Reductions(object)

reduction_matrix.Seurat <- function(object, name) SeuratObject::Embeddings(object, reduction = name)

write_reduction.Seurat <- function(object, embedding, name, key, assay, misc) {
  object[[name]] <- SeuratObject::CreateDimReducObject(
    embeddings = name_embedding(embedding, rownames(embedding), key), key = key, assay = assay,
    stdev = unname(apply(embedding, 2L, stats::sd, na.rm = TRUE)), misc = misc
  )
  object
}

drop_results.Seurat <- function(object, columns, reductions) {
  for (name in c(columns, reductions)) object[[name]] <- NULL
  object
}

# The counts are read from one assay and would be lost under the other.
check_imputed_assay.Seurat <- function(object, imputed, assay) {
  if (identical(imputed, assay)) {
    abort_spax("argument", c(
      "{.arg imputed.assay} is {.val {assay}}, the assay with the counts, which would be lost.",
      "i" = "Give another name, for instance {.code imputed.assay = \"SpaCross\"}."
    ), "imputed.assay")
  }
}

write_imputed.Seurat <- function(object, values, name) {
  imputed <- SeuratObject::CreateAssayObject(data = values)
  # The key made from the assay's name could be that of the reduction.
  SeuratObject::Key(imputed) <- "imputed_"
  # Seurat 5 warns that it finds no counts to sum up.
  suppressWarnings(object[[name]] <- imputed)
  object
}

write_graph.Seurat <- function(object, graph, name, assay) {
  graph <- SeuratObject::as.Graph(graph)
  SeuratObject::DefaultAssay(graph) <- assay
  object[[name]] <- graph
  object
}

run_names.Seurat <- function(object) names(methods::slot(object, "tools"))

run_parts.Seurat <- function(object, name) SeuratObject::Tool(object, name)

# Not `Tool<-`: it names the entry after the function that calls it.
write_run.Seurat <- function(object, name, parts) {
  methods::slot(object, "tools") <- last_of_runs(methods::slot(object, "tools"), name, parts)
  object
}

run_code.Seurat <- function(object, name) paste0("Tool(object, \"", name, "\")")

# All images of a Seurat object, joined by cell name.
image_coords.Seurat <- function(object) {
  cells <- colnames(object)
  images <- image_names(object)
  if (length(images) == 0L) {
    empty <- length(SeuratObject::Images(object)) > 0L
    abort_spax("coords", c(
      if (empty) "The images of the object hold none of its cells." else "The object has no image to take coordinates from.",
      "i" = "Give {.arg coords}: a data frame, or two meta data columns as in {.code coords = c(\"x\", \"y\")}."
    ), "coords")
  }
  tables <- lapply(images, function(name) one_image(seurat_image(object, name), name))
  all <- do.call(rbind, tables)
  rows <- match(cells, all$cell)
  abort_absent_coords(cells[is.na(rows)], length(cells))
  found <- all[rows, ]
  result <- data.frame(x = found$x, y = found$y, image = factor(found$image, images), row.names = cells)
  result$image <- droplevels(result$image)
  source <- paste("the images", paste0("\"", levels(result$image), "\"", collapse = ", "))
  if (nlevels(result$image) > 1L && tile_tissue(object, result)) {
    say_fields("images", result$image)
    result$image <- NULL
  }
  structure(result, y_down = all(found$y_down), found = list(source = source))
}

# Fields of view may have been kept as images of their own; the pixels of two Visium images share no frame.
tile_tissue <- function(object, place) {
  fields <- vapply(levels(place$image), function(name) {
    image <- seurat_image(object, name)
    inherits(image, "FOV") && !inherits(image, "VisiumV2")
  }, NA)
  all(fields) && tile(place, place$image, check_threads(NULL))
}

# Subsets of an object keep the images of cells that are gone, and a zoomed field of view holds cells of a whole that is an image too: images without cells
# of the object, and those whose cells another one has, are none.
image_names.Seurat <- function(object) {
  images <- as.character(SeuratObject::Images(object))
  held <- lapply(rlang::set_names(images), function(name) intersect(held_cells(seurat_image(object, name)), colnames(object)))
  held <- held[lengths(held) > 0L]
  # Of equals the first.
  ranks <- order(-lengths(held))
  within <- function(i) any(vapply(ranks[seq_len(match(i, ranks) - 1L)], function(j) all(held[[i]] %in% held[[j]]), NA))
  names(held)[!vapply(seq_along(held), within, NA)]
}

# An image of no cells may not know even that.
held_cells <- function(image) tryCatch(as.character(SeuratObject::Cells(image)), error = function(e) character())

# Not `object[[name]]`: a meta data column may have the name of the image.
seurat_image <- function(object, name) methods::slot(object, "images")[[name]]

one_image <- function(image, name) {
  read <- if (inherits(image, "VisiumV1")) {
    visium_v1_coords
  } else if (inherits(image, "VisiumV2")) {
    visium_v2_coords
  } else if (inherits(image, "FOV")) {
    fov_coords
  } else {
    other_coords
  }
  table <- read(image)
  data.frame(table, image = name, y_down = down_by_image(image, SeuratObject::DefaultAssay(image), table$cell))
}

# Full-size pixels: `scale = NULL` leaves them as they are.
visium_v1_coords <- function(image) {
  table <- SeuratObject::GetTissueCoordinates(image, scale = NULL, cols = c("imagerow", "imagecol"))
  data.frame(x = table$imagecol, y = table$imagerow, cell = rownames(table))
}

# Until SeuratObject 5.4 the first coordinate of a VisiumV2 was the row of the image; since then the object says which it is. No accessor
# tells, and objects from before lack the slot.
visium_v2_coords <- function(image) {
  table <- SeuratObject::GetTissueCoordinates(image, scale = NULL)
  orientation <- if (methods::.hasSlot(image, "coords_x_orientation")) {
    methods::slot(image, "coords_x_orientation")
  }
  horizontal <- identical(as.character(orientation), "horizontal")
  table <- cell_table(table)
  if (horizontal) table else data.frame(x = table$y, y = table$x, cell = table$cell)
}

fov_coords <- function(image) {
  known <- names(image)
  which <- if ("centroids" %in% known) "centroids" else SeuratObject::DefaultBoundary(image)
  table <- cell_table(SeuratObject::GetTissueCoordinates(image, which = which))
  if (anyDuplicated(table$cell)) outline_means(table) else table
}

# A segmentation has many points a cell.
outline_means <- function(table) {
  cells <- unique(table$cell)
  index <- match(table$cell, cells)
  size <- tabulate(index, length(cells))
  data.frame(
    x = as.vector(rowsum(table$x, index)) / size,
    y = as.vector(rowsum(table$y, index)) / size,
    cell = cells
  )
}

# SlideSeq, STARmap, and whatever else answers GetTissueCoordinates().
other_coords <- function(image) {
  cell_table(SeuratObject::GetTissueCoordinates(image))
}

cell_table <- function(table) {
  cell <- table$cell %||% table$cells %||% rownames(table)
  columns <- if (all(c("x", "y") %in% colnames(table))) c("x", "y") else colnames(table)[1:2]
  data.frame(x = as.double(table[[columns[[1L]]]]), y = as.double(table[[columns[[2L]]]]), cell = as.character(cell))
}

image_cells.Seurat <- function(object) {
  unlist(lapply(image_names(object), function(name) held_cells(seurat_image(object, name))))
}
