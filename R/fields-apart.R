# Whether the extents of fields of view, or of samples, lie apart.

# low and high: the extents of each field, fields x axes.
field_extents <- function(coords, field) {
  each <- function(f) {
    vapply(coords[c("x", "y")], function(axis) vapply(split(axis, field), f, 0), numeric(nlevels(field)))
  }
  list(low = each(min), high = each(max))
}

# No two share more than a tenth of the smaller one.
lie_apart <- function(extents, most = 0.1) {
  size <- extents$high - extents$low
  area <- size[, 1L] * size[, 2L]
  shared <- function(i, axis) {
    pmax(pmin(extents$high[i, axis], extents$high[, axis]) - pmax(extents$low[i, axis], extents$low[, axis]), 0)
  }
  worst <- vapply(seq_along(area), function(i) {
    common <- shared(i, 1L) * shared(i, 2L)
    max((common > most * pmin(area[[i]], area))[-i])
  }, 0)
  !any(worst > 0)
}

# Whether one gets from each field to each other over sides where they touch: at most `gap` apart along one axis, and
# side by side along the other.
hang_together <- function(extents, gap) {
  size <- extents$high - extents$low
  distance <- function(i, axis) {
    pmax(extents$low[i, axis], extents$low[, axis]) - pmin(extents$high[i, axis], extents$high[, axis])
  }
  beside <- function(i, axis) -distance(i, axis) >= pmin(size[i, axis], size[, axis]) / 2
  touches <- function(i) which(distance(i, 1L) <= gap & beside(i, 2L) | distance(i, 2L) <= gap & beside(i, 1L))
  reached <- new <- 1L
  while (length(new) > 0L) {
    new <- setdiff(unlist(lapply(new, touches)), reached)
    reached <- c(reached, new)
  }
  length(reached) == nrow(size)
}
