"""SpaLORA's training steps in PyTorch, to compare speeds on a GPU with spaxR's program.

Our own code, from the description of the method (graph encoders and decoders, attention within and across modalities,
reconstruction with weights of the genes, consistency through the other modality); written as a careful user of PyTorch would:
sparse CSR products, the symmetric graphs' own backward passes, the scaled genes sparse in the encoder, the reconstruction
without a cells x genes array where its square allows that, no host round trips. Sizes as in spaxR's `--bench-spalora`.

    python3 bench/torch_spalora.py 100000 [epochs] [cuda|cpu]
    spax-train --bench-spalora 100000 --device cuda --threads 16

One line of JSON a size: milliseconds an epoch, peak device memory. PyTorch's defaults hold otherwise: products in f32, TF32 off.
"""

import json
import sys
import time

import numpy
import torch
from torch import nn

GENES, FILLED, PROTEINS = 3000, 0.05, 30
NEIGHBOURS, SIMILAR, LATENT = 6, 20, 64


class Multiply(torch.autograd.Function):
    """A sparse matrix times a dense one; the backward pass multiplies by the transpose."""

    @staticmethod
    def forward(context, matrix, transpose, x):
        context.transpose = transpose
        return matrix @ x

    @staticmethod
    def backward(context, grad):
        return None, None, context.transpose @ grad.contiguous()


def csr(rows, columns, values, shape, device):
    order = numpy.lexsort((columns, rows))
    starts = numpy.concatenate([[0], numpy.cumsum(numpy.bincount(rows, minlength=shape[0]))])
    arrays = [torch.from_numpy(numpy.ascontiguousarray(a)) for a in (starts, columns[order], values[order].astype("float32"))]
    return torch.sparse_csr_tensor(*arrays, size=shape).to(device)


class Genes:
    """Cells x genes, scaled: (L - 1 mu') / sd with L sparse."""

    def __init__(self, n, device):
        generator = numpy.random.default_rng(1)
        each = int(FILLED * GENES)
        rows = numpy.repeat(numpy.arange(n), each)
        columns = generator.integers(0, GENES, n * each)
        keep = numpy.unique(rows.astype("int64") * GENES + columns)
        rows, columns = keep // GENES, keep % GENES
        values = 1.0 + generator.random(len(rows))
        mean = numpy.bincount(columns, values, GENES) / n
        square = numpy.bincount(columns, values**2, GENES) / n
        tensor = lambda x: torch.tensor(x, dtype=torch.float32, device=device)
        self.mean, self.inverse = tensor(mean), tensor(1 / numpy.sqrt(square - mean**2))
        self.matrix = csr(rows, columns, values, (n, GENES), device)
        self.transpose = csr(columns, rows, values, (GENES, n), device)
        self.squares = float(n * GENES)
        self.columns = GENES

    def project(self, w):
        scaled = self.inverse[:, None] * w
        return Multiply.apply(self.matrix, self.transpose, scaled) - self.mean @ scaled


class Columns:
    """Cells x features, dense."""

    def __init__(self, n, device):
        self.x = torch.randn(n, PROTEINS, generator=torch.Generator().manual_seed(1)).to(device)
        self.squares = float((self.x**2).sum())
        self.columns = PROTEINS

    def project(self, w):
        return self.x @ w


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(nn.init.xavier_uniform_(torch.empty(LATENT, LATENT)))
        self.u = nn.Parameter(nn.init.xavier_uniform_(torch.empty(LATENT, 1)))

    def forward(self, embeddings):
        stacked = torch.stack(embeddings, 1)
        weights = torch.softmax(torch.tanh(stacked @ self.w) @ self.u, 1)
        return (weights * stacked).sum(1)


class Coder(nn.Module):
    def __init__(self, columns):
        super().__init__()
        self.encoder = nn.Parameter(nn.init.xavier_uniform_(torch.empty(columns, LATENT)))
        self.decoder = nn.Parameter(nn.init.xavier_uniform_(torch.empty(LATENT, columns)))
        self.attention = Attention()


class SpaLORA(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.coders = nn.ModuleList(Coder(x.columns) for x in inputs)
        self.attention = Attention()


def losses(model, inputs, weights, spatial, similar):
    modality, projected = [], []
    for coder, x, omega, graph in zip(model.coders, inputs, weights, similar):
        # X W and X Omega V' in one pass over X.
        both = x.project(torch.cat([coder.encoder, (coder.decoder * omega).t()], 1))
        h, y = both[:, :LATENT], both[:, LATENT:]
        views = [Multiply.apply(spatial, spatial, h), Multiply.apply(graph, graph, h)]
        modality.append(coder.attention(views))
        projected.append(y)
    p = Multiply.apply(spatial, spatial, model.attention(modality))
    total = 0.0
    for m, (coder, x, omega, y) in enumerate(zip(model.coders, inputs, weights, projected)):
        v = coder.decoder
        # |P V - X|^2 with the weights of the columns: neither P V nor X is ever held.
        square = ((p.t() @ p) * ((v * omega) @ v.t())).sum()
        total = total + (square - 2 * (p * y).sum() + x.squares) / (p.shape[0] * x.columns)
        for o, other in enumerate(model.coders):
            if o != m:
                through = modality[m] @ (other.decoder @ other.encoder)
                back = Multiply.apply(spatial, spatial, Multiply.apply(spatial, spatial, through))
                total = total + (modality[m] - back).square().mean()
    return total


def graph(n, neighbours, reach, device):
    """Cells in the order of a curve, each joined to others within `reach` of it, with the usual normalisation."""
    generator = numpy.random.default_rng(neighbours)
    cell = numpy.repeat(numpy.arange(n), neighbours // 2)
    other = numpy.clip(cell + generator.integers(1, reach + 1, cell.shape), 0, n - 1)
    own = numpy.arange(n)
    pairs = numpy.unique(numpy.concatenate([cell * n + other, other * n + cell, own * n + own]))
    rows, columns = pairs // n, pairs % n
    degree = numpy.bincount(rows, minlength=n)
    return csr(rows, columns, 1 / numpy.sqrt(degree[rows] * degree[columns]), (n, n), device)


def measure(n, epochs, device):
    torch.manual_seed(1)
    on_gpu = device.type == "cuda"
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    inputs = [Genes(n, device), Columns(n, device)]
    weights = [torch.ones(x.columns, device=device) for x in inputs]
    spatial = graph(n, NEIGHBOURS, 50, device)
    # Similar cells lie anywhere.
    similar = [graph(n, SIMILAR, n - 1, device) for _ in inputs]
    model = SpaLORA(inputs).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, fused=on_gpu)
    seen = []
    for epoch in range(5 + epochs):
        if epoch == 5:
            wait()
            start = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        loss = losses(model, inputs, weights, spatial, similar)
        loss.backward()
        optimiser.step()
        seen.append(loss.detach())
    assert torch.isfinite(torch.stack(seen)).all()
    return {
        "torch": torch.__version__, "device": torch.cuda.get_device_name() if on_gpu else "cpu", "cells": n, "genes": GENES,
        "proteins": PROTEINS, "epoch_ms": (time.perf_counter() - start) * 1e3 / epochs,
        "peak_device_gb": torch.cuda.max_memory_allocated() / 1e9 if on_gpu else 0.0,
    }


if __name__ == "__main__":
    sizes = sys.argv[1] if len(sys.argv) > 1 else "100000"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    where = torch.device(sys.argv[3] if len(sys.argv) > 3 else "cuda")
    if where.type == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU here; a third argument `cpu` runs on the CPU")
    for cells in sizes.split(","):
        print(json.dumps(measure(int(cells), rounds, where)), flush=True)
