//! The options of SpaCross, one row each.

use crate::options::domain_rows as domains;
use crate::options::{Range, Row, Section};

const FROM_1: Range = Range::at_least(1.0);
const FROM_0: Range = Range::at_least(0.0);

const fn data(row: Row) -> Row {
    row.under(Section::Data)
}

const fn width(name: &'static str, help: &'static str) -> Row {
    Row::count(name, Range::WIDTH, help)
}

const fn weight(name: &'static str, help: &'static str) -> Row {
    Row::number(name, Range::WEIGHT, help)
}

/// In the order in which they are listed.
pub(super) const TABLE: &[Row] = &[
    data(Row::count(
        "n_genes",
        FROM_1,
        "genes that the network sees, those with the highest standardised variance (\"vst\"). Domains are found from all that `min_cells` and \
         `min_counts` let pass.",
    )),
    data(Row::count(
        "min_cells",
        FROM_0,
        "a gene is kept when it is seen in at least so many cells; with fewer than 500 cells, in a tenth of them.",
    )),
    data(Row::count(
        "min_counts",
        FROM_0,
        "a gene is kept when it also has at least so many counts in all.",
    )),
    data(Row::number(
        "target_sum",
        Range::POSITIVE,
        "counts per cell after scaling.",
    )),
    data(Row::flag("log1p", "TRUE takes log(1 + x) after scaling.")),
    data(Row::choice(
        "slice_center",
        &["none", "mean", "scale"],
        "of several slices: `\"mean\"`: the genes of each slice are centred on their own; `\"scale\"`: and scaled; `\"none\"`.",
    )),
    data(Row::count(
        "n_components",
        FROM_1,
        "principal components given to the network. A panel with fewer genes skips this step.",
    )),
    Row::count(
        "k",
        Range::at_least(2.0),
        "nearest neighbours in the plane; pairs count when either is a neighbour of the other.",
    )
    .under(Section::Graph),
    Row::number(
        "radius",
        Range::DISTANCE,
        "if not NULL: all cells within this distance instead, in the units of the coordinates; an error where it joins no cells, or \
         typically more than 1,000 or half of all.",
    )
    .or_open()
    .under(Section::Graph),
    width("hidden1", "width of the first layer."),
    width("hidden2", "width of the second layer."),
    width("gcn_hidden", "width of the first graph layer."),
    width("latent", "width of the embedding."),
    width("project", "width between encoder and projector."),
    Row::number(
        "dropout",
        Range::RATE,
        "share of values set to zero while training.",
    ),
    Row::number(
        "mask_rate",
        Range::INNER_RATE,
        "share of cells masked in a step.",
    ),
    Row::number(
        "replace_rate",
        Range::RATE,
        "share of the masked cells that take another cell's features.",
    ),
    Row::number(
        "momentum",
        Range::RATE,
        "momentum of the target encoder, from 0 (a copy at every step) to below 1.",
    ),
    Row::number(
        "sharpness",
        Range::POSITIVE,
        "power of the cosine losses.",
    ),
    weight("w_recon", "weight of the reconstruction loss."),
    weight("w_consistency", "weight of the latent consistency loss."),
    weight("w_contrast", "weight of the contrastive loss."),
    Row::choice(
        "contrast",
        &["node", "all_pairs", "none"],
        "`\"node\"`: each cell against the summary of its own neighbours; `\"all_pairs\"`: as the published code does it, quadratic \
         in cells; `\"none\"`: off.",
    ),
    Row::count(
        "top_k",
        FROM_1,
        "most similar cells that the hybrid graph looks at for each cell.",
    ),
    Row::count(
        "top_k_inter",
        FROM_0,
        "of several slices: most similar cells of the other slices that it looks at.",
    ),
    Row::count(
        "update_every",
        FROM_1,
        "epochs between two rebuilds of the hybrid graph.",
    ),
    Row::flag(
        "cluster_test",
        "whether a similar cell that is no neighbour must also share a cluster in one of `kmeans_runs` k-means runs. The published \
         code never rejects one.",
    ),
    Row::count(
        "kmeans_runs",
        FROM_1,
        "k-means runs of the cluster test.",
    ),
    Row::number(
        "learning_rate",
        Range::POSITIVE,
        "step size of the optimiser (Adam).",
    ),
    weight("weight_decay", "L2 decay of the optimiser, added to the gradient."),
    Row::number(
        "clip_norm",
        Range::POSITIVE,
        "bound on the norm of all gradients together.",
    ),
    Row::count("epochs", FROM_1, "steps of training, each over all cells."),
    Row::choice(
        "impute_from",
        &["predicted", "network"],
        "what `impute = TRUE` gives: `\"predicted\"`: expression as the cells' neighbours predict it, by ridge regression; `\"network\"`: the \
         network's reconstruction, for which it trains on scaled genes in place of components; 300 epochs bring it nearer to counts that were held \
         out than the default's.",
    ),
    domains::CLUSTER,
    domains::domains_from(
        "`\"predicted\"`: components as the cells' neighbours predict them, no network; `\"embedding\"`: the network's; `\"smoothed\"`: principal components averaged over neighbours, no network; `\"both\"`: side by \
         side, each column scaled.",
    ),
    domains::EMBEDDING_FROM,
    domains::MIX_SLICES,
    domains::smooth_components(
        "for `\"smoothed\"` and `\"both\"`: how many components of the log-normalised counts are averaged over the nearest cells.",
    ),
    domains::smooth_k("over how many cells components are averaged, the cell itself one of them."),
    domains::SMOOTH_PASSES,
    domains::STARTS,
    domains::CONSENSUS,
    domains::BOUNDARIES,
    domains::REFINE_K,
];
