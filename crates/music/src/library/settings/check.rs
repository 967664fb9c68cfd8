//! What values a setting takes: those that can be used, and fewer that can be chosen.

use std::path::Path;

use audio::leads::LeadSettings;

use super::{Kind, Setting, mask};
use crate::error::{Error, Result};

/// The longest text that can be chosen, in bytes. A guess: a path on Linux is no longer.
const LONGEST_TEXT: usize = 4096;

impl Setting {
    /// Whether a stored value can be used, be it another program's.
    ///
    /// # Errors
    ///
    /// Says what was expected.
    pub(super) fn check(&self, value: &str) -> Result<()> {
        let (fits, expected) = match self.kind {
            Kind::Integer { min, max } => (
                value.parse::<i64>().is_ok_and(|n| (min..=max).contains(&n)),
                if max == i64::MAX {
                    format!("a whole number from {min}")
                } else {
                    format!("a whole number from {min} to {max}")
                },
            ),
            Kind::Real { min, max } => (
                value.parse::<f64>().is_ok_and(|n| (min..=max).contains(&n)),
                format!("a number from {min} to {max}"),
            ),
            Kind::Object => (
                serde_json::from_str::<LeadSettings>(value).is_ok(),
                "a JSON object with numbers".to_owned(),
            ),
            Kind::Url => (
                web::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https")),
                "an address such as `https://musicbrainz.org/ws/2`".to_owned(),
            ),
            Kind::Word(words) => (
                words.contains(&value),
                format!("one of `{}`", words.join("`, `")),
            ),
            Kind::Text | Kind::Secret => (!value.trim().is_empty(), "some text".to_owned()),
        };
        if fits {
            return Ok(());
        }
        Err(self.refuses(value, expected))
    }

    fn refuses(&self, value: &str, expected: String) -> Error {
        Error::BadSetting {
            key: self.key,
            value: match self.kind {
                Kind::Secret => mask(value),
                _ => value.to_owned(),
            },
            expected,
        }
    }

    /// Whether a person can choose a value: one that would be bent before it is used is refused.
    ///
    /// # Errors
    ///
    /// Says what was expected.
    pub(super) fn check_choice(&self, value: &str) -> Result<()> {
        self.check(value)?;
        if self.kind == Kind::Object
            && serde_json::from_str::<LeadSettings>(value)
                .is_ok_and(|chosen| chosen.sane() != chosen)
        {
            let expected = "windows of 20 to 1000 ms and durations of 0 to 600 seconds";
            return Err(self.refuses(value, expected.to_owned()));
        }
        let is_text = matches!(self.kind, Kind::Text | Kind::Secret | Kind::Url);
        if is_text && (value.len() > LONGEST_TEXT || value.chars().any(char::is_control)) {
            let expected =
                format!("a line of at most {LONGEST_TEXT} bytes without control characters");
            let beginning: String = value
                .chars()
                .take(40)
                .flat_map(char::escape_debug)
                .collect();
            return Err(self.refuses(&beginning, expected));
        }
        let is_special = |path: &Path| path.metadata().is_ok_and(|found| !found.is_file());
        if self.key == "ffmpeg_path" && is_special(Path::new(value)) {
            return Err(self.refuses(value, "the path of a program".to_owned()));
        }
        Ok(())
    }
}
