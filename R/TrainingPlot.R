#' Plot the training curve
#'
#' Losses over the epochs, a panel each: a curve that still falls at the end asks for more `epochs`; one that jumps, for a smaller `learning_rate`.
#'
#' @param object What [RunSpaCross()] returned: a Seurat object, or a `SpaCrossResult`.
#' @param ... Not used; anything here is an error.
#' @return A ggplot object. The contrast starts with the first hybrid graph.
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
TrainingPlot.SpaCrossResult <- function(object, ...) {
  check_dots(...)
  plot_history(object$history)
}

#' @rdname TrainingPlot
#' @exportS3Method TrainingPlot Seurat
TrainingPlot.Seurat <- function(object, ...) {
  check_dots(...)
  if (!"RunSpaCross" %in% SeuratObject::Tool(object)) abort_no_training("an object without a run")
  plot_history(SeuratObject::Tool(object, "RunSpaCross")$history)
}

abort_no_training <- function(what) {
  abort_spax("argument", c(
    "{.arg object} must hold a training of SpaCross, not be {what}.",
    "i" = "Call {.fn RunSpaCross} first."
  ), "object")
}

plot_history <- function(history) {
  losses <- c(total = "Total", reconstruction = "Reconstruction", consistency = "Latent consistency", contrast = "Contrast")
  data <- do.call(rbind, lapply(names(losses), function(name) {
    data.frame(epoch = history$epoch, loss = losses[[name]], value = history[[name]])
  }))
  data <- data[is.finite(data$value), ]
  data$loss <- factor(data$loss, losses)
  ggplot2::ggplot(data, ggplot2::aes(.data$epoch, .data$value, colour = .data$loss)) +
    ggplot2::geom_line(linewidth = 0.5, show.legend = FALSE) +
    ggplot2::facet_wrap(~loss, scales = "free_y") +
    ggplot2::scale_colour_manual(values = rlang::set_names(c("black", domain_palette(3)), losses)) +
    ggplot2::scale_x_continuous(limits = c(0, max(history$epoch)), expand = ggplot2::expansion(c(0, 0.02))) +
    ggplot2::labs(x = "Epoch", y = "Loss", caption = contrast_caption(history)) +
    theme_curves()
}

# The total rises when the contrast joins it, which is no fault.
contrast_caption <- function(history) {
  first <- history$epoch[is.finite(history$contrast)]
  if (length(first) > 0L && first[[1L]] > 1L) paste0("The contrast joins the total at epoch ", first[[1L]], ".")
}

theme_curves <- function() {
  ggplot2::theme_bw(base_size = 11) +
    ggplot2::theme(
      panel.grid.minor = ggplot2::element_blank(),
      strip.background = ggplot2::element_blank(),
      strip.text = ggplot2::element_text(face = "bold", hjust = 0)
    )
}
