# The rim of a tissue as closed lines, where the number of cells on a coarse grid falls to half of the usual: a data
# frame of x, y and the number of the line. Rims of small holes are left out.
tissue_outline <- function(coords) {
  width <- 2 * cell_spacing(coords)
  # Two empty boxes on every side: the smoothed number of cells is 0 at the border, and all lines close.
  box <- function(x) floor((x - min(x)) / width) + 3
  x <- box(coords$x)
  y <- box(coords$y)
  cells <- matrix(tabulate(x + (y - 1) * (max(x) + 2), (max(x) + 2) * (max(y) + 2)), max(x) + 2)
  density <- box_means(cells)
  centre <- function(x, n) min(x) + (seq_len(n) - 2.5) * width
  lines <- grDevices::contourLines(
    centre(coords$x, nrow(cells)), centre(coords$y, ncol(cells)), density,
    levels = stats::median(density[cells > 0]) / 2
  )
  points <- vapply(lines, function(line) length(line$x), 0L)
  kept <- which(points > max(points) / 4)
  do.call(rbind, lapply(kept, function(i) data.frame(x = lines[[i]]$x, y = lines[[i]]$y, line = i)))
}

# Means over a box and the eight around it.
box_means <- function(cells) {
  shift <- function(m, by) {
    rbind(
      matrix(0, max(by, 0), ncol(m)), m[seq_len(nrow(m) - abs(by)) + max(-by, 0), ], matrix(0, max(-by, 0), ncol(m))
    )
  }
  down <- cells + shift(cells, 1) + shift(cells, -1)
  t(t(down) + shift(t(down), 1) + shift(t(down), -1)) / 9
}
