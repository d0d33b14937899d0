# The options of a system. The core knows what they are, which values each may take, and what it is for
# (core/src/options): options are checked, printed and documented by its table, and no value stands here. An option set:
#   name      of the system, as in its registration; class: of its options, and the name of the function that makes them
#   system    its name in messages
#   rows      by the names of the options: `section`, `kind`, `default`, `demand` (what it must be, in words), `help`,
#             and as the kind has them `least`, `most`, `choices`
#   presets   their names

known_sets <- new.env(parent = emptyenv())

option_set <- function(name) {
  if (is.null(known_sets[[name]])) known_sets[[name]] <- read_option_set(name)
  known_sets[[name]]
}

read_option_set <- function(name) {
  table <- core(core_option_table(name))
  rows <- rlang::set_names(table$options, vapply(table$options, `[[`, "", "name"))
  rows <- lapply(rows, function(row) {
    row["default"] <- list(as_option(row$default))
    row
  })
  list(
    name = name, class = paste0(name, "_options"), system = table$system, rows = rows,
    presets = as.character(table$presets)
  )
}

# Several numbers come from the core as a list.
as_option <- function(value) if (is.list(value)) unlist(value) else value

# The option set that these options belong to.
set_of <- function(options) option_set(sub("_options$", "", class(options)[[1L]]))

new_options <- function(set, given, preset) {
  check_option_names(given, set)
  if (!is.null(preset)) check_preset(preset, set)
  for (name in names(given)) check_option(given[[name]], set$rows[[name]], set)
  as_options(resolve_options(set, given, preset), set, names(given), preset)
}

# Of other kinds of data nothing was published: the defaults are for all.
check_preset <- function(preset, set) {
  unlike <- rlang::is_string(preset) && all(utils::adist(preset, set$presets, ignore.case = TRUE) > 2)
  if (unlike) {
    others <- setdiff(set$presets, "default")
    abort_spax("argument", c(
      "There are no published settings of {set$system} for {.val {preset}}.",
      if (length(others) > 0L) c("i" = "There are some for {.or {.val {others}}}."),
      "i" = "Leave {.arg preset} out: the defaults are for all kinds of data."
    ), "preset")
  }
  check_choice(preset, set$presets, "preset")
}

as_options <- function(options, set, given, preset) {
  structure(options, class = c(set$class, "spax_options"), given = given, preset = preset)
}

# Every option: what was given, and else what the preset, the published code or the defaults have.
resolve_options <- function(set, given, preset = NULL, published = FALSE, several = FALSE) {
  all <- core(core_options_resolved(set$name, given, preset, published, several))
  lapply(all[names(set$rows)], as_option)
}

# The options as the core reads them.
core_options <- function(options) unclass(options)[names(set_of(options)$rows)]

# The published settings, for several slices or one, with what the user gave by name where the published code leaves it
# free.
published_options <- function(options, several = FALSE) {
  set <- set_of(options)
  given <- attr(options, "given")
  preset <- attr(options, "preset")
  values <- resolve_options(set, unclass(options)[given], preset, published = TRUE, several = several)
  as_options(values, set, given, preset)
}

# Every system has the same.
cluster_methods <- function() option_set("spacross")$rows$cluster$choices

# Options that were stored in a file, in the usual order, checked; one that has come since has its default.
restore_options <- function(stored, set) {
  as_options(resolve_options(set, stored[intersect(names(set$rows), names(stored))]), set, NULL, NULL)
}

check_option_names <- function(given, set) {
  names <- rlang::names2(given)
  known <- names(set$rows)
  unknown <- setdiff(names, known)
  if (length(unknown) > 0L) {
    if (!nzchar(unknown[[1L]])) {
      abort_spax("option", c(
        "Options are given by name.",
        "i" = "For instance {.code {set$class}({known[[1L]]} = ...)}; {.help {set$class}} has them all."
      ), "...")
    }
    abort_spax("option", c(
      "{.code {unknown[[1L]]}} is not an option of {set$system}.",
      "i" = did_you_mean(unknown[[1L]], known)
    ), unknown[[1L]])
  }
  if (anyDuplicated(names)) {
    twice <- names[duplicated(names)][[1L]]
    abort_spax("option", c("The option {.code {twice}} is given twice.", "i" = "Give it once."), twice)
  }
}

check_options <- function(options, set = set_of(options)) {
  for (row in set$rows) check_option(options[[row$name]], row, set)
  invisible(options)
}

check_option <- function(x, row, set) {
  if (row$optional && is.null(x)) {
    return(invisible())
  }
  switch(row$kind,
    flag = check_flag(x, row$name),
    choice = check_choice(x, row$choices, row$name),
    numbers = check_option_vector(x, row, set),
    check_option_number(x, row, set)
  )
}

check_option_number <- function(x, row, set) {
  ok <- is.numeric(x) && length(x) == 1L && is.finite(x) && x >= row$least && x <= (row$most %||% Inf)
  if (ok && (row$kind != "count" || x == round(x))) {
    return(invisible(x))
  }
  abort_spax("option", c(
    "The option {.code {row$name}} must be {row$demand}, not {show_value(x)}.",
    "i" = "See {.help {set$class}}."
  ), row$name)
}

check_option_vector <- function(x, row, set) {
  if (!is.numeric(x) || length(x) < 1L) {
    abort_spax("option", c(
      "The option {.code {row$name}} must be one number, or one for each modality, not {show_value(x)}.",
      "i" = "See {.help {set$class}}."
    ), row$name)
  }
  for (value in x) check_option_number(value, row, set)
}

check_is_options <- function(options, set) {
  if (!inherits(options, set$class)) {
    abort_spax("argument", c(
      "{.arg options} must come from {.fn {set$class}}, not be {show_value(options)}.",
      "i" = "For instance {.code options = {set$class}(starts = 40)}."
    ), "options")
  }
  check_options(options, set)
}

#' @export
print.spax_options <- function(x, ...) {
  set <- set_of(x)
  defaults <- lapply(set$rows, `[[`, "default")
  changed <- !mapply(function(a, b) isTRUE(all.equal(a, b)), unclass(x)[names(defaults)], defaults)
  value <- option_values(x)
  note <- ifelse(changed, paste0("  <- default ", vapply(defaults, show_option, "")), "")
  head <- paste0(
    set$system,
    " options",
    if (!is.null(attr(x, "preset"))) paste0(", preset \"", attr(x, "preset"), "\"")
  )
  lines <- paste0("  ", format(names(defaults)), "  ", format(value), note)
  writeLines(c(head, sub(" +$", "", lines)))
  invisible(x)
}

show_option <- function(x) {
  if (is.numeric(x) && length(x) > 1L) paste0("c(", paste(format(x), collapse = ", "), ")") else show_value(x)
}

option_values <- function(options) vapply(core_options(options), show_option, "")

# For a logged command, which prints its arguments with cat(): a list there is an error.
option_lines <- function(options) {
  values <- option_values(options)
  paste(names(values), "=", values)
}

# What the caller of a constructor of options gave: the arguments that are options, and what came through its dots.
given_options <- function(..., frame = parent.frame()) {
  known <- setdiff(names(formals(sys.function(sys.parent()))), c("...", "preset"))
  given <- Filter(function(name) !eval(call("missing", as.name(name)), frame), known)
  c(mget(given, frame), rlang::list2(...))
}

# A constructor with an argument for each option of the table: so its name is completed and stands in the usage of the
# help page. The arguments come when the package is loaded (zzz.R). Behind the dots they count by their whole names
# only.
with_option_arguments <- function(constructor, set) {
  arguments <- formals(constructor)
  defaults <- lapply(set$rows, function(row) if (is.integer(row$default)) as.double(row$default) else row$default)
  formals(constructor) <- c(arguments["..."], defaults, arguments["preset"])
  constructor
}

# Of the help page of options, evaluated by roxygen2: an argument for each line of the table, and the topics that they
# belong to.
option_params <- function(name) vapply(option_set(name)$rows, option_param, "", USE.NAMES = FALSE)

# A verb in the text is a link to its page.
option_param <- function(row) {
  help <- gsub("`([A-Z][A-Za-z]+\\(\\))`", "[\\1]", row$help)
  paste0(
    "@param ",
    row$name,
    " ",
    toupper(substr(help, 1L, 1L)),
    substring(help, 2L),
    " Default: `",
    show_option(row$default),
    "`."
  )
}

option_topics <- function(name) {
  rows <- option_set(name)$rows
  headings <- vapply(rows, `[[`, "", "section")
  topics <- vapply(unique(headings), function(heading) {
    paste0("* ", heading, ": ", paste0("`", names(rows)[headings == heading], "`", collapse = ", "))
  }, "")
  c("@section Options by topic:", "", topics)
}
