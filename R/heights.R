# Heights of slices in a stack that the coordinates bring themselves.

# One for all cells of a slice; NULL where there are none, or they cannot be those of a stack, which is said.
given_heights <- function(coords, slice, gaps) {
  if (is.null(coords$z)) {
    return(NULL)
  }
  ranges <- vapply(split(coords$z, slice), range, numeric(2L))
  if (all(ranges == ranges[[1L]])) {
    return(NULL)
  }
  unused <- if (!is.null(gaps)) {
    "{.arg gaps} says how far slices lie apart, and the z of the coordinates is not used."
  } else if (any(ranges[1L, ] != ranges[2L, ])) {
    paste(
      "Cells of one slice differ in z, which is not used: each slice lies",
      "at one height. To look for neighbours in space, give no slices."
    )
  }
  if (!is.null(unused)) {
    cli::cli_inform(c("i" = unused), class = "spaxR_message_coords")
    return(NULL)
  }
  check_heights(ranges[1L, ])
}

# The order of a stack is that of its heights.
check_heights <- function(heights) {
  steps <- diff(heights)
  if (all(steps > 0) || all(steps < 0)) {
    return(unname(heights))
  }
  abort_spax("coords", c(
    paste(
      "The slices are not in the order of their heights: z is",
      "{paste(names(heights), heights, sep = ' = ', collapse = ', ')}."
    ),
    "i" = "Order the levels of the slices by z, or give {.arg coords} without z and {.arg gaps}."
  ), "coords")
}
