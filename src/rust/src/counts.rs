//! Counts and features.

use extendr_api::prelude::*;
use spax_core::preprocess::{
    check_counts, prepare_slices, Centre, FeatureKind, Features, GeneChoice, Settings,
};
use spax_core::sparse::CountsView;
use spax_core::{Error, Result};

use crate::convert::{
    count, doubles, finite_f32, from_zero_based, integers, pointer, slices, to_matrix, Options,
};
use crate::error::guard;
use crate::wait;

/// The slots of a dgCMatrix, as they lie in R's memory.
pub fn view<'a>(p: &'a Robj, i: &'a Robj, x: &'a Robj, n_genes: &Robj) -> Result<CountsView<'a>> {
    CountsView::new(
        integers(p, "p")?,
        integers(i, "i")?,
        doubles(x, "x")?,
        count(n_genes, "n_genes")?,
    )
}

/// @noRd
#[extendr]
fn core_check_counts(p: Robj, i: Robj, x: Robj, n_genes: Robj) -> Robj {
    guard(|| {
        let counts = view(&p, &i, &x, &n_genes)?;
        let summary = wait::alone(|| check_counts(&counts))?;
        let empty: Vec<i32> = summary.empty_cells.iter().map(|&c| c as i32 + 1).collect();
        Ok(list!(
            whole = summary.whole,
            empty_cells = empty,
            empty_genes = summary.empty_genes as i32
        )
        .into())
    })
}

fn settings(list: &Robj) -> Result<Settings> {
    let options = Options::new(list)?;
    Ok(Settings {
        min_cells: options.count("min_cells")?,
        min_counts: options.number("min_counts")?,
        n_genes: options.count("n_genes")?,
        target_sum: options.number("target_sum")?,
        log1p: options.flag("log1p")?,
        n_components: options.count("n_components")?,
        scaled_genes: options.flag("scaled_genes")?,
        gene_choice: match options.flag("intersection")? {
            true => GeneChoice::Intersection,
            false => GeneChoice::MedianRank,
        },
        centre: centre_named(options.string("slice_center")?)?,
    })
}

pub fn centre_named(name: &str) -> Result<Centre> {
    match name {
        "none" => Ok(Centre::All),
        "mean" => Ok(Centre::Means),
        "scale" => Ok(Centre::MeansAndSpread),
        _ => Err(Error::argument(
            "slice_center",
            "`slice_center` must be \"none\", \"mean\" or \"scale\"",
        )),
    }
}

/// @noRd
#[extendr]
fn core_prepare(
    p: Robj,
    i: Robj,
    x: Robj,
    n_genes: Robj,
    settings: Robj,
    slices: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let counts = view(&p, &i, &x, &n_genes)?;
        let settings = self::settings(&settings)?;
        let slices = self::slices(&slices, counts.n_cells())?;
        let features = wait::on(&threads, || prepare_slices(&counts, &slices, &settings))?;
        Ok(ExternalPtr::new(features).into())
    })
}

/// @noRd
#[extendr]
fn core_prepare_matrix(x: Robj, threads: Robj) -> Robj {
    guard(|| {
        count(&threads, "threads")?;
        let features = Features::from_matrix(finite_f32(&x, "reduction")?);
        Ok(ExternalPtr::new(features).into())
    })
}

/// @noRd
#[extendr]
fn core_features_info(features: Robj) -> Robj {
    guard(|| {
        let features: &Features = pointer(&features, "features")?;
        let (n_cells, n_columns) = features.dim();
        let kind = match features.kind {
            FeatureKind::Pca => "pca",
            FeatureKind::ScaledGenes => "scaled_genes",
            FeatureKind::Matrix => "matrix",
        };
        Ok(list!(
            n_cells = n_cells as i32,
            n_columns = n_columns as i32,
            genes = from_zero_based(&features.genes),
            n_shared = features.n_shared as i32,
            n_kept = features.n_kept.iter().map(|&n| n as i32).collect_robj(),
            kind = kind,
            explained_variance = features.explained_variance.as_slice()
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_features_matrix(features: Robj) -> Robj {
    guard(|| {
        let features: &Features = pointer(&features, "features")?;
        Ok(to_matrix(features.to_dense().view()))
    })
}

extendr_module! {
    mod counts;
    fn core_check_counts;
    fn core_prepare;
    fn core_prepare_matrix;
    fn core_features_info;
    fn core_features_matrix;
}
