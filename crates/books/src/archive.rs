//! A book's archive, read once from front to back: is it whole, what does it say, and what are its digests.
//!
//! An archive is foreign data. Nothing of it is written under a name that it chose, no part of it is in memory but a
//! page or the description of the book, and its claims (sizes, names, numbers) are measured, never believed. It is whole
//! when the gzip stream ends where its own length and checksum say, and the tar within it has its end mark.

mod gzip;
mod marc;
mod oddities;
mod pages;
mod tar;

use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use blob::Digests;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use self::gzip::{Ended, Members};
use self::oddities::{Oddities, shortened};
use self::pages::Pages;
use self::tar::{Entry, Place, Tar, short};

pub use self::marc::{MARC_COLUMNS, Marc};
pub use self::pages::Text;

/// What an archive may cost, whatever it claims.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files in it. A book has a few for each of its pages, and a thousand pages are a thick one.
    pub files: usize,
    /// Bytes of one page of text, and of the list of checksums.
    pub page_bytes: u64,
    /// Bytes of the description of the book. One of 2,000 pages has 4 MB.
    pub description_bytes: u64,
    /// Bytes it may unpack to, for each of its own. Scans hardly shrink; text does by five or ten.
    pub growth: u64,
    /// Bytes it may unpack to however small it is.
    pub least_growth: u64,
}

impl Default for Limits {
    /// Guesses, each eight times and more what a book has.
    fn default() -> Self {
        Self {
            files: 200_000,
            page_bytes: 16 << 20,
            description_bytes: 32 << 20,
            growth: 200,
            least_growth: 1 << 30,
        }
    }
}

/// What was read from an archive that is whole.
#[derive(Debug)]
pub struct Contents {
    /// Digests of the archive itself.
    pub digests: Digests,
    /// CRC-64/NVME of the archive itself, in hexadecimal digits.
    pub crc64: String,
    /// Files in it.
    pub files: u64,
    /// Bytes of those files.
    pub unpacked_bytes: u64,
    /// The text of its pages, or why there is none.
    pub text: Result<Text, String>,
    /// The description of the book, or why there is none.
    pub marc: Result<Marc, String>,
    /// Whether a list of checksums in it was there, and was right.
    pub checksums: bool,
    /// What is odd and no harm.
    pub oddities: Vec<String>,
}

/// Why an archive is not whole, or not to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It cannot be read from this disk; it may be whole.
    #[error("cannot read the archive: {0}")]
    Unreadable(#[source] io::Error),
    /// Its compression is damaged or cut short.
    #[error("not a whole gzip file: {0}")]
    Gzip(String),
    /// Its list of files is damaged or cut short.
    #[error("not a whole tar file: {0}")]
    Tar(String),
    /// It holds what no book holds.
    #[error("not a book's archive: {0}")]
    Hostile(String),
    /// A file in it is not the one that its own list of checksums describes.
    #[error("a checksum is wrong: {0}")]
    Checksum(String),
}

/// A file of an archive that is in memory as a whole is small up to here: 4 MiB, what the description of 2,000 pages has.
const SMALL: u64 = 4 << 20;

/// Held by who has a large one in memory. However many archives are read at once, there is one.
static LARGE: Mutex<()> = Mutex::new(());

/// Reads an archive from the disk.
///
/// # Errors
///
/// Why it is not whole.
pub fn read(path: &Path, limits: &Limits) -> Result<Contents, Broken> {
    read_within(path, &std::env::temp_dir(), limits)
}

/// The same, with what does not stay in memory in a file without a name in `folder`.
pub(crate) fn read_within(path: &Path, folder: &Path, limits: &Limits) -> Result<Contents, Broken> {
    let file = run::regular_file(path).map_err(Broken::Unreadable)?;
    let size = file.metadata().map_err(Broken::Unreadable)?.len();
    read_into((file, size), Pages::within(folder), limits)
}

/// Reads an archive of `size` bytes from wherever it comes.
///
/// # Errors
///
/// Why it is not whole.
pub fn read_from(source: impl Read, size: u64, limits: &Limits) -> Result<Contents, Broken> {
    read_into((source, size), Pages::within(&std::env::temp_dir()), limits)
}

fn read_into(
    (source, size): (impl Read, u64),
    pages: Pages,
    limits: &Limits,
) -> Result<Contents, Broken> {
    let most = limits.least_growth.max(size.saturating_mul(limits.growth));
    let hashing = Hashing::new(source);
    let members = Members::new(BufReader::with_capacity(PIECE, hashing), most);
    let mut tar = Tar::new(members, limits.files);
    let mut reading = Reading::new(limits, pages);
    while let Some(entry) = tar.next_entry()? {
        reading.entry(&mut tar, &entry)?;
    }
    let (files, unpacked_bytes) = (tar.files(), tar.bytes());
    let (members, after_end) = tar.finish()?;
    let (ended, hashing) = members.finish()?;
    let (digests, crc64) = hashing.finish();
    let mut oddities = reading.oddities;
    if after_end > 0 {
        oddities.push(format!("{after_end} bytes after the end of the tar file"));
    }
    if let Ended::Followed(bytes) = ended {
        oddities.push(format!("{bytes} bytes after the end of the gzip file"));
    }
    let checksums = reading.checksums.map_or(Ok(false), |list| {
        compare(&list, &reading.sums).map(|()| true)
    })?;
    let text = reading.pages.finish(&mut oddities)?;
    if let Some(Ok(marc)) = &mut reading.marc {
        for left_out in marc.left_out.drain(..) {
            oddities.push(left_out);
        }
    }
    Ok(Contents {
        digests,
        crc64,
        files,
        unpacked_bytes,
        text,
        marc: reading
            .marc
            .unwrap_or_else(|| Err("no METS file in the archive".to_owned())),
        checksums,
        oddities: oddities.finish(),
    })
}

/// The digests of any file.
///
/// # Errors
///
/// The disk's.
pub fn digests(path: &Path) -> io::Result<Digests> {
    let mut hashing = Hashing::new(run::regular_file(path)?);
    let mut piece = vec![0; PIECE];
    while hashing.read(&mut piece)? > 0 {}
    Ok(hashing.finish().0)
}

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

/// What comes together while entries pass.
struct Reading<'a> {
    limits: &'a Limits,
    pages: Pages,
    marc: Option<Result<Marc, String>>,
    /// Where the description that counts by now lies.
    described: Option<Place>,
    /// MD5s by what stands for the last part of a file's name, which may itself have 64 KiB.
    sums: HashMap<Place, [u8; 16]>,
    checksums: Option<Vec<u8>>,
    oddities: Oddities,
    buffer: Vec<u8>,
}

impl<'a> Reading<'a> {
    fn new(limits: &'a Limits, pages: Pages) -> Self {
        Self {
            limits,
            pages,
            marc: None,
            described: None,
            sums: HashMap::new(),
            checksums: None,
            oddities: Oddities::default(),
            buffer: Vec::new(),
        }
    }

    fn entry<R: Read>(&mut self, tar: &mut Tar<R>, entry: &Entry) -> Result<(), Broken> {
        let name = entry.file_name();
        let kind = Kind::of(name);
        let limit = match kind {
            Kind::Page(_) | Kind::Checksums => self.limits.page_bytes,
            Kind::Description => self.limits.description_bytes,
            Kind::Other => 0,
        };
        let too_large = entry.size() > limit;
        // Of what is too large, nothing is kept.
        let kept = if too_large { 0 } else { entry.size() };
        let _turn = (kept > SMALL).then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner));
        // A large one left its room before it left its turn.
        self.buffer.clear();
        self.buffer.reserve_exact(kept as usize);
        let mut md5 = Md5::new();
        let mut piece = [0; 16 << 10];
        loop {
            let read = tar.read_entry(&mut piece)?;
            if read == 0 {
                break;
            }
            md5.update(&piece[..read]);
            if kept > 0 {
                self.buffer.extend_from_slice(&piece[..read]);
            }
        }
        self.sums.insert(short(name), md5.finalize().into());
        self.take(entry, kind, too_large)?;
        if kept > SMALL {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Does with a file, which is in the buffer unless it is too large, what it is for.
    fn take(&mut self, entry: &Entry, kind: Kind, too_large: bool) -> Result<(), Broken> {
        let name = entry.file_name();
        let shown = String::from_utf8_lossy(name).into_owned();
        match kind {
            Kind::Page(_) if too_large => {
                return Err(Broken::Hostile(format!(
                    "the page `{shown}` has {} bytes, expected at most {}",
                    entry.size(),
                    self.limits.page_bytes
                )));
            }
            Kind::Page(number) => self.pages.add(entry.place(), number, &self.buffer)?,
            Kind::Description => self.description(entry.place(), &shown, too_large),
            Kind::Checksums if too_large => {
                return Err(Broken::Hostile(format!(
                    "`{shown}` has {} bytes",
                    entry.size()
                )));
            }
            Kind::Checksums => self.checksums = Some(std::mem::take(&mut self.buffer)),
            Kind::Other if name.ends_with(b".txt") => self
                .oddities
                .push(format!("`{shown}` is not named as a page, and is left out")),
            Kind::Other => {}
        }
        Ok(())
    }

    /// The first file that describes the book counts; one that does not gives way to the next, and one that comes again
    /// at the same place to itself.
    fn description(&mut self, place: Place, name: &str, too_large: bool) {
        let is_again = self.described == Some(place);
        if matches!(self.marc, Some(Ok(_))) && !is_again {
            return;
        }
        let found = if too_large {
            Err(shortened(format!(
                "`{name}` is larger than {} bytes",
                self.limits.description_bytes
            )))
        } else {
            marc::read(&self.buffer).map_err(|reason| shortened(format!("`{name}`: {reason}")))
        };
        if found.is_ok() || self.marc.is_none() || is_again {
            self.marc = Some(found);
            self.described = Some(place);
        }
    }
}

/// What a file of an archive is for, by the last part of its name.
#[derive(Clone, Copy)]
enum Kind {
    Page(u32),
    Description,
    Checksums,
    Other,
}

impl Kind {
    fn of(name: &[u8]) -> Self {
        if let Some(digits) = name.strip_suffix(b".txt")
            && digits.len() == 8
            && digits.iter().all(u8::is_ascii_digit)
            && let Ok(number) = String::from_utf8_lossy(digits).parse()
            && (1..=pages::LAST_PAGE).contains(&number)
        {
            return Self::Page(number);
        }
        let lower = name.to_ascii_lowercase();
        if lower.ends_with(b".xml") {
            Self::Description
        } else if lower == b"checksum.md5" {
            Self::Checksums
        } else {
            Self::Other
        }
    }
}

/// Compares files with a list as `md5sum` writes it.
fn compare(list: &[u8], sums: &HashMap<Place, [u8; 16]>) -> Result<(), Broken> {
    for line in list.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        let Some((digits, rest)) = line.split_at_checked(32) else {
            continue;
        };
        let Some(expected) = from_hex(digits) else {
            continue;
        };
        // A star marks binary files.
        let name = rest.trim_ascii();
        let name = name.strip_prefix(b"*").unwrap_or(name);
        let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        let shown = String::from_utf8_lossy(name);
        match sums.get(&short(name)) {
            Some(sum) if *sum == expected => {}
            Some(_) => {
                return Err(Broken::Checksum(shortened(format!(
                    "`{shown}` differs from `checksum.md5`"
                ))));
            }
            None => {
                return Err(Broken::Checksum(shortened(format!(
                    "`{shown}` is in `checksum.md5` and not in the archive"
                ))));
            }
        }
    }
    Ok(())
}

fn from_hex(digits: &[u8]) -> Option<[u8; 16]> {
    let text = std::str::from_utf8(digits).ok()?;
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

/// Hexadecimal digits in lower case.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Computes the digests of what is read through it.
struct Hashing<R> {
    source: R,
    size: u64,
    sha256: Sha256,
    md5: Md5,
    crc64: crc_fast::Digest,
}

impl<R: Read> Hashing<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            size: 0,
            sha256: Sha256::new(),
            md5: Md5::new(),
            crc64: crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme),
        }
    }

    fn finish(self) -> (Digests, String) {
        let digests = Digests {
            size: self.size,
            sha256: hex(&self.sha256.finalize()),
            md5: hex(&self.md5.finalize()),
        };
        (digests, format!("{:016x}", self.crc64.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.size += read as u64;
        self.sha256.update(&buffer[..read]);
        self.md5.update(&buffer[..read]);
        self.crc64.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
