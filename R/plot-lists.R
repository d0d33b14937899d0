# Plots of lists: a panel each.

#' @rdname DomainPlot
#' @export
DomainPlot.list <- function(object, ..., group.by = NULL, coords = NULL, confidence = NULL) {
  slices <- rlang::set_names(object, slice_names(object))
  if (length(slices) > 0L && is_object_list(object)) {
    return(plot_parts(drawn_of_objects(slices, group.by, coords, confidence), ...))
  }
  if (length(slices) > 0L && all(vapply(object, inherits, NA, "SpaxResult"))) {
    return(plot_parts(drawn_of_results(slices, confidence), ...))
  }
  given <- list(coords = coords, confidence = confidence)
  rlang::exec(DomainPlot.default, object, ..., !!!Filter(Negate(is.null), given))
}

# `parts`: a list a slice of place, labels and confidence, both lists with an entry a panel.
plot_parts <- function(parts, ...) {
  y_down <- all(vapply(parts, function(part) isTRUE(attr(part$place, "y_down")), NA))
  of <- function(part, what, panel) part[[what]][[panel]]
  panels <- names(parts[[1L]]$labels)
  labels <- lapply(rlang::set_names(panels), function(panel) joined_labels(lapply(parts, of, "labels", panel)))
  sure <- lapply(panels, function(panel) unlist(lapply(unname(parts), of, "confidence", panel)))
  joined <- do.call(rbind, unname(lapply(parts, function(part) part$place[c("x", "y")])))
  slice <- rep(factor(names(parts), names(parts)), vapply(parts, function(part) nrow(part$place), 0L))
  # Slices may share names of cells.
  rownames(joined) <- NULL
  DomainPlot.default(
    labels, ..., coords = structure(joined, y_down = y_down, found = list()), slice = slice,
    confidence = if (!all(vapply(sure, is.null, NA))) sure
  )
}

drawn_of_objects <- function(slices, group.by, coords, confidence) {
  shared <- function() Reduce(intersect, Map(function(name, x) in_slice(name, known_domains(x)), names(slices), slices))
  group.by <- check_group_columns(group.by %||% shared())
  Map(function(name, x) {
    in_slice(name, list(
      place = check_one_slice(SpatialCoords(x, coords)),
      labels = lapply(rlang::set_names(group.by), function(column) {
        values <- meta_column(x, column, "group.by")
        check_discrete(as.factor(values), values, column, "group.by")
      }),
      confidence = if (wants_confidence(confidence %||% FALSE)) {
        rlang::set_names(stored_confidences(x, group.by), group.by)
      }
    ))
  }, names(slices), slices)
}

drawn_of_results <- function(slices, confidence) {
  Map(function(name, x) {
    in_slice(name, {
      if (is.null(x$domain)) abort_no_domains()
      sure <- if (wants_confidence(confidence %||% FALSE)) list(domain = x$confidence %||% abort_unsure("confidence"))
      list(place = result_coords(x), labels = list(domain = x$domain), confidence = sure)
    })
  }, names(slices), slices)
}

# Labels of several slices as one factor, with all their levels: numbers in their order, others as they come.
joined_labels <- function(parts) {
  levels <- unique(unlist(lapply(parts, function(x) if (is.factor(x)) levels(x) else sort(unique(as.character(x))))))
  if (all(grepl("^[0-9]+$", levels))) levels <- levels[order(as.numeric(levels))]
  factor(unlist(lapply(unname(parts), as.character)), levels)
}
