"""SpaCross's training steps in PyTorch, to compare speeds on a GPU with spaxR's program.

Our own code, from the description of the method (encoder, target encoder, projector, decoder, complementary masks, consistency,
scaled cosine reconstruction, per-node contrast); written as a careful user of PyTorch would: sparse CSR products with the
symmetric graph's own backward pass, no host round trips, losses read at the end. Widths, rates and sizes as in spaxR's `--bench`.

    python3 bench/torch_spacross.py 3600,100000,1000000 [epochs] [cuda|cpu]
    spax-train --bench 3600,100000,1000000 --device cuda --threads 16

One line of JSON a size: milliseconds an epoch without and with the contrast, peak device memory. PyTorch's defaults hold
otherwise: matrix products in f32, TF32 off.
"""

import json
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as F

COLUMNS, NEIGHBOURS, TOP_K = 200, 12, 20
MASK_RATE, REPLACE_RATE, DROPOUT, SHARPNESS = 0.5, 0.05, 0.2, 2.0
WEIGHTS = {"reconstruction": 0.6, "consistency": 0.3, "contrast": 0.6}


class Propagate(torch.autograd.Function):
    """A sparse matrix times the nodes' features; the backward pass multiplies by its transpose."""

    @staticmethod
    def forward(context, matrix, transpose, x):
        context.transpose = transpose
        return matrix @ x

    @staticmethod
    def backward(context, grad):
        return None, None, context.transpose @ grad.contiguous()


class Block(nn.Module):
    """A linear or graph layer, batch norm, activation, dropout."""

    def __init__(self, inner, outer, norm, activation=None):
        super().__init__()
        self.linear = nn.Linear(inner, outer)
        self.norm = nn.BatchNorm1d(outer, momentum=norm[0], eps=norm[1])
        self.activation = activation

    def finish(self, x):
        x = self.norm(x)
        if self.activation is not None:
            x = self.activation(x)
        return F.dropout(x, DROPOUT, self.training)

    def forward(self, x, graph=None):
        x = F.linear(x, self.linear.weight)
        if graph is not None:
            x = Propagate.apply(graph, graph, x)
        return self.finish(x + self.linear.bias)


class Encoder(nn.Module):
    def __init__(self, columns):
        super().__init__()
        node, graph = (0.01, 1e-3), (0.1, 1e-5)
        self.node1 = Block(columns, 64, node, F.elu)
        self.node2 = Block(64, 32, node, F.elu)
        self.graph1 = Block(32, 64, graph, F.relu)
        self.graph2 = Block(64, 16, graph)

    def forward(self, x, graph):
        return self.graph2(self.graph1(self.node2(self.node1(x)), graph), graph)


class SpaCross(nn.Module):
    def __init__(self, columns):
        super().__init__()
        self.online, self.target = Encoder(columns), Encoder(columns)
        self.target.load_state_dict(self.online.state_dict())
        self.target.requires_grad_(False)
        self.token = nn.Parameter(torch.zeros(1, columns))
        self.expand = nn.Linear(16, 32, bias=False)
        self.projector = Block(32, 16, (0.1, 1e-5))
        self.decoder = Block(16, columns, (0.1, 1e-5))
        self.bilinear = nn.Parameter(torch.empty(16, 16).uniform_(-0.25, 0.25))

    def follow(self):
        for mine, theirs in zip(self.target.parameters(), self.online.parameters()):
            mine.data.copy_(theirs.data)


def agreement(a, b):
    return ((1 + F.cosine_similarity(a, b)) / 2).pow(SHARPNESS)


def losses(model, x, graph, pairs):
    n = x.shape[0]
    order = torch.randperm(n, device=x.device)
    n_masked = int(MASK_RATE * n)
    masked, kept = order[:n_masked], order[n_masked:]
    n_noise = int(REPLACE_RATE * n_masked)
    shuffled = masked[torch.randperm(n_masked, device=x.device)]
    online = x.clone()
    online[shuffled[n_noise:]] = model.token
    online[shuffled[:n_noise]] = x[torch.randint(n, (n_noise,), device=x.device)]
    target = x.clone()
    target[kept] = model.token.detach()
    z = model.online(online, graph)
    with torch.no_grad():
        z_target = model.target(target, graph)
    hidden = model.expand(z)
    hidden[masked] = 0.0
    r = model.projector(hidden, graph)
    # The narrow product first: the graph's is twelve times cheaper on 16 columns.
    decoded = model.decoder.finish(F.linear(Propagate.apply(graph, graph, r), model.decoder.linear.weight) + model.decoder.linear.bias)
    reconstruction = -agreement(decoded[masked], x[masked]).clamp_min(1e-7).log().mean()
    a, b = torch.randint(n, (2, n_masked), device=x.device)
    agree = -agreement(r[masked], z_target[masked]).clamp_min(1e-7).log().mean()
    differ = -(1 - agreement(r[a], z_target[b])).clamp_min(1e-7).log().mean()
    total = WEIGHTS["reconstruction"] * reconstruction + WEIGHTS["consistency"] * (agree + differ) / 2
    if pairs is not None:
        summary = torch.sigmoid(Propagate.apply(pairs[0], pairs[1], z))[masked] @ model.bilinear.t()
        other = z[torch.randint(n, (n_masked,), device=x.device)]
        own, random = (z[masked] * summary).sum(1), (other * summary).sum(1)
        total = total + WEIGHTS["contrast"] * (F.softplus(-own) + F.softplus(random)).mean()
    return total


def csr(rows, columns, values, n, device):
    order = numpy.lexsort((columns, rows))
    starts = numpy.concatenate([[0], numpy.cumsum(numpy.bincount(rows, minlength=n))])
    arrays = [torch.from_numpy(numpy.ascontiguousarray(a)) for a in (starts, columns[order], values[order].astype("float32"))]
    return torch.sparse_csr_tensor(*arrays, size=(n, n)).to(device)


def simulate(n, device):
    """Cells on a jittered grid, in the order of their rows; each is joined to those within a step or two."""
    side = int(numpy.ceil(numpy.sqrt(n)))
    steps = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if (dy, dx) != (0, 0)]
    steps = sorted(steps, key=lambda s: s[0] ** 2 + s[1] ** 2)[:NEIGHBOURS]
    cell = numpy.arange(n)
    rows, columns = [cell], [cell]
    for dy, dx in steps:
        y, x = cell // side + dy, cell % side + dx
        to = y * side + x
        inside = (y >= 0) & (x >= 0) & (x < side) & (to < n)
        rows.append(cell[inside])
        columns.append(to[inside])
    rows, columns = numpy.concatenate(rows), numpy.concatenate(columns)
    degree = numpy.bincount(rows, minlength=n)
    graph = csr(rows, columns, 1 / numpy.sqrt(degree[rows] * degree[columns]), n, device)
    generator = numpy.random.default_rng(1)
    anchor = numpy.repeat(cell, TOP_K)
    # Most similar nodes are for the most part near: any such pattern costs the same.
    near = numpy.clip(anchor + generator.integers(-500, 501, anchor.shape), 0, n - 1)
    pairs = numpy.unique(near.astype("int64") * n + anchor)
    positive, anchor = pairs // n, pairs % n
    share = 1 / numpy.bincount(positive, minlength=n)[positive]
    summaries = csr(positive, anchor, share, n, device), csr(anchor, positive, share, n, device)
    x = torch.randn(n, COLUMNS, generator=torch.Generator().manual_seed(1))
    return x.to(device), graph, summaries


def measure(n, epochs, device):
    torch.manual_seed(1)
    on_gpu = device.type == "cuda"
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    x, graph, pairs = simulate(n, device)
    model = SpaCross(COLUMNS).to(device).train()
    moved = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(moved, lr=1e-3, weight_decay=3e-4, fused=on_gpu)

    def time_of(pairs):
        seen = []
        for epoch in range(5 + epochs):
            if epoch == 5:
                wait()
                start = time.perf_counter()
            optimiser.zero_grad(set_to_none=True)
            loss = losses(model, x, graph, pairs)
            loss.backward()
            nn.utils.clip_grad_norm_(moved, 5.0)
            optimiser.step()
            model.follow()
            seen.append(loss.detach())
        assert torch.isfinite(torch.stack(seen)).all()
        return (time.perf_counter() - start) * 1e3 / epochs

    plain, contrast = time_of(None), time_of(pairs)
    return {
        "torch": torch.__version__, "device": torch.cuda.get_device_name() if on_gpu else "cpu", "cells": n, "columns": COLUMNS, "k": NEIGHBOURS,
        "epoch_ms": plain, "epoch_ms_with_contrast": contrast, "peak_device_gb": torch.cuda.max_memory_allocated() / 1e9 if on_gpu else 0.0,
    }


if __name__ == "__main__":
    sizes = sys.argv[1] if len(sys.argv) > 1 else "3600,100000,1000000"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    where = torch.device(sys.argv[3] if len(sys.argv) > 3 else "cuda")
    if where.type == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU here; a third argument `cpu` runs on the CPU")
    for cells in sizes.split(","):
        print(json.dumps(measure(int(cells), rounds, where)), flush=True)
