# Fields of view that tile one tissue are one slice.

# The small slice cut into fields by its extents.
fields_of <- function(xy = small_xy(), columns = 2, rows = 2) {
  cut_at <- function(v, n) cut(v, seq(min(v), max(v), length.out = n + 1), labels = FALSE, include.lowest = TRUE)
  cut_at(xy$x, columns) + columns * (cut_at(xy$y, rows) - 1)
}

fields_seurat <- function(column = "fov", field = fields_of()) {
  SeuratObject::AddMetaData(small_seurat(), rlang::set_names(data.frame(field, row.names = rownames(small_xy())), column))
}

test_that("a column of fields that tile the tissue makes no slices, in any verb", {
  object <- fields_seurat()
  expect_message(found <- quick_seurat(object, split.by = "fov"), "one slice", class = "spaxR_message_fields")
  expect_identical(found$spacross_domain, quick_fit()$domain)
  plain <- RunPredictivePCA(small()$counts, n.domains = 4, coords = small_xy(), verbose = FALSE)
  expect_message(found <- RunPredictivePCA(object, n.domains = 4, coords = c("x", "y"), split.by = "fov", verbose = FALSE), class = "spaxR_message_fields")
  expect_identical(found$ppca_domain, plain$domain)
  graph <- suppressMessages(BuildSpatialGraph(fields_seurat("FOV_ID"), coords = c("x", "y"), split.by = "FOV_ID", k = 6))
  expect_equal(unname(as.matrix(graph[["spatial_nn"]])), unname(as.matrix(BuildSpatialGraph(small_xy(), k = 6))))
  sce <- small_sce()
  sce$fov <- fields_of()
  expect_message(found <- quick_sce(sce, split.by = "fov"), class = "spaxR_message_fields")
  expect_identical(found$spacross_domain, unname(quick_fit()$domain))
})

test_that("so for matrices: by their names, or numbers whose extents touch", {
  expect_message(fit <- quick(slice = paste0("fov", fields_of())), class = "spaxR_message_fields")
  expect_identical(fit$embedding, quick_fit()$embedding)
  expect_null(fit$slice)
  expect_message(fit <- quick(slice = fields_of()), class = "spaxR_message_fields")
  expect_identical(fit$embedding, quick_fit()$embedding)
  expect_s3_class(suppressMessages(quick(slice = fields_of(columns = 3, rows = 4)))$domain, "factor")
})

test_that("what is called otherwise, lies over each other, or is set apart stays slices", {
  named <- as.character(fields_of(rows = 1))
  expect_no_fields <- function(code) expect_length(grep("fields of view", capture_messages(suppressWarnings(code))), 0L)
  expect_no_fields(found <- quick_seurat(fields_seurat("section", named), split.by = "section", stack = FALSE))
  expect_identical(levels(SeuratObject::Tool(found, "RunSpaCross")$slice), c("1", "2"))
  expect_no_fields(found <- quick_seurat(fields_seurat("fov", named), split.by = "fov", stack = FALSE))
  expect_identical(levels(SeuratObject::Tool(found, "RunSpaCross")$slice), c("1", "2"))
  # Fields whose coordinates start anew are over each other.
  local <- pair_seurat()
  local$fov <- local$slice
  local$y[local$fov == "b"] <- local$y[local$fov == "a"]
  local$x[local$fov == "b"] <- local$x[local$fov == "a"]
  expect_no_fields(found <- quick_seurat(local, split.by = "fov", stack = FALSE))
  expect_identical(levels(SeuratObject::Tool(found, "RunSpaCross")$slice), c("a", "b"))
  expect_spax_error(quick(slice = rep_len(1:3, nrow(small_xy()))), "argument", "slice")
  # Numbers of samples that lie apart.
  far <- transform(small_xy(), x = x + 1e5 * fields_of(columns = 3, rows = 1))
  expect_spax_error(quick(coords = far, slice = fields_of(columns = 3, rows = 1)), "argument", "slice")
})

test_that("images that are fields of one tissue are one slice, others are not", {
  skip_if_not_installed("Seurat")
  field <- fields_of(rows = 1)
  cells <- split(rownames(small_xy()), field)
  object <- with_image(with_image(small_seurat(), field_image(cells[[1L]], "left_"), "left"), field_image(cells[[2L]], "right_"), "right")
  expect_message(got <- SpatialCoords(object), "2 images", class = "spaxR_message_fields")
  expect_equal(got[c("x", "y")], small_xy(), ignore_attr = TRUE)
  expect_null(got$image)
  said <- capture_messages(run <- quick_seurat(object, coords = NULL))
  expect_length(grep("fields of view", said), 1L)
  expect_identical(run$spacross_domain, quick_fit()$domain)
  expect_identical(suppressMessages(FindDomains(run, 4))$spacross_domain, suppressMessages(FindDomains(run, 4, coords = c("x", "y")))$spacross_domain)
  expect_identical(suppressMessages(DomainMetrics(run))$slice, "all")
  expect_identical(suppressMessages(quick_seurat(object, coords = NULL, split.by = "image"))$spacross_domain, quick_fit()$domain)
  # Cells of both all over: no tiles.
  mixed <- split(rownames(small_xy()), rep_len(1:2, nrow(small_xy())))
  other <- with_image(with_image(small_seurat(), field_image(mixed[[1L]], "a_"), "a"), field_image(mixed[[2L]], "b_"), "b")
  expect_identical(levels(SpatialCoords(other)$image), c("a", "b"))
  expect_spax_error(quick_seurat(other, coords = NULL), "coords", "coords")
})

test_that("extents are looked at pair by pair, and with gaps between them", {
  grid <- expand.grid(x = seq(0, 99, 3), y = seq(0, 99, 3))
  field <- factor(fields_of(grid, 3, 3))
  expect_true(tile(grid, field, 2L))
  extents <- field_extents(grid, field)
  expect_true(lie_apart(extents))
  expect_false(hang_together(extents, 1))
  # A hole in the middle still hangs together; a corner alone does not.
  expect_true(tile(grid[field != 5, ], droplevels(field[field != 5]), 2L))
  diagonal <- field %in% c(1, 5, 9)
  expect_false(tile(grid[diagonal, ], droplevels(field[diagonal]), 2L))
  apart <- field %in% c(1, 3)
  expect_false(tile(grid[apart, ], droplevels(field[apart]), 2L))
  shifted <- transform(grid, x = x - ifelse(field %in% c(2, 5, 8), 15, 0))
  expect_false(lie_apart(field_extents(shifted, field)))
})
