//! Names of objects.

use std::fmt;

use crate::error::{Error, Reason};

/// The name of an object within its bucket: a relative path with `/` between its parts, on every system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Checks a name. It cannot lead out of its bucket.
    ///
    /// # Errors
    ///
    /// [`Reason::Name`] for an empty name, an empty part, `.` or `..`, a backslash, or a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let sound = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.chars().any(|c| c.is_control() || matches!(c, '\\'))
        };
        if name.split('/').all(sound) {
            return Ok(Self(name));
        }
        Err(Error::new(
            Reason::Name,
            &name,
            "expected a relative path without `.`, `..` and empty parts",
        ))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_its_bucket() {
        for wrong in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/../b",
            "..",
            "a/.",
            "a\\b",
            "a\nb",
            "a/",
        ] {
            assert_eq!(
                Key::new(wrong).unwrap_err().reason(),
                Reason::Name,
                "{wrong:?}"
            );
        }
        for right in [
            "a",
            "run/32044.tar.gz",
            "run/$B123:4.tar.gz",
            "..a/b..",
            "ü/ñ",
        ] {
            assert_eq!(Key::new(right).unwrap().as_str(), right);
        }
    }
}
