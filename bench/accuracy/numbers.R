# What ChooseDomains() suggests beside the number of labels: every labelled set, seeds, perturbations; a row each as
# soon as it is done, and then for rules of one number or two how often they meet the labels and by how much they miss.
# Run: Rscript bench/accuracy/numbers.R --data DIR --out FILE.csv [--sets a,b] [--seeds 1:3] [--perturb none,half]
suppressPackageStartupMessages(library(spaxR))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
for (file in c("arguments.R", "sets.R", "perturb.R")) source(file.path(here, file))

# Labels of single cells are no domains that could be found.
labels_of <- function(label, least = 0.01) {
  sizes <- table(label)
  sum(sizes >= max(5, least * sum(sizes)))
}

curves <- function(set, seed) {
  found <- ChooseDomains(set$counts, 2:15, coords = set$coords, thin = NULL, seed = seed, verbose = FALSE)
  found$table[c("n.domains", "separation", "r2", "agreement", "weakest")]
}

last_sure <- function(t, enough) {
  sure <- which(t$weakest >= enough)
  t$n.domains[if (length(sure) > 0) max(sure) else which.max(t$weakest)]
}

highest_peak <- spaxR:::highest_peak

# A number from the curves of a case.
rules <- list(
  weakest_80 = function(t) last_sure(t, 0.8),
  weakest = function(t) last_sure(t, 0.85),
  weakest_90 = function(t) last_sure(t, 0.9),
  separation = function(t) t$n.domains[highest_peak(t$separation)],
  r2 = function(t) t$n.domains[which(t$r2 >= min(0.88 * max(t$r2), max(t$r2)))[1]],
  agreement = function(t) t$n.domains[highest_peak(t$agreement)],
  four = function(t) 4,
  six = function(t) 6,
  seven = function(t) 7
)
pairs_of_rules <- list(
  c("weakest", "separation"), c("weakest", "r2"), c("separation", "r2"), c("four", "seven"), c("six", "seven")
)

# A row a rule, and a pair of rules of which the nearer one counts: share of the cases met, mean distance.
judged <- function(table) {
  cases <- split(table, table[c("set", "perturb", "seed")], drop = TRUE)
  labels <- vapply(cases, function(t) t$labels[[1]], 0)
  off <- lapply(rules, function(rule) abs(vapply(cases, rule, 0) - labels))
  both <- lapply(pairs_of_rules, function(pair) pmin(off[[pair[[1]]]], off[[pair[[2]]]]))
  names(both) <- vapply(pairs_of_rules, paste, "", collapse = "+")
  off <- c(off, both)
  data.frame(met = vapply(off, function(x) mean(x == 0), 0), off_by = vapply(off, mean, 0), cases = length(cases))
}

run_numbers <- function(arguments) {
  sets <- labelled_sets(arguments$data)
  asked <- if (is.null(arguments$perturb)) "none" else arguments$perturb
  perturbed <- chosen(asked, names(perturbations), "perturbation")
  jobs <- expand.grid(
    seed = whole_numbers(if (is.null(arguments$seeds)) "1:3" else arguments$seeds),
    set = chosen(arguments$sets, names(sets), "set"),
    perturb = perturbed, stringsAsFactors = FALSE
  )
  for (i in seq_len(nrow(jobs))) {
    job <- jobs[i, ]
    set <- perturb(read_set(sets[[job$set]]), job$perturb, job$seed)
    row <- data.frame(as.list(job), labels = labels_of(set$label), curves(set, job$seed))
    there <- file.exists(arguments$out)
    write.table(row, arguments$out, append = there, col.names = !there, row.names = FALSE, sep = ",")
  }
  table <- read.csv(arguments$out)
  for (perturb in unique(table$perturb)) {
    cat("\n", perturb, "\n", sep = "")
    print(round(judged(table[table$perturb == perturb, ]), 2))
  }
}

run_numbers(named_arguments())
