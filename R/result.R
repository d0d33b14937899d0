# What a run of matrices gives: a list of the class of its system, for instance SpaCrossResult, over SpaxResult, whose methods are written once. Parts that
# all have: `embedding` (cells x columns), `domain` (a factor named by cell; NULL where none were asked for), `confidence` and `quality` where there are, `options`, `seed`, `device`, `versions`, `timings`, `model`; where the system
# trains, `history`; of several slices, `slice` and `alignment`; unless they are stacked, `coords`; where a part of
# the cells was trained on, `sketch`, their names.

new_result <- function(system, parts) structure(parts, class = c(system$result, "SpaxResult"))

#' @export
print.SpaxResult <- function(x, ...) {
  system <- system_with("result", class(x)[[1L]])
  cells <- paste(nrow(x$embedding), "cells", if (!is.null(x$slice)) paste("of", nlevels(x$slice), "slices"))
  writeLines(c(
    paste0(system$title, " on ", trimws(cells), ": ", if (!is.null(x$domain)) paste0(nlevels(x$domain), " domains, "), "embedding of ", ncol(x$embedding), " columns"),
    system$describe(x), describe_run(x),
    paste0("  parts: ", paste0("$", setdiff(names(Filter(Negate(is.null), unclass(x))), c("device", "call")), collapse = " "))
  ))
  invisible(x)
}

abort_no_domains <- function() {
  abort_spax("argument", c("{.arg object} has no domains.", "i" = "Give the run {.arg n.domains}."), "object")
}

# Where the cells of a result lie.
result_coords <- function(result) if (is.null(result$alignment$coords)) result$coords else result$alignment$coords[c("x", "y")]

# The lines that say how the run went.
describe_run <- function(x) {
  total <- colSums(x$timings[c("wall", "cpu")])
  sizes <- table(x$domain)
  trained <- if (!is.null(x$history)) paste0(nrow(x$history), " epochs, last loss ", format(utils::tail(x$history$total, 1L), digits = 4), ", ")
  c(
    if (!is.null(x$sketch)) paste0("  trained on a sketch of ", length(x$sketch), " cells"),
    if (!is.null(x$domain)) paste0("  cells a domain: ", paste0(names(sizes), " (", sizes, ")", collapse = ", ")),
    if (!is.null(x$confidence)) paste0("  confidence: above 0.95 for ", format(round(100 * mean(x$confidence > 0.95))), " % of the cells"),
    paste0("  ", trained, "seed ", format(x$seed)),
    paste0("  ", format(round(total[["wall"]], 1)), " s wall, ", format(round(total[["cpu"]], 1)), " s CPU on ", x$device)
  )
}

# Results into an object, under `names` (reduction, key, domain, and assay for what was imputed); `homes`: the assays that the reductions belong to. A system may write more.
write_result <- function(object, result, names, homes, misc) {
  object <- write_reduction(object, result$embedding, names$reduction, names$key, homes[[1L]], misc)
  object <- if (is.null(result$domain)) drop_stale(object, names) else write_domains(object, result$domain, result$confidence, names)
  if (!is.null(result$reconstruction)) object <- write_imputed(object, result$reconstruction, names$assay)
  object
}

# What a reduction keeps of the run, or of the model, that it comes from.
kept_with_reduction <- function(x) parts_of(x, c("options", "genes", "features", "seed", "device", "versions"))

# What an object keeps of a run beside its results; `wrote`: under which names those are.
kept_of_run <- function(result, names) {
  kept <- c("options", "modalities", "history", "timings", "versions", "genes", "features", "seed", "device", "slice", "alignment", "quality", "sketch", "model")
  c(parts_of(result, kept), list(wrote = c(list(reduction = names$reduction), if (!is.null(result$domain)) list(domain = names$domain))))
}

# Domains of an earlier run, which are not of the reduction that this one wrote.
drop_stale <- function(object, names) {
  stale <- intersect(c(names$domain, names$confidence), names(meta_table(object)))
  if (length(stale) > 0L) {
    cli::cli_inform(c("i" = "{.val {stale}} of an earlier run {?is/are} gone: this one found no domains."), class = "spaxR_message_run")
  }
  drop_columns(object, stale)
}

parts_of <- function(x, parts) unclass(x)[intersect(parts, names(x))]

# The part of a result that belongs to one object.
cells_of_result <- function(result, cells, own = cells) {
  result$embedding <- result$embedding[cells, , drop = FALSE]
  rownames(result$embedding) <- own
  for (name in c("domain", "confidence")) {
    if (!is.null(result[[name]])) result[[name]] <- rlang::set_names(result[[name]][cells], own)
  }
  if (!is.null(result$reconstruction)) {
    result$reconstruction <- result$reconstruction[, cells, drop = FALSE]
    colnames(result$reconstruction) <- own
  }
  result
}

# The names of what a run writes, checked; that of the confidence follows the domains' unless it is given.
output_names <- function(reduction.name, reduction.key, domain.name, imputed.assay = NULL, confidence.name = NULL) {
  names <- list(reduction = reduction.name, key = reduction.key, domain = domain.name, confidence = confidence.name)
  arguments <- c(reduction = "reduction.name", key = "reduction.key", domain = "domain.name", if (!is.null(confidence.name)) c(confidence = "confidence.name"))
  if (!is.null(imputed.assay)) {
    names$assay <- imputed.assay
    arguments[["assay"]] <- "imputed.assay"
  }
  check_output_names(names, arguments)
  names$confidence <- names$confidence %||% confidence_column(domain.name)
  names
}
