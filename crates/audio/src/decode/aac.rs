//! Tells from AAC's configuration whether the stream is one that can be decoded.
//!
//! Symphonia decodes AAC-LC, mono and stereo; surround is refused. High-efficiency AAC carries an AAC-LC stream of half the
//! sample rate inside, which would decode without complaint, an octave's worth of treble missing; it
//! must be refused instead. Signalling is that of ISO/IEC 14496-3, section 1.6.5: explicit (object
//! type 5 or 29), or backward compatible (an extension after the AAC-LC configuration). Implicit
//! signalling, where only the packets show it, cannot be seen here; raw ADTS files know no other. A container that was
//! made of such a file may give it away: it states the rate that is heard, and the configuration half of that.

use super::DecodeError;

/// Sample rates in Hz by their number, in configurations and in frame headers (ISO/IEC 14496-3, table 1.18).
pub(super) const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Refuses everything but AAC-LC, of which it tells the sample rate in Hz; `config` is the `AudioSpecificConfig`.
pub(super) fn check(config: &[u8]) -> Result<Option<u32>, DecodeError> {
    let mut bits = Bits {
        bytes: config,
        at: 0,
    };
    let Some((kind, rate, channels)) = bits.object_rate_and_channels() else {
        return Ok(None);
    };
    let name = match kind {
        2 if bits.has_late_sbr() => "HE-AAC",
        2 if channels == 1 || channels == 2 => return Ok(rate),
        2 => {
            return Err(DecodeError::Unsupported(format!(
                "`AAC` with channel configuration `{channels}`"
            )));
        }
        1 => "AAC Main",
        3 => "AAC SSR",
        4 => "AAC LTP",
        5 => "HE-AAC",
        29 => "HE-AAC v2",
        23 => "AAC-LD",
        39 => "AAC-ELD",
        42 => "xHE-AAC",
        36 => "MPEG-4 ALS",
        other => {
            return Err(DecodeError::Unsupported(format!(
                "MPEG-4 audio object type `{other}`"
            )));
        }
    };
    Err(DecodeError::Unsupported(format!("`{name}`")))
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = (value << 1) | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn object(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            kind => Some(kind),
        }
    }

    /// Object type, sample rate (`None` if its number is reserved) and channel configuration.
    fn object_rate_and_channels(&mut self) -> Option<(u32, Option<u32>, u32)> {
        let kind = self.object()?;
        let rate = match self.take(4)? {
            15 => Some(self.take(24)?),
            number => RATES.get(number as usize).copied(),
        };
        Some((kind, rate, self.take(4)?))
    }

    /// After an AAC-LC configuration: looks for the extension that announces SBR.
    fn has_late_sbr(&mut self) -> bool {
        // Frame length, core coder (with its delay) and extension flag; then the extension.
        let mut announced = || -> Option<bool> {
            self.take(1)?;
            if self.take(1)? == 1 {
                self.take(14)?;
            }
            self.take(1)?;
            Some(self.take(11)? == 0x2b7 && self.object()? == 5 && self.take(1)? == 1)
        };
        announced().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_types() {
        let rate = |config: &[u8]| check(config).expect("AAC-LC");
        assert_eq!(rate(&[0x12, 0x10]), Some(44_100));
        // An extension that says: no SBR.
        assert_eq!(rate(&[0x12, 0x10, 0x56, 0xe5, 0x00]), Some(44_100));
        assert_eq!(rate(&[0x13, 0x90]), Some(22_050));
        // A rate of its own, 37.8 kHz: AAC-LC, number 15, 24 bits of rate, two channels.
        assert_eq!(rate(&[0x17, 0x80, 0x49, 0xd4, 0x10]), Some(37_800));
        assert_eq!(rate(&[]), None, "nothing to judge by");
        for (config, name) in [
            (&[0x2b, 0x92, 0x08, 0x00][..], "`HE-AAC`"),
            (&[0x13, 0x90, 0x56, 0xe5, 0xa0], "`HE-AAC`"),
            (&[0xeb, 0x8a, 0x08, 0x00], "`HE-AAC v2`"),
            (&[0xf9, 0x48, 0x40], "`xHE-AAC`"),
            (&[0x0a, 0x10], "`AAC Main`"),
            (&[0x12, 0x30], "configuration `6`"),
        ] {
            let text = check(config).expect_err(name).to_string();
            assert!(text.contains(name), "{text}");
        }
    }
}
