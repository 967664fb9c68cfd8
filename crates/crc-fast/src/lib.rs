//! Stands in for the crate of that name, which `object_store` asks for: it brings tables of a hundred checksums and code
//! for every processor into the program, a megabyte, of which one checksum is used.
//!
//! `[patch.crates-io]` in the workspace names it. What it has is what `object_store`, `books` and the S3 server of the
//! tests call; a version of theirs that calls more does not compile.

use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};

// One table each that goes through 16 bytes at once.
static ISO_HDLC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static ISCSI: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// Which checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// The common one of 32 bits, as in gzip.
    Crc32IsoHdlc,
    /// CRC-32C.
    Crc32Iscsi,
    /// The one of 64 bits that S3 keeps of what it stores.
    Crc64Nvme,
}

/// A checksum that is being made.
pub struct Digest(Inner);

enum Inner {
    Narrow(crc::Digest<'static, u32, Table<16>>),
    Wide(crc::Digest<'static, u64, Table<16>>),
}

impl Digest {
    /// The checksum of nothing yet.
    // Inlined, so that a caller that names one checksum does not bring the tables of the others along.
    #[inline]
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => Inner::Narrow(ISO_HDLC.digest()),
            CrcAlgorithm::Crc32Iscsi => Inner::Narrow(ISCSI.digest()),
            CrcAlgorithm::Crc64Nvme => Inner::Wide(NVME.digest()),
        })
    }

    /// Takes in what comes next.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Narrow(digest) => digest.update(bytes),
            Inner::Wide(digest) => digest.update(bytes),
        }
    }

    /// The checksum of all that came.
    pub fn finalize(self) -> u64 {
        match self.0 {
            Inner::Narrow(digest) => digest.finalize().into(),
            Inner::Wide(digest) => digest.finalize(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of checksums, <https://reveng.sourceforge.io/crc-catalogue/all.htm>.
    #[test]
    fn each_checksum_is_the_one_that_it_is_called() {
        for (algorithm, expected) in [
            (CrcAlgorithm::Crc32IsoHdlc, 0xcbf4_3926),
            (CrcAlgorithm::Crc32Iscsi, 0xe306_9283),
            (CrcAlgorithm::Crc64Nvme, 0xae8b_1486_0a79_9888),
        ] {
            for split in 0..=9 {
                let mut digest = Digest::new(algorithm);
                digest.update(&b"123456789"[..split]);
                digest.update(&b"123456789"[split..]);
                assert_eq!(
                    digest.finalize(),
                    expected,
                    "{algorithm:?} in pieces of {split}"
                );
            }
        }
    }
}
