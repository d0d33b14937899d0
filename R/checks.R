# Checks of the arguments that several verbs share. Each returns the value in the form the core wants.

is_whole <- function(x) {
  is.numeric(x) && length(x) == 1L && is.finite(x) && x == round(x)
}

check_whole <- function(x, argument, least, most = Inf, remedy = NULL) {
  # R's whole numbers end there.
  if (is_whole(x) && x >= least && x <= min(most, .Machine$integer.max)) {
    return(as.integer(x))
  }
  range <- if (is.finite(most)) paste("from", least, "to", most) else paste("of at least", least)
  abort_spax("argument", c(
    "{.arg {argument}} must be one whole number {range}, not {show_value(x)}.",
    if (!is.null(remedy)) c("i" = "{remedy}")
  ), argument)
}

show_value <- function(x) {
  if (is.null(x)) return("NULL")
  if (!is.atomic(x) || length(x) != 1L) {
    return(paste0("an object of class ", class(x)[[1L]], " and length ", length(x)))
  }
  if (is.factor(x)) return(paste("the factor", show_value(as.character(x))))
  if (is.character(x)) paste0("\"", x, "\"") else format(x)
}

check_n_domains_given <- function(n.domains) {
  if (rlang::is_missing(n.domains)) {
    abort_spax("argument", c(
      "{.arg n.domains} is missing.",
      "i" = "Say how many spatial domains to look for, for instance {.code n.domains = 7}; {.fn ChooseDomains} helps to
             choose."
    ), "n.domains")
  }
}

check_n_domains <- function(n.domains, n_cells) {
  check_n_domains_given(n.domains)
  if (n_cells < 2) {
    abort_spax("argument", c("There is one cell only.", "i" = "Domains need two cells or more."), "object")
  }
  check_whole(n.domains, "n.domains", 2, n_cells, remedy = paste("There are", n_cells, "cells."))
}

# `where`: the slice, where each is looked at by itself.
check_k <- function(k, n_cells, argument = "k", least = 2, where = "") {
  k <- check_whole(k, argument, least)
  if (k >= n_cells) {
    abort_spax("argument", c(
      "{.arg {argument}} is {k}, but each of the {n_cells} cells{where} has only {n_cells - 1} others.",
      "i" = if (n_cells <= least) "These are too few." else "Use a smaller {.arg {argument}}, at most {n_cells - 1}."
    ), argument)
  }
  k
}

# One whole number as the core's seed. NULL draws it from R's generator, so `set.seed()` counts.
check_seed <- function(seed) {
  if (is.null(seed)) {
    return(as.double(sample.int(.Machine$integer.max, 1L)))
  }
  if (!is_whole(seed) || abs(seed) > 2^53) {
    abort_spax("argument", c(
      "{.arg seed} must be one whole number or NULL, not {show_value(seed)}.",
      "i" = "For instance {.code seed = 1}; NULL draws one from R's own generator."
    ), "seed")
  }
  as.double(seed)
}

# A seed for run `run` of several, far from the small seeds that people type.
run_seed <- function(seed, run) seed + (run - 1) * 1000003

check_threads <- function(threads) {
  check_whole(threads %||% default_threads(), "threads", 1, 1024)
}

default_threads <- function() {
  chosen <- getOption("spaxR.threads")
  if (!is.null(chosen)) {
    return(chosen)
  }
  cores <- parallel::detectCores()
  if (is.na(cores)) cores <- 1L
  limited <- tolower(Sys.getenv("_R_CHECK_LIMIT_CORES_")) %in% c("true", "warn", "error")
  if (limited) min(2L, cores) else cores
}

check_choice <- function(x, choices, argument) {
  if (rlang::is_string(x) && x %in% choices) {
    return(x)
  }
  near <- if (rlang::is_string(x)) choices[utils::adist(x, choices, ignore.case = TRUE) <= min(2, nchar(x) / 3)]
  abort_spax("argument", c(
    "{.arg {argument}} must be one of {.or {.val {choices}}}, not {show_value(x)}.",
    "i" = if (length(near) > 0L) "Did you mean {.val {near[[1L]]}}?"
  ), argument)
}

check_flag <- function(x, argument) {
  if (!rlang::is_bool(x)) {
    abort_spax("argument", "{.arg {argument}} must be TRUE or FALSE, not {show_value(x)}.", argument)
  }
  x
}

check_name <- function(x, argument) {
  if (!rlang::is_string(x) || !nzchar(x)) {
    abort_spax("argument", "{.arg {argument}} must be one name in quotes, not {show_value(x)}.", argument)
  }
  x
}

check_path <- function(file) {
  if (!rlang::is_string(file) || !nzchar(file)) {
    abort_spax("argument", "{.arg file} must be one path in quotes, not {show_value(file)}.", "file")
  }
}

check_unique <- function(cells, argument) {
  twice <- unique(cells[duplicated(cells)])
  if (length(twice) > 0L) {
    abort_spax("argument", c(
      "{.arg {argument}} has {length(twice)} cell name{?s} more than once: {some_of(twice)}.",
      "i" = "Make them unique, for instance with {.fn make.unique}."
    ), argument)
  }
  cells
}

# The first few of many names, for a message.
some_of <- function(x, n = 5L) {
  shown <- paste0("\"", utils::head(x, n), "\"", collapse = ", ")
  if (length(x) > n) paste0(shown, " and ", length(x) - n, " more") else shown
}

check_packages <- function(packages, what) {
  absent <- packages[!vapply(packages, requireNamespace, NA, quietly = TRUE)]
  if (length(absent) > 0L) {
    abort_spax("package", c(
      "{what} needs the package{?s} {.pkg {absent}}, which {?is/are} not installed.",
      "i" = "Install {cli::qty(length(absent))}{?it/them} with {.code install.packages()}."
    ))
  }
}

# Evaluates `code` with R's generator at `seed`, and gives the user's generator back as it was.
with_r_seed <- function(seed, code) {
  check_packages("withr", "A method that draws from R's generator")
  withr::with_seed(as.integer(seed %% .Machine$integer.max), code)
}
