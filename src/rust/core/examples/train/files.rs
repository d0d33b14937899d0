//! What a run reads from files and writes to them.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use ndarray::Array2;
use spax_core::engine::tensors::Tensors;
use spax_core::engine::{Part, Run, Tissue, Values};
use spax_core::preprocess::ModalityKind;
use spax_core::slices::Slices;
use spax_core::sparse::CountsView;
use spax_core::Result;

use crate::asked::{Modality, Told};
use crate::fault;

/// The arrays of an input file.
pub struct Input {
    arrays: HashMap<String, Tensor>,
    counts: Vec<Option<Counts>>,
}

/// Counts in compressed rows, one row a cell.
struct Counts {
    indptr: Vec<i32>,
    indices: Vec<i32>,
    values: Vec<f64>,
    n_genes: usize,
}

fn wrong(error: impl std::fmt::Display) -> spax_core::Error {
    fault(error.to_string())
}

impl Input {
    /// The file's arrays, and the counts of `modalities` among them.
    pub fn read(path: &Path, modalities: &[Modality]) -> Result<Self> {
        let unreadable = |e| fault(format!("{}: {e}", path.display()));
        let arrays = candle_core::safetensors::load(path, &Device::Cpu).map_err(unreadable)?;
        let mut input = Self {
            arrays,
            counts: Vec::new(),
        };
        for modality in modalities {
            let counts = input.counts_of(modality)?;
            input.counts.push(counts);
        }
        Ok(input)
    }

    fn doubles(&self, name: &str) -> Result<Vec<f64>> {
        let missing = || fault(format!("the input has no `{name}`"));
        let tensor = self.arrays.get(name).ok_or_else(missing)?;
        Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
    }

    fn matrix(&self, name: &str) -> Result<Array2<f64>> {
        let values = self.doubles(name)?;
        Array2::from_shape_vec(self.arrays[name].dims2()?, values).map_err(wrong)
    }

    fn counts_of(&self, modality: &Modality) -> Result<Option<Counts>> {
        let name = |part: &str| modality.array(part);
        if self.arrays.contains_key(&name("features")) {
            return Ok(None);
        }
        let whole = |part: &str| -> Result<Vec<i32>> {
            let values = self.doubles(&name(part))?;
            Ok(values.into_iter().map(|v| v as i32).collect())
        };
        let n_genes = whole("counts.n_genes")?.first().copied().unwrap_or(0);
        Ok(Some(Counts {
            indptr: whole("counts.indptr")?,
            indices: whole("counts.indices")?,
            values: self.doubles(&name("counts.values"))?,
            n_genes: n_genes.max(0) as usize,
        }))
    }

    /// The cells in space: `coords`, and for several slices `slices`, one number a cell from 0.
    pub fn tissue(&self, told: &Told, threads: usize) -> Result<Tissue> {
        let coords = self.matrix("coords")?;
        let slices = match self.arrays.contains_key("slices") {
            true => Slices::new(
                self.doubles("slices")?
                    .into_iter()
                    .map(|s| s as u32)
                    .collect(),
            )?,
            false => Slices::one(coords.nrows()),
        };
        let stacked = told.stacked || slices.n_slices() == 1;
        Tissue::new(coords, slices, stacked, threads)
    }

    /// What the cells were measured by.
    pub fn parts<'a>(&'a self, modalities: &'a [Modality]) -> Result<Vec<Part<'a>>> {
        let each = modalities.iter().zip(&self.counts);
        each.map(|(modality, counts)| {
            let values = match counts {
                Some(c) => Values::Counts(CountsView::new(
                    &c.indptr, &c.indices, &c.values, c.n_genes,
                )?),
                None => {
                    let x = self.matrix(&modality.array("features"))?;
                    Values::Columns(x.mapv(|v| v as f32))
                }
            };
            Ok(Part {
                name: modality.name.clone(),
                kind: match counts {
                    Some(_) => modality.kind,
                    None => ModalityKind::Features,
                },
                values,
            })
        })
        .collect()
    }
}

/// Embedding, whatever else the system gives, losses and domains of a run, as one file.
pub fn write_found(path: &Path, run: &Run) -> Result<()> {
    let tensor = |x: &Array2<f32>| {
        let values: Vec<f32> = x.iter().copied().collect();
        Tensor::from_vec(values, x.dim(), &Device::Cpu)
    };
    let found = run.found()?;
    let mut arrays = HashMap::from([("embedding".to_string(), tensor(&found.embedding)?)]);
    for (name, list) in &found.more {
        for (i, x) in list.iter().enumerate() {
            let name = match list.len() {
                1 => (*name).to_string(),
                _ => format!("{name}.{}", i + 1),
            };
            arrays.insert(name, tensor(x)?);
        }
    }
    let losses: Vec<f64> = run.history().concat();
    if !losses.is_empty() {
        let shape = (run.history().len(), losses.len() / run.history().len());
        arrays.insert(
            "losses".into(),
            Tensor::from_vec(losses, shape, &Device::Cpu)?,
        );
    }
    let domains = Tensor::from_vec(run.domains().to_vec(), run.domains().len(), &Device::Cpu)?;
    arrays.insert("domains".into(), domains);
    Ok(candle_core::safetensors::save(&arrays, path)?)
}

/// Written whole, or not at all: a job can be killed at any moment.
pub fn write_tensors(path: &Path, tensors: &Tensors) -> Result<()> {
    let half = path.with_extension("half");
    std::fs::write(&half, tensors.write(None)?).map_err(wrong)?;
    std::fs::rename(&half, path).map_err(wrong)
}

/// What [`write_tensors`] wrote.
pub fn read_tensors(path: &Path) -> Result<Tensors> {
    let bytes = std::fs::read(path).map_err(|e| fault(format!("{}: {e}", path.display())))?;
    Tensors::read(&bytes)
}
