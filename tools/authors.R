# Writes inst/AUTHORS: the Rust crates that are compiled into the package, their licences and authors.
#
#   Rscript tools/authors.R

cargo <- function(...) system2("cargo", c(..., "--manifest-path", "src/rust/Cargo.toml", "--locked"), stdout = TRUE)

used <- cargo("tree", "-p", "spaxR", "-e", "normal,build", "--prefix", "none", "-f", shQuote("{p}"))
used <- unique(sub("^([^ ]+) v([^ ]+).*", "\\1 \\2", used))
packages <- jsonlite::fromJSON(paste(cargo("metadata", "--format-version", "1"), collapse = ""))$packages
packages <- packages[paste(packages$name, packages$version) %in% used & !is.na(packages$source), ]
packages <- packages[order(packages$name, packages$version, method = "radix"), ]

authors <- vapply(packages$authors, function(who) paste(sub(" *<.*>", "", who), collapse = ", "), "")
authors[!nzchar(authors)] <- paste("the authors at", packages$repository)[!nzchar(authors)]
writeLines(c(
  "The compiled library contains these crates from crates.io, each with its own authors and licence.",
  "Made by tools/authors.R.",
  "",
  paste0(packages$name, " ", packages$version, " (", packages$license, "): ", authors)
), "inst/AUTHORS")
