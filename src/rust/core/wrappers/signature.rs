//! The signature of a kernel: its name and the types of its parameters.

use super::clause::Clauses;
use super::expression::Expression;

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pointer to what is read; the number says how many values one element has (four for float4).
    Input(&'static str, u64),
    /// A pointer to what is written, or changed in place.
    Output(&'static str, u64),
    /// A pointer to checked row numbers or starts: the Rust type that holds them.
    Checked(&'static str),
    Number(Scalar),
    /// A struct by value: the type of the field.
    Struct(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    U32,
    U64,
    F32,
    F64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub struct Kernel {
    pub name: String,
    /// The comment above it, without its statements.
    pub description: Vec<String>,
    pub parameters: Vec<Parameter>,
    pub clauses: Clauses,
}

/// A kernel's comment and signature, as they stand.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The lines of the comment directly above, without slashes.
    pub comment: Vec<String>,
    /// From the name to the closing bracket.
    pub signature: String,
}

/// The kernels of a file, with the number of their first line.
pub fn find(text: &str) -> Vec<(usize, Source)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let starts = |&(_, line): &(usize, &&str)| line.split_whitespace().next() == Some("KERNEL");
    let found = lines.iter().enumerate().filter(starts);
    found.map(|(at, _)| (at + 1, source(&lines, at))).collect()
}

fn source(lines: &[&str], at: usize) -> Source {
    let above = lines[..at].iter().rev();
    let comment = above.map_while(|line| line.strip_prefix("//"));
    let mut comment: Vec<String> = comment
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_string())
        .collect();
    comment.reverse();
    let text = lines[at..].join(" ");
    let end = text.find(')').map_or(text.len(), |end| end + 1);
    let signature = text[..end].trim_start_matches("KERNEL").trim().to_string();
    Source { comment, signature }
}

impl Kernel {
    /// # Errors
    /// A signature or a statement that cannot be understood, or a pointer whose size is not stated.
    pub fn parse(source: &Source) -> Result<Self, String> {
        let (name, rest) = source
            .signature
            .split_once('(')
            .ok_or("no parameters after KERNEL")?;
        let inner = rest.strip_suffix(')').ok_or("the parameters do not end")?;
        let parameters = inner.split(',').map(Parameter::parse);
        let (description, clauses) = Clauses::parse(&source.comment)?;
        let kernel = Self {
            name: name.trim().to_string(),
            description,
            parameters: parameters.collect::<Result<_, _>>()?,
            clauses,
        };
        kernel.fits().map_err(|e| format!("{}: {e}", kernel.name))?;
        Ok(kernel)
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// Whether a pointer may be null.
    pub fn is_optional(&self, name: &str) -> bool {
        let mut sizes = self.clauses.sizes.iter();
        sizes.any(|size| size.name == name && size.optional)
    }

    /// The sizes that are stated for a pointer.
    pub fn sizes_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Expression> {
        let sizes = self.clauses.sizes.iter();
        sizes.filter(move |s| s.name == name).map(|s| &s.values)
    }

    fn fits(&self) -> Result<(), String> {
        for parameter in &self.parameters {
            let name = &parameter.name;
            if parameter.is_pointer() && self.sizes_of(name).next().is_none() {
                return Err(format!("the size of {name} is not stated"));
            }
            if matches!(parameter.kind, Kind::Output(..)) && self.is_optional(name) {
                return Err(format!("{name} is written, so it cannot be missing"));
            }
        }
        for size in &self.clauses.sizes {
            let name = &size.name;
            if !self.parameter(name).is_some_and(Parameter::is_pointer) {
                return Err(format!("a size for {name}, which is no pointer"));
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn is_pointer(&self) -> bool {
        !matches!(self.kind, Kind::Number(_) | Kind::Struct(_))
    }

    /// From `const float *x`, however it is spaced.
    fn parse(text: &str) -> Result<Self, String> {
        let spaced = text.replace('*', " * ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let (kind, name) = match words[..] {
            ["const", of, "*", name] => (Some(input(of)), name),
            [of, "*", name] => (Some(output(of)), name),
            [of, name] => (Some(by_value(of)), name),
            _ => (None, ""),
        };
        match kind.flatten() {
            Some(kind) => Ok(Self {
                name: name.to_string(),
                kind,
            }),
            None => Err(format!("no kernel takes {:?}", text.trim())),
        }
    }
}

fn input(of: &str) -> Option<Kind> {
    Some(match of {
        "float" => Kind::Input("f32", 1),
        "float4" => Kind::Input("f32", 4),
        "double" => Kind::Input("f64", 1),
        "u32" => Kind::Input("u32", 1),
        "Row" => Kind::Checked("List"),
        "RowOrNone" => Kind::Checked("PartialList"),
        "Start" => Kind::Checked("Starts"),
        "LongStart" => Kind::Checked("LongStarts"),
        _ => return None,
    })
}

/// Checked numbers come from the host, so no kernel writes them.
fn output(of: &str) -> Option<Kind> {
    match input(of) {
        Some(Kind::Input(element, values)) => Some(Kind::Output(element, values)),
        _ => None,
    }
}

fn by_value(of: &str) -> Option<Kind> {
    Some(match of {
        "u32" => Kind::Number(Scalar::U32),
        "u64" => Kind::Number(Scalar::U64),
        "float" => Kind::Number(Scalar::F32),
        "double" => Kind::Number(Scalar::F64),
        "Dropout" => Kind::Struct("Dropout"),
        "Table" => Kind::Struct("&'a Table<'a>"),
        "Pairs" => Kind::Struct("&'a Pairs<'a>"),
        _ => return None,
    })
}
