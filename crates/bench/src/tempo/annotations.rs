//! Lists of files whose tempo or key is known, as GTZAN, Ballroom and `GiantSteps` have them.
//!
//! One file a line: path, beats a minute, key, and optionally a style, separated by commas; a first line of titles is
//! passed over. Paths are relative to the list. A field may be empty.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use audio::flavor::PITCH_CLASSES;

use super::{Key, Truth};

/// A file and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotated {
    /// The file.
    pub path: PathBuf,
    /// What is known of it.
    pub truth: Truth,
}

/// Reads a list.
pub fn read(list: &Path) -> Result<Vec<Annotated>> {
    let text = std::fs::read_to_string(list)
        .with_context(|| format!("cannot read `{}`", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new("."));
    let mut files = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || (number == 0 && line.starts_with("path,")) {
            continue;
        }
        let (path, truth) =
            parse(line).with_context(|| format!("line {}: `{line}`", number + 1))?;
        let path = folder.join(path);
        files.push(Annotated { path, truth });
    }
    ensure!(!files.is_empty(), "`{}` names no file", list.display());
    Ok(files)
}

/// What stands behind the path in a list.
pub fn line(truth: &Truth) -> String {
    let bpm = truth.bpm.map(|bpm| format!("{bpm:.3}")).unwrap_or_default();
    let key = truth.key.map(|key| key.to_string()).unwrap_or_default();
    format!("{bpm},{key},{}", truth.style)
}

fn parse(line: &str) -> Result<(&str, Truth)> {
    let mut fields = line.split(',').map(str::trim);
    let path = fields.next().filter(|path| !path.is_empty());
    let path = path.context("expected `path,bpm,key`, found no path")?;
    let bpm = match fields.next().filter(|bpm| !bpm.is_empty()) {
        Some(bpm) => {
            let parsed: f64 = bpm
                .parse()
                .with_context(|| format!("expected beats a minute, found `{bpm}`"))?;
            ensure!(
                parsed.is_finite() && parsed > 0.0,
                "expected beats a minute, found `{bpm}`"
            );
            Some(parsed)
        }
        None => None,
    };
    let key = match fields.next().filter(|key| !key.is_empty()) {
        Some(key) => Some(key.parse()?),
        None => None,
    };
    let style = fields.next().unwrap_or_default().to_owned();
    Ok((path, Truth { bpm, key, style }))
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tonic = PITCH_CLASSES[usize::from(self.tonic) % 12];
        write!(f, "{tonic} {}", if self.minor { "minor" } else { "major" })
    }
}

impl std::str::FromStr for Key {
    type Err = anyhow::Error;

    /// Reads `F# minor`, `Gb:min`, `Am`, `c` and the like.
    fn from_str(text: &str) -> Result<Self> {
        let mut rest = text.trim();
        let letter = rest.chars().next().context("expected a key")?;
        let natural = match letter.to_ascii_uppercase() {
            'C' => 0,
            'D' => 2,
            'E' => 4,
            'F' => 5,
            'G' => 7,
            'A' => 9,
            'B' => 11,
            _ => anyhow::bail!("expected a key such as `F# minor`, found `{text}`"),
        };
        rest = &rest[letter.len_utf8()..];
        let mut tonic = natural;
        while let Some(sign) = rest.chars().next() {
            tonic += match sign {
                '#' | '♯' => 1,
                'b' | '♭' => -1,
                _ => break,
            };
            rest = &rest[sign.len_utf8()..];
        }
        let minor = match rest.trim_start_matches([' ', ':', '-', '_']).trim() {
            "" => letter.is_ascii_lowercase(),
            "M" => false,
            "m" => true,
            mode if mode.to_ascii_lowercase().starts_with("maj") => false,
            mode if mode.to_ascii_lowercase().starts_with("min") => true,
            mode => anyhow::bail!("expected major or minor, found `{mode}` in `{text}`"),
        };
        Ok(Self {
            tonic: i32::rem_euclid(tonic, 12) as u8,
            minor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_collections_write_them() {
        for (text, tonic, minor) in [
            ("F# minor", 6, true),
            ("Gb:min", 6, true),
            ("C major", 0, false),
            ("Cb maj", 11, false),
            ("Am", 9, true),
            ("a", 9, true),
            ("Bb", 10, false),
            ("B♭ Major", 10, false),
        ] {
            let key: Key = text.parse().unwrap();
            assert_eq!((key.tonic, key.minor), (tonic, minor), "{text}");
            assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
        }
        for text in ["", "H major", "C dorian"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_is_read_with_what_it_leaves_open() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.csv");
        std::fs::write(
            &list,
            "path,bpm,key\na.wav,120.5,A minor\nb.wav,,Eb\nc.wav,90\n",
        )
        .unwrap();
        let files = read(&list).unwrap();
        let known: Vec<_> = files.iter().map(|file| line(&file.truth)).collect();
        assert_eq!(known, ["120.500,A minor,", ",D# major,", "90.000,,"]);
        assert_eq!(files[0].path, folder.path().join("a.wav"));
        std::fs::write(&list, "a.wav,fast,\n").unwrap();
        let error = format!("{:#}", read(&list).unwrap_err());
        assert!(
            error.contains("line 1") && error.contains("fast"),
            "{error}"
        );
    }
}
