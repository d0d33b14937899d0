# Steps the core's trainer from an R loop, so that Ctrl-C, the progress bar and the loss history live in R.

# Trains to the end and returns list(embedding, history, reconstruction). The memory goes back however this ends.
train <- function(trainer, epochs, verbose, impute = FALSE) {
  on.exit(core_spacross_free(trainer))
  history <- train_epochs(trainer, epochs, verbose)
  list(
    embedding = core(core_spacross_embedding(trainer)),
    history = history,
    reconstruction = if (impute) core(core_spacross_reconstruction(trainer))
  )
}

train_epochs <- function(trainer, epochs, verbose) {
  show <- progress(epochs, verbose)
  on.exit(show$done())
  rows <- list()
  done <- 0L
  n <- 1L
  while (done < epochs) {
    started <- proc.time()[["elapsed"]]
    rows[[length(rows) + 1L]] <- core(core_spacross_step(trainer, n))
    done <- done + n
    show$update(done, rows[[length(rows)]])
    # R looks for a Ctrl-C only now and then; sleeping makes it look.
    Sys.sleep(1e-4)
    n <- next_steps(n, proc.time()[["elapsed"]] - started, epochs - done)
  }
  loss_history(do.call(rbind, rows))
}

# As many epochs as fit into about 0.2 seconds, so that Ctrl-C works within one.
next_steps <- function(n, seconds, left, target = 0.2) {
  wanted <- floor(n * target / max(seconds, 1e-3))
  as.integer(max(1, min(wanted, 2 * n, left)))
}

loss_history <- function(rows) {
  history <- as.data.frame(rows)
  names(history) <- c("epoch", "total", "reconstruction", "consistency", "contrast")
  history$epoch <- as.integer(history$epoch)
  history
}

# A progress bar at a terminal, one line at either end elsewhere, nothing when not verbose.
progress <- function(epochs, verbose) {
  if (!verbose) {
    return(list(update = function(...) NULL, done = function() NULL))
  }
  if (interactive()) progress_bar(epochs) else progress_lines(epochs)
}

progress_bar <- function(epochs) {
  env <- new.env(parent = parent.frame())
  env$losses <- ""
  bar <- cli::cli_progress_bar(
    total = epochs, clear = FALSE, .envir = env, .auto_close = FALSE,
    # A narrow console cuts off the end: what matters most stands first.
    format = "Epoch {cli::pb_current}/{cli::pb_total} {cli::pb_bar} {cli::pb_eta_str} {losses}",
    format_done = "Trained {cli::pb_total} epochs in {cli::pb_elapsed}: {losses}"
  )
  list(
    update = function(done, rows) {
      env$losses <- describe_losses(rows[nrow(rows), ])
      cli::cli_progress_update(set = done, id = bar, .envir = env)
    },
    done = function() cli::cli_progress_done(id = bar, .envir = env)
  )
}

progress_lines <- function(epochs) {
  cli::cli_inform("Training {epochs} epoch{?s}.")
  state <- new.env(parent = emptyenv())
  state$done <- 0L
  list(
    update = function(done, rows) {
      state$done <- done
      state$losses <- describe_losses(rows[nrow(rows), ])
    },
    done = function() if (state$done == epochs) cli::cli_inform("Trained {epochs} epoch{?s}: {state$losses}.")
  )
}

describe_losses <- function(row) {
  parts <- c(loss = row[[2L]], rec = row[[3L]], cons = row[[4L]], contr = row[[5L]])
  parts <- parts[is.finite(parts)]
  paste(names(parts), formatC(parts, digits = 3, format = "f"), collapse = " ")
}

# Refuses before training what would not fit into memory.
check_memory <- function(features, n_cells, n_edges, options) {
  memory <- core(core_memory(features, n_edges, options))
  if (isTRUE(memory$needed > memory$available)) {
    needed <- format_bytes(memory$needed)
    available <- format_bytes(memory$available)
    abort_spax("memory", c(
      "Training on {n_cells} cells needs about {needed} of memory; {available} are free.",
      "i" = "Use fewer {.code n_components} in {.fn spacross_options}, fewer cells, or a machine with more memory."
    ))
  }
  memory
}

format_bytes <- function(bytes) {
  if (bytes >= 1e9) paste(format(round(bytes / 1e9, 1)), "GB") else paste(format(max(1, round(bytes / 1e6))), "MB")
}
