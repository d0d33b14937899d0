library(testthat)
library(spaxR)

test_check("spaxR")
