//! Tells from AAC's configuration whether the stream is one that can be decoded.
//!
//! Symphonia decodes AAC-LC, mono and stereo; surround is refused. High-efficiency AAC carries an AAC-LC stream of half the
//! sample rate inside, which would decode without complaint, an octave's worth of treble missing; it
//! must be refused instead. Signalling is that of ISO/IEC 14496-3, section 1.6.5: explicit (object
//! type 5 or 29), or backward compatible (an extension after the AAC-LC configuration). Implicit
//! signalling, where only the packets show it, cannot be seen here; raw ADTS files know no other.

use super::DecodeError;

/// Refuses everything but AAC-LC; `config` is the `AudioSpecificConfig`.
pub(super) fn check(config: &[u8]) -> Result<(), DecodeError> {
    let mut bits = Bits {
        bytes: config,
        at: 0,
    };
    let Some((kind, channels)) = bits.object_and_channels() else {
        return Ok(());
    };
    let name = match kind {
        2 if bits.has_late_sbr() => "HE-AAC",
        2 if channels == 1 || channels == 2 => return Ok(()),
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

    /// Object type and channel configuration; the rate in between is passed over.
    fn object_and_channels(&mut self) -> Option<(u32, u32)> {
        let kind = self.object()?;
        if self.take(4)? == 15 {
            self.take(24)?;
        }
        Some((kind, self.take(4)?))
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
        check(&[0x12, 0x10]).expect("AAC-LC, 44.1 kHz, stereo");
        check(&[0x12, 0x10, 0x56, 0xe5, 0x00]).expect("an extension that says: no SBR");
        check(&[]).expect("nothing to judge by");
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
