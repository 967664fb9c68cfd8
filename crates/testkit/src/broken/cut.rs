//! Files that end too soon, and files of garbage.

use std::io;

use super::{Broken, Expect, GOOD, Maker, good};
use crate::synth::Random;

pub(super) fn cuts(maker: &Maker) -> io::Result<Vec<Broken>> {
    let mut made = Vec::new();
    for (extension, _) in GOOD {
        let whole = good(extension)?;
        made.push(maker.file(
            &format!("empty.{extension}"),
            &[],
            Expect::Nothing,
            "has no bytes",
        )?);
        // In MP4 as ffmpeg writes it, the index comes last, and without it nothing can be found.
        let (expect, why) = match extension {
            "m4a" | "mp4" => (
                Expect::Nothing,
                "ends after half its bytes, before the index (`moov`)",
            ),
            _ => (Expect::Sound, "ends after half its bytes"),
        };
        made.push(maker.file(
            &format!("half.{extension}"),
            &whole[..whole.len() / 2],
            expect,
            why,
        )?);
        let why = "ends after 21 bytes, inside the header";
        made.push(maker.file(
            &format!("header.{extension}"),
            &whole[..21],
            Expect::Nothing,
            why,
        )?);
        made.push(maker.file(
            &format!("one byte.{extension}"),
            &whole[..1],
            Expect::Nothing,
            "is one byte long",
        )?);
    }
    Ok(made)
}

pub(super) fn garbage(maker: &Maker) -> io::Result<Vec<Broken>> {
    let mut made = Vec::new();
    for (number, (extension, _)) in GOOD.into_iter().enumerate() {
        let mut bytes = vec![0; 100_000];
        let why = "is 100,000 zeros";
        made.push(maker.file(&format!("zeros.{extension}"), &bytes, Expect::Nothing, why)?);
        Random::new(number as u64).fill(&mut bytes);
        // Among random bytes a decoder of frames without a header may well find something that looks like one.
        let expect = if matches!(extension, "mp3" | "aac") {
            Expect::Either
        } else {
            Expect::Nothing
        };
        made.push(maker.file(
            &format!("noise.{extension}"),
            &bytes,
            expect,
            "is 100,000 random bytes",
        )?);
        let mut flipped = good(extension)?;
        let middle = flipped.len() / 2;
        for byte in &mut flipped[middle..middle + 64] {
            *byte ^= 0x55;
        }
        let why = "has 64 wrong bytes in the middle of the audio, but plays before and after";
        made.push(maker.file(
            &format!("flipped.{extension}"),
            &flipped,
            Expect::Sound,
            why,
        )?);
    }
    Ok(made)
}
