//! A trained model in one safetensors file, whose metadata hold a JSON document about it.

use safetensors::SafeTensors;
use serde_json::{json, Value};

use crate::engine::tensors::Tensors;
use crate::{Error, Result};

const FORMAT: &str = "spaxR model";
/// The one entry of the metadata. (More would be written in random order.)
const ENTRY: &str = "spaxR";
/// The newest form of the file that this code reads, and the one it writes.
const VERSION: u64 = 1;

/// The file: arrays, the document, and what tells other files and damage apart.
///
/// # Errors
/// Arrays that the format cannot hold.
pub fn write(tensors: &Tensors, document: &Value) -> Result<Vec<u8>> {
    let entry = json!({
        "format": FORMAT,
        "version": VERSION,
        "checksum": checksum(document, tensors)?,
        "document": document,
    });
    tensors.write(Some([(ENTRY.to_owned(), entry.to_string())].into()))
}

/// The arrays and the document of a file.
///
/// # Errors
/// [`Error::Model`] for a file that is no safetensors, is cut off or damaged, is not of this package, or is of a newer
/// version.
pub fn read(bytes: &[u8]) -> Result<(Tensors, Value)> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| {
        Error::model(format!(
            "This is no model file, or one that is cut off ({e})"
        ))
    })?;
    let entry = header.metadata().as_ref().and_then(|m| m.get(ENTRY));
    let entry = entry.ok_or_else(|| {
        Error::model("This is a safetensors file, but not of a model that spaxR saved")
    })?;
    let entry: Value = serde_json::from_str(entry).map_err(|e| damaged(&e.to_string()))?;
    if entry["format"] != FORMAT {
        return Err(damaged("it names another format"));
    }
    check_version(&entry["version"])?;
    let tensors = Tensors::read(bytes)?;
    let document = &entry["document"];
    if entry["checksum"] != checksum(document, &tensors)? {
        return Err(damaged("its checksum is another"));
    }
    Ok((tensors, document.clone()))
}

fn damaged(what: &str) -> Error {
    Error::model(format!("The model file is damaged: {what}"))
}

fn check_version(version: &Value) -> Result<()> {
    match version.as_u64() {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(Error::model(format!(
            "The model file has version {newer} of the format, and this spaxR reads up to {VERSION}: \
             install a newer spaxR"
        ))),
        _ => Err(damaged("it does not say which version of the format it has")),
    }
}

/// FNV-1a over the document and the arrays as they are stored.
fn checksum(document: &Value, tensors: &Tensors) -> Result<String> {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let (document, arrays) = (document.to_string(), tensors.write(None)?);
    for &byte in document.as_bytes().iter().chain(&arrays) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    Ok(format!("{hash:016x}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ndarray::{array, Array};

    use super::*;

    fn model() -> (Tensors, Value) {
        let mut tensors = Tensors::default();
        tensors.insert(
            "weight",
            array![[1.5, -2.0, 0.25], [3.0, 0.0, 1e-3]].into_dyn(),
        );
        tensors.insert("mean", Array::from_vec(vec![0.1, 1e300]).into_dyn());
        (
            tensors,
            json!({"genes": ["A", "B"], "radius": null, "rate": 0.1}),
        )
    }

    fn message(bytes: &[u8]) -> String {
        let error = read(bytes).unwrap_err();
        assert_eq!(error.kind(), "model");
        error.to_string()
    }

    #[test]
    fn a_file_gives_back_what_was_written_and_is_the_same_each_time() {
        let (tensors, document) = model();
        let bytes = write(&tensors, &document).unwrap();
        assert_eq!(write(&tensors, &document).unwrap(), bytes);
        let (found, text) = read(&bytes).unwrap();
        assert_eq!(text, document);
        assert_eq!(
            found.vector("mean").unwrap(),
            tensors.vector("mean").unwrap()
        );
        let rounded = tensors
            .matrix("weight")
            .unwrap()
            .mapv(|v| f64::from(v as f32));
        assert_eq!(found.matrix("weight").unwrap(), rounded);
        assert!(found.vector("weight").is_err() && found.matrix("gone").is_err());
        assert_eq!(read(&write(&found, &text).unwrap()).unwrap(), (found, text));
    }

    #[test]
    fn damaged_cut_and_foreign_files_are_refused() {
        let (tensors, document) = model();
        let bytes = write(&tensors, &document).unwrap();
        for keep in [0, 4, 40, bytes.len() - 1] {
            message(&bytes[..keep]);
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x10;
            assert!(read(&changed).is_err(), "byte {place}");
        }
        assert!(message(&tensors.write(None).unwrap()).contains("not of a model"));
        assert!(message(b"PK\x03\x04 some other file, long enough").contains("no model file"));
    }

    #[test]
    fn a_newer_version_says_so() {
        let (tensors, _) = model();
        let entry = json!({"format": FORMAT, "version": 2}).to_string();
        let newer = tensors
            .write(Some([(ENTRY.to_owned(), entry)].into()))
            .unwrap();
        assert!(message(&newer).contains("newer spaxR"));
    }
}
