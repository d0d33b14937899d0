# How sure domains are: of cells, in plots and in tables.

# TRUE or FALSE where a run may have kept it.
wants_confidence <- function(confidence) isTRUE(check_flag(confidence, "confidence"))

abort_unsure <- function(argument) {
  abort_spax("argument", c(
    "There is no confidence of these domains.",
    "i" = "Runs find it with {.code cluster = \"consensus\"}, their default; {.fn FindDomains} with {.code method = \"consensus\"}."
  ), argument)
}

# Where the confidence of a column of domains stands.
confidence_column <- function(domain) paste0(sub("_domain$", "", domain), "_confidence")

# NULL where there is none: for an annotation, or domains that nothing had to agree on.
stored_confidence <- function(object, domain) {
  name <- confidence_column(domain)
  if (name %in% names(meta_table(object))) meta_column(object, name, "confidence")
}

# One a panel, NULL for those that have none; an error where none has.
stored_confidences <- function(object, domains) {
  found <- lapply(domains, function(domain) stored_confidence(object, domain))
  if (all(vapply(found, is.null, NA))) abort_unsure("confidence")
  found
}

# Domains with their confidence. Where they have none, that of earlier domains in the same column must not stay beside them.
write_domains <- function(object, domain, confidence, names) {
  object <- write_column(object, names$domain, domain)
  if (is.null(confidence)) drop_columns(object, names$confidence) else write_column(object, names$confidence, confidence)
}

drop_columns <- function(object, columns) drop_results(object, intersect(columns, names(meta_table(object))), character())

# One set of numbers a panel, or NULL. Numbers with names are matched by name.
check_confidence <- function(confidence, labels) {
  given <- if (is.list(confidence)) confidence else rep(list(confidence), length(labels))
  Map(function(x, panel) if (!is.null(x)) check_shares(x, panel), given, labels)
}

check_shares <- function(x, labels) {
  if (!is.null(names(x)) && !is.null(names(labels)) && setequal(names(x), names(labels))) x <- x[names(labels)]
  # Cells without a domain have none.
  ok <- is.numeric(x) && length(x) == length(labels) && !anyNA(x[!is.na(labels)]) && all(x >= 0 & x <= 1, na.rm = TRUE)
  if (!ok) {
    abort_spax("argument", c(
      "{.arg confidence} must be one number from 0 to 1 for each of the {length(labels)} cells.",
      "i" = "For instance the part {.code confidence} of a result, in the order of the labels."
    ), "confidence")
  }
  x
}

# Below a half, other domains together have more votes: a cell is as pale there as it can be.
palest <- 0.5

confidence_scale <- function() {
  ggplot2::scale_alpha_continuous(
    name = "Confidence", limits = c(palest, 1), breaks = c(1, 0.75, palest), labels = c("1", "0.75", "0.5 or less"), range = c(0.22, 1),
    guide = ggplot2::guide_legend(override.aes = list(size = 3.2, shape = 16), order = 2)
  )
}

# Of the mixtures this share is to agree in a domain: where fewer do, the number of domains is more often than not none that
# the tissue has (bench/README.md, "How many domains").
sure_domain <- 0.85

say_unsure <- function(domain, confidence) {
  shares <- tapply(confidence, domain, mean)
  unsure <- names(shares)[!is.na(shares) & shares < sure_domain]
  if (length(unsure) > 0L) {
    cli::cli_inform(c(
      "i" = "Less than {round(100 * sure_domain)} % of the mixtures agree in the {cli::qty(length(unsure))}domain{?s} {unsure}.",
      "i" = "{.code DomainPlot(confidence = TRUE)} shows where; {.fn ChooseDomains} tries other numbers."
    ), class = "spaxR_message_unsure")
  }
}

# For each slice and domain: cells, the mean of their confidence, and the share of those that are sure.
confidence_table <- function(labels, confidence, groups, sure = 0.95) {
  known <- which(!is.na(labels))
  rows <- split(known, list(labels[known], groups[known]), drop = TRUE)
  data.frame(
    slice = vapply(rows, function(i) as.character(groups[[i[[1L]]]]), ""), domain = vapply(rows, function(i) as.character(labels[[i[[1L]]]]), ""),
    n = lengths(rows), confidence = vapply(rows, function(i) mean(confidence[i]), 0), sure = vapply(rows, function(i) mean(confidence[i] > sure), 0),
    row.names = NULL
  )
}
