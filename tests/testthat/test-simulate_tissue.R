test_that("a simulated tissue has counts of each modality and known domains", {
  made <- simulate_tissue(n.cells = 400)
  expect_named(made$counts, c("RNA", "ADT", "ATAC"))
  for (counts in made$counts) {
    expect_s4_class(counts, "dgCMatrix")
    expect_identical(colnames(counts), rownames(made$spots))
    expect_true(all(counts@x == round(counts@x)))
  }
  expect_lt(abs(nrow(made$spots) - 400), 40)
  expect_identical(nlevels(made$spots$label), 5L)
  expect_true(all(table(made$spots$label) > 10))
})

test_that("the same seed gives the same tissue, and leaves R's generator alone", {
  withr::local_seed(3)
  before <- .Random.seed
  first <- simulate_tissue(n.cells = 100)
  expect_identical(.Random.seed, before)
  expect_identical(simulate_tissue(n.cells = 100), first)
  expect_false(identical(simulate_tissue(n.cells = 100, seed = 2)$counts$RNA, first$counts$RNA))
  expect_identical(simulate_tissue(n.cells = 100, modalities = "ADT")$counts$ADT, first$counts$ADT)
})

test_that("dropout loses about that share of the counts", {
  full <- simulate_tissue(n.cells = 100, modalities = "RNA")$counts$RNA
  half <- simulate_tissue(n.cells = 100, modalities = "RNA", dropout = 0.5)$counts$RNA
  expect_equal(sum(half) / sum(full), 0.5, tolerance = 0.05)
})

test_that("what cannot be simulated is refused", {
  expect_spax_error(simulate_tissue(n.cells = 3), "argument", "n.cells")
  expect_spax_error(simulate_tissue(modalities = "HTO"), "argument", "modalities")
  expect_spax_error(simulate_tissue(dropout = 1), "argument", "dropout")
})
