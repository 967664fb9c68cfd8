//! Headers that no encoder writes.

use std::io;

use super::{Broken, Expect, Maker, find, good};
use crate::synth::aiff;

pub(super) fn headers(maker: &Maker) -> io::Result<Vec<Broken>> {
    let mut made = wav(maker)?;
    made.extend(flac(maker)?);
    made.extend(mp4(maker)?);
    made.extend(ogg(maker)?);
    made.extend(aiff(maker)?);
    Ok(made)
}

/// Returns `bytes` with `patch` written over them at `at`.
fn patched(bytes: &[u8], at: usize, patch: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[at..at + patch.len()].copy_from_slice(patch);
    out
}

/// The sample has the plain layout: channels at 22, rate at 24, bits at 34, and `data` somewhere after.
fn wav(maker: &Maker) -> io::Result<Vec<Broken>> {
    let wav = good("wav")?;
    let size = find(&wav, b"data")? + 4;
    let make = |name, at, patch: &[u8], expect, why| {
        maker.file(name, &patched(&wav, at, patch), expect, why)
    };
    Ok(vec![
        make(
            "no channels.wav",
            22,
            &[0; 2],
            Expect::Nothing,
            "says that it has 0 channels",
        )?,
        make(
            "65535 channels.wav",
            22,
            &[0xff; 2],
            Expect::Either,
            "says that it has 65,535 channels",
        )?,
        make(
            "rate 0.wav",
            24,
            &[0; 4],
            Expect::Nothing,
            "says that its rate is 0 Hz",
        )?,
        make(
            "rate 4 GHz.wav",
            24,
            &4_000_000_000u32.to_le_bytes(),
            Expect::Either,
            "says that its rate is 4 GHz",
        )?,
        make(
            "no bits.wav",
            34,
            &[0; 2],
            Expect::Nothing,
            "says that its samples have 0 bits",
        )?,
        make(
            "data 4 GB.wav",
            size,
            &[0xff; 4],
            Expect::Sound,
            "says that it holds 4 GB, as streams do, but has 240 kB",
        )?,
        make(
            "data 0.wav",
            size,
            &[0; 4],
            Expect::Either,
            "says that it holds 0 bytes, but has 240 kB",
        )?,
    ])
}

/// STREAMINFO begins at byte 8; its number of samples is the low half of byte 21 and the four after.
fn flac(maker: &Maker) -> io::Result<Vec<Broken>> {
    let flac = good("flac")?;
    let many = patched(&flac, 21, &[flac[21] | 0x0f, 0xff, 0xff, 0xff, 0xff]);
    let none = patched(&flac, 21, &[flac[21] & 0xf0, 0, 0, 0, 0]);
    // The rate is the 20 bits from byte 18.
    let rate = patched(&flac, 18, &[0, 0, flac[20] & 0x0f]);
    let block = patched(&flac, 5, &[0xff; 3]);
    Ok(vec![
        maker.file(
            "2^36 samples.flac",
            &many,
            Expect::Sound,
            "says that it has 2^36 - 1 samples, 72 days, but has 25 s",
        )?,
        maker.file(
            "0 samples.flac",
            &none,
            Expect::Sound,
            "does not say how many samples it has, which is allowed",
        )?,
        maker.file(
            "rate 0.flac",
            &rate,
            Expect::Either,
            "says that its rate is 0 Hz; the frames say otherwise",
        )?,
        maker.file(
            "block of 16 MB.flac",
            &block,
            Expect::Nothing,
            "its first metadata block claims 16 MB",
        )?,
    ])
}

fn mp4(maker: &Maker) -> io::Result<Vec<Broken>> {
    let m4a = good("m4a")?;
    let first = u32::from_be_bytes([m4a[0], m4a[1], m4a[2], m4a[3]]) as usize;
    let start = &m4a[..first];
    let with = |size: &[u8], rest: &[u8]| [start, size, b"moov", rest].concat();
    let huge = with(&1u32.to_be_bytes(), &(1u64 << 63).to_be_bytes());
    let small = with(&1u32.to_be_bytes(), &1u64.to_be_bytes());
    let child = with(
        &16u32.to_be_bytes(),
        &[&1_000u32.to_be_bytes()[..], b"trak"].concat(),
    );
    let table = find(&m4a, b"stsz")?;
    // The table of sample sizes: flags (4), one size for all (4), how many (4).
    let count = patched(&m4a, table + 8, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    Ok(vec![
        maker.file(
            "box of size 0.m4a",
            &with(&[0; 4], &[]),
            Expect::Nothing,
            "its `moov` box says that it reaches to the end, and is empty",
        )?,
        maker.file(
            "box of size 4.m4a",
            &with(&4u32.to_be_bytes(), &[0; 64]),
            Expect::Nothing,
            "its `moov` box says that it is smaller than its own header",
        )?,
        maker.file(
            "box of size 1.m4a",
            &small,
            Expect::Nothing,
            "its `moov` box has a 64-bit size of 1",
        )?,
        maker.file(
            "box of size 2^63.m4a",
            &huge,
            Expect::Nothing,
            "its `moov` box has a 64-bit size of 2^63",
        )?,
        maker.file(
            "child larger than parent.m4a",
            &child,
            Expect::Nothing,
            "a box says that it is larger than the one it is in",
        )?,
        maker.file(
            "boxes in boxes.m4a",
            &[start.to_vec(), nested(20_000)].concat(),
            Expect::Nothing,
            "its boxes lie in one another 20,000 deep",
        )?,
        maker.file(
            "4 billion samples.m4a",
            &count,
            Expect::Either,
            "its table of sample sizes claims 2^32 - 1 entries",
        )?,
    ])
}

/// Returns `moov` boxes, each inside the one before.
fn nested(depth: usize) -> Vec<u8> {
    let sizes = (1..=depth).rev().map(|level| (level * 8) as u32);
    let names = ["moov", "trak", "mdia", "minf", "stbl", "udta", "moov"];
    let names = names.into_iter().chain(std::iter::repeat("moov"));
    sizes
        .zip(names)
        .flat_map(|(size, name)| {
            [
                size.to_be_bytes(),
                name.as_bytes().try_into().unwrap_or_default(),
            ]
            .concat()
        })
        .collect()
}

fn ogg(maker: &Maker) -> io::Result<Vec<Broken>> {
    let ogg = good("ogg")?;
    let mut page = b"OggS\0\x04".to_vec();
    page.extend_from_slice(&u64::MAX.to_le_bytes());
    page.extend_from_slice(&ogg[14..18]);
    page.extend_from_slice(&[0xff; 8]);
    page.push(255);
    let lone = [&page[..], &[255; 255]].concat();
    // The second page holds the comments; its packet begins with the type 3, "vorbis" and the length of the vendor.
    let comments = find(&ogg, b"\x03vorbis")? + 7;
    let vendor = patched(&ogg, comments, &[0xff, 0xff, 0xff, 0x7f]);
    Ok(vec![
        maker.file(
            "page at the end.ogg",
            &[&ogg[..], &page].concat(),
            Expect::Sound,
            "a page after the last claims 255 segments and ends",
        )?,
        maker.file(
            "lone page.ogg",
            &lone,
            Expect::Nothing,
            "is one page of 255 segments without their bytes",
        )?,
        maker.file(
            "vendor of 2 GB.ogg",
            &vendor,
            Expect::Either,
            "its comments claim a vendor of 2 GB (the page's checksum is wrong too)",
        )?,
    ])
}

fn aiff(maker: &Maker) -> io::Result<Vec<Broken>> {
    let frames = 8_000;
    let make = |name, channels, rate, why| {
        let sound = [
            aiff::header(channels, frames, rate),
            vec![0x10; frames as usize * 2],
        ]
        .concat();
        maker.file(name, &sound, Expect::Nothing, why)
    };
    let mut infinite = [0; 10];
    infinite[..3].copy_from_slice(&[0x7f, 0xff, 0x80]);
    let mut nan = infinite;
    nan[2] = 0xc0;
    let mut negative = aiff::extended(8_000);
    negative[0] |= 0x80;
    Ok(vec![
        make(
            "rate 0.aiff",
            1,
            aiff::extended(0),
            "says that its rate is 0 Hz",
        )?,
        make("rate NaN.aiff", 1, nan, "says that its rate is no number")?,
        make(
            "rate infinite.aiff",
            1,
            infinite,
            "says that its rate is infinite",
        )?,
        make(
            "rate negative.aiff",
            1,
            negative,
            "says that its rate is -8 kHz",
        )?,
        make(
            "no channels.aiff",
            0,
            aiff::extended(8_000),
            "says that it has 0 channels",
        )?,
    ])
}
