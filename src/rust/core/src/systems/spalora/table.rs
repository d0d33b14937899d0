//! The options of SpaLORA, one row each.

use crate::options::domain_rows as domains;
use crate::options::{Range, Row, Section};

const FROM_1: Range = Range::at_least(1.0);
const FROM_0: Range = Range::at_least(0.0);

const fn data(row: Row) -> Row {
    row.under(Section::Data)
}

const fn graph(row: Row) -> Row {
    row.under(Section::Graph)
}

/// In the order in which they are listed.
pub(super) const TABLE: &[Row] = &[
    data(Row::count(
        "n_genes",
        FROM_1,
        "of RNA: genes that the network sees, those with the highest standardised variance (\"vst\"). Domains are found from all that `min_cells`, \
         `min_counts` and `min_share` let pass.",
    )),
    data(Row::count(
        "min_cells",
        FROM_0,
        "of RNA: a gene is kept when it is seen in at least so many cells.",
    )),
    data(Row::count(
        "min_counts",
        FROM_0,
        "of RNA: a gene is kept when it also has at least so many counts in all.",
    )),
    data(Row::number(
        "min_share",
        Range::SHARE,
        "of RNA: a gene is kept when it is also seen in at least this share of the cells (of several slices, of a slice of mean size). Genes that few \
         cells have turn to noise when they are scaled; 0 keeps them.",
    )),
    data(Row::number(
        "target_sum",
        Range::POSITIVE,
        "of RNA: counts per cell after scaling; log(1 + x) follows.",
    )),
    data(Row::choice(
        "slice_center",
        &["none", "mean", "scale"],
        "of RNA and proteins in several slices: `\"none\"`, `\"mean\"` (each slice is centred on its own) or `\"scale\"` (and scaled).",
    )),
    data(
        Row::count(
            "n_components",
            Range::at_least(2.0),
            "components of each modality, at most one fewer than its features. They make the feature graphs, and are what the network \
             sees. NULL: as published, all of the proteins (one fewer), 50 of chromatin, and of RNA as many as the modality beside it.",
        )
        .or_open(),
    ),
    data(Row::choice(
        "components",
        &["spatial", "cells"],
        "`\"spatial\"`: along the directions in which the means over a cell and its `k` nearest neighbours vary most, which the noise of \
         single cells hardly turns; `\"cells\"`: principal components of the cells, as published. A modality of the kind `\"features\"` \
         is taken as it is.",
    )),
    graph(Row::count(
        "k",
        FROM_1,
        "nearest neighbours in the plane; pairs count when either is a neighbour of the other.",
    )),
    graph(
        Row::number(
            "radius",
            Range::DISTANCE,
            "if not NULL: all cells within this distance instead, in the units of the coordinates; an error where it joins no cells, or \
         typically more than 1,000 or half of all.",
        )
        .or_open(),
    ),
    graph(Row::count(
        "feature_k",
        FROM_1,
        "most correlated cells that each cell is joined to, in each modality; see `BuildFeatureGraph()`.",
    )),
    Row::count("latent", Range::WIDTH, "width of the embeddings."),
    Row::choice(
        "input",
        &["components", "genes"],
        "what the network sees of RNA. `\"components\"`: its components, and the genes as far as these tell them, which is several times \
         as fast; `\"genes\"`: all genes, as published.",
    ),
    Row::choice(
        "weights",
        &["rank", "published", "none"],
        "weights of the genes in the reconstruction of RNA. `\"rank\"`: by the rank of their mean expression, from about 5.6 for the rarest to 1; \
         `\"published\"`: as the published code computes them, which is in effect at random; `\"none\"`: all alike. With \
         `input = \"components\"` they are divided by their mean, so that they change which genes count and not how much the RNA does.",
    ),
    Row::numbers(
        "w_recon",
        Range::WEIGHT,
        "how much it counts how well each modality is reconstructed from the joint embedding. One number for all, or one each in the \
         order of the modalities; the last repeats. The presets have RNA first.",
    ),
    Row::numbers(
        "w_cross",
        Range::WEIGHT,
        "how much it counts how well each modality's own embedding survives a round through the other modalities. As `w_recon`.",
    ),
    Row::choice(
        "init",
        &["components", "random"],
        "what training starts from. `\"components\"`: the components of all modalities side by side, and attention that weighs all alike, \
         so that seeds agree on the weights. `\"random\"`: random weights, as published.",
    ),
    Row::number(
        "learning_rate",
        Range::POSITIVE,
        "step size of the optimiser (Adam).",
    ),
    Row::number(
        "weight_decay",
        Range::WEIGHT,
        "L2 decay of the optimiser, added to the gradient.",
    ),
    Row::count(
        "epochs",
        FROM_1,
        "steps of training, each over all cells. Long training follows single cells, most of all on few or noisy ones.",
    ),
    Row::count(
        "embedding_components",
        FROM_1,
        "principal components of the embedding that are clustered. With the default, fewer on tissues of fewer than some 800 cells, as \
         with `smooth_components`: all columns that are clustered are at most a twentieth of the cells. The options of a result say how \
         many.",
    )
    .under(Section::Domains),
    domains::CLUSTER,
    domains::domains_from(
        "`\"predicted\"`: components of all modalities as the cells' neighbours predict them, no network; `\"embedding\"`: the network's; `\"smoothed\"`: components of all modalities averaged over neighbours, no network; `\"both\"`: \
         side by side, each column scaled.",
    ),
    domains::EMBEDDING_FROM,
    domains::MIX_SLICES,
    domains::smooth_components(
        "for `\"smoothed\"` and `\"both\"`: how many components of each modality are averaged over the nearest cells.",
    ),
    domains::smooth_k(
        "over how many cells components are averaged, the cell itself one of them: a number for all modalities, or NULL, and each modality's is chosen from its \
         data, more where they are noisier. Tried are the nearest 6, 8, 12, 18, 20, 24, 28, 30 and 36 other cells, which complete rings \
         on a hexagonal or a square grid, and judged by how well their mean predicts the cell in ten regions that the prediction was not \
         fitted to; the fewest that come within one standard error of the best are taken. The result's `modalities` say how many.",
    )
    .or_open(),
    domains::SMOOTH_PASSES,
    domains::STARTS,
    domains::CONSENSUS,
    domains::BOUNDARIES,
    domains::REFINE_K,
];
