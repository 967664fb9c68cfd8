//! Kinds of recording: rips of several tracks, and what must stay whole.

use anyhow::{Result, ensure};
use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use super::medium::Medium;
use super::tracks::{Fade, Nature, RATE, Source, Stereo};
use super::truth;

/// What is known of a recording besides its sound.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Label {
    /// The file's name without its extension.
    pub name: String,
    /// Audio files in its folder.
    pub neighbours: usize,
    /// Track number of the tags.
    pub track: Option<u32>,
    /// Number of tracks of the tags.
    pub track_total: Option<u32>,
}

/// A recording and its truth.
#[derive(Debug)]
pub struct Recording {
    /// How it was made.
    pub kind: Kind,
    /// The audio.
    pub audio: Stereo,
    /// Where each gap begins and ends, in seconds: from where a track stops to be heard to where the next starts.
    pub gaps: Vec<(f64, f64)>,
    /// Name and tags.
    pub label: Label,
    /// Encoder, bit rate, extension.
    pub codec: Option<(&'static str, &'static str, &'static str)>,
}

/// Makes recordings of one split's sources.
pub struct Maker<'a> {
    songs: Vec<&'a Source>,
    speech: Vec<&'a Source>,
    effects: Vec<&'a Source>,
    pub(super) rng: Rng,
}

/// The longest part of a track that is used, in seconds; the middle of longer ones goes.
const LONGEST: std::ops::Range<f64> = 80.0..240.0;

/// A track of which less is heard is not used, in frames: 20 s.
const SHORTEST: usize = 20 * RATE as usize;

impl<'a> Maker<'a> {
    /// A maker whose choices are a function of `seed`.
    pub fn new(sources: &'a [Source], seed: u64) -> Result<Self> {
        let of = |nature| -> Vec<&Source> {
            sources
                .iter()
                .filter(|source| source.nature == nature)
                .collect()
        };
        let maker = Self {
            songs: of(Nature::Song),
            speech: of(Nature::Speech),
            effects: of(Nature::Effect),
            rng: Rng::with_seed(seed),
        };
        ensure!(
            maker.songs.len() >= 9,
            "fewer than nine songs of 45 s or longer"
        );
        ensure!(
            maker.speech.len() >= 9 && maker.effects.len() >= 9,
            "fewer than nine files of speech, or of effects"
        );
        Ok(maker)
    }

    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.rng.f64()
    }

    pub(super) fn level(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.rng.f32()
    }

    /// The next recording of a kind.
    pub fn make(&mut self, kind: Kind) -> Result<Recording> {
        let mut audio = Stereo::default();
        audio.pause(self.between(0.0, 2.0));
        let (gaps, is_plain) = self.played_as(kind, &mut audio)?;
        audio.pause(self.between(0.0, 2.5));
        let medium = match kind {
            Kind::ShortSongs | Kind::ShortSignals | Kind::ShortSingle => self.light_noise(),
            _ if kind.is_misleading() => self.misleading_medium(kind),
            _ => self.medium(kind),
        };
        medium.press(&mut audio);
        let gaps = truth::of(&audio, gaps);
        let seconds = |frame: usize| frame as f64 / f64::from(RATE);
        match kind {
            Kind::ShortSongs | Kind::ShortSignals | Kind::Interludes | Kind::Pairs
                if self.rng.bool() =>
            {
                medium.lay_over(&mut audio, Some(&gaps), &mut self.rng);
            }
            Kind::GapNoise | Kind::OnePause => {
                let skipped = if kind == Kind::OnePause {
                    self.rng.usize(..gaps.len())
                } else {
                    usize::MAX
                };
                let mut parts: Vec<_> = gaps.clone();
                if skipped < parts.len() {
                    parts.remove(skipped);
                }
                medium.lay_over(&mut audio, Some(&parts), &mut self.rng);
            }
            _ => medium.lay_over(&mut audio, None, &mut self.rng),
        }
        let tracks = gaps.len() as u32 + 1;
        let label = self.label(kind, tracks, is_plain);
        Ok(Recording {
            kind,
            label: self.tagged(kind, label, tracks),
            gaps: gaps
                .iter()
                .map(|(from, to)| (seconds(*from), seconds(*to)))
                .collect(),
            audio,
            codec: kind.codec(&mut self.rng),
        })
    }

    /// Appends what is heard of a kind. The gaps in frames, and whether it is a plain signal.
    fn played_as(&mut self, kind: Kind, audio: &mut Stereo) -> Result<(Vec<(usize, usize)>, bool)> {
        // What a plain signal is, one piece with rests or several, only its name can tell.
        let mut is_plain = kind == Kind::ToneSingle;
        let gaps = match kind {
            Kind::Single | Kind::NoisySingle => {
                let song = self.song(1.0)?;
                audio.append(&song);
                Vec::new()
            }
            Kind::Classical => {
                self.classical(audio)?;
                Vec::new()
            }
            Kind::Speech => {
                self.talk(audio, 120.0..900.0);
                Vec::new()
            }
            Kind::Podcast => {
                self.podcast(audio);
                Vec::new()
            }
            Kind::Effects => {
                self.effects(audio);
                Vec::new()
            }
            Kind::Hidden => self.hidden(audio)?,
            Kind::Tones | Kind::ToneSingle => self.tones(kind, audio),
            Kind::ShortSongs | Kind::ShortSignals => self.short_album(kind, audio)?,
            Kind::ShortSingle => {
                is_plain = self.short_single(audio)?;
                Vec::new()
            }
            Kind::Stops => {
                let seconds = self.between(60.0, 300.0);
                audio.append(&self.stopped(seconds, 1..=2)?);
                Vec::new()
            }
            _ if kind.is_misleading() => self.misleading(kind, audio)?,
            Kind::Mix => {
                self.joined(kind, audio)?;
                Vec::new()
            }
            _ => self.joined(kind, audio)?,
        };
        Ok((gaps, is_plain))
    }

    pub(super) fn song(&mut self, speed: f64) -> Result<Stereo> {
        let longest = self.between(LONGEST.start, LONGEST.end);
        loop {
            let song = self.songs[self.rng.usize(..self.songs.len())];
            // Some files are of a kind that is not decoded, some are silent for most of their length.
            let Ok(decoded) = Stereo::decode(&song.path, speed) else {
                continue;
            };
            let heard = decoded.heard(longest);
            if heard.frames() > SHORTEST {
                return Ok(heard);
            }
        }
    }

    /// Tracks one after the other, and the gaps between them in frames.
    fn joined(&mut self, kind: Kind, audio: &mut Stereo) -> Result<Vec<(usize, usize)>> {
        let tracks = match kind {
            Kind::GapNoise | Kind::OnePause => self.rng.usize(5..=12),
            _ => self.rng.usize(4..=9),
        };
        let usual = self.between(0.8, 3.5);
        let applause = self.applause();
        let mut gaps = Vec::new();
        for number in 0..tracks {
            let speed = if kind == Kind::Worn {
                self.between(0.99, 1.01)
            } else {
                1.0
            };
            let mut track = self.track(kind, speed)?;
            if number > 0 {
                gaps.push(self.join(kind, audio, &mut track, usual, &applause));
            }
            audio.append(&track);
        }
        Ok(gaps)
    }

    /// A song as loud and with such fades as the kind has, from where it is heard to where it no longer is.
    fn track(&mut self, kind: Kind, speed: f64) -> Result<Stereo> {
        loop {
            let mut track = self.song(speed)?;
            let fade = [Fade::Decibels, Fade::Amplitude][self.rng.usize(..2)];
            match kind {
                Kind::Steps => track.gain(-self.between(0.0, 20.0) as f32),
                Kind::Fades => {
                    let fade_in = if self.rng.bool() {
                        self.between(0.0, 5.0)
                    } else {
                        0.0
                    };
                    track.fade(fade_in, self.between(4.0, 9.0), fade);
                }
                // One track in four fades out on any album.
                _ if self.rng.u8(..4) == 0 && !kind.has_no_gaps() && kind != Kind::Mix => {
                    track.fade(0.0, self.between(2.0, 8.0), fade);
                }
                _ => {}
            }
            let heard = track.trimmed();
            if heard.frames() > SHORTEST {
                return Ok(heard);
            }
        }
    }

    /// What lies between the audio so far and the next track.
    fn join(
        &mut self,
        kind: Kind,
        audio: &mut Stereo,
        track: &mut Stereo,
        usual: f64,
        applause: &Stereo,
    ) -> (usize, usize) {
        let from = audio.frames();
        match kind {
            Kind::Crossfades | Kind::Mix => {
                let seconds = if kind == Kind::Mix {
                    self.between(5.0, 12.0)
                } else {
                    self.between(1.0, 4.0)
                };
                let frames = ((seconds * f64::from(RATE)) as usize).min(track.frames() / 3);
                overlap(audio, track, frames);
                return (from - frames, from);
            }
            Kind::Gapless => {}
            Kind::Live => {
                let seconds = self.between(5.0, 12.0);
                self.applaud(audio, track, applause, seconds);
            }
            Kind::Spoken => {
                audio.pause(self.between(0.2, 1.5));
                self.talk(audio, 3.0..12.0);
                audio.pause(self.between(0.1, 1.0));
            }
            Kind::Digital => audio.pause(self.between(0.5, 5.0)),
            Kind::ShortGaps => audio.pause(self.between(0.3, 2.0)),
            Kind::Fades => audio.pause(self.between(0.2, 0.5)),
            Kind::LongPauses => audio.pause(self.between(10.0, 120.0)),
            Kind::GapNoise | Kind::OnePause => audio.pause(usual),
            // A record's or tape's gaps are about as long as one another, but not to the second.
            _ => audio.pause((usual * self.between(0.6, 1.6)).max(0.4)),
        }
        (from, audio.frames())
    }

    /// Half a minute of applause: claps of many hands, that is noise in short bursts.
    fn applause(&mut self) -> Stereo {
        let frames = 30 * RATE as usize;
        let plane = |rng: &mut Rng| {
            let mut out = vec![0.0_f32; frames];
            for _ in 0..30 * 120 {
                let at = rng.usize(..frames - 2000);
                let loud = 0.01 + 0.05 * rng.f32() * rng.f32();
                let decay = 100.0 + 200.0 * rng.f32();
                let mut low = 0.0;
                for step in 0..1500 {
                    low += 0.4 * (rng.f32() - 0.5 - low);
                    out[at + step] += loud * low * 4.0 * (-(step as f32) / decay).exp();
                }
            }
            out
        };
        let left = plane(&mut self.rng);
        let right = plane(&mut self.rng);
        Stereo { left, right }
    }

    /// Applause begins with the end of a track, falls, and goes on into the next; the hall is never silent.
    fn applaud(&mut self, audio: &mut Stereo, track: &mut Stereo, applause: &Stereo, seconds: f64) {
        let rate = f64::from(RATE);
        let before = (self.between(0.3, 1.5) * rate) as usize;
        let after = (self.between(0.0, 1.5) * rate) as usize;
        let gap = (seconds * rate) as usize;
        let total = before + gap + after;
        let start = self
            .rng
            .usize(..applause.frames() - total.min(applause.frames() - 1));
        let gain = 10_f32.powf(-self.between(0.0, 10.0) as f32 / 20.0);
        let deep = self.between(6.0, 20.0) as f32;
        let from = audio.frames() - before.min(audio.frames());
        audio.pause(gap as f64 / rate);
        let gap_end = audio.frames();
        for at in 0..total {
            let progress = at as f32 / total as f32;
            let swell = (at as f32 / (0.8 * rate as f32)).min(1.0);
            // It has died away by `deep` dB at nine tenths of its time.
            let level =
                gain * swell * 10_f32.powf(-deep * (progress / 0.9).min(1.0).powi(2) / 20.0);
            let (left, right) = (
                level * applause.left[start + at],
                level * applause.right[start + at],
            );
            if from + at < gap_end {
                audio.left[from + at] += left;
                audio.right[from + at] += right;
            } else if let Some(sample) = track.left.get_mut(from + at - gap_end) {
                *sample += left;
                track.right[from + at - gap_end] += right;
            }
        }
    }

    /// Sentences with the pauses of a speaker.
    pub(super) fn talk(&mut self, audio: &mut Stereo, seconds: std::ops::Range<f64>) {
        let until =
            audio.frames() + (self.between(seconds.start, seconds.end) * f64::from(RATE)) as usize;
        let slow = self.between(0.3, 1.6);
        while audio.frames() < until {
            let source = self.speech[self.rng.usize(..self.speech.len())];
            if let Ok(sentence) = Stereo::decode(&source.path, 1.0) {
                audio.append(&sentence.heard(60.0));
            }
            audio.pause(slow * self.between(0.3, 1.7));
        }
    }

    fn podcast(&mut self, audio: &mut Stereo) {
        for _ in 0..self.rng.usize(2..=5) {
            let jingle = self.effects[self.rng.usize(..self.effects.len())];
            if let Ok(jingle) = Stereo::decode(&jingle.path, 1.0) {
                audio.append(&jingle.heard(20.0));
            }
            audio.pause(self.between(0.2, 1.5));
            self.talk(audio, 40.0..200.0);
        }
    }

    fn effects(&mut self, audio: &mut Stereo) {
        for _ in 0..self.rng.usize(1..=40) {
            let effect = self.effects[self.rng.usize(..self.effects.len())];
            // Some of the corpus is no audio at all.
            let Ok(sound) = Stereo::decode(&effect.path, 1.0) else {
                continue;
            };
            audio.append(&sound.heard(30.0));
            audio.pause(self.between(0.2, 3.0));
        }
    }

    /// Movements of one piece's tune, quiet, with rests between phrases.
    fn classical(&mut self, audio: &mut Stereo) -> Result<()> {
        let mut song = self.song(1.0)?;
        song.gain(-self.between(6.0, 20.0) as f32);
        let phrases = self.rng.usize(2..=5);
        let length = song.frames() / phrases;
        for phrase in 0..phrases {
            let range = phrase * length..(phrase + 1) * length;
            let mut part = Stereo {
                left: song.left[range.clone()].to_vec(),
                right: song.right[range].to_vec(),
            };
            part.gain(-self.between(0.0, 12.0) as f32);
            part.fade(
                self.between(0.05, 0.5),
                self.between(0.5, 5.0),
                Fade::Decibels,
            );
            audio.append(&part);
            audio.pause(self.between(0.3, 4.0));
        }
        Ok(())
    }

    fn medium(&mut self, kind: Kind) -> Medium {
        let none = Medium::default();
        match kind {
            Kind::Vinyl => Medium {
                pink: Some(self.level(-64.0, -55.0)),
                rumble: Some(self.level(-56.0, -44.0)),
                crackle: Some((self.between(2.0, 10.0) as f32, -30.0)),
                pops: Some(self.between(0.02, 0.1) as f32),
                ..none
            },
            Kind::OldVinyl => Medium {
                pink: Some(self.level(-58.0, -48.0)),
                rumble: Some(self.level(-50.0, -38.0)),
                crackle: Some((self.between(8.0, 30.0) as f32, -22.0)),
                pops: Some(self.between(0.05, 0.4) as f32),
                ..none
            },
            Kind::Tape => Medium {
                hiss: Some(self.level(-58.0, -48.0)),
                ..none
            },
            Kind::TapeHum => Medium {
                hiss: Some(self.level(-60.0, -52.0)),
                hum: Some(self.level(-62.0, -46.0)),
                ..none
            },
            Kind::GapNoise | Kind::OnePause => {
                let level = Some(self.level(-70.0, -58.0));
                match self.rng.u8(..3) {
                    0 => Medium {
                        white: level,
                        ..none
                    },
                    1 => Medium {
                        pink: level,
                        ..none
                    },
                    _ => Medium {
                        hiss: level,
                        ..none
                    },
                }
            }
            Kind::Steps => Medium {
                white: Some(self.level(-68.0, -60.0)),
                ..none
            },
            Kind::Worn => Medium {
                pink: Some(self.level(-62.0, -52.0)),
                crackle: Some((self.between(1.0, 8.0) as f32, -28.0)),
                dc: self.between(-0.04, 0.04) as f32,
                overdrive: Some(self.level(0.0, 9.0)),
                mono: self.rng.bool(),
                ..none
            },
            Kind::Live => Medium {
                pink: Some(self.level(-60.0, -50.0)),
                ..none
            },
            Kind::Dither => Medium {
                dither: true,
                ..none
            },
            Kind::Tones if self.rng.bool() => Medium {
                white: Some(self.level(-72.0, -50.0)),
                ..none
            },
            Kind::NoisySingle | Kind::Classical | Kind::Speech
                if kind == Kind::NoisySingle || self.rng.bool() =>
            {
                Medium {
                    pink: Some(self.level(-66.0, -52.0)),
                    rumble: Some(self.level(-60.0, -44.0)),
                    crackle: Some((self.between(1.0, 15.0) as f32, -26.0)),
                    ..none
                }
            }
            _ => none,
        }
    }

    /// Names and tags as people have them: of a rip none, right or misleading ones.
    fn label(&mut self, kind: Kind, tracks: u32, is_plain: bool) -> Label {
        let number = self.rng.u32(1..=12);
        let pick = |names: &[&str], rng: &mut Rng| names[rng.usize(..names.len())].to_owned();
        if (kind.is_rip() && kind != Kind::Hidden) || kind == Kind::Mix {
            let name = match self.rng.u8(..4) {
                0 => format!("R{number}"),
                1 => format!("{number:02} cassette"),
                2 => pick(
                    &[
                        "Side A",
                        "side b",
                        "rip",
                        "Album",
                        "recording",
                        "LP 3",
                        "tape",
                    ],
                    &mut self.rng,
                ),
                _ => format!("Artist - Album ({})", 1960 + number),
            };
            return Label {
                name,
                neighbours: [1, 2, 3, 6][self.rng.usize(..4)],
                track: (self.rng.u8(..8) == 0).then_some(1),
                track_total: (self.rng.u8(..12) == 0).then_some(tracks),
            };
        }
        // A number would tell that it is one song, where its sound shall.
        let least = if kind == Kind::Stops { 2 } else { 1 };
        let is_numbered = self.rng.u8(..3) >= least || is_plain;
        let title = pick(
            &[
                "Title",
                "Song of Songs",
                "Adagio",
                "Lecture",
                "untitled",
                "Side A",
            ],
            &mut self.rng,
        );
        let has_tags = self.rng.bool();
        Label {
            name: if is_numbered {
                format!("{number:02} - {title}")
            } else {
                title
            },
            neighbours: [1, 2, 5, 12, 30][self.rng.usize(..5)],
            track: has_tags.then_some(number),
            track_total: (has_tags && self.rng.bool()).then_some(12),
        }
    }
}

/// Mixes the beginning of `track` over the end of `audio`.
fn overlap(audio: &mut Stereo, track: &mut Stereo, frames: usize) {
    let base = audio.frames() - frames;
    for (old, new) in [
        (&mut audio.left, &mut track.left),
        (&mut audio.right, &mut track.right),
    ] {
        for at in 0..frames {
            let share = at as f32 / frames as f32;
            old[base + at] = old[base + at] * (1.0 - share).sqrt() + new[at] * share.sqrt();
        }
        new.drain(..frames);
    }
}
