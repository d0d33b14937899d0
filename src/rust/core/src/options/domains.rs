//! How domains are found after training, whichever system trained.

use serde::{Deserialize, Serialize};

/// What groups the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterMethod {
    /// Many mixtures of many matrices, the best of which are put together.
    Consensus,
    /// A mixture of Gaussians of one covariance.
    Gmm,
    /// The same from R's package mclust, which starts otherwise.
    Mclust,
    /// k-means.
    Kmeans,
    /// Communities in the graph of shared neighbours, by Leiden.
    Leiden,
    /// The same by Louvain.
    Louvain,
}

/// What is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainSource {
    /// Components as the cells' neighbours predict them.
    Predicted,
    /// The network's embedding.
    Embedding,
    /// Components averaged over neighbours.
    Smoothed,
    /// Both side by side, each column scaled.
    Both,
}

/// What the embedding is that users see, where domains are found from predicted components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbeddingSource {
    /// What neighbours predict and the network says, put together.
    Joint,
    /// The network's.
    Network,
}

/// How domains are found. The names are those of the options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainOptions {
    /// What groups the cells.
    pub cluster: ClusterMethod,
    /// What is grouped.
    pub domains_from: DomainSource,
    /// What the embedding is that users see.
    pub embedding_from: EmbeddingSource,
    /// Whether that embedding of several slices is freed of what tells the slices apart.
    pub mix_slices: bool,
    /// Components that are averaged over neighbours; of several modalities, of each.
    pub smooth_components: usize,
    /// Cells that are averaged over, the cell itself one of them; None: as the data want.
    pub smooth_k: Option<usize>,
    /// How many times they are averaged.
    pub smooth_passes: usize,
    /// Starts of the mixture or of k-means.
    pub starts: usize,
    /// Runs whose labels must agree.
    pub consensus: usize,
    /// Whether cells along borders are looked at once more by their own components (where domains come from predicted
    /// ones).
    pub boundaries: bool,
    /// Cells among which a cell takes the commonest label in the end; 0: it keeps its own.
    pub refine_k: usize,
}

/// The rows of these options. Those that say what is smoothed are each system's own.
pub mod rows {
    use crate::options::{Range, Row, Section};

    /// `cluster`.
    pub const CLUSTER: Row = Row::choice(
        "cluster",
        &["consensus", "gmm", "mclust", "kmeans", "leiden", "louvain"],
        "method of `FindDomains()`: `\"consensus\"`, `\"gmm\"`, `\"mclust\"`, `\"kmeans\"`, `\"leiden\"` or `\"louvain\"`.",
    )
    .under(Section::Domains);

    /// `domains_from`.
    pub const fn domains_from(help: &'static str) -> Row {
        Row::choice(
            "domains_from",
            &["predicted", "embedding", "smoothed", "both"],
            help,
        )
        .under(Section::Domains)
    }

    /// `embedding_from`.
    pub const EMBEDDING_FROM: Row = Row::choice(
        "embedding_from",
        &["joint", "network"],
        "the embedding that is given, where domains come from `\"predicted\"`: `\"joint\"`: the components as the cells' neighbours \
         predict them, and half of what the network says of them; `\"network\"`: the network's, as it is whenever domains come from \
         something else.",
    )
    .under(Section::Domains);

    /// `mix_slices`.
    pub const MIX_SLICES: Row = Row::flag(
        "mix_slices",
        "for several slices and an embedding from predicted components: TRUE moves the cells of each slice, among like cells of their \
         domain, to where those of the other slices lie. The domains do not change by it.",
    )
    .under(Section::Domains);

    /// `smooth_components`.
    pub const fn smooth_components(help: &'static str) -> Row {
        Row::count("smooth_components", Range::at_least(1.0), help).under(Section::Domains)
    }

    /// `smooth_k`.
    pub const fn smooth_k(help: &'static str) -> Row {
        Row::count("smooth_k", Range::at_least(2.0), help).under(Section::Domains)
    }

    /// `smooth_passes`.
    pub const SMOOTH_PASSES: Row = Row::count(
        "smooth_passes",
        Range::at_least(1.0),
        "for `\"smoothed\"` and `\"both\"`: how many times components are averaged.",
    )
    .under(Section::Domains);

    /// `starts`.
    pub const STARTS: Row = Row::count(
        "starts",
        Range::at_least(1.0),
        "starts of the mixture or of k-means; a consensus has up to three times as many where cells are few.",
    )
    .under(Section::Domains);

    /// `consensus`.
    pub const CONSENSUS: Row = Row::count(
        "consensus",
        Range::at_least(1.0),
        "train and cluster so many times with different seeds and take the labels most of them agree on.",
    )
    .under(Section::Domains);

    /// `boundaries`.
    pub const BOUNDARIES: Row = Row::flag(
        "boundaries",
        "of domains from predicted components: TRUE looks at the cells along borders once more, by what they are themselves: each may take the domain \
         of one of its 6 nearest.",
    )
    .under(Section::Domains);

    /// `refine_k`.
    pub const REFINE_K: Row = Row::count(
        "refine_k",
        Range::at_least(0.0),
        "if not 0, give each cell the commonest label of so many nearest cells in the end.",
    )
    .under(Section::Domains);
}
