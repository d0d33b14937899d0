# A run of the core's engine, from checked input to domains: the same for every system. A task holds `options`, `n_domains`, `cells`, `coords`, `coords_found`, `samples`, `seed`,
# `threads`, `device`, `verbose`, for several slices `slices` (see input-slices.R), and where the system knows them `published` and `impute`.

# The result of a run; what differs from system to system, the system says (registry.R).
fit_system <- function(task, system, timer, call) {
  look_at_coords(task)
  found <- run_system(task, system$name, system$parts_of(task), timer, function(described) system$told(described, task))
  say_quality(found$quality, names(task$modalities), task$verbose)
  if (task$verbose && !is.null(found$confidence)) say_unsure(found$domain, found$confidence)
  found$quality <- named_quality(found$quality, names(task$modalities))
  more <- system$more(found, task)
  model <- new_model(system, system$own(found, task), found$domain, task, found$model)
  new_result(system, c(
    system$found(found, names(task$modalities), task$cells, paste0(system$name, "_")), domain_parts(found), place_parts(task), slice_parts(task),
    result_parts(found, task, timer, call, more), system$late(found, task), list(model = model)
  ))
}

# Runs a system by its name in the core on `parts` (see counts_part() and columns_part()). `told`: called after the first stage with what the system says of it.
# Returns embedding, `more`, domain, history, device, info, model (safetensors bytes).
run_system <- function(task, system, parts, timer, told = function(described) NULL) {
  run <- core(core_run_new(system, new_tissue(task), core_options(task$options), run_asked(task)))
  on.exit(core_run_free(run))
  bar <- run_bar(task)
  on.exit(bar$stopped(), add = TRUE)
  repeat {
    stage <- core(core_run_stage(run))
    if (stage == "done") break
    advance(run, stage, parts, task, timer, bar)
    if (stage == "preprocess") told(core(core_run_describe(run))$system)
    if (stage == "place") say_place(run)
  }
  run_result(run, task)
}

run_asked <- function(task) {
  list(
    n_domains = task$n_domains, seed = task$seed, device = task$device, published = isTRUE(task$published), impute = isTRUE(task$impute)
  )
}

advance <- function(run, stage, parts, task, timer, bar) {
  if (stage == "place") {
    core(place_run(run))
  } else if (stage == "labels") {
    timed(timer, "domains", core(core_run_labels(run, labels_elsewhere(run, task))))
  } else {
    given <- if (stage == "preprocess") parts
    epochs <- if (stage == "train") task$options$epochs
    if (!is.null(epochs)) bar$show(stage, 0, epochs, "")
    timed(timer, stage, core(blame(core_run_advance(run, given, if (task$verbose) bar$show), task)))
    # A short training may never have been looked at.
    if (!is.null(epochs)) bar$show(stage, epochs, epochs, core(core_run_describe(run))$losses)
    bar$end()
  }
}

# Chooses where to train.
place_run <- function(run) core_run_advance(run, NULL, NULL)

# What one of several matrices is at fault for is the fault of the argument that held it.
blame <- function(result, task) {
  if (inherits(result, "spaxR_core_error") && identical(result$argument, "counts") && !is.null(task$argument)) result$argument <- task$argument
  result
}

# By a method that is not one of the core.
labels_elsewhere <- function(run, task) {
  options <- task$options
  asked <- core(core_run_columns(run))
  domains <- FindDomains.default(
    asked$x, task$n_domains,
    method = options$cluster, starts = options$starts, seed = asked$seed, threads = task$threads
  )
  as.integer(domains)
}

say_place <- function(run) {
  note <- place_note(run)
  if (!is.na(note)) say_cpu(note)
}

# Why not on a GPU that is there; NA for nothing to say.
place_note <- function(run) core(core_run_describe(run))$note

# What predict() finds, as in a run: list(embedding, more, codes of the model's domains).
predict_system <- function(task, system, tensors, parts, settings) {
  how <- list(centre = settings$centre, refine = settings$refine_k)
  found <- core(blame(core_predict(system$name, new_tissue(task), core_options(task$options), run_asked(task), tensors, parts, how), task))
  list(embedding = found$embedding, more = found$more, codes = found$domains)
}

run_result <- function(run, task) {
  found <- core(core_run_result(run))
  described <- core(core_run_describe(run))
  list(
    embedding = found$embedding, more = found$more, domain = found_domains(found$domains, task),
    confidence = if (!is.null(found$confidence)) rlang::set_names(found$confidence, task$cells), quality = described$quality, history = loss_history(found),
    device = described$device, info = described$system, model = found$model
  )
}

# NULL where none were asked for.
found_domains <- function(codes, task) if (length(codes) > 0L) numbered_domains(codes, task$n_domains, task$cells)

domain_parts <- function(found) Filter(Negate(is.null), found[c("domain", "confidence", "quality")])

# A row an epoch; NULL where nothing was trained.
loss_history <- function(found) {
  if (length(found$losses) == 0L) {
    return(NULL)
  }
  history <- data.frame(epoch = seq_len(nrow(found$history)), found$history)
  names(history) <- c("epoch", found$losses)
  history
}

# How a run is shown: `show` is called with the stage, the steps done and in all (NA where nobody counts), and a note, mostly by the core; `end` after each stage. A progress bar at a terminal, one line at
# either end of a training elsewhere, nothing when not verbose.
run_bar <- function(task) {
  if (!task$verbose) {
    return(list(show = function(...) NULL, end = function() NULL, stopped = function() NULL))
  }
  bar <- if (interactive()) terminal_bar() else training_lines()
  update <- bar$show
  # The core stops when told FALSE: a Ctrl-C that falls into the drawing must not be lost, and a fault of it is none of the run's.
  bar$show <- function(...) {
    tryCatch({
      update(...)
      TRUE
    }, interrupt = function(condition) FALSE, error = function(condition) TRUE)
  }
  bar
}

terminal_bar <- function() {
  env <- new.env(parent = parent.frame())
  env$id <- NULL
  close <- function(result) {
    if (!is.null(env$id)) cli::cli_progress_done(id = env$id, .envir = env, result = result)
    env$id <- NULL
  }
  list(
    show = function(stage, done, total, note) {
      if (!identical(env$stage, stage)) close("done")
      env$stage <- stage
      env$note <- note
      if (is.null(env$id)) env$id <- open_bar(stage, total, env)
      cli::cli_progress_update(set = if (is.na(total)) NULL else done, id = env$id, .envir = env)
    },
    end = function() close("done"),
    stopped = function() close("failed")
  )
}

open_bar <- function(stage, total, env) {
  trains <- stage == "train"
  cli::cli_progress_bar(
    total = total, clear = !trains, .envir = env, .auto_close = FALSE,
    # A narrow console cuts off the end: what matters most stands first.
    format = if (trains) "Epoch {cli::pb_current}/{cli::pb_total} {cli::pb_bar} {cli::pb_eta_str} {note}" else paste0(stage_words(stage), " {cli::pb_bar}"),
    format_done = if (trains) "Trained {cli::pb_total} epochs in {cli::pb_elapsed}: {note}" else "",
    format_failed = if (trains) "Stopped after {cli::pb_current} of {cli::pb_total} epochs; nothing was changed." else "Stopped; nothing was changed."
  )
}

stage_words <- function(stage) {
  words <- c(preprocess = "Preparing the counts", graph = "Joining neighbours", smooth = "Averaging over neighbours", domains = "Finding domains", model = "Keeping the model")
  if (stage %in% names(words)) words[[stage]] else stage
}

training_lines <- function() {
  state <- new.env(parent = emptyenv())
  state$total <- 0L
  list(
    show = function(stage, done, total, note) {
      if (stage != "train" || is.na(total)) {
        return(invisible())
      }
      if (state$total == 0L) cli::cli_inform("Training {total} epoch{?s}.")
      state$total <- total
      state$done <- done
      state$note <- note
    },
    end = function() {
      if (state$total > 0L) cli::cli_inform("Trained {state$total} epoch{?s}: {state$note}.")
      state$total <- 0L
    },
    stopped = function() {
      if (state$total > 0L) cli::cli_inform("Stopped after {state$done} of {state$total} epochs; nothing was changed.")
    }
  )
}
