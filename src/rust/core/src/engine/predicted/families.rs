//! Which components are predicted from which rings.

use std::ops::Range;

use ndarray::{s, Array2, ArrayView2, Axis};

use super::{COMPONENTS, RINGS};

/// Some components of each modality, and the means of the same over some rings.
pub(super) struct Family {
    /// Columns of the ring means: ring after ring, within each modality after modality.
    pub predictors: Vec<usize>,
    /// The components of each modality.
    pub targets: Vec<Range<usize>>,
}

/// All families. `modalities`: the columns of each; `rings`: how many there are within the slices, and behind them from
/// slices above and below. The first family is what users see.
pub(super) fn families(modalities: &[Range<usize>], rings: (usize, usize)) -> Vec<Family> {
    let width = modalities.last().map_or(0, |last| last.end);
    let (within, all) = (rings.0, rings.0 + rings.1);
    let mut lists: Vec<Vec<usize>> = RINGS
        .iter()
        .map(|&n| (0..n.min(within)).collect())
        .collect();
    lists.dedup();
    if all > within {
        lists.push(lists[0].iter().copied().chain(within..all).collect());
    }
    let mut parts: Vec<Vec<Range<usize>>> = Vec::new();
    for part in COMPONENTS.map(|most| first(modalities, most)) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let pairs = parts
        .iter()
        .flat_map(|targets| lists.iter().map(move |rings| (targets, rings)));
    let family = |(targets, rings): (&Vec<Range<usize>>, &Vec<usize>)| Family {
        predictors: rings
            .iter()
            .flat_map(|ring| {
                targets
                    .iter()
                    .cloned()
                    .flatten()
                    .map(move |t| ring * width + t)
            })
            .collect(),
        targets: targets.clone(),
    };
    pairs.map(family).collect()
}

/// The first `most` columns of each modality.
pub(super) fn first(modalities: &[Range<usize>], most: usize) -> Vec<Range<usize>> {
    let cut = |m: &Range<usize>| m.start..m.end.min(m.start + most);
    modalities.iter().map(cut).collect()
}

/// Those columns side by side.
pub(super) fn columns_of(x: ArrayView2<f32>, parts: &[Range<usize>]) -> Array2<f32> {
    match parts {
        [part] => x.slice(s![.., part.clone()]).to_owned(),
        _ => {
            let columns: Vec<usize> = parts.iter().cloned().flatten().collect();
            x.select(Axis(1), &columns)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of the only modality.
    fn alone(columns: usize, rings: (usize, usize)) -> Vec<Family> {
        families(std::slice::from_ref(&(0..columns)), rings)
    }

    #[test]
    fn a_family_takes_the_first_components_of_each_modality_from_each_ring() {
        let found = families(&[0..40, 40..65], (5, 0));
        assert_eq!(found.len(), 4);
        let shown = &found[0];
        assert_eq!(shown.targets, [0..30, 40..65]);
        let ring = |r: usize| (0..30).chain(40..65).map(move |c| r * 65 + c);
        let rings: Vec<usize> = (0..3).flat_map(ring).collect();
        assert_eq!(shown.predictors, rings);
        assert_eq!(found[1].predictors.len(), 5 * 55);
        let one = alone(40, (5, 0));
        assert_eq!(one.len(), 4);
        assert_eq!(one[0].targets.first(), Some(&(0..30)));
        assert_eq!(one[3].predictors, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn few_columns_and_few_rings_make_fewer_families() {
        let counts = |columns: usize, rings| alone(columns, rings).len();
        assert_eq!(
            [counts(12, (5, 0)), counts(12, (2, 0)), counts(33, (5, 0))],
            [2, 1, 4]
        );
        // As modalities are joined: no one number takes more of them than another.
        assert_eq!(families(&[0..30, 30..55], (5, 0)).len(), 2);
        let stacked = alone(2, (3, 2));
        assert_eq!(stacked.len(), 2);
        assert_eq!(stacked[1].predictors, (0..10).collect::<Vec<_>>());
    }
}
