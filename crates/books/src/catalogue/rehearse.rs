//! Claims and records of books that nobody brings home, for benchmarks: what sharing a run costs besides the work.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::catalogue::Catalogue;
use crate::catalogue::claims::{Claimed, Claims, Told};
use crate::catalogue::sync::{BookRecord, Fields, Status, StoredArchive, record};
use crate::date;
use crate::error::Error;

/// The queue of made-up books.
const QUEUE: &str = "rehearsal";

/// Puts so many made-up books where every process finds them.
///
/// # Errors
///
/// [`Error::OnlyOnServer`], [`Error::Server`].
pub fn offer(catalogue: &Catalogue, books: u64) -> Result<(), Error> {
    let claims = claims(catalogue)?;
    let barcodes: Vec<String> = (0..books)
        .map(|number| format!("REHEARSED{number}"))
        .collect();
    for some in barcodes.chunks(10_000) {
        pollster::block_on(claims.offer(QUEUE, some.to_vec()))?;
    }
    Ok(())
}

/// Claims books `at_once` at a time and records what a sync records of each, until none is left; how many, and in what
/// time.
///
/// # Errors
///
/// [`Error::OnlyOnServer`], [`Error::Server`].
pub fn work(catalogue: &Catalogue, at_once: u32) -> Result<(u64, Duration), Error> {
    let claims = claims(catalogue)?;
    let begun = Instant::now();
    let mut done = 0;
    pollster::block_on(async {
        claims.tell(Told::default()).await?;
        loop {
            let barcodes = match claims.claim(QUEUE, at_once).await? {
                Claimed::Books(barcodes) => barcodes,
                Claimed::Later => {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
                Claimed::End | Claimed::Drained => break,
            };
            let recorded = barcodes.into_iter().map(|barcode| {
                let claim = Some((claims.clone(), QUEUE));
                record(catalogue, stored(barcode), claim, date::now())
            });
            let recorded = try_join_all(recorded).await?;
            done += recorded.iter().filter(|is_ours| **is_ours).count() as u64;
        }
        claims.leave().await
    })?;
    Ok((done, begun.elapsed()))
}

fn claims(catalogue: &Catalogue) -> Result<Claims, Error> {
    Claims::of(catalogue, Duration::from_mins(1)).ok_or(Error::OnlyOnServer("claims"))
}

/// What a sync records of a book that it has stored.
fn stored(barcode: String) -> BookRecord {
    let now = date::now();
    let steps = [
        "checked",
        "downloaded",
        "decrypted",
        "unpacked",
        "uploaded",
        "completed",
    ];
    let status = |value| Status {
        kind: "sync",
        value,
        metadata: Some(format!("{{\"path\": \"rehearsal/{barcode}.tar.gz\"}}")),
        at: now.clone(),
    };
    BookRecord {
        statuses: steps.map(status).to_vec(),
        fields: Fields {
            storage_path: Some(format!("rehearsal/{barcode}.tar.gz")),
            encrypted_etag: Some("etag".to_owned()),
            is_decrypted: Some(true),
            sync_timestamp: Some(now.clone()),
            ..Fields::default()
        },
        archive: Some(StoredArchive {
            barcode: barcode.clone(),
            storage_path: format!("rehearsal/{barcode}.tar.gz"),
            bytes: 1 << 20,
            sha256: "0".repeat(64),
            md5: "0".repeat(32),
            crc64: "0".repeat(16),
            encrypted_etag: "etag".to_owned(),
            pages: Some(300),
            stored_at: now,
        }),
        recovered: true,
        barcode,
        ..BookRecord::default()
    }
}
