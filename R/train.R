# Steps a trainer of the core from an R loop, so that Ctrl-C, the progress bar and the loss history live in R.
# A trainer is a list:
#   step      function(n): trains n epochs, and returns a matrix with a row an epoch
#   result    function(): a list of what the trained model gives, `embedding` among it
#   free      function(): gives the memory back
#   losses    names of the columns after `epoch`, the total first; those of `short` are for the progress line, named by what it says

# Trains to the end and returns the trainer's results and the history. The memory goes back however this ends.
train <- function(trainer, epochs, verbose) {
  on.exit(trainer$free())
  history <- train_epochs(trainer, epochs, verbose)
  c(trainer$result(), list(history = history))
}

train_epochs <- function(trainer, epochs, verbose) {
  show <- progress(epochs, verbose, function(rows) describe_losses(rows, trainer))
  on.exit(show$stopped())
  rows <- list()
  done <- 0L
  n <- 1L
  while (done < epochs) {
    started <- proc.time()[["elapsed"]]
    rows[[length(rows) + 1L]] <- trainer$step(n)
    done <- done + n
    show$update(done, rows[[length(rows)]])
    # R looks for a Ctrl-C only now and then; sleeping makes it look.
    Sys.sleep(1e-4)
    n <- next_steps(n, proc.time()[["elapsed"]] - started, epochs - done)
  }
  on.exit(show$done())
  loss_history(do.call(rbind, rows), trainer$losses)
}

# As many epochs as fit into about 0.2 seconds, so that Ctrl-C works within one.
next_steps <- function(n, seconds, left, target = 0.2) {
  wanted <- floor(n * target / max(seconds, 1e-3))
  as.integer(max(1, min(wanted, 2 * n, left)))
}

loss_history <- function(rows, losses) {
  history <- as.data.frame(rows)
  names(history) <- c("epoch", losses)
  history$epoch <- as.integer(history$epoch)
  history
}

# A progress bar at a terminal, one line at either end elsewhere, nothing when not verbose.
progress <- function(epochs, verbose, describe) {
  if (!verbose) {
    return(list(update = function(...) NULL, done = function() NULL, stopped = function() NULL))
  }
  if (interactive()) progress_bar(epochs, describe) else progress_lines(epochs, describe)
}

progress_bar <- function(epochs, describe) {
  env <- new.env(parent = parent.frame())
  env$losses <- ""
  bar <- cli::cli_progress_bar(
    total = epochs, clear = FALSE, .envir = env, .auto_close = FALSE,
    # A narrow console cuts off the end: what matters most stands first.
    format = "Epoch {cli::pb_current}/{cli::pb_total} {cli::pb_bar} {cli::pb_eta_str} {losses}",
    format_done = "Trained {cli::pb_total} epochs in {cli::pb_elapsed}: {losses}",
    format_failed = "Stopped after {cli::pb_current} of {cli::pb_total} epochs; nothing was changed."
  )
  list(
    update = function(done, rows) {
      env$losses <- describe(rows)
      cli::cli_progress_update(set = done, id = bar, .envir = env)
    },
    done = function() cli::cli_progress_done(id = bar, .envir = env, result = "done"),
    stopped = function() cli::cli_progress_done(id = bar, .envir = env, result = "failed")
  )
}

progress_lines <- function(epochs, describe) {
  cli::cli_inform("Training {epochs} epoch{?s}.")
  state <- new.env(parent = emptyenv())
  state$done <- 0L
  list(
    update = function(done, rows) {
      state$done <- done
      state$losses <- describe(rows)
    },
    done = function() cli::cli_inform("Trained {epochs} epoch{?s}: {state$losses}."),
    stopped = function() cli::cli_inform("Stopped after {state$done} of {epochs} epochs; nothing was changed.")
  )
}

describe_losses <- function(rows, trainer) {
  last <- rlang::set_names(rows[nrow(rows), ][-1L], trainer$losses)
  parts <- rlang::set_names(last[trainer$short], names(trainer$short))
  parts <- parts[is.finite(parts)]
  paste(names(parts), formatC(parts, digits = 3, format = "f"), collapse = " ")
}

# Refuses before training what would not fit into memory. The device that training takes.
check_place <- function(placed, n_cells, constructor) {
  if (!is.na(placed$note)) say_cpu(placed$note)
  if (isTRUE(placed$needed > placed$available)) {
    needed <- format_bytes(placed$needed)
    available <- format_bytes(placed$available)
    abort_spax("memory", c(
      "Training on {n_cells} cells needs about {needed} of memory; {available} are free.",
      "i" = "Use fewer {.code n_components} in {.fn {constructor}}, fewer cells, or a machine with more memory."
    ))
  }
  placed$device
}

format_bytes <- function(bytes) {
  if (bytes >= 1e9) paste(format(round(bytes / 1e9, 1)), "GB") else paste(format(max(1, round(bytes / 1e6))), "MB")
}
