# Methods x labelled sets x seeds x perturbations, true number of domains. A run is a row of the CSV as soon as it is
# done, and its partition a file in the folder beside it (FILE-partitions); rows that are there are not run again, so
# the study goes on where it was stopped.
# Run: Rscript bench/accuracy/study.R --data DIR --out FILE.csv [--methods a,b] [--sets a,b] [--seeds 1:5]
#   [--perturb none,thin,...]
# Then: Rscript bench/accuracy/table.R FILE.csv
suppressPackageStartupMessages(library(spaxR))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
for (file in c("../baseline.R", "../data.R", "arguments.R", "sets.R", "perturb.R", "methods.R", "measure.R")) {
  source(file.path(here, file))
}

keys <- c("set", "method", "perturb", "seed")

# The unperturbed first: the others are compared with it.
wanted_jobs <- function(arguments, sets) {
  jobs <- expand.grid(
    set = chosen(arguments$sets, names(sets), "set"),
    seed = whole_numbers(if (is.null(arguments$seeds)) "1:5" else arguments$seeds),
    method = chosen(arguments$methods, names(methods), "method"),
    perturb = chosen(arguments$perturb, names(perturbations), "perturbation"), stringsAsFactors = FALSE
  )[keys]
  jobs[order(jobs$perturb != "none"), ]
}

not_yet_done <- function(jobs, output) {
  if (!file.exists(output)) {
    return(jobs)
  }
  there <- do.call(paste, read.csv(output)[keys])
  jobs[!do.call(paste, jobs) %in% there, ]
}

partition_file <- function(folder, job) {
  file.path(folder, paste0(paste(job$set, job$method, job$perturb, job$seed, sep = "."), ".rds"))
}

# The partitions of other seeds that stand in the folder.
earlier_partitions <- function(folder, job) {
  stem <- paste(job$set, job$method, job$perturb, "", sep = ".")
  files <- list.files(folder, full.names = TRUE)
  lapply(files[startsWith(basename(files), stem) & files != partition_file(folder, job)], readRDS)
}

unperturbed_partition <- function(folder, job) {
  file <- partition_file(folder, replace(job, "perturb", "none"))
  if (job$perturb != "none" && file.exists(file)) readRDS(file)
}

run_job <- function(job, file, folder) {
  set <- read_set(file)
  set$preset <- if (is.null(slices[[job$set]])) "visium" else slices[[job$set]]$preset
  set <- perturb(set, job$perturb, job$seed)
  before <- sum(proc.time()[1:2])
  found <- methods[[job$method]](set, job$seed)
  cpu <- sum(proc.time()[1:2]) - before
  names(found$domain) <- colnames(set$counts)
  row <- cbind(job, measure(found, set, earlier_partitions(folder, job), unperturbed_partition(folder, job), cpu))
  saveRDS(found$domain, partition_file(folder, job))
  row
}

append_row <- function(row, output) {
  number <- vapply(row, is.double, NA)
  row[number] <- lapply(row[number], round, 4)
  write.table(
    row, output, append = file.exists(output), col.names = !file.exists(output), row.names = FALSE, sep = ",",
    qmethod = "double"
  )
}

run_study <- function(arguments) {
  if (is.null(arguments$data) || is.null(arguments$out)) {
    stop("Name --data DIR, with the labelled .rds files, and --out FILE.csv.", call. = FALSE)
  }
  sets <- labelled_sets(arguments$data)
  cells <- vapply(sets, function(file) usable_cells(readRDS(file)), 0)
  folder <- paste0(sub("[.]csv$", "", arguments$out), "-partitions")
  dir.create(folder, showWarnings = FALSE)
  jobs <- not_yet_done(wanted_jobs(arguments, sets), arguments$out)
  for (number in seq_len(nrow(jobs))) {
    job <- jobs[number, ]
    if (!within_limits(job$method, job$seed, cells[[job$set]])) next
    row <- run_job(job, sets[[job$set]], folder)
    append_row(row, arguments$out)
    cat(sprintf(
      "%s %s %s seed %d: ARI %.3f, %.1f s CPU\n", job$set, job$method, job$perturb, job$seed, row$ari, row$cpu
    ))
  }
}

run_study(named_arguments())
