//! Compressed surround that lies about as if it were samples.
//!
//! CDs and files of DTS, and recordings from a digital output, hold a compressed stream in what calls itself PCM: played as
//! samples it is noise, whatever lossless format the samples were packed in. Its sync words give it away: ETSI TS 102 114
//! (DTS, in words of 16 and of 14 bits, in either order of bytes) and IEC 61937 (anything else over S/PDIF).

use std::collections::VecDeque;

use memchr::memmem;

use super::flow::{Planes, Source, Step};
use super::{DecodeError, StreamInfo};

/// Bytes of samples looked at behind the first that is not zero. Frames of DTS come every 4,096 bytes at most on a CD,
/// bursts of IEC 61937 every 6,144 with AC-3 and every 24,576 with E-AC-3: two of each fit.
const LOOKED_AT: usize = 64 << 10;

/// Seconds of zeros that are passed over: a disc's first track begins late by some of them. A file that is silent
/// for longer is not looked into.
const MOST_SILENCE: u64 = 600;

/// Frames of silence that are given at once.
const PIECE: usize = 4096;

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
fn find(samples: &[u8]) -> Option<&'static str> {
    SYNC_WORDS.iter().find_map(|(word, name)| {
        let next = |from: usize| {
            let at = memmem::find(samples.get(from..)?, word)?;
            Some(from + at)
        };
        next(next(0)? + word.len()).map(|_| *name)
    })
}

/// Listens to the beginning of a source of integer samples: the name of the compressed stream that they are, or the
/// source as it was.
pub(super) fn look(
    source: Box<dyn Source>,
    info: &StreamInfo,
) -> Result<Result<Box<dyn Source>, &'static str>, DecodeError> {
    let mut heard = Heard {
        held: VecDeque::new(),
        source,
        planes: Vec::new(),
    };
    let most = MOST_SILENCE * u64::from(info.sample_rate);
    let (mut samples, mut silence, mut failures) = (Vec::new(), 0, 0);
    while samples.len() < LOOKED_AT && silence < most {
        let held = Held::of(heard.source.next()?);
        match &held {
            Held::Silence { frames, .. } if samples.is_empty() => silence += *frames as u64,
            Held::Silence { frames, planes, .. } => {
                samples.resize(samples.len() + 2 * frames * planes, 0);
            }
            Held::Audio { planes, .. } => interleave(planes, &mut samples),
            Held::Failed(_) | Held::Damaged(..) => failures += 1,
            Held::Stop(_) | Held::End => failures = MOST_FAILURES,
        }
        heard.held.push_back(held);
        if failures >= MOST_FAILURES {
            break;
        }
    }
    Ok(match find(&samples) {
        Some(name) => Err(name),
        None => Ok(Box::new(heard)),
    })
}

/// Failures after which what follows is not looked into.
const MOST_FAILURES: u32 = 64;

/// The upper sixteen bits of all samples, with those of lower channels first.
fn interleave(planes: &[Vec<f32>], samples: &mut Vec<u8>) {
    let frames = planes.first().map_or(0, Vec::len);
    for frame in 0..frames.min(LOOKED_AT) {
        for plane in planes {
            let sample = (plane[frame] * 32_768.0).floor().clamp(-32_768.0, 32_767.0) as i16;
            // Looking begins with the first sample that is not zero.
            if sample != 0 || !samples.is_empty() {
                samples.extend(sample.to_le_bytes());
            }
        }
    }
}

/// A step that was taken before its time.
enum Held {
    /// So many frames of nothing but zeros.
    Silence {
        frames: usize,
        planes: usize,
        rate: u32,
    },
    Audio {
        planes: Vec<Vec<f32>>,
        rate: u32,
    },
    Damaged(u64, String),
    Failed(String),
    Stop(String),
    End,
}

impl Held {
    fn of(step: Step<'_>) -> Self {
        match step {
            Step::Audio(planes) => {
                let (slices, rate) = planes.parts();
                let is_silent = slices
                    .iter()
                    .all(|plane| plane.iter().all(|sample| *sample == 0.0));
                if is_silent {
                    Self::Silence {
                        frames: slices.first().map_or(0, |plane| plane.len()),
                        planes: slices.len(),
                        rate,
                    }
                } else {
                    Self::Audio {
                        planes: slices.iter().map(|plane| plane.to_vec()).collect(),
                        rate,
                    }
                }
            }
            Step::Damaged(count, text) => Self::Damaged(count, text),
            Step::Failed(text) => Self::Failed(text),
            Step::Stop(text) => Self::Stop(text),
            Step::End => Self::End,
        }
    }
}

/// A source whose beginning was heard already.
struct Heard {
    held: VecDeque<Held>,
    source: Box<dyn Source>,
    /// What is given at present.
    planes: Vec<Vec<f32>>,
}

impl Source for Heard {
    fn next(&mut self) -> Result<Step<'_>, DecodeError> {
        let Some(first) = self.held.pop_front() else {
            return self.source.next();
        };
        let (frames, rate) = match first {
            Held::Silence {
                frames,
                planes,
                rate,
            } => {
                let piece = frames.min(PIECE);
                self.planes = vec![vec![0.0; piece]; planes];
                if frames > piece {
                    self.held.push_front(Held::Silence {
                        frames: frames - piece,
                        planes,
                        rate,
                    });
                }
                (piece, rate)
            }
            Held::Audio { planes, rate } => {
                self.planes = planes;
                (self.planes.first().map_or(0, Vec::len), rate)
            }
            Held::Damaged(count, text) => return Ok(Step::Damaged(count, text)),
            Held::Failed(text) => return Ok(Step::Failed(text)),
            Held::Stop(text) => return Ok(Step::Stop(text)),
            Held::End => return Ok(Step::End),
        };
        let planes = self.planes.iter().map(Vec::as_slice);
        Ok(Step::Audio(Planes::new(planes, rate, 0..frames)))
    }

    fn go_on(&mut self) -> Result<bool, DecodeError> {
        self.source.go_on()
    }

    fn ended_properly(&self) -> bool {
        self.source.ended_properly()
    }
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
