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
    /// Columns and rows that the open cell spans.
    span: (usize, u32),
    /// For each column, further rows that a cell above reaches into.
    reached: Vec<u32>,
    /// The same for cells of the row that is being read: first column, columns, rows.
    reaching: Vec<(usize, usize, u32)>,
    /// Open tables that are nested deeper than is kept track of.
    deeper: u64,
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

/// Bytes of a column's name that are kept.
const LONGEST_NAME: usize = 1_000;

/// Columns that an error names.
const NAMED: usize = 40;

/// Tables that may be open at once; where browsers stop, too.
const DEEPEST: usize = 512;

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
            span: (1, 1),
            reached: Vec::new(),
            reaching: Vec::new(),
            deeper: 0,
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
        let named = &self.names[..self.names.len().min(NAMED)];
        (!found).then(|| named.join(", "))
    }

    /// Whether what comes belongs to the list, or may become it.
    fn concerns(&self) -> bool {
        !self.closed
            && self.deeper == 0
            && !self.open.is_empty()
            && (self.list == 0 || self.open.len() == self.list)
    }

    /// A tag begins; whether a book that was open before it is complete now.
    pub(crate) fn start(&mut self, tag: &Tag) -> bool {
        if tag.name == b"table" {
            if self.open.len() == DEEPEST {
                self.deeper += 1;
                return false;
            }
            if !self.is_found() {
                self.row = Row::default();
                self.in_cell = false;
                self.reached.clear();
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
                self.span = (tag.span, tag.rows);
                while self
                    .reached
                    .get(self.row.columns)
                    .is_some_and(|rows| *rows > 0)
                {
                    self.row.columns += 1;
                }
                self.in_name = 0;
                self.cell.clear();
                self.cell_text.clear();
                self.link = None;
            }
            b"thead" | b"tbody" | b"tfoot" => {
                let complete = self.end_row();
                self.reached.clear();
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
        if name == b"table" && self.deeper > 0 {
            self.deeper -= 1;
            return false;
        }
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
                self.reached.clear();
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
        let (cell, most) = match (self.row.heading, self.in_name > 0) {
            (_, true) => (&mut self.cell, LONGEST_NAME),
            (true, false) => (&mut self.cell_text, LONGEST_NAME),
            (false, false) => (&mut self.cell_text, LONGEST_CELL),
        };
        let room = most.saturating_sub(cell.len()).min(value.len());
        cell.extend_from_slice(&value[..room]);
        true
    }

    fn end_cell(&mut self) {
        if !std::mem::take(&mut self.in_cell) {
            return;
        }
        let index = self.row.columns;
        let (columns, rows) = self.span;
        self.row.cells += 1;
        self.row.columns += columns;
        if rows > 1 && index < MOST_COLUMNS {
            self.reaching.push((index, columns, rows - 1));
        }
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
                for _ in 1..columns.min(MOST_COLUMNS - index) {
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
        if !row.open {
            return false;
        }
        self.reach();
        if !self.is_found() {
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

impl Table {
    /// A row ends: cells above it reach one row less, those of its own begin to reach.
    fn reach(&mut self) {
        for rows in &mut self.reached {
            *rows = rows.saturating_sub(1);
        }
        for (first, columns, rows) in self.reaching.drain(..) {
            let end = (first + columns).min(MOST_COLUMNS);
            if self.reached.len() < end {
                self.reached.resize(end, 0);
            }
            self.reached[first..end].fill(rows);
        }
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
        Field::Barcode => visible_into(text, &mut book.barcode),
        Field::Filename => {
            if let Some(barcode) = text.strip_suffix(ARCHIVE) {
                visible_into(barcode, &mut book.barcode);
            }
        }
        Field::Title => text.clone_into(&mut book.title),
        Field::Date(index) => date::iso_into(text, &mut book.dates[index]),
        Field::State => text.clone_into(&mut book.state),
        Field::Other => {}
    }
}

/// A barcode is a key: characters that cannot be seen would make another one of it.
fn visible_into(text: &str, barcode: &mut String) {
    if text.is_ascii() {
        text.clone_into(barcode);
        return;
    }
    let is_seen = |c: &char| {
        !matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        ) && !c.is_control()
    };
    barcode.clear();
    barcode.extend(text.chars().filter(is_seen));
}

fn has_class(classes: &[u8], wanted: &[u8]) -> bool {
    classes
        .split(u8::is_ascii_whitespace)
        .any(|class| class == wanted)
}
