//! Names a file's content by its SHA-256, WKMP's key for duplicates.
//!
//! `sha2` uses the CPU's own SHA instructions where there are any; hashing then
//! costs less than reading.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;

use audio::decode::{AudioXxh3, BytesOfSound};
use sha2::{Digest, Sha256};

/// Bytes read at once: two readers of a block find it in the processor's cache.
const BLOCK: usize = 1 << 17;

/// How many of a file's first bytes tell what it is.
const HEAD: u64 = 64;

/// The SHA-256 of a file's content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentHash(String);

impl ContentHash {
    fn of(digest: &[u8]) -> Self {
        let mut digits = String::with_capacity(2 * digest.len());
        for byte in digest {
            write!(digits, "{byte:02x}").expect("writing to a string cannot fail");
        }
        Self(digits)
    }

    /// A name that was stored.
    pub(crate) fn parse(digits: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (digits.len() == 64 && digits.bytes().all(is_hex)).then(|| Self(digits.to_owned()))
    }

    /// 64 lower-case hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first bytes of a file, up to 64.
///
/// # Errors
///
/// When the file cannot be opened or read.
pub fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    run::listed_file(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// Reads a whole file and names its content.
///
/// # Errors
///
/// When the file cannot be opened or read.
pub fn hash(path: &Path) -> io::Result<ContentHash> {
    read(path, |_| {})
}

/// The same, and the quick name of its sound of the same bytes, where it lies in them as it is.
///
/// # Errors
///
/// When the file cannot be opened or read.
pub fn hash_both(path: &Path) -> io::Result<(ContentHash, Option<AudioXxh3>)> {
    let mut sound = BytesOfSound::of(path);
    let hash = read(path, |bytes| {
        if let Some(sound) = &mut sound {
            sound.update(bytes);
        }
    })?;
    Ok((hash, sound.map(BytesOfSound::finish)))
}

fn read(path: &Path, mut also: impl FnMut(&[u8])) -> io::Result<ContentHash> {
    let mut file = run::listed_file(path)?;
    let mut block = vec![0; BLOCK];
    let mut sha256 = Sha256::new();
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(read) => {
                sha256.update(&block[..read]);
                also(&block[..read]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ContentHash::of(&sha256.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_fips_180() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        assert_eq!(
            hash(file.path()).unwrap().as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(head(file.path()).unwrap(), b"abc");
    }

    #[test]
    fn a_file_longer_than_a_block_is_hashed_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..BLOCK * 2 + 17).map(|i| (i % 251) as u8).collect();
        std::fs::write(file.path(), &content).unwrap();
        assert_eq!(
            hash(file.path()).unwrap(),
            ContentHash::of(&Sha256::digest(&content))
        );
    }
}
