//! From counts to features by what was learnt on other cells (METHODS 1.1).

use ndarray::Array2;

use super::features::{Columns, FeatureKind, Features};
use super::gene_choice::Choice;
use super::{check_counts, normalise, ScaledGenes};
use crate::sparse::CountsView;
use crate::{Error, Result};

/// What it takes to prepare further cells like those that it was learnt on.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Genes whose counts add up to a cell's total, as rising rows of the counts. Of several slices: those of any.
    pub kept: Vec<u32>,
    /// Genes used, as rising places in `kept`.
    pub genes: Vec<u32>,
    /// Mean of every gene used. Of slices that were centred each: over all cells.
    pub mean: Vec<f64>,
    /// 1 / standard deviation of every gene used; 0 for one that does not vary.
    pub scale: Vec<f64>,
    /// Genes used x components; None where the scaled genes are the features.
    pub rotation: Option<Array2<f64>>,
    /// What the rotated features are turned by at last, components x components; None for those that stay.
    pub turn: Option<Array2<f64>>,
}

/// What the genes of further cells are scaled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// The means and deviations learnt.
    Learnt,
    /// The cells' own means and deviations.
    Own,
}

impl Projection {
    pub(super) fn new(
        choice: &Choice,
        scaled: &ScaledGenes,
        rotation: Option<Array2<f64>>,
    ) -> Self {
        let mut kept: Vec<u32> = choice.kept.concat();
        kept.sort_unstable();
        kept.dedup();
        let place = |gene: &u32| kept.binary_search(gene).unwrap_or_default() as u32;
        let (mean, scale) = overall(scaled);
        Self {
            genes: choice.genes.iter().map(place).collect(),
            kept,
            mean,
            scale,
            rotation,
            turn: None,
        }
    }

    /// Features of `counts`, whose rows are the genes `kept` in their order; a gene that is not `present` counts as its
    /// mean.
    ///
    /// # Errors
    /// Parts that do not fit each other; counts that are not valid.
    pub fn features(
        &self,
        counts: &CountsView,
        present: &[bool],
        scaling: Scaling,
        how: (f64, bool),
    ) -> Result<Features> {
        let scaled = self.scaled(counts, present, scaling, how)?;
        match &self.rotation {
            Some(rotation) => {
                let scores = scaled.project(rotation.view())?;
                Ok(self.of_columns(Columns::Dense(scores), FeatureKind::Pca))
            }
            None => Ok(self.of_columns(Columns::Scaled(scaled), FeatureKind::ScaledGenes)),
        }
    }

    pub(super) fn of_columns(&self, input: Columns, kind: FeatureKind) -> Features {
        Features {
            input,
            kind,
            genes: self.genes.clone(),
            ..Features::from_matrix(Array2::zeros((0, 0)))
        }
    }

    /// The genes of `counts` normalised and scaled, before any rotation.
    pub(super) fn scaled(
        &self,
        counts: &CountsView,
        present: &[bool],
        scaling: Scaling,
        (target_sum, log1p): (f64, bool),
    ) -> Result<ScaledGenes> {
        self.check(counts, present)?;
        check_counts(counts)?;
        let kept: Vec<u32> = (0..self.kept.len() as u32).collect();
        let matrix = normalise(counts, &kept, &self.genes, target_sum, log1p)?;
        Ok(self.rescaled(ScaledGenes::new(matrix)?, present, scaling))
    }

    pub(super) fn rescaled(
        &self,
        mut own: ScaledGenes,
        present: &[bool],
        scaling: Scaling,
    ) -> ScaledGenes {
        if scaling == Scaling::Learnt {
            own.mean.clone_from(&self.mean);
            own.scale.clone_from(&self.scale);
        }
        for (scale, &gene) in own.scale.iter_mut().zip(&self.genes) {
            if !present[gene as usize] {
                *scale = 0.0;
            }
        }
        let sd = |&scale: &f64| if scale > 0.0 { scale.recip() } else { 1.0 };
        own.sd = own.scale.iter().map(sd).collect();
        own
    }

    pub(super) fn check(&self, counts: &CountsView, present: &[bool]) -> Result<()> {
        let (n_kept, n_genes) = (self.kept.len(), self.genes.len());
        let rising = self.genes.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = self.genes.iter().all(|&g| (g as usize) < n_kept);
        let rotated = self
            .rotation
            .as_ref()
            .map_or(n_genes, |rotation| rotation.nrows());
        let lengths = [self.mean.len(), self.scale.len(), rotated];
        if !rising || !inside || lengths != [n_genes; 3] {
            return Err(Error::model("The genes of the model do not fit each other"));
        }
        if counts.n_genes() != n_kept || present.len() != n_kept {
            return Err(Error::Internal("counts of other genes".into()));
        }
        Ok(())
    }
}

/// Mean and scale of every gene for cells of no slice: of slices that were scaled each by itself, the means of both.
fn overall(scaled: &ScaledGenes) -> (Vec<f64>, Vec<f64>) {
    if scaled.evened.is_empty() {
        return (overall_means(scaled), scaled.scale.clone());
    }
    let (p, n) = (scaled.n_genes(), scaled.n_cells() as f64);
    let (mut mean, mut scale) = (vec![0.0; p], vec![0.0; p]);
    for (slice, cells) in scaled.slices.sizes().into_iter().enumerate() {
        let (share, means) = (cells as f64 / n, scaled.means_of(slice));
        for (g, &factor) in scaled.evened[slice * p..][..p].iter().enumerate() {
            let factor = f64::from(factor);
            // A gene that does not vary within a slice has no mean there that could be told.
            mean[g] += if factor > 0.0 {
                share * means[g] / factor
            } else {
                0.0
            };
            scale[g] += share * factor * scaled.scale[g];
        }
    }
    (mean, scale)
}

/// Means of the slices, weighted by their cells.
pub(super) fn overall_means(scaled: &ScaledGenes) -> Vec<f64> {
    let n = scaled.n_cells() as f64;
    let mut overall = vec![0.0; scaled.n_genes()];
    for (slice, cells) in scaled.slices.sizes().into_iter().enumerate() {
        let pairs = overall.iter_mut().zip(scaled.means_of(slice));
        pairs.for_each(|(sum, mean)| *sum += mean * cells as f64 / n);
    }
    overall
}
