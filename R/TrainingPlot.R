#' Plot the training curve
#'
#' Losses over the epochs, a panel each. A curve that jumps asks for a smaller `learning_rate`. The latent
#' consistency of SpaCross should be flat at the end, or more `epochs` are needed. Reconstructions fall on as they fit
#' single cells, of SpaCross and of SpaLORA: that is no reason for more, but where the network imputes.
#'
#' @param object What [RunSpaCross()] or [RunSpaLORA()] returned: an object (Seurat, SingleCellExperiment), a
#'   `SpaCrossResult` or a `SpaLORAResult`.
#' @param ... Not used; anything here is an error.
#' @param tool `"RunSpaCross"` or `"RunSpaLORA"`: whose training to draw. NULL: the one that the object holds; with
#'   both, the last.
#' @return A ggplot object. The contrast of SpaCross starts with the first hybrid graph. SpaLORA has two losses a
#'   modality: how well it is reconstructed, and how well its embedding comes back from the other modalities. The latter
#'   rise where training starts from the components of the modalities (the default): embeddings are small at first, and
#'   grow as they come to hold what the reconstruction asks for, what only one modality knows included. They stay near a
#'   hundredth of the total, and would grow further if they had no weight (`w_cross = 0`); from random weights (`init =
#'   "random"`) they fall.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' fit <- RunSpaCross(slice$counts, n.domains = 4, coords = slice$spots, epochs = 30, verbose = FALSE)
#' TrainingPlot(fit)
TrainingPlot <- function(object, ...) UseMethod("TrainingPlot")

#' @rdname TrainingPlot
#' @export
TrainingPlot.default <- function(object, ...) {
  check_dots(...)
  abort_no_training(show_value(object))
}

#' @rdname TrainingPlot
#' @export
TrainingPlot.SpaxResult <- function(object, ...) {
  check_dots(...)
  if (is.null(object$history)) abort_no_training("a result without training")
  plot_history(object$history)
}

#' @rdname TrainingPlot
#' @exportS3Method TrainingPlot Seurat
TrainingPlot.Seurat <- function(object, ..., tool = NULL) {
  check_dots(...)
  if (!is.null(tool)) check_choice(tool, system_names("verb"), "tool")
  trained <- Filter(function(run) !is.null(run_parts(object, run)$history), tool %||% stored_runs(object))
  if (length(trained) == 0L) {
    runs <- length(stored_runs(object))
    abort_no_training(if (runs > 0L) "an object whose runs train nothing" else "an object without a run")
  }
  plot_history(run_parts(object, utils::tail(trained, 1L))$history)
}

#' @rdname TrainingPlot
#' @exportS3Method TrainingPlot SingleCellExperiment
TrainingPlot.SingleCellExperiment <- TrainingPlot.Seurat

abort_no_training <- function(what) {
  systems <- Filter(function(system) "epochs" %in% names(option_set(system$name)$rows), spax_systems())
  each <- function(field) unname(vapply(systems, `[[`, "", field))
  abort_spax("argument", c(
    "{.arg object} must hold a training of {one_of(each('title'))}, not be {what}.",
    "i" = paste0("Call ", one_of(paste0("{.fn ", each("verb"), "}")), " first.")
  ), "object")
}

# What each loss is called, by its column of the history.
loss_titles <- function(columns) {
  known <- c(
    total = "Total",
    reconstruction = "Reconstruction",
    consistency = "Latent consistency",
    contrast = "Contrast"
  )
  titles <- known[columns]
  recon <- startsWith(columns, "recon_")
  cross <- startsWith(columns, "cross_")
  titles[recon] <- paste("Reconstruction of", sub("^recon_", "", columns[recon]))
  titles[cross] <- paste(sub("^cross_", "", columns[cross]), "through the others")
  titles[is.na(titles)] <- columns[is.na(titles)]
  rlang::set_names(titles, columns)
}

plot_history <- function(history) {
  losses <- loss_titles(setdiff(names(history), "epoch"))
  data <- do.call(rbind, lapply(names(losses), function(name) {
    data.frame(epoch = history$epoch, loss = losses[[name]], value = history[[name]])
  }))
  data <- data[is.finite(data$value), ]
  data$loss <- factor(data$loss, losses)
  ggplot2::ggplot(data, ggplot2::aes(.data$epoch, .data$value, colour = .data$loss)) +
    ggplot2::geom_line(linewidth = 0.5, show.legend = FALSE) +
    ggplot2::facet_wrap(~loss, scales = "free_y") +
    ggplot2::scale_colour_manual(values = loss_colours(losses)) +
    ggplot2::scale_x_continuous(limits = c(0, max(history$epoch)), expand = ggplot2::expansion(c(0, 0.02))) +
    ggplot2::labs(x = "Epoch", y = "Loss", caption = history_caption(history)) +
    theme_curves()
}

# The losses of one modality share a colour.
loss_colours <- function(losses) {
  of <- sub("^(recon|cross)_", "", names(losses)[-1L])
  rlang::set_names(c("black", domain_palette(length(unique(of)))[match(of, unique(of))]), losses)
}

# What rises in a training that goes well.
history_caption <- function(history) {
  lines <- c(contrast_caption(history), cross_caption(history))
  if (length(lines) > 0L) paste(lines, collapse = "\n")
}

# The total rises when the contrast joins it.
contrast_caption <- function(history) {
  first <- history$epoch[is.finite(history$contrast)]
  if (length(first) > 0L && first[[1L]] > 1L) paste0("The contrast joins the total at epoch ", first[[1L]], ".")
}

# A training that starts from components has each modality in columns of its own, nearly without length, of which
# another modality keeps nothing.
cross_caption <- function(history) {
  cross <- history[startsWith(names(history), "cross_")]
  rises <- vapply(cross, function(x) x[[length(x)]] > x[[1L]], NA)
  if (any(rises)) "Losses through the others start near 0 and rise with the size of the embedding: no fault."
}

theme_curves <- function() {
  ggplot2::theme_bw(base_size = 11) +
    ggplot2::theme(
      panel.grid.minor = ggplot2::element_blank(), strip.background = ggplot2::element_blank(),
      strip.text = ggplot2::element_text(face = "bold", hjust = 0)
    )
}
