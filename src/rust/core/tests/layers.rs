//! The order of the modules, and limits that keep them readable: what ARCHITECTURE.md and CONTRIBUTING.md promise.
//!
//! Reads the sources as text. Code under `#[cfg(test)]` may use what it likes.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module uses those of its own layer and of layers above it in this list (but see [`STRANGERS`]); the last is the
/// highest.
const LAYERS: [&[&str]; 5] = [
    &[
        "device",
        "device_cuda",
        "error",
        "gpu",
        "progress",
        "rng",
        "simd",
        "slices",
        "sparse",
        "threads",
    ],
    &["dense", "design", "graph", "options"],
    &[
        "align",
        "check",
        "cluster",
        "metrics",
        "nn",
        "predictive",
        "preprocess",
        "recorded",
    ],
    &["engine"],
    &["systems"],
];

/// Pairs of which the first does not use the second, though its layer would allow it.
const STRANGERS: [(&str, &str); 3] = [("preprocess", "nn"), ("align", "nn"), ("predictive", "nn")];

/// Uses against the order that are there for now, and why. An entry without a use fails too: the list only shrinks.
const UPWARDS: [(&str, &str, &str); 1] = [(
    "device",
    "engine",
    "asks how much memory the machine has free",
)];

const MOST_LINES: usize = 400;

const MOST_PARAMETERS: usize = 7;
/// Where functions may take more: a launch names every pointer and size of its kernel.
const MANY_PARAMETERS: [&str; 1] = ["core/src/gpu/"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file under `folder` with its path from the workspace on, and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut open = vec![folder.to_string()];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        let full = workspace().join(&path);
        if full.is_dir() {
            for entry in fs::read_dir(&full).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                open.push(format!("{path}/{name}"));
            }
        } else if path.ends_with(".rs") {
            found.push((path, fs::read_to_string(full).unwrap()));
        }
    }
    found.sort();
    found
}

/// The code without comments and without what follows `#[cfg(test)]` (by custom at the end of a file, or one item).
fn code(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("#[cfg(") && line.contains("test") {
            let mut depth = 0;
            for line in lines.by_ref() {
                depth += line.matches('{').count() as i64 - line.matches('}').count() as i64;
                let attribute = line.trim_start().starts_with("#[");
                if depth == 0 && !attribute && (line.ends_with(';') || line.ends_with('}')) {
                    break;
                }
            }
            continue;
        }
        out.push_str(line.split("//").next().unwrap_or(""));
        out.push('\n');
    }
    out
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// What follows an opening bracket, up to the one that closes it.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        depth += match c {
            '(' | '[' | '{' => 1,
            ')' | ']' | '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// The parts between commas outside of all brackets.
fn parts(text: &str) -> Vec<String> {
    let (mut depth, mut last) = (0, ' ');
    let mut out = vec![String::new()];
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            // Not the end of an arrow.
            '>' if last == '-' => {}
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        last = c;
        if c == ',' && depth == 0 {
            out.push(String::new());
        } else {
            out.last_mut().unwrap().push(c);
        }
    }
    out.retain(|part| !part.trim().is_empty());
    out
}

/// The top module that a file of the core belongs to, and how deep its own module lies.
fn home(path: &str) -> (String, usize) {
    let inner = path.trim_start_matches("core/src/").trim_end_matches(".rs");
    let steps: Vec<&str> = inner.split('/').filter(|&step| step != "mod").collect();
    (steps[0].to_string(), steps.len())
}

/// The top modules that a file uses, as `crate::x`, `crate::{x, y}` or by as many `super::` as lead to the root.
fn used(path: &str, text: &str) -> BTreeSet<String> {
    let root = "super::".repeat(home(path).1);
    let mut found = BTreeSet::new();
    for start in ["crate::", root.as_str()] {
        for (at, _) in text.match_indices(start) {
            if start != "crate::" && text[..at].ends_with("super::") {
                continue;
            }
            let rest = &text[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(list) => found.extend(
                    parts(inside(list))
                        .iter()
                        .map(|p| word(p.trim()).to_string()),
                ),
                None => {
                    found.insert(word(rest).to_string());
                }
            }
        }
    }
    found
}

/// Which top module uses which, and a file that does.
fn uses() -> BTreeMap<(String, String), String> {
    let mut all = BTreeMap::new();
    for (path, text) in sources("core/src") {
        let (from, _) = home(&path);
        for to in used(&path, &code(&text)) {
            if to != from && layer(&to).is_some() && layer(&from).is_some() {
                all.entry((from.clone(), to))
                    .or_insert_with(|| path.clone());
            }
        }
    }
    all
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn every_module_has_its_place() {
    let tests = ["kernel_tests", "gradient_tests", "lib"];
    let homes: BTreeSet<String> = sources("core/src")
        .iter()
        .map(|(path, _)| home(path).0)
        .collect();
    let lost: Vec<_> = homes
        .iter()
        .filter(|module| layer(module).is_none() && !tests.contains(&module.as_str()))
        .collect();
    assert!(lost.is_empty(), "in no layer: {lost:?}");
}

#[test]
fn no_module_uses_a_higher_one() {
    let wrong: BTreeMap<_, _> = uses()
        .into_iter()
        .filter(|((from, to), _)| {
            let stranger = STRANGERS.contains(&(from.as_str(), to.as_str()));
            stranger || layer(from) < layer(to)
        })
        .collect();
    let allowed = |from: &str, to: &str| UPWARDS.iter().any(|u| (u.0, u.1) == (from, to));
    let new: Vec<_> = wrong.iter().filter(|((f, t), _)| !allowed(f, t)).collect();
    assert!(new.is_empty(), "{new:#?}");
    for (from, to, _) in UPWARDS {
        let key = (from.to_string(), to.to_string());
        assert!(
            wrong.contains_key(&key),
            "{from} no longer uses {to}: take it off the list"
        );
    }
}

#[test]
fn modules_of_one_layer_do_not_use_each_other_in_a_circle() {
    let mut left: BTreeSet<(String, String)> = uses()
        .into_keys()
        .filter(|(from, to)| layer(from) == layer(to))
        .collect();
    // Whoever uses nobody is in no circle, and nobody is in one because of it.
    loop {
        let users: BTreeSet<String> = left.iter().map(|(from, _)| from.clone()).collect();
        let before = left.len();
        left.retain(|(_, to)| users.contains(to));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn systems_do_not_know_each_other() {
    let names = ["baseline", "predictive", "spacross", "spalora"];
    for (path, text) in sources("core/src/systems") {
        let Some(own) = names
            .iter()
            .find(|name| path.contains(&format!("systems/{name}")))
        else {
            continue;
        };
        let text = code(&text);
        for other in names.iter().filter(|name| *name != own) {
            for way in ["systems::", "super::"] {
                assert!(
                    !text.contains(&format!("{way}{other}")),
                    "{path} uses {other}"
                );
            }
        }
    }
}

#[test]
fn files_are_short() {
    let long: Vec<String> = ["core/src", "core/tests", "core/examples", "src"]
        .iter()
        .flat_map(|folder| sources(folder))
        .filter(|(_, text)| text.lines().count() > MOST_LINES)
        .map(|(path, text)| format!("{path}: {}", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "more than {MOST_LINES} lines: {long:#?}");
}

#[test]
fn functions_take_few_parameters() {
    let mut wrong = Vec::new();
    let all = ["core/src", "core/examples", "core/tests"];
    for (path, text) in all.iter().flat_map(|folder| sources(folder)) {
        if MANY_PARAMETERS.iter().any(|start| path.starts_with(start)) {
            continue;
        }
        let text = code(&text);
        for (at, _) in text.match_indices("fn ") {
            let name = word(&text[at + 3..]);
            let Some(open) = text[at..].find('(').filter(|_| !name.is_empty()) else {
                continue;
            };
            let count = parts(inside(&text[at + open + 1..])).len();
            if count > MOST_PARAMETERS {
                wrong.push(format!("{path}: {name} takes {count}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
