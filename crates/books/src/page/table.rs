//! The list itself: the innermost table with a heading row, read by the names in it.

use crate::date;
use crate::listed::ListedBook;
use crate::page::Tag;
use crate::page::text::Fields;

/// Which field of a book a column fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Barcode,
    /// A file name that begins with the barcode.
    Filename,
    Title,
    Date(usize),
    Link,
    State,
    /// A column without a name, or of no interest.
    Other,
}

/// What is being read.
#[derive(Debug, Default)]
struct Row {
    /// A heading, wherever it stands.
    heading: bool,
    /// In the body of the table, so that it may be a book.
    body: bool,
    cells: usize,
    /// Columns that its cells have taken so far.
    columns: usize,
    open: bool,
}

/// The state of the list. Tables nest; only the innermost counts.
#[derive(Debug)]
pub(crate) struct Table {
    fields: Fields,
    /// Per open table, whether its section is the body.
    open: Vec<Section>,
    /// Depth of the list among the open tables, from 1; 0 before it is found.
    list: usize,
    closed: bool,
    columns: Vec<Field>,
    names: Vec<String>,
    row: Row,
    /// The book that is being read.
    book: ListedBook,
    /// The last one that was read.
    complete: ListedBook,
    /// Text of the open cell, or of the name in a heading's cell.
    cell: Vec<u8>,
    link: Option<Vec<u8>>,
    in_cell: bool,
    /// How deep in the element that holds a column's name.
    in_name: usize,
    /// Whether the names stand in elements of their own.
    named: bool,
    cell_text: Vec<u8>,
    /// Columns that the open cell spans.
    span: usize,
    /// Rows that have ended, and those of them that are books.
    rows: u64,
    books: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Head,
    Body,
    Foot,
}

/// A cell longer than this is cut; no title is.
const LONGEST_CELL: usize = 64 * 1024;

/// More columns than this are no list; the widest form of GRIN's has some thirty.
const MOST_COLUMNS: usize = 1_000;

/// What ends the name of an archive.
const ARCHIVE: &str = ".tar.gz.gpg";

impl Table {
    pub(crate) fn new(fields: Fields) -> Self {
        Self {
            fields,
            open: Vec::new(),
            list: 0,
            closed: false,
            columns: Vec::new(),
            names: Vec::new(),
            row: Row::default(),
            book: ListedBook::default(),
            complete: ListedBook::default(),
            cell: Vec::new(),
            link: None,
            in_cell: false,
            in_name: 0,
            named: false,
            cell_text: Vec::new(),
            span: 1,
            rows: 0,
            books: 0,
        }
    }

    /// Rows of the list that have ended so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Books given out so far.
    pub(crate) fn books(&self) -> u64 {
        self.books
    }

    /// The book that was complete last.
    pub(crate) fn complete(&self) -> &ListedBook {
        &self.complete
    }

    /// Whether a list has begun.
    pub(crate) fn is_found(&self) -> bool {
        self.list > 0
    }

    /// Whether the list, or before it is found any table, has not ended.
    pub(crate) fn is_open(&self) -> bool {
        if self.is_found() {
            !self.closed
        } else {
            !self.open.is_empty()
        }
    }

    /// Whether the reader is inside of a row of the list.
    pub(crate) fn in_row(&self) -> bool {
        self.row.open && self.is_found()
    }

    /// The names of the columns, if none of them holds barcodes.
    pub(crate) fn without_barcodes(&self) -> Option<String> {
        let found = self
            .columns
            .iter()
            .any(|field| matches!(field, Field::Barcode | Field::Filename));
        (!found).then(|| self.names.join(", "))
    }

    /// Whether what comes belongs to the list, or may become it.
    fn concerns(&self) -> bool {
        !self.closed && !self.open.is_empty() && (self.list == 0 || self.open.len() == self.list)
    }

    /// A tag begins; whether a book that was open before it is complete now.
    pub(crate) fn start(&mut self, tag: &Tag) -> bool {
        if tag.name == b"table" {
            if !self.is_found() {
                self.row = Row::default();
                self.in_cell = false;
            }
            self.open.push(Section::Body);
            return false;
        }
        if !self.concerns() {
            return false;
        }
        match tag.name.as_slice() {
            b"tr" => {
                let complete = self.end_row();
                let body = self.open.last() == Some(&Section::Body);
                let heading = has_class(&tag.class, b"heading");
                if heading && !self.is_found() {
                    self.list = self.open.len();
                }
                self.row = Row {
                    heading,
                    body,
                    open: true,
                    cells: 0,
                    columns: 0,
                };
                self.book.clear();
                return complete;
            }
            b"td" | b"th" if self.row.open => {
                self.end_cell();
                self.in_cell = true;
                self.span = tag.span;
                self.in_name = 0;
                self.cell.clear();
                self.cell_text.clear();
                self.link = None;
            }
            b"thead" | b"tbody" | b"tfoot" => {
                let complete = self.end_row();
                if let Some(section) = self.open.last_mut() {
                    *section = match tag.name[1] {
                        b'h' => Section::Head,
                        b'f' => Section::Foot,
                        _ => Section::Body,
                    };
                }
                return complete;
            }
            b"span"
                if self.in_cell
                    && self.row.heading
                    && (self.in_name > 0 || has_class(&tag.class, b"hd3")) =>
            {
                self.in_name += 1;
            }
            b"a" if self.in_cell && self.link.is_none() => self.link.clone_from(&tag.href),
            _ => {}
        }
        false
    }

    /// A tag ends; whether a book is complete with it.
    pub(crate) fn end(&mut self, name: &[u8]) -> bool {
        if name == b"table" {
            let list = self.is_found() && self.open.len() == self.list && !self.closed;
            let complete = list && self.end_row();
            self.closed |= list;
            self.open.pop();
            return complete;
        }
        if !self.concerns() {
            return false;
        }
        match name {
            b"td" | b"th" => self.end_cell(),
            b"tr" => return self.end_row(),
            b"thead" | b"tbody" | b"tfoot" => {
                let complete = self.end_row();
                if let Some(section) = self.open.last_mut() {
                    *section = Section::Body;
                }
                return complete;
            }
            b"span" => self.in_name = self.in_name.saturating_sub(1),
            _ => {}
        }
        false
    }

    /// Text; whether it belongs to a cell of the list.
    pub(crate) fn text(&mut self, value: &[u8]) -> bool {
        if !self.in_cell || !self.is_found() || self.closed {
            return false;
        }
        if self.in_name > 0 && self.cell.len() < LONGEST_CELL {
            self.cell.extend_from_slice(value);
        } else if self.cell_text.len() < LONGEST_CELL {
            self.cell_text.extend_from_slice(value);
        }
        true
    }

    fn end_cell(&mut self) {
        if !std::mem::take(&mut self.in_cell) {
            return;
        }
        let index = self.row.columns;
        self.row.cells += 1;
        self.row.columns += self.span;
        if !self.is_found() {
            return;
        }
        if self.row.heading {
            if self.columns.len() <= index && index < MOST_COLUMNS {
                self.named |= !self.cell.is_empty();
                let bytes = if self.cell.is_empty() {
                    &self.cell_text
                } else {
                    &self.cell
                };
                self.names.push(self.fields.text(bytes).into_owned());
                self.columns.push(if self.cell.is_empty() {
                    Field::Other
                } else {
                    field_of(&self.fields.text(&self.cell))
                });
                // Columns that a heading spans beside its first one have no name of their own.
                for _ in 1..self.span.min(MOST_COLUMNS - index) {
                    self.names.push(String::new());
                    self.columns.push(Field::Other);
                }
            }
        } else if self.row.body
            && let Some(field) = self.columns.get(index)
        {
            fill(
                &mut self.book,
                *field,
                &self.fields.text(&self.cell_text),
                &self.fields.text(self.link.as_deref().unwrap_or_default()),
            );
        }
    }

    fn end_row(&mut self) -> bool {
        self.end_cell();
        let row = std::mem::take(&mut self.row);
        if !row.open || !self.is_found() {
            return false;
        }
        self.rows += 1;
        if row.heading {
            // Pages without the elements that usually hold the names have them as plain text.
            if !self.named {
                self.columns = self.names.iter().map(|name| field_of(name)).collect();
            }
            return false;
        }
        let is_book = row.body && row.cells >= 2 && !self.book.barcode.is_empty();
        if is_book {
            self.books += 1;
            std::mem::swap(&mut self.book, &mut self.complete);
        }
        is_book
    }
}

/// Which field a column fills, by its name.
fn field_of(name: &str) -> Field {
    let key = name
        .to_lowercase()
        .replace([' ', '-'], "_")
        .replace('\'', "");
    match key.as_str() {
        "barcode" => return Field::Barcode,
        "filename" => return Field::Filename,
        _ => {}
    }
    let dates = [
        "scanned",
        "converted",
        "downloaded",
        "processed",
        "analyzed",
        "ocr",
    ];
    if key.contains("title") {
        return Field::Title;
    }
    if let Some(index) = dates.iter().position(|word| key.contains(word)) {
        return Field::Date(index);
    }
    if key.contains("google") || key.contains("books") {
        return Field::Link;
    }
    if key.contains("state") || key.contains("status") {
        return Field::State;
    }
    Field::Other
}

/// Empty cells fill nothing.
fn fill(book: &mut ListedBook, field: Field, text: &str, href: &str) {
    match field {
        Field::Link => {
            let link = if href.is_empty() { text } else { href };
            if link.contains("http") {
                link.clone_into(&mut book.link);
            }
        }
        _ if text.is_empty() => {}
        Field::Barcode => text.clone_into(&mut book.barcode),
        Field::Filename => {
            if let Some(barcode) = text.strip_suffix(ARCHIVE) {
                barcode.clone_into(&mut book.barcode);
            }
        }
        Field::Title => text.clone_into(&mut book.title),
        Field::Date(index) => date::iso_into(text, &mut book.dates[index]),
        Field::State => text.clone_into(&mut book.state),
        Field::Other => {}
    }
}

fn has_class(classes: &[u8], wanted: &[u8]) -> bool {
    classes
        .split(u8::is_ascii_whitespace)
        .any(|class| class == wanted)
}
