//! Kinds of recording.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// How a recording was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Digital silence in the gaps.
    Digital,
    /// Dither at 16 bits.
    Dither,
    /// A record in good order.
    Vinyl,
    /// A worn record.
    OldVinyl,
    /// Tape hiss.
    Tape,
    /// Hiss and mains hum.
    TapeHum,
    /// Noise in the gaps only.
    GapNoise,
    /// The same, but one gap is digital silence.
    OnePause,
    /// Tracks of different loudness.
    Steps,
    /// Short gaps.
    ShortGaps,
    /// Slow fades and hardly a gap.
    Fades,
    /// Applause between the tracks.
    Live,
    /// Someone speaks between the tracks.
    Spoken,
    /// Wrong speed, mono, clipped, with a constant.
    Worn,
    /// Low bit rates.
    LowBits,
    /// Long pauses.
    LongPauses,
    /// Each track fades into the next.
    Crossfades,
    /// Tracks touch.
    Gapless,
    /// One track.
    Single,
    /// One track over the noise of a medium.
    NoisySingle,
    /// One quiet piece with rests.
    Classical,
    /// One speaker.
    Speech,
    /// Speech and jingles.
    Podcast,
    /// A mix, which is one track.
    Mix,
    /// Sound effects.
    Effects,
    /// A track, a long silence and a hidden one.
    Hidden,
    /// Plain tones with gaps.
    Tones,
    /// A plain tone with rests, which is one track.
    ToneSingle,
    /// A few short excerpts of songs with gaps.
    ShortSongs,
    /// A few short tones, noises and chords with gaps.
    ShortSignals,
    /// A short piece with a pause, which is one track.
    ShortSingle,
    /// Songs and tracks of some seconds.
    Interludes,
    /// A song that stops and goes on, which is one track.
    Stops,
    /// Two or three songs with the pauses of such a song.
    Pairs,
    /// A record louder in its rumble than in its quiet passages.
    HeavyRumble,
    /// Quiet movements with general pauses.
    Movements,
    /// Songs that were recorded with the pause button.
    PauseButton,
    /// Medium wave, with an announcer.
    Radio,
}

impl Kind {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 38] = [
        Self::Digital,
        Self::Dither,
        Self::Vinyl,
        Self::OldVinyl,
        Self::Tape,
        Self::TapeHum,
        Self::GapNoise,
        Self::OnePause,
        Self::Steps,
        Self::ShortGaps,
        Self::Fades,
        Self::Live,
        Self::Spoken,
        Self::Worn,
        Self::LowBits,
        Self::LongPauses,
        Self::Crossfades,
        Self::Gapless,
        Self::Single,
        Self::NoisySingle,
        Self::Classical,
        Self::Speech,
        Self::Podcast,
        Self::Mix,
        Self::Effects,
        Self::Hidden,
        Self::Tones,
        Self::ToneSingle,
        Self::ShortSongs,
        Self::ShortSignals,
        Self::ShortSingle,
        Self::Interludes,
        Self::Stops,
        Self::Pairs,
        Self::HeavyRumble,
        Self::Movements,
        Self::PauseButton,
        Self::Radio,
    ];

    /// What it is, for a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digital => "digital silence, gaps of 0.5 to 5 s",
            Self::Dither => "dither at 16 bits",
            Self::Vinyl => "vinyl: pink noise, rumble, crackle, pops",
            Self::OldVinyl => "old vinyl, MP3 128k",
            Self::Tape => "tape: hiss, Vorbis",
            Self::TapeHum => "tape with hum, Opus 96k",
            Self::GapNoise => "noise in the gaps only",
            Self::OnePause => "noise in the gaps, one digital pause",
            Self::Steps => "tracks 6 to 20 dB apart, Vorbis",
            Self::ShortGaps => "gaps of 0.3 to 2 s, AAC",
            Self::Fades => "fades of 4 to 9 s, gaps of 0.3 s, MP3",
            Self::Live => "live: applause of 5 to 12 s",
            Self::Spoken => "spoken introductions",
            Self::Worn => "1 % off speed, mono, clipped, DC",
            Self::LowBits => "codecs at 64 kbit/s",
            Self::LongPauses => "pauses of 10 to 120 s",
            Self::Crossfades => "crossfades of 1 to 4 s",
            Self::Gapless => "no gap at all",
            Self::Single => "single tracks",
            Self::NoisySingle => "single tracks over noise",
            Self::Classical => "quiet pieces with rests",
            Self::Speech => "speech",
            Self::Podcast => "podcasts: speech and jingles",
            Self::Mix => "mixes without gaps",
            Self::Effects => "sound effects",
            Self::Hidden => "hidden tracks",
            Self::Tones => "plain tones with gaps",
            Self::ToneSingle => "a plain tone with rests",
            Self::ShortSongs => "short albums of songs' excerpts",
            Self::ShortSignals => "short albums of plain signals",
            Self::ShortSingle => "short pieces with a pause",
            Self::Interludes => "songs and interludes of 4 to 16 s",
            Self::Stops => "songs that stop and go on",
            Self::Pairs => "two or three songs with such pauses",
            Self::HeavyRumble => "vinyl with rumble of -47 to -36",
            Self::Movements => "quiet movements with general pauses",
            Self::PauseButton => "tape with the pause button",
            Self::Radio => "medium wave with an announcer",
        }
    }

    /// Its word on the command line: that of its JSON.
    pub fn word(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Whether several tracks are to be found.
    pub const fn is_rip(self) -> bool {
        !matches!(
            self,
            Self::Single
                | Self::NoisySingle
                | Self::Classical
                | Self::Speech
                | Self::Podcast
                | Self::Mix
                | Self::Effects
                | Self::ToneSingle
                | Self::ShortSingle
                | Self::Stops
        )
    }

    /// Whether its tracks touch, so that no gap tells where one ends.
    pub const fn has_no_gaps(self) -> bool {
        matches!(self, Self::Crossfades | Self::Gapless)
    }

    /// Whether its pauses mislead.
    pub(super) const fn is_misleading(self) -> bool {
        matches!(
            self,
            Self::Interludes
                | Self::Stops
                | Self::Pairs
                | Self::HeavyRumble
                | Self::Movements
                | Self::PauseButton
                | Self::Radio
        )
    }

    /// What a dip of it weighs in training. Files of tones have two dips where music has forty; of weights from 1 to 5
    /// those were taken with which validation has the fewest errors.
    pub(super) const fn weight(self) -> f32 {
        match self {
            Self::ToneSingle | Self::Hidden | Self::ShortSignals => 3.0,
            Self::Tones => 2.0,
            _ => 1.0,
        }
    }

    /// The codec it is kept in: ffmpeg's encoder, its bit rate, and the extension.
    pub(super) fn codec(self, rng: &mut Rng) -> Option<(&'static str, &'static str, &'static str)> {
        Some(match self {
            Self::OldVinyl => ("libmp3lame", "128k", "mp3"),
            Self::Tape | Self::Steps => ("libvorbis", "112k", "ogg"),
            Self::TapeHum => ("libopus", "96k", "opus"),
            Self::ShortGaps => ("aac", "128k", "m4a"),
            Self::Fades | Self::HeavyRumble => ("libmp3lame", "160k", "mp3"),
            Self::Radio => ("libmp3lame", "64k", "mp3"),
            // Half of them as they are.
            Self::Stops | Self::Pairs | Self::Interludes if rng.bool() => {
                ("libmp3lame", "128k", "mp3")
            }
            Self::LowBits => {
                let all = [
                    ("libmp3lame", "64k", "mp3"),
                    ("libvorbis", "64k", "ogg"),
                    ("libopus", "64k", "opus"),
                    ("aac", "64k", "m4a"),
                ];
                all[rng.usize(..all.len())]
            }
            _ => return None,
        })
    }
}
