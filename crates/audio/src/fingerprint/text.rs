//! The compressed text form of fingerprints.
//!
//! Each number is combined by XOR with the one before; of the bits that are set, the distances are
//! written in three bits each, 0 for the end of a number, 7 for "7 and as much as the five bits say that
//! follow in a second list". In front stand the algorithm and the count; around it is URL-safe base64
//! without padding (RFC 4648, section 5). Written from the format's description; there is no crate for
//! reading it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The largest distance that three bits hold; from here on, more is in the second list.
const LARGE: u32 = 7;

/// Packs small numbers, lowest bits first.
#[derive(Default)]
struct Packer {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Packer {
    fn push(&mut self, value: u32, bits: u32) {
        self.pending |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

fn unpack(bytes: &[u8], index: usize, bits: usize) -> Option<u32> {
    let at = index * bits;
    let low = u32::from(*bytes.get(at / 8)?);
    let high = bytes.get(at / 8 + 1).map_or(0, |byte| u32::from(*byte));
    let is_inside = at + bits <= bytes.len() * 8;
    is_inside.then(|| ((high << 8 | low) >> (at % 8)) & ((1 << bits) - 1))
}

pub(super) fn encode(algorithm: u8, raw: &[u32]) -> String {
    let (mut normal, mut large) = (Packer::default(), Packer::default());
    let mut last = 0;
    for value in raw {
        let mut rest = value ^ last;
        last = *value;
        let mut from = 0;
        while rest != 0 {
            let bit = rest.trailing_zeros() + 1;
            rest &= rest - 1;
            let distance = bit - from;
            from = bit;
            normal.push(distance.min(LARGE), 3);
            if distance >= LARGE {
                large.push(distance - LARGE, 5);
            }
        }
        normal.push(0, 3);
    }
    let [_, high, middle, low] = (raw.len() as u32).to_be_bytes();
    let mut bytes = vec![algorithm, high, middle, low];
    bytes.extend(normal.finish());
    bytes.extend(large.finish());
    to_base64(&bytes)
}

pub(super) fn decode(text: &str) -> Option<(u8, Vec<u32>)> {
    let bytes = from_base64(text)?;
    let (&[algorithm, high, middle, low], body) = bytes.split_first_chunk()?;
    let count = u32::from_be_bytes([0, high, middle, low]) as usize;
    // Each number takes three bits at least.
    if count > body.len() * 8 / 3 {
        return None;
    }
    let (mut normal, mut ends) = (Vec::new(), 0);
    while ends < count {
        let value = unpack(body, normal.len(), 3)?;
        ends += usize::from(value == 0);
        normal.push(value);
    }
    let large = body.get((normal.len() * 3).div_ceil(8)..)?;
    let (mut raw, mut used) = (Vec::with_capacity(count), 0);
    let (mut last, mut value, mut bit) = (0, 0_u32, 0);
    for mut distance in normal {
        if distance == 0 {
            last ^= value;
            raw.push(last);
            (value, bit) = (0, 0);
            continue;
        }
        if distance == LARGE {
            distance += unpack(large, used, 5)?;
            used += 1;
        }
        bit += distance;
        value |= 1_u32.checked_shl(bit - 1)?;
    }
    Some((algorithm, raw))
}

fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| three.get(at).map_or(0, |byte| u32::from(*byte));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for letter in 0..=three.len() {
            text.push(char::from(
                ALPHABET[(word >> (18 - 6 * letter)) as usize & 63],
            ));
        }
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.as_bytes().chunks(4) {
        let mut word = 0;
        for letter in four {
            let value = ALPHABET.iter().position(|known| known == letter)?;
            word = word << 6 | value as u32;
        }
        word <<= 6 * (4 - four.len());
        bytes.extend_from_slice(&word.to_be_bytes()[1..four.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_texts() {
        // From Chromaprint's own documentation of the format: one number with bits 1, and far ones.
        assert_eq!(encode(1, &[]), "AQAAAA");
        assert_eq!(
            decode(&encode(1, &[1, 0x8000_0001, 0])),
            Some((1, vec![1, 0x8000_0001, 0]))
        );
        assert_eq!(to_base64(&[0xfb, 0xff, 0xfe]), "-__-");
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in [
            "",
            "A",
            "AQ",
            "AQAA",
            "AQD___8",
            "AQAAAQ",
            "AQ AAA",
            "AQAAA\u{e9}",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_fingerprint_reads_back(raw in prop::collection::vec(any::<u32>(), 0..300), algorithm in 0_u8..5) {
            prop_assert_eq!(decode(&encode(algorithm, &raw)), Some((algorithm, raw)));
        }

        #[test]
        fn never_panics_on_any_text(text in "[A-Za-z0-9_-]{0,80}") {
            let _ = decode(&text);
        }
    }
}
