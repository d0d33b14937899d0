//! From what was measured to the modalities of a run (METHODS 4.1).

use super::system::Preparation;
use crate::engine::{Part, Tissue, Values};
use crate::graph::Neighbours;
use crate::preprocess::{self, Modality, ModalityKind};
use crate::{Error, Result};

/// Components of one modality where nothing says how many.
const COMPONENTS: usize = 50;

/// The modality of every part.
///
/// # Errors
/// [`Error::Modality`] with the name of the part that cannot be used.
pub(super) fn modalities(
    parts: &[Part],
    tissue: &Tissue,
    how: &Preparation,
    seed: u64,
) -> Result<Vec<Modality>> {
    let near = match how.around {
        Some(k) => Some(tissue.neighbours(k.min(tissue.most_neighbours()))?),
        None => None,
    };
    let numbers = components(parts, how.n_components);
    let each = parts.iter().zip(numbers).map(|(part, n)| {
        let one = Measured { part, n, seed };
        one.prepare(tissue, how, near.as_deref())
            .map_err(|error| error.in_modality(&part.name))
    });
    each.collect()
}

/// How many components each part gives: as many as are wanted and its features allow; or as the published code has it, where
/// the RNA gives as many as what is beside it.
fn components(parts: &[Part], wanted: Option<usize>) -> Vec<usize> {
    let most = |part: &Part| n_features(part).saturating_sub(1).max(1);
    let own = |part: &Part| match part.kind {
        ModalityKind::Atac => COMPONENTS.min(most(part)),
        ModalityKind::Rna => COMPONENTS,
        _ => most(part),
    };
    let beside = parts.iter().find(|p| p.kind != ModalityKind::Rna);
    let beside = beside.map_or(COMPONENTS, own);
    let number = |part: &Part| match (wanted, part.kind) {
        (Some(wanted), _) => wanted.min(most(part)),
        (None, ModalityKind::Rna) => beside.min(most(part)),
        (None, _) => own(part).min(most(part)),
    };
    parts.iter().map(number).collect()
}

fn n_features(part: &Part) -> usize {
    match &part.values {
        Values::Counts(counts) => counts.n_genes(),
        Values::Columns(x) => x.ncols(),
    }
}

/// One part on its way.
struct Measured<'a> {
    part: &'a Part<'a>,
    /// Components wanted.
    n: usize,
    seed: u64,
}

impl Measured<'_> {
    fn prepare(
        &self,
        tissue: &Tissue,
        how: &Preparation,
        near: Option<&Neighbours>,
    ) -> Result<Modality> {
        let counts = match &self.part.values {
            Values::Counts(counts) => counts,
            Values::Columns(x) => return Modality::from_matrix(x.clone()),
        };
        let slices = tissue.slices();
        let turned = |found: Modality| match near {
            Some(near) => found.turned_to(near),
            None => Ok(found),
        };
        match self.part.kind {
            ModalityKind::Rna => {
                let settings = preprocess::Settings {
                    min_cells: fewest_cells(how, tissue),
                    log1p: true,
                    ..how.features.clone()
                };
                Modality::rna(counts, slices, &settings, self.n, near)
            }
            ModalityKind::Protein => turned(Modality::protein(
                counts,
                slices,
                how.features.centre,
                Some(self.n),
            )?),
            ModalityKind::Atac => turned(Modality::atac(counts, self.n, self.seed)?),
            ModalityKind::Features => Err(Error::Internal("counts as features".into())),
        }
    }
}

/// In how many cells of a slice a gene must be seen.
fn fewest_cells(how: &Preparation, tissue: &Tissue) -> usize {
    let slices = tissue.slices().n_slices() as f64;
    let share = (how.min_share * tissue.n_cells() as f64 / slices).ceil() as usize;
    how.features.min_cells.max(share)
}
