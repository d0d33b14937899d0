# The runs that an object holds, and what later verbs take from them: the last run is meant unless the user names
# another, and cells lie where the user last said they do.

# The verbs whose runs the object holds, the last one last.
stored_runs <- function(object) intersect(run_names(object), system_names("verb"))

# As a list of runs, or of what else verbs keep, has it: what is written again goes last.
last_of_runs <- function(runs, name, parts) c(runs[setdiff(names(runs), name)], rlang::set_names(list(parts), name))

sole_reduction <- function(object, reduction) {
  known <- rlang::set_names(system_names(), system_names("verb"))
  name_of_run(object, reduction, known[known %in% reduction_names(object)], "reduction", "reductions")
}

sole_domain <- function(object, name, argument) {
  known <- rlang::set_names(domain_names(), system_names("verb"))
  name_of_run(object, name, known[known %in% names(meta_table(object))], argument, "domains")
}

# The name given, or else the one of `known` (named by verb) that the last run wrote, which is said where there are
# several.
name_of_run <- function(object, name, known, argument, what) {
  if (!is.null(name)) {
    return(check_name(name, argument))
  }
  if (length(known) == 0L) {
    abort_spax("argument", c(
      "The object has no {what} of a run of this package.",
      "i" = if (what == "domains") remedy_no_domains(object, argument) else remedy_no_run(argument)
    ), argument)
  }
  runs <- intersect(stored_runs(object), names(known))
  # Which of them is the last nobody can tell when one is not of a run.
  if (length(known) > 1L && length(runs) < length(known)) {
    abort_spax("argument", c(
      "The object has {what} of {length(known)} runs: {.val {unname(known)}}.", "i" = "Choose one by {.arg {argument}}."
    ), argument)
  }
  found <- unname(if (length(known) > 1L) known[[utils::tail(runs, 1L)]] else known)
  if (length(known) > 1L) say_last_run("Of the last run: {.val {found}}; {.arg {argument}} chooses another.")
  found
}

say_last_run <- function(line, .envir = parent.frame()) {
  cli::cli_inform(c("i" = line), class = "spaxR_message_run", .envir = .envir)
}

# A run without a number of domains has found none, and one whose user chose a name has written them elsewhere.
remedy_no_domains <- function(object, argument) {
  runs <- stored_runs(object)
  found <- Filter(function(run) length(run_parts(object, run)$model$levels) > 0L, runs)
  if (length(found) > 0L) {
    paste0("A run wrote them under a name of its own: give it as {.arg ", argument, "}.")
  } else if (length(runs) > 0L) {
    "The run had no {.arg n.domains}: call {.code FindDomains(object, n.domains = )}, or run again with a number."
  } else {
    remedy_no_run(argument)
  }
}

remedy_no_run <- function(argument) paste0("Call ", one_of_runs(), " first, or give {.arg ", argument, "}.")

# The model of the last run; NULL where there is none.
stored_model <- function(object) {
  runs <- stored_runs(object)
  last <- utils::tail(runs, 1L)
  if (length(runs) > 1L) {
    say_last_run("The model of the last run, {.fn {last}}; {.code {run_code(object, runs[[1L]])}$model} is another.")
  }
  if (length(runs) > 0L) run_parts(object, last)$model
}

# Where a verb was told that the cells lie, for those that come after it: names of columns as they are, a table as
# places. NULL: nothing new.
keep_coords <- function(object, coords) {
  if (is.null(coords)) {
    return(object)
  }
  if (!is.character(coords)) coords <- suppressMessages(SpatialCoords(object, coords), "spaxR_message_coords")
  write_run(object, "SpatialCoords", list(coords = coords))
}
