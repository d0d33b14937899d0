test_that("one call shows what speaks for each number", {
  choice <- ChooseDomains(small()$counts, 2:5, small_xy(), verbose = FALSE)
  expect_s3_class(choice, "DomainChoice")
  expect_identical(choice$table$n.domains, 2:5)
  expect_named(choice$table, c("n.domains", "separation", "r2", "agreement", "weakest", "stability"))
  expect_true(all(choice$table$agreement > 0.5 & choice$table$agreement <= 1))
  expect_true(all(choice$table$stability <= 1))
  expect_identical(vapply(choice$domains, nlevels, 0L), c(k2 = 2L, k3 = 3L, k4 = 4L, k5 = 5L))
  expect_identical(rownames(choice$domains), colnames(small()$counts))
  cells <- stats::aggregate(n ~ k, choice$tree, sum)
  expect_true(all(cells$n == nrow(small_xy())))
  expect_true(all(choice$suggested$n.domains %in% 2:5))
  expect_s3_class(plot(choice), "ggplot")
  expect_match(paste(capture.output(print(choice)), collapse = " "), "Suggested")
})

test_that("its numbers are those of the definitions", {
  choice <- ChooseDomains(small()$counts, 3:4, small_xy(), thin = NULL, verbose = FALSE)
  x <- RunPredictivePCA(small()$counts, coords = small_xy(), verbose = FALSE)$embedding
  labels <- choice$domains$k4
  means <- apply(x, 2, function(v) tapply(v, labels, mean))
  within <- sum((x - means[as.integer(labels), ])^2)
  between <- sum(sweep(x, 2, colMeans(x))^2) - within
  expect_equal(choice$table$separation[[2]], (between / 3) / (within / (nrow(x) - 4)), tolerance = 1e-5)
  expect_true(all(is.na(choice$table$stability)))
})

test_that("the domains of a number are those of a run with it", {
  choice <- ChooseDomains(small()$counts, 3:4, small_xy(), thin = NULL, seed = 5, verbose = FALSE)
  fit <- RunPredictivePCA(small()$counts, 4, small_xy(), seed = 5, verbose = FALSE)
  expect_identical(rlang::set_names(choice$domains$k4, rownames(choice$domains)), fit$domain)
  expect_equal(choice$table$agreement[[2]], mean(fit$confidence))
  expect_equal(choice$table$weakest[[2]], min(DomainMetrics(fit, by = "domain")$confidence))
})

test_that("it says what it is about to do, and what `n.domains` is called here", {
  said <- paste(capture_messages(ChooseDomains(small()$counts, 2:3, small_xy())), collapse = "")
  expect_match(said, "2 to 3 domains in 273 cells.*50 % of the counts")
  told <- expect_spax_error(ChooseDomains(small()$counts, n.domains = 2:3), "argument", "n.domains")
  expect_match(conditionMessage(told), "numbers")
})

test_that("the most domains that are all sure are suggested first, and what could not be is said", {
  table <- data.frame(n.domains = 2:6, separation = c(9, 3, 5, 4, 2), weakest = c(0.9, 0.7, 0.96, 0.86, 0.5))
  expect_identical(suggest_numbers(table)$n.domains, c(5L, 4L))
  expect_match(suggest_numbers(table)$reason[[1]], "85 %")
  expect_match(suggest_numbers(table[1:4, ])$reason[[1]], "try more")
  table$weakest <- c(0.2, 0.7, 0.6, 0.5, 0.4)
  expect_identical(suggest_numbers(table)$n.domains, c(3L, 4L))
  expect_match(suggest_numbers(table)$reason[[1]], "no number")
  peaks <- function(separation) suggest_numbers(data.frame(n.domains = 2:6, separation, weakest = 1))$reason[[2]]
  expect_match(peaks(c(9, 3, 5, 4, 2)), "inner peak")
  expect_match(peaks(c(9, 8, 7, 6, 5)), "no peak")
  expect_match(peaks(c(1, 2, 3, 4, 5)), "try more")
})

test_that("peaks are higher than their neighbours", {
  expect_identical(highest_peak(c(9, 3, 5, 4, 6, 2)), 5L)
  expect_identical(highest_peak(c(9, 5, 4, 2)), 1L)
  expect_identical(highest_peak(c(1, 2, 3)), 3L)
})

test_that("the adjusted Rand index is that of DomainMetrics", {
  a <- factor(rep(1:3, length.out = nrow(small_xy())))
  expect_equal(partition_ari(a, small()$spots$label), {
    known <- !is.na(small()$spots$label)
    DomainMetrics(a[known], coords = small_xy()[known, ], truth = small()$spots$label[known])$ARI
  })
})

test_that("objects and wrong numbers", {
  choice <- ChooseDomains(small_seurat(), 2:3, coords = c("x", "y"), thin = NULL, verbose = FALSE)
  expect_s3_class(choice, "DomainChoice")
  expect_spax_error(ChooseDomains(small()$counts, 4, small_xy()), "argument", "numbers")
  expect_spax_error(ChooseDomains(small()$counts, c(1, 3), small_xy()), "argument", "numbers")
  expect_spax_error(ChooseDomains(small()$counts, 2:3, small_xy(), thin = 2), "argument", "thin")
})
