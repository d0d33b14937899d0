//! The options of the systems: the table against the struct, and what was given against what comes out.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{json, Map, Value};
use spax_core::options::{describe, parse, resolve, Base, Kind, OptionSet};
use spax_core::preprocess::{Centre, GeneChoice, Settings};
use spax_core::slices::Slices;
use spax_core::systems::{spacross, spalora};
use spax_core::{Error, Result};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(entries) => entries,
        other => panic!("{other} is no object"),
    }
}

fn defaults<T: OptionSet>() -> Map<String, Value> {
    object(serde_json::to_value(T::default()).unwrap())
}

fn named<T: OptionSet>(given: Value) -> &'static str {
    match parse::<T>(&given) {
        Err(Error::Option { option, .. }) => option,
        Err(other) => panic!("{given}: {other}"),
        Ok(_) => "none",
    }
}

/// Every field has a row and every row a field, and the default is one of the values that the row allows.
fn table_and_struct_agree<T: OptionSet>() {
    let defaults = defaults::<T>();
    let mut rows: Vec<&str> = T::TABLE.iter().map(|row| row.name).collect();
    for row in T::TABLE {
        let default = &defaults[row.name];
        assert_eq!(row.take(default).unwrap(), *default, "{}", row.name);
        assert!(row.help.ends_with('.'), "{}", row.name);
    }
    rows.sort_unstable();
    let fields: Vec<&str> = defaults.keys().map(String::as_str).collect();
    assert_eq!(rows, fields);
}

/// What a row allows, the struct takes, and gives back as it was.
fn struct_takes_what_the_table_allows<T: OptionSet + PartialEq>() {
    for row in T::TABLE {
        let mut values = match row.kind {
            Kind::Count(range) => vec![json!(range.least as u64), json!(range.most as u64)],
            Kind::Number(range) => vec![json!(range.least), json!(range.least + 0.5)],
            Kind::Numbers(range) => vec![json!([range.least]), json!([range.least, 0.5])],
            Kind::Flag => vec![json!(true), json!(false)],
            Kind::Choice { choices } => choices.iter().map(|c| json!(c)).collect(),
        };
        if row.optional {
            values.push(Value::Null);
        }
        for value in values {
            let options: T = parse(&json!({ row.name: value })).unwrap();
            assert_eq!(
                object(serde_json::to_value(options).unwrap())[row.name],
                value
            );
        }
    }
}

fn sound<T: OptionSet + PartialEq>() {
    table_and_struct_agree::<T>();
    struct_takes_what_the_table_allows::<T>();
    for (name, _) in T::presets() {
        for published in [false, true] {
            let base = Base {
                preset: Some(name),
                published,
                several: published,
            };
            assert!(resolve::<T>(&json!({}), base).is_ok(), "{name}");
        }
    }
}

#[test]
fn every_option_has_a_row_and_a_default_in_its_range() {
    sound::<spacross::Options>();
    sound::<spalora::Options>();
}

#[test]
fn an_option_has_the_value_given_and_the_others_their_defaults() {
    let options: spacross::Options =
        parse(&json!({ "k": 6, "domains_from": "embedding" })).unwrap();
    let mut wanted = defaults::<spacross::Options>();
    wanted.insert("k".into(), json!(6));
    wanted.insert("domains_from".into(), json!("embedding"));
    assert_eq!(
        serde_json::to_value(options).unwrap(),
        Value::Object(wanted)
    );
}

/// R has doubles for whole numbers, and numbers for vectors of one.
#[test]
fn values_take_the_type_of_the_option() {
    let options: spalora::Options =
        parse(&json!({ "k": 9.0, "smooth_k": 12.0, "target_sum": 100, "w_recon": 2 })).unwrap();
    assert_eq!((options.graph.k, options.domains.smooth_k), (9, Some(12)));
    assert_eq!(
        (options.target_sum, options.network.w_recon),
        (100.0, vec![2.0])
    );
}

#[test]
fn what_is_not_allowed_is_named() {
    let bad = json!({
        "k": 1, "n_genes": 2.5, "min_cells": -1, "epochs": "6", "top_k": [6, 7], "latent": 5000, "dropout": 1.0, "mask_rate": 0.0,
        "momentum": -0.1, "learning_rate": 0.0, "clip_norm": null, "radius": -1.0, "log1p": 1, "contrast": "some",
        "smooth_k": null,
    });
    for (name, value) in object(bad) {
        assert_eq!(named::<spacross::Options>(json!({ &name: value })), name);
    }
    for value in [json!([]), json!(-1.0), json!([1.0, "2"]), Value::Null] {
        assert_eq!(
            named::<spalora::Options>(json!({ "w_cross": value })),
            "w_cross"
        );
    }
    let said = |given: Value| parse::<spacross::Options>(&given).unwrap_err().to_string();
    assert_eq!(
        said(json!({ "mask_rate": 1.5 })),
        "the option `mask_rate` must be one number above 0 and below 1, not 1.5"
    );
    assert_eq!(
        said(json!({ "latent": 0 })),
        "the option `latent` must be one whole number from 1 to 4096, not 0"
    );
    assert_eq!(
        parse::<spacross::Options>(&json!([1]))
            .unwrap_err()
            .blamed(),
        Some("options")
    );
}

#[test]
fn an_option_given_wins_over_the_preset() {
    let of = |given: Value| -> Result<spacross::Options> {
        let base = Base {
            preset: Some("starmap"),
            ..Base::default()
        };
        resolve(&given, base)
    };
    assert_eq!(of(json!({})).unwrap().network.top_k, 30);
    assert_eq!(of(json!({ "top_k": 5 })).unwrap().network.top_k, 5);
    let unknown = Base {
        preset: Some("visum"),
        ..Base::default()
    };
    let error = resolve::<spacross::Options>(&json!({}), unknown).unwrap_err();
    assert_eq!(error.blamed(), Some("preset"));
}

#[test]
fn published_settings_are_fixed_where_the_code_fixes_them() {
    let of = |given: Value, several: bool| -> Result<spacross::Options> {
        let base = Base {
            preset: Some("starmap"),
            published: true,
            several,
        };
        resolve(&given, base)
    };
    let options = of(json!({ "epochs": 20, "consensus": 1.0 }), false).unwrap();
    assert_eq!(options.network.contrast, spacross::Contrast::AllPairs);
    assert_eq!((options.network.top_k, options.network.epochs), (30, 20));
    assert_eq!((options.n_genes, options.slice_center), (2000, Centre::All));
    assert_eq!(of(json!({}), true).unwrap().n_genes, 5000);
    assert_eq!(of(json!({ "n_genes": 100 }), true).unwrap().n_genes, 100);
    let error = of(json!({ "contrast": "none" }), false).unwrap_err();
    assert_eq!(error.blamed(), Some("published"));
}

#[test]
fn the_description_has_every_option_in_the_order_of_the_table() {
    let found = describe::<spalora::Options>().unwrap();
    let rows = found["options"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    let table = spalora::Options::TABLE.iter().map(|row| row.name);
    assert_eq!(names, table.collect::<Vec<_>>());
    let k = rows.iter().find(|row| row["name"] == "k").unwrap();
    assert_eq!(k["default"], json!(6));
    assert_eq!(k["least"], json!(1.0));
    assert_eq!(k["demand"], json!("one whole number of at least 1"));
    assert_eq!(found["presets"][1], json!("slide_tags"));
}

#[test]
fn options_say_how_counts_are_prepared() {
    let options = spacross::Options::default();
    let published = Settings {
        centre: Centre::Means,
        ..Settings::default()
    };
    assert_eq!(options.features(), published);
    let smoothed = options.smoothed_features();
    assert!(smoothed.log1p && smoothed.n_components == 20);
    // Of 1001 cells in two slices, 5 per cent of a slice of mean size.
    let slices = Slices::new((0..1001).map(|cell| cell % 2).collect()).unwrap();
    let rna = spalora::Options::default().features(&slices);
    assert_eq!((rna.min_cells, rna.n_genes), (26, 3000));
    assert_eq!(rna.gene_choice, GeneChoice::MedianRank);
}
