//! The staging folder: what a killed process leaves in it, and what happens while its disk is gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::catalogue::sync as archives;
use crate::error::Error;
use crate::sync::book::upload_of;
use crate::sync::is_barcode;
use crate::sync::lists::Queue;
use crate::sync::shared::{Halt, Shared};
use crate::sync::slot::Slot;
use crate::sync::{Source, SyncOptions};

/// What the files of a book end in, after its barcode.
const ENDS: [&str; 6] = [
    ".tar.gz.gpg",
    ".download.json",
    ".tar.gz",
    ".tar.decrypting",
    "_ocr.jsonl.gz",
    "_ocr.jsonl",
];

/// The rooms of which an upload may be remembered, and the end of the file that does.
const UPLOADS: [(&str, &str); 2] = [("raw", ".raw.upload.json"), ("full", ".full.upload.json")];

/// Barcodes looked up at a time.
const STEP: usize = 500;

/// How often it is looked whether a disk is back.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Whether a sync takes up books that are stored already, and so may go on with what is left of them.
pub(super) fn takes_stored(options: &SyncOptions) -> bool {
    match &options.source {
        Source::Barcodes(_) => true,
        Source::Queues(queues) => options.force || queues.contains(&Queue::Changed),
    }
}

/// Removes what is left of books that are stored: of a download that was to replace them, and was given up with its
/// process. The store forgets their unfinished uploads.
pub(super) async fn sweep(shared: &Shared) -> Result<(), Error> {
    clear(shared, &shared.staging).await?;
    // Where several processes work on a run, also what is left by those that are gone.
    let all = shared.staging.parent().filter(|_| shared.claims.is_some());
    for dead in all.into_iter().flat_map(Slot::of_the_dead) {
        clear(shared, dead.folder()).await?;
        dead.clear_away();
    }
    Ok(())
}

async fn clear(shared: &Shared, folder: &Path) -> Result<(), Error> {
    let found: Vec<String> = books_in(folder).into_iter().collect();
    for some in found.chunks(STEP) {
        let wanted = archives::unsynced(&shared.catalogue, some)?;
        for barcode in some.iter().filter(|barcode| !wanted.contains(barcode)) {
            forget(shared, folder, barcode).await;
        }
    }
    Ok(())
}

/// Removes all that is left of a book. What cannot be removed is found by the next sync.
pub(super) async fn forget(shared: &Shared, folder: &Path, barcode: &str) {
    for (room, end) in UPLOADS {
        let path = folder.join(format!("{barcode}{end}"));
        if !path.exists() {
            continue;
        }
        let bucket = match room {
            "raw" => &shared.storage.raw,
            _ => &shared.storage.full,
        };
        let upload = upload_of(folder, barcode, room, &shared.parts);
        // The file goes only when the store has forgotten its parts.
        if let Err(error) = bucket.abandon(&upload).await {
            tracing::warn!("an unfinished upload of `{barcode}` stays in the store: {error}");
        }
    }
    for end in ENDS {
        let _ = std::fs::remove_file(folder.join(format!("{barcode}{end}")));
    }
}

/// The books of which a folder has files. Others are somebody else's.
fn books_in(folder: &Path) -> BTreeSet<String> {
    let mut books = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let uploads = UPLOADS.iter().map(|(_, end)| *end);
        let mut ends = ENDS.into_iter().chain(uploads);
        let barcode = ends.find_map(|end| name.strip_suffix(end));
        books.extend(barcode.filter(|it| is_barcode(it)).map(str::to_owned));
    }
    books
}

/// Whether the staging folder is not there: somebody took its disk away.
pub(super) fn is_gone(shared: &Shared) -> bool {
    !shared.staging.is_dir()
}

/// Waits until the staging folder is there again. It is not made: in its place is a folder of another disk.
pub(super) async fn back(shared: &Shared) -> Result<(), Halt> {
    if is_gone(shared) {
        shared.say_waiting(
            &format!("the staging folder `{}`", shared.staging.display()),
            "it is not there; is its disk mounted?",
        );
    }
    while is_gone(shared) {
        shared.pause(LOOK_AGAIN).await?;
    }
    Ok(())
}
