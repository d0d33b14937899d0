//! What the network sees of a modality, and how much each column counts in its reconstruction.

use ndarray::{Array2, ArrayView2};

use super::params::{GeneWeights, Params, Sees};
use super::weights::{by_order, by_rank};
use crate::design::Input;
use crate::preprocess::{self, Columns, Directions, Modality, ModalityKind};
use crate::Result;

/// Of one modality.
pub(super) struct NetworkInput {
    pub input: Input,
    /// Of every column.
    pub weights: Vec<f64>,
    /// What takes the components to the columns, if they are not the same.
    pub turn: Option<Array2<f64>>,
}

impl NetworkInput {
    /// # Errors
    /// Genes whose components are not known.
    pub fn of(modality: &Modality, params: &Params) -> Result<Self> {
        match (&modality.features.input, params.sees) {
            (Columns::Scaled(_), Sees::Components) => genes_by_components(modality, params.weights),
            _ => Ok(Self {
                input: Input::from(&modality.features),
                weights: gene_weights(modality, params.weights),
                turn: None,
            }),
        }
    }

    /// The directions of the columns that lead to the first components.
    ///
    /// # Errors
    /// Genes whose components are not known; a decomposition that does not converge.
    pub fn directions(&self, modality: &Modality, params: &Params) -> Result<Directions> {
        let most = params.latent;
        match (&modality.features.input, params.sees) {
            (Columns::Scaled(_), Sees::Components) => {
                let same = || Array2::eye(modality.components.ncols());
                let turn = self.turn.clone().unwrap_or_else(same);
                Ok(modality.along(turn.t(), most))
            }
            _ => modality.directions(most),
        }
    }
}

/// Genes as their components C tell them, C V'. Their weighted squared error, the mean over the genes, is one of
/// components: with V' Omega V = R L R', R orthonormal, mean omega (C V' - P D)^2 for decoders D = D' (V R)' is mean L
/// (C R - P D')^2 up to the number of columns. So the columns are C R, and weigh L.
///
/// Omega is taken relative to its mean: the weights say which genes count, not how much the RNA counts beside the other
/// losses.
fn genes_by_components(modality: &Modality, weights: GeneWeights) -> Result<NetworkInput> {
    let rotation = modality.rotation()?;
    let (genes, columns) = rotation.dim();
    let share = columns as f64 / genes as f64;
    if weights == GeneWeights::None {
        return Ok(NetworkInput {
            input: Input::dense(modality.components.clone()),
            weights: vec![share; columns],
            turn: None,
        });
    }
    let omega = gene_weights(modality, weights);
    let mean = omega.iter().sum::<f64>() / genes as f64;
    let (values, turn) = principal(rotation, &omega)?;
    Ok(NetworkInput {
        input: Input::dense(modality.components_by(&turn)),
        weights: values.into_iter().map(|v| share * v / mean).collect(),
        turn: Some(turn),
    })
}

/// Eigenvalues and vectors of V' Omega V.
fn principal(v: ArrayView2<f64>, omega: &[f64]) -> Result<(Vec<f64>, Array2<f64>)> {
    let mut weighted = v.to_owned();
    for (mut row, &omega) in weighted.rows_mut().into_iter().zip(omega) {
        row *= omega;
    }
    preprocess::symmetric_eigen(v.t().dot(&weighted))
}

/// omega: of the genes of the RNA by their expression, 1 for everything else.
fn gene_weights(modality: &Modality, kind: GeneWeights) -> Vec<f64> {
    let genes = match &modality.features.input {
        Columns::Scaled(genes) if modality.kind == ModalityKind::Rna => genes,
        _ => return vec![1.0; modality.features.dim().1],
    };
    match kind {
        GeneWeights::Rank => by_rank(&modality.mean_expression),
        GeneWeights::Published => by_order(&genes.mean_scores()),
        GeneWeights::None => vec![1.0; genes.n_genes()],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::preprocess::Settings;
    use crate::rng::{Purpose, Rng};
    use crate::slices::Slices;
    use crate::sparse::CountsView;

    /// RNA of 60 cells and 30 genes, with 4 components.
    fn rna() -> Modality {
        let (n, genes) = (60, 30);
        let mut rng = Rng::new(2, Purpose::Data, 0);
        let counts: Vec<f64> = (0..n * genes)
            .map(|e| (rng.uniform() * (2.0 + (e % 7) as f64 * ((e / genes) % 2) as f64)).floor())
            .collect();
        let indptr: Vec<i32> = (0..=n).map(|c| (c * genes) as i32).collect();
        let rows: Vec<i32> = (0..n * genes).map(|e| (e % genes) as i32).collect();
        let view = CountsView::new(&indptr, &rows, &counts, genes).unwrap();
        let settings = Settings {
            min_cells: 1,
            log1p: true,
            ..Settings::default()
        };
        Modality::rna(&view, &Slices::one(n), &settings, 4, None).unwrap()
    }

    fn normal(seed: u32, shape: (usize, usize)) -> Array2<f64> {
        let mut rng = Rng::new(3, Purpose::Data, seed);
        Array2::from_shape_fn(shape, |_| rng.normal())
    }

    /// The columns times the identity.
    fn dense(input: &Input) -> Array2<f64> {
        let p = input.n_columns();
        let eye: Vec<f32> = Array2::<f32>::eye(p).into_iter().collect();
        let values = input.times_transposed(&eye, p).into_iter().map(f64::from);
        Array2::from_shape_vec((input.n_rows(), p), values.collect()).unwrap()
    }

    #[test]
    fn weighted_genes_by_their_components_are_weighted_columns() {
        let rna = rna();
        let v = rna.rotation().unwrap();
        for weights in [GeneWeights::Rank, GeneWeights::Published, GeneWeights::None] {
            let params = Params {
                weights,
                ..Params::default()
            };
            let network = NetworkInput::of(&rna, &params).unwrap();
            let columns = dense(&network.input);
            let (p, decoder) = (normal(1, (60, 3)), normal(2, (3, 4)));
            let gap = &columns - &p.dot(&decoder);
            let mut collapsed = 0.0;
            for (column, weight) in gap.columns().into_iter().zip(&network.weights) {
                collapsed += weight * column.dot(&column);
            }
            collapsed /= (60 * 4) as f64;
            let turn = network.turn.clone().unwrap_or_else(|| Array2::eye(4));
            let genes = rna.components.mapv(f64::from).dot(&v.t());
            let gap = genes - p.dot(&decoder).dot(&v.dot(&turn).t());
            let omega = gene_weights(&rna, weights);
            let direct = gap.columns().into_iter().zip(&omega);
            let direct: f64 = direct.map(|(g, w)| w * g.dot(&g)).sum();
            let direct = direct / (60.0 * omega.iter().sum::<f64>());
            assert!(
                (collapsed / direct - 1.0).abs() < 1e-5,
                "{weights:?}: {collapsed} for {direct}"
            );
        }
    }

    #[test]
    fn directions_lead_to_the_components() {
        let rna = rna();
        for (sees, weights) in [
            (Sees::Components, GeneWeights::Rank),
            (Sees::Components, GeneWeights::None),
            (Sees::Genes, GeneWeights::Rank),
        ] {
            let params = Params {
                sees,
                weights,
                latent: 3,
                ..Params::default()
            };
            let network = NetworkInput::of(&rna, &params).unwrap();
            let found = network.directions(&rna, &params).unwrap();
            let along = dense(&network.input).dot(&found.loadings);
            assert_eq!(along.dim(), (60, 3));
            for (a, c) in along.columns().into_iter().zip(rna.components.columns()) {
                let gap = (&a - &c.mapv(f64::from)).mapv(f64::abs);
                assert!(gap.iter().all(|gap| *gap < 1e-4), "{sees:?}: {gap}");
            }
        }
    }
}
