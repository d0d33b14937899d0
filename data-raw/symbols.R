# Makes inst/extdata/dlpfc_symbols.rds: the symbol of every gene of the bundled slices.
# sqlite3 -csv org.Hs.eg.sqlite "SELECT ensembl_id, symbol, gene_id FROM ensembl JOIN gene_info USING (_id) JOIN genes
#   USING (_id)" > symbols.csv
#   Rscript data-raw/symbols.R symbols.csv
# The database is that of Bioconductor's org.Hs.eg.db 3.16 (Entrez Gene and Ensembl of 2022). Where it gives several
# genes, mostly read-through transcripts and loci without a name beside the gene meant, the one that Entrez has known
# longest counts.

library(Matrix)

genes <- rownames(readRDS("inst/extdata/dlpfc_151673.rds")$counts)
known <- utils::read.csv(
  commandArgs(trailingOnly = TRUE)[[1L]],
  col.names = c("ensembl", "symbol", "entrez"),
  header = FALSE
)
known <- known[order(as.numeric(known$entrez)), ]
symbols <- known$symbol[match(genes, known$ensembl)]
names(symbols) <- genes
message(
  sum(is.na(symbols)), " of ", length(genes), " genes have no symbol; twice: ",
  toString(unique(symbols[duplicated(symbols) & !is.na(symbols)]))
)
con <- xzfile("inst/extdata/dlpfc_symbols.rds", "wb", compression = -9)
saveRDS(symbols, con)
close(con)
