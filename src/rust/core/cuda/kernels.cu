// All kernels, as one module.
#include "sparse.cu"
#include "gather.cu"
#include "norm.cu"
#include "optimiser.cu"
#include "losses.cu"
#include "decoder.cu"
#include "neighbours.cu"
#include "kmeans.cu"
