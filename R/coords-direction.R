# Which way y grows.

# By platform, as its own viewer draws the tissue (`?SpatialCoords` shows this table), and how coordinates are known to
# come from it: what their y is called in tables, as plain_name() writes it; the class of a Seurat image; of a field of
# view the assay, which Seurat's loaders name after the platform, or else the names that the platform gives its cells.
# What no line knows is drawn as a graph is, upwards.
# Images have their first row on top, and platforms that give positions in images count from there: Space Ranger's
# pixels, Xenium's and MERSCOPE's micrometres, CODEX's pixels. CosMx lays its fields of view out on the slide, y
# upwards, and turns their images for that.
platforms <- list(
  list(
    name = "Visium", y_down = TRUE, columns = c("pxlrowinfullres", "imagerow", "arrayrow", "row"),
    image = c("VisiumV1", "VisiumV2")
  ),
  list(name = "Xenium", y_down = TRUE, columns = "ycentroid", assay = "xenium", cells = "^[a-p]{8}-[0-9]+$"),
  list(
    name = "MERSCOPE", y_down = TRUE, columns = "centery", assay = "vizgen|merscope|merfish", cells = "^[0-9]{15,}$"
  ),
  list(name = "CODEX", y_down = TRUE, assay = "akoya|codex"),
  list(
    name = "CosMx", y_down = FALSE, assay = "nanostring|cosmx", cells = "^(c_[0-9]+_)?[0-9]+_[0-9]+$",
    columns = c("centeryglobalpx", "yglobalpx", "yslidemm", "centerylocalpx", "ylocalpx")
  ),
  list(name = "Slide-seq", y_down = FALSE, image = "SlideSeq"),
  list(name = "STARmap", y_down = FALSE, image = "STARmap")
)

# Whether y grows downwards of coordinates whose y column is called so.
down_by_name <- function(y_name) down_on(function(platform) y_name %in% platform$columns)

# Of an image of a Seurat object.
down_by_image <- function(image, assay, cells) {
  if (!inherits(image, "FOV") || inherits(image, "VisiumV2")) {
    return(down_on(function(platform) !is.null(platform$image) && inherits(image, platform$image)))
  }
  by_assay <- Find(function(platform) named_after(platform$assay, assay), platforms)
  by_assay$y_down %||% down_on(function(platform) named_after(platform$cells, cells))
}

down_on <- function(is_it) isTRUE(Find(is_it, platforms)$y_down)

named_after <- function(pattern, names) {
  !is.null(pattern) && length(names) > 0L && all(grepl(pattern, names, ignore.case = TRUE))
}
