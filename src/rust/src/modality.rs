//! Modalities of multi-omics, prepared for SpaLORA.

use extendr_api::prelude::*;
use ndarray::Array2;
use spax_core::graph::{correlation_knn, Neighbours};
use spax_core::preprocess::{Modality, ModalityKind, Settings};
use spax_core::slices::Slices;
use spax_core::Result;

use crate::convert::{
    count, expected, finite_f32, flags, from_zero_based, pointer, seed, slices, string, to_matrix,
    Options,
};
use crate::counts::{centre_named, view};
use crate::error::guard;
use crate::graph::SpatialGraph;
use crate::model::{projection, projection_to_r, scaling_named};
use crate::wait;

fn with_threads(threads: &Robj, work: impl FnOnce() -> Result<Modality> + Send) -> Result<Robj> {
    let modality = wait::on(threads, work)?;
    Ok(ExternalPtr::new(modality).into())
}

/// The neighbours whose means components are made from; none for NULL.
fn neighbours(near: &Robj) -> Result<Option<&Neighbours>> {
    match near.is_null() {
        true => Ok(None),
        false => Ok(Some(pointer(near, "near")?)),
    }
}

fn turned(modality: Modality, near: Option<&Neighbours>) -> Result<Modality> {
    match near {
        Some(near) => modality.turned_to(near),
        None => Ok(modality),
    }
}

fn settings(list: &Robj) -> Result<Settings> {
    let options = Options::new(list)?;
    Ok(Settings {
        min_cells: options.count("min_cells")?,
        min_counts: options.number("min_counts")?,
        n_genes: options.count("n_genes")?,
        target_sum: options.number("target_sum")?,
        log1p: options.flag("log1p")?,
        centre: centre_named(options.string("slice_center")?)?,
        ..Settings::default()
    })
}

/// @noRd
#[extendr]
#[allow(clippy::too_many_arguments)]
fn core_modality_rna(
    p: Robj,
    i: Robj,
    x: Robj,
    n_genes: Robj,
    settings: Robj,
    slices: Robj,
    near: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let counts = view(&p, &i, &x, &n_genes)?;
        let n_components = Options::new(&settings)?.count("n_components")?;
        let settings = self::settings(&settings)?;
        let slices = self::slices(&slices, counts.n_cells())?;
        let near = neighbours(&near)?;
        with_threads(&threads, || {
            Modality::rna(&counts, &slices, &settings, n_components, near)
        })
    })
}

/// @noRd
#[extendr]
#[allow(clippy::too_many_arguments)]
fn core_modality_protein(
    p: Robj,
    i: Robj,
    x: Robj,
    n_proteins: Robj,
    settings: Robj,
    slices: Robj,
    near: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let counts = view(&p, &i, &x, &n_proteins)?;
        let options = Options::new(&settings)?;
        let slices = self::slices(&slices, counts.n_cells())?;
        let centre = centre_named(options.string("slice_center")?)?;
        let n = Some(options.count("n_components")?);
        let near = neighbours(&near)?;
        with_threads(&threads, || {
            turned(Modality::protein(&counts, &slices, centre, n)?, near)
        })
    })
}

/// @noRd
#[extendr]
#[allow(clippy::too_many_arguments)]
fn core_modality_atac(
    p: Robj,
    i: Robj,
    x: Robj,
    n_peaks: Robj,
    n_components: Robj,
    seed: Robj,
    near: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let counts = view(&p, &i, &x, &n_peaks)?;
        let (n, seed) = (count(&n_components, "n_components")?, self::seed(&seed)?);
        let near = neighbours(&near)?;
        with_threads(&threads, || turned(Modality::atac(&counts, n, seed)?, near))
    })
}

/// @noRd
#[extendr]
fn core_modality_features(x: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "reduction")?;
        with_threads(&threads, || Modality::from_matrix(x))
    })
}

const KINDS: [(&str, ModalityKind); 4] = [
    ("rna", ModalityKind::Rna),
    ("protein", ModalityKind::Protein),
    ("atac", ModalityKind::Atac),
    ("features", ModalityKind::Features),
];

fn kind_named(name: &str) -> Result<ModalityKind> {
    let found = KINDS.iter().find(|(known, _)| *known == name);
    let kind = found.map(|(_, kind)| *kind);
    kind.ok_or_else(|| expected("kind", "the kind of a modality"))
}

fn name_of(kind: ModalityKind) -> &'static str {
    let found = KINDS.iter().find(|(_, known)| *known == kind);
    found.map_or("features", |(name, _)| name)
}

/// What was learnt on the cells of a modality, or NULL.
///
/// @noRd
#[extendr]
fn core_modality_projection(modality: Robj) -> Robj {
    guard(|| {
        let modality: &Modality = pointer(&modality, "modality")?;
        Ok(projection_to_r(modality.projection.as_ref()))
    })
}

/// Further cells of a modality; the rows of the counts are the features kept.
///
/// @noRd
#[extendr]
#[allow(clippy::too_many_arguments)]
fn core_modality_project(
    kind: Robj,
    p: Robj,
    i: Robj,
    x: Robj,
    projection: Robj,
    present: Robj,
    settings: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let present = flags(&present, "present")?;
        let counts = view(&p, &i, &x, &Robj::from(present.len() as i32))?;
        let projection = self::projection(&projection, present.len())?;
        let settings = Options::new(&settings)?;
        let scaling = scaling_named(settings.string("centre")?)?;
        let target_sum = settings.number("target_sum")?;
        let kind = kind_named(string(&kind, "kind")?)?;
        with_threads(&threads, || {
            Modality::projected(kind, &projection, &counts, &present, scaling, target_sum)
        })
    })
}

/// @noRd
#[extendr]
fn core_modality_info(modality: Robj) -> Robj {
    guard(|| {
        let modality: &Modality = pointer(&modality, "modality")?;
        let (n_cells, n_columns) = modality.features.dim();
        Ok(list!(
            kind = name_of(modality.kind),
            n_cells = n_cells as i32,
            n_columns = n_columns as i32,
            features = from_zero_based(&modality.features.genes),
            n_components = modality.components.ncols() as i32,
            explained_variance = modality.features.explained_variance.as_slice()
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_modality_components(modality: Robj) -> Robj {
    guard(|| {
        let modality: &Modality = pointer(&modality, "modality")?;
        Ok(to_matrix(modality.components.view()))
    })
}

/// The graph of similar cells, of a modality or of a matrix (cells x features).
///
/// @noRd
#[extendr]
fn core_feature_graph(x: Robj, k: Robj, seed: Robj, threads: Robj) -> Robj {
    guard(|| {
        let owned: Array2<f32>;
        let components = match x.is_external_pointer() {
            true => pointer::<Modality>(&x, "modality")?.components.view(),
            false => {
                owned = finite_f32(&x, "object")?;
                owned.view()
            }
        };
        let (k, seed) = (count(&k, "k")?, self::seed(&seed)?);
        let graph = wait::on(&threads, || correlation_knn(components, k, seed))?;
        let n = graph.n_nodes();
        let found = SpatialGraph {
            graph,
            order: (0..n as u32).collect(),
            slices: Slices::one(n),
        };
        Ok(ExternalPtr::new(found).into())
    })
}

extendr_module! {
    mod modality;
    fn core_modality_rna;
    fn core_modality_protein;
    fn core_modality_atac;
    fn core_modality_features;
    fn core_modality_projection;
    fn core_modality_project;
    fn core_modality_info;
    fn core_modality_components;
    fn core_feature_graph;
}
