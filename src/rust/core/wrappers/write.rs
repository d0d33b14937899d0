//! The Rust text of the launches: a struct a kernel, whose fields are the parameters, and a method that checks and
//! launches.

use std::fmt::Write;

use super::expression::Expression;
use super::signature::{Kernel, Kind, Parameter, Scalar};
use super::Sources;

/// # Errors
/// A kernel whose statements do not fit its parameters.
pub fn rust(sources: &Sources) -> Result<String, String> {
    let mut text = String::new();
    for (name, value) in &sources.constants {
        let _ = writeln!(
            text,
            "#[allow(dead_code)]\npub(crate) const {name}: usize = {value};"
        );
    }
    for kernel in &sources.kernels {
        let writer = Writer { sources, kernel };
        let wrapper = writer
            .wrapper()
            .map_err(|e| format!("{}: {e}", kernel.name))?;
        text.push_str(&wrapper);
    }
    Ok(text)
}

struct Writer<'a> {
    sources: &'a Sources,
    kernel: &'a Kernel,
}

impl Writer<'_> {
    fn wrapper(&self) -> Result<String, String> {
        let kernel = self.kernel;
        let comment = |line: &String| format!("/// {line}\n");
        let description: String = kernel.description.iter().map(comment).collect();
        let name = camel(&kernel.name);
        let field = |p: &Parameter| format!("    pub {}: {},\n", p.name, self.field(p));
        let fields: String = kernel.parameters.iter().map(field).collect();
        let names: Vec<&str> = kernel.parameters.iter().map(|p| p.name.as_str()).collect();
        let names = names.join(", ");
        let body = self.body()?;
        Ok(format!(
            "\n{description}pub(crate) struct {name}<'a> {{\n{fields}}}\n\n\
             impl {name}<'_> {{\n    \
             /// Checks the arguments and launches the kernel.\n    \
             pub fn launch(self, kernels: &Kernels) -> Result<()> {{\n        \
             let Self {{ {names} }} = self;\n{body}    }}\n}}\n",
        ))
    }

    fn field(&self, parameter: &Parameter) -> String {
        let plain = match parameter.kind {
            Kind::Input(of, _) => format!("&'a dyn Read<{of}>"),
            Kind::Output(of, _) => format!("&'a mut dyn Overwrite<{of}>"),
            Kind::Checked(list) => format!("&'a {list}"),
            Kind::Number(Scalar::U32 | Scalar::U64) => "usize".into(),
            Kind::Number(Scalar::F32) => "f32".into(),
            Kind::Number(Scalar::F64) => "f64".into(),
            Kind::Struct(of) => of.into(),
        };
        match self.kernel.is_optional(&parameter.name) {
            true => format!("Option<{plain}>"),
            false => plain,
        }
    }

    fn body(&self) -> Result<String, String> {
        let mut lines = vec![format!(
            "let mut call = Call::new(kernels, {:?});",
            self.kernel.name
        )];
        for (a, b) in &self.kernel.clauses.needs {
            let (a, b) = (self.number(a)?, self.number(b)?);
            lines.push(format!(
                "call.need({:?}, {a} <= {b})?;",
                format!("{a} <= {b}")
            ));
        }
        for parameter in &self.kernel.parameters {
            lines.push(self.argument(parameter)?);
        }
        let grid = &self.kernel.clauses.grid;
        let numbers = grid.numbers.iter().map(|n| self.number(n));
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?.join(", ");
        let form = match (grid.form.as_str(), grid.numbers.len()) {
            ("blocks", 1) => format!("blocks({numbers}, 1)"),
            (form, _) => format!("{form}({numbers})"),
        };
        lines.push("// SAFETY: every buffer holds what the kernel states that it touches.".into());
        lines.push(format!("unsafe {{ call.launch(Grid::{form}) }}"));
        let indented = lines.iter().map(|line| format!("        {line}\n"));
        Ok(indented.collect())
    }

    /// The statement that checks an argument and adds it to the call.
    fn argument(&self, parameter: &Parameter) -> Result<String, String> {
        let name = &parameter.name;
        let method = match parameter.kind {
            Kind::Number(Scalar::U32) => return Ok(format!("call.u32({name})?;")),
            Kind::Number(Scalar::U64) => return Ok(format!("call.u64({name});")),
            Kind::Number(Scalar::F32) => return Ok(format!("call.f32({name});")),
            Kind::Number(Scalar::F64) => return Ok(format!("call.f64({name});")),
            Kind::Struct(_) => return Ok(format!("call.words(&{name}.words());")),
            Kind::Input(_, 1) | Kind::Checked(_) => "input",
            Kind::Input(..) => "input_by_fours",
            Kind::Output(_, 1) => "output",
            Kind::Output(..) => "output_by_fours",
        };
        let sizes = self.kernel.sizes_of(name).map(|size| self.number(size));
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        let size = sizes.join(").max(");
        let size = if sizes.len() > 1 {
            format!("({size})")
        } else {
            size
        };
        Ok(match self.kernel.is_optional(name) {
            true => format!(
                "match {name} {{\n            \
                 Some({name}) => call.{method}({name:?}, {name}, {size})?,\n            \
                 None => call.null(),\n        }}"
            ),
            false => format!("call.{method}({name:?}, {name}, {size})?;"),
        })
    }

    /// An expression as Rust, in numbers that stop at the largest instead of wrapping.
    fn number(&self, expression: &Expression) -> Result<String, String> {
        let two = |name: &str, a: &Expression, b: &Expression| {
            Ok(format!("{name}({}, {})", self.number(a)?, self.number(b)?))
        };
        match expression {
            Expression::Number(number) => Ok(number.to_string()),
            Expression::Name(name) => self.name(name),
            Expression::Of(name, of, other) => self.number_of(name, of, other.as_deref()),
            Expression::Sum(a, b) => two("plus", a, b),
            Expression::Product(a, b) => two("times", a, b),
            Expression::Parts(a, b) => two("parts_of", a, b),
        }
    }

    fn name(&self, name: &str) -> Result<String, String> {
        let kind = self.kernel.parameter(name).map(|p| &p.kind);
        let is_number = matches!(kind, Some(Kind::Number(Scalar::U32 | Scalar::U64)));
        let is_constant = self.sources.constants.iter().any(|c| c.0 == name);
        match is_number || is_constant {
            true => Ok(name.to_string()),
            false => Err(format!("{name} is no whole number")),
        }
    }

    fn number_of(
        &self,
        name: &str,
        of: &str,
        other: Option<&Expression>,
    ) -> Result<String, String> {
        let kind = self.kernel.parameter(name).map(|p| &p.kind);
        if !matches!(kind, Some(Kind::Checked(_) | Kind::Struct(_))) {
            return Err(format!("{name} has no {of}"));
        }
        match (self.kernel.is_optional(name), other) {
            (false, None) => Ok(format!("{name}.{of}()")),
            (true, Some(other)) => Ok(format!(
                "{name}.map_or({}, |{name}| {name}.{of}())",
                self.number(other)?
            )),
            (true, None) => Err(format!("{name} may be missing: {name}.{of} or what?")),
            (false, Some(_)) => Err(format!("{name} is never missing")),
        }
    }
}

/// `gather_back` as `GatherBack`.
fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    name.split('_').map(capital).collect()
}
