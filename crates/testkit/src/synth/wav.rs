//! WAV files, written as a stream, so that ten hours cost no memory.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::pcm::Pcm;

/// How a sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 16-bit integers.
    Int16,
    /// 24-bit integers.
    Int24,
    /// 32-bit floating point.
    Float32,
}

impl Depth {
    fn bytes(self) -> u16 {
        match self {
            Self::Int16 => 2,
            Self::Int24 => 3,
            Self::Float32 => 4,
        }
    }

    fn push(self, sample: f32, bytes: &mut Vec<u8>) {
        match self {
            Self::Int16 => bytes.extend_from_slice(&int16(sample).to_le_bytes()),
            Self::Int24 => {
                let value = (f64::from(sample) * 8_388_608.0)
                    .round()
                    .clamp(-8_388_608.0, 8_388_607.0) as i32;
                bytes.extend_from_slice(&value.to_le_bytes()[..3]);
            }
            Self::Float32 => bytes.extend_from_slice(&sample.to_le_bytes()),
        }
    }
}

/// Returns the nearest 16-bit value.
pub(crate) fn int16(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// Writes `pcm` as one file.
pub fn write(path: &Path, pcm: &Pcm, depth: Depth) -> io::Result<()> {
    let mut writer = Writer::create(path, pcm.rate, pcm.channels, depth)?;
    writer.write(&pcm.samples)?;
    writer.finish().map(drop)
}

/// Writes `pcm` with the given `INFO` texts, such as `INAM` (title), `IART` (artist) and `IPRD` (album).
pub fn write_tagged(path: &Path, pcm: &Pcm, depth: Depth, info: &[(&str, &str)]) -> io::Result<()> {
    let mut writer = Writer::create(path, pcm.rate, pcm.channels, depth)?;
    writer.write(&pcm.samples)?;
    writer.info(info)?;
    writer.finish().map(drop)
}

/// Gives a WAV file other `INFO` texts behind its sound, as a tagger does.
///
/// # Errors
///
/// When it cannot be read or written, or has no sound.
pub fn retag(path: &Path, info: &[(&str, &str)]) -> io::Result<()> {
    let mut wav = std::fs::read(path)?;
    let data = wav.windows(4).position(|word| word == b"data");
    let data = data.ok_or_else(|| io::Error::other("a WAV file has a chunk `data`"))?;
    let size = u32::from_le_bytes([wav[data + 4], wav[data + 5], wav[data + 6], wav[data + 7]]);
    wav.truncate(data + 8 + size as usize);
    wav.resize(wav.len() + wav.len() % 2, 0);
    wav.extend(list(info)?);
    let riff = (wav.len() - 8) as u32;
    wav[4..8].copy_from_slice(&riff.to_le_bytes());
    std::fs::write(path, wav)
}

/// A chunk of `INFO` texts.
fn list(texts: &[(&str, &str)]) -> io::Result<Vec<u8>> {
    let mut body = b"INFO".to_vec();
    for (id, text) in texts {
        let id: [u8; 4] = id
            .as_bytes()
            .try_into()
            .map_err(|_| io::Error::other("an INFO id has four letters"))?;
        chunk(&mut body, id, &[text.as_bytes(), b"\0"].concat());
    }
    let mut list = Vec::new();
    chunk(&mut list, *b"LIST", &body);
    Ok(list)
}

/// A WAV file that grows; [`Writer::finish`] fills in the sizes.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<File>,
    depth: Depth,
    channels: u16,
    data_bytes: u64,
    trailer: Vec<u8>,
    scratch: Vec<u8>,
}

impl Writer {
    /// Creates or replaces the file and writes a header for an empty sound.
    pub fn create(path: &Path, rate: u32, channels: u16, depth: Depth) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
        out.write_all(&header(rate, channels, depth, 0))?;
        Ok(Self {
            out,
            depth,
            channels,
            data_bytes: 0,
            trailer: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// Appends interleaved samples.
    pub fn write(&mut self, samples: &[f32]) -> io::Result<()> {
        for part in samples.chunks(1 << 16) {
            self.scratch.clear();
            for sample in part {
                self.depth.push(*sample, &mut self.scratch);
            }
            self.out.write_all(&self.scratch)?;
            self.data_bytes += self.scratch.len() as u64;
        }
        Ok(())
    }

    /// Appends digital silence as a hole in the file, which takes no disk space where holes are supported.
    pub fn write_silence(&mut self, frames: u64) -> io::Result<()> {
        let bytes = frames * u64::from(self.channels) * u64::from(self.depth.bytes());
        self.out.flush()?;
        let end = self.out.get_ref().metadata()?.len() + bytes;
        self.out.get_ref().set_len(end)?;
        self.out.seek(SeekFrom::Start(end))?;
        self.data_bytes += bytes;
        Ok(())
    }

    /// Appends `seconds` of sound by repeating `pcm`, encoded once: how a ten-hour file is made quickly.
    pub fn repeat(&mut self, pcm: &Pcm, seconds: f64) -> io::Result<()> {
        let frame = usize::from(self.channels) * usize::from(self.depth.bytes());
        let mut left = (seconds * f64::from(pcm.rate)).round() as usize * frame;
        let mut block = Vec::with_capacity(pcm.samples.len() * usize::from(self.depth.bytes()));
        for sample in &pcm.samples {
            self.depth.push(*sample, &mut block);
        }
        while left > 0 && !block.is_empty() {
            let part = left.min(block.len());
            self.out.write_all(&block[..part])?;
            self.data_bytes += part as u64;
            left -= part;
        }
        Ok(())
    }

    /// Sets the `INFO` texts that will follow the samples.
    pub fn info(&mut self, texts: &[(&str, &str)]) -> io::Result<()> {
        self.trailer = list(texts)?;
        Ok(())
    }

    /// Writes the sizes into the header and returns the number of frames.
    ///
    /// Fails when the file grew beyond what a WAV header can say, 4 GiB.
    pub fn finish(mut self) -> io::Result<u64> {
        if self.data_bytes % 2 == 1 {
            self.out.write_all(&[0])?;
        }
        self.out.write_all(&self.trailer)?;
        self.out.flush()?;
        let too_long = |_| io::Error::other("a WAV file cannot say that it holds more than 4 GiB");
        let riff = u32::try_from(self.out.get_ref().metadata()?.len() - 8).map_err(too_long)?;
        let data = u32::try_from(self.data_bytes).map_err(too_long)?;
        self.out.seek(SeekFrom::Start(4))?;
        self.out.write_all(&riff.to_le_bytes())?;
        self.out.seek(SeekFrom::Start(40))?;
        self.out.write_all(&data.to_le_bytes())?;
        self.out.flush()?;
        Ok(self.data_bytes / u64::from(self.channels.max(1)) / u64::from(self.depth.bytes()))
    }
}

/// Appends a RIFF chunk, padded to an even length.
fn chunk(out: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    out.extend_from_slice(&id);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    out.resize(out.len() + body.len() % 2, 0);
}

/// Returns the 44 bytes before the samples.
pub fn header(rate: u32, channels: u16, depth: Depth, data_bytes: u32) -> Vec<u8> {
    let frame = channels.wrapping_mul(depth.bytes());
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&data_bytes.saturating_add(36).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    out.extend_from_slice(&if depth == Depth::Float32 { 3u16 } else { 1 }.to_le_bytes());
    out.extend_from_slice(&channels.to_le_bytes());
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&rate.wrapping_mul(u32::from(frame)).to_le_bytes());
    out.extend_from_slice(&frame.to_le_bytes());
    out.extend_from_slice(&(depth.bytes() * 8).to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data_bytes.to_le_bytes());
    out
}
