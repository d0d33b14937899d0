# Names of cells that are not those of a table, but nearly: what they differ in, for a message. They are not matched by
# that: barcodes without their sample are those of every Visium slide.

# What is left of names without what may differ, and what that is, the least first.
likenesses <- list(
  list(what = "blanks at their ends", key = trimws, remedy = "{.fn trimws} takes them off"),
  list(
    what = "signs, as {.fn make.names} changes them", key = function(x) gsub("[^[:alnum:]]", ".", x),
    remedy = "read matrices and tables with {.code check.names = FALSE}"
  ),
  list(what = "capital letters", key = toupper, remedy = "{.fn toupper} makes them alike"),
  list(
    what = "what stands beside the barcode",
    key = function(x) sub("^.*?([ACGT]{10,}|[a-p]{8}(?=-)).*$", "\\1", x, perl = TRUE),
    remedy = "add it to the names of the table, of each sample its own, or take it off both"
  ),
  list(
    what = "what stands beside the number",
    # Not of barcodes, whose numbers are those of samples.
    key = function(x) ifelse(grepl("[A-Za-z]{8}", x), x, sub("^[^0-9]*?0*([0-9]+)[^0-9]*$", "\\1", x, perl = TRUE)),
    remedy = "give both the same"
  )
)

# A line of a message; NULL where the names have nothing in common. `found`: candidates, see name_candidates().
said_likeness <- function(cells, found) {
  for (like in likenesses) {
    keys <- like$key(cells)
    for (named in found) {
      there <- like$key(format_names(named$names))
      at <- match(keys, there)
      # What all have tells nothing, as the "-1" of barcodes.
      if (mean(!is.na(at)) > 0.5 && length(unique(there)) > length(there) / 10) {
        first <- which(!is.na(at))[[1L]]
        pair <- encodeString(c(cells[[first]], format_names(named$names)[[at[[first]]]]), quote = "\"")
        return(c("i" = paste0(
          paste(in_braces(pair), collapse = " may be "), ": they differ in ", like$what, "; ", like$remedy, "."
        )))
      }
    }
  }
}

format_names <- function(x) if (is.numeric(x)) format(x, scientific = FALSE, trim = TRUE) else as.character(x)
