//! Lines of a book's history, in the words that other tools read.

use serde_json::Value;

use crate::catalogue::sync::Status;
use crate::date;

/// Collects the lines of one book.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) statuses: Vec<Status>,
}

impl History {
    pub(super) fn add(
        &mut self,
        kind: &'static str,
        value: &'static str,
        metadata: &[(&str, Value)],
    ) {
        let metadata = (!metadata.is_empty()).then(|| json(metadata));
        self.statuses.push(Status {
            kind,
            value,
            metadata,
            at: date::now(),
        });
    }

    /// A step of the archive's way.
    pub(super) fn sync(&mut self, value: &'static str, metadata: &[(&str, Value)]) {
        self.add("sync", value, metadata);
    }
}

/// An object as Python's `json.dumps` writes it: a blank after each mark, nothing but ASCII.
fn json(pairs: &[(&str, Value)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}: {}", ascii(&Value::from(*key)), ascii(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn ascii(value: &Value) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_what_python_writes() {
        let text = json(&[
            ("reason", "naïve 論 📚 \"q\"\n".into()),
            ("etag", Value::Null),
            ("n", 1.into()),
        ]);
        let expected =
            r#"{"reason": "na\u00efve \u8ad6 \ud83d\udcda \"q\"\n", "etag": null, "n": 1}"#;
        assert_eq!(text, expected);
    }
}
