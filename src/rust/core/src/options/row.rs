//! One row of a table of options: which values it takes.

use serde::Serialize;
use serde_json::{json, Value};

use crate::{Error, Result};

/// An option: its name, the values it takes, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The name, as in the struct.
    pub name: &'static str,
    /// The heading that it is listed under.
    pub section: Section,
    /// Which values it takes.
    #[serde(flatten)]
    pub kind: Kind,
    /// Whether it may be left open: `null`, NULL in R.
    pub optional: bool,
    /// What it is for: the text of the help page, in Markdown.
    pub help: &'static str,
}

/// The headings of the help page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Section {
    /// From counts to what the network sees.
    #[serde(rename = "Preparing the data")]
    Data,
    /// Which cells are neighbours.
    #[serde(rename = "Graphs")]
    Graph,
    /// The network, its losses and their optimiser.
    #[serde(rename = "Network and training")]
    Network,
    /// What follows the training.
    #[serde(rename = "Domains")]
    Domains,
}

/// Which values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// One whole number.
    Count(Range),
    /// One number.
    Number(Range),
    /// One number, or one for each modality.
    Numbers(Range),
    /// Yes or no.
    Flag,
    /// One of several words.
    Choice {
        /// The words.
        choices: &'static [&'static str],
    },
}

/// Numbers from `least` to `most`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    /// The smallest that is allowed.
    pub least: f64,
    /// The largest that is allowed.
    pub most: f64,
}

/// A bound that only keeps whole numbers within 32 bits: no message speaks of it.
const MANY: f64 = 1e9;
const LARGE: f64 = 1e12;
const BELOW_ONE: f64 = 1.0 - f64::EPSILON;

impl Range {
    /// Any number above 0.
    pub const POSITIVE: Range = Range::new(f64::EPSILON, LARGE);
    /// 0, or any number above.
    pub const WEIGHT: Range = Range::new(0.0, MANY);
    /// A distance, in whatever unit.
    pub const DISTANCE: Range = Range::new(f64::MIN_POSITIVE, f64::INFINITY);
    /// From 0 to below 1.
    pub const RATE: Range = Range::new(0.0, BELOW_ONE);
    /// Above 0 and below 1.
    pub const INNER_RATE: Range = Range::new(f64::EPSILON, BELOW_ONE);
    /// From 0 to 1.
    pub const SHARE: Range = Range::new(0.0, 1.0);
    /// Of the columns of a layer.
    pub const WIDTH: Range = Range::new(1.0, 4096.0);

    /// From `least` to `most`.
    pub const fn new(least: f64, most: f64) -> Self {
        Self { least, most }
    }

    /// `least` or more.
    pub const fn at_least(least: f64) -> Self {
        Self::new(least, MANY)
    }

    fn holds(self, value: f64) -> bool {
        value.is_finite() && value >= self.least && value <= self.most
    }

    /// The bounds in words.
    fn words(self, whole: bool) -> String {
        let Range { least, most } = self;
        let above = least > 0.0 && !whole;
        match (above, most < 1.0) {
            (true, true) => "above 0 and below 1".into(),
            (true, false) => "above 0".into(),
            (false, true) => format!("of at least {least} and below 1"),
            (false, false) if most < MANY => format!("from {least} to {most}"),
            (false, false) => format!("of at least {least}"),
        }
    }
}

impl Row {
    /// One whole number.
    pub const fn count(name: &'static str, range: Range, help: &'static str) -> Self {
        Self::of(name, Kind::Count(range), help)
    }

    /// One number.
    pub const fn number(name: &'static str, range: Range, help: &'static str) -> Self {
        Self::of(name, Kind::Number(range), help)
    }

    /// One number, or one for each modality.
    pub const fn numbers(name: &'static str, range: Range, help: &'static str) -> Self {
        Self::of(name, Kind::Numbers(range), help)
    }

    /// Yes or no.
    pub const fn flag(name: &'static str, help: &'static str) -> Self {
        Self::of(name, Kind::Flag, help)
    }

    /// One of several words.
    pub const fn choice(
        name: &'static str,
        choices: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::of(name, Kind::Choice { choices }, help)
    }

    const fn of(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            section: Section::Network,
            kind,
            optional: false,
            help,
        }
    }

    /// The row under another heading than that of the network.
    pub const fn under(self, section: Section) -> Self {
        Self { section, ..self }
    }

    /// The row of an option that may be left open.
    pub const fn or_open(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// What the values must be, in words.
    pub fn demand(&self) -> String {
        let or_none = if self.optional { ", or NULL" } else { "" };
        let demand = match self.kind {
            Kind::Count(range) => format!("one whole number {}", range.words(true)),
            Kind::Number(range) | Kind::Numbers(range) => {
                format!("one number {}", range.words(false))
            }
            Kind::Flag => "true or false".into(),
            Kind::Choice { choices } => format!("one of \"{}\"", choices.join("\", \"")),
        };
        demand + or_none
    }

    /// The value in the type that the struct has: R writes whole numbers as doubles, and a vector of one as a number.
    ///
    /// # Errors
    /// [`Error::Option`]: a value of another kind, or out of range.
    pub fn take(&self, value: &Value) -> Result<Value> {
        if self.optional && value.is_null() {
            return Ok(Value::Null);
        }
        let taken = match self.kind {
            Kind::Count(range) => number_in(range, value).and_then(whole),
            Kind::Number(range) => number_in(range, value).map(Value::from),
            Kind::Numbers(range) => numbers_in(range, value),
            Kind::Flag => value.as_bool().map(Value::from),
            Kind::Choice { choices } => one_of(choices, value),
        };
        taken.ok_or_else(|| Error::option(self.name, self.refusal(value)))
    }

    fn refusal(&self, value: &Value) -> String {
        let (name, demand) = (self.name, self.demand());
        let each = match self.kind {
            Kind::Numbers(_) => ", or one for each modality",
            _ => "",
        };
        format!("the option `{name}` must be {demand}{each}, not {value}")
    }
}

fn number_in(range: Range, value: &Value) -> Option<f64> {
    value.as_f64().filter(|&v| range.holds(v))
}

fn whole(value: f64) -> Option<Value> {
    (value.fract() == 0.0).then(|| json!(value as u64))
}

fn numbers_in(range: Range, value: &Value) -> Option<Value> {
    let several = match value {
        Value::Array(values) if !values.is_empty() => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let numbers = several.iter().map(|v| number_in(range, v).map(Value::from));
    numbers.collect::<Option<Vec<_>>>().map(Value::Array)
}

fn one_of(choices: &[&str], value: &Value) -> Option<Value> {
    value
        .as_str()
        .filter(|word| choices.contains(word))
        .map(Value::from)
}
