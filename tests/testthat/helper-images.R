# One object for each image class of Seurat, made from the small slice.

with_image <- function(object, image, name = "slice") {
  SeuratObject::DefaultAssay(image) <- SeuratObject::DefaultAssay(object)
  suppressWarnings(object[[name]] <- image)
  object
}

visium_v1 <- function(cells = colnames(small()$counts), key = "slice_") {
  spots <- small()$spots[cells, ]
  methods::new(getClass("VisiumV1", where = asNamespace("Seurat")),
    image = array(0.5, c(4, 4, 3)),
    scale.factors = Seurat::scalefactors(spot = 100, fiducial = 150, hires = 0.2, lowres = 0.05),
    coordinates = data.frame(
      tissue = 1L, row = spots$array_row, col = spots$array_col, imagerow = spots$y, imagecol = spots$x, row.names = cells
    ),
    spot.radius = 0.01, assay = "RNA", key = key
  )
}

# As Read10X_Image() of Seurat 5 makes it: the row of the image first.
visium_v2 <- function() {
  spots <- small()$spots
  places <- data.frame(x = as.double(spots$y), y = as.double(spots$x), cell = rownames(spots))
  fov <- SeuratObject::CreateFOV(SeuratObject::CreateCentroids(places), type = "centroids", assay = "RNA", key = "slice_")
  methods::new(getClass("VisiumV2", where = asNamespace("Seurat")),
    boundaries = methods::slot(fov, "boundaries"), molecules = methods::slot(fov, "molecules"), assay = "RNA", key = "slice_",
    image = array(0.5, c(4, 4, 3)), scale.factors = Seurat::scalefactors(spot = 100, fiducial = 150, hires = 0.2, lowres = 0.05)
  )
}

slide_seq <- function() {
  spots <- small()$spots
  methods::new(getClass("SlideSeq", where = asNamespace("Seurat")),
    coordinates = data.frame(x = spots$x, y = spots$y, row.names = rownames(spots)), assay = "RNA", key = "slice_"
  )
}

starmap <- function() {
  spots <- small()$spots
  methods::new(getClass("STARmap", where = asNamespace("Seurat")),
    coordinates = data.frame(x = spots$x, y = spots$y, row.names = rownames(spots)), qhulls = data.frame(), assay = "RNA", key = "slice_"
  )
}

fov <- function() {
  spots <- small()$spots
  centroids <- data.frame(x = as.double(spots$x), y = as.double(spots$y), cell = rownames(spots))
  SeuratObject::CreateFOV(SeuratObject::CreateCentroids(centroids), type = "centroids", assay = "RNA", key = "slice_")
}

# Cells as squares: the mean of the corners is the centre.
outlines <- function() {
  spots <- small()$spots
  corners <- expand.grid(dx = c(-5, 5), dy = c(-5, 5))[c(1, 2, 4, 3), ]
  table <- do.call(rbind, lapply(rownames(spots), function(cell) {
    data.frame(x = spots[cell, "x"] + corners$dx, y = spots[cell, "y"] + corners$dy, cell = cell)
  }))
  SeuratObject::CreateFOV(SeuratObject::CreateSegmentation(table), type = "segmentation", assay = "RNA", key = "slice_")
}

# A field of view with some of the cells, by the names given.
field_image <- function(cells, key, names = cells) {
  spots <- small()$spots[cells, ]
  centres <- data.frame(x = as.double(spots$x), y = as.double(spots$y), cell = names)
  SeuratObject::CreateFOV(SeuratObject::CreateCentroids(centres), type = "centroids", assay = "RNA", key = key)
}
