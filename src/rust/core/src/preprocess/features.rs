//! The model's input: all of METHODS 1.1, for one slice or several.

use ndarray::Array2;
use serde_json::{json, Value};

use super::gene_choice::{choose, Choice, GeneChoice};
use super::projection::Projection;
use super::{check_counts, median_totals, normalise_slices, Centre, ScaledGenes};
use crate::slices::Slices;
use crate::sparse::CountsView;
use crate::{Error, Result};

/// More genes than there are.
pub const ALL_GENES: usize = usize::MAX;

/// Cells of which the loadings of components are taken where there are more: these change them by less than the counts'
/// own noise. Evenly along the curve, where cells are in its order.
const ENOUGH_CELLS: usize = 50_000;

/// How counts become features.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// A gene must be seen in this many cells (of fewer than 500 cells, in a tenth of them).
    pub min_cells: usize,
    /// A gene must have this many counts in all.
    pub min_counts: f64,
    /// Number of genes to keep, those that vary most; [`ALL_GENES`] that pass the filter.
    pub n_genes: usize,
    /// Total to which every cell is scaled.
    pub target_sum: f64,
    /// Take log(1 + x) after scaling.
    pub log1p: bool,
    /// Number of principal components. A panel of fewer genes is used as it is, scaled.
    pub n_components: usize,
    /// Use the scaled genes themselves, as imputation needs them.
    pub scaled_genes: bool,
    /// How the genes of several slices are chosen.
    pub gene_choice: GeneChoice,
    /// What the genes of several slices are centred by.
    pub centre: Centre,
}

/// The published settings (METHODS 1.1).
impl Default for Settings {
    fn default() -> Self {
        Self {
            min_cells: 50,
            min_counts: 10.0,
            n_genes: 2000,
            target_sum: 1e6,
            log1p: false,
            n_components: 200,
            scaled_genes: false,
            gene_choice: GeneChoice::MedianRank,
            centre: Centre::All,
        }
    }
}

impl Settings {
    /// # Errors
    /// A value outside its range.
    pub fn check(&self) -> Result<()> {
        let at_least_one = |name, value: usize| match value {
            0 => Err(Error::argument(
                name,
                format!("`{name}` must be at least 1"),
            )),
            _ => Ok(()),
        };
        at_least_one("n_genes", self.n_genes)?;
        at_least_one("n_components", self.n_components)?;
        if !(self.target_sum > 0.0 && self.target_sum.is_finite()) {
            let message = "`target_sum` must be a finite number above 0";
            return Err(Error::argument("target_sum", message));
        }
        if self.min_counts.is_nan() {
            return Err(Error::argument(
                "min_counts",
                "`min_counts` must be a number",
            ));
        }
        Ok(())
    }
}

/// What the columns of the input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// Principal components of scaled genes.
    Pca,
    /// Scaled genes.
    ScaledGenes,
    /// Whatever the user gave.
    Matrix,
}

/// The columns of the input. Genes for imputation stay sparse: scaled, they would fill cells x genes.
#[derive(Clone, Debug, PartialEq)]
pub enum Columns {
    /// Cells x features.
    Dense(Array2<f32>),
    /// Cells x genes, scaled implicitly.
    Scaled(ScaledGenes),
}

/// The model's input and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// The values.
    pub input: Columns,
    /// What its columns are.
    pub kind: FeatureKind,
    /// Genes used, as rising indices into the rows of the counts. Empty for a user's own matrix.
    pub genes: Vec<u32>,
    /// Genes that pass the filter in every slice.
    pub n_shared: usize,
    /// Genes that pass it in each.
    pub n_kept: Vec<usize>,
    /// Variance of each principal component; otherwise empty.
    pub explained_variance: Vec<f64>,
    /// What was learnt on these cells; None for a user's own matrix, and for cells that were projected.
    pub projection: Option<Projection>,
}

impl Features {
    /// A matrix (cells x features) that needs no preparation, such as an existing reduction.
    pub fn from_matrix(input: Array2<f32>) -> Self {
        Self {
            input: Columns::Dense(input),
            kind: FeatureKind::Matrix,
            genes: Vec::new(),
            n_shared: 0,
            n_kept: Vec::new(),
            explained_variance: Vec::new(),
            projection: None,
        }
    }

    /// Cells and columns of the input.
    pub fn dim(&self) -> (usize, usize) {
        match &self.input {
            Columns::Dense(x) => x.dim(),
            Columns::Scaled(genes) => (genes.n_cells(), genes.n_genes()),
        }
    }

    /// Entries held where the input is sparse; 0 where it is dense.
    pub fn n_nonzero(&self) -> usize {
        match &self.input {
            Columns::Dense(_) => 0,
            Columns::Scaled(genes) => genes.matrix.nnz(),
        }
    }

    /// The input, cells x columns, copied.
    pub fn to_dense(&self) -> Array2<f32> {
        match &self.input {
            Columns::Dense(x) => x.clone(),
            Columns::Scaled(genes) => genes.to_dense(),
        }
    }

    /// The same, moved out: the input is empty then.
    pub fn take_dense(&mut self) -> Array2<f32> {
        let empty = Columns::Dense(Array2::zeros((0, 0)));
        match std::mem::replace(&mut self.input, empty) {
            Columns::Dense(x) => x,
            Columns::Scaled(genes) => genes.to_dense(),
        }
    }

    /// What a result says of them: columns, genes used, genes that slices share and keep; and of a projection, the rows
    /// of the counts that it keeps and the places of the genes among these.
    pub fn describe(&self) -> Value {
        let projection = self.projection.as_ref();
        json!({
            "n_columns": self.dim().1,
            "genes": self.genes,
            "n_shared": self.n_shared,
            "n_kept": self.n_kept,
            "kept": projection.map(|p| &p.kept),
            "kept_genes": projection.map(|p| &p.genes),
        })
    }

    /// A panel of genes, dense unless it is for imputation.
    fn from_scaled(scaled: ScaledGenes, choice: Choice, keep_sparse: bool) -> Result<Self> {
        scaled.check_variation()?;
        let projection = Projection::new(&choice, &scaled, None);
        let input = match keep_sparse {
            true => Columns::Scaled(scaled),
            false => Columns::Dense(scaled.to_dense()),
        };
        Ok(Self {
            input,
            kind: FeatureKind::ScaledGenes,
            projection: Some(projection),
            ..Self::of_genes(choice)
        })
    }

    fn from_components(scaled: &ScaledGenes, choice: Choice, components: usize) -> Result<Self> {
        let pca = scaled.pca_of(components, ENOUGH_CELLS)?;
        Ok(Self {
            input: Columns::Dense(pca.scores),
            kind: FeatureKind::Pca,
            projection: Some(Projection::new(&choice, scaled, Some(pca.loadings))),
            explained_variance: pca.explained_variance,
            ..Self::of_genes(choice)
        })
    }

    fn of_genes(choice: Choice) -> Self {
        Self {
            n_kept: choice.kept.iter().map(Vec::len).collect(),
            n_shared: choice.n_shared,
            genes: choice.genes,
            ..Self::from_matrix(Array2::zeros((0, 0)))
        }
    }
}

/// Filters, normalises and scales the counts of one slice, and takes principal components.
///
/// # Errors
/// Counts or settings that are not valid, no gene that passes the filter, or none that varies.
pub fn prepare(counts: &CountsView, settings: &Settings) -> Result<Features> {
    prepare_slices(counts, &Slices::one(counts.n_cells()), settings)
}

/// The same for several slices: genes are filtered and ranked within each, those that all share are
/// used, and scaled and decomposed over all cells together.
///
/// # Errors
/// As [`prepare`]; too few genes that all slices share.
pub fn prepare_slices(
    counts: &CountsView,
    slices: &Slices,
    settings: &Settings,
) -> Result<Features> {
    settings.check()?;
    check_counts(counts)?;
    let choice = choose(counts, slices, settings)?;
    let (sum, log1p) = (settings.target_sum, settings.log1p);
    let sums = vec![sum; slices.n_slices()];
    let matrix = normalise_slices(counts, slices, &choice.kept, &choice.genes, &sums, log1p)?;
    let scaled = ScaledGenes::centred(matrix, slices, settings.centre)?;
    if settings.scaled_genes || choice.genes.len() < settings.n_components {
        Features::from_scaled(scaled, choice, settings.scaled_genes)
    } else {
        Features::from_components(&scaled, choice, settings.n_components)
    }
}

/// Principal components of the log-normalised genes: as [`prepare_slices`], but every cell is scaled to the median
/// total of its slice, a small panel is decomposed too, and row i of the features is cell `order[i]`.
///
/// # Errors
/// Those of [`prepare_slices`].
pub fn prepare_components(
    counts: &CountsView,
    slices: &Slices,
    order: &[u32],
    settings: &Settings,
) -> Result<Features> {
    settings.check()?;
    check_counts(counts)?;
    let choice = choose(counts, slices, settings)?;
    let sums = median_totals(counts, slices, &choice.kept);
    let matrix = normalise_slices(counts, slices, &choice.kept, &choice.genes, &sums, true)?;
    let matrix = matrix.permuted_rows(order);
    let scaled = ScaledGenes::centred(matrix, &slices.permuted(order), settings.centre)?;
    Features::from_components(&scaled, choice, settings.n_components)
}
