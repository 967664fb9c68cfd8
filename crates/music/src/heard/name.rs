//! The name of a record, which tells whether a file has been heard already.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::heard::record::HearingSettings;
use crate::library::known::{ANALYSIS_VERSION, DESCRIPTION_VERSION};
use crate::library::values::ScannedFile;

/// What every record's name ends with.
const END: &str = ".heard";

/// What the name of a record ends with that tells a passing failure.
const RETRY: &str = ".retry";

/// Which file a record is about, whatever has become of that: the beginning of the SHA-256 of its path. Two of 10^8
/// paths share one with a probability of 10^-13.
pub(crate) type FileKey = [u8; 12];

/// The name of a record: of a file, its version, and how it was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordName {
    /// The file.
    pub(crate) key: FileKey,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was modified, in nanoseconds since 1970.
    pub(crate) modified_ns: i64,
    /// The sheets beside it, the settings and the version of the analysis.
    pub(crate) version: [u8; 8],
    /// What the store calls the version of the file.
    pub(crate) etag: [u8; 4],
    /// It failed for a reason that may pass, and is to be heard again.
    pub(crate) retry: bool,
}

impl RecordName {
    /// The record of a file, heard as `settings` say; `etag` is what the store calls its version.
    pub(crate) fn of(file: &ScannedFile, etag: Option<&str>, settings: &HearingSettings) -> Self {
        let mut sha256 = Sha256::new();
        for part in [&file.sheets_state(), &settings.digest()] {
            sha256.update((part.len() as u64).to_le_bytes());
            sha256.update(part);
        }
        sha256.update(ANALYSIS_VERSION.to_le_bytes());
        sha256.update(DESCRIPTION_VERSION.to_le_bytes());
        Self {
            key: key_of(file.path()),
            size: file.size(),
            modified_ns: file.modified_ns(),
            version: beginning(&sha256.finalize()),
            etag: etag.map_or([0; 4], |etag| beginning(&Sha256::digest(etag))),
            retry: false,
        }
    }

    /// Whether it is the record of this file, whatever the store calls its version.
    pub(crate) fn is_of(&self, file: &ScannedFile, settings: &HearingSettings) -> bool {
        let same = Self::of(file, None, settings);
        (self.key, self.size, self.modified_ns, self.version)
            == (same.key, same.size, same.modified_ns, same.version)
            && !self.retry
    }

    /// Where a record lies, by its name: folders of some hundred files each where there are millions.
    pub(crate) fn path(&self) -> String {
        let [first, second, ..] = self.key;
        format!("{first:02x}/{second:02x}/{self}")
    }
}

/// Which file a path is.
pub(crate) fn key_of(path: &str) -> FileKey {
    beginning(&Sha256::digest(path))
}

fn beginning<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest[..N]);
    bytes
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 2 * N || !text.bytes().all(is_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.key)?;
        write!(f, "_{}_{}_", self.size, self.modified_ns)?;
        hex(f, &self.version)?;
        f.write_str("_")?;
        hex(f, &self.etag)?;
        f.write_str(if self.retry { RETRY } else { "" })?;
        f.write_str(END)
    }
}

/// Something else than the name of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAName;

impl FromStr for RecordName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let name = text.strip_suffix(END).ok_or(NotAName)?;
        let (name, retry) = match name.strip_suffix(RETRY) {
            Some(name) => (name, true),
            None => (name, false),
        };
        let mut parts = name.split('_');
        let mut part = || parts.next().ok_or(NotAName);
        let read = Self {
            key: unhex(part()?).ok_or(NotAName)?,
            size: part()?.parse().map_err(|_| NotAName)?,
            modified_ns: part()?.parse().map_err(|_| NotAName)?,
            version: unhex(part()?).ok_or(NotAName)?,
            etag: unhex(part()?).ok_or(NotAName)?,
            retry,
        };
        (read.to_string() == text).then_some(read).ok_or(NotAName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_nothing_else_is_a_name() {
        let name = RecordName {
            key: key_of("Sun Ra/01.flac"),
            size: 1_234_567,
            modified_ns: -1,
            version: [7; 8],
            etag: [9; 4],
            retry: true,
        };
        let text = name.to_string();
        assert_eq!(text.parse(), Ok(name));
        for wrong in [
            "",
            ".heard",
            "x_1_2_y.heard",
            "README",
            &text.to_uppercase(),
            &text.replace("_1234567", "_+1234567"),
            &format!("{text}~"),
        ] {
            assert_eq!(wrong.parse::<RecordName>(), Err(NotAName), "{wrong}");
        }
        assert!(text.len() < 255, "{text}");
    }
}
