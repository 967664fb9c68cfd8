//! Takes how the library's recordings sound from a downloaded dump of `AcousticBrainz`.
//!
//! A dump is a tar archive with a JSON document for every submission, named
//! `<dump>/highlevel/<ab>/<c>/<recording id>-<number of the submission>.json`, or `lowlevel`:
//! <https://acousticbrainz.org/download>. It is read once from front to back; what the library does not
//! have is passed over unread. How far it was read commits with what was found, so that a run that is
//! killed goes on there.

mod archive;

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use run::Cancel;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::library::Library;
use crate::library::descriptions::{self, DumpPlace};
use crate::library::shown_flavor;
use crate::services::acousticbrainz::{Document, Flavor, LowLevel};
use archive::Counted;

/// Documents written in one transaction.
const BATCH: usize = 200;

/// How far is written down at least every so many bytes of the unpacked archive.
const STEP: u64 = 512 << 20;

/// Bytes of a name that are read; no file system has longer ones, and those of a document have some 90.
const LONGEST_NAME: u64 = 64 << 10;

/// A document larger than this is none, in bytes.
const LARGEST: u64 = 8 << 20;

/// How reading a dump goes, or went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FromDump {
    /// The dump.
    pub path: String,
    /// It was read to its end before, for the same recordings.
    pub was_read: bool,
    /// Where reading went on, in bytes of the unpacked archive.
    pub from: u64,
    /// How far it was read, likewise.
    pub to: u64,
    /// Recordings in the library.
    pub recordings: u64,
    /// Documents in the part that was read.
    pub documents: u64,
    /// Flavors that were stored.
    pub flavors: u64,
    /// Low-level descriptions that were stored.
    pub low_levels: u64,
    /// Documents of our recordings that cannot be understood.
    pub odd: u64,
}

/// Reads the dump at `path`, and tells how far it is with every write.
///
/// Asked to stop, it writes what it has. Memory does not grow with the dump; it is some bytes for each
/// recording of the library, and one batch.
///
/// # Errors
///
/// When the dump cannot be read to its end (what was read is stored, and the next run goes on), or the
/// database cannot be used.
pub fn read(
    library: &Library,
    path: &Path,
    cancel: &Cancel,
    tell: &dyn Fn(&FromDump),
) -> Result<FromDump> {
    let wanted = Wanted::load(library)?;
    let place = place_of(path, &wanted).map_err(|error| failed(path, &error))?;
    let mut report = FromDump {
        path: path.display().to_string(),
        recordings: wanted.ids.len() as u64,
        ..FromDump::default()
    };
    let known = place.known(library.db())?;
    if let Some((position, is_finished)) = known {
        (report.from, report.to) = (position, position);
        if is_finished {
            report.was_read = true;
            return Ok(report);
        }
    }
    let outcome = read_on(library, &wanted, &place, cancel, (&mut report, tell));
    shown_flavor::settle(library)?;
    outcome.map(|()| report)
}

/// Reads from where the report says, and writes batch by batch.
fn read_on(
    library: &Library,
    wanted: &Wanted,
    place: &DumpPlace,
    cancel: &Cancel,
    (report, tell): (&mut FromDump, &dyn Fn(&FromDump)),
) -> Result<()> {
    let path = PathBuf::from(&report.path);
    let of_dump = |error: io::Error| failed(&path, &error);
    let (from, mut written) = (report.from, report.from);
    let (unpacked, count) = Counted::new(archive::open(&path, from).map_err(of_dump)?);
    let mut archive = tar::Archive::new(unpacked);
    let mut batch = Batch::default();
    let mut broken = None;
    let mut name = None;
    // Raw, since the crate reads the names of GNU and pax whole, however long they say they are.
    for entry in archive.entries().map_err(of_dump)?.raw(true) {
        if cancel.is_requested() {
            return write(library, place, batch, report, false);
        }
        match entry.and_then(|entry| take(entry, &mut name, wanted, &mut batch, report)) {
            Ok(Some(end)) => report.to = from.saturating_add(end),
            Ok(None) => {}
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
        if batch.len() >= BATCH || report.to.saturating_sub(written) >= STEP {
            write(library, place, std::mem::take(&mut batch), report, false)?;
            written = report.to;
            tell(report);
        }
    }
    // An archive ends with an empty block; one that ends without it is cut off.
    if broken.is_none() && from + count.get() <= report.to {
        broken = Some(io::ErrorKind::UnexpectedEof.into());
    }
    write(library, place, batch, report, broken.is_none())?;
    broken.map_or(Ok(()), |error| Err(of_dump(error)))
}

/// Takes one entry. The end of an entry with its content, counted from where reading began; `None` for one that only names
/// the next, with which reading would not begin again.
fn take<R: Read>(
    mut entry: tar::Entry<'_, R>,
    name: &mut Option<Vec<u8>>,
    wanted: &Wanted,
    batch: &mut Batch,
    report: &mut FromDump,
) -> io::Result<Option<u64>> {
    let kind = entry.header().entry_type();
    if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
        let mut content = Vec::new();
        entry
            .by_ref()
            .take(LONGEST_NAME)
            .read_to_end(&mut content)?;
        *name = if kind.is_gnu_longname() {
            content.retain(|byte| *byte != 0);
            Some(content)
        } else {
            path_of(&content)
        };
        return Ok(None);
    }
    let path = name.take();
    let path = path.unwrap_or_else(|| entry.path_bytes().into_owned());
    if let Some(name) = wanted.document(kind, &path) {
        let mut text = Vec::new();
        entry.by_ref().take(LARGEST).read_to_end(&mut text)?;
        report.odd += u64::from(!batch.add(name, &text));
    }
    report.documents += u64::from(kind.is_file());
    let blocks = entry.size().div_ceil(512).saturating_mul(512);
    Ok(Some(entry.raw_file_position().saturating_add(blocks)))
}

/// The path that pax records name, if they do.
fn path_of(records: &[u8]) -> Option<Vec<u8>> {
    let records = tar::PaxExtensions::new(records).filter_map(Result::ok);
    let mut paths = records.filter(|record| record.key_bytes() == b"path");
    Some(paths.next()?.value_bytes().to_vec())
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Dump {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// The recordings of the library.
struct Wanted {
    ids: HashSet<Uuid>,
    /// What tells this set from another.
    digest: String,
}

impl Wanted {
    fn load(library: &Library) -> Result<Self> {
        let mut ids = HashSet::new();
        let mut digest = Sha256::new();
        descriptions::each_recording(library.db(), |mbid| {
            if let Ok(id) = Uuid::parse_str(mbid) {
                digest.update(id.as_bytes());
                ids.insert(id);
            }
        })?;
        let digest = digest.finalize();
        let digest = Uuid::from_slice(&digest[..16]).expect("a digest is longer than an id");
        Ok(Self {
            ids,
            digest: digest.to_string(),
        })
    }

    /// The recording and the number of the submission, if the entry is a document about one of ours.
    fn document(&self, kind: tar::EntryType, path: &[u8]) -> Option<(Uuid, u32)> {
        if !kind.is_file() {
            return None;
        }
        let name = path.rsplit(|byte| *byte == b'/').next()?;
        let name = std::str::from_utf8(name).ok()?.strip_suffix(".json")?;
        let (mbid, number) = name.rsplit_once('-')?;
        let id = Uuid::parse_str(mbid).ok()?;
        Some((id, number.parse().ok()?)).filter(|_| self.ids.contains(&id))
    }
}

/// What was found and not written yet. The first submission counts, as it does with the service.
#[derive(Default)]
struct Batch {
    flavors: BTreeMap<Uuid, (u32, Flavor)>,
    low_levels: BTreeMap<Uuid, (u32, LowLevel)>,
}

impl Batch {
    fn len(&self) -> usize {
        self.flavors.len() + self.low_levels.len()
    }

    /// Whether the document can be understood.
    fn add(&mut self, (id, number): (Uuid, u32), text: &[u8]) -> bool {
        let Ok(document) = serde_json::from_slice::<Document>(text) else {
            return false;
        };
        let (flavor, low_level) = document.described();
        let is_known = flavor.is_some() || low_level.is_some();
        keep(&mut self.flavors, id, number, flavor);
        keep(&mut self.low_levels, id, number, low_level);
        is_known
    }
}

fn keep<T>(all: &mut BTreeMap<Uuid, (u32, T)>, id: Uuid, number: u32, found: Option<T>) {
    let is_first = all.get(&id).is_none_or(|(known, _)| number < *known);
    if let (Some(found), true) = (found, is_first) {
        all.insert(id, (number, found));
    }
}

/// A dump as it lies on the disk, with what is looked for in it.
fn place_of(path: &Path, wanted: &Wanted) -> io::Result<DumpPlace> {
    let path = path.canonicalize()?;
    let found = path.metadata()?;
    let modified = found.modified()?.duration_since(std::time::UNIX_EPOCH);
    Ok(DumpPlace {
        path: path.display().to_string(),
        size: found.len(),
        modified_ns: modified.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(0)),
        wanted: wanted.digest.clone(),
    })
}

/// Writes what was found and how far that was, in one transaction.
fn write(
    library: &Library,
    place: &DumpPlace,
    batch: Batch,
    report: &mut FromDump,
    is_finished: bool,
) -> Result<()> {
    report.flavors += batch.flavors.len() as u64;
    report.low_levels += batch.low_levels.len() as u64;
    let (place, position) = (place.clone(), report.to);
    library
        .db()
        .try_write("record flavors of a dump", move |tx| {
            for (id, (number, flavor)) in &batch.flavors {
                descriptions::write_flavor(tx, &id.to_string(), *number, flavor)?;
            }
            for (id, (number, described)) in &batch.low_levels {
                descriptions::write_low_level(tx, &id.to_string(), *number, described)?;
            }
            place.write(tx, position, is_finished)
        })
}
