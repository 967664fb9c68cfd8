//! GRIN's lists about conversions: what is converted, what is being converted, what cannot be.

use std::collections::{HashMap, HashSet};

use html5gum::emitters::callback::CallbackEvent;

use crate::catalogue::pass::KnownPage;
use crate::collect::fetch::{Batch, Fetched, Wanted, fetch};
use crate::collect::last::{self, Listed};
use crate::error::{Error, beginning};
use crate::event::Event;
use crate::listed::Books;
use crate::page::{PageError, tokenize};
use crate::sync::is_barcode;
use crate::work::{Work, patiently};

/// The list of converted books.
const CONVERTED: &str = "_converted";

/// Books asked for on one page of a list.
const PER_PAGE: u32 = 50_000;

/// Pages of one list. GRIN's own queue holds 50,000 books.
const MOST_PAGES: u32 = 1_000;

/// Bytes of a list that comes in one piece: half a million lines of the longest kind.
const LONGEST_LIST: usize = 256 << 20;

/// Which books are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "args", derive(clap::ValueEnum))]
pub enum Queue {
    /// Those that GRIN has converted.
    Converted,
    /// Those that GRIN had converted once, and does not keep.
    Previous,
    /// Those that were never converted.
    Unconverted,
    /// Those that are stored in another version than GRIN's.
    Changed,
}

impl Queue {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Previous => "previous",
            Self::Unconverted => "unconverted",
            Self::Changed => "changed",
        }
    }
}

/// Barcodes of all books that GRIN has converted. A list that breaks off is an error, never a short list.
pub(super) async fn converted(work: &Work<'_>) -> Result<Vec<String>, Error> {
    let mut address = format!("{CONVERTED}?result_count={PER_PAGE}");
    let mut barcodes: Vec<String> = Vec::new();
    let mut pages: Vec<KnownPage> = Vec::new();
    for _ in 0..MOST_PAGES {
        if pages.iter().any(|page| page.address == address) {
            return Err(Error::Loop {
                reason: format!("the list of converted books leads back to `{address}`"),
            });
        }
        let mut fetched = match page_of(work, &address).await {
            Ok(fetched) => fetched,
            // A list with its headings and without a line says that nothing is converted.
            Err(Error::Page(PageError::Empty)) if pages.is_empty() => return Ok(barcodes),
            Err(error) => return Err(error),
        };
        if fetched.page.next.is_none() {
            let books = barcodes.len() as u64;
            let listed = Listed::new(CONVERTED, &pages, books, &address, &address, &fetched);
            last::prove(work, listed, &address, &mut fetched).await?;
        }
        barcodes.extend(fetched.rest.iter().map(|[barcode, ..]| barcode.to_owned()));
        let Some(link) = fetched.page.next else {
            return Ok(barcodes);
        };
        let next = work.grin.relative(&address, &link)?;
        pages.push(KnownPage {
            address: std::mem::replace(&mut address, next),
            books: fetched.page.books,
            first_barcode: fetched.page.first_barcode,
            last_barcode: fetched.page.last_barcode,
        });
    }
    Err(Error::Loop {
        reason: format!("the list of converted books has more than {MOST_PAGES} pages"),
    })
}

/// The page at `address` with all its books.
async fn page_of(work: &Work<'_>, address: &str) -> Result<Fetched, Error> {
    let name = "the list of converted books";
    patiently(
        work.grin,
        work.cancel,
        |error, pause| repeated(work, name, error, pause.as_secs_f64()),
        || async {
            let mut books = Books::default();
            let record = async |batch: Batch, _| {
                books.append(batch.books);
                Ok(())
            };
            let mut fetched = fetch(work.grin, address, Wanted::default(), record).await?;
            books.append(std::mem::take(&mut fetched.rest));
            fetched.rest = books;
            Ok(fetched)
        },
    )
    .await
}

fn repeated(work: &Work<'_>, item: &str, error: &Error, pause_seconds: f64) {
    (work.tell)(&Event::RequestRepeated {
        item: item.to_owned(),
        reason: error.to_string(),
        pause_seconds,
    });
}

/// A list that comes as text, whole.
async fn text(work: &Work<'_>, address: &str) -> Result<String, Error> {
    let bytes = patiently(
        work.grin,
        work.cancel,
        |error, pause| repeated(work, address, error, pause.as_secs_f64()),
        || async {
            let answer = work.grin.get(&work.grin.url(address)?).await?;
            Ok(answer.bytes(LONGEST_LIST).await?)
        },
    )
    .await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The list of books that are being converted.
pub(super) const IN_PROCESS: &str = "_in_process?format=text";

/// Barcodes of books that are being converted.
pub(super) async fn in_process(work: &Work<'_>) -> Result<HashSet<String>, Error> {
    let text = text(work, IN_PROCESS).await?;
    if text.trim_start().starts_with('<') {
        return Err(Error::Answer {
            reason: "a page came instead of the list of books in process".to_owned(),
        });
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let barcodes = lines.map(|line| line.strip_suffix(".tar.gz.gpg").unwrap_or(line));
    let read = |text: &str| {
        let foreign = || Error::Answer {
            reason: format!("`{}` is in the list of books in process", beginning(text)),
        };
        is_barcode(text)
            .then(|| text.to_owned())
            .ok_or_else(foreign)
    };
    barcodes.map(read).collect()
}

/// Why GRIN could not convert a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FailedConversion {
    pub(super) date: String,
    pub(super) info: String,
    pub(super) detail: String,
}

/// Books that GRIN could not convert.
pub(super) async fn failed(work: &Work<'_>) -> Result<HashMap<String, FailedConversion>, Error> {
    let page = text(work, "_failed?result_count=-1").await?;
    failed_in(&page).ok_or_else(|| Error::Answer {
        reason:
            "a page without a column of barcodes came instead of the list of failed conversions"
                .to_owned(),
    })
}

/// `None` for a page that has no column of barcodes, which says nothing about books.
fn failed_in(page: &str) -> Option<HashMap<String, FailedConversion>> {
    let mut failed = HashMap::new();
    let mut columns: Option<[Option<usize>; 4]> = None;
    for row in rows(page) {
        let at = |name: &str| row.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        if at("Barcode").is_some() {
            columns = Some([
                at("Barcode"),
                at("Convert Failed Date"),
                at("Convert Failed Info"),
                at("Detailed Convert Failed Info"),
            ]);
            continue;
        }
        let Some(at) = columns else { continue };
        let [barcode, date, info, detail] = at.map(|column| {
            column
                .and_then(|column| row.get(column))
                .cloned()
                .unwrap_or_default()
        });
        if !barcode.is_empty() {
            failed.insert(barcode, FailedConversion { date, info, detail });
        }
    }
    columns.map(|_| failed)
}

/// The texts of all cells of all rows of a page's tables.
fn rows(page: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut in_cell = false;
    tokenize(&mut page.as_bytes(), &mut |event| {
        match event {
            CallbackEvent::OpenStartTag { name } => match *name {
                b"tr" => {
                    rows.push(Vec::new());
                    in_cell = false;
                }
                b"td" | b"th" => {
                    in_cell = true;
                    if let Some(row) = rows.last_mut() {
                        row.push(String::new());
                    }
                }
                _ => {}
            },
            CallbackEvent::EndTag {
                name: b"td" | b"th" | b"tr",
            } => in_cell = false,
            CallbackEvent::String { value } if in_cell => {
                if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                    cell.push_str(String::from_utf8_lossy(value).trim());
                }
            }
            _ => {}
        }
        true
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_conversions_are_read_by_their_headings() {
        let page = "<table><tr class=heading><td><span class=hd3>Title</span><td><span class=hd3>Barcode</span>\
            <td><span>Convert Failed Date</span><td>Convert Failed Info<td>Detailed Convert Failed Info</tr>\
            <tr><td>A &amp; B<td>320<td>2016/05/24 03:07<td>IMAGE_ERROR<td>page 7</table>";
        let failed = failed_in(page).unwrap();
        let expected = FailedConversion {
            date: "2016/05/24 03:07".into(),
            info: "IMAGE_ERROR".into(),
            detail: "page 7".into(),
        };
        assert_eq!(failed.get("320"), Some(&expected));
        assert_eq!(failed.len(), 1);
        let none = "<table><tr><td>Title<td>Barcode</table>";
        assert_eq!(failed_in(none), Some(HashMap::new()));
        assert_eq!(failed_in("<p>Sorry</p>"), None);
    }
}
