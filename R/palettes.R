#' Colours for domains
#'
#' Distinct colours that stay apart for people with red-green or blue-yellow colour blindness. The first nine follow
#' Okabe and Ito; the others were chosen one by one, each as far as possible (in OKLab) from those before it, under
#' normal vision and the three simulated deficiencies of Machado et al. (2009), and from white and the grey of missing
#' labels. Above 30 the colours repeat, lighter and darker by turns: nobody tells so many apart.
#'
#' @param n How many, or the domains of the cells: a factor, or text.
#' @return A character vector of `n` colours, each of the form `"#RRGGBB"`; for domains one each, named by their
#'   levels: what `cols` of Seurat's `SpatialDimPlot()` and `DimPlot()` takes.
#' @export
#' @examples
#' domain_palette(7)
#' domain_palette(factor(c("cortex", "white matter")))
domain_palette <- function(n) {
  if (is.character(n)) n <- as.factor(n)
  if (is.factor(n)) {
    return(rlang::set_names(domain_palette(nlevels(n)), levels(n)))
  }
  n <- check_whole(n, "n", 0)
  base <- palette_base()
  rounds <- ceiling(n / length(base))
  shades <- lapply(seq_len(max(rounds, 1)), function(round) shade(base, round))
  utils::head(unlist(shades), n)
}

palette_base <- function() {
  c(
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#5B1E0E", "#56B4E9", "#D55E00", "#3C1A78", "#E8DC4A", "#9E3161",
    "#555500", "#9286FF", "#92C279", "#553DAA", "#926149", "#86F392", "#790049", "#F3AAC2", "#B6C2FF", "#6D5586",
    "#006161", "#792486", "#AA9E55", "#6D79CE", "#9E6D92", "#553161", "#868649", "#00F3FF", "#B6CE31", "#55CEDB"
  )
}

# Round 1 as it is, then towards white and black by turns.
shade <- function(colours, round) {
  if (round == 1L) {
    return(colours)
  }
  towards <- if (round %% 2L == 0L) "white" else "black"
  share <- 0.45 * (1 - 0.5^(round %/% 2L))
  mix <- (1 - share) * grDevices::col2rgb(colours) + share * as.vector(grDevices::col2rgb(towards))
  grDevices::rgb(t(mix), maxColorValue = 255)
}

# Named colours for each panel: given, or the palette, later panels after the first.
match_colours <- function(labels, cols) {
  first <- labels[[1L]]
  own <- given_colours(first, cols) %||% rlang::set_names(domain_palette(nlevels(first)), levels(first))
  rest <- lapply(labels[-1L], function(x) given_colours(x, cols) %||% borrow_colours(x, first, own))
  c(list(own), rest)
}

given_colours <- function(labels, cols) {
  if (is.null(cols)) {
    return(NULL)
  }
  check_colours(cols)
  if (!is.null(names(cols)) && all(levels(labels) %in% names(cols))) {
    return(cols[levels(labels)])
  }
  if (length(cols) < nlevels(labels)) {
    abort_spax("argument", c(
      "{.arg cols} has {length(cols)} colour{?s} for {nlevels(labels)} levels.",
      "i" = "Give one a level, or leave it out."
    ), "cols")
  }
  rlang::set_names(unname(cols)[seq_len(nlevels(labels))], levels(labels))
}

check_colours <- function(cols) {
  is_colour <- function(x) !is.na(x) && !inherits(try(grDevices::col2rgb(x), silent = TRUE), "try-error")
  wrong <- if (is.character(cols) || is.numeric(cols)) cols[!vapply(cols, is_colour, NA)] else TRUE
  if (length(wrong) > 0L) {
    abort_spax("argument", c(
      if (isTRUE(wrong)) {
        "{.arg cols} must be colours, not {show_value(cols)}."
      } else {
        "{.arg cols} has what is no colour: {some_of(wrong)}."
      },
      "i" = "Give names or codes of colours, one a level, as {.fn domain_palette} does."
    ), "cols")
  }
}

# Pairs with the largest overlap first; who finds no partner gets an unused colour. Where less than a fifth of two
# groups is shared, one colour would say that they are alike.
borrow_colours <- function(labels, first, colours, least = 0.2) {
  overlap <- unclass(table(labels, first))
  either <- outer(rowSums(overlap), colSums(overlap), `+`) - overlap
  overlap[overlap < least * either] <- 0
  result <- rlang::set_names(rep(NA_character_, nlevels(labels)), levels(labels))
  for (step in seq_len(min(dim(overlap)))) {
    best <- arrayInd(which.max(overlap), dim(overlap))
    if (overlap[best] <= 0) break
    result[best[[1L]]] <- colours[[best[[2L]]]]
    overlap[best[[1L]], ] <- -1
    overlap[, best[[2L]]] <- -1
  }
  open <- is.na(result)
  spare <- setdiff(domain_palette(nlevels(labels) + length(colours)), c(colours, result))
  result[open] <- spare[seq_len(sum(open))]
  result
}
