//! Compressed surround that lies about as if it were samples.
//!
//! CDs and files of DTS, and recordings from a digital output, hold a compressed stream in what calls itself PCM: played as
//! samples it is noise. Its sync words give it away: ETSI TS 102 114 (DTS, in words of 16 and of 14 bits, in
//! either order of bytes) and IEC 61937 (anything else over S/PDIF).

use memchr::memmem;

/// Bytes of samples looked at; frames of DTS come every 4,096 bytes at most on a CD.
pub(super) const LOOKED_AT: usize = 32 << 10;

const SYNC_WORDS: [(&[u8], &str); 8] = [
    (&[0x7f, 0xfe, 0x80, 0x01], "DTS"),
    (&[0xfe, 0x7f, 0x01, 0x80], "DTS"),
    (&[0x1f, 0xff, 0xe8, 0x00, 0x07, 0xf0], "DTS"),
    (&[0xff, 0x1f, 0x00, 0xe8, 0xf0, 0x07], "DTS"),
    (&[0x1f, 0xff, 0xe8, 0x00, 0x07, 0xf1], "DTS"),
    (&[0xff, 0x1f, 0x00, 0xe8, 0xf1, 0x07], "DTS"),
    (&[0x72, 0xf8, 0x1f, 0x4e], "compressed surround (IEC 61937)"),
    (&[0xf8, 0x72, 0x4e, 0x1f], "compressed surround (IEC 61937)"),
];

/// Names the compressed stream in these samples. One sync word may be an accident; two of a kind are none.
pub(super) fn find(samples: &[u8]) -> Option<&'static str> {
    SYNC_WORDS.iter().find_map(|(word, name)| {
        let next = |from: usize| {
            let at = memmem::find(samples.get(from..)?, word)?;
            Some(from + at)
        };
        next(next(0)? + word.len()).map(|_| *name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sync_words_are_a_stream_and_one_is_not() {
        let mut samples = vec![1; 6000];
        samples[100..104].copy_from_slice(&[0xfe, 0x7f, 0x01, 0x80]);
        assert_eq!(find(&samples), None);
        samples[4196..4200].copy_from_slice(&[0xfe, 0x7f, 0x01, 0x80]);
        assert_eq!(find(&samples), Some("DTS"));
    }
}
