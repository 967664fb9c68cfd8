//! Text that is no page, in whatever encoding it comes.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};

use crate::page::decode::named;

/// The text, by the encoding that `content_type` names, a byte order mark, or what its bytes are. Characters of zero are
/// left out: no text of a book shows them.
pub(crate) fn decode_text<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    let named = named(content_type.unwrap_or_default().as_bytes());
    let marked = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    let text = match (marked.or(named), std::str::from_utf8(body)) {
        (Some(encoding), _) => encoding.decode(body).0,
        (None, Ok(text)) => Cow::Borrowed(text),
        (None, Err(_)) => WINDOWS_1252.decode_without_bom_handling(body).0,
    };
    if text.contains('\0') {
        return Cow::Owned(text.replace('\0', ""));
    }
    text
}
