//! One file through all stages, from its first byte to its record.

mod claim;

use run::{Fault, Progress};

use crate::error::Result;
use crate::id::{FileId, PassageId, SessionId};
use crate::intake::hash::ContentHash;
use crate::intake::plan::{Extent, Task};
use crate::intake::recognise::{Rejected, misnamed, recognise};
use crate::intake::scan::modified_ns;
use crate::library::former::{Former, FormerPassage};
use crate::library::known::FileStatus;
use crate::library::marks::StoredMark;
use crate::library::record::{
    AudioRecord, BoundaryRecord, CutBy, DescribedPassage, DescriptionRecord, FileRecord,
    PassageRecord, RetagRecord,
};
use crate::library::settings::Settings;
use crate::library::values::{ScannedFile, name_of};
use audio::Ticks;
use audio::analyse::Analysis;
use audio::decode::{AudioDigest, AudioMd5, DecodeError, Decoders};
use audio::marks::{self, Mark};
use audio::segment::{Clues, Segmentation, Span, segment};
use audio::tags::{self, Neighbours, Tags, Written};

pub(crate) use claim::{claim_all, claim_back};

/// What became of a file, before it is written.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Everything about it.
    Record {
        /// To be written.
        record: Box<FileRecord>,
        /// Things to tell that stop nothing.
        warnings: Vec<String>,
    },
    /// What its passages sound like, which stay where they are.
    Described(Box<DescriptionRecord>),
    /// Its sound is known; only its tags, its container or its path are new.
    Retagged {
        /// To be written.
        record: Box<RetagRecord>,
        /// Things to tell that stop nothing.
        warnings: Vec<String>,
    },
    /// Its sound has a name now.
    Digested {
        /// The row that stands for it.
        id: FileId,
        /// The digests of its encoded audio; `None` where it has none that can be read.
        audio: Option<AudioDigest>,
    },
    /// It is not what its name says, or cannot be read or decoded.
    Failed(Rejected),
}

/// What all files of a run share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// The settings in force.
    pub settings: &'a Settings,
    /// The run.
    pub session: &'a SessionId,
    /// Where to say what is being done.
    pub progress: &'a Progress,
    /// The worker that does it.
    pub worker: usize,
    /// What decodes.
    pub decoders: &'a Decoders,
    /// How other files of a folder are tagged.
    pub neighbours: &'a Neighbours,
}

/// What a file's content is: all of it, and its sound alone.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) hash: ContentHash,
    /// `None` where the file has no audio that can be told from the rest of it.
    pub(crate) audio: Option<AudioDigest>,
}

impl Content {
    /// Reads a file once for its hash, and once more, from the system's memory, for its digests.
    pub(crate) fn of(task: &Task, decoders: &Decoders) -> Result<Self, Rejected> {
        let hash = task
            .hash
            .clone()
            .map_or_else(|| recognise(&task.file), Ok)?;
        let audio = task
            .audio
            .or_else(|| decoders.audio_digest(task.file.absolute()).ok());
        Ok(Self { hash, audio })
    }

    /// The digest as edits name a sound by it; empty where there is none.
    pub(crate) fn digest(&self) -> String {
        self.audio_md5()
            .map(|md5| md5.to_string())
            .unwrap_or_default()
    }

    fn audio_md5(&self) -> Option<AudioMd5> {
        self.audio.map(|audio| audio.md5)
    }
}

/// Reads one file and finds out what is new about it; where its sound is not known, it is heard and described.
pub(crate) fn take_in(
    task: &Task,
    content: Option<Content>,
    former: Former,
    setting: &Setting<'_>,
) -> Taken {
    let taken = match (task.extent, &task.id, content) {
        (Extent::Description, Some(id), _) => describe_again(task, id, &former.passages, setting)
            .map(|record| Taken::Described(Box::new(record))),
        (Extent::Digest, Some(id), _) => digest(task, id, setting.decoders),
        (extent, id, Some(content)) => {
            let retagged = id
                .as_ref()
                .filter(|_| extent == Extent::Tags)
                .and_then(|id| retag(task, id, &content, &former, setting));
            match retagged {
                Some(taken) => Ok(taken),
                None => describe(task, &content, former, setting),
            }
        }
        (_, _, None) => Err(failed(Fault::retry_later("hash", "it was not read"))),
    };
    taken.unwrap_or_else(Taken::Failed)
}

fn digest(task: &Task, id: &FileId, decoders: &Decoders) -> Result<Taken, Rejected> {
    match decoders.audio_digest(task.file.absolute()) {
        Ok(audio) => Ok(Taken::Digested {
            id: id.clone(),
            audio: Some(audio),
        }),
        Err(DecodeError::Io(error)) => Err(failed(Fault::retry_later("hash", error))),
        Err(_) => Ok(Taken::Digested {
            id: id.clone(),
            audio: None,
        }),
    }
}

/// Seconds by which what a file states of its length may differ from what was heard of it, and be the same: 441 frames
/// of a CD, less than any padding of MP3 or AAC.
const SAME_LENGTH: f64 = 0.01;

/// The tags of a file whose sound is known; `None` where marks say something else than before, so that it may have to
/// be cut anew, or where the same packets are to be played in another way: louder, or more or fewer of them.
fn retag(
    task: &Task,
    id: &FileId,
    content: &Content,
    former: &Former,
    setting: &Setting<'_>,
) -> Option<Taken> {
    let file = &task.file;
    setting
        .progress
        .working(setting.worker, file.path(), "tags");
    let mut warnings = Vec::new();
    let written = read_tags(file, setting, &mut warnings);
    let seconds = former.seconds?;
    let stated = setting.decoders.stated_seconds(file.absolute());
    if written.tags.output_gain_db != former.output_gain_db
        || stated.is_some_and(|stated| (stated - seconds).abs() > SAME_LENGTH)
    {
        return None;
    }
    let found = find_marks(task, &written, &known(&written.tags, file, seconds));
    let marks = StoredMark::all_of(found.marks.as_ref());
    if marks != former.marks && !former.is_cut_by_person {
        return None;
    }
    let mark = |passage: &FormerPassage| {
        StoredMark::of_passage(&marks, passage.start, passage.end).cloned()
    };
    Some(Taken::Retagged {
        record: Box::new(RetagRecord {
            id: id.clone(),
            file: file.clone(),
            hash: content.hash.as_str().to_owned(),
            audio: content.audio?,
            misnamed: misnamed(file),
            tags_digest: written.digest(),
            tags: written.tags,
            passages: former
                .passages
                .iter()
                .map(|passage| (passage.id.clone(), mark(passage)))
                .collect(),
        }),
        warnings,
    })
}

/// What is known of a file before its marks are looked for.
fn known<'a>(tags: &'a Tags, file: &ScannedFile, seconds: f64) -> marks::Known<'a> {
    marks::Known {
        seconds,
        title: tags.title.as_deref(),
        track: tags.track.or_else(|| leading_number(stem(file.path()))),
        track_total: tags.track_total,
    }
}

/// The marks of a file, else those that lie beside a copy of it.
fn find_marks(task: &Task, written: &Written, known: &marks::Known<'_>) -> marks::Found {
    let mut found = marks::find(task.file.absolute(), written, task.file.beside(), known);
    for copy in &task.copies {
        if found.marks.is_some() {
            break;
        }
        found.marks = marks::find(copy.absolute(), written, copy.beside(), known).marks;
    }
    found
}

/// Size and time of a file as it lies there now, to notice when somebody writes to it.
fn file_state(file: &ScannedFile) -> Result<(u64, i64), Rejected> {
    let meta = std::fs::metadata(file.absolute())
        .map_err(|error| failed(Fault::retry_later("decode", error)))?;
    Ok((meta.len(), modified_ns(&meta)))
}

/// What the file has written in itself. What could not be read is warned of, what was mended is logged.
fn read_tags(file: &ScannedFile, setting: &Setting<'_>, warnings: &mut Vec<String>) -> Written {
    let read = tags::read(file.absolute(), setting.neighbours, setting.decoders);
    let written = read.unwrap_or_else(|reason| {
        warnings.push(format!("its tags cannot be read: {reason}"));
        Written::default()
    });
    for mended in &written.mended {
        tracing::info!(file.path = file.path(), mended, "mended tags: {mended}");
    }
    written
}

/// The number that a name begins with, of one or two digits.
fn leading_number(name: &str) -> Option<u32> {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2)
        .contains(&digits)
        .then(|| name[..digits].parse().ok())
        .flatten()
}

fn describe(
    task: &Task,
    content: &Content,
    former: Former,
    setting: &Setting<'_>,
) -> Result<Taken, Rejected> {
    let file = &task.file;
    let stage = |stage| setting.progress.working(setting.worker, file.path(), stage);
    let mut warnings = Vec::new();

    let before = file_state(file)?;
    stage("tags");
    let written = read_tags(file, setting, &mut warnings);
    stage("decode");
    setting.progress.weighs(setting.worker, file.size());
    let mut analysis =
        Analysis::hear(file.absolute(), setting.decoders, setting.progress).map_err(failed)?;
    if file_state(file)? != before {
        return Err(failed(Fault::retry_later(
            "decode",
            "the file changed while it was read",
        )));
    }
    stage("segment");
    let tags = &written.tags;
    let clues = Clues::of(stem(file.path()), task.neighbours, tags);
    let seconds = analysis.levels.frames() as f64 / f64::from(analysis.levels.sample_rate());
    let found = find_marks(task, &written, &known(tags, file, seconds));
    warnings.extend(found.left);
    let marks = found.marks;
    let is_same_sound = former.is_same_sound(content.hash.as_str(), content.audio_md5());
    warnings.extend(former.edits_left_behind(is_same_sound));
    let heard = segment(
        &analysis.levels,
        analysis.sound.contour(),
        &clues,
        marks.as_ref(),
        &setting.settings.silence,
    );
    let (segmentation, cut_by) = cut(heard, &former, is_same_sound, &analysis);
    let passages = passages(
        &mut analysis,
        &segmentation,
        former.passages,
        setting,
        &stage,
    )
    .map_err(failed)?;
    stage("record");
    let digest = written.digest();
    let record = FileRecord {
        id: task.id.clone().unwrap_or_else(FileId::random),
        file: file.clone(),
        hash: content.hash.as_str().to_owned(),
        audio_md5: content.audio_md5(),
        audio_xxh3: content.audio.and_then(|audio| audio.xxh3),
        status: status_of(&passages),
        audio: Some(audio(&analysis, &segmentation)),
        tags: written.tags,
        passages,
        misnamed: misnamed(file),
        tags_digest: Some(digest),
        cut_by,
        marks,
        is_same_sound,
        known_edit: former.last_edit,
        takes_place_of: former.takes_place_of,
        session: setting.session.clone(),
    };
    Ok(Taken::Record {
        record: Box::new(record),
        warnings,
    })
}

fn status_of(passages: &[PassageRecord]) -> FileStatus {
    if passages.is_empty() {
        FileStatus::NoAudio
    } else {
        FileStatus::Complete
    }
}

/// Who has the say about where a file is cut: a person, marks that fit, a release that explained the sound, its
/// silences; in this order.
fn cut(
    heard: Segmentation,
    former: &Former,
    is_same_sound: bool,
    analysis: &Analysis,
) -> (Segmentation, CutBy) {
    if let Some(kept) = former
        .cuts
        .iter()
        .find_map(|cut| keep_cut(&heard, cut.spans.iter().copied(), analysis))
    {
        return (kept, CutBy::Person);
    }
    if heard.marked.is_some() {
        return (heard, CutBy::Marks);
    }
    let released = former.is_cut_by_release && is_same_sound;
    let places = former.passages.iter().map(|old| (old.start, old.end));
    if let Some(kept) = released
        .then(|| keep_cut(&heard, places, analysis))
        .flatten()
    {
        return (kept, CutBy::Release);
    }
    let cut_by = if heard.spans.len() > 1 {
        CutBy::Silence
    } else {
        CutBy::Whole
    };
    (heard, cut_by)
}

/// Hears the file again and describes the passages it has.
fn describe_again(
    task: &Task,
    id: &FileId,
    former: &[FormerPassage],
    setting: &Setting<'_>,
) -> Result<DescriptionRecord, Rejected> {
    let path = task.file.absolute();
    let stage = |stage| {
        setting
            .progress
            .working(setting.worker, task.file.path(), stage);
    };
    stage("decode");
    let mut analysis = Analysis::hear(path, setting.decoders, setting.progress).map_err(failed)?;
    stage("describe");
    let rate = analysis.levels.sample_rate();
    let mut passages = Vec::with_capacity(former.len());
    for old in former {
        let span = Span {
            start: old.start.to_frames(rate).min(analysis.levels.frames()),
            end: old.end.to_frames(rate).min(analysis.levels.frames()),
        };
        let sound = analysis
            .describe(span, &setting.settings.leads)
            .map_err(|error| failed(Fault::retry_later("describe", error)))?;
        passages.push(DescribedPassage {
            id: old.id.clone(),
            start: old.start,
            end: old.end,
            sound,
            lead_settings: setting.settings.leads,
        });
    }
    let tags = read_tags(&task.file, setting, &mut Vec::new()).tags;
    Ok(DescriptionRecord {
        file: id.clone(),
        format: analysis.decoded.info.format().to_owned(),
        audio_seconds: analysis.levels.frames() as f64 / f64::from(rate),
        overview: analysis.overview(),
        tagged_gain_db: tags.track_gain_db.filter(|_| former.len() == 1),
        passages,
    })
}

fn failed(fault: Fault) -> Rejected {
    Rejected {
        fault,
        misleading: false,
    }
}

/// What was heard of a file, with passages where somebody else said they are; `None` if they do not lie in it.
fn keep_cut(
    heard: &Segmentation,
    places: impl Iterator<Item = (Ticks, Ticks)>,
    analysis: &Analysis,
) -> Option<Segmentation> {
    let rate = analysis.levels.sample_rate();
    let frame = |at: Ticks| at.to_frames(rate).min(analysis.levels.frames());
    let spans: Vec<_> = places
        .map(|(start, end)| Span {
            start: frame(start),
            end: frame(end),
        })
        .collect();
    let is_whole = !spans.is_empty()
        && spans.iter().all(|span| span.start < span.end)
        && spans.windows(2).all(|two| two[0].end <= two[1].start);
    is_whole.then(|| {
        let mut kept = heard.clone();
        for boundary in &mut kept.boundaries {
            // A boundary lies in the middle of its gap, and passages reach into that.
            boundary.is_cut = spans.windows(2).any(|two| {
                let near = u64::from(rate);
                two[0].end <= boundary.at + near && boundary.at <= two[1].start + near
            });
        }
        kept.labels = spans.iter().map(|span| label_of(heard, *span)).collect();
        kept.spans = spans;
        kept
    })
}

/// The mark that more than half of a passage lies in.
fn label_of(heard: &Segmentation, span: Span) -> Option<Mark> {
    let shared = |other: &Span| {
        other
            .end
            .min(span.end)
            .saturating_sub(other.start.max(span.start))
    };
    let (best, label) = heard
        .spans
        .iter()
        .zip(&heard.labels)
        .max_by_key(|(other, _)| shared(other))?;
    label
        .clone()
        .filter(|_| shared(best) * 2 > span.end - span.start)
}

fn passages(
    analysis: &mut Analysis,
    segmentation: &Segmentation,
    former: Vec<FormerPassage>,
    setting: &Setting<'_>,
    stage: &dyn Fn(&'static str),
) -> Result<Vec<PassageRecord>, Fault> {
    let rate = analysis.levels.sample_rate();
    let ticks = |span: &Span| {
        (
            Ticks::from_frames(span.start, rate),
            Ticks::from_frames(span.end, rate),
        )
    };
    let ids = claim_all(
        former,
        &segmentation.spans.iter().map(ticks).collect::<Vec<_>>(),
    );
    let mut passages = Vec::with_capacity(segmentation.spans.len());
    for ((span, label), id) in (segmentation.spans.iter())
        .zip(&segmentation.labels)
        .zip(ids)
    {
        stage("fingerprint");
        let fingerprint = analysis
            .fingerprint(*span)
            .map_err(|error| Fault::retry_later("fingerprint", error))?;
        stage("describe");
        let sound = analysis
            .describe(*span, &setting.settings.leads)
            .map_err(|error| Fault::retry_later("describe", error))?;
        let (start, end) = ticks(span);
        passages.push(PassageRecord {
            id: id.unwrap_or_else(PassageId::random),
            start,
            end,
            fingerprint: fingerprint.map(|print| (print.algorithm(), print.encode())),
            sound,
            lead_settings: setting.settings.leads,
            label: label.clone(),
            album: segmentation.album.clone(),
        });
    }
    Ok(passages)
}

fn audio(analysis: &Analysis, segmentation: &Segmentation) -> AudioRecord {
    let decoded = &analysis.decoded;
    let info = &decoded.info;
    AudioRecord {
        format: info.format().to_owned(),
        container: info.container().to_owned(),
        codec: info.codec().to_owned(),
        decoder: decoded.decoder.clone(),
        sample_rate: info.sample_rate,
        channels: info.channels,
        frames: decoded.frames,
        damaged_frames: decoded.damaged_frames,
        damage: damage(analysis),
        overview: analysis.overview(),
        boundaries: boundaries(segmentation, info.sample_rate),
        is_cut_off: decoded.truncated.is_some(),
        segmentation: serde_json::to_string::<Segmentation>(segmentation)
            .expect("a segmentation is plain text and finite numbers"),
    }
}

fn boundaries(segmentation: &Segmentation, rate: u32) -> Vec<BoundaryRecord> {
    segmentation
        .boundaries
        .iter()
        .map(|boundary| BoundaryRecord {
            at: Ticks::from_frames(boundary.at, rate),
            kind: boundary.kind.word().into(),
            is_cut: boundary.is_cut,
            confidence: boundary.confidence,
            reason: boundary.reason.clone(),
        })
        .collect()
}

/// What a person should know about a file that was recorded as far as it goes.
fn damage(analysis: &Analysis) -> Option<String> {
    let decoded = &analysis.decoded;
    let truncated = decoded.truncated.as_ref().map(ToString::to_string);
    let damaged = (decoded.damaged_frames > 0).then(|| {
        format!(
            "{} damaged frames left out{}",
            decoded.damaged_frames,
            decoded
                .first_damage
                .as_ref()
                .map(|first| format!(" (first: {first})"))
                .unwrap_or_default()
        )
    });
    let parts: Vec<_> = truncated.into_iter().chain(damaged).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn stem(path: &str) -> &str {
    let name = name_of(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_is_a_name_without_folder_and_extension() {
        assert_eq!(stem("a/b.c/01 x.y.mp3"), "01 x.y");
        assert_eq!(stem("plain"), "plain");
    }
}
