#' @importFrom rlang %||% .data
#' @importFrom Matrix sparseMatrix
NULL

# Every condition of the package has a class of its own under `spaxR_error` or `spaxR_warning`,
# names the argument, and says what to do about it.

abort_spax <- function(kind, message, argument = NULL, .envir = parent.frame()) {
  cli::cli_abort(
    message,
    class = c(paste0("spaxR_error_", kind), "spaxR_error"),
    argument = argument,
    call = user_call(),
    .envir = .envir
  )
}

warn_spax <- function(kind, message, argument = NULL, .envir = parent.frame()) {
  cli::cli_warn(
    message,
    class = c(paste0("spaxR_warning_", kind), "spaxR_warning"),
    argument = argument,
    call = user_call(),
    .envir = .envir
  )
}

# The call that the user typed: of the outermost function of this package that the present one was called from.
user_call <- function() typed_call(outermost_frame(sys.parent(), sys.parents()))

# The names of its arguments, those that came through dots too.
user_arguments <- function() {
  callers <- sys.parents()
  frame <- outermost_frame(sys.parent(), callers)
  names(match.call(sys.function(frame), sys.call(frame), envir = sys.frame(callers[[frame]])))
}

# Callers are followed, not the whole stack: in `DomainPlot(RunSpaCross(x))` the argument is evaluated inside
# DomainPlot(), and its call is RunSpaCross(x). A frame may be its own caller: do.call() makes such, as in the workers
# of plan(multicore).
outermost_frame <- function(frame, callers) {
  namespace <- topenv()
  outermost <- frame
  while (frame > 0L) {
    if (identical(environment(sys.function(frame)), namespace)) outermost <- frame
    caller <- callers[[frame]]
    frame <- if (caller < frame) caller else 0L
  }
  outermost
}

# A method is called by its own name, from the frame after that of its generic.
typed_call <- function(frame) {
  call <- sys.call(frame)
  generic <- if (frame > 1L) sys.call(frame - 1L) else call
  if (startsWith(called_name(call), paste0(called_name(generic), "."))) generic else call
}

# The name in a call, without the package before it.
called_name <- function(call) sub("^.*:", "", deparse(call[[1L]], nlines = 1L))

# Passes on what the core returned, or turns its error value into a condition.
core <- function(result) {
  if (!inherits(result, "spaxR_core_error")) {
    return(result)
  }
  # A Ctrl-C that the core was stopped by goes on as the interrupt that it was.
  if (result$kind == "interrupted") rlang::interrupt()
  text <- result$message
  argument <- if (is.na(result$argument)) NULL else result$argument
  named <- is.null(argument) || grepl(argument, text, fixed = TRUE)
  blamed <- if (named) NULL else c("x" = "The problem is in {.arg {argument}}.")
  abort_spax(result$kind, c("{text}", blamed, core_remedy(result$kind)), argument)
}

core_remedy <- function(kind) {
  remedies <- c(
    argument = "Change that value and call again.",
    counts = "Give raw counts, genes in rows and cells in columns: none negative, missing or infinite.",
    coords = "Give one finite x and y for each cell.",
    memory = "Use fewer genes or components (see {.arg options}), or a machine with more memory.",
    device = paste(
      "Use {.code device = \"auto\"} or {.code device = \"cpu\"};",
      "{.fn SpaxDevices} lists what this build and machine offer."
    ),
    model = "Use a file that {.fn SaveModel} wrote, copied whole.",
    numeric = "Look for cells or features with extreme values; in training, lower the option {.code learning_rate}.",
    clustering = "Ask for fewer domains, or choose another {.code cluster} method.",
    internal = "This is a fault in spaxR: please report it with the output of {.run sessionInfo()}."
  )
  if (kind %in% names(remedies)) c("i" = remedies[[kind]]) else NULL
}

# Arguments that the calling function does not know are errors, never swallowed.
check_dots <- function(...) {
  if (...length() == 0L) {
    return(invisible())
  }
  given <- rlang::names2(rlang::enquos(...))
  abort_unknown_argument(given[[1L]], formals(sys.function(sys.parent())))
}

abort_unknown_argument <- function(given, known) {
  if (!nzchar(given)) {
    abort_spax("argument", c(
      "An argument was given by its place that no argument takes.",
      "i" = "Give the arguments after the first ones by name."
    ), "...")
  }
  system <- system_of_options(known)
  remedy <- if (given %in% c(names(system$options()), "preset")) {
    "It is an option: use {.code options = {system$name}_options({given} = ...)}."
  } else {
    did_you_mean(given, setdiff(names(known), c("object", "...")))
  }
  abort_spax("argument", c("{.arg {given}} is not an argument of this function.", "i" = remedy), given)
}

# The system whose options a function takes by default: the first of all when it takes none.
system_of_options <- function(arguments) {
  constructor <- if (is.call(arguments$options)) as.character(arguments$options[[1L]])
  spax_system(sub("_options$", "", constructor %||% "")) %||% spax_systems()[[1L]]
}

# As text that a message shows as it is.
in_braces <- function(x) gsub("([{}])", "\\1\\1", x)

# Words to choose from, for a message: "a, b or c".
one_of <- function(words) {
  last <- length(words)
  if (last == 1L) words else paste(paste(words[-last], collapse = ", "), "or", words[[last]])
}

# The verbs that run a system, and further functions, for a message.
one_of_runs <- function(...) one_of(paste0("{.fn ", c(system_names("verb"), ...), "}"))

# What users call by the name that other functions have for it, the likeliest first.
called_elsewhere <- local({
  numbers <- c("n.domains", "numbers")
  slices <- c("split.by", "slice")
  list(
    n.domains = "numbers", n_domains = numbers, k = numbers, n.clusters = numbers, n_clusters = numbers,
    resolution = numbers, batch = slices, sample = slices, slices = slices, slot = "layer", spatial = "coords",
    random.seed = "seed", seed.use = "seed", cores = "threads", n.cores = "threads"
  )
})

# A hint with what it is called here, or the nearest of the names that exist.
did_you_mean <- function(given, known) {
  if (length(known) == 0L) {
    return("See the help page.")
  }
  meant <- intersect(called_elsewhere[[given]], known)
  if (length(meant) > 0L) {
    return(paste0("Here it is {.code ", meant[[1L]], "}."))
  }
  distance <- utils::adist(given, known, ignore.case = TRUE)[1L, ]
  nearest <- known[[which.min(distance)]]
  if (min(distance) <= max(2, nchar(given) / 2)) {
    paste0("Did you mean {.code ", nearest, "}?")
  } else {
    paste0("There are: ", paste0("{.code ", known, "}", collapse = ", "), ".")
  }
}
