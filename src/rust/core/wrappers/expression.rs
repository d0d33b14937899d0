//! Numbers of the statements: sums and products of parameters, rounded-up quotients.

/// A number that is known at the launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    Number(u64),
    /// A parameter or a constant.
    Name(String),
    /// A number of a parameter, as in `list.bound`, and what stands for it where the parameter is missing.
    Of(String, String, Option<Box<Expression>>),
    Sum(Box<Expression>, Box<Expression>),
    Product(Box<Expression>, Box<Expression>),
    /// ceil(a / b)
    Parts(Box<Expression>, Box<Expression>),
}

use Expression::{Name, Number, Of, Parts, Product, Sum};

impl Expression {
    /// # Errors
    /// What is not an expression.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::new(text)?;
        let expression = reader.sum()?;
        reader.end()?;
        Ok(expression)
    }
}

/// Words and signs, from the last to the first.
struct Reader {
    tokens: Vec<String>,
}

impl Reader {
    fn new(text: &str) -> Result<Self, String> {
        let mut tokens = vec![];
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let len = match first {
                '+' | '*' | '/' | '(' | ')' | '.' => 1,
                c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
                other => return Err(format!("{other:?} in {text:?}")),
            };
            tokens.push(rest[..len].to_string());
            rest = rest[len..].trim_start();
        }
        tokens.reverse();
        Ok(Self { tokens })
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.tokens.last().is_some_and(|token| token == wanted);
        if found {
            self.tokens.pop();
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        match self.take(wanted) {
            true => Ok(()),
            false => Err(format!(
                "expected {wanted:?}, found {:?}",
                self.tokens.last()
            )),
        }
    }

    fn end(&self) -> Result<(), String> {
        match self.tokens.last() {
            None => Ok(()),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut sum = self.product()?;
        while self.take("+") {
            sum = Sum(Box::new(sum), Box::new(self.product()?));
        }
        Ok(sum)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut product = self.factor()?;
        while self.take("*") {
            product = Product(Box::new(product), Box::new(self.factor()?));
        }
        Ok(product)
    }

    fn factor(&mut self) -> Result<Expression, String> {
        if self.take("(") {
            let inner = self.sum()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let word = self.word()?;
        if word == "ceil" {
            self.expect("(")?;
            let over = self.sum()?;
            self.expect("/")?;
            let parts = Parts(Box::new(over), Box::new(self.sum()?));
            self.expect(")")?;
            return Ok(parts);
        }
        if let Ok(number) = word.parse() {
            return Ok(Number(number));
        }
        if !self.take(".") {
            return Ok(Name(word));
        }
        let of = self.word()?;
        let other = match self.take("or") {
            true => Some(Box::new(self.factor()?)),
            false => None,
        };
        Ok(Of(word, of, other))
    }

    fn word(&mut self) -> Result<String, String> {
        let token = self.tokens.pop().ok_or("a number is missing")?;
        match token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            true => Ok(token),
            false => Err(format!("unexpected {token:?}")),
        }
    }
}
