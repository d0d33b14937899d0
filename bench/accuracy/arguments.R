# --name value pairs of the command line; "a,b" and "1:5" become vectors where they are asked for.

named_arguments <- function(given = commandArgs(trailingOnly = TRUE)) {
  if (length(given) %% 2 != 0 || !all(startsWith(given[c(TRUE, FALSE)], "--"))) {
    stop("Arguments are pairs: --name value.", call. = FALSE)
  }
  setNames(as.list(given[c(FALSE, TRUE)]), sub("^--", "", given[c(TRUE, FALSE)]))
}

# NULL: all that there are.
chosen <- function(text, known, what) {
  if (is.null(text)) {
    return(known)
  }
  wanted <- strsplit(text, ",")[[1]]
  unknown <- setdiff(wanted, known)
  if (length(unknown) > 0) {
    stop("No such ", what, ": ", toString(unknown), ". There are: ", toString(known), call. = FALSE)
  }
  wanted
}

whole_numbers <- function(text) {
  ends <- lapply(strsplit(strsplit(text, ",")[[1]], ":"), as.integer)
  unlist(lapply(ends, function(x) x[[1]]:x[[length(x)]]))
}
