#' Align slices of one tissue
#'
#' Brings the coordinates of several slices into one frame: each slice is turned and shifted onto the one before it, and lies at its height above the first.
#' A slice is turned over only where `mirror` says so, and never stretched; but where two slices lie on grids of one kind, say Visium pixels of two
#' images, the later one is scaled to the spot distance of the first.
#'
#' `"icp"` matches the outlines of the tissue by iterative closest points. With `search`, it starts from 36 turns, ten degrees apart, and keeps the
#' least mean distance (the published code starts from one, or six; from those, real slices ended up to 7 degrees off). An outline cannot always tell one turn from another: the capture area of Visium is nearly square. With `counts`, of places with near-equal
#' distances the one is taken where the expression of spots that lie on each other agrees best; without, the ambiguity is reported. With `counts`, `search` and `overlap = NULL`, turns and shifts are also tried by expression alone, and taken where it agrees
#' clearly better there: so slices that show different pieces of the tissue, and overlap in part, find each other.
#' `"paste"` matches spots by place and expression (fused Gromov-Wasserstein transport, see below), and needs `counts`: choose it where outlines
#' differ, for ragged tissue. `"none"` leaves slices where they lie, and gives heights and residuals.
#'
#' @details PASTE: the transport between two slices balances expression (Kullback-Leibler dissimilarity over the genes that vary most) with the distances
#' within each slice, and a weighted Procrustes fit of the transport gives turn and shift. Slices of more than 1,500 spots are represented
#' by 1,500 spots, evenly along a space-filling curve: what is sought is one turn and shift for the whole slice.
#'
#' Mirror images: an outline fits turned over about as well as it does as given. With `counts`, `mirror = "auto"` looks for the place where expression agrees best
#' with the slice turned over, and if the agreement is clearly better (by a tenth) there, aligns the mirror image and takes it. It is better by
#' nearly a third for a flipped slice of layered cortex; of tissue that is nearly symmetric, the mirror image agrees as well but for chance, and is left.
#'
#' What `ok` means: with counts, that spots which lie on each other are alike, and more so than by chance: at most one in twenty alignments that differ
#' by a turn of 30 degrees or more agrees as well, and the mirror image agrees no better; without, that the outlines tell one turn only. In both cases, at least
#' half the spots of the slice have one of the slice before within a spot distance, and the slices are in one unit.
#'
#' Units: cells of one tissue are about equally far apart in all slices, and slices about equally wide. Where both differ by more than half again, to the same
#' side, the coordinates are in two units, say pixels and micrometres, which is an error that names the factor. A piece of tissue, or a sample of the cells,
#' changes one of them only.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object; a list of such objects, one a slice, in the order of the stack; a list of coordinate tables (columns `x` and `y`, one row a cell, with
#'   row names), likewise; or one coordinate table of all slices.
#' @param ... For a list of objects, arguments of the method for one. Else not used: anything here is an error.
#' @param slice The slice of each cell, for one table: a factor with its levels in the order of the stack.
#' @param split.by Meta data column with the slice of each cell. NULL: one slice an image.
#' @param slice.order Names of all slices, in the order of the stack. NULL: the levels of the factor; needed for more than two slices that are no factor.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param method `"icp"`, `"paste"` or `"none"`.
#' @param counts Raw counts, genes x cells, for all cells, or for a list of tables a list with a matrix each: expression then chooses among near-equal places. `"paste"` needs them. For
#'   objects, TRUE (the default) takes those of `assay` and `layer`, FALSE none.
#' @param assay,layer Assay (NULL: the default) and layer with the raw counts. Of an assay that holds a part of the cells these are aligned, with a message; the others have NA.
#' @param gaps Micrometres between neighbouring slices: one value, or one less than slices. NULL: where the coordinates bring one z a slice, by these, else 10, the thickness of a section.
#' @param spot.distance Micrometres between neighbouring spots, 100 on Visium, to bring gaps to the units of the coordinates. NULL: a
#'   regular grid is taken as Visium, other coordinates as micrometres, and a message says so.
#' @param outline TRUE aligns the rims of the slices, FALSE all their spots, for ragged tissue.
#' @param search TRUE starts from 36 turns, FALSE from the slices as they lie.
#' @param overlap The share of a slice that has a counterpart in the one before it, for slices that overlap in part: the nearest points that count. NULL:
#'   of 1, 0.85, 0.7 and 0.55, or a search by expression alone, what expression favours; 1 without `counts`.
#' @param mirror Whether slices may be turned over. `"auto"`: where expression then agrees clearly better (see below), so never without `counts` or `search`; a
#'   message says so. TRUE: the better side is taken, FALSE: never.
#' @param scale NULL scales slices on grids of one kind to one spot distance, and is an error for slices in different units. TRUE scales all, by the
#'   typical distance between neighbours, FALSE none, without an error.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param verbose TRUE says what was assumed about units and gaps.
#' @param names Meta data columns to write: those of x, y and z.
#' @return For tables, a list of class `SlicesAligned`:
#'   * `coords`: a data frame with a row a cell, in the order given: `x`, `y`, `z`, in units of the first slice;
#'   * `transforms`: a list with an entry a slice: a point p goes to `scale * rotation %*% p + shift`; `angle` in degrees from x towards y, `mirrored`
#'     (x to -x, before the turn);
#'   * `residuals`: a data frame with a row a slice. `mean_`, `median_` and `overlap_`, `before` and `after`: distance of its spots to the nearest spot of
#'     the slice before it, in spot distances, and the share of spots with one within one spot distance; `outline`: mean distance of the
#'     points aligned by (NA where expression alone decided); `agreement`: correlation of expression (smoothed components of log-normalised counts) between spots
#'     that lie on each other; `chance`: what one turn in twenty exceeds; `mirrored`: whether it was turned over against the slice before; `other_side`: the agreement
#'     where the side that was not taken lies best; `spacing`, `extent`: how far apart its neighbours are, and how wide it is, over those of the slice before;
#'     `rival`: the angle of another turn that fits as well; `problem`: what is poor about it, NA if nothing;
#'   * `ok`: whether each alignment can be believed: no `problem` (see below); `slice`, `given` (the coordinates before) and `method`.
#'
#'   For an object, the object with the meta data columns `names` and the rest in `Tool(object, "AlignSlices")` (of a SingleCellExperiment
#'   `metadata(object)$spaxR$AlignSlices`); for a list, the list.
#'   A poor alignment gives a warning of class `spaxR_warning_alignment`.
#' @source Outlines and closest points as in SpaCross, Communications Biology 8, 1393 (2025), \doi{10.1038/s42003-025-08810-5}; PASTE: Zeira et al., Nature
#'   Methods 19, 567-575 (2022), \doi{10.1038/s41592-022-01459-6}.
#' @seealso [AlignmentPlot()], [RunSpaCross()].
#' @export
#' @examples
#' spots <- cortex_slice(small = TRUE)$spots
#' first <- spots[c("x", "y")]
#' angle <- 20 * pi / 180
#' second <- data.frame(
#'   x = first$x * cos(angle) - first$y * sin(angle),
#'   y = first$x * sin(angle) + first$y * cos(angle),
#'   row.names = paste0("b_", rownames(first))
#' )
#' aligned <- AlignSlices(list(a = first, b = second), gaps = 10, spot.distance = 100)
#' aligned
#' AlignmentPlot(aligned)
AlignSlices <- function(object, ...) UseMethod("AlignSlices")

#' @rdname AlignSlices
#' @export
AlignSlices.default <- function(object, slice = NULL, ..., slice.order = NULL, method = c("icp", "paste", "none"), counts = NULL, gaps = NULL,
                                spot.distance = NULL, outline = TRUE, search = TRUE, overlap = NULL, mirror = "auto", scale = NULL, threads = NULL,
                                verbose = TRUE) {
  check_dots(...)
  method <- check_choice(method[[1L]], c("icp", "paste", "none"), "method")
  input <- slice_tables(object, slice, slice.order, "slice")
  found <- align_slices(input$coords, input$slice,
    method = method, counts = alignment_counts(joined_counts(counts, input$cells), rownames(input$coords), method), gaps = gaps, spot.distance = spot.distance,
    outline = outline, search = search, overlap = overlap, mirror = mirror, scale = scale, threads = threads, verbose = check_flag(verbose, "verbose")
  )
  structure(c(found, list(slice = input$slice, given = input$coords, method = method)), class = "SlicesAligned")
}

#' @rdname AlignSlices
#' @export
AlignSlices.list <- function(object, ...) {
  if (length(object) > 0L && is_object_list(object)) align_object_list(object, ...) else AlignSlices.default(object, ...)
}

#' @rdname AlignSlices
#' @exportS3Method AlignSlices Seurat
AlignSlices.Seurat <- function(object, ..., split.by = NULL, slice.order = NULL, coords = NULL, method = c("icp", "paste", "none"), counts = TRUE,
                               assay = NULL, layer = "counts", gaps = NULL, spot.distance = NULL, outline = TRUE, search = TRUE, overlap = NULL,
                               mirror = "auto", scale = NULL, threads = NULL, verbose = TRUE, names = c("spax_x", "spax_y", "spax_z")) {
  check_dots(...)
  check_column_names(names)
  method <- check_choice(method[[1L]], c("icp", "paste", "none"), "method")
  assay <- check_assay(object, assay)
  part <- own_part(object, if (check_flag(counts, "counts")) assay)
  input <- object_slices_given(part, split.by, coords)
  found <- AlignSlices.default(
    input$coords, input$slice,
    slice.order = slice.order, method = method, counts = if (counts) stored_counts(part, assay, layer), gaps = gaps,
    spot.distance = spot.distance, outline = outline, search = search, overlap = overlap, mirror = mirror, scale = scale, threads = threads, verbose = verbose
  )
  object <- write_columns(object, rlang::set_names(found$coords, names))
  object <- write_run(keep_coords(object, coords, cell_names(part)), "AlignSlices", unclass(found)[c("transforms", "residuals", "ok", "slice", "given", "method")])
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  coords <- loggable_coords(coords)
  SeuratObject::LogSeuratCommand(object)
}

#' @rdname AlignSlices
#' @exportS3Method AlignSlices SingleCellExperiment
AlignSlices.SingleCellExperiment <- AlignSlices.Seurat

#' @export
print.SlicesAligned <- function(x, ...) {
  turn <- vapply(x$transforms, function(t) t$angle, 0)
  mirrored <- vapply(x$transforms, function(t) t$mirrored, NA)
  table <- data.frame(
    angle = round(turn, 2L), mirrored = mirrored, distance = round(x$residuals$median_after, 2L), overlap = round(x$residuals$overlap_after, 2L),
    problem = ifelse(is.na(x$residuals$problem), "", x$residuals$problem), row.names = names(x$transforms)
  )
  cat("<SlicesAligned> ", nrow(x$coords), " cells in ", nrow(table), " slices (", x$method, ")\n", sep = "")
  print(table)
  invisible(x)
}

# One table of all cells, and their slices.
slice_tables <- function(object, slice, slice.order, argument) {
  if (is.list(object) && !is.data.frame(object) && !is_simple_features(object)) {
    return(joined_tables(object, slice, slice.order))
  }
  coords <- SpatialCoords.default(NULL, object)
  slice <- ordered_slices(slice, rownames(coords), slice.order, argument)
  list(coords = structure(only_axes(coords), y_down = attr(coords, "y_down")), slice = slice)
}

joined_tables <- function(tables, slice, slice.order) {
  if (!is.null(slice)) {
    abort_spax("argument", "{.arg slice} is given, but a list of tables has one table a slice.", "slice")
  }
  if (length(tables) == 0L) {
    abort_spax("argument", c("{.arg object} is an empty list.", "i" = "Give one coordinate table a slice."), "object")
  }
  names(tables) <- slice_names(tables)
  read <- lapply(tables, function(table) SpatialCoords.default(NULL, table))
  y_down <- all(vapply(read, attr, NA, "y_down"))
  places <- lapply(read, slice_axes)
  own <- lapply(places, rownames)
  cells <- names_apart(own)
  places <- Map(function(place, names) `rownames<-`(place, names), places, cells)
  slice <- factor(rep(names(tables), vapply(places, nrow, 0L)), names(tables))
  coords <- structure(join_places(places), y_down = y_down)
  list(coords = coords, slice = ordered_slices(slice, unlist(cells, use.names = FALSE), slice.order, "object"), cells = Map(list, own = own, inside = cells))
}

# A factor, one value a cell, its levels in the order of the stack.
ordered_slices <- function(slice, cells, slice.order, argument) {
  if (is.null(slice)) {
    abort_spax("argument", c("{.arg {argument}} is missing.", "i" = "Say which slice each cell lies in."), argument)
  }
  found <- as_slices(put_in_order(slice, slice.order, argument), cells, TRUE, argument)
  if (is.null(found)) {
    abort_spax("argument", "{.arg {argument}} has one slice only: there is nothing to align.", argument)
  }
  found
}

put_in_order <- function(slice, slice.order, argument) {
  known <- unique(as.character(slice[!is.na(slice)]))
  if (!is.null(slice.order)) {
    if (anyDuplicated(slice.order) || !setequal(slice.order, known)) {
      abort_spax("argument", "{.arg slice.order} must name each of the slices {.val {known}} once.", "slice.order")
    }
    return(rlang::set_names(factor(slice, slice.order), names(slice)))
  }
  if (!is.factor(slice) && length(known) > 2L) {
    abort_spax("argument", c(
      "{.arg {argument}} has {length(known)} slices and no order: {some_of(known)}.",
      "i" = "Make it a factor with the levels in the order of the stack, or give {.arg slice.order}."
    ), argument)
  }
  slice
}

alignment_counts <- function(counts, cells, method) {
  if (is.null(counts)) {
    if (method == "paste") {
      abort_spax("argument", c("{.code method = \"paste\"} needs {.arg counts}.", "i" = "Give raw counts, genes x cells."), "counts")
    }
    return(NULL)
  }
  counts <- as_counts(counts, "counts")
  absent <- setdiff(cells, colnames(counts))
  if (length(absent) > 0L) {
    abort_spax("counts", c(
      "{.arg counts} lacks {length(absent)} of {length(cells)} cells: {some_of(absent)}.",
      "i" = if (all(cells %in% rownames(counts))) {
        "It is cells x genes: turn it round by {.code t(counts)}."
      } else {
        "Its column names must be the row names of the coordinates; for a list of tables, it may be a list with a matrix each."
      }
    ), "counts")
  }
  counts <- counts[, cells, drop = FALSE]
  core(core_check_counts(counts@p, counts@i, counts@x, nrow(counts)))
  counts
}

# Of a list with a matrix for each table: one, its cells called as they are inside. `cells`: of each table list(own, inside), NULL for one table.
joined_counts <- function(counts, cells) {
  if (!is.list(counts) || is.data.frame(counts)) {
    return(counts)
  }
  if (length(counts) != length(cells)) {
    abort_spax("argument", c(
      "{.arg counts} is a list of {length(counts)}, for {length(cells)} table{?s} of slices.", "i" = "Give a matrix for each, or one of all cells."
    ), "counts")
  }
  if (setequal(rlang::names2(counts), names(cells))) counts <- counts[names(cells)]
  join_shared(unname(Map(function(x, of) {
    x <- as_counts(x, "counts")
    at <- match(colnames(x), of$own)
    colnames(x) <- ifelse(is.na(at), colnames(x), of$inside[at])
    x
  }, counts, cells)))
}

check_column_names <- function(names) {
  if (!is.character(names) || length(names) != 3L || anyNA(names) || anyDuplicated(names) || !all(nzchar(names))) {
    abort_spax("argument", "{.arg names} must be three different names of meta data columns, for x, y and z.", "names")
  }
}

# The coordinates and slices of one object.
object_slices_given <- function(object, split.by, coords) {
  if (!is.null(split.by)) {
    slice <- meta_column(object, check_name(split.by, "split.by"), "split.by")
    return(list(coords = SpatialCoords(object, coords), slice = slice))
  }
  place <- SpatialCoords(object, coords)
  if (is.null(place$image)) {
    abort_spax("argument", c(
      "{.arg split.by} is missing.",
      "i" = "Name the meta data column with the slice of each cell; only coordinates from images tell it by themselves."
    ), "split.by")
  }
  # The order of images says nothing: more than two need `slice.order`.
  list(coords = place, slice = as.character(place$image))
}

# Several objects, one slice each, aligned as one stack: each gets its own columns and the whole record.
align_object_list <- function(objects, ..., coords = NULL, counts = TRUE, assay = NULL, layer = "counts", names = c("spax_x", "spax_y", "spax_z")) {
  check_column_names(names)
  names(objects) <- slice_names(objects)
  parts <- lapply(objects, function(object) own_part(object, if (check_flag(counts, "counts")) check_assay(object, assay)))
  places <- lapply(parts, function(object) slice_axes(check_one_slice(SpatialCoords(object, coords))))
  cells <- names_apart(lapply(places, rownames))
  rename <- function(x, names, dim) {
    dimnames(x)[[dim]] <- names
    x
  }
  counts <- if (check_flag(counts, "counts")) {
    join_shared(Map(function(object, names) rename(stored_counts(object, assay, layer), names, 2L), parts, cells))
  }
  found <- AlignSlices.default(Map(rename, places, cells, 1L), counts = counts, ...)
  Map(function(object, part, inside) {
    placed <- rename(found$coords[inside, ], cell_names(part), 1L)
    object <- write_columns(object, rlang::set_names(placed, names))
    write_run(keep_coords(object, coords, cell_names(part)), "AlignSlices", unclass(found)[c("transforms", "residuals", "ok", "method")])
  }, objects, parts, cells)
}

# Genes that all slices have.
join_shared <- function(parts) {
  genes <- Reduce(intersect, lapply(parts, rownames))
  if (length(genes) == 0L) {
    abort_spax("counts", c("The slices share no genes.", "i" = "Check the gene names, or use {.code counts = FALSE}."), "object")
  }
  do.call(cbind, lapply(parts, function(x) x[genes, , drop = FALSE]))
}
