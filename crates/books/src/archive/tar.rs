//! Reads a tar file entry by entry, and unpacks nothing.
//!
//! Long names and extended headers are read within a budget. Links, devices, sparse files, absolute names and names with
//! `..` are refused: no book has them, and whoever unpacks the stored archive one day would meet them.

use std::io::Read;

use sha2::{Digest as _, Sha256};

use super::Broken;
use super::gzip::broken;

const BLOCK: usize = 512;

/// Bytes of a long name or an extended header. Names of files are some tens of bytes.
const MOST_HEADER: u64 = 64 << 10;

/// Where in an archive a file is, or what it is called: half of a SHA-256, so that those of 200,000 files take a few
/// megabytes.
pub(super) type Place = [u8; 16];

/// What stands for a name.
pub(super) fn short(name: &[u8]) -> Place {
    half(Sha256::new_with_prefix(name))
}

fn half(hasher: Sha256) -> Place {
    let mut place = [0; 16];
    place.copy_from_slice(&hasher.finalize()[..16]);
    place
}

/// A regular file of the archive.
#[derive(Debug)]
pub(super) struct Entry {
    name: Vec<u8>,
    size: u64,
}

impl Entry {
    /// The last part of its name.
    pub(super) fn file_name(&self) -> &[u8] {
        self.name
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// What stands for its whole name, in whichever way that is written: `./a//b` is `a/b`.
    pub(super) fn place(&self) -> Place {
        let parts = self.name.split(|byte| *byte == b'/');
        let mut hasher = Sha256::new();
        for part in parts.filter(|part| !matches!(*part, b"" | b".")) {
            hasher.update(part);
            hasher.update(b"/");
        }
        half(hasher)
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// A tar file that is being read.
pub(super) struct Tar<R> {
    source: R,
    /// Bytes of the entry that were not yet read.
    left: u64,
    /// Bytes that fill its last block.
    padding: u64,
    ended: bool,
    files: u64,
    most_files: u64,
    bytes: u64,
}

impl<R: Read> Tar<R> {
    pub(super) fn new(source: R, most_files: usize) -> Self {
        Self {
            source,
            left: 0,
            padding: 0,
            ended: false,
            files: 0,
            most_files: most_files as u64,
            bytes: 0,
        }
    }

    /// Files seen by now.
    pub(super) fn files(&self) -> u64 {
        self.files
    }

    /// Bytes of the files seen by now.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next regular file; `None` after the end mark.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, Broken> {
        let mut long_name = None;
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size = number(&header[124..136])
                .ok_or_else(|| Broken::Tar("an entry's size is not a number".to_owned()))?;
            self.left = size;
            self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
            match header[156] {
                b'L' => long_name = Some(without_nul(&self.small()?).to_vec()),
                b'x' => {
                    let extended = Extended::read(&self.small()?)?;
                    long_name = extended.path.or(long_name);
                }
                // The length of a link's name, and what holds for all files: their times and owners.
                b'K' | b'g' => drop(self.small()?),
                b'0' | 0 | b'7' => {
                    let name = long_name.take().unwrap_or_else(|| name(&header));
                    check(&name)?;
                    if name.ends_with(b"/") {
                        continue;
                    }
                    self.files += 1;
                    self.bytes += size;
                    if self.files > self.most_files {
                        return Err(Broken::Hostile(format!(
                            "more than {} files",
                            self.most_files
                        )));
                    }
                    return Ok(Some(Entry { name, size }));
                }
                b'5' => {
                    let name = long_name.take().unwrap_or_else(|| name(&header));
                    check(&name)?;
                }
                other => {
                    let name = long_name.unwrap_or_else(|| name(&header));
                    let what = match other {
                        b'1' => "a hard link",
                        b'2' => "a symbolic link",
                        b'3' | b'4' => "a device",
                        b'6' => "a pipe",
                        b'S' => "a sparse file",
                        _ => "an entry of an unknown kind",
                    };
                    let name = String::from_utf8_lossy(&name).into_owned();
                    return Err(Broken::Hostile(format!(
                        "it holds {what}, `{}`",
                        printable(&name)
                    )));
                }
            }
        }
    }

    /// Reads on in the entry; 0 at its end.
    pub(super) fn read_entry(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut buffer[..most]).map_err(broken)?;
        if read == 0 {
            return Err(Broken::Tar("it is cut short within a file".to_owned()));
        }
        self.left -= read as u64;
        Ok(read)
    }

    /// Gives the source back after the end mark, and how many bytes other than zeros came after it.
    pub(super) fn finish(mut self) -> Result<(R, u64), Broken> {
        if !self.ended {
            return Err(Broken::Tar("it has no end mark".to_owned()));
        }
        let mut others = 0;
        let mut piece = [0; 16 << 10];
        loop {
            let read = self.source.read(&mut piece).map_err(broken)?;
            if read == 0 {
                return Ok((self.source, others));
            }
            others += piece[..read].iter().filter(|byte| **byte != 0).count() as u64;
        }
    }

    /// Passes over what is left of an entry.
    fn skip(&mut self) -> Result<(), Broken> {
        let mut piece = [0; 16 << 10];
        while self.read_entry(&mut piece)? > 0 {}
        self.left = std::mem::take(&mut self.padding);
        while self.read_entry(&mut piece)? > 0 {}
        Ok(())
    }

    /// The next header; `None` for the end mark, which is two blocks of zeros.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, Broken> {
        if self.ended {
            return Ok(None);
        }
        let block = self.block()?;
        if block.iter().all(|byte| *byte == 0) {
            let second = self.block()?;
            if second.iter().any(|byte| *byte != 0) {
                return Err(Broken::Tar("half an end mark".to_owned()));
            }
            self.ended = true;
            return Ok(None);
        }
        let said = number(&block[148..156]);
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        let of_sum: u64 = block[148..156].iter().map(|byte| u64::from(*byte)).sum();
        // The sum is made with blanks in its own place.
        let expected = sum - of_sum + 8 * u64::from(b' ');
        if said != Some(expected) {
            return Err(Broken::Tar("a header is damaged".to_owned()));
        }
        Ok(Some(block))
    }

    fn block(&mut self) -> Result<[u8; BLOCK], Broken> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            let read = self.source.read(&mut block[filled..]).map_err(broken)?;
            if read == 0 {
                return Err(Broken::Tar("it has no end mark".to_owned()));
            }
            filled += read;
        }
        Ok(block)
    }

    /// The whole content of a header's entry.
    fn small(&mut self) -> Result<Vec<u8>, Broken> {
        if self.left > MOST_HEADER {
            return Err(Broken::Hostile(format!(
                "a name or header of {} bytes, expected at most {MOST_HEADER}",
                self.left
            )));
        }
        let mut content = vec![0; self.left as usize];
        let mut filled = 0;
        while filled < content.len() {
            filled += self.read_entry(&mut content[filled..])?;
        }
        Ok(content)
    }
}

/// What an extended header says that matters here.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
}

impl Extended {
    /// Records of `length key=value\n`.
    fn read(mut content: &[u8]) -> Result<Self, Broken> {
        let damaged = || Broken::Tar("an extended header is damaged".to_owned());
        let mut extended = Self::default();
        while !content.is_empty() {
            let digits = content
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let length = std::str::from_utf8(&content[..digits])
                .ok()
                .and_then(|digits| digits.parse::<usize>().ok())
                .ok_or_else(damaged)?;
            let record = content.get(digits..length).ok_or_else(damaged)?;
            content = &content[length..];
            let record = record.trim_ascii_start();
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            if let Some(path) = record.strip_prefix(b"path=") {
                extended.path = Some(path.to_vec());
            } else if record.starts_with(b"size=") || record.starts_with(b"GNU.sparse") {
                // It would have the next file end elsewhere than its own header says.
                return Err(Broken::Hostile(
                    "an extended header changes the size of a file".to_owned(),
                ));
            }
        }
        Ok(extended)
    }
}

/// A name that would lead elsewhere is refused.
fn check(name: &[u8]) -> Result<(), Broken> {
    let wrong = name.starts_with(b"/")
        || name.contains(&0)
        || name
            .split(|byte| matches!(byte, b'/' | b'\\'))
            .any(|part| part == b"..");
    if wrong {
        let name = String::from_utf8_lossy(name).into_owned();
        return Err(Broken::Hostile(format!(
            "the name `{}` leads out of the archive",
            printable(&name)
        )));
    }
    Ok(())
}

/// The name in a header, with the prefix that POSIX allows.
fn name(header: &[u8; BLOCK]) -> Vec<u8> {
    let own = without_nul(&header[..100]);
    let prefix = without_nul(&header[345..500]);
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() {
        return [prefix, b"/", own].concat();
    }
    own.to_vec()
}

fn without_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

/// A number in octal digits, or in the binary form that GNU has for large ones.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        // The mark, zeros, and the number. A field of eight bytes has no room for all of them.
        let (front, number) = field.split_last_chunk()?;
        let (mark, zeros) = front.split_first()?;
        let is_whole = *mark == 0x80 && zeros.iter().all(|byte| *byte == 0);
        return is_whole.then(|| u64::from_be_bytes(*number));
    }
    let text = std::str::from_utf8(field).ok()?;
    let text = text.trim_matches(|c: char| c == ' ' || c == '\0');
    if text.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(text, 8).ok()
}

fn printable(name: &str) -> String {
    name.chars()
        .take(100)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
