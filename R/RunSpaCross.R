#' Spatial domains with SpaCross
#'
#' Trains SpaCross, a masked graph autoencoder, on one slice of spatial transcriptomics or several, and groups their cells into spatial domains. Takes raw counts and
#' coordinates; everything in between (choice of genes, normalisation, components, graph, network, clustering) happens inside, natively: no Python.
#'
#' The stages: genes are filtered, scaled and ranked, and 200 principal components taken; cells are joined to their spatial neighbours; the network learns an
#' embedding from masked cells. Domains come from predictive components, as [RunPredictivePCA()] finds them in seconds and without the network: on annotated tissues they are truer than groups of the network's embedding and hardly change with the
#' seed. The embedding, for UMAP and neighbours, holds the same predicted components and half of what the network says of them: it separates domains far
#' better than the network's own, which `spacross_options(embedding_from = "network")` gives. `domains_from = "embedding"` groups the network's. [spacross_options()] holds every setting.
#'
#' Several slices share their domains and one embedding. Say which cell lies in which slice with `split.by` (or `slice`), or give a list with one object or
#' matrix a slice. Genes are chosen by their rank over all slices; the slices are aligned and stacked ([AlignSlices()]), so that cells have neighbours in the slices
#' above and below; and the hybrid graph looks for similar cells within each slice and across. Slices that are no neighbours in the tissue (another donor,
#' stage or platform) go together with `stack = FALSE`: they share the hybrid graph only. In the end the cells of each slice are moved, among like cells of their domain, to where those of the other slices lie
#' (`mix_slices`); domains do not change by it, and one that lies in one slice only stays apart. [IntegrationMetrics()] says how well slices mix, [CompositionPlot()] which domain is how large in which.
#'
#' The same seed gives the same bytes, for any number of threads; `seed` is 1 unless you change it, so runs repeat by default. Look at the
#' confidence, `DomainPlot(confidence = TRUE)`, before you trust a small domain.
#'
#' Ctrl-C stops training within a second and frees its memory; the object stays as it was, also after an error.
#'
#' @param object A Seurat object (v4 or v5 assays), a SingleCellExperiment or SpatialExperiment (see [bioconductor]), or a matrix of raw counts, genes x cells; or a list of one of these kinds, one a slice, in the order of the stack, whose names are
#'   those of the slices. Slices may share names of cells: inside, these are called after their slice.
#' @param n.domains How many domains to find, at least 2.
#' @param coords Where the coordinates come from: see [SpatialCoords()]. For a Seurat object, NULL takes them from its image (of
#'   several slices: its images), for a SpatialExperiment from its `spatialCoords`; else they are needed. For a list of matrices: a list with one table a slice.
#' @param slice,split.by For several slices: the slice of each cell, or the meta data column with it (`"image"`: one slice an image). A factor, whose levels are in the
#'   order of the stack; text or numbers will do for two slices or `stack = FALSE`. Without it, a warning says so where samples lie over each other.
#'   Fields of view whose extents lie beside each other (a column `fov`, values such as `fov1`, or unordered numbers whose extents touch) are taken for one slice, with a message, unless `stack = FALSE`.
#'   Slices of fewer than 20 cells are an error, or with `options(spaxR.leave_out_small_slices = TRUE)` left out with a warning: their cells get no domain.
#' @param align How slices are aligned: `"icp"`, `"paste"` or `"none"` (they share a frame already); see [AlignSlices()], which also has finer settings.
#'   Not without slices, nor are `mirror` and `stack`.
#' @param mirror Whether a slice may be turned over: `"auto"` does so where expression then agrees clearly better, and says so; TRUE takes the better side, FALSE never does.
#' @param stack TRUE: neighbouring slices lie on each other in the tissue, and their cells are neighbours in 3-D. FALSE: they do not, and are not aligned.
#' @param gaps Micrometres between neighbouring slices: one value, or one less than slices. NULL: where the coordinates bring one z a slice, by these, else 10, the thickness of a section.
#' @param spot.distance Micrometres between neighbouring spots, 100 on Visium, to bring gaps to the units of the coordinates. NULL: a regular grid is taken as Visium,
#'   other coordinates as micrometres, and a message says so.
#' @param ... Not used; anything here is an error.
#' @param assay,layer Assay (NULL: the default; a message says so where SCTransform made it) and layer with the raw counts. An assay that holds a part of the cells (a sketch, bins of one size) is run on these,
#'   with a message, and the others have NA. Of a SingleCellExperiment, `assay` names it (NULL: that which `layer` names). Layers split as in `counts.1`, `counts.2` are joined.
#' @param reduction NULL, or an embedding to train on in place of the counts' components: the name of a reduction, or for the default method a matrix of cells x
#'   columns (`object` may then be NULL).
#' @param dims Columns of `reduction` to use. NULL: all.
#' @param options Result of [spacross_options()].
#' @param epochs NULL: as `options` say.
#' @param published TRUE runs the arithmetic of the published code for comparison: its contrast over all pairs (quadratic in cells, refused above 20,000), its
#'   settings, and mclust on the embedding.
#' @param impute TRUE adds imputed expression: the z-scored genes as the cells' neighbours predict them, which comes nearer to counts that were held out than the network's
#'   reconstruction and neighbours' means on spots of many cells; single cells with many counts are best described by their own (folder `bench` of the sources). `spacross_options(impute_from = "network")` trains on scaled genes
#'   and gives the network's.
#' @param sketch NULL, or how many cells to train on where there are very many: they are spread evenly over the tissue (of each slice its share), and all cells then get the embedding and the
#'   domains that [predict()][predict.SpaxModel] gives with the model, among all of their neighbours. No confidence; not with `impute`, nor for a stack. Small domains need enough of the cells: on a Visium slice of
#'   3,639 spots a sketch of 1,000 had an agreement with the annotation (ARI) of .53 in place of .58, one of 500 of .43.
#' @param seed One whole number, or NULL to draw one from R's generator.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param device `"auto"`, `"cpu"`, `"cuda"` or `"cuda:1"`; see [SpaxDevices()].
#' @param verbose TRUE says what the coordinates are and how they were matched, and shows a progress bar with epoch, losses and time left (one line at either end when R is not
#'   interactive).
#' @param reduction.name,reduction.key Name and key of the reduction to write.
#' @param domain.name,confidence.name Meta data columns to write. NULL for the confidence: `domain.name` with `_confidence` in place of `_domain`, where [DomainPlot()] and [DomainMetrics()] look for it.
#' @param imputed.assay Assay (of a SingleCellExperiment: alternative experiment) to write when `impute = TRUE`.
#' @return For a Seurat object, the same object with
#'   * the reduction `reduction.name` (cells x 15, fewer with under 300 cells; columns `spacross_1` ...; `misc` holds genes, options, seed and versions),
#'   * the factor `domain.name` in the meta data: levels `1..n.domains`, numbered along the tissue, and beside it the numbers `confidence.name`: the share of
#'     the mixtures that agree with a cell's domain, from 0 to 1 (not with another `cluster` than `"consensus"`),
#'   * the assay `imputed.assay` if `impute` (layer "data": z-scored expression as imputed, negative values set to 0),
#'   * an entry `Tool(object, "RunSpaCross")` with `options`, `history`, `timings`, `versions`, `genes`, `seed`, `model` and `wrote` (the names of the reduction and of the domains), and the command logged.
#'
#'   For a SingleCellExperiment or SpatialExperiment, the same object with the same in Bioconductor's places: `reducedDim(object, reduction.name)`, `colData`,
#'   `altExp(object, imputed.assay)`, `metadata(object)$spaxR$RunSpaCross`; see [bioconductor].
#'
#'   For a matrix, a list of class `SpaCrossResult`:
#'   * `embedding`: cells x 15; `domain`: a factor named by cell; `confidence`: numbers named by cell; `quality`: see [RunPredictivePCA()];
#'   * `history`: a data frame with a row an epoch: `epoch`, and the losses `total`, `reconstruction`, `consistency`, `contrast` (NaN before the first
#'     hybrid graph);
#'   * `timings`: a data frame with a row a stage: `stage`, `wall` and `cpu`, in seconds;
#'   * `options`, `genes` (those used), `seed`, `device`, `versions`, `call`; `reconstruction`, genes x cells, if `impute`;
#'   * `coords`: where the cells were found (not of a stack, whose `alignment` says it);
#'   * `slice`, a factor named by cell, and `alignment`, for several slices: `coords` (x, y and z in one frame), `transforms` and `residuals` as in [AlignSlices()];
#'   * `model`: what was learnt, for [SaveModel()] and [predict()][predict.SpaxModel].
#'
#'   For a list of objects, the list of them, each with its share of the above; for a list of matrices, one `SpaCrossResult` of all cells.
#' @source Donghai Fang and Wenwen Min, SpaCross. Communications Biology 8, 1393 (2025). \doi{10.1038/s42003-025-08810-5}
#' @seealso [DomainPlot()], [TrainingPlot()], [DomainMetrics()], [RefineDomains()], [AlignSlices()], [IntegrationMetrics()], [CompositionPlot()], [RunSamples()].
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' fit <- RunSpaCross(slice$counts, n.domains = 4, coords = slice$spots, epochs = 30, verbose = FALSE)
#' fit
#' table(fit$domain, slice$spots$label)
RunSpaCross <- function(object, ...) UseMethod("RunSpaCross")

#' @rdname RunSpaCross
#' @export
RunSpaCross.default <- function(object, n.domains, coords = NULL, ..., slice = NULL, align = "icp", mirror = "auto", stack = TRUE, gaps = NULL,
                                spot.distance = NULL, reduction = NULL, dims = NULL, options = spacross_options(), epochs = NULL,
                                published = FALSE, impute = FALSE, sketch = NULL, seed = 1, threads = NULL, device = "auto", verbose = TRUE) {
  check_dots(...)
  call <- user_call()
  timer <- new_timer()
  task <- timed(timer, "checks", {
    input <- matrix_input(object, coords, reduction, dims, impute)
    layout <- check_layout(align, mirror, stack, gaps, spot.distance, !is.null(slice))
    kept <- without_small_slices(input, unless_fields(slice, input$coords, threads, layout$stack))
    input <- kept$input
    slice <- as_slices(kept$slice, input$cells, layout$stack, "slice")
    run <- spacross_settings(
      rlang::maybe_missing(n.domains), input, slice, layout, options, epochs, published, impute, seed, threads, device, verbose
    )
    if (!is.null(input$counts)) check_counts(input$counts)
    c(input, run)
  })
  placed <- timed(timer, "align", place_slices(task, slice, layout))
  task[names(placed)] <- placed
  fit_or_sketch(task, check_sketch(sketch, length(task$cells), task$slices, impute), spax_system("spacross"), timer, call)
}

#' @rdname RunSpaCross
#' @exportS3Method RunSpaCross Seurat
RunSpaCross.Seurat <- function(object, n.domains, coords = NULL, ..., split.by = NULL, align = "icp", mirror = "auto", stack = TRUE, gaps = NULL,
                               spot.distance = NULL, assay = NULL, layer = "counts", reduction = NULL, dims = NULL, options = spacross_options(),
                               epochs = NULL, published = FALSE, impute = FALSE, sketch = NULL, seed = 1, threads = NULL, device = "auto",
                               verbose = TRUE, reduction.name = "spacross", reduction.key = "spacross_", domain.name = "spacross_domain",
                               confidence.name = NULL, imputed.assay = "SpaCross") {
  check_dots(...)
  check_n_domains_given(n.domains)
  names <- output_names(reduction.name, reduction.key, domain.name, imputed.assay, confidence.name)
  assay <- check_assay(object, assay)
  if (isTRUE(impute)) check_imputed_assay(object, imputed.assay, assay)
  check_layout(align, mirror, stack, gaps, spot.distance, !is.null(split.by))
  part <- own_part(object, assay, reduction)
  where <- list(
    part = part, slice = object_slices(part, split.by, stack, coords), coords = coords, assay = assay, layer = layer, reduction = reduction, dims = dims
  )
  object <- run_on_object(object, "RunSpaCross", where, names, function(input) {
    RunSpaCross.default(
      input$counts, n.domains, input$coords,
      slice = input$slice, align = align, mirror = mirror, stack = stack, gaps = gaps, spot.distance = spot.distance, reduction = input$embedding, options = options,
      epochs = epochs, published = published, impute = impute, sketch = sketch, seed = seed, threads = threads, device = device, verbose = verbose
    )
  })
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  coords <- loggable_coords(coords)
  options <- option_lines(options)
  SeuratObject::LogSeuratCommand(object)
}

#' @rdname RunSpaCross
#' @exportS3Method RunSpaCross SingleCellExperiment
RunSpaCross.SingleCellExperiment <- RunSpaCross.Seurat

#' @rdname RunSpaCross
#' @export
RunSpaCross.list <- function(object, n.domains, coords = NULL, ..., align = "icp", mirror = "auto", stack = TRUE, gaps = NULL, spot.distance = NULL,
                             assay = NULL, layer = "counts", options = spacross_options(), epochs = NULL, published = FALSE,
                             impute = FALSE, sketch = NULL, seed = 1, threads = NULL, device = "auto", verbose = TRUE, reduction.name = "spacross",
                             reduction.key = "spacross_", domain.name = "spacross_domain", confidence.name = NULL,
                             imputed.assay = "SpaCross") {
  check_dots(...)
  names <- output_names(reduction.name, reduction.key, domain.name, imputed.assay, confidence.name)
  input <- list_input(object, coords, assay, layer)
  if (isTRUE(impute) && is_object_list(object)) lapply(object, function(x) check_imputed_assay(x, imputed.assay, check_assay(x, assay)))
  result <- RunSpaCross.default(
    input$counts, rlang::maybe_missing(n.domains), input$coords,
    slice = input$slice, align = align, mirror = mirror, stack = stack, gaps = gaps, spot.distance = spot.distance, options = options, epochs = epochs,
    published = published, impute = impute, sketch = sketch, seed = seed, threads = threads, device = device, verbose = verbose
  )
  share_result(object, result, input$parts, names, assay, "RunSpaCross", coords)
}

# Everything that can be refused before long work.
spacross_settings <- function(n.domains, input, slice, layout, options, epochs, published, impute, seed, threads, device, verbose) {
  n_cells <- length(input$cells)
  options <- run_options(options, option_set("spacross"), epochs, published, !is.null(slice))
  if (is.null(options$radius)) check_k(options$k, if (is.null(slice) || layout$stack) n_cells else min(table(slice)))
  check_all_pairs(options, n_cells)
  c(run_settings(n.domains, n_cells, options, seed, threads, device, verbose), list(impute = impute, published = published))
}

check_all_pairs <- function(options, n_cells, most = 20000) {
  if (options$contrast == "all_pairs" && n_cells > most) {
    abort_spax("argument", c(
      "The published contrast compares all pairs of cells: with {n_cells} cells it would take days.",
      "i" = "Up to {most} cells are allowed; leave out {.code published = TRUE} (or {.code contrast = \"all_pairs\"})."
    ), "published")
  }
}
