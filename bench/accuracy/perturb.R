# What a method should bear: the same tissue, measured or written down otherwise; half of it, where domains are cut or
# missing; and the wrong number of domains, which is what users have.

perturbations <- list(
  none = function(set) set,
  thin = function(set) {
    set$counts@x <- as.numeric(rbinom(length(set$counts@x), set$counts@x, 0.5))
    set$counts <- Matrix::drop0(set$counts)
    set
  },
  genes = function(set) {
    set$counts <- set$counts[sort(sample(nrow(set$counts), ceiling(nrow(set$counts) / 2))), ]
    set
  },
  rotate = function(set) {
    angle <- 33 * pi / 180
    set$coords[, 1:2] <- set$coords[, 1:2] %*% matrix(c(cos(angle), sin(angle), -sin(angle), cos(angle)), 2)
    set
  },
  shuffle = function(set) take_cells(set, sample(ncol(set$counts))),
  drop = function(set) take_cells(set, sort(sample(ncol(set$counts), round(0.8 * ncol(set$counts))))),
  half = function(set) take_cells(set, which(set$coords[, 1] <= stats::median(set$coords[, 1]))),
  fewer = function(set) more_domains(set, -2),
  more = function(set) more_domains(set, 2),
  many = function(set) more_domains(set, 4)
)

take_cells <- function(set, cells) {
  set$counts <- set$counts[, cells]
  set$coords <- set$coords[cells, , drop = FALSE]
  set$label <- set$label[cells]
  set
}

more_domains <- function(set, by) {
  set$k <- max(2, set$k + by)
  set
}

# Every seed of a method draws its own perturbation, and all methods see the same.
perturb <- function(set, name, seed) {
  set.seed(seed)
  perturbations[[name]](set)
}
