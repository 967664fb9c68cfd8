//! Copies the WAL back to the file while the writer goes on writing.
//!
//! The copy waits for the disk twice, and with a writer that does it itself everybody waits along. It cannot end the WAL: what
//! is written meanwhile is still to be copied, so that the writer does the last part.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;

use crate::connect;
use crate::error::Error;
use crate::log;
use crate::report::Meter;
use crate::settings::Settings;

/// A thread with a connection of its own.
pub(super) struct Copier {
    ask: Option<SyncSender<()>>,
    /// Held while it copies.
    copying: Arc<Mutex<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Copier {
    pub(super) fn start(settings: &Settings, meter: &Arc<Meter>) -> Result<Self, Error> {
        let connection = connect::copier(settings)?;
        let (ask, asked) = sync_channel(1);
        let copying = Arc::new(Mutex::new(()));
        let (busy, meter, path) = (
            Arc::clone(&copying),
            Arc::clone(meter),
            settings.path.clone(),
        );
        let work = move || {
            for () in asked {
                let _copying = lock(&busy);
                copy(&connection, &path, &meter);
            }
        };
        let thread = std::thread::Builder::new()
            .name("sqlite-copier".into())
            .spawn(work)
            .map_err(|error| Error::io(&settings.path, &error))?;
        Ok(Self {
            ask: Some(ask),
            copying,
            thread: Some(thread),
        })
    }

    /// Has what is in the WAL now copied, unless that is about to happen anyway.
    pub(super) fn ask(&self) {
        if let Some(ask) = &self.ask {
            let _ = ask.try_send(());
        }
    }

    /// Lets nobody copy while the result lives.
    pub(super) fn keep_off(&self) -> MutexGuard<'_, ()> {
        lock(&self.copying)
    }
}

impl Drop for Copier {
    fn drop(&mut self) {
        self.ask.take();
        if let Some(thread) = self.thread.take() {
            // A panic there was told by the thread itself, and left the file as it was.
            let _ = thread.join();
        }
    }
}

/// PASSIVE takes neither the write lock nor anybody's time. A failure costs nothing but a longer WAL.
pub(super) fn copy(connection: &Connection, path: &Path, meter: &Meter) {
    let started = Instant::now();
    let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = copied {
        log::warning!(path, "checkpoint failed: {error}");
    }
    meter.record_checkpoint(started.elapsed());
}

fn lock(copying: &Mutex<()>) -> MutexGuard<'_, ()> {
    copying.lock().unwrap_or_else(PoisonError::into_inner)
}
