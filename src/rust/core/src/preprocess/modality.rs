//! One modality of several as SpaLORA takes it (METHODS 4.1).

use ndarray::Array2;

use super::atac::lsi;
use super::features::{prepare_slices, Columns, FeatureKind, Features, Settings};
use super::protein::centred_log_ratio;
use super::scaled::{Centre, ScaledGenes};
use crate::slices::Slices;
use crate::sparse::CountsView;
use crate::{Error, Result};

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModalityKind {
    Rna,
    Protein,
    Atac,
    /// Columns that the user prepared.
    Features,
}

/// The network's input of one modality, and what its feature graph is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Modality {
    pub kind: ModalityKind,
    /// X: scaled genes, never dense, for RNA; components otherwise.
    pub features: Features,
    /// Cells x components, for the feature graph.
    pub components: Array2<f32>,
    /// Mean log-normalised expression of every input column; empty unless RNA.
    pub mean_expression: Vec<f64>,
}

impl Modality {
    /// RNA: normalised, the genes that vary most, z-scored; their components beside them.
    ///
    /// # Errors
    /// As [`prepare_slices`].
    pub fn rna(
        counts: &CountsView,
        slices: &Slices,
        settings: &Settings,
        n_components: usize,
    ) -> Result<Self> {
        let settings = Settings {
            scaled_genes: true,
            ..settings.clone()
        };
        let mut features = prepare_slices(counts, slices, &settings)?;
        let Columns::Scaled(genes) = &features.input else {
            return Err(Error::Internal("scaled genes were asked for".into()));
        };
        let pca = genes.pca(n_components)?;
        let mean_expression = genes.column_means();
        features.explained_variance = pca.explained_variance;
        Ok(Self {
            kind: ModalityKind::Rna,
            features,
            components: pca.scores,
            mean_expression,
        })
    }

    /// Proteins: centred log ratio, z-scored (about the means of each slice if `centre` says so), principal components:
    /// one fewer than proteins, or `n_components` if that is less.
    ///
    /// # Errors
    /// Counts that are not valid; fewer than two proteins, or none that varies.
    pub fn protein(
        counts: &CountsView,
        slices: &Slices,
        centre: Centre,
        n_components: Option<usize>,
    ) -> Result<Self> {
        let n = counts.n_genes();
        if n < 2 {
            return Err(Error::counts(
                "one protein has no components: give at least two",
            ));
        }
        let scaled = ScaledGenes::centred(centred_log_ratio(counts)?, slices, centre)?;
        let pca = scaled.pca(n_components.unwrap_or(n).min(n - 1))?;
        let names = (0..n as u32).collect();
        Ok(Self::of_components(
            ModalityKind::Protein,
            pca.scores,
            names,
            pca.explained_variance,
        ))
    }

    /// Peaks: latent semantic indexing (see [`lsi`]).
    ///
    /// # Errors
    /// As [`lsi`].
    pub fn atac(counts: &CountsView, n_components: usize, seed: u64) -> Result<Self> {
        let components = lsi(counts, n_components, seed)?;
        let peaks = (0..counts.n_genes() as u32).collect();
        Ok(Self::of_components(
            ModalityKind::Atac,
            components,
            peaks,
            Vec::new(),
        ))
    }

    /// Columns as they are (cells x features).
    ///
    /// # Errors
    /// Columns that are all constant.
    pub fn from_matrix(x: Array2<f32>) -> Result<Self> {
        let varies = |c: ndarray::ArrayView1<f32>| c.iter().any(|v| *v != c[0]);
        if x.nrows() < 2 || !x.columns().into_iter().any(varies) {
            return Err(Error::counts(
                "no feature varies between cells: nothing tells the cells apart",
            ));
        }
        Ok(Self::of_components(
            ModalityKind::Features,
            x,
            Vec::new(),
            Vec::new(),
        ))
    }

    fn of_components(
        kind: ModalityKind,
        components: Array2<f32>,
        used: Vec<u32>,
        explained_variance: Vec<f64>,
    ) -> Self {
        Self {
            kind,
            features: Features {
                kind: match kind {
                    ModalityKind::Features => FeatureKind::Matrix,
                    _ => FeatureKind::Pca,
                },
                genes: used,
                explained_variance,
                ..Features::from_matrix(components.clone())
            },
            components,
            mean_expression: Vec::new(),
        }
    }
}
