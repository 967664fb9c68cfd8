//! Finds out in which encoding a page is, and turns it into UTF-8 while it comes.

use std::io::{self, Cursor, Read};

use encoding_rs::{Decoder, Encoding, UTF_8};

use crate::page::text::Fields;

/// What is known about a page's encoding after a look at its beginning.
#[derive(Debug)]
pub(crate) struct Charset {
    encoding: Option<&'static Encoding>,
    /// What was read to find out.
    begin: Vec<u8>,
}

/// As far as a page may take to name its encoding.
const LOOK: u64 = 1024;

impl Charset {
    /// The header decides, then a byte order mark, then the page itself.
    pub(crate) fn detect(content_type: Option<&str>, body: &mut impl Read) -> Self {
        let mut begin = Vec::new();
        // A failing body fails again when it is read in earnest.
        let _ = body.take(LOOK).read_to_end(&mut begin);
        let encoding = named(content_type.unwrap_or_default().as_bytes())
            .or_else(|| Encoding::for_bom(&begin).map(|(encoding, _)| encoding))
            .or_else(|| named(meta(&begin)));
        Self { encoding, begin }
    }

    /// The page in UTF-8, or with fields to be decoded one by one.
    pub(crate) fn decoded<R: Read>(self, body: R) -> (Fields, Body<R>) {
        let fields = if self.encoding.is_some() {
            Fields::Utf8
        } else {
            Fields::Guess
        };
        let decoder = self
            .encoding
            .filter(|encoding| *encoding != UTF_8)
            .map(Encoding::new_decoder_with_bom_removal);
        let body = Body {
            input: Cursor::new(self.begin).chain(body),
            decoder,
            ready: Vec::new(),
            given: 0,
            ended: false,
        };
        (fields, body)
    }
}

/// A page on its way to UTF-8.
pub(crate) struct Body<R> {
    input: io::Chain<Cursor<Vec<u8>>, R>,
    /// None for what is UTF-8 already.
    decoder: Option<Decoder>,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            return self.input.read(buffer);
        };
        while self.given == self.ready.len() && !self.ended {
            let mut raw = [0; 8192];
            let count = self.input.read(&mut raw)?;
            self.ended = count == 0;
            let room = decoder.max_utf8_buffer_length(count).unwrap_or(64 * 1024);
            self.ready.resize(room, 0);
            let (_, _, written, _) =
                decoder.decode_to_utf8(&raw[..count], &mut self.ready, self.ended);
            self.ready.truncate(written);
            self.given = 0;
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        buffer[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// The encoding that a `charset=` names.
pub(crate) fn named(text: &[u8]) -> Option<&'static Encoding> {
    let text = text.to_ascii_lowercase();
    let at = text.windows(8).position(|window| window == b"charset=")? + 8;
    let label: Vec<u8> = text[at..]
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '))
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(byte))
        .collect();
    Encoding::for_label(&label)
}

/// The first `<meta` that names one.
fn meta(begin: &[u8]) -> &[u8] {
    let lower = begin.to_ascii_lowercase();
    match lower.windows(5).position(|window| window == b"<meta") {
        Some(at) => &begin[at..],
        None => &[],
    }
}
