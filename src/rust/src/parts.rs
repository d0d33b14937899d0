//! The matrices of a run as R gives them: a list for each, with `name`, `kind`, and counts (the slots `p`, `i`, `x` of
//! a dgCMatrix and its rows `n`) or `columns`; of new cells also `genes` and `present`.

use extendr_api::prelude::*;
use ndarray::Array2;
use spax_core::engine::{NewPart, Part, Values};
use spax_core::preprocess::ModalityKind;
use spax_core::Result;

use crate::convert::{expected, finite_f32, flags, items, labels, list, string};
use crate::counts::view;

/// One matrix, while R's memory is borrowed from it.
pub struct Given {
    name: String,
    kind: ModalityKind,
    slots: [Robj; 4],
    columns: Option<Array2<f32>>,
    genes: Vec<u32>,
    present: Vec<bool>,
}

impl Given {
    /// Those of R's list; none for NULL.
    pub fn read_all(parts: &Robj) -> Result<Vec<Self>> {
        match parts.is_null() {
            true => Ok(Vec::new()),
            false => items(parts, "parts")?.iter().map(Self::read).collect(),
        }
    }

    fn read(part: &Robj) -> Result<Self> {
        let part = list(part, "part")?;
        let get = |name: &str| part.get(name).cloned().unwrap_or_default();
        let some = |x: Robj| (!x.is_null()).then_some(x);
        let kind = get("kind");
        let kind = ModalityKind::named(string(&kind, "kind")?);
        let columns = some(get("columns")).map(|x| finite_f32(&x, "reduction"));
        let genes = some(get("genes")).map(|x| labels(&x, "genes"));
        let present = some(get("present")).map(|x| flags(&x, "present"));
        Ok(Self {
            name: string(&get("name"), "name")?.to_owned(),
            kind: kind.ok_or_else(|| expected("kind", "the kind of a modality"))?,
            slots: ["p", "i", "x", "n"].map(get),
            columns: columns.transpose()?,
            genes: genes.transpose()?.unwrap_or_default(),
            present: present.transpose()?.unwrap_or_default(),
        })
    }

    /// As the core takes it.
    pub fn part(&self) -> Result<Part<'_>> {
        let [p, i, x, n] = &self.slots;
        Ok(Part {
            name: self.name.clone(),
            kind: self.kind,
            values: match &self.columns {
                Some(x) => Values::Columns(x.clone()),
                None => Values::Counts(view(p, i, x, n)?),
            },
        })
    }

    /// As the core takes it, of new cells.
    pub fn new_part(&self) -> Result<NewPart<'_>> {
        Ok(NewPart {
            part: self.part()?,
            genes: self.genes.clone(),
            present: self.present.clone(),
        })
    }
}
