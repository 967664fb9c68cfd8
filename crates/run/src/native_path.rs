//! Paths as Windows has them; elsewhere every path is what it seems.
//!
//! Windows reads `C:\Music\nul.mp3` as a device, `C:\Music\Live.\a.mp3` as a file in `C:\Music\Live`, and cuts long
//! paths off, unless they are written as `\\?\C:\Music\..`, which it takes literally. That form no player, no ffmpeg
//! and no person understands. So folders are walked in the literal form, and whatever can be written plainly is.

use std::io;
use std::path::{Path, PathBuf};

/// The path that Windows takes literally. One that is not absolute stays as it is.
pub fn literal_path(path: &Path) -> PathBuf {
    #[cfg(windows)]
    {
        use std::path::{Component, Prefix};
        let mut parts = path.components();
        let Some(Component::Prefix(prefix)) = parts.next() else {
            return path.to_owned();
        };
        let root = match prefix.kind() {
            Prefix::Disk(drive) => PathBuf::from(format!(r"\\?\{}:\", char::from(drive))),
            Prefix::UNC(server, share) => {
                let mut root = std::ffi::OsString::from(r"\\?\UNC\");
                root.push(server);
                root.push(r"\");
                root.push(share);
                root.push(r"\");
                root.into()
            }
            _ => return path.to_owned(),
        };
        let mut parts = parts.peekable();
        // `C:x` is below whatever folder that drive is in, and `..` is a name to a literal path.
        if parts.next() != Some(Component::RootDir)
            || parts.clone().any(|part| part == Component::ParentDir)
        {
            return path.to_owned();
        }
        root.join(parts.collect::<PathBuf>())
    }
    #[cfg(not(windows))]
    {
        path.to_owned()
    }
}

/// The path as other programs and people write it, if that means the same, else as it is.
pub fn plain_path(path: &Path) -> PathBuf {
    #[cfg(windows)]
    {
        use std::path::{Component, Prefix};
        if let Some(Component::Prefix(prefix)) = path.components().next()
            && let Prefix::VerbatimUNC(server, share) = prefix.kind()
        {
            // The same names on a drive tell whether they mean what they say.
            let below: PathBuf = path.components().skip(2).collect();
            let on_drive = Path::new(r"\\?\C:\").join(&below);
            let mut plain = std::ffi::OsString::from(r"\\");
            plain.push(server);
            plain.push(r"\");
            plain.push(share);
            plain.push(r"\");
            plain.push(&below);
            if dunce::simplified(&on_drive) != on_drive && plain.len() < MAX_PLAIN {
                return plain.into();
            }
        }
    }
    dunce::simplified(path).to_owned()
}

/// The longest path that every program on Windows understands, in characters, with the NUL at its end.
#[cfg(windows)]
const MAX_PLAIN: usize = 260;

/// The absolute path of what is there, without links, plain where possible.
///
/// # Errors
///
/// When there is nothing, or it cannot be looked at.
pub fn canonical_path(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path).map(|path| plain_path(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_wherever_that_means_the_same() {
        let there_and_back = [
            (r"C:\Music\a.mp3", r"\\?\C:\Music\a.mp3"),
            (r"\\nas\music\a.mp3", r"\\?\UNC\nas\music\a.mp3"),
            (r"C:\", r"\\?\C:\"),
            (r"\\nas\music\", r"\\?\UNC\nas\music\"),
        ];
        for (plain, literal) in there_and_back.map(|(a, b)| (Path::new(a), Path::new(b))) {
            if cfg!(windows) {
                assert_eq!(literal_path(plain), literal);
                assert_eq!(plain_path(literal), plain);
            } else {
                assert_eq!(literal_path(plain), plain);
            }
            assert_eq!(plain_path(plain), plain);
            assert_eq!(literal_path(literal), literal);
        }
    }

    #[test]
    fn a_path_that_windows_would_misread_stays_literal() {
        let long = format!(
            r"\\?\UNC\nas\music\{}.mp3",
            "long/".repeat(60).replace('/', r"\")
        );
        for literal in [
            r"\\?\C:\Music\nul.mp3",
            r"\\?\C:\Music\Live.\a.mp3",
            r"\\?\C:\Music\ends in a space \a.mp3",
            r"\\?\UNC\nas\music\COM1",
            r"\\?\UNC\nas\music\what?.mp3",
            &long,
        ] {
            assert_eq!(plain_path(Path::new(literal)), Path::new(literal));
        }
    }

    #[test]
    fn a_path_that_is_not_absolute_has_no_literal_form() {
        for path in [
            "a.mp3",
            r"C:a.mp3",
            r"\Music",
            r"C:\Music\..\a.mp3",
            "/music/a.mp3",
        ] {
            assert_eq!(literal_path(Path::new(path)), Path::new(path));
        }
    }
}
