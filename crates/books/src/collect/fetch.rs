//! One page: bytes from the network, books on their way to the database, at the same time.

use std::io::{self, Read};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use web::{Answer, Bytes};

use crate::catalogue::pass::ReadPage;
use crate::error::Error;
use crate::grin::Grin;
use crate::listed::Books;
use crate::page::{PageEnd, PageError, read_page};

/// Books of a page's first transaction: few, so that writing begins soon, and never so few that a page takes more than
/// one transaction per thousand books.
const FIRST_BATCH: usize = 2_000;

/// Books of the further ones: fewer transactions write fewer pages of the file twice.
const BATCH: usize = 8_000;

/// Pieces of a page that wait to be read; some 16 KiB each.
const PIECES: usize = 64;

/// A page whose books are recorded but for the last ones.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) page: ReadPage,
    /// Books to be recorded together with the page's end.
    pub(crate) rest: Books,
    /// Whether the limit was reached before the page's end.
    pub(crate) limited: bool,
    /// Whether the page begins with the book that was expected; that book is left out.
    pub(crate) joins: bool,
    /// Books that the page named, with the one that was left out.
    pub(crate) named: u64,
    /// Whether the page ends behind its list, where a link to a next one may have been.
    pub(crate) is_cut: bool,
}

/// What of a page is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// Books at most.
    pub(crate) room: Option<u64>,
    /// The book that the page should begin with, known from the page before it.
    pub(crate) anchor: Option<&'a str>,
}

/// What the thread that reads the page sends.
pub(crate) struct Batch {
    pub(crate) books: Books,
    /// More follow, so that these can be recorded at once.
    is_full: bool,
    /// Whether the page began with the book that was expected.
    pub(crate) joins: bool,
}

/// Fetches the page at `address`; `record` is called with batches of its books while it comes, and the number of books
/// up to the end of the batch.
pub(crate) async fn fetch(
    grin: &Grin,
    address: &str,
    wanted: Wanted<'_>,
    record: impl AsyncFnMut(Batch, u64) -> Result<(), Error>,
) -> Result<Fetched, Error> {
    let mut answer = grin.get(&grin.url(address)?).await?;
    let content_type = answer.header("content-type").map(str::to_owned);
    let (pieces, body) = channel(PIECES);
    let (batches, read) = channel(1);
    let (room, anchor) = (wanted.room, wanted.anchor.map(str::to_owned));
    let reading = tokio::task::spawn_blocking(move || {
        let body = Body {
            pieces: body,
            piece: Bytes::new(),
        };
        read_books(
            body,
            content_type.as_deref(),
            room,
            anchor.as_deref(),
            &batches,
        )
    });
    let (fed, recorded) = tokio::join!(feed(&mut answer, pieces), take(read, record));
    let reading = reading.await.map_err(|_| Error::Gone("reading a page"))?;
    let taken = recorded?;
    // An answer that broke off is the cause, a page without its end only the effect.
    fed?;
    let (end, books, limited) = match reading {
        Ok((end, books)) => (end, books, false),
        Err((PageError::Unwanted, books)) => {
            let end = PageEnd {
                books,
                next: None,
                is_cut: false,
            };
            (end, books, true)
        }
        Err((error, _)) => return Err(error.into()),
    };
    let named = end.books;
    Ok(Fetched {
        page: ReadPage {
            address: address.to_owned(),
            books,
            first_barcode: taken.first,
            last_barcode: taken.last,
            next: end.next,
        },
        rest: taken.rest,
        limited,
        joins: taken.joins,
        named,
        is_cut: end.is_cut,
    })
}

/// Hands the body on as it comes.
async fn feed(answer: &mut Answer, pieces: Sender<Bytes>) -> Result<(), web::Error> {
    while let Some(piece) = answer.chunk().await? {
        if pieces.send(piece).await.is_err() {
            // The reader has enough.
            break;
        }
    }
    Ok(())
}

/// What is left of a page when its batches are recorded.
#[derive(Default)]
struct Taken {
    rest: Books,
    first: String,
    last: String,
    joins: bool,
}

/// Records every batch but the page's last books, which belong to its end.
async fn take(
    mut read: Receiver<Batch>,
    mut record: impl AsyncFnMut(Batch, u64) -> Result<(), Error>,
) -> Result<Taken, Error> {
    let mut taken = Taken::default();
    let mut count = 0;
    while let Some(batch) = read.recv().await {
        if let Some((begin, end)) = batch.books.first_and_last() {
            if taken.first.is_empty() {
                begin.clone_into(&mut taken.first);
            }
            end.clone_into(&mut taken.last);
        }
        taken.joins = batch.joins;
        if batch.is_full {
            count += batch.books.len() as u64;
            record(batch, count).await?;
        } else {
            taken.rest = batch.books;
        }
    }
    Ok(taken)
}

/// Reads the page and sends its books in batches; with its end, or the failure, the number of books sent.
fn read_books(
    body: Body,
    content_type: Option<&str>,
    room: Option<u64>,
    anchor: Option<&str>,
    batches: &Sender<Batch>,
) -> Result<(PageEnd, u64), (PageError, u64)> {
    let mut books = Books::default();
    let (mut count, mut full) = (0, FIRST_BATCH);
    let (mut is_first, mut joins) = (true, anchor.is_none());
    let end = read_page(body, content_type, |book| {
        if std::mem::take(&mut is_first) && anchor == Some(book.barcode.as_str()) {
            joins = true;
            return true;
        }
        if room.is_some_and(|room| count >= room) {
            return false;
        }
        count += 1;
        if books.len() >= full {
            full = BATCH;
            let books = std::mem::take(&mut books);
            let is_full = true;
            let batch = Batch {
                books,
                is_full,
                joins,
            };
            if batches.blocking_send(batch).is_err() {
                return false;
            }
        }
        books.push(book);
        true
    });
    let is_full = false;
    // If this cannot be sent, the receiver has failed and tells why.
    let _ = batches.blocking_send(Batch {
        books,
        is_full,
        joins,
    });
    match end {
        Ok(end) => Ok((end, count)),
        Err(error) => Err((error, count)),
    }
}

/// The pieces of a body as something to read from, on a thread that may wait for them.
struct Body {
    pieces: Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}
