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
}

/// What the thread that reads the page sends.
struct Batch {
    books: Books,
    /// More follow, so that these can be recorded at once.
    is_full: bool,
}

/// Fetches the page at `address`; `record` is called with batches of its books while it comes, and how many
/// there were with these.
///
/// Takes at most `room` books.
pub(crate) async fn fetch(
    grin: &Grin,
    address: &str,
    room: Option<u64>,
    record: impl AsyncFnMut(Books, u64) -> Result<(), Error>,
) -> Result<Fetched, Error> {
    let mut answer = grin.get(&grin.url(address)?).await?;
    let content_type = answer.header("content-type").map(str::to_owned);
    let (pieces, body) = channel(PIECES);
    let (batches, read) = channel(1);
    let reading = tokio::task::spawn_blocking(move || {
        let body = Body {
            pieces: body,
            piece: Bytes::new(),
        };
        read_books(body, content_type.as_deref(), room, &batches)
    });
    let (fed, recorded) = tokio::join!(feed(&mut answer, pieces), take(read, record));
    let reading = reading.await.map_err(|_| Error::Gone("reading a page"))?;
    let (rest, first_barcode, last_barcode) = recorded?;
    // An answer that broke off is the cause, a page without its end only the effect.
    fed?;
    let (end, limited) = match reading {
        Ok(end) => (end, false),
        Err((PageError::Unwanted, books)) => (PageEnd { books, next: None }, true),
        Err((error, _)) => return Err(error.into()),
    };
    Ok(Fetched {
        page: ReadPage {
            address: address.to_owned(),
            books: end.books,
            first_barcode,
            last_barcode,
            next: end.next,
        },
        rest,
        limited,
    })
}

/// Hands the body on as it comes.
async fn feed(answer: &mut Answer, pieces: Sender<Bytes>) -> Result<(), web::Error> {
    while let Some(piece) = answer.chunk().await? {
        if pieces.send(piece).await.is_err() {
            // Whoever reads has enough.
            break;
        }
    }
    Ok(())
}

/// Records every batch but the page's last books, which belong to its end; those, and the first and last barcode.
async fn take(
    mut read: Receiver<Batch>,
    mut record: impl AsyncFnMut(Books, u64) -> Result<(), Error>,
) -> Result<(Books, String, String), Error> {
    let mut rest = Books::default();
    let (mut first, mut last, mut count) = (String::new(), String::new(), 0);
    while let Some(Batch { books, is_full }) = read.recv().await {
        if let Some((begin, end)) = books.first_and_last() {
            if first.is_empty() {
                begin.clone_into(&mut first);
            }
            end.clone_into(&mut last);
        }
        if is_full {
            count += books.len() as u64;
            record(books, count).await?;
        } else {
            rest = books;
        }
    }
    Ok((rest, first, last))
}

/// Reads the page and sends its books in batches; on failure also how many books were read.
fn read_books(
    body: Body,
    content_type: Option<&str>,
    room: Option<u64>,
    batches: &Sender<Batch>,
) -> Result<PageEnd, (PageError, u64)> {
    let mut books = Books::default();
    let (mut count, mut full) = (0, FIRST_BATCH);
    let end = read_page(body, content_type, |book| {
        if room.is_some_and(|room| count >= room) {
            return false;
        }
        count += 1;
        if books.len() >= full {
            full = BATCH;
            let books = std::mem::take(&mut books);
            let is_full = true;
            if batches.blocking_send(Batch { books, is_full }).is_err() {
                return false;
            }
        }
        books.push(book);
        true
    });
    // Nobody there to take them means that something else has failed.
    let is_full = false;
    let _ = batches.blocking_send(Batch { books, is_full });
    end.map_err(|error| (error, count))
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
