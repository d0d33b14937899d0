//! Predictive components alone: what a cell's neighbours say about it, in closed form, without a network.

mod options;

use candle_core::Device;
use ndarray::Array2;
use serde_json::Value;

pub use options::Options;

use crate::engine::predicted::{components_of_new, predicted_by};
use crate::engine::system::sole;
use crate::engine::tensors::Tensors;
use crate::engine::{
    Asked, Components, Found, Needs, NewPart, Opened, Part, Predictions, Seen, System, Tissue,
    Trainer, Values,
};
use crate::preprocess::Scaling;
use crate::{Error, Result};

/// See [`System`].
struct Predictive {
    options: Options,
    components: Option<Components>,
}

/// Ready for a run.
///
/// # Errors
/// Options that are none, or have no such value.
pub fn open(given: &Value, _: &Asked, _: &Tissue) -> Result<Opened> {
    let options: Options = crate::options::parse(given)?;
    let domains = options.domains();
    let components = None;
    Ok(Opened {
        system: Box::new(Predictive {
            options,
            components,
        }),
        domains,
    })
}

impl System for Predictive {
    fn prepare(&mut self, parts: &[Part], tissue: &Tissue) -> Result<()> {
        self.components = Some(match &sole(parts)?.values {
            Values::Columns(x) => Components::of_columns(x.view(), tissue)?,
            Values::Counts(counts) => {
                Components::of_counts(counts, tissue, &self.options.features())?
            }
        });
        Ok(())
    }

    fn join(&mut self, _: &Tissue) -> Result<()> {
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn smooth(&mut self, _: &Tissue) -> Result<Option<Array2<f32>>> {
        Ok(None)
    }

    fn predictions(&mut self, tissue: &Tissue) -> Result<Option<Predictions>> {
        let early = || Error::Internal("a stage came before the one that it needs".into());
        let components = self.components.as_ref().ok_or_else(early)?;
        components.predict(tissue, 0.0).map(Some)
    }

    fn epochs(&self) -> usize {
        0
    }

    fn trainer(&self, _: &Tissue, _: u64, _: &Device) -> Result<Option<Box<dyn Trainer>>> {
        Ok(None)
    }

    fn tensors(&self) -> Tensors {
        let mut all = Tensors::default();
        if let Some(components) = &self.components {
            components.store(&mut all, "predict");
        }
        all
    }

    fn embed(
        &self,
        model: &Tensors,
        parts: &[NewPart],
        scaling: Scaling,
        tissue: &Tissue,
    ) -> Result<Seen> {
        let x = components_of_new(sole(parts)?, model, "predict", scaling)?;
        let columns = predicted_by(model, x.view(), tissue)?;
        Ok(Seen {
            found: Found::of(columns.clone()),
            smoothed: None,
            predicted: Some(columns),
        })
    }

    fn describe(&self) -> Value {
        self.components
            .as_ref()
            .map_or(Value::Null, Components::describe)
    }
}
