#' Spatial domains from predictive components
#'
#' Finds what a cell's neighbours say about it, and groups the cells by that: fast, without training, and with nearly the same domains whatever the seed.
#'
#' Three steps, all linear in cells. (1) Counts are scaled to the median total of the slice, log-transformed, all genes that are seen often enough z-scored, and principal components taken, 30 for the reduction. (2) For
#' each cell these components are averaged over rings of its neighbours (the 6 nearest, the next 12, the next 18), the cell itself left out, and ridge regression predicts the cell's
#' own components from the rings. What is predicted is what the tissue around a cell has in common with it: the domain; what is not is the cell's own. The predictions' main directions are the columns of
#' the reduction. (3) With `n.domains`, mixtures are fitted from many starts to twenty such matrices (of 30 and 40 components, of two lists of rings, of 10 to 20 directions), the most likely are kept, and the domains are what they agree on; a cell's 18 nearest have half a say in that.
#' How many of them agree with a cell's domain is its confidence: low along borders that the data do not settle.
#'
#' Several slices (`split.by`, `slice` or a list): each is scaled by itself and put where its groups of like cells lie among those of the others, so that slices may hold other mixtures of tissue; neighbours are looked for within it, and all share one set of directions and domains. Slices need no alignment; where they lie on each
#' other in the tissue, `stack = TRUE` aligns them, and the nearest cells in the slices before and after then help to predict a cell. In the
#' reduction the cells of each slice are moved, among like cells of their domain, to where those of the other slices lie, which does not change the domains: `ppca_options(mix_slices = FALSE)` leaves them.
#'
#' A cell that stands in the data twice, in one place with the same counts, is not a neighbour of its double, which it would predict perfectly; a message says how many there are.
#'
#' The same seed gives the same bytes, for any number of threads and any order of the cells.
#'
#' @inheritParams RunSpaCross
#' @param n.domains How many domains to find, at least 2. NULL: none, the reduction only. [ChooseDomains()] helps.
#' @param slice,split.by For several slices: the slice of each cell, or the meta data column with it (`"image"`: one slice an image). Small slices as in [RunSpaCross()]. A column `fov`, or values such as `fov1`, whose fields of view lie beside each other, are one slice, with a message.
#' @param reduction NULL, or columns to predict in place of the counts' components (the first 40): the name of a reduction, or for the default method a matrix of cells x
#'   columns (`object` may then be NULL).
#' @param stack TRUE: neighbouring slices lie on each other in the tissue; they are aligned (by `align` and `mirror`), and cells have neighbours in the slices before and after.
#'   FALSE: neighbours lie within the slice.
#' @param options Result of [ppca_options()].
#' @param verbose TRUE says what happens.
#' @param domain.name,confidence.name Meta data columns for the domains and for their confidence. NULL for the confidence: `domain.name` with `_confidence` in place of `_domain`, where [DomainPlot()] and [DomainMetrics()] look for it.
#' @return For a Seurat object, the same object with
#'   * the reduction `reduction.name` (cells x 15, fewer with under 300 cells), to be used wherever Seurat takes one: `FindNeighbors(reduction = "ppca", dims = 1:15)`, `RunUMAP()`;
#'   * with `n.domains`, the factor `domain.name` (levels `1..n.domains`, numbered along the tissue) and the numbers `confidence.name`, the share of the mixtures that agree with it (0 to 1), in the meta data;
#'   * an entry `Tool(object, "RunPredictivePCA")` with `options`, `timings`, `versions`, `genes`, `seed`, `quality`, `model` and `wrote` (the names of the reduction and of the domains), and the command logged.
#'
#'   For a SingleCellExperiment or SpatialExperiment the same in Bioconductor's places; see [bioconductor]. For a matrix, a list of class `PredictivePCAResult`: `embedding`, `domain`,
#'   `confidence`, `quality`, `coords` (not of a stack), `timings`, `options`, `genes`, `seed`, `versions`, `model`, `call`, and for several slices `slice` and
#'   `alignment`.
#'
#'   `quality` is a list: `r2`, the share of the components' variance that neighbours predict in compact regions that were left out (near 0: the tissue has no spatial structure that the data show, or the coordinates are not those of the cells, which is warned of, class `spaxR_warning_structure`; it does not
#'   say how right the domains are); `lambda`, the penalty chosen; `neighbours`; `twins`, cells that stand in the data twice;
#'   [RunSpaCross()] adds `r2_network`, the same share for a linear reading of what its network makes of cells that it does
#'   not see. The network has been trained on all cells, which flatters it: if it is below `r2` all the same, it has learned nothing of the
#'   tissue that means over neighbours do not say.
#' @seealso [RunSpaCross()], [FindDomains()], [DomainPlot()] with `confidence = TRUE`, [DomainMetrics()], [predict()][predict.SpaxModel].
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' fit <- RunPredictivePCA(slice$counts, n.domains = 4, coords = slice$spots, verbose = FALSE)
#' fit
#' summary(fit$confidence)
RunPredictivePCA <- function(object, ...) UseMethod("RunPredictivePCA")

#' @rdname RunPredictivePCA
#' @export
RunPredictivePCA.default <- function(object, n.domains = NULL, coords = NULL, ..., slice = NULL, stack = FALSE,
                                     align = "icp", mirror = "auto", reduction = NULL, dims = NULL,
                                     options = ppca_options(), sketch = NULL, seed = 1, threads = NULL, verbose = TRUE) {
  check_dots(...)
  call <- user_call()
  timer <- new_timer()
  task <- timed(timer, "checks", {
    input <- matrix_input(object, coords, reduction, dims, FALSE)
    layout <- ppca_layout(align, mirror, stack, !is.null(slice))
    kept <- without_small_slices(input, unless_fields(slice, input$coords, threads, numbers = layout$stack))
    input <- kept$input
    slice <- as_slices(kept$slice, input$cells, layout$stack, "slice")
    run <- ppca_settings(n.domains, length(input$cells), options, seed, threads, verbose)
    if (!is.null(input$counts)) check_counts(input$counts)
    if (run$verbose && is.null(n.domains)) say_columns_only()
    c(input, run)
  })
  placed <- timed(timer, "align", place_slices(task, slice, layout))
  task[names(placed)] <- placed
  fit_or_sketch(task, check_sketch(sketch, length(task$cells), task$slices), spax_system("ppca"), timer, call)
}

#' @rdname RunPredictivePCA
#' @exportS3Method RunPredictivePCA Seurat
RunPredictivePCA.Seurat <- function(object, n.domains = NULL, coords = NULL, ..., split.by = NULL, stack = FALSE,
                                    align = "icp", mirror = "auto", assay = NULL, layer = "counts", reduction = NULL,
                                    dims = NULL, options = ppca_options(), sketch = NULL, seed = 1, threads = NULL,
                                    verbose = TRUE, reduction.name = "ppca", reduction.key = "ppca_",
                                    domain.name = "ppca_domain", confidence.name = NULL) {
  check_dots(...)
  names <- output_names(reduction.name, reduction.key, domain.name, confidence.name = confidence.name)
  assay <- check_assay(object, assay)
  ppca_layout(align, mirror, stack, !is.null(split.by))
  part <- own_part(object, assay, reduction)
  where <- list(
    part = part, slice = object_slices(part, split.by, stack, coords, joins = TRUE), coords = coords, assay = assay,
    layer = layer, reduction = reduction, dims = dims
  )
  object <- run_on_object(object, "RunPredictivePCA", where, names, function(input) {
    RunPredictivePCA.default(
      input$counts, n.domains, input$coords,
      slice = input$slice, stack = stack && !is.null(input$slice), align = align, mirror = mirror,
      reduction = input$embedding, options = options, sketch = sketch, seed = seed, threads = threads, verbose = verbose
    )
  })
  if (!inherits(object, "Seurat")) {
    return(object)
  }
  coords <- loggable_coords(coords)
  options <- option_lines(options)
  SeuratObject::LogSeuratCommand(object)
}

#' @rdname RunPredictivePCA
#' @exportS3Method RunPredictivePCA SingleCellExperiment
RunPredictivePCA.SingleCellExperiment <- RunPredictivePCA.Seurat

#' @rdname RunPredictivePCA
#' @export
RunPredictivePCA.list <- function(object, n.domains = NULL, coords = NULL, ..., stack = FALSE, align = "icp",
                                  mirror = "auto", assay = NULL, layer = "counts", options = ppca_options(),
                                  sketch = NULL, seed = 1, threads = NULL, verbose = TRUE, reduction.name = "ppca",
                                  reduction.key = "ppca_", domain.name = "ppca_domain", confidence.name = NULL) {
  check_dots(...)
  names <- output_names(reduction.name, reduction.key, domain.name, confidence.name = confidence.name)
  input <- list_input(object, coords, assay, layer)
  result <- RunPredictivePCA.default(
    input$counts, n.domains, input$coords,
    slice = input$slice, stack = stack, align = align, mirror = mirror, options = options, sketch = sketch,
    seed = seed, threads = threads, verbose = verbose
  )
  share_result(object, result, input$parts, names, assay, "RunPredictivePCA", coords)
}

say_columns_only <- function() {
  cli::cli_inform(
    c("i" = "Without {.arg n.domains} there are columns, and no domains: {.fn ChooseDomains} shows what speaks for each number."),
    class = "spaxR_message_run"
  )
}

# Unless slices are stacked, nothing about their alignment means anything.
ppca_layout <- function(align, mirror, stack, several) {
  if (check_flag(stack, "stack")) {
    return(check_layout(align, mirror, stack, NULL, NULL, several))
  }
  given <- intersect(c("align", "mirror"), user_arguments())
  if (length(given) > 0L) {
    abort_spax("argument", c(
      "{.arg {given[[1L]]}} is given, but slices are aligned for a stack only.",
      "i" = "Say {.code stack = TRUE} if neighbouring slices lie on each other in the tissue, or leave it out."
    ), given[[1L]])
  }
  list(stack = FALSE)
}

ppca_settings <- function(n.domains, n_cells, options, seed, threads, verbose) {
  check_is_options(options, option_set("ppca"))
  settings <- run_settings(n.domains %||% 2L, n_cells, options, seed, threads, "cpu", verbose)
  if (is.null(n.domains)) settings$n_domains <- 0L
  settings
}
