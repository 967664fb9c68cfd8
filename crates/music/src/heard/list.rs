//! Lists of files to be heard: one path a line.
//!
//! A path that begins with `"` or holds a control character is written as a JSON string, so that every path is one
//! line.

use std::io::{BufRead, Read as _, Write};

use crate::error::{Error, Result};

/// The most bytes of a line. Paths have at most 4,096 on Linux and object names 1,024; JSON may need six for each.
const MAX_LINE: u64 = 32 << 10;

/// Writes a path as a line.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(to: &mut dyn Write, path: &str) -> std::io::Result<()> {
    if path.starts_with('"') || path.chars().any(char::is_control) {
        writeln!(to, "{}", serde_json::Value::from(path))
    } else {
        writeln!(to, "{path}")
    }
}

/// Reads paths, line by line; empty lines are none.
#[derive(Debug)]
pub struct Paths<R> {
    from: R,
    line: usize,
}

impl<R: BufRead> Paths<R> {
    /// The paths in `from`.
    pub fn new(from: R) -> Self {
        Self { from, line: 0 }
    }

    fn read(&mut self) -> Result<Option<String>> {
        loop {
            let mut line = Vec::new();
            let read = self
                .from
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            let bad = |expected: &str| Error::BadList {
                line: self.line,
                expected: expected.to_owned(),
            };
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if read as u64 == MAX_LINE {
                return Err(bad("a path of at most 32 KiB"));
            }
            let line = String::from_utf8(line).map_err(|_| bad("a path in UTF-8"))?;
            // As lists from Windows come: a mark at the beginning, two characters at the end of a line. A path that ends in
            // the first of these is written as JSON.
            let line = line.strip_suffix('\r').unwrap_or(&line);
            let line = match line.strip_prefix('\u{feff}') {
                Some(behind_mark) if self.line == 1 => behind_mark,
                _ => line,
            };
            let path = if line.starts_with('"') {
                serde_json::from_str(line).map_err(|_| bad("a JSON string"))?
            } else {
                line.to_owned()
            };
            if !path.is_empty() {
                return Ok(Some(path));
            }
        }
    }
}

impl<R: BufRead> Iterator for Paths<R> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_a_line_and_is_read_back() {
        let paths = [
            "a/b.mp3",
            " x .flac",
            "\"quoted\".ogg",
            "two\nlines\r.wav",
            "ü",
        ];
        let mut lines = Vec::new();
        for path in paths {
            write(&mut lines, path).unwrap();
        }
        lines.extend(b"\n\nlast");
        let read: Vec<_> = Paths::new(&lines[..]).map(Result::unwrap).collect();
        assert_eq!(read[..5], paths);
        assert_eq!(read[5], "last");
    }

    #[test]
    fn a_list_from_windows_is_the_same() {
        let list = "\u{feff}a.mp3\r\n\r\nb.mp3\r\n";
        let read: Vec<_> = Paths::new(list.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read, ["a.mp3", "b.mp3"]);
    }

    #[test]
    fn a_line_that_is_no_path_is_named() {
        let long = "x".repeat(40_000);
        for (text, expected) in [
            (&b"ok\n\"broken\n"[..], "line 2"),
            (&b"caf\xe9\n"[..], "UTF-8"),
            (long.as_bytes(), "32 KiB"),
        ] {
            let error = Paths::new(text).find_map(Result::err).unwrap();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
