//! How much each gene counts: rarely expressed ones more (METHODS 4.3, 6 f).

/// Weights of the rarest genes, but for what the sigmoid leaves.
const MOST: f64 = 6.0;
/// The rank, as a part of all genes, at which half of the extra weight is gone.
const MIDDLE: f64 = 0.25;
const STEEPNESS: f64 = 10.0;

/// omega_g = 1 + 5 sigmoid(-10 (rank_g / G - 0.25)), with rank 0 for the lowest mean; ties in the order of the genes.
pub fn by_rank(mean: &[f64]) -> Vec<f64> {
    let mut rank = vec![0; mean.len()];
    for (place, gene) in rising(mean).into_iter().enumerate() {
        rank[gene] = place;
    }
    weigh(&rank)
}

/// The published form: the g-th entry of the order of genes is taken for the rank of gene g.
pub fn by_order(mean: &[f64]) -> Vec<f64> {
    weigh(&rising(mean))
}

fn rising(mean: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..mean.len()).collect();
    order.sort_by(|&a, &b| mean[a].total_cmp(&mean[b]));
    order
}

fn weigh(rank: &[usize]) -> Vec<f64> {
    let genes = rank.len() as f64;
    let weight = |&r: &usize| {
        let above = STEEPNESS * (r as f64 / genes - MIDDLE);
        1.0 + (MOST - 1.0) / (1.0 + above.exp())
    };
    rank.iter().map(weight).collect()
}
