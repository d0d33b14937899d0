# A forked child has the memory of its parent but not its threads: work in a pool that the parent made would wait for
# ever.

# What the child gave; NULL when it is not done in time.
in_fork <- function(work, seconds = 60) {
  job <- parallel::mcparallel(work())
  found <- parallel::mccollect(job, wait = FALSE, timeout = seconds)
  if (is.null(found)) {
    tools::pskill(job$pid, tools::SIGKILL)
    suppressWarnings(parallel::mccollect(job))
  }
  found[[1L]]
}

test_that("every verb runs in a forked child after it ran here", {
  skip_on_cran()
  skip_on_os("windows")
  counts <- small()$counts
  xy <- small_xy()
  fit <- RunPredictivePCA(counts, 4, xy, verbose = FALSE)
  made <- simulate_tissue(n.cells = 200, modalities = c("RNA", "ADT"))
  two <- rep(factor(c("a", "b")), length.out = nrow(xy))
  verbs <- list(
    RunPredictivePCA = function() RunPredictivePCA(counts, 4, xy, verbose = FALSE)$domain,
    RunSpaCross = function() quick(epochs = 3)$domain,
    mclust = function() quick(epochs = 3, options = spacross_options(cluster = "mclust"))$domain,
    RunSpaLORA = function() RunSpaLORA(made$counts, 5, made$spots, epochs = 3, verbose = FALSE)$domain,
    ChooseDomains = function() ChooseDomains(counts, 3:4, xy, thin = NULL, verbose = FALSE)$table,
    consensus = function() FindDomains(fit$embedding, 4, coords = xy),
    gmm = function() FindDomains(fit$embedding, 4, method = "gmm", runs = 2),
    kmeans = function() FindDomains(fit$embedding, 4, method = "kmeans", coords = xy),
    RefineDomains = function() RefineDomains(fit$domain, coords = xy, k = 10),
    DomainMetrics = function() DomainMetrics(fit, coords = xy, truth = small()$spots$label),
    IntegrationMetrics = function() IntegrationMetrics(fit$embedding, two),
    predict = function() predict(fit, counts, xy)$domain,
    BuildSpatialGraph = function() BuildSpatialGraph(xy),
    BuildFeatureGraph = function() BuildFeatureGraph(fit$embedding),
    AlignSlices = function() AlignSlices(list(a = xy, b = xy), verbose = FALSE)$coords
  )
  here <- lapply(verbs, function(work) suppressMessages(work()))
  for (verb in names(verbs)) {
    expect_identical(in_fork(function() suppressMessages(verbs[[verb]]())), here[[verb]], label = verb)
  }
})
