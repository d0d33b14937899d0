//! Centring, genes and scaling of several slices.

use ndarray::{Array2, Axis};
use spax_core::preprocess::*;
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::CountsView;
use spax_core::threads::install;
use spax_core::Error;

use super::{all_genes, dense_of, distance, norm, random_counts, scaled, settings, Slots};

/// Cells of three slices by turns, of unequal size.
fn slices(n: usize) -> Slices {
    let code = |i: usize| [0, 1, 1, 2, 1, 0][i % 6];
    Slices::new((0..n).map(code).collect()).unwrap()
}

fn centred(dense: &Array2<f64>, centre: Centre) -> ScaledGenes {
    let slots = Slots::new(dense);
    let genes = all_genes(dense.ncols());
    let matrix = normalise(&slots.view(), &genes, &genes, 1e4, true).unwrap();
    ScaledGenes::centred(matrix, &slices(dense.nrows()), centre).unwrap()
}

/// By the direct formula: each gene about its mean in each slice, and over what it deviates.
fn direct(dense: &Array2<f64>, centre: Centre) -> Array2<f64> {
    let mut z = dense_of(&centred(dense, Centre::All).matrix);
    let slices = slices(z.nrows());
    for cells in slices.cells() {
        for mut gene in z.columns_mut() {
            let values: Vec<f64> = cells.iter().map(|&c| gene[c as usize]).collect();
            let values = ndarray::Array1::from(values);
            let spread = match centre {
                Centre::MeansAndSpread if values.std(1.0) > 1e-9 => values.std(1.0),
                _ => 1.0,
            };
            let mean = values.mean().unwrap();
            cells
                .iter()
                .for_each(|&c| gene[c as usize] = (gene[c as usize] - mean) / spread);
        }
    }
    for mut gene in z.columns_mut() {
        let sd = gene.std(1.0);
        gene.mapv_inplace(|v| v / if sd > 1e-9 { sd } else { 1.0 });
    }
    z
}

#[test]
fn centring_and_components_are_those_of_the_direct_formula() {
    for centre in [Centre::Means, Centre::MeansAndSpread] {
        for (cells, genes) in [(90, 30), (36, 60)] {
            let mut dense = random_counts(cells, genes, 3);
            // One gene only in the first slice, one everywhere the same.
            slices(cells).cells()[1..]
                .iter()
                .flatten()
                .for_each(|&c| dense[[c as usize, 0]] = 0.0);
            dense.column_mut(1).fill(0.0);
            let (scaled, z) = (centred(&dense, centre), direct(&dense, centre));
            assert!(distance(&scaled.to_dense().mapv(f64::from), &z) < 1e-5);
            let mut rng = Rng::new(4, Purpose::Data, 0);
            let w = Array2::from_shape_fn((genes, 6), |_| rng.normal() as f32);
            let product = scaled.matmul(&w).unwrap().mapv(f64::from);
            assert!(distance(&product, &z.dot(&w.mapv(f64::from))) < 1e-5);
            let pca = scaled.pca(10).unwrap();
            let covariance = z.t().dot(&z) / (cells as f64 - 1.0);
            let image = covariance.dot(&pca.loadings);
            let scores = z.dot(&pca.loadings);
            assert!(distance(&pca.scores.mapv(f64::from), &scores) < 1e-5);
            for (j, value) in pca.explained_variance.iter().enumerate() {
                let residual = &image.column(j) - &(&pca.loadings.column(j) * *value);
                assert!(norm(&residual) < 1e-5 * pca.explained_variance[0]);
            }
        }
    }
}

#[test]
fn all_cells_about_one_mean_is_one_slice() {
    let dense = random_counts(60, 20, 5);
    assert_eq!(centred(&dense, Centre::All), scaled(&dense));
}

/// The genes of `view`, by the standardised variance within it, best first.
fn order(view: &CountsView, genes: &[u32]) -> Vec<u32> {
    let ranking = variable_genes(view, genes);
    let places = ranking.top(genes.len());
    places.into_iter().map(|p| genes[p]).collect()
}

#[test]
fn genes_are_those_of_the_best_median_rank_or_the_published_intersection() {
    let mut dense = random_counts(120, 50, 6);
    let slices = slices(120);
    let cells = slices.cells();
    // One slice never shows genes 0 to 4.
    cells[2]
        .iter()
        .for_each(|&c| (0..5).for_each(|g| dense[[c as usize, g]] = 0.0));
    let slots = Slots::new(&dense);
    let parts: Vec<Slots> = cells
        .iter()
        .map(|cells| {
            let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
            Slots::new(&dense.select(Axis(0), &rows))
        })
        .collect();
    let settings = |gene_choice, n_genes| Settings {
        gene_choice,
        n_genes,
        ..settings()
    };
    let view = slots.view();
    let ranked = settings(GeneChoice::MedianRank, 20);
    let ranked = prepare_slices(&view, &slices, &ranked).unwrap();
    assert_eq!((ranked.n_shared, ranked.n_kept), (45, vec![50, 50, 45]));
    let shared: Vec<u32> = (5..50).collect();
    let kept: [Vec<u32>; 3] = [(0..50).collect(), (0..50).collect(), shared.clone()];
    let orders: Vec<Vec<u32>> = parts
        .iter()
        .zip(&kept)
        .map(|(p, kept)| order(&p.view(), kept))
        .map(|order| order.into_iter().filter(|g| shared.contains(g)).collect())
        .collect();
    let median = |gene: u32| {
        let place = |order: &Vec<u32>| order.iter().position(|&g| g == gene).unwrap();
        let mut places: Vec<usize> = orders.iter().map(place).collect();
        places.sort_unstable();
        places[1]
    };
    let worst = ranked.genes.iter().map(|&g| median(g)).max().unwrap();
    let others = shared.iter().filter(|g| !ranked.genes.contains(g));
    assert_eq!(ranked.genes.len(), 20);
    assert!(others.into_iter().all(|&g| median(g) >= worst));

    let published = settings(GeneChoice::Intersection, 35);
    let published = prepare_slices(&view, &slices, &published).unwrap();
    let first: Vec<Vec<u32>> = parts
        .iter()
        .zip(&kept)
        .map(|(p, kept)| order(&p.view(), kept)[..35].to_vec())
        .collect();
    let in_all = |g: &u32| first.iter().all(|f| f.contains(g));
    let wanted: Vec<u32> = (0..50).filter(in_all).collect();
    assert!(!wanted.is_empty() && wanted.len() < 35);
    assert_eq!(published.genes, wanted);
}

#[test]
fn slices_that_share_no_genes_are_refused() {
    let mut dense = random_counts(120, 40, 6);
    let slices = slices(120);
    for (cell, mut row) in dense.rows_mut().into_iter().enumerate() {
        let absent = if slices.of(cell) == 0 { 0..18 } else { 22..40 };
        absent.for_each(|g| row[g] = 0.0);
    }
    let slots = Slots::new(&dense);
    match prepare_slices(&slots.view(), &slices, &settings()) {
        Err(Error::Counts { message }) => assert!(message.contains("share 4 usable genes")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cell_is_scaled_by_the_genes_of_its_own_slice() {
    let dense = random_counts(12, 8, 2);
    let slots = Slots::new(&dense);
    let slices = slices(12);
    let kept = [vec![0, 1, 2], all_genes(8), vec![2, 5]];
    let matrix = normalise_slices(&slots.view(), &slices, &kept, &[2], &[1e4; 3], false).unwrap();
    for cell in 0..12 {
        let own = kept[slices.of(cell)].iter();
        let total: f64 = own.map(|&g| dense[[cell, g as usize]]).sum();
        let found: f64 = matrix.row(cell).1.iter().map(|&v| f64::from(v)).sum();
        assert!((found - dense[[cell, 2]] * 1e4 / total).abs() < 1e-2);
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let slots = Slots::new(&random_counts(700, 300, 1));
    let slices = slices(700);
    let settings = Settings {
        centre: Centre::MeansAndSpread,
        ..settings()
    };
    let run = |threads| {
        install(threads, || {
            prepare_slices(&slots.view(), &slices, &settings)
        })
        .unwrap()
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
}
