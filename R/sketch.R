# Runs on a sketch: trained on some of the cells, spread evenly over the tissue, whose model then gives all cells their embedding and domains.

# Of each slice its share of the cells, rising.
sketch_rows <- function(task, sketch) {
  groups <- if (is.null(task$slices)) list(seq_along(task$cells)) else split(seq_along(task$cells), task$slices$of)
  rows <- lapply(groups, function(cells) {
    wanted <- ceiling(sketch * length(cells) / length(task$cells))
    cells[core(core_even_sample(coords_matrix(task$coords[cells, ]), as.integer(wanted)))]
  })
  sort(unlist(rows, use.names = FALSE))
}

# How many cells to train on; NULL for all.
check_sketch <- function(sketch, n_cells, slices, impute = FALSE) {
  if (is.null(sketch)) {
    return(NULL)
  }
  sketch <- check_whole(sketch, "sketch", fewest_cells, remedy = paste("There are", n_cells, "cells."))
  if (!is.null(slices) && slices$stacked) {
    abort_spax("argument", c(
      "{.arg sketch} does not go with a stack, whose cells have neighbours in other slices.",
      "i" = "Use {.code stack = FALSE}, or leave {.arg sketch} out."
    ), "sketch")
  }
  if (isTRUE(impute)) {
    abort_spax("argument", c("{.arg sketch} does not go with {.code impute = TRUE}, which looks at all cells.", "i" = "Leave one of them out."), "sketch")
  }
  if (sketch < n_cells) sketch
}

# As fit_system(), by a sketch where one is wanted.
fit_or_sketch <- function(task, sketch, system, timer, call) {
  if (is.null(sketch)) {
    return(fit_system(task, system, timer, call))
  }
  part <- cells_of_task(task, sketch_rows(task, sketch))
  if (task$verbose) cli::cli_inform(c("i" = "Training on a sketch of {length(part$cells)} of the {length(task$cells)} cells; all get what its model says."))
  fit <- fit_system(part, system, timer, call)
  found <- timed(timer, "predict", sketched_cells(fit$model, task, system))
  of_cells <- intersect(c("embedding", "domain", "modality", "attention"), names(fit))
  fit[of_cells] <- found[of_cells]
  if (!is.null(task$slices)) fit$embedding <- timed(timer, "mix", mixed_embedding(fit, task, system))
  fit$coords <- place_parts(task)$coords
  # What mixtures agreed on were other domains: those of the sketch's own cells.
  fit$confidence <- NULL
  if (!is.null(fit$slice)) fit$slice <- task$slices$of
  fit$sketch <- part$cells
  fit$timings <- timings(timer)
  fit
}

# As a run on all cells leaves it: see `mix_slices` among the options.
mixed_embedding <- function(fit, task, system) {
  codes <- if (!is.null(fit$domain)) as.integer(fit$domain)
  mixed <- core(core_mixed(system$name, new_tissue(task), core_options(task$options), run_asked(task), fit$embedding, codes))
  if (is.null(mixed)) fit$embedding else structure(mixed, dimnames = dimnames(fit$embedding))
}

# Slices were scaled each by itself, and are so again; the sketch of one slice has the means of the whole.
sketched_cells <- function(model, task, system) {
  several <- !is.null(task$slices)
  settings <- prediction_settings(model, if (several) "slice" else "model", NULL, task$threads)
  input <- task[intersect(c("counts", "embedding", "modalities", "cells", "coords", "y_down", "argument"), names(task))]
  groups <- if (several) split(seq_along(task$cells), task$slices$of) else list(seq_along(task$cells))
  parts <- lapply(groups, function(cells) predict_cells(model, system, cells_of_task(input, cells), settings))
  found <- Reduce(join_predictions, parts)
  order <- order(unlist(groups, use.names = FALSE))
  found$embedding <- found$embedding[order, , drop = FALSE]
  found$modality <- lapply(found$modality, function(x) x[order, , drop = FALSE])
  if (!is.null(found$attention)) found$attention <- found$attention[order, , drop = FALSE]
  found$domain <- found$domain[order]
  unclass(found)
}

join_predictions <- function(a, b) {
  a$modality <- Map(rbind, a$modality, b$modality)
  for (name in c("embedding", "attention")) a[[name]] <- rbind(a[[name]], b[[name]])
  if (!is.null(a$domain)) a$domain <- rlang::set_names(factor(c(as.character(a$domain), as.character(b$domain)), levels(a$domain)), c(names(a$domain), names(b$domain)))
  a
}
