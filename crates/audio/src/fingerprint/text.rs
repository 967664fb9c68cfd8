//! The compressed text form of fingerprints.
//!
//! Each number is combined by XOR with the one before; of the bits that are set, the distances are
//! written in three bits each, 0 for the end of a number, 7 for "7 and as much as the five bits say that
//! follow in a second list". In front stand the algorithm and the count; around it is URL-safe base64
//! without padding (RFC 4648, section 5). `rusty-chromaprint` writes it; the reading is written from the
//! format's description, since no crate does it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusty_chromaprint::{Configuration, FingerprintCompressor};

/// The largest distance that three bits hold; from here on, more is in the second list.
const LARGE: u32 = 7;

fn unpack(bytes: &[u8], index: usize, bits: usize) -> Option<u32> {
    let at = index * bits;
    let low = u32::from(*bytes.get(at / 8)?);
    let high = bytes.get(at / 8 + 1).map_or(0, |byte| u32::from(*byte));
    let is_inside = at + bits <= bytes.len() * 8;
    is_inside.then(|| ((high << 8 | low) >> (at % 8)) & ((1 << bits) - 1))
}

pub(super) fn encode(algorithm: u8, raw: &[u32]) -> String {
    let mut bytes = FingerprintCompressor::from(&Configuration::preset_test2()).compress(raw);
    // The first byte is the algorithm; the rest does not depend on it.
    bytes[0] = algorithm;
    URL_SAFE_NO_PAD.encode(&bytes)
}

pub(super) fn decode(text: &str) -> Option<(u8, Vec<u32>)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
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
