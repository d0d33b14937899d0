#' Spatial domains from several modalities with SpaLORA
#'
#' Trains SpaLORA, a graph network with two levels of attention, on one tissue measured for two or more modalities, such as RNA and protein or RNA and chromatin, and groups its
#' cells into spatial domains. Takes raw counts and coordinates; everything in between happens inside, natively: no Python.
#'
#' Each modality is prepared by its kind:
#' * `"rna"`: variable genes, log-normalised and scaled, and their components;
#' * `"protein"`: centred log ratios of each cell, scaled, principal components;
#' * `"atac"`: TF-IDF and latent semantic indexing, without the first component, which follows the depth;
#' * `"features"`: taken as they are: a reduction, or values that are no counts.
#'
#' The components of all but `"features"` lie along the directions in which the means over a cell and its nearest neighbours vary most: there the noise of single cells cancels, and what
#' the cells of a place share remains.
#'
#' Cells are joined to their neighbours in space, and in each modality to the cells most like them. Attention weighs, in each modality, the two graphs, and then
#' the modalities; [ModalityWeightPlot()] draws the weights. Training starts from the components of the modalities and equal weights, and refines both.
#' [spalora_options()] holds every setting.
#'
#' Domains come from predictive components of all modalities, as [RunPredictivePCA()] finds them of one: the rings of neighbours of all modalities predict each, a tenth of a cell's own residual is put back, many mixtures agree on
#' domains, and cells along borders are looked at once more by what they are themselves. The network does not enter them; it gives the weights, and half of what it says of these components is in
#' the embedding (`embedding_from = "network"` gives the network's own). `domains_from` in [spalora_options()] groups the network's embedding instead (`"embedding"`), or that and averaged components side by side (`"both"`).
#'
#' With `modality = NULL` the kind of each modality is inferred, and said when `verbose`: from the class of the assay (a ChromatinAssay; a reduction), then the names of its
#' features (`chr1-100-200` or `chr1:100-200`), then its own name (RNA, SCT, Spatial; ADT, protein, antibody; ATAC, peaks), then from values below 0 (`features`), and at last from
#' the number of features (up to 200: protein).
#'
#' The same seed gives the same bytes, for any number of threads; `seed` is 1 unless you change it, so runs repeat by default.
#' Ctrl-C stops training within a second and frees its memory; the object stays as it was, also after an error.
#'
#' @param object A Seurat object (v4 or v5 assays), a SingleCellExperiment or SpatialExperiment (see [bioconductor]), or a named list of matrices, one a modality: raw counts, features x cells (for `"features"`: cells x columns).
#'   Cells are matched by name.
#' @param assays Names of the assays to use, two or more, that differ by more than case. A reduction can be named too: it is taken as `"features"`. Of a
#'   SingleCellExperiment: its main experiment by `mainExpName(object)` (`"main"` where that is NULL), alternative experiments, and reduced dimensions.
#' @param n.domains How many domains to find, at least 2.
#' @param coords Where the coordinates come from: see [SpatialCoords()]. For a Seurat object, NULL takes them from its image, for a SpatialExperiment from its `spatialCoords`; for matrices they are needed.
#' @param ... Not used; anything here is an error.
#' @param layer Layer (of a SingleCellExperiment: assay) with the raw counts: one for all assays, or one each by name. Layers split as in `counts.1`, `counts.2` are joined.
#' @param modality NULL, or the kinds by name, as in `c(RNA = "rna", ADT = "protein")`; those not given are inferred.
#' @param cells `"same"`: all modalities must have the same cells (in any order); `"shared"`: those that all have are used, the others get no domain.
#' @param slice,split.by For several slices: the slice of each cell (a factor with its levels in the order of the stack), or the meta data column with it; as in [RunSpaCross()].
#'   Neighbours are looked for in the stack of aligned slices, and similar cells among all slices.
#' @param align,mirror,stack,gaps,spot.distance How the slices lie to each other; as in [RunSpaCross()].
#' @param options Result of [spalora_options()].
#' @param epochs NULL: as `options` say.
#' @param published TRUE runs the published settings for comparison, those of the preset `"visium_protein"` unless the options name another: the gene weights
#'   as the published code computes them, and mclust on 20 principal components of the embedding.
#' @param sketch NULL, or how many cells to train on: see [RunSpaCross()].
#' @param seed One whole number, or NULL to draw one from R's generator.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param device `"auto"`, `"cpu"`, `"cuda"` or `"cuda:1"`; see [SpaxDevices()].
#' @param verbose TRUE says the kinds of the modalities and what the coordinates are, and shows a progress bar with epoch, losses and time left.
#' @param reduction.name,reduction.key Name and key of the joint reduction to write; those of the modalities add the name of the assay.
#' @param domain.name,confidence.name Meta data columns to write. NULL for the confidence: `domain.name` with `_confidence` in place of `_domain`, where [DomainPlot()] and [DomainMetrics()] look for it.
#' @return For a Seurat object, the same object with
#'   * the reduction `reduction.name` (cells x latent width, rows of length 1), and one for each modality, such as `spalora.rna` and `spalora.adt`,
#'   * the factor `domain.name` in the meta data: levels `1..n.domains`, numbered along the tissue, and beside it `confidence.name`, the share of the mixtures that agree (0 to 1),
#'   * for each assay the meta data columns `spalora_weight_<assay>` (adding up to 1 over the assays), and within it `spalora_spatial_<assay>` and
#'     `spalora_feature_<assay>` (adding up to 1),
#'   * an entry `Tool(object, "RunSpaLORA")` with `options`, `modalities`, `history`, `timings`, `versions`, `features`, `seed`, `device` and `model`, and the
#'     command logged.
#'
#'   For a SingleCellExperiment or SpatialExperiment, the same object with the same in Bioconductor's places: `reducedDim`, `colData`,
#'   `metadata(object)$spaxR$RunSpaLORA`; see [bioconductor].
#'
#'   For matrices, a list of class `SpaLORAResult`:
#'   * `embedding`: cells x 15, or the network's latent width if it is the network's; `modality`: a list with the network's of each modality, cells x latent width; `domain`: a factor named by cell;
#'   * `coords`: where the cells were found (not of a stack, whose `alignment` says it);
#'   * `attention`: a data frame with a row a cell and the columns `weight_<name>`, `spatial_<name>`, `feature_<name>`;
#'   * `history`: a data frame with a row an epoch: `epoch`, `total`, and for each modality `recon_<name>`, its reconstruction, and `cross_<name>`, its
#'     embedding after a round through the others;
#'   * `timings`: a data frame with a row a stage: `stage`, `wall` and `cpu`, in seconds;
#'   * `modalities`: a data frame of the kinds, how they were found, the numbers of features and components, and over how many cells
#'     the components were averaged for the domains (`smooth_k`; NA when domains come from the embedding alone); `features` (those used), `options`, `seed`, `device`,
#'     `versions`, `call`.
#' @source SpaLORA: low-expression-aware spatial multi-omics integration, the method as described by its authors. Where the published code departs from it, so does
#'   `published = TRUE`: its gene weights use the order of genes in place of their ranks.
#' @seealso [ModalityWeightPlot()], [DomainPlot()], [TrainingPlot()], [DomainMetrics()], [BuildFeatureGraph()].
#' @export
#' @examplesIf requireNamespace("withr", quietly = TRUE)
#' tissue <- simulate_tissue(n.cells = 300, modalities = c("RNA", "ADT"))
#' fit <- RunSpaLORA(tissue$counts, n.domains = 5, coords = tissue$spots, epochs = 30, verbose = FALSE)
#' fit
#' table(fit$domain, tissue$spots$label)
RunSpaLORA <- function(object, ...) UseMethod("RunSpaLORA")

#' @rdname RunSpaLORA
#' @export
RunSpaLORA.default <- function(object, n.domains, coords = NULL, ..., modality = NULL, cells = "same", slice = NULL, align = "icp", mirror = "auto", stack = TRUE,
                               gaps = NULL, spot.distance = NULL, options = spalora_options(), epochs = NULL, published = FALSE,
                               sketch = NULL, seed = 1, threads = NULL, device = "auto", verbose = TRUE) {
  check_dots(...)
  call <- user_call()
  timer <- new_timer()
  task <- timed(timer, "checks", {
    layout <- check_layout(align, mirror, stack, gaps, spot.distance, !is.null(slice))
    input <- modalities_input(object, modality, cells, coords)
    slice <- as_slices(unless_fields(slice, input$coords, threads, layout$stack), input$cells, layout$stack, "slice")
    run <- spalora_settings(rlang::maybe_missing(n.domains), input, slice, layout, options, epochs, published, seed, threads, device, verbose)
    if (run$verbose) say_modalities(input$modalities)
    c(input, run)
  })
  placed <- timed(timer, "align", place_slices(c(task, list(counts = rna_counts(task$modalities))), slice, layout))
  task[names(placed)] <- placed
  fit_or_sketch(task, check_sketch(sketch, length(task$cells), task$slices), spax_system("spalora"), timer, call)
}

#' @rdname RunSpaLORA
#' @exportS3Method RunSpaLORA Seurat
RunSpaLORA.Seurat <- function(object, assays, n.domains, coords = NULL, ..., layer = "counts", modality = NULL, cells = "same", split.by = NULL,
                              align = "icp", mirror = "auto", stack = TRUE, gaps = NULL, spot.distance = NULL, options = spalora_options(), epochs = NULL,
                              published = FALSE, sketch = NULL, seed = 1, threads = NULL, device = "auto", verbose = TRUE, reduction.name = "spalora", reduction.key = "spalora_", domain.name = "spalora_domain",
                              confidence.name = NULL) {
  check_dots(...)
  names <- output_names(reduction.name, reduction.key, domain.name, confidence.name = confidence.name)
  check_layout(align, mirror, stack, gaps, spot.distance, !is.null(split.by))
  check_assays(object, rlang::maybe_missing(assays))
  part <- own_part(object, assays)
  slice <- object_slices(part, split.by, stack, coords)
  input <- object_modalities(part, assays, layer)
  result <- RunSpaLORA.default(
    input, rlang::maybe_missing(n.domains), object_slice_coords(part, coords, slice),
    modality = modality, cells = cells, slice = slice, align = align, mirror = mirror, stack = stack, gaps = gaps, spot.distance = spot.distance, options = options, epochs = epochs, published = published,
    sketch = sketch, seed = seed, threads = threads, device = device, verbose = verbose
  )
  homes <- vapply(assays, function(name) modality_home(object, name), "")
  object <- write_modalities(object, result, names, homes, kept_with_reduction(result))
  object <- write_run(keep_coords(object, coords, cell_names(part)), "RunSpaLORA", kept_of_run(result, names))
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  coords <- loggable_coords(coords)
  options <- option_lines(options)
  command <- SeuratObject::LogSeuratCommand(object, return.command = TRUE)
  # Seurat looks for an argument named `assay`, and warns of a command without one.
  methods::slot(command, "assay.used") <- homes[[1L]]
  object[[methods::slot(command, "name")]] <- command
  object
}

#' @rdname RunSpaLORA
#' @exportS3Method RunSpaLORA SingleCellExperiment
RunSpaLORA.SingleCellExperiment <- RunSpaLORA.Seurat

# Everything that can be refused before long work.
spalora_settings <- function(n.domains, input, slice, layout, options, epochs, published, seed, threads, device, verbose) {
  n_cells <- length(input$cells)
  options <- run_options(options, option_set("spalora"), epochs, published, !is.null(slice))
  if (is.null(options$radius)) check_k(options$k, if (is.null(slice) || layout$stack) n_cells else min(table(slice)), least = 1)
  check_k(options$feature_k, n_cells, "feature_k", least = 1)
  check_components(input$modalities, options, input$argument)
  for (name in c("w_recon", "w_cross")) options[[name]] <- loss_weights(options[[name]], length(input$modalities), name)
  if (!published) options <- fewer_columns(options, n_cells, length(input$modalities))
  run_settings(n.domains, n_cells, options, seed, threads, device, verbose)
}

# One number for each modality: the last repeats.
loss_weights <- function(weights, n_modalities, name) {
  if (length(weights) > n_modalities) {
    abort_spax("option", c(
      "The option {.code {name}} has {length(weights)} numbers for {n_modalities} modalities.",
      "i" = "Give one number, or one for each."
    ), name)
  }
  c(weights, rep(weights[[length(weights)]], n_modalities - length(weights)))
}

# The mixture that finds domains fits a covariance of all columns: no more of them than one to so many cells, but for numbers given by name.
fewer_columns <- function(options, n_cells, n_modalities, cells_a_column = 20) {
  from <- options$domains_from
  number <- c(
    embedding_components = from %in% c("embedding", "both"), smooth_components = n_modalities * (from %in% c("smoothed", "both"))
  )
  most <- n_cells %/% cells_a_column
  for (name in setdiff(names(number)[number > 0], attr(options, "given"))) {
    options[[name]] <- min(options[[name]], max(2L, as.integer(most %/% sum(number))))
    most <- most - number[[name]] * options[[name]]
    number[[name]] <- 0
  }
  options
}

# What PASTE compares slices by: the first modality of counts.
rna_counts <- function(modalities) {
  counts <- Filter(function(m) m$kind != "features", modalities)
  if (length(counts) > 0L) counts[[1L]]$x
}
