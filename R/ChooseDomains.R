#' How many domains?
#'
#' Finds domains of several numbers from the same predictive components ([RunPredictivePCA()]), and shows what speaks for each. It suggests, and chooses nothing.
#'
#' | column | what | best |
#' |---|---|---|
#' | `separation` | Calinski-Harabasz: variance between the domains over variance within, in the predicted columns | a peak |
#' | `r2` | share of the variance of the cells' own components that the means of the domains predict, for cells left out | where it levels off |
#' | `agreement` | mean confidence: share of the mixtures that agree with a cell's domain | 1 |
#' | `weakest` | the same in the domain where it is least | 1 |
#' | `stability` | adjusted Rand index with the domains of thinned counts, of which half is left | 1 |
#'
#' Two suggestions. The first is the most domains that are all sure: the largest number at which in every domain (`weakest`) 85 % of the mixtures agree; with more, at least one domain is drawn pale. The second is the highest inner peak of `separation`. Both depend on the range: begin at 2, and go beyond what you expect. On six annotated tissues the first
#' met the annotators' number five times, whatever the seed, but these were known when it was chosen. On halves of them it did 8 times of 24, one of the two 10 times, and arrays of a few hundred spots have no number at which all domains are sure. Information criteria (BIC) and the gap statistic never
#' do. So take the curves as what they are, look at the tissue at several numbers, and prefer the one whose domains you can name. Most domains of k + 1 are domains of k, or halves of one: `tree` says which.
#'
#' @param object A Seurat, SingleCellExperiment or SpatialExperiment object, or a matrix of raw counts, genes x cells.
#' @param numbers Numbers of domains to try.
#' @param coords Where the coordinates come from: see [SpatialCoords()].
#' @param ... Not used; anything here is an error.
#' @param slice,split.by For several slices: the slice of each cell, or the meta data column with it.
#' @param assay,layer As in [RunPredictivePCA()].
#' @param thin Share of the counts that is left for `stability`; NULL: no second run, and no stability.
#' @param options Result of [ppca_options()].
#' @param seed One whole number, or NULL to draw one from R's generator.
#' @param threads Threads to use. NULL: the option `spaxR.threads`, or else all cores (two under `R CMD check`).
#' @param verbose TRUE says what happens.
#' @return A list of class `DomainChoice`: `table`, a data frame with a row a number and the columns above; `suggested`, a data frame with `n.domains` and `reason`; `domains`, a data frame with a
#'   factor a number (columns `k2`, `k3` ..., row names: cells); `tree`, a data frame with the number of cells `n` that lie in the domain `from` of k domains and the domain `to` of the next number
#'   (columns `k`, `from`, `next_k`, `to`, `n`). `plot()` draws the curves, a ggplot.
#' @seealso [RunPredictivePCA()], [FindDomains()].
#' @export
#' @examples
#' slice <- cortex_slice(small = TRUE)
#' choice <- ChooseDomains(slice$counts, 2:6, coords = slice$spots, verbose = FALSE)
#' choice
#' plot(choice)
ChooseDomains <- function(object, ...) UseMethod("ChooseDomains")

#' @rdname ChooseDomains
#' @export
ChooseDomains.default <- function(object, numbers = 2:15, coords = NULL, ..., slice = NULL, thin = 0.5, options = ppca_options(), seed = 1, threads = NULL,
                                  verbose = TRUE) {
  check_dots(...)
  input <- matrix_input(object, coords, NULL, NULL, FALSE)
  numbers <- check_numbers(numbers, length(input$cells))
  check_thin(thin)
  slice <- as_slices(unless_fields(slice, input$coords, threads, numbers = FALSE), input$cells, FALSE, "slice")
  task <- c(input, ppca_settings(NULL, length(input$cells), options, seed, threads, verbose))
  check_counts(task$counts)
  task$slices <- place_slices(task, slice, list(stack = FALSE))$slices
  check_run_memory(task, 36)
  if (task$verbose) cli::cli_inform("Finding {numbers[[1L]]} to {utils::tail(numbers, 1L)} domains in {length(task$cells)} cells.")
  found <- domains_of_numbers(task, numbers)
  say_quality(found$quality, NULL, verbose = FALSE)
  if (task$verbose && !is.null(thin)) cli::cli_inform("Finding them once more with {round(100 * thin)} % of the counts.")
  again <- if (!is.null(thin)) domains_of_numbers(thinned(task, thin), numbers)
  domain_choice(found$numbers, again$numbers, task)
}

#' @rdname ChooseDomains
#' @exportS3Method ChooseDomains Seurat
ChooseDomains.Seurat <- function(object, numbers = 2:15, coords = NULL, ..., split.by = NULL, assay = NULL, layer = "counts", thin = 0.5,
                                 options = ppca_options(), seed = 1, threads = NULL, verbose = TRUE) {
  check_dots(...)
  assay <- check_assay(object, assay)
  part <- own_part(object, assay)
  slice <- object_slices(part, split.by, FALSE, coords, joins = TRUE)
  ChooseDomains.default(
    stored_counts(part, assay, layer), numbers, object_slice_coords(part, coords, slice),
    slice = slice, thin = thin, options = options, seed = seed, threads = threads, verbose = verbose
  )
}

#' @rdname ChooseDomains
#' @exportS3Method ChooseDomains SingleCellExperiment
ChooseDomains.SingleCellExperiment <- ChooseDomains.Seurat

check_numbers <- function(numbers, n_cells) {
  ok <- is.numeric(numbers) && length(numbers) >= 2L && all(vapply(numbers, is_whole, NA)) && all(numbers >= 2 & numbers < n_cells)
  if (!ok) {
    abort_spax("argument", c(
      "{.arg numbers} must be two or more whole numbers from 2 to below the number of cells, {n_cells}.",
      "i" = "For instance {.code numbers = 2:15}."
    ), "numbers")
  }
  sort(unique(as.integer(numbers)))
}

check_thin <- function(thin) {
  if (!is.null(thin) && !(is.numeric(thin) && length(thin) == 1L && !is.na(thin) && thin > 0 && thin < 1)) {
    abort_spax("argument", "{.arg thin} must be one number between 0 and 1, or NULL, not {show_value(thin)}.", "thin")
  }
}

# Half of the molecules, as if half had been sequenced: each is kept or not by itself.
thinned <- function(task, share) {
  task$counts@x <- with_r_seed(task$seed, as.numeric(stats::rbinom(length(task$counts@x), as.integer(round(task$counts@x)), share)))
  task$counts <- Matrix::drop0(task$counts)
  task
}

# What the core says of the tissue (`quality`, see quality.R) and of each of the `numbers`: lists of k, domains, separation, r2, agreement.
domains_of_numbers <- function(task, numbers) {
  system <- spax_system("ppca")
  run <- core(core_run_new(system$name, new_tissue(task), core_options(task$options), run_asked(task)))
  on.exit(core_run_free(run))
  bar <- run_bar(task)
  on.exit(bar$stopped(), add = TRUE)
  parts <- system$parts_of(task)
  timer <- new_timer()
  repeat {
    stage <- core(core_run_stage(run))
    if (stage == "train") break
    advance(run, stage, parts, task, timer, bar)
  }
  quality <- core(core_run_describe(run))$quality
  list(quality = quality, numbers = core(core_run_choose(run, numbers, task$options$starts, task$seed, if (task$verbose) bar$show)))
}

domain_choice <- function(found, again, task) {
  of <- function(list, name) vapply(list, `[[`, 0, name)
  numbers <- as.integer(of(found, "k"))
  table <- data.frame(n.domains = numbers, separation = of(found, "separation"), r2 = of(found, "r2"), agreement = of(found, "agreement"), weakest = of(found, "weakest"))
  table$stability <- if (is.null(again)) NA_real_ else mapply(function(a, b) partition_ari(a$domains, b$domains), found, again)
  domains <- lapply(found, function(x) factor(x$domains, levels = seq_len(max(x$domains, x$k))))
  domains <- data.frame(rlang::set_names(domains, paste0("k", numbers)), row.names = task$cells)
  structure(list(table = table, suggested = suggest_numbers(table), domains = domains, tree = domain_tree(domains, numbers)), class = "DomainChoice")
}

# Adjusted Rand index of two labellings (codes).
partition_ari <- function(a, b) {
  pairs <- function(x) sum(x * (x - 1) / 2)
  joint <- table(a, b)
  expected <- pairs(rowSums(joint)) * pairs(colSums(joint)) / pairs(length(a))
  most <- (pairs(rowSums(joint)) + pairs(colSums(joint))) / 2
  if (most == expected) 1 else (pairs(joint) - expected) / (most - expected)
}

suggest_numbers <- function(table) {
  sure <- most_sure(table)
  data.frame(
    n.domains = table$n.domains[c(sure$row, highest_peak(table$separation))],
    reason = c(sure$reason, peak_reason(highest_peak(table$separation), nrow(table)))
  )
}

# The first number is no peak, and of the last nobody knows what comes after it.
peak_reason <- function(row, rows) {
  if (row == 1L) {
    "separation has no peak: it falls from the first number on"
  } else if (row == rows) {
    "separation still rises at the last number: try more"
  } else {
    "highest inner peak of separation"
  }
}

# The last number before domains appear of which mixtures are not sure. `enough` of them are to agree with the cells of every domain.
most_sure <- function(table, enough = sure_domain) {
  rows <- which(table$weakest >= enough)
  if (length(rows) == 0L) {
    return(list(row = which.max(table$weakest), reason = "no number has domains that are all sure: here the least sure is surest"))
  }
  row <- max(rows)
  more <- if (row == nrow(table)) "; try more" else ""
  list(row = row, reason = paste0("most domains that are all sure: ", round(100 * enough), " % of the mixtures agree in each", more))
}

# Higher than both neighbours. The first is no peak: without structure, separation falls with the number. Where there is none, the first even so.
highest_peak <- function(x) {
  inside <- seq_along(x)[-1L]
  peaks <- inside[x[inside] > x[inside - 1L] & x[inside] > c(x, -Inf)[inside + 1L]]
  if (length(peaks) > 0L) peaks[[which.max(x[peaks])]] else 1L
}

domain_tree <- function(domains, numbers) {
  step <- function(i) {
    shared <- as.data.frame(table(from = domains[[i]], to = domains[[i + 1L]]), stringsAsFactors = FALSE)
    shared <- shared[shared$Freq > 0, ]
    data.frame(k = numbers[[i]], from = as.integer(shared$from), next_k = numbers[[i + 1L]], to = as.integer(shared$to), n = shared$Freq)
  }
  do.call(rbind, lapply(seq_len(length(numbers) - 1L), step))
}

#' @export
print.DomainChoice <- function(x, ...) {
  table <- x$table
  numbers <- format(table$n.domains)
  shown <- data.frame(n.domains = numbers, separation = format(round(table$separation, 1)), lapply(table[c("r2", "agreement", "weakest", "stability")], function(v) format(round(v, 3))))
  print(shown, row.names = FALSE)
  writeLines(c("", paste0("Suggested: ", x$suggested$n.domains, " (", x$suggested$reason, ")"), "No rule is right on all tissues: plot() draws the curves; see ?ChooseDomains."))
  invisible(x)
}

#' @export
plot.DomainChoice <- function(x, ...) {
  what <- c(
    separation = "Separation of domains", r2 = "Own values predicted (R2)", agreement = "Agreement of mixtures", weakest = "Least sure domain",
    stability = "Stability, thinned counts"
  )
  what <- what[vapply(names(what), function(name) !all(is.na(x$table[[name]])), NA)]
  long <- do.call(rbind, lapply(names(what), function(name) {
    data.frame(n.domains = x$table$n.domains, value = x$table[[name]], what = factor(what[[name]], what))
  }))
  marks <- sort(unique(x$suggested$n.domains))
  ggplot2::ggplot(long, ggplot2::aes(.data$n.domains, .data$value)) +
    ggplot2::geom_vline(xintercept = marks, colour = "grey70", linetype = 2) +
    ggplot2::geom_line(colour = "#30638E") +
    ggplot2::geom_point(colour = "#30638E", size = 1.8) +
    ggplot2::facet_wrap(~what, scales = "free_y") +
    ggplot2::scale_x_continuous(breaks = x$table$n.domains, minor_breaks = NULL) +
    ggplot2::labs(x = "Number of domains", y = NULL, caption = paste("Dashed: suggested,", paste(marks, collapse = " and "))) +
    ggplot2::theme_minimal(base_size = 11) +
    ggplot2::theme(plot.background = ggplot2::element_rect(fill = "white", colour = NA), strip.text = ggplot2::element_text(face = "bold", size = 9.5))
}
