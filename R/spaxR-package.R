#' spaxR: spatial domains of a tissue
#'
#' Finds spatial domains in spatial transcriptomics by masked training on graphs. The calculations
#' are a compiled library written in Rust, part of the package: no Python, no downloads at run time.
#' Start with [RunSpaCross()].
#'
#' @keywords internal
#' @useDynLib spaxR, .registration = TRUE
"_PACKAGE"
