# The options of a system: what they are, which values they take, how they print. An option set describes those of one system:
#   class       of the options, and the name of the function that makes them
#   system      its name in messages
#   core, after default values: of the options that the core reads, and of those that R reads
#   ranges      of the numbers, see option_range(); `optional`: the same for numbers that may be NULL; `vectors`: for several numbers
#   choices     the values of each option that is a choice; `flags`: the names of those that are TRUE or FALSE
#   presets     named lists of values; published: what the published code fixes and what it leaves free, and its usual preset

# By the class of the options.
option_sets <- function() {
  sets <- unname(lapply(spax_systems(), function(system) system$option_set()))
  rlang::set_names(sets, vapply(sets, `[[`, "", "class"))
}

# The option set that these options belong to.
set_of <- function(options) option_sets()[[class(options)[[1L]]]]

new_options <- function(set, given, preset) {
  check_option_names(given, set)
  base <- if (is.null(preset)) NULL else set$presets[[check_choice(preset, names(set$presets), "preset")]]
  options <- set_options(set_options(option_defaults(set), base), given)
  check_options(options, set)
  as_options(options, set, names(given), preset)
}

as_options <- function(options, set, given, preset) {
  structure(options, class = c(set$class, "spax_options"), given = given, preset = preset)
}

option_defaults <- function(set) c(set$core, set$after)

option_names <- function(set) names(option_defaults(set))

# The options that the core reads.
core_options <- function(options) {
  unclass(options)[option_names(set_of(options))]
}

# The published settings, with what the user gave by name where the published code leaves it free.
published_options <- function(options) {
  set <- set_of(options)
  given <- unclass(options)[attr(options, "given")]
  check_published_clash(given, set)
  preset <- set$presets[[attr(options, "preset") %||% set$published$preset]]
  result <- Reduce(set_options, list(unclass(options), set$published$free, preset, given, set$published$fixed))
  as_options(result, set, attr(options, "given"), attr(options, "preset"))
}

check_published_clash <- function(given, set) {
  fixed <- set$published$fixed
  clash <- Filter(function(name) !identical(given[[name]], fixed[[name]]), intersect(names(given), names(fixed)))
  if (length(clash) > 0L) {
    abort_spax("argument", c(
      "{.code published = TRUE} fixes the option{cli::qty(length(clash))}{?s} {.code {clash}}.",
      "i" = "Leave {cli::qty(length(clash))}{?it/them} out of {.fn {set$class}}, or leave out {.code published = TRUE}."
    ), "published")
  }
}

# Like modifyList(), but a NULL stays in the list, and whole numbers keep the type of the default.
set_options <- function(options, values) {
  for (name in names(values)) {
    value <- values[[name]]
    if (is.integer(options[[name]]) && is_whole(value)) value <- as.integer(value)
    options[name] <- list(value)
  }
  options
}

check_option_names <- function(given, set) {
  names <- rlang::names2(given)
  known <- option_names(set)
  unknown <- setdiff(names, known)
  if (length(unknown) > 0L) {
    first <- if (nzchar(unknown[[1L]])) unknown[[1L]] else "an option without a name"
    abort_spax("option", c(
      "{.code {first}} is not an option of {set$system}.",
      "i" = did_you_mean(unknown[[1L]], known)
    ), unknown[[1L]])
  }
  if (anyDuplicated(names)) {
    twice <- names[duplicated(names)][[1L]]
    abort_spax("option", c("The option {.code {twice}} is given twice.", "i" = "Give it once."), twice)
  }
}

# The same range for each of these options: least, most, whole or not.
option_range <- function(names, least, most, whole) {
  rlang::set_names(rep(list(list(least = least, most = most, whole = whole)), length(names)), names)
}

# Of the options that say how domains are found, which all systems share.
domain_choices <- function() {
  list(
    cluster = c("consensus", "gmm", "mclust", "kmeans", "leiden", "louvain"), domains_from = c("predicted", "embedding", "smoothed", "both")
  )
}

domain_ranges <- function() {
  count <- c("smooth_components", "smooth_passes", "starts", "consensus")
  c(option_range(count, 1, 1e9, TRUE), option_range("refine_k", 0, 1e9, TRUE))
}

smooth_range <- function() option_range("smooth_k", 2, 1e9, TRUE)

check_options <- function(options, set = set_of(options)) {
  for (name in names(set$ranges)) check_option_number(options[[name]], name, set$ranges[[name]], set)
  for (name in names(set$vectors)) check_option_vector(options[[name]], name, set$vectors[[name]], set)
  for (name in names(set$choices)) check_choice(options[[name]], set$choices[[name]], name)
  for (name in set$flags) check_flag(options[[name]], name)
  for (name in names(set$optional)) {
    if (!is.null(options[[name]])) check_option_number(options[[name]], name, set$optional[[name]], set)
  }
  invisible(options)
}

check_option_number <- function(x, name, range, set) {
  ok <- is.numeric(x) && length(x) == 1L && is.finite(x) && x >= range$least && x <= range$most
  if (ok && (!range$whole || x == round(x))) {
    return(invisible(x))
  }
  kind <- if (range$whole) "whole number" else "number"
  bounds <- describe_range(range)
  abort_spax("option", c(
    "The option {.code {name}} must be one {kind} {bounds}, not {show_value(x)}.",
    "i" = "See {.help {set$class}}."
  ), name)
}

check_option_vector <- function(x, name, range, set) {
  if (!is.numeric(x) || length(x) < 1L) {
    abort_spax("option", c(
      "The option {.code {name}} must be one number, or one for each modality, not {show_value(x)}.",
      "i" = "See {.help {set$class}}."
    ), name)
  }
  for (value in x) check_option_number(value, name, range, set)
}

describe_range <- function(range) {
  least <- if (range$least > 0 && !range$whole) "above 0" else paste("of at least", range$least)
  if (range$most < 1 && !range$whole) paste(least, "and below 1") else least
}

check_is_options <- function(options, set) {
  if (!inherits(options, set$class)) {
    abort_spax("argument", c(
      "{.arg options} must come from {.fn {set$class}}, not be {show_value(options)}.",
      "i" = "For instance {.code options = {set$class}(k = 6)}."
    ), "options")
  }
  check_options(options, set)
}

#' @export
print.spax_options <- function(x, ...) {
  set <- set_of(x)
  defaults <- option_defaults(set)
  changed <- !mapply(function(a, b) isTRUE(all.equal(a, b)), unclass(x)[names(defaults)], defaults)
  value <- option_values(x)
  note <- ifelse(changed, paste0("  <- default ", vapply(defaults, show_option, "")), "")
  head <- paste0(set$system, " options", if (!is.null(attr(x, "preset"))) paste0(", preset \"", attr(x, "preset"), "\""))
  lines <- paste0("  ", format(names(defaults)), "  ", format(value), note)
  writeLines(c(head, sub(" +$", "", lines)))
  invisible(x)
}

show_option <- function(x) if (is.numeric(x) && length(x) > 1L) paste0("c(", paste(format(x), collapse = ", "), ")") else show_value(x)

option_values <- function(options) vapply(unclass(options)[option_names(set_of(options))], show_option, "")

# For a logged command, which prints its arguments with cat(): a list there is an error.
option_lines <- function(options) {
  values <- option_values(options)
  paste(names(values), "=", values)
}
