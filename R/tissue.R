# The cells of a task in space as the core holds them (an external pointer): `coords`, `slices`, `threads`.
new_tissue <- function(task) {
  core(core_tissue(coords_matrix(task$coords), slice_codes(task$slices), is_stacked(task$slices), task$threads))
}
