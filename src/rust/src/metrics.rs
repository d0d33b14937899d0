//! Domains in the tissue: how good, in which order, refined.

use extendr_api::prelude::*;
use spax_core::metrics::{
    chaos, lisi, order_domains, pas, refine_labels, silhouette, Agreement, Contingency,
};
use spax_core::Result;

use crate::cluster::INDEX_SEED;
use crate::convert::{count, finite_f32, from_zero_based, labels, matrix, slices};
use crate::error::guard;
use crate::wait;

/// Agreement with the known labels; every score NaN without any.
fn agreement(truth: &[u32], found: &[u32]) -> Result<Agreement> {
    if truth.is_empty() {
        return Ok(Agreement {
            ari: f64::NAN,
            nmi: f64::NAN,
            hom: f64::NAN,
            com: f64::NAN,
        });
    }
    Ok(Contingency::new(truth, found)?.agreement())
}

/// @noRd
#[extendr]
fn core_metrics(truth: Robj, labels: Robj, coords: Robj, k: Robj, threads: Robj) -> Robj {
    guard(|| {
        let truth = self::labels(&truth, "truth")?;
        let found = self::labels(&labels, "labels")?;
        let points = matrix(&coords, "coords")?;
        let k = count(&k, "k")?;
        let (a, asw, chaos, pas) = wait::on(&threads, || {
            Ok((
                agreement(&truth, &found)?,
                silhouette(&found, points)?,
                chaos(&found, points)?,
                pas(&found, points, k)?,
            ))
        })?;
        Ok(list!(
            ARI = a.ari,
            NMI = a.nmi,
            HOM = a.hom,
            COM = a.com,
            ASW = asw,
            CHAOS = chaos,
            PAS = pas,
            ACC = (a.nmi + a.hom + a.com) / 3.0,
            DIS = (chaos + pas) / 2.0
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_refine(labels: Robj, coords: Robj, k: Robj, threads: Robj) -> Robj {
    guard(|| {
        let found = self::labels(&labels, "labels")?;
        let points = matrix(&coords, "coords")?;
        let k = count(&k, "k")?;
        let refined = wait::on(&threads, || refine_labels(&found, points, k))?;
        Ok(from_zero_based(&refined))
    })
}

/// @noRd
#[extendr]
fn core_order_domains(labels: Robj, coords: Robj, slices: Robj) -> Robj {
    guard(|| {
        let found = self::labels(&labels, "labels")?;
        let slices = self::slices(&slices, found.len())?;
        let points = matrix(&coords, "coords")?;
        let numbers = wait::alone(|| order_domains(&found, 0, points, &slices))?;
        let renumbered: Vec<u32> = found.iter().map(|&l| numbers[l as usize]).collect();
        Ok(from_zero_based(&renumbered))
    })
}

/// @noRd
#[extendr]
fn core_agreement(truth: Robj, labels: Robj) -> Robj {
    guard(|| {
        let truth = self::labels(&truth, "truth")?;
        let a = agreement(&truth, &self::labels(&labels, "labels")?)?;
        Ok(list!(ARI = a.ari, NMI = a.nmi, HOM = a.hom, COM = a.com).into())
    })
}

/// @noRd
#[extendr]
fn core_lisi(x: Robj, labels: Robj, perplexity: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "object")?;
        let labels = self::labels(&labels, "labels")?;
        let perplexity = count(&perplexity, "perplexity")?;
        let scores = wait::on(&threads, || lisi(x.view(), &labels, perplexity, INDEX_SEED))?;
        Ok(scores.into())
    })
}

extendr_module! {
    mod metrics;
    fn core_agreement;
    fn core_lisi;
    fn core_metrics;
    fn core_refine;
    fn core_order_domains;
}
