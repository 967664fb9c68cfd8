//! Cue sheets that this program wrote itself: what they say it knows already, until somebody changes them.

use sha2::{Digest, Sha256};

use crate::input::hex;

const BEGINNING: &str = "REM COMMENT \"as Accession has it, ";

/// A cue sheet with a line in front of it that tells, by a short name for all other lines, that nobody has changed it since.
pub fn sign(sheet: &str) -> String {
    format!("{BEGINNING}{}\"\n{sheet}", name_of(sheet))
}

/// Whether a sheet is as this program wrote it; other ends of lines, blanks around them and empty lines change nothing.
pub(super) fn is_unchanged(sheet: &str) -> bool {
    let signature = sheet.lines().find_map(|line| {
        let name = clean(line).strip_prefix(BEGINNING)?;
        name.strip_suffix('"')
    });
    signature.is_some_and(|name| name == name_of(sheet))
}

fn clean(line: &str) -> &str {
    line.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}')
}

fn name_of(sheet: &str) -> String {
    let mut sha256 = Sha256::new();
    let lines = sheet.lines().map(clean);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with(BEGINNING)) {
        sha256.update(line.as_bytes());
        sha256.update(b"\n");
    }
    hex(&sha256.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_known_until_a_word_or_a_time_of_it_changes() {
        let sheet =
            sign("TITLE \"A\"\nFILE \"a.mp3\" MP3\n  TRACK 01 AUDIO\n    INDEX 01 00:00:22\n");
        assert!(is_unchanged(&sheet));
        for harmless in [
            sheet.replace('\n', "\r\n"),
            format!("\u{feff}{sheet}\n\n"),
            sheet.replace("    ", "\t"),
        ] {
            assert!(is_unchanged(&harmless), "{harmless}");
        }
        for changed in [
            sheet.replace("\"A\"", "\"B\""),
            sheet.replace(":22", ":23"),
            format!("{sheet}  TRACK 02 AUDIO\n"),
            sheet.lines().skip(1).collect::<Vec<_>>().join("\n"),
        ] {
            assert!(!is_unchanged(&changed), "{changed}");
        }
    }
}
