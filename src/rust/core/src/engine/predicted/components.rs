//! What is predicted, and how.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{s, Array2, ArrayView2, Axis};
use serde_json::{json, Value};

use super::even::even_out;
use super::families::{columns_of, families, first, Family};
use super::found::{Predictions, Quality};
use super::rings::Around;
use super::{
    divided, off_curve_rows, CELLS_A_DIRECTION, DIRECTIONS, EDGES, HEARD, MOST_COMPONENTS, RINGS,
    SHOWN_COMPONENTS,
};
use crate::engine::columns::{first_columns, side_by_side, total_spread};
use crate::engine::tensors::Tensors;
use crate::engine::tissue::Tissue;
use crate::predictive::{compact_folds, scattered_folds, Directions, Grams, Ridge};
use crate::preprocess::{prepare_components, Features, Projection, Settings};
use crate::sparse::CountsView;
use crate::{Error, Result};

/// What is predicted: the cells' own components, row i those of cell `order[i]`.
///
/// In the order of the curve, so that neither sums nor random starts depend on the order in which the cells were given.
pub struct Components {
    x: Arc<Array2<f32>>,
    order: Arc<Vec<u32>>,
    /// The columns of each modality.
    modalities: Vec<Range<usize>>,
    /// What those of each were divided by.
    spreads: Vec<f64>,
    /// How counts become them; None of columns, and of several modalities.
    features: Option<Features>,
    /// Centres of groups of like cells, by which further slices find their place; None of columns as they are.
    groups: Option<Array2<f64>>,
    /// Columns that there were before the first were taken: so many a model wants again.
    n_given: usize,
}

impl Components {
    /// Of counts: principal components of the log-normalised genes.
    ///
    /// # Errors
    /// Those of [`prepare_components`].
    pub fn of_counts(counts: &CountsView, tissue: &Tissue, settings: &Settings) -> Result<Self> {
        let order = tissue.order()?;
        let settings = Settings {
            n_components: MOST_COMPONENTS,
            ..settings.clone()
        };
        let mut features = prepare_components(counts, tissue.slices(), &order, &settings)?;
        let x = features.take_dense();
        Self::new(x, order, Some(features)).evened(tissue)
    }

    /// Of columns that the user prepared.
    ///
    /// # Errors
    /// Those of [`Tissue::order`].
    pub fn of_columns(x: ArrayView2<f32>, tissue: &Tissue) -> Result<Self> {
        let order = tissue.order()?;
        let first = first_columns(x, MOST_COMPONENTS);
        let rows: Vec<usize> = order.iter().map(|&cell| cell as usize).collect();
        Ok(Self {
            n_given: x.ncols(),
            ..Self::new(first.select(Axis(0), &rows), order, None)
        })
    }

    fn new(x: Array2<f32>, order: Arc<Vec<u32>>, features: Option<Features>) -> Self {
        Self {
            modalities: std::iter::once(0..x.ncols()).collect(),
            n_given: x.ncols(),
            x: Arc::new(x),
            order,
            spreads: vec![1.0],
            features,
            groups: None,
        }
    }

    /// Without what sets the slices apart as wholes, told from what lies in them (METHODS 8).
    ///
    /// # Errors
    /// Those of [`crate::cluster::kmeans`].
    pub fn evened(mut self, tissue: &Tissue) -> Result<Self> {
        let slices = tissue.slices().permuted(&self.order);
        let groups = even_out(Arc::make_mut(&mut self.x), &slices)?;
        self.groups = Some(groups);
        Ok(self)
    }

    /// Puts what makes the components of further cells into a model, under `prefix`.
    pub fn store(&self, model: &mut Tensors, prefix: &str) {
        if let Some(projection) = self.projection() {
            model.insert_projection(prefix, projection);
        }
        if let Some(groups) = &self.groups {
            model.insert(format!("{prefix}.groups"), groups.clone().into_dyn());
        }
    }

    /// Those of several modalities side by side, each divided by the root of its total variance: the ones that users see, as more of
    /// them gain nothing beside another modality.
    ///
    /// # Errors
    /// No modality; modalities of other cells.
    pub fn join(parts: &[Self]) -> Result<Self> {
        let order = match parts.first() {
            Some(part) => part.order.clone(),
            None => return Err(Error::Internal("components of no modality".into())),
        };
        let shown = parts.iter().map(|part| part.shown());
        let shown: Vec<Array2<f32>> = shown.collect();
        let spreads: Vec<f64> = shown.iter().map(|x| spread(x.view())).collect();
        let pairs = shown.iter().zip(&spreads);
        let scaled: Vec<Array2<f32>> = pairs.map(|(x, &by)| divided(x.view(), by)).collect();
        let views: Vec<_> = scaled.iter().map(|x| x.view()).collect();
        let x = side_by_side(&views)?;
        let mut end = 0;
        let modalities = scaled.iter().map(|x| {
            end += x.ncols();
            end - x.ncols()..end
        });
        Ok(Self {
            modalities: modalities.collect(),
            n_given: x.ncols(),
            x: Arc::new(x),
            order,
            spreads,
            features: None,
            groups: None,
        })
    }

    /// How counts become the components of the only modality; None where they were columns.
    pub fn projection(&self) -> Option<&Projection> {
        self.features.as_ref().and_then(|f| f.projection.as_ref())
    }

    /// Some z-scored genes (rows of the counts) as the neighbours predict them, none below 0: cells x genes in the cells'
    /// own order. What is predicted of the components, rotated back by their loadings.
    ///
    /// # Errors
    /// Components that do not come from these genes; those of [`Directions::columns`].
    pub fn impute(
        &self,
        predicted: &Predictions,
        tissue: &Tissue,
        genes: &[u32],
    ) -> Result<Array2<f32>> {
        let plain = || Error::Internal("components that do not come from these genes".into());
        let features = self.features.as_ref().ok_or_else(plain)?;
        let rotation = features
            .projection
            .as_ref()
            .and_then(|p| p.rotation.as_ref());
        let place = |gene| features.genes.binary_search(gene).map_err(|_| plain());
        let places = genes.iter().map(place).collect::<Result<Vec<usize>>>()?;
        let loadings = rotation.ok_or_else(plain)?.select(Axis(0), &places);
        let all = &predicted.all;
        let loadings = loadings.slice(s![.., ..all.weights.ncols()]);
        // From the rings of these components alone.
        let genes = Directions {
            weights: all.weights.dot(&loadings.t()),
            predictors: (0..all.predictors.len()).collect(),
            ..all.clone()
        };
        let edges = &EDGES[..=RINGS[0].min(EDGES.len() - 1)];
        let around = Around::of(predicted.own(), &tissue.along_curve()?, edges)?;
        let mut found = genes.columns(around.means.view(), predicted.own())?;
        // As the network's reconstruction.
        found.mapv_inplace(|value| value.max(0.0));
        Ok(off_curve_rows(found.view(), &self.order))
    }

    /// What a result says of them: see [`Features::describe`].
    pub fn describe(&self) -> Value {
        let features = self.features.as_ref();
        let mut said = features.map_or_else(|| json!({}), Features::describe);
        said["n_columns"] = json!(self.n_given);
        said
    }

    /// Predicts the components of each cell from its neighbours'. `own`: the share of its own residual that a cell keeps. Of several
    /// modalities those that neighbours do not predict count for nothing, unless they predict none.
    ///
    /// # Errors
    /// Cells without neighbours; a decomposition that does not converge.
    pub fn predict(&self, tissue: &Tissue, own: f64) -> Result<Predictions> {
        let mut found = self.predict_all(tissue, own)?;
        let r2 = &found.quality.r2;
        let least = HEARD / self.x.nrows() as f64;
        let unheard: Vec<usize> = (0..r2.len()).filter(|&m| r2[m] < least).collect();
        found.quality.nothing = unheard.len() == r2.len();
        if unheard.is_empty() || found.quality.nothing {
            return Ok(found);
        }
        let mut heard = self.without(&unheard).predict_all(tissue, own)?;
        heard.quality.r2 = found.quality.r2;
        heard.quality.unheard = unheard;
        Ok(heard)
    }

    /// These with nothing in the columns of some modalities, of further cells too: they are divided by infinity.
    fn without(&self, unheard: &[usize]) -> Self {
        let (mut x, mut spreads) = (self.x.clone(), self.spreads.clone());
        let x_mut = Arc::make_mut(&mut x);
        for &m in unheard {
            let columns = self.modalities[m].clone();
            x_mut.slice_mut(s![.., columns]).fill(0.0);
            spreads[m] = f64::INFINITY;
        }
        Self {
            x,
            order: self.order.clone(),
            modalities: self.modalities.clone(),
            n_given: self.n_given,
            spreads,
            features: None,
            groups: None,
        }
    }

    /// The components that users see.
    fn shown(&self) -> Array2<f32> {
        let parts = first(&self.modalities, SHOWN_COMPONENTS);
        columns_of(self.x.view(), &parts)
    }

    fn predict_all(&self, tissue: &Tissue, own: f64) -> Result<Predictions> {
        let along = tissue.along_curve()?;
        let mut around = Around::of(self.x.view(), &along, &EDGES)?;
        if tissue.stacked() {
            around.add_adjacent(self.x.view(), &along)?;
        }
        let seen = around.means;
        let scattered = scattered_folds(self.x.nrows());
        let grams = Grams::new(seen.view(), self.x.view(), &scattered)?;
        let compact = compact_folds(self.x.nrows());
        let strict = Grams::new(seen.view(), self.x.view(), &compact)?;
        let mut found = Predictions {
            order: self.order.clone(),
            own: Arc::new(self.shown()),
            all: Directions::default(),
            matrices: Vec::new(),
            quality: Quality {
                twins: around.twins,
                neighbours: around.rings.reach(),
                ..Quality::default()
            },
            model: Tensors::default(),
        };
        let most = DIRECTIONS[DIRECTIONS.len() - 1].min(self.x.nrows() / CELLS_A_DIRECTION);
        let rings = (around.rings.len(), around.across);
        for (i, family) in families(&self.modalities, rings).into_iter().enumerate() {
            let Family {
                predictors,
                targets,
            } = family;
            let fit = |grams: &Grams| -> Result<Vec<Ridge>> {
                let each = targets.iter().cloned();
                each.map(|targets| Ridge::fit(grams, &predictors, targets))
                    .collect()
            };
            let ridges = fit(&grams)?;
            let of = predictors.clone();
            let directions = Directions::of(&ridges, &grams, of, &targets, own, most.max(1))?;
            if i == 0 {
                found.quality.lambda = ridges.iter().map(|r| r.lambda).collect();
                found.quality.r2 = fit(&strict)?.iter().map(|r| r.r2).collect();
                found.all = Directions::unrotated(&ridges, &grams, predictors.clone())?;
                found.keep(&directions, RINGS[0].min(rings.0), &self.spreads);
            }
            let own = columns_of(self.x.view(), &targets);
            let x = directions.columns(seen.view(), own.view())?;
            found.matrices.push(x);
        }
        Ok(found)
    }
}

/// The root of the total variance, or 1 without any.
fn spread(x: ArrayView2<f32>) -> f64 {
    match total_spread(x) {
        spread if spread > 0.0 => spread,
        _ => 1.0,
    }
}
