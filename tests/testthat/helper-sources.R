# The R files of the source tree, parsed; tests of their structure are skipped where there are none, as in an installed
# package or R CMD check.

source_files <- function() {
  folder <- testthat::test_path("..", "..", "R")
  skip_if_not(file.exists(file.path(folder, "registry.R")), "not in the source tree")
  list.files(folder, "[.]R$", full.names = TRUE)
}

# What a file defines, by name: the expressions, each with the lines that it spans.
definitions <- function(file) {
  code <- parse(file, keep.source = TRUE)
  spans <- vapply(attr(code, "srcref"), function(place) as.integer(place[[3L]] - place[[1L]] + 1L), 0L)
  defined <- vapply(code, function(line) is.call(line) && identical(line[[1L]], quote(`<-`)) && is.name(line[[2L]]), NA)
  names <- vapply(code[defined], function(line) as.character(line[[2L]]), "")
  Map(
    function(line, span) list(value = line[[3L]], span = span), rlang::set_names(as.list(code[defined]), names),
    spans[defined]
  )
}

# Which file uses which: TRUE where the one in the row mentions a name that the one in the column defines.
file_uses <- function(files) {
  defined <- rlang::set_names(lapply(files, definitions), basename(files))
  home <- rlang::set_names(rep(names(defined), lengths(defined)), unlist(lapply(defined, names)))
  uses <- matrix(FALSE, length(files), length(files), dimnames = list(names(defined), names(defined)))
  for (file in names(defined)) {
    mentioned <- unlist(lapply(defined[[file]], function(found) all.names(found$value)))
    uses[file, setdiff(home[intersect(mentioned, names(home))], file)] <- TRUE
  }
  uses
}

# The files that use themselves by way of others, with the others.
circles <- function(uses) {
  reached <- uses
  for (via in rownames(uses)) reached <- reached | outer(reached[, via], reached[via, ], `&`)
  both <- reached & t(reached)
  unique(lapply(rownames(uses)[diag(both)], function(file) colnames(both)[both[file, ]]))
}
