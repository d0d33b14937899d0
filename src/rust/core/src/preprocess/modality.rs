//! One modality of several as SpaLORA takes it (METHODS 4.1).

use ndarray::{Array2, ArrayView2, Axis};

use super::atac::{lsi, lsi_by};
use super::features::{prepare_slices, Columns, FeatureKind, Features, Settings};
use super::projection::{overall_means, Projection, Scaling};
use super::protein::{centred_log_ratio, centred_log_ratio_of};
use super::scaled::{Centre, ScaledGenes};
use super::spatial_components::{spatial_directions, spatial_loadings};
use crate::graph::Neighbours;
use crate::slices::Slices;
use crate::sparse::CountsView;
use crate::{Error, Result};

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModalityKind {
    /// Counts of genes.
    Rna,
    /// Counts of antibodies.
    Protein,
    /// Counts of fragments in peaks.
    Atac,
    /// Columns that the user prepared.
    Features,
}

impl ModalityKind {
    /// The kind of that name: "rna", "protein", "atac" or "features".
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "rna" => Some(Self::Rna),
            "protein" => Some(Self::Protein),
            "atac" => Some(Self::Atac),
            "features" => Some(Self::Features),
            _ => None,
        }
    }
}

/// The network's input of one modality, and what its feature graph is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Modality {
    /// What was measured.
    pub kind: ModalityKind,
    /// X: scaled genes, never dense, for RNA; components otherwise.
    pub features: Features,
    /// Cells x components, for the feature graph.
    pub components: Array2<f32>,
    /// Mean log-normalised expression of every input column; empty unless RNA.
    pub mean_expression: Vec<f64>,
    /// What was learnt on these cells, with the rotation to the components; None for a user's own columns, and for
    /// cells that were projected. Of peaks, `scale` holds the inverse document frequencies.
    pub projection: Option<Projection>,
}

impl Modality {
    /// RNA: normalised, the genes that vary most, z-scored; their components beside them: with neighbours (`near`),
    /// along the directions in which the means over a cell and its neighbours vary most, and principal components of
    /// the cells without.
    ///
    /// # Errors
    /// As [`prepare_slices`].
    pub fn rna(
        counts: &CountsView,
        slices: &Slices,
        settings: &Settings,
        n_components: usize,
        near: Option<&Neighbours>,
    ) -> Result<Self> {
        let settings = Settings {
            scaled_genes: true,
            ..settings.clone()
        };
        let mut features = prepare_slices(counts, slices, &settings)?;
        let Columns::Scaled(genes) = &features.input else {
            return Err(Error::Internal("scaled genes were asked for".into()));
        };
        let loadings = match near {
            Some(near) => spatial_loadings(genes, near, n_components)?,
            None => genes.pca(n_components)?.loadings,
        };
        let (components, rotation) = rounded(genes, loadings.view())?;
        let mean_expression = genes.column_means();
        features.explained_variance = variances(components.view());
        let projection = features.projection.take().map(|p| Projection {
            rotation: Some(rotation),
            ..p
        });
        Ok(Self {
            kind: ModalityKind::Rna,
            features,
            components,
            mean_expression,
            projection,
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
        let (components, rotation) = rounded(&scaled, pca.loadings.view())?;
        let names: Vec<u32> = (0..n as u32).collect();
        let projection = Projection {
            kept: names.clone(),
            genes: names,
            mean: overall_means(&scaled),
            scale: scaled.scale.clone(),
            rotation: Some(rotation),
            turn: None,
        };
        let mut found = Self::of_components(ModalityKind::Protein, components, Some(projection));
        found.features.explained_variance = pca.explained_variance;
        Ok(found)
    }

    /// Peaks: latent semantic indexing (see [`lsi`]).
    ///
    /// # Errors
    /// As [`lsi`].
    pub fn atac(counts: &CountsView, n_components: usize, seed: u64) -> Result<Self> {
        let found = lsi(counts, n_components, seed)?;
        let peaks: Vec<u32> = (0..counts.n_genes() as u32).collect();
        let projection = Projection {
            kept: peaks.clone(),
            genes: peaks,
            mean: vec![0.0; counts.n_genes()],
            scale: found.idf,
            rotation: Some(found.rotation),
            turn: None,
        };
        let components = found.components;
        Ok(Self::of_components(
            ModalityKind::Atac,
            components,
            Some(projection),
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
        Ok(Self::of_components(ModalityKind::Features, x, None))
    }

    /// With as many components along the directions in which the means over a cell and its neighbours vary most, of
    /// [`Modality::protein`] or [`Modality::atac`].
    ///
    /// # Errors
    /// Neighbours of other cells; a decomposition that does not converge.
    pub fn turned_to(mut self, near: &Neighbours) -> Result<Self> {
        let turn = single(spatial_directions(self.components.view(), near)?.view());
        self.components = self.components_by(&turn);
        self.features.input = Columns::Dense(self.components.clone());
        self.features.explained_variance = variances(self.components.view());
        if let Some(projection) = &mut self.projection {
            projection.turn = Some(turn);
        }
        Ok(self)
    }

    /// The components times `turn`.
    pub(crate) fn components_by(&self, turn: &Array2<f64>) -> Array2<f32> {
        let product = self.components.mapv(f64::from).dot(turn);
        product.mapv(|v| v as f32)
    }

    /// The modality of further cells, prepared as that of the cells that `projection` was learnt on. The rows of
    /// `counts` are the features `kept`, in their order; one that is not `present` counts as its mean. Peaks keep the
    /// weights that were learnt, whatever the `scaling`.
    ///
    /// # Errors
    /// Parts that do not fit each other; counts that are not valid.
    pub fn projected(
        kind: ModalityKind,
        projection: &Projection,
        counts: &CountsView,
        present: &[bool],
        scaling: Scaling,
        target_sum: f64,
    ) -> Result<Self> {
        let damaged = || Error::model("The model lacks the components of a modality");
        let rotation = projection.rotation.as_ref().ok_or_else(damaged)?.view();
        projection.check(counts, present)?;
        let components = match kind {
            ModalityKind::Rna => {
                let genes = projection.scaled(counts, present, scaling, (target_sum, true))?;
                let components = genes.project(rotation)?;
                let kind = FeatureKind::ScaledGenes;
                return Ok(Self {
                    features: projection.of_columns(Columns::Scaled(genes), kind),
                    ..Self::of_components(ModalityKind::Rna, components, None)
                });
            }
            ModalityKind::Protein => {
                let measured = present.iter().filter(|p| **p).count();
                let own = ScaledGenes::new(centred_log_ratio_of(counts, measured)?)?;
                let scaled = projection.rescaled(own, present, scaling);
                scaled.project(rotation)?
            }
            ModalityKind::Atac => lsi_by(counts, &projection.scale, rotation)?,
            ModalityKind::Features => {
                return Err(Error::Internal("columns need no projection".into()))
            }
        };
        let found = Self::of_components(kind, components, None);
        match &projection.turn {
            Some(turn) if turn.nrows() == found.components.ncols() => {
                Ok(Self::of_components(kind, found.components_by(turn), None))
            }
            Some(_) => Err(damaged()),
            None => Ok(found),
        }
    }

    fn of_components(
        kind: ModalityKind,
        components: Array2<f32>,
        projection: Option<Projection>,
    ) -> Self {
        let feature_kind = match kind {
            ModalityKind::Features => FeatureKind::Matrix,
            _ => FeatureKind::Pca,
        };
        Self {
            kind,
            features: Features {
                kind: feature_kind,
                genes: projection
                    .as_ref()
                    .map_or_else(Vec::new, |p| p.genes.clone()),
                ..Features::from_matrix(components.clone())
            },
            components,
            mean_expression: Vec::new(),
            projection,
        }
    }
}

/// Components by loadings rounded to the precision that models are kept in, so that a model kept gives the same, and
/// those loadings.
fn rounded(genes: &ScaledGenes, loadings: ArrayView2<f64>) -> Result<(Array2<f32>, Array2<f64>)> {
    let loadings = single(loadings);
    Ok((genes.project(loadings.view())?, loadings))
}

/// Rounded to f32.
fn single(x: ArrayView2<f64>) -> Array2<f64> {
    x.mapv(|v| f64::from(v as f32))
}

fn variances(x: ArrayView2<f32>) -> Vec<f64> {
    x.mapv(f64::from).var_axis(Axis(0), 1.0).to_vec()
}

pub(super) fn unknown() -> Error {
    Error::Internal("the components of a modality are not known".into())
}
