//! From what was measured to the modalities of a run (METHODS 4.1).

use super::options::Components;
use super::Options;
use crate::engine::{Part, Tissue, Values};
use crate::graph::Neighbours;
use crate::preprocess::{Modality, ModalityKind};
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
    options: &Options,
    seed: u64,
) -> Result<Vec<Modality>> {
    let near = match around(options) {
        Some(k) => Some(tissue.neighbours(k.min(tissue.most_neighbours()))?),
        None => None,
    };
    let numbers = components(parts, options.n_components);
    let each = parts.iter().zip(numbers).map(|(part, n)| {
        let one = Measured { part, n, seed };
        one.prepare(tissue, options, near.as_deref())
            .map_err(|error| error.in_modality(&part.name))
    });
    each.collect()
}

/// Components lie along the means over so many neighbours; None: they are those of single cells.
pub(super) fn around(options: &Options) -> Option<usize> {
    match options.components {
        Components::Spatial => Some(options.graph.k),
        Components::Cells => None,
    }
}

/// How many components each part gives: as many as are wanted and its features allow; or as the published code has it,
/// where the RNA gives as many as what is beside it.
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
        options: &Options,
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
                let settings = options.features(slices);
                Modality::rna(counts, slices, &settings, self.n, near)
            }
            ModalityKind::Protein => turned(Modality::protein(
                counts,
                slices,
                options.slice_center,
                Some(self.n),
            )?),
            ModalityKind::Atac => turned(Modality::atac(counts, self.n, self.seed)?),
            ModalityKind::Features => Err(Error::Internal("counts as features".into())),
        }
    }
}
