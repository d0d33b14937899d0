#' Colours for domains
#'
#' Distinct colours that stay apart for people with red-green or blue-yellow colour blindness. The first nine follow Okabe and Ito; the others were
#' chosen one by one, each as far as possible (in OKLab) from those before it, under normal vision and the three simulated deficiencies of Machado et al.
#' (2009), and from white and the grey of missing labels. Above 30 the colours repeat, lighter and darker by turns: nobody tells so many apart.
#'
#' @param n How many.
#' @return A character vector of `n` colours, each of the form `"#RRGGBB"`.
#' @export
#' @examples
#' domain_palette(7)
domain_palette <- function(n) {
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
