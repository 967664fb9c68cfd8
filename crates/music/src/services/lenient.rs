//! Reads answers as services send them, not as they are documented: a field of another type counts as missing, a number
//! may be written as text, and an element that is none is left out of its list. One odd recording among many must not
//! leave all that were asked about with it unknown.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// A value, or the default where it is of another type.
pub(super) fn field<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(from)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

/// A list without the elements that are none.
pub(super) fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Value::Array(elements) = Value::deserialize(from)? else {
        return Ok(Vec::new());
    };
    let elements = elements.into_iter();
    Ok(elements
        .filter_map(|one| T::deserialize(one).ok())
        .collect())
}

/// A number that is finite, written as one or as text.
pub(super) fn real<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let number = match Value::deserialize(from)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(number.filter(|number| number.is_finite()))
}

/// A number that counts something, rounded.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let number = real(from)?.filter(|number| *number >= 0.0);
    Ok(number.map(|number| number.round() as u64))
}

#[cfg(test)]
mod tests {
    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Read {
        #[serde(deserialize_with = "super::field")]
        name: String,
        #[serde(deserialize_with = "super::list")]
        names: Vec<String>,
        #[serde(deserialize_with = "super::real")]
        score: Option<f64>,
        #[serde(deserialize_with = "super::count")]
        length: Option<u64>,
    }

    #[test]
    fn odd_fields_are_missing_and_odd_elements_left_out() {
        let read = |text: &str| serde_json::from_str::<Read>(text).unwrap();
        let whole = Read {
            name: "x".to_owned(),
            names: vec!["a".to_owned()],
            score: Some(0.97),
            length: Some(13),
        };
        let plain = r#"{"name": "x", "names": ["a"], "score": 0.97, "length": 13}"#;
        assert_eq!(read(plain), whole);
        let as_text =
            r#"{"name": "x", "names": ["a", null, 5, {}], "score": "0.97", "length": "13.2"}"#;
        assert_eq!(read(as_text), whole);
        for odd in [
            "{}",
            r#"{"name": null, "names": null, "score": null, "length": null}"#,
            r#"{"name": {}, "names": "a", "score": "high", "length": -1, "more": 1}"#,
        ] {
            assert_eq!(read(odd), Read::default(), "{odd}");
        }
    }
}
