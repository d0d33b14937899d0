# The runs that an object holds, and what later verbs take from them: the last run is meant unless the user names
# another, and cells lie where the user last said they do.

# The verbs whose runs the object holds, the last one last.
stored_runs <- function(object) intersect(as.character(run_names(object)), system_names("verb"))

# As a list of runs, or of what else verbs keep, has it: what is written again goes last.
last_of_runs <- function(runs, name, parts) c(runs[setdiff(names(runs), name)], rlang::set_names(list(parts), name))

# What the runs wrote, named by verb, the last one last: `what` is "reduction" or "domain". A run of an earlier version
# does not say, and wrote what is usual.
written <- function(object, what) {
  usual <- rlang::set_names(if (what == "domain") domain_names() else system_names(), system_names("verb"))
  found <- lapply(rlang::set_names(stored_runs(object)), function(run) {
    wrote <- run_parts(object, run)$wrote
    if (is.null(wrote)) usual[[run]] else wrote[[what]]
  })
  unlist(found)
}

sole_reduction <- function(object, reduction) {
  name_of_run(object, reduction, union(system_names(), written(object, "reduction")), "reduction", "reduction")
}

sole_domain <- function(object, name, argument) {
  name_of_run(object, name, union(domain_names(), written(object, "domain")), argument, "domain")
}

# The name given, or else of those that a run may have written the one that there is. Of several that of the last run,
# which is said; but where one is of no run that is kept, nobody can tell which is meant.
name_of_run <- function(object, name, known, argument, what) {
  if (!is.null(name)) {
    return(check_name(name, argument))
  }
  known <- intersect(known, if (what == "domain") names(meta_table(object)) else reduction_names(object))
  if (length(known) == 0L) {
    abort_spax("argument", c(
      "The object has no {what}s of a run of this package.",
      "i" = if (what == "domain") remedy_no_domains(object, argument) else remedy_no_run(argument)
    ), argument)
  }
  if (length(known) == 1L) {
    return(known)
  }
  runs <- intersect(written(object, what), known)
  if (length(runs) < length(known)) {
    abort_spax("argument", c(
      "The object has {what}s of {length(known)} runs: {.val {known}}.", "i" = "Choose one by {.arg {argument}}."
    ), argument)
  }
  found <- utils::tail(runs, 1L)
  say_last_run("Of the last run: {.val {found}}; {.arg {argument}} chooses another.")
  found
}

say_last_run <- function(line, .envir = parent.frame()) {
  cli::cli_inform(c("i" = line), class = "spaxR_message_run", .envir = .envir)
}

# A run without a number of domains has found none.
remedy_no_domains <- function(object, argument) {
  if (length(stored_runs(object)) > 0L) {
    "Its runs left none: call {.code FindDomains(object, n.domains = )}, or run again with {.arg n.domains}."
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

# Where a verb was told that the `cells` that it looked at lie, for those that come after it: names of columns as they
# are, a table as places. NULL: nothing new.
keep_coords <- function(object, coords, cells) {
  if (is.null(coords)) {
    return(object)
  }
  if (!is.character(coords)) coords <- suppressMessages(SpatialCoords.default(cells, coords), "spaxR_message_coords")
  write_run(object, "SpatialCoords", list(coords = coords))
}
