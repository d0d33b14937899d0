# The small slice and a copy of it, turned and shifted, as two slices "a" and "b".

turned <- function(xy, degrees, shift = c(0, 0), prefix = "b_") {
  angle <- degrees * pi / 180
  data.frame(
    x = xy$x * cos(angle) - xy$y * sin(angle) + shift[[1L]], y = xy$x * sin(angle) + xy$y * cos(angle) + shift[[2L]],
    row.names = paste0(prefix, rownames(xy))
  )
}

pair_tables <- function(degrees = 25) list(a = small_xy(), b = turned(small_xy(), degrees, c(500, -80)))

pair_counts <- function() {
  counts <- small()$counts
  copy <- counts
  colnames(copy) <- paste0("b_", colnames(counts))
  cbind(counts, copy)
}

pair_slice <- function() factor(rep(c("a", "b"), each = ncol(small()$counts)))

pair_list <- function() {
  counts <- pair_counts()
  lapply(split(seq_len(ncol(counts)), pair_slice()), function(cells) counts[, cells])
}

pair_seurat <- function() {
  skip_if_not_installed("Seurat")
  object <- suppressWarnings(SeuratObject::CreateSeuratObject(pair_counts()))
  places <- do.call(rbind, unname(pair_tables()))
  SeuratObject::AddMetaData(object, data.frame(places, slice = as.character(pair_slice())))
}

# A short run over both.
quick_pair <- function(
  counts = pair_counts(), coords = do.call(rbind, unname(pair_tables())), ..., slice = pair_slice(), gaps = 10,
  spot.distance = 100
) {
  quick(counts, coords = coords, ..., slice = slice, gaps = gaps, spot.distance = spot.distance)
}
