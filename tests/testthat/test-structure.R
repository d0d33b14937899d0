test_that("no R files hang together in a circle", {
  expect_identical(circles(file_uses(source_files())), list())
})

test_that("circles are found", {
  folder <- withr::local_tempdir()
  files <- file.path(folder, paste0(c("a", "b", "c"), ".R"))
  Map(writeLines, c("one <- function() two()", "two <- function() lapply(1, three)", "three <- function() 1"), files)
  expect_identical(circles(file_uses(files)), list())
  writeLines("three <- function() one()", files[[3L]])
  expect_identical(circles(file_uses(files)), list(c("a.R", "b.R", "c.R")))
})

test_that("no function has more than 50 lines and no file more than 400", {
  files <- source_files()
  for (file in files) {
    expect_lte(length(readLines(file)), 400, label = paste("lines of", basename(file)))
    spans <- vapply(definitions(file), `[[`, 0L, "span")
    expect_identical(names(spans)[spans > 50L], character(), label = paste("long functions of", basename(file)))
  }
})

test_that("verbs name no system: what differs between systems is asked of the registry", {
  files <- source_files()
  shared <- grep(
    paste0(
      "^(registry|container.*|input-(coords|labels|list|slices|matrix)|result|model|predict|domains|cluster|",
      "FindDomains|RefineDomains|SaveModel|LoadModel)[.]R$"
    ),
    basename(files)
  )
  for (file in files[shared]) {
    mentioned <- unlist(lapply(unname(definitions(file)), function(found) all.names(found$value)))
    expect_identical(grep("^(spacross|spalora)", mentioned, value = TRUE), character(), label = basename(file))
  }
})
