//! Text of a page: fields in their encoding, and what stands outside of the list.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::page::Tag;

/// How the bytes of a field become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fields {
    /// UTF-8 for sure, or made so before.
    Utf8,
    /// Not named: UTF-8 if the bytes are valid as such, else the encoding that old pages have.
    Guess,
}

impl Fields {
    /// The field as text, without blanks around it, nor the characters of zero that a page's text never shows.
    pub(crate) fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        if bytes.contains(&0) {
            let shown: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
            return Cow::Owned(self.text(&shown).into_owned());
        }
        let text = match (std::str::from_utf8(bytes), self) {
            (Ok(text), _) => return Cow::Borrowed(text.trim()),
            (Err(_), Fields::Utf8) => String::from_utf8_lossy(bytes),
            (Err(_), Fields::Guess) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        };
        Cow::Owned(text.trim().to_owned())
    }
}

/// Enough of the text outside of the list to tell what a page is that has none.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    text: String,
    in_script: bool,
    wants_password: bool,
}

/// Bytes of text that are kept.
const KEPT: usize = 4096;

/// Bytes of text that are shown.
const SHOWN: usize = 80;

impl Outside {
    /// A tag begins. Once a list has begun, it no longer matters what else the page may be.
    pub(crate) fn start(&mut self, tag: &Tag, is_list: bool) {
        match tag.name.as_slice() {
            b"script" | b"style" => self.in_script = true,
            _ if is_list => {}
            b"input" => self.wants_password |= tag.kind.eq_ignore_ascii_case(b"password"),
            b"form" | b"a" => {
                let target = tag.href.as_deref().unwrap_or_default();
                let target = String::from_utf8_lossy(target);
                self.wants_password |= target.contains("accounts.google.com")
                    || target.to_ascii_lowercase().contains("servicelogin");
            }
            _ => {}
        }
    }

    /// A tag ends.
    pub(crate) fn end(&mut self, name: &[u8]) {
        if matches!(name, b"script" | b"style") {
            self.in_script = false;
        }
    }

    /// Text that is no field.
    pub(crate) fn text(&mut self, value: &[u8]) {
        let blank = value.iter().all(u8::is_ascii_whitespace);
        if blank || self.in_script || self.text.len() >= KEPT {
            return;
        }
        for word in String::from_utf8_lossy(value).split_whitespace() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
    }

    /// Whether GRIN says that it cannot answer.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.text.contains("Your request is unavailable")
    }

    /// Whether the page asks to sign in.
    pub(crate) fn is_sign_in(&self) -> bool {
        let text = self.text.to_lowercase();
        self.wants_password || text.starts_with("sign in") || text.contains("sign in to continue")
    }

    /// How the text begins.
    pub(crate) fn begins(&self) -> String {
        let mut end = self.text.len().min(SHOWN);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        self.text[..end].to_owned()
    }
}
