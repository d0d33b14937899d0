//! What the comment above a kernel states: sizes, needs, grid.

use super::expression::Expression;

/// The values behind a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    pub name: String,
    /// Whether the pointer may be null.
    pub optional: bool,
    pub values: Expression,
}

/// The blocks and threads of a launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// A function of the grids (gpu/grid.rs).
    pub form: String,
    pub numbers: Vec<Expression>,
}

/// The forms that a grid has, and how many numbers each takes.
const FORMS: [(&str, [usize; 2]); 6] = [
    ("threads", [1, 1]),
    ("blocks", [1, 2]),
    ("rows", [2, 2]),
    ("long_rows", [2, 2]),
    ("groups", [2, 2]),
    ("tiles", [2, 2]),
];

/// All that is stated of a kernel.
#[derive(Clone, Debug)]
pub struct Clauses {
    pub sizes: Vec<Size>,
    /// Pairs of which the first may not be larger than the second.
    pub needs: Vec<(Expression, Expression)>,
    pub grid: Grid,
}

impl Clauses {
    /// From the lines of a comment, without their slashes: what comes before the first statement is the description,
    /// which is returned too.
    ///
    /// # Errors
    /// A statement that cannot be understood, or no grid.
    pub fn parse(comment: &[String]) -> Result<(Vec<String>, Self), String> {
        let (mut description, mut stated) = (vec![], Vec::<(&str, String)>::new());
        for line in comment {
            let text = line.trim();
            let keys = ["sizes:", "needs:", "grid:"].into_iter();
            let key = keys
                .filter_map(|key| Some((key, text.strip_prefix(key)?)))
                .next();
            match (key, stated.last_mut()) {
                (Some((key, rest)), _) => stated.push((key, rest.to_string())),
                (None, Some((_, so_far))) => *so_far = format!("{so_far} {text}"),
                (None, None) => description.push(line.clone()),
            }
        }
        let of = |key: &str| {
            let mut texts = stated.iter().filter(|s| s.0 == key).map(|s| s.1.as_str());
            match (texts.next(), texts.next()) {
                (_, Some(_)) => Err(format!("{key} stated twice")),
                (text, None) => Ok(text),
            }
        };
        let items = |key: &str| Ok::<_, String>(of(key)?.map_or_else(Vec::new, items));
        let clauses = Self {
            sizes: items("sizes:")?
                .into_iter()
                .map(size)
                .collect::<Result<_, _>>()?,
            needs: items("needs:")?
                .into_iter()
                .map(need)
                .collect::<Result<_, _>>()?,
            grid: grid(of("grid:")?.ok_or("no grid is stated")?)?,
        };
        Ok((description, clauses))
    }
}

/// What stands between commas.
fn items(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).collect()
}

fn size(text: &str) -> Result<Size, String> {
    let (name, values) = text
        .split_once(char::is_whitespace)
        .ok_or_else(|| format!("no size in {text:?}"))?;
    let plain = name.trim_end_matches('?');
    Ok(Size {
        name: plain.to_string(),
        optional: plain != name,
        values: Expression::parse(values)?,
    })
}

fn need(text: &str) -> Result<(Expression, Expression), String> {
    let (a, b) = text
        .split_once("<=")
        .ok_or_else(|| format!("no <= in {text:?}"))?;
    Ok((Expression::parse(a)?, Expression::parse(b)?))
}

fn grid(text: &str) -> Result<Grid, String> {
    let (form, numbers) = text
        .trim()
        .split_once(char::is_whitespace)
        .ok_or_else(|| format!("no numbers in the grid {text:?}"))?;
    let numbers: Vec<Expression> = items(numbers)
        .into_iter()
        .map(Expression::parse)
        .collect::<Result<_, _>>()?;
    let known = FORMS.iter().find(|known| known.0 == form);
    let (_, [least, most]) = known.ok_or_else(|| format!("no grid is called {form:?}"))?;
    if !(*least..=*most).contains(&numbers.len()) {
        return Err(format!("{} numbers for a grid of {form}", numbers.len()));
    }
    Ok(Grid {
        form: form.to_string(),
        numbers,
    })
}
