//! Which records there are, which files, and which record is about which file as it is now.

use std::collections::HashSet;

use run::Cancel;

use crate::error::Result;
use crate::heard::name::{FileKey, RecordName, key_of};
use crate::heard::place::Place;
use crate::heard::record::HearingSettings;
use crate::heard::source::Source;
use crate::intake::scan::left_out::LeftOut;
use crate::library::values::is_below;

/// A record, by its name alone: 64 bytes, so that a million are 64 MB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: RecordName,
    /// When it was stored, in seconds since 1970.
    written_s: i64,
    /// Its bytes, packed.
    pub(super) bytes: u32,
    /// The place it lies in, by number.
    pub(super) place: u16,
    pub(super) state: State,
}

/// What is to become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It waits.
    Waiting,
    /// What it says is in the library, or told as failed.
    Done,
    /// It is about a file as it was, or one that is not in the source.
    Former,
}

/// The records of all places, in order of the files they are about.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
}

impl Index {
    /// Looks for new records, and decides which one is about its file as it is.
    ///
    /// # Errors
    ///
    /// When a place cannot be listed.
    pub(super) fn update(
        &mut self,
        places: &[Place],
        listing: Option<&Listing>,
        cancel: &Cancel,
    ) -> Result<()> {
        let known = self.entries.len();
        for (number, place) in places.iter().enumerate() {
            place.for_each(cancel, |object| {
                let name = object.name.rsplit('/').next().unwrap_or_default();
                let Ok(name) = name.parse::<RecordName>() else {
                    return Ok(());
                };
                if self.entries[..known]
                    .binary_search_by(|entry| entry.name.cmp(&name))
                    .is_err()
                {
                    self.entries.push(Entry {
                        name,
                        written_s: object.modified_s,
                        bytes: u32::try_from(object.size).unwrap_or(u32::MAX),
                        place: u16::try_from(number).unwrap_or(u16::MAX),
                        state: State::Waiting,
                    });
                }
                Ok(())
            })?;
        }
        self.entries.sort_unstable_by_key(|entry| entry.name);
        self.entries.dedup_by_key(|entry| entry.name);
        let files = self.entries.chunk_by_mut(|a, b| a.name.key == b.name.key);
        for records in files {
            settle_file(records, listing);
        }
        Ok(())
    }

    /// The record that is about a file as it is, if it waits.
    pub(super) fn waiting(&self, path: &str) -> Option<usize> {
        let key = key_of(path);
        let first = self.entries.partition_point(|entry| entry.name.key < key);
        let of_file = self.entries[first..].iter();
        let at = of_file
            .take_while(|entry| entry.name.key == key)
            .position(|entry| entry.state == State::Waiting)?;
        Some(first + at)
    }

    /// Whether there is no other record of the same file, be it of another version.
    pub(super) fn is_only(&self, at: usize) -> bool {
        let key = |at: usize| self.entries.get(at).map(|entry| entry.name.key);
        let before = at.checked_sub(1).and_then(key);
        before != key(at) && key(at + 1) != key(at)
    }

    /// Counts files of the source without a record.
    pub(super) fn unheard(&self, listing: &Listing) -> u64 {
        listing.unheard(self).count() as u64
    }

    /// Whether a file has a record that will not change.
    fn has(&self, name: &RecordName) -> bool {
        self.entries
            .binary_search_by(|entry| entry.name.cmp(name))
            .is_ok()
    }
}

/// Whether there is a record in a place.
///
/// # Errors
///
/// When it cannot be listed.
pub(super) fn has_records(place: &Place) -> Result<bool> {
    let found = Cancel::new();
    place.for_each(&found, |object| {
        let name = object.name.rsplit('/').next().unwrap_or_default();
        if name.parse::<RecordName>().is_ok() {
            found.request(run::Reason::Asked);
        }
        Ok(())
    })?;
    Ok(found.is_requested())
}

/// Of the records of one file, one at most is about it as it is.
fn settle_file(records: &mut [Entry], listing: Option<&Listing>) {
    let expected = listing.map(|listing| listing.name_of(&records[0].name.key));
    let fits = |entry: &Entry| match expected {
        None => true,
        Some(None) => false,
        Some(Some(name)) => {
            RecordName {
                retry: false,
                ..entry.name
            } == name
        }
    };
    // A success is worth more than a passing failure of the same version.
    let rank = |entry: &Entry| (entry.written_s, entry.name.modified_ns, !entry.name.retry);
    let newest = records
        .iter()
        .filter(|entry| fits(entry))
        .max_by_key(|entry| rank(entry));
    let current = newest.map(|newest| {
        let whole = RecordName {
            retry: false,
            ..newest.name
        };
        let is_there = records.iter().any(|entry| entry.name == whole);
        if is_there { whole } else { newest.name }
    });
    for entry in records {
        if Some(entry.name) != current {
            entry.state = State::Former;
        }
    }
}

/// The files of a source, as they are now.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// What their records are called, in order.
    names: Vec<RecordName>,
    /// Folders that could not be listed.
    unreadable: Vec<String>,
}

impl Listing {
    /// Lists a source.
    ///
    /// # Errors
    ///
    /// When the source itself cannot be listed.
    pub(super) fn of(
        source: &Source,
        settings: &HearingSettings,
        cancel: &Cancel,
    ) -> Result<(Self, Vec<LeftOut>)> {
        let mut listing = Self::default();
        let mut all_left_out = Vec::new();
        source.walk(cancel, |path, folder| {
            match folder {
                Ok(folder) => {
                    let files = folder.files.iter();
                    listing.names.extend(
                        files.map(|(file, etag)| RecordName::of(file, etag.as_deref(), settings)),
                    );
                    let refused = folder
                        .refused
                        .iter()
                        .map(crate::intake::scan::Refused::as_file);
                    listing
                        .names
                        .extend(refused.map(|file| RecordName::of(&file, None, settings)));
                    all_left_out.extend(folder.left_out.iter().cloned());
                }
                Err(refused) => {
                    listing.unreadable.push(path.to_owned());
                    let file = refused.as_file();
                    listing.names.push(RecordName::of(&file, None, settings));
                }
            }
            Ok(())
        })?;
        listing.names.sort_unstable();
        Ok((listing, all_left_out))
    }

    /// Whether the source holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether the source holds a file of this path, or may hold one.
    pub(super) fn holds(&self, path: &str) -> bool {
        self.name_of(&key_of(path)).is_some()
            || self.unreadable.iter().any(|folder| is_below(path, folder))
    }

    fn name_of(&self, key: &FileKey) -> Option<RecordName> {
        let at = self.names.binary_search_by(|name| name.key.cmp(key)).ok()?;
        Some(self.names[at])
    }

    fn unheard<'a>(&'a self, index: &'a Index) -> impl Iterator<Item = &'a RecordName> {
        self.names.iter().filter(|name| !index.has(name))
    }

    /// Sizes of files that have no record yet: a file of such a size may be a copy of one of them.
    pub(super) fn open_sizes(&self, index: &Index) -> HashSet<u64> {
        self.unheard(index).map(|name| name.size).collect()
    }
}
