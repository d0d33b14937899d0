#' Independent samples side by side
#'
#' Runs one of this package's verbs on each of several samples: one after the other, or side by side on any plan of the
#' package \pkg{future}. A sample that fails is reported, and does not take the others with it.
#'
#' Without a plan (or without the package \pkg{future}) samples run one after the other. Set a plan once for the
#' session:
#'
#' ```r
#' library(future)
#' plan(multisession, workers = 4)                      # this machine
#' plan(cluster, workers = c("node1", "node2"))         # machines that ssh reaches
#' plan(future.batchtools::batchtools_slurm,            # a SLURM cluster: each sample is a job
#'   resources = list(ncpus = 8, memory = "16G", walltime = 3600), workers = 50)
#' ```
#'
#' For SLURM, future.batchtools needs a template of the job script (`batchtools.slurm.tmpl` in the working directory or
#' the home folder; its help page shows one) that passes `ncpus` on as `--cpus-per-task`. There give `threads = 8` too:
#' what the main session has says nothing about the nodes. The package must be installed where the workers run, in a
#' library that they look into.
#'
#' Each worker of a plan on one machine takes `threads = cores / workers` threads, unless you give `threads`. Results do
#' not depend on the plan, the number of workers or the order in which samples end: each sample's seed is `seed`, or,
#' with `seed = NULL`, a number of its own that is drawn before the first starts.
#'
#' With \pkg{progressr} installed, `progressr::with_progress(RunSamples(...))` shows how many samples are done.
#'
#' @param objects A list with an object for each sample: whatever `FUN` takes first. Names are kept, and used in
#'   messages.
#' @param FUN The verb: [RunSpaCross()], or any function that takes the sample first, and `seed`, `threads` and
#'   `verbose`.
#' @param ... Further arguments of `FUN`, the same for every sample.
#' @param each NULL, or further arguments that differ between samples: a named list with, for each such argument, a list
#'   (or vector) with one entry a sample, in their order. For instance `each = list(coords = list(xy1, xy2))`.
#' @param seed As for `FUN`. NULL: each sample gets a seed of its own from R's generator.
#' @param threads Threads for each sample. NULL: the cores of this machine (or the option `spaxR.threads`) divided by
#'   the workers.
#' @param verbose TRUE says how many samples run on how many workers. (The samples themselves are silent.)
#' @return A list with a result for each sample, in their order and with their names. A sample that failed has the error
#'   condition there (`inherits(x, "condition")`), and a warning of class `spaxR_warning_samples` names those that
#'   failed and why.
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' left <- slice$spots$x < stats::median(slice$spots$x)
#' fits <- RunSamples(
#'   list(left = slice$counts[, left], right = slice$counts[, !left]),
#'   n.domains = 3, epochs = 10, each = list(coords = list(slice$spots[left, ], slice$spots[!left, ]))
#' )
#' lapply(fits, function(fit) table(fit$domain))
RunSamples <- function(objects, FUN = RunSpaCross, ..., each = NULL, seed = 1, threads = NULL, verbose = TRUE) {
  objects <- check_samples(objects)
  FUN <- check_function(FUN)
  check_flag(verbose, "verbose")
  workers <- n_workers()
  each <- check_each(each, objects)
  arguments <- sample_arguments(objects, each, seed, threads %||% threads_a_worker(workers), list(...))
  if (verbose) say_plan(length(objects), workers, arguments[[1L]]$threads)
  labels <- sample_labels(objects)
  run <- if (has_plan()) run_futures else run_in_turn
  results <- rlang::set_names(run(FUN, objects, arguments, labels, new_progress(length(objects))), names(objects))
  report_failures(results, labels)
  results
}

check_samples <- function(objects) {
  if (is.list(objects) && !is.data.frame(objects) && is.null(attr(objects, "class")) && length(objects) > 0L) {
    return(objects)
  }
  abort_spax("argument", c(
    "{.arg objects} must be a list with an object for each sample, not {show_value(objects)}.",
    "i" = "For instance {.code list(a = object1, b = object2)}."
  ), "objects")
}

sample_labels <- function(objects) {
  names <- rlang::names2(objects)
  ifelse(nzchar(names), names, paste("sample", seq_along(objects)))
}

# The arguments of every call, a list a sample.
sample_arguments <- function(objects, each, seed, threads, shared) {
  if (!is.null(seed)) check_seed(seed)
  threads <- check_threads(threads)
  lapply(seq_along(objects), function(i) {
    own <- lapply(each, function(values) values[[i]])
    all <- c(shared, list(seed = seed %||% check_seed(NULL), threads = threads, verbose = FALSE))
    c(all[!rlang::names2(all) %in% names(own)], own)
  })
}

check_function <- function(FUN) {
  tryCatch(match.fun(FUN), error = function(e) {
    abort_spax("argument", c(
      "{.arg FUN} must be a function, not {show_value(FUN)}.", "i" = "For instance {.code FUN = RunPredictivePCA}."
    ), "FUN")
  })
}

# In the order of the samples, by their names where there are some.
check_each <- function(each, objects) {
  n <- length(objects)
  ok <- is.null(each) || (is.list(each) && !is.null(names(each)) && all(nzchar(names(each))))
  if (!ok) {
    abort_spax("argument", c(
      "{.arg each} must be a named list, not {show_value(each)}.",
      "i" = "For instance {.code each = list(coords = list(xy1, xy2))}."
    ), "each")
  }
  short <- names(each)[lengths(each) != n]
  if (length(short) > 0L) {
    abort_spax("argument", c(
      "{.code {short[[1L]]}} of {.arg each} has {length(each[[short[[1L]]]])} entr{?y/ies} for {n} sample{?s}.",
      "i" = "Give one a sample, in their order."
    ), "each")
  }
  for (name in names(each)) each[[name]] <- in_sample_order(each[[name]], names(objects), name)
  each
}

in_sample_order <- function(values, samples, argument) {
  if (is.null(names(values)) || is.null(samples) || identical(names(values), samples)) {
    return(values)
  }
  if (anyDuplicated(samples) || !setequal(names(values), samples)) {
    abort_spax("argument", c(
      "{.code {argument}} of {.arg each} is named {some_of(names(values))}, the samples {some_of(samples)}.",
      "i" = "Give both the same names, or {.code {argument}} none."
    ), "each")
  }
  values[samples]
}

# A failure is a value here, so that the other samples go on. The call names its arguments: with the data in it, it
# would go into messages and results.
run_sample <- function(FUN, sample, arguments, label, step) {
  names <- rlang::names2(arguments)
  places <- ifelse(nzchar(names), names, paste0("argument", seq_along(arguments)))
  call <- as.call(c(list(quote(FUN), quote(sample)), rlang::set_names(rlang::syms(places), names)))
  scope <- list2env(
    c(rlang::set_names(arguments, places), list(FUN = FUN, sample = sample)),
    envir = new.env(parent = baseenv())
  )
  result <- tryCatch(eval(call, scope), error = identity)
  step(label)
  result
}

run_in_turn <- function(FUN, objects, arguments, labels, step) {
  unname(Map(function(sample, own, label) run_sample(FUN, sample, own, label, step), objects, arguments, labels))
}

# One future a sample: on a cluster each is a job of its own, and a worker that dies takes no other sample with it.
run_futures <- function(FUN, objects, arguments, labels, step) {
  launch <- function(sample, own, label) {
    tryCatch(future::future(
      run_sample(FUN, sample, own, label, step),
      globals = list(run_sample = run_sample, FUN = FUN, sample = sample, own = own, label = label, step = step),
      packages = "spaxR", seed = NULL, stdout = FALSE, label = label
    ), error = identity)
  }
  futures <- unname(Map(launch, objects, arguments, labels))
  lapply(futures, function(future) {
    if (inherits(future, "condition")) future else tryCatch(future::value(future), error = identity)
  })
}

has_futures <- function() requireNamespace("future", quietly = TRUE)

has_plan <- function() has_futures() && !inherits(future::plan(), "sequential")

n_workers <- function() {
  workers <- if (has_futures()) future::nbrOfWorkers() else 1L
  as.integer(min(workers, .Machine$integer.max))
}

threads_a_worker <- function(workers) max(1L, check_threads(NULL) %/% workers)

say_plan <- function(n, workers, threads) {
  how <- if (workers > 1L) {
    "side by side on up to {min(n, workers)} workers"
  } else if (has_futures()) {
    "one after the other; {.code future::plan(multisession)} would run them side by side"
  } else {
    "one after the other; with the package {.pkg future} they could run side by side"
  }
  cli::cli_inform(paste0("{n} sample{?s}, ", how, "; {threads} thread{?s} each."))
}

# One step a sample, where progressr is installed; whoever calls decides whether and how it shows.
new_progress <- function(n) {
  if (requireNamespace("progressr", quietly = TRUE)) {
    progressr::progressor(steps = n, envir = parent.frame())
  } else {
    function(label) invisible()
  }
}

report_failures <- function(results, labels) {
  failed <- vapply(results, inherits, NA, what = "condition")
  if (any(failed)) {
    reasons <- vapply(results[failed], function(e) cli::ansi_strip(conditionMessage(e)), "")
    lines <- rlang::set_names(
      paste0("{labels[failed][[", seq_along(reasons), "]]}: {reasons[[", seq_along(reasons), "]]}"),
      "x"
    )
    warn_spax("samples", c(
      "{sum(failed)} of {length(results)} samples failed: {some_of(labels[failed])}.",
      lines,
      "i" = "Their places in the result hold the errors; the others are complete."
    ), "objects")
  }
}
