//! Which genes are used: those that vary most, over the slices together (METHODS 1.1).

use super::features::Settings;
use super::{kept_genes, min_cells_for, variable_genes};
use crate::slices::Slices;
use crate::sparse::CountsView;
use crate::{progress, Error, Result};

/// Fewer genes than this cannot join slices.
pub const FEWEST_SHARED: usize = 10;

/// How the genes of several slices are chosen among those that pass the filter in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneChoice {
    /// Those with the best median, over the slices, of their rank by standardised variance.
    MedianRank,
    /// Those among the first of every slice: as published. How many that leaves depends on the data.
    Intersection,
}

/// Genes are rising indices into the rows of the counts.
pub(super) struct Choice {
    /// Genes that pass the filter, a list a slice.
    pub kept: Vec<Vec<u32>>,
    /// How many pass it in all slices.
    pub n_shared: usize,
    /// Genes to use.
    pub genes: Vec<u32>,
}

pub(super) fn choose(counts: &CountsView, slices: &Slices, settings: &Settings) -> Result<Choice> {
    let cells = slices.cells();
    let views: Vec<CountsView> = match cells.len() {
        1 => vec![*counts],
        _ => cells.iter().map(|c| counts.of(c)).collect::<Result<_>>()?,
    };
    let kept: Vec<Vec<u32>> = views
        .iter()
        .map(|view| filtered(view, settings, cells.len() > 1))
        .collect::<Result<_>>()?;
    let shared = in_all(&kept, counts.n_genes());
    let n_shared = check_shared(shared.iter().filter(|&&s| s).count(), &kept)?;
    let candidates = (0..shared.len()).filter(|&gene| shared[gene]);
    if settings.gene_choice == GeneChoice::MedianRank && n_shared <= settings.n_genes {
        let genes = candidates.map(|gene| gene as u32).collect();
        return Ok(Choice {
            kept,
            n_shared,
            genes,
        });
    }
    let ranks: Vec<Vec<usize>> = views
        .iter()
        .zip(&kept)
        .map(|(view, kept)| ranks(view, kept, settings.gene_choice, &shared))
        .collect::<Result<_>>()?;
    let genes = match settings.gene_choice {
        GeneChoice::MedianRank => best(candidates, &ranks, settings.n_genes),
        GeneChoice::Intersection => {
            let first = |g: &usize| ranks.iter().all(|rank| rank[*g] < settings.n_genes);
            candidates.filter(first).map(|g| g as u32).collect()
        }
    };
    check_shared(genes.len(), &kept)?;
    Ok(Choice {
        kept,
        n_shared,
        genes,
    })
}

/// Genes that pass the filter in one slice. Of several slices, a gene that one never shows is in no
/// case shared.
fn filtered(counts: &CountsView, settings: &Settings, several: bool) -> Result<Vec<u32>> {
    let asked = settings.min_cells.max(usize::from(several));
    let min_cells = min_cells_for(counts.n_cells(), asked);
    let kept = kept_genes(counts, min_cells, settings.min_counts);
    progress::check()?;
    if !kept.is_empty() {
        return Ok(kept);
    }
    let place = if several { " of a slice" } else { "" };
    Err(Error::argument(
        "min_cells",
        format!(
            "none of {} genes is seen in {min_cells} cells{place} or more with {} counts or more: lower \
             `min_cells` or `min_counts`, or give raw counts",
            counts.n_genes(),
            settings.min_counts
        ),
    ))
}

fn in_all(kept: &[Vec<u32>], n_genes: usize) -> Vec<bool> {
    let mut times = vec![0usize; n_genes];
    kept.iter()
        .flatten()
        .for_each(|&gene| times[gene as usize] += 1);
    times.into_iter().map(|t| t == kept.len()).collect()
}

fn check_shared(n: usize, kept: &[Vec<u32>]) -> Result<usize> {
    if kept.len() == 1 || n >= FEWEST_SHARED {
        return Ok(n);
    }
    let sizes: Vec<String> = kept.iter().map(|k| k.len().to_string()).collect();
    Err(Error::counts(format!(
        "the {} slices share {n} usable genes, and at least {FEWEST_SHARED} are needed ({} genes pass the filter, slice by \
         slice): check that all name their genes alike (symbols or Ensembl), or lower `min_cells`, or raise `n_genes`",
        kept.len(),
        sizes.join(", ")
    )))
}

/// The rank of every gene of one slice, from 0 for the one that varies most: among the shared ones,
/// or for the published choice among all of the slice.
fn ranks(
    counts: &CountsView,
    kept: &[u32],
    rule: GeneChoice,
    shared: &[bool],
) -> Result<Vec<usize>> {
    let order = variable_genes(counts, kept).top(kept.len());
    progress::check()?;
    let genes = order.into_iter().map(|place| kept[place] as usize);
    let ranked = genes.filter(|&g| rule == GeneChoice::Intersection || shared[g]);
    let mut ranks = vec![usize::MAX; shared.len()];
    ranked
        .enumerate()
        .for_each(|(rank, gene)| ranks[gene] = rank);
    Ok(ranks)
}

/// The `n` genes of the best median rank, rising; ties by the sum of the ranks, then in the order of
/// the genes.
fn best(candidates: impl Iterator<Item = usize>, ranks: &[Vec<usize>], n: usize) -> Vec<u32> {
    let mut scored: Vec<(usize, usize, u32)> = candidates
        .map(|gene| {
            let mut own: Vec<usize> = ranks.iter().map(|rank| rank[gene]).collect();
            own.sort_unstable();
            // Twice the median.
            let middle = own[(own.len() - 1) / 2] + own[own.len() / 2];
            (middle, own.iter().sum(), gene as u32)
        })
        .collect();
    scored.sort_unstable();
    scored.truncate(n);
    let mut genes: Vec<u32> = scored.into_iter().map(|s| s.2).collect();
    genes.sort_unstable();
    genes
}
