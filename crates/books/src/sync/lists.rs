//! GRIN's lists about conversions: what is converted, what is being converted, what cannot be.

use std::collections::{HashMap, HashSet};

use html5gum::{Token, Tokenizer};

use crate::collect::fetch::{Wanted, fetch};
use crate::error::Error;
use crate::event::Event;
use crate::page::PageError;
use crate::work::{Work, patiently};

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
    let mut address = format!("_converted?result_count={PER_PAGE}");
    let mut barcodes = Vec::new();
    let mut seen = HashSet::new();
    for _ in 0..MOST_PAGES {
        if !seen.insert(address.clone()) {
            return Err(Error::Loop {
                reason: format!("the list of converted books leads back to `{address}`"),
            });
        }
        let mut page = Vec::new();
        let result = patiently(
            work.grin,
            work.cancel,
            |error, pause| {
                repeated(
                    work,
                    "the list of converted books",
                    error,
                    pause.as_secs_f64(),
                );
            },
            || async {
                let mut books = Vec::new();
                let fetched = fetch(work.grin, &address, Wanted::default(), async |batch, _| {
                    books.extend(batch.books.iter().map(|[barcode, ..]| barcode.to_owned()));
                    Ok(())
                })
                .await?;
                books.extend(fetched.rest.iter().map(|[barcode, ..]| barcode.to_owned()));
                Ok((books, fetched.page.next))
            },
        )
        .await;
        let next = match result {
            Ok((books, next)) => {
                page.extend(books);
                next
            }
            // A list with its headings and without a line says that nothing is converted.
            Err(Error::Page(PageError::Empty)) if barcodes.is_empty() => None,
            Err(error) => return Err(error),
        };
        barcodes.append(&mut page);
        match next {
            Some(link) => address = work.grin.relative(&address, &link)?,
            None => return Ok(barcodes),
        }
    }
    Err(Error::Loop {
        reason: format!("the list of converted books has more than {MOST_PAGES} pages"),
    })
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

/// Barcodes of books that are being converted.
pub(super) async fn in_process(work: &Work<'_>) -> Result<HashSet<String>, Error> {
    let text = text(work, "_in_process?format=text").await?;
    if text.trim_start().starts_with('<') {
        return Err(Error::Answer {
            reason: "a page came instead of the list of books in process".to_owned(),
        });
    }
    let barcodes = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let barcodes = barcodes.map(|line| line.strip_suffix(".tar.gz.gpg").unwrap_or(line));
    Ok(barcodes.map(str::to_owned).collect())
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
    Ok(failed_in(&page))
}

fn failed_in(page: &str) -> HashMap<String, FailedConversion> {
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
        let Some(columns) = columns else { continue };
        let [barcode, date, info, detail] = columns.map(|column| {
            column
                .and_then(|column| row.get(column))
                .cloned()
                .unwrap_or_default()
        });
        if !barcode.is_empty() {
            failed.insert(barcode, FailedConversion { date, info, detail });
        }
    }
    failed
}

/// The texts of all cells of all rows of a page's tables.
fn rows(page: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut in_cell = false;
    for token in Tokenizer::new(page).flatten() {
        match token {
            Token::StartTag(tag) => match &**tag.name {
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
            Token::EndTag(tag) if matches!(&**tag.name, b"td" | b"th" | b"tr") => in_cell = false,
            Token::String(text) if in_cell => {
                if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                    cell.push_str(String::from_utf8_lossy(&text).trim());
                }
            }
            _ => {}
        }
    }
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
        let failed = failed_in(page);
        let expected = FailedConversion {
            date: "2016/05/24 03:07".into(),
            info: "IMAGE_ERROR".into(),
            detail: "page 7".into(),
        };
        assert_eq!(failed.get("320"), Some(&expected));
        assert_eq!(failed.len(), 1);
        assert!(failed_in("<p>Sorry</p>").is_empty());
    }
}
