//! A list page of GRIN: bytes in, books and the way to the next page out, in memory that does not grow with the page.

mod bounded;
mod decode;
mod links;
mod plain;
mod table;
mod text;

use std::io::Read;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{IoReader, Span, Tokenizer};

use crate::listed::ListedBook;
use crate::page::bounded::Bounded;
use crate::page::decode::Charset;
use crate::page::links::Links;
use crate::page::table::Table;

pub(crate) use plain::decode_text;

/// What a page said besides its books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageEnd {
    /// Books it named.
    pub books: u64,
    /// The `href` of its next link; none on the last page.
    pub next: Option<String>,
    /// Whether the page ends behind its list without the end of its document: a link to a next page may be missing.
    pub is_cut: bool,
}

/// Why a page is no page of the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The connection failed while the page came.
    #[error(transparent)]
    Web(#[from] web::Error),
    /// The page ends in the middle.
    #[error("the page ends in the middle, after {books} books")]
    Truncated {
        /// Books up to there.
        books: u64,
    },
    /// A page to sign in came instead.
    #[error("a page to sign in came instead of a list")]
    SignIn,
    /// GRIN says that it cannot answer.
    #[error("GRIN says that the request is unavailable")]
    Unavailable,
    /// Something else came.
    #[error("the page holds no list of books{}", quote(.begins))]
    NoTable {
        /// How its text begins.
        begins: String,
    },
    /// The list has no column of barcodes.
    #[error("the list has no column of barcodes, only: {columns}")]
    NoBarcodes {
        /// The columns it has.
        columns: String,
    },
    /// The list names no book.
    #[error("the list is empty")]
    Empty,
    /// The receiver of the books wants no more of them.
    #[error("reading of the page was stopped")]
    Unwanted,
}

/// Reads a page to its end and shows each book to `book` as it comes, until that says `false`.
///
/// `content_type` is the header of that name; the page itself may name its encoding, too.
///
/// # Errors
///
/// When it is no list, or not all of one. Books given out before stay valid.
pub fn read_page(
    body: impl Read,
    content_type: Option<&str>,
    mut book: impl FnMut(&ListedBook) -> bool,
) -> Result<PageEnd, PageError> {
    let mut body = body;
    let charset = Charset::detect(content_type, &mut body);
    let (encoding, mut body) = charset.decoded(body);
    let mut page = Page::new(encoding);
    let is_read = tokenize(&mut body, &mut |event| {
        !page.event(event) || book(page.table.complete())
    });
    if is_read {
        page.end()
    } else {
        Err(PageError::Unwanted)
    }
}

/// Shows each tag and text of a page to `event` until that says `false`; whether it never did.
///
/// By reference, since the tokenizer is large: it is built once for all that reads pages.
pub(crate) fn tokenize(
    body: &mut dyn Read,
    event: &mut dyn FnMut(&CallbackEvent<'_>) -> bool,
) -> bool {
    let mut emitter =
        CallbackEmitter::new(move |seen: CallbackEvent<'_>, _: Span<()>| -> Option<()> {
            (!event(&seen)).then_some(())
        });
    // What stands in scripts, styles, titles and text areas is text, whatever it looks like.
    emitter.naively_switch_states(true);
    let mut tokenizer = Tokenizer::new_with_emitter(IoReader::new(body), Bounded::new(emitter));
    // An error of reading is reported by the side that feeds the reader; here it is the end of the page.
    !matches!(tokenizer.next(), Some(Ok(())))
}

fn quote(begins: &str) -> String {
    if begins.is_empty() {
        String::new()
    } else {
        format!(", it begins with `{begins}`")
    }
}

/// Everything that is remembered between two events.
struct Page {
    table: Table,
    links: Links,
    tag: Tag,
    /// The attribute whose value comes next.
    attribute: Vec<u8>,
    outside: text::Outside,
    opened_html: bool,
    closed_html: bool,
}

/// More bytes than this are no label of a link. A guess: "next page" in any language takes fewer.
const LONGEST_LABEL: usize = 500;

/// A cell spans no more columns; what the HTML standard allows.
const MOST_SPANNED: usize = 1_000;

/// A cell spans no more rows; what the HTML standard allows.
const MOST_ROWS_SPANNED: u32 = 65_534;

/// The start tag that is being read.
#[derive(Debug, Default)]
pub(crate) struct Tag {
    pub(crate) name: Vec<u8>,
    pub(crate) class: Vec<u8>,
    pub(crate) href: Option<Vec<u8>>,
    pub(crate) kind: Vec<u8>,
    /// What a link says of itself: `rel`, `title`, `aria-label`, and the `alt` of its image.
    pub(crate) label: Vec<u8>,
    pub(crate) is_rel_next: bool,
    /// Columns that a cell spans.
    pub(crate) span: usize,
    /// Rows that it spans.
    pub(crate) rows: u32,
}

impl Page {
    fn new(encoding: text::Fields) -> Self {
        Self {
            table: Table::new(encoding),
            links: Links::default(),
            tag: Tag::default(),
            attribute: Vec::new(),
            outside: text::Outside::default(),
            opened_html: false,
            closed_html: false,
        }
    }

    /// Whether a book is complete with it.
    fn event(&mut self, event: &CallbackEvent<'_>) -> bool {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                set(&mut self.tag.name, name);
                self.tag.class.clear();
                self.tag.kind.clear();
                self.tag.label.clear();
                self.tag.is_rel_next = false;
                self.tag.span = 1;
                self.tag.rows = 1;
                self.tag.href = None;
                false
            }
            CallbackEvent::AttributeName { name } => {
                set(&mut self.attribute, name);
                false
            }
            CallbackEvent::AttributeValue { value } => {
                match self.attribute.as_slice() {
                    b"class" => set(&mut self.tag.class, value),
                    b"type" => set(&mut self.tag.kind, value),
                    b"title" | b"alt" | b"aria-label" if self.tag.label.len() < LONGEST_LABEL => {
                        self.tag.label.push(b' ');
                        self.tag.label.extend_from_slice(value);
                    }
                    b"rel" => {
                        let mut words = value.split(u8::is_ascii_whitespace);
                        self.tag.is_rel_next = words.any(|word| word.eq_ignore_ascii_case(b"next"));
                    }
                    b"colspan" => {
                        let columns = number(value).unwrap_or(1) as usize;
                        self.tag.span = columns.clamp(1, MOST_SPANNED);
                    }
                    b"rowspan" => {
                        self.tag.rows = match number(value) {
                            // All that follow.
                            Some(0) => MOST_ROWS_SPANNED,
                            Some(rows) => rows.min(MOST_ROWS_SPANNED),
                            None => 1,
                        };
                    }
                    b"href" | b"action" => self.tag.href = Some(value.to_vec()),
                    _ => {}
                }
                false
            }
            CallbackEvent::CloseStartTag { .. } => self.start_tag(),
            CallbackEvent::EndTag { name } => self.end_tag(name),
            CallbackEvent::String { value } => {
                self.links.text(value);
                if !self.table.text(value) {
                    self.outside.text(value);
                }
                false
            }
            _ => false,
        }
    }

    fn start_tag(&mut self) -> bool {
        let rows = self.table.rows();
        let tag = &self.tag;
        self.opened_html |= matches!(tag.name.as_slice(), b"html" | b"body");
        self.outside.start(tag, self.table.is_found());
        let found = self.table.start(tag);
        if self.table.rows() != rows {
            self.links.end_row(found);
        }
        match self.tag.name.as_slice() {
            b"a" => self.links.open(&self.tag, self.table.in_row()),
            b"link" if self.tag.is_rel_next => {
                self.links.open(&self.tag, false);
                self.links.close(false);
            }
            b"img" => self.links.text(&self.tag.label),
            _ => {}
        }
        found
    }

    fn end_tag(&mut self, name: &[u8]) -> bool {
        let rows = self.table.rows();
        self.closed_html |= matches!(name, b"html" | b"body");
        self.outside.end(name);
        if name == b"a" {
            self.links.close(self.table.in_row());
        }
        let found = self.table.end(name);
        if self.table.rows() != rows {
            self.links.end_row(found);
        }
        found
    }

    fn end(self) -> Result<PageEnd, PageError> {
        let books = self.table.books();
        if self.outside.is_unavailable() {
            return Err(PageError::Unavailable);
        }
        if !self.table.is_found() {
            return Err(match self.outside {
                outside if outside.is_sign_in() => PageError::SignIn,
                _ if self.table.is_open() => PageError::Truncated { books },
                outside => PageError::NoTable {
                    begins: outside.begins(),
                },
            });
        }
        // The way to the next page comes after the list; a page that was cut there must not pass for the last.
        let next = self.links.into_next();
        let is_cut = self.opened_html && !self.closed_html && next.is_none();
        if self.table.is_open() {
            return Err(PageError::Truncated { books });
        }
        if let Some(columns) = self.table.without_barcodes() {
            return Err(PageError::NoBarcodes { columns });
        }
        if books == 0 {
            return Err(PageError::Empty);
        }
        Ok(PageEnd {
            books,
            next,
            is_cut,
        })
    }
}

/// The number that an attribute's value begins with.
fn number(value: &[u8]) -> Option<u32> {
    let digits = value.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit());
    let digits = &digits[..end.unwrap_or(digits.len())];
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn set(place: &mut Vec<u8>, value: &[u8]) {
    place.clear();
    place.extend_from_slice(value);
}

#[cfg(test)]
mod tests;
