//! What ffprobe says about a file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::decode::DecodeError;

/// Streams and chapters that are looked at.
const MAX_STREAMS: usize = 1_000;

/// A file as ffprobe sees it.
#[derive(Debug, Default)]
pub(crate) struct Probed {
    /// Its audio tracks, in order.
    pub(in crate::decode) audio: Vec<ProbedStream>,
    /// Keys and values of the whole file and of its first audio track.
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) chapters: Vec<ProbedChapter>,
}

/// An audio track.
#[derive(Debug)]
pub(in crate::decode) struct ProbedStream {
    pub index: u32,
    pub codec: String,
    /// In Hz.
    pub sample_rate: u32,
    pub channels: u16,
    /// Bits of a sample, where the codec is lossless.
    pub bits: Option<u8>,
    /// In seconds, where the stream says.
    duration: Option<f64>,
}

impl ProbedStream {
    /// Frames of the whole stream where its header counts samples; others only estimate.
    pub(super) fn exact_frames(&self, rate: u32) -> Option<u64> {
        let counts = matches!(self.codec.as_str(), "wavpack" | "ape" | "tta" | "tak");
        let frames = self.duration.filter(|_| counts)? * f64::from(rate);
        (frames.is_finite() && frames >= 1.0).then_some(frames.round() as u64)
    }
}

/// A chapter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProbedChapter {
    /// In seconds.
    pub start: f64,
    pub end: Option<f64>,
    pub title: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    streams: Vec<Stream>,
    chapters: Vec<Chapter>,
    format: Format,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Stream {
    index: u32,
    codec_type: String,
    codec_name: String,
    sample_rate: String,
    channels: u16,
    bits_per_raw_sample: String,
    duration: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Chapter {
    start_time: String,
    end_time: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Format {
    tags: BTreeMap<String, String>,
}

impl Probed {
    /// Of the first audio track, in Hz; 0 without one.
    pub(in crate::decode) fn sample_rate(&self) -> u32 {
        self.audio.first().map_or(0, |stream| stream.sample_rate)
    }

    pub(super) fn parse(json: &[u8]) -> Result<Self, DecodeError> {
        let text = String::from_utf8_lossy(json);
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|_| DecodeError::Malformed("ffprobe can make nothing of it".to_owned()))?;
        let streams = answer.streams.iter().take(MAX_STREAMS);
        let is_audio = |stream: &&Stream| stream.codec_type == "audio";
        let audio: Vec<ProbedStream> = streams
            .filter(is_audio)
            .map(|stream| ProbedStream {
                index: stream.index,
                codec: stream.codec_name.clone(),
                sample_rate: stream.sample_rate.parse().unwrap_or(0),
                channels: stream.channels,
                bits: stream
                    .bits_per_raw_sample
                    .parse()
                    .ok()
                    .filter(|bits| *bits > 0),
                duration: stream.duration.parse().ok(),
            })
            .collect();
        let of_stream = answer
            .streams
            .iter()
            .find(is_audio)
            .map(|stream| stream.tags.clone());
        let tags = answer
            .format
            .tags
            .into_iter()
            .chain(of_stream.unwrap_or_default());
        let seconds = |text: &str| text.parse::<f64>().ok().filter(|time| time.is_finite());
        let chapters = answer.chapters.iter().filter_map(|chapter| {
            Some(ProbedChapter {
                start: seconds(&chapter.start_time)?,
                end: seconds(&chapter.end_time),
                title: chapter.tags.get("title").cloned(),
            })
        });
        Ok(Self {
            audio,
            chapters: chapters.collect(),
            tags: tags.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_nonsense_is_an_error() {
        let probed = Probed::parse(
            br#"{"streams":[{"index":0,"codec_type":"video"},{"index":1,"codec_name":"wavpack","codec_type":"audio",
                "sample_rate":"44100","channels":2,"duration":"2.5","bits_per_raw_sample":"16","tags":{"TITLE":"x"}}],
                "chapters":[{"start_time":"0.000","end_time":"1.5","tags":{"title":"One"}}],
                "format":{"tags":{"artist":"A"}}}"#,
        )
        .unwrap();
        assert_eq!(probed.audio[0].index, 1);
        assert_eq!(probed.audio[0].exact_frames(44_100), Some(110_250));
        assert_eq!(probed.chapters[0].title.as_deref(), Some("One"));
        assert_eq!(probed.tags.len(), 2);
        assert!(Probed::parse(b"").is_err());
    }
}
