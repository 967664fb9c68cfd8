//! Text that a terminal shows and does not obey.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// What moves the cursor, changes colours or titles, breaks lines, or shows text in another order than it has.
fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line as text: one line, and nothing in it that a terminal would obey.
pub(crate) fn printable(line: &str) -> Cow<'_, str> {
    if !line.contains(is_command) {
        return Cow::Borrowed(line);
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_command(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// The same JSON, with escapes in place of what a terminal would obey; serde has escaped the ASCII part.
pub(super) fn json(line: &str) -> Cow<'_, str> {
    if !line.contains(is_command) {
        return Cow::Borrowed(line);
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_command(c) {
            // All of them are in the first plane, so each is one unit of UTF-16.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Shows data on a terminal: its lines and tabs, and whatever else would be obeyed as an escape.
pub(super) struct Escaped<W> {
    out: W,
    /// The first byte of U+0080 to U+00BF was last, and the second decides.
    after_c2: bool,
}

impl<W: Write> Escaped<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            after_c2: false,
        }
    }
}

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shown = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            match (std::mem::take(&mut self.after_c2), byte) {
                (true, 0x80..=0x9f) => shown.extend(format!("\\u{{{byte:x}}}").into_bytes()),
                (true, _) => shown.extend([0xc2, byte]),
                (false, 0xc2) => self.after_c2 = true,
                (false, b'\n' | b'\t' | b'\r' | 0x20..=0x7e | 0x80..) => shown.push(byte),
                (false, _) => shown.extend(format!("\\u{{{byte:x}}}").into_bytes()),
            }
        }
        self.out.write_all(&shown)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_of_text_whatever_a_file_is_called() {
        assert_eq!(printable("雨の駅/01 é.mp3"), "雨の駅/01 é.mp3");
        assert_eq!(printable("a\nb\x1b[31m.mp3"), "a\\nb\\u{1b}[31m.mp3");
        assert_eq!(printable("\u{9b}31m\u{202e}3pm"), "\\u{9b}31m\\u{202e}3pm");
    }

    #[test]
    fn json_on_a_terminal_means_the_same() {
        let text = "a\u{7f}\u{85}\u{9b}31m \u{202e}\u{1b}\n雨";
        let line = serde_json::to_string(text).unwrap();
        let shown = json(&line);
        assert!(!shown.contains(is_command), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

    #[test]
    fn data_on_a_terminal_is_text_wherever_it_is_cut() {
        let text = "a,é\u{9b}31m,\u{1b}[0m\u{7f}\r\n雨\u{a0}";
        for cut in 0..=text.len() {
            let mut shown = Escaped::new(Vec::new());
            shown.write_all(&text.as_bytes()[..cut]).unwrap();
            shown.write_all(&text.as_bytes()[cut..]).unwrap();
            let shown = String::from_utf8(shown.out).unwrap();
            assert_eq!(shown, "a,é\\u{9b}31m,\\u{1b}[0m\\u{7f}\r\n雨\u{a0}");
        }
    }
}
