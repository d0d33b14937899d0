//! Predictive components of a tissue, and the matrices that its domains are found from (METHODS, "Predictive components").

use std::ops::Range;
use std::sync::Arc;

use ndarray::{s, Array1, Array2, ArrayView2, Axis};
use serde_json::{json, Value};

use super::columns::{first_columns, side_by_side, total_spread};
use super::predict::NewPart;
use super::system::Values;
use super::tensors::Tensors;
use super::tissue::Tissue;
use crate::predictive::{
    compact_folds, count_twins, ring_means, scattered_folds, without_twins, Directions, Grams,
    Ridge, Rings,
};
use crate::preprocess::{
    median_totals, prepare_components, Features, Projection, Scaling, Settings,
};
use crate::slices::Slices;
use crate::sparse::CountsView;
use crate::{Error, Result};

/// Components of the cells that are predicted. More of them hold more of the cells' own noise.
pub const COMPONENTS: usize = 30;
/// Ranks of neighbours at which rings begin: 6 neighbours, the next 12, 18, 24, 40.
const EDGES: [usize; 6] = [1, 7, 19, 37, 61, 101];
/// How many of these rings predict: a list for each family of matrices. The first gives what users see.
const RINGS: [usize; 2] = [3, 5];
/// Directions of each matrix that domains are found from.
const DIRECTIONS: [usize; 5] = [10, 12, 15, 18, 20];
/// Directions that users see, and that label further cells.
const SHOWN: usize = 15;
/// Cells that one direction takes: fewer cells have fewer directions.
const CELLS_A_DIRECTION: usize = 20;

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
}

impl Components {
    /// Of counts: principal components of the log-normalised genes.
    ///
    /// # Errors
    /// Those of [`prepare_components`].
    pub fn of_counts(counts: &CountsView, tissue: &Tissue, settings: &Settings) -> Result<Self> {
        let order = tissue.order()?;
        let settings = Settings {
            n_components: COMPONENTS,
            ..settings.clone()
        };
        let mut features = prepare_components(counts, tissue.slices(), &order, &settings)?;
        let x = features.take_dense();
        Ok(Self::new(x, order, Some(features)))
    }

    /// Of columns that the user prepared.
    ///
    /// # Errors
    /// Those of [`Tissue::order`].
    pub fn of_columns(x: ArrayView2<f32>, tissue: &Tissue) -> Result<Self> {
        let order = tissue.order()?;
        let x = first_columns(x, COMPONENTS);
        let rows: Vec<usize> = order.iter().map(|&cell| cell as usize).collect();
        Ok(Self::new(x.select(Axis(0), &rows), order, None))
    }

    fn new(x: Array2<f32>, order: Arc<Vec<u32>>, features: Option<Features>) -> Self {
        Self {
            modalities: std::iter::once(0..x.ncols()).collect(),
            x: Arc::new(x),
            order,
            spreads: vec![1.0],
            features,
        }
    }

    /// Those of several modalities side by side, each divided by the root of its total variance.
    ///
    /// # Errors
    /// No modality; modalities of other cells.
    pub fn join(parts: &[Self]) -> Result<Self> {
        let order = match parts.first() {
            Some(part) => part.order.clone(),
            None => return Err(Error::Internal("components of no modality".into())),
        };
        let spreads: Vec<f64> = parts.iter().map(|part| spread(part.x.view())).collect();
        let pairs = parts.iter().zip(&spreads);
        let scaled: Vec<Array2<f32>> = pairs
            .map(|(part, &by)| divided(part.x.view(), by))
            .collect();
        let views: Vec<_> = scaled.iter().map(|x| x.view()).collect();
        let x = side_by_side(&views)?;
        let mut end = 0;
        let modalities = scaled.iter().map(|x| {
            end += x.ncols();
            end - x.ncols()..end
        });
        Ok(Self {
            modalities: modalities.collect(),
            x: Arc::new(x),
            order,
            spreads,
            features: None,
        })
    }

    /// How counts become the components of the only modality; None where they were columns.
    pub fn projection(&self) -> Option<&Projection> {
        self.features.as_ref().and_then(|f| f.projection.as_ref())
    }

    /// The z-scored genes as the neighbours predict them, none below 0: cells x genes in the cells' own order. What is predicted of the
    /// components, rotated back by their loadings.
    ///
    /// # Errors
    /// Components that do not come from genes; those of [`Directions::columns`].
    pub fn impute(&self, predicted: &Predictions, tissue: &Tissue) -> Result<Array2<f32>> {
        let plain = || Error::Internal("components that do not come from genes".into());
        let projection = self.projection().ok_or_else(plain)?;
        let loadings = projection.rotation.as_ref().ok_or_else(plain)?;
        let all = &predicted.all;
        // Prediction and loadings are both of all components.
        let genes = Directions {
            weights: all.weights.dot(&loadings.t()),
            ..all.clone()
        };
        let edges = &EDGES[..=RINGS[0].min(EDGES.len() - 1)];
        let around = Around::of(self.x.view(), &tissue.along_curve()?, edges)?;
        let mut found = genes.columns(around.means.view(), self.x.view())?;
        // As the network's reconstruction.
        found.mapv_inplace(|value| value.max(0.0));
        Ok(off_curve_rows(found.view(), &self.order))
    }

    /// What a result says of them: see [`Features::describe`].
    pub fn describe(&self) -> Value {
        let features = self.features.as_ref();
        let mut said = features.map_or_else(|| json!({}), Features::describe);
        said["n_columns"] = json!(self.x.ncols());
        said
    }

    /// Predicts the components of each cell from its neighbours'. `own`: the share of its own residual that a cell keeps.
    ///
    /// # Errors
    /// Cells without neighbours; a decomposition that does not converge.
    pub fn predict(&self, tissue: &Tissue, own: f64) -> Result<Predictions> {
        let around = Around::of(self.x.view(), &tissue.along_curve()?, &EDGES)?;
        let scattered = scattered_folds(self.x.nrows());
        let grams = Grams::new(around.means.view(), self.x.view(), &scattered)?;
        let compact = compact_folds(self.x.nrows());
        let strict = Grams::new(around.means.view(), self.x.view(), &compact)?;
        let mut found = Predictions {
            order: self.order.clone(),
            own: self.x.clone(),
            all: Directions::default(),
            matrices: Vec::new(),
            quality: Quality {
                twins: around.twins,
                neighbours: around.rings.reach(),
                ..Quality::default()
            },
            model: Tensors::default(),
        };
        let mut lists: Vec<usize> = RINGS.iter().map(|&n| n.min(around.rings.len())).collect();
        lists.dedup();
        for (list, rings) in lists.into_iter().enumerate() {
            let predictors: Vec<usize> = (0..rings * self.x.ncols()).collect();
            let fit = |grams: &Grams| -> Result<Vec<Ridge>> {
                let targets = self.modalities.iter().cloned();
                targets
                    .map(|targets| Ridge::fit(grams, &predictors, targets))
                    .collect()
            };
            let ridges = fit(&grams)?;
            let most = DIRECTIONS[DIRECTIONS.len() - 1].min(self.x.nrows() / CELLS_A_DIRECTION);
            let directions = Directions::of(&ridges, &grams, predictors.clone(), own, most.max(1))?;
            if list == 0 {
                found.quality.lambda = ridges.iter().map(|r| r.lambda).collect();
                found.quality.r2 = fit(&strict)?.iter().map(|r| r.r2).collect();
                found.all = Directions::unrotated(&ridges, &grams, predictors)?;
                found.keep(&directions, rings, &self.spreads);
            }
            let x = directions.columns(around.means.view(), self.x.view())?;
            found.matrices.push(x);
        }
        Ok(found)
    }
}

/// Means over rings of neighbours within the slices, and how many cells are twins of another.
struct Around {
    means: Array2<f32>,
    rings: Rings,
    twins: usize,
}

impl Around {
    fn of(x: ArrayView2<f32>, tissue: &Tissue, edges: &[usize]) -> Result<Self> {
        let most = tissue.most_neighbours();
        let rings = Rings::new(edges, most)?;
        let near = tissue.neighbours(rings.reach())?;
        let twins = count_twins(x, &near);
        let doubles = twins.iter().copied().max().unwrap_or(0);
        let (near, rings) = match doubles {
            0 => (near, rings),
            n => {
                let rings = Rings::new(edges, most.saturating_sub(n))?;
                let wider = tissue.neighbours(rings.reach() + n)?;
                (Arc::new(without_twins(x, &wider, rings.reach())?), rings)
            }
        };
        Ok(Self {
            means: ring_means(x, &near, &rings)?,
            twins: twins.iter().filter(|&&n| n > 0).count(),
            rings,
        })
    }
}

/// What a result says of the predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// The share of the components' variance, by modality, that neighbours predict in compact regions that are left out.
    pub r2: Vec<f64>,
    /// Penalty of the ridge, by modality.
    pub lambda: Vec<f64>,
    /// Neighbours that predict, at most.
    pub neighbours: usize,
    /// Cells that stand in the data more than once, in one place and with the same values.
    pub twins: usize,
}

/// What neighbours say about every cell.
pub struct Predictions {
    order: Arc<Vec<u32>>,
    /// The components that are predicted.
    own: Arc<Array2<f32>>,
    /// From the rings of the first family to what they predict of all components.
    all: Directions,
    /// Directions of each family, row i those of cell `order[i]`.
    matrices: Vec<Array2<f32>>,
    /// How good they are.
    pub quality: Quality,
    /// What makes the columns of further cells.
    pub model: Tensors,
}

impl Predictions {
    /// How good they are, for a result.
    pub fn describe(&self) -> Value {
        json!({
            "r2": self.quality.r2, "lambda": self.quality.lambda, "neighbours": self.quality.neighbours,
            "twins": self.quality.twins,
        })
    }

    /// The columns that users see: cells x directions, in the cells' own order.
    pub fn columns(&self) -> Array2<f32> {
        off_curve_rows(self.shown(), &self.order)
    }

    /// The components that are predicted, row i those of cell `order[i]` of [`Tissue::order`].
    pub fn own(&self) -> ArrayView2<'_, f32> {
        self.own.view()
    }

    /// [`Predictions::columns`] in that order.
    pub fn shown(&self) -> ArrayView2<'_, f32> {
        let x = &self.matrices[0];
        x.slice(s![.., ..x.ncols().min(SHOWN)])
    }

    /// The matrices that many mixtures are fitted to, row i those of cell `order[i]` of [`Tissue::order`].
    pub fn matrices(&self) -> Vec<ArrayView2<'_, f32>> {
        let mut all = Vec::new();
        for x in &self.matrices {
            let mut widths: Vec<usize> = DIRECTIONS.iter().map(|&d| d.min(x.ncols())).collect();
            widths.dedup();
            all.extend(widths.into_iter().map(|d| x.slice(s![.., ..d])));
        }
        all
    }

    fn keep(&mut self, directions: &Directions, rings: usize, spreads: &[f64]) {
        let width = directions.weights.ncols().min(SHOWN);
        let weights = directions.weights.slice(s![.., ..width]).to_owned();
        let edges: Array1<f64> = EDGES[..=rings].iter().map(|&e| e as f64).collect();
        let arrays = [
            ("ridge.spread", Array1::from(spreads.to_vec()).into_dyn()),
            ("ridge.edges", edges.into_dyn()),
            ("ridge.centre", directions.centre.clone().into_dyn()),
            ("ridge.weights", weights.into_dyn()),
        ];
        for (name, array) in arrays {
            self.model.insert(name, array);
        }
    }
}

/// The components of further cells by the projection that a model holds under `prefix`.
///
/// # Errors
/// A damaged model; counts that are not valid.
pub fn components_of_new(
    new: &NewPart,
    model: &Tensors,
    prefix: &str,
    scaling: Scaling,
) -> Result<Array2<f32>> {
    match &new.part.values {
        Values::Columns(x) => Ok(first_columns(x.view(), COMPONENTS)),
        Values::Counts(counts) => {
            let all: Vec<u32> = (0..counts.n_genes() as u32).collect();
            let median = median_totals(counts, &Slices::one(counts.n_cells()), &[all])[0];
            let learnt = new.projection(model, prefix)?;
            let features = learnt.features(counts, &new.present, scaling, (median, true))?;
            Ok(features.to_dense())
        }
    }
}

/// The root of the total variance, or 1 without any.
fn spread(x: ArrayView2<f32>) -> f64 {
    match total_spread(x) {
        spread if spread > 0.0 => spread,
        _ => 1.0,
    }
}

fn divided(x: ArrayView2<f32>, by: f64) -> Array2<f32> {
    x.mapv(|v| (f64::from(v) / by) as f32)
}

/// [`predicted_by`] of the components of several modalities, in the order of the model.
///
/// # Errors
/// Those of [`predicted_by`]; another number of modalities.
pub fn predicted_by_all(
    model: &Tensors,
    parts: &[ArrayView2<f32>],
    tissue: &Tissue,
) -> Result<Array2<f32>> {
    let spreads = model.vector("ridge.spread")?;
    if spreads.len() != parts.len() {
        let message = "The predictive components of the model do not fit its modalities";
        return Err(Error::model(message));
    }
    let first = parts.iter().map(|x| first_columns(*x, COMPONENTS));
    let scaled = first.zip(&spreads).map(|(x, &by)| divided(x.view(), by));
    let scaled: Vec<Array2<f32>> = scaled.collect();
    let views: Vec<_> = scaled.iter().map(|x| x.view()).collect();
    predicted_by(model, side_by_side(&views)?.view(), tissue)
}

/// The columns of further cells with components `x` (in the cells' own order) by what a model keeps.
///
/// # Errors
/// A damaged model; fewer cells in a slice than its rings take.
pub fn predicted_by(model: &Tensors, x: ArrayView2<f32>, tissue: &Tissue) -> Result<Array2<f32>> {
    let edges = model.vector("ridge.edges")?;
    let edges: Vec<usize> = edges.iter().map(|&e| e as usize).collect();
    // Along the curve as in training: of neighbours as far away, the same come first.
    let order = tissue.order()?;
    let rows: Vec<usize> = order.iter().map(|&cell| cell as usize).collect();
    let x = x.select(Axis(0), &rows);
    let around = Around::of(x.view(), &tissue.along_curve()?, &edges)?;
    if around.rings.len() + 1 != edges.len() {
        let most = edges.last().copied().unwrap_or(0);
        let message = format!("the model looks at {most} cells around each: there are fewer");
        return Err(Error::coords(message));
    }
    let weights = model.matrix("ridge.weights")?;
    let predictors = around.means.ncols();
    let directions = Directions {
        predictors: (0..predictors).collect(),
        centre: model.vector("ridge.centre")?,
        weights,
    };
    let found = directions.columns(around.means.view(), x.view())?;
    Ok(off_curve_rows(found.view(), &order))
}

/// Rows along the tissue's curve, as the cells were given.
fn off_curve_rows(x: ArrayView2<f32>, order: &[u32]) -> Array2<f32> {
    let mut out = Array2::zeros(x.dim());
    for (&cell, row) in order.iter().zip(x.rows()) {
        out.row_mut(cell as usize).assign(&row);
    }
    out
}
