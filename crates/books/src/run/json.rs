//! JSON files in the form of the tool that shares them: two blanks a level, nothing but ASCII, no end of line.

use serde::Serialize;

/// The bytes of a file. What cannot be written as JSON, which is nothing of ours, gives an empty one.
pub(crate) fn pretty(value: &impl Serialize) -> Vec<u8> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut bytes = Vec::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        // Only text between quotes holds such characters.
        if c.is_ascii() && c != '\u{7f}' {
            bytes.push(c as u8);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            bytes.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_look_as_python_writes_them() {
        let value = serde_json::json!({"a": ["Zürich/\u{1f4d6}\u{7f}", "\t\u{1}\"\\/"], "b": {}, "c": [], "d": 0.9});
        let expected = "{\n  \"a\": [\n    \"Z\\u00fcrich/\\ud83d\\udcd6\\u007f\",\n    \"\\t\\u0001\\\"\\\\/\"\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": 0.9\n}";
        assert_eq!(String::from_utf8(pretty(&value)).unwrap(), expected);
    }
}
