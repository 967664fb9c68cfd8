//! The check sum of Ogg pages: CRC-32 with polynomial 0x04c11db7, most significant bit first, no
//! inversion (RFC 3533, section 6).

use crc::{Algorithm, Crc, Table};

const OGG: Algorithm<u32> = Algorithm {
    width: 32,
    poly: 0x04c1_1db7,
    init: 0,
    refin: false,
    refout: false,
    xorout: 0,
    // Not in the catalogue of algorithms; of `123456789`.
    check: 0x89a1_897f,
    residue: 0,
};

/// Sixteen bytes at a time, so that it costs a hundredth of decoding.
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&OGG);

/// The sum over a whole page, in which the field of the sum itself (bytes 22 to 25) counts as zero.
pub(super) fn page_check_sum(page: &[u8]) -> u32 {
    let (head, body) = page.split_at(22);
    let mut digest = CRC.digest();
    digest.update(head);
    digest.update(&[0; 4]);
    digest.update(&body[4..]);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        assert_eq!(CRC.checksum(&[0, 0, 0, 1]), OGG.poly);
        assert_eq!(CRC.checksum(b"123456789"), OGG.check);
    }
}
