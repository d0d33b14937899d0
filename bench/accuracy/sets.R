# Labelled slices: every .rds of a folder that is list(counts = genes x cells, spots = data.frame(x, y, label, ...)),
# one slice a file.

labelled_sets <- function(folder) {
  files <- list.files(folder, pattern = "[.]rds$", full.names = TRUE)
  names(files) <- sub("[.]rds$", "", basename(files))
  sizes <- vapply(files, function(file) usable_cells(readRDS(file)), 0)
  files[order(sizes)][seq_len(sum(!is.na(sizes)))]
}

# How many cells; NA where there is nothing to compare with, or several slices, which the methods here are not told of.
usable_cells <- function(set) {
  usable <- !is.null(set$counts) &&
    !is.null(set$spots$label) &&
    any(!is.na(set$spots$label)) &&
    length(unique(set$spots$slice)) <= 1
  if (usable) ncol(set$counts) else NA_real_
}

# Counts, coordinates, annotation and the number of domains in it. Not-annotated cells (NA) stay: only measures leave
# them out.
read_set <- function(file) {
  set <- readRDS(file)
  cells <- colnames(set$counts)
  coords <- as.matrix(set$spots[intersect(c("x", "y", "z"), names(set$spots))])
  rownames(coords) <- cells
  label <- setNames(as.character(set$spots$label), cells)
  list(counts = set$counts, coords = coords, label = label, k = length(unique(na.omit(label))))
}
