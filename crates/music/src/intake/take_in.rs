//! One file through all stages, from its first byte to its record.

use run::{Fault, Progress};
use sqlite::{Db, params};

use crate::error::Result;
use crate::id::{FileId, PassageId, SessionId};
use crate::intake::plan::{Extent, Task};
use crate::intake::recognise::{NotAudio, misnamed, recognise};
use crate::intake::scan::{ScannedFile, modified_ns};
use crate::library::known::FileStatus;
use crate::library::record::{
    AudioRecord, BoundaryRecord, DescribedPassage, DescriptionRecord, FileRecord, PassageRecord,
};
use crate::library::settings::Settings;
use audio::Ticks;
use audio::analyse::Analysis;
use audio::decode::Decoders;
use audio::marks;
use audio::segment::{Clues, Segmentation, Span, segment};
use audio::tags::{self, Neighbours, Written};

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
    /// It is not what its name says, or cannot be read or decoded.
    Failed(NotAudio),
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

/// Where a passage lay when its file was analysed before.
#[derive(Debug, Clone)]
pub(crate) struct FormerPassage {
    id: PassageId,
    start: Ticks,
    end: Ticks,
    /// The content that its release said to cut there, if one did.
    cut_of: Option<String>,
}

/// The passages that a file has already, to keep their ids where they are still there.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn former_passages(db: &Db, file: &FileId) -> Result<Vec<FormerPassage>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            "SELECT p.guid, p.start_time_ticks, p.end_time_ticks, \
                    CASE p.import_strategy WHEN 'release' THEN f.hash END \
             FROM passages p JOIN files f ON f.guid = p.file_id WHERE p.file_id = ?1 ORDER BY p.start_time_ticks",
            params![file],
            |row| {
                Ok(FormerPassage {
                    id: row.get(0)?,
                    start: Ticks(row.get(1)?),
                    end: Ticks(row.get(2)?),
                    cut_of: row.get(3)?,
                })
            },
        )?)
    })
}

/// Reads, hears and describes one file.
pub(crate) fn take_in(task: &Task, former: Vec<FormerPassage>, setting: &Setting<'_>) -> Taken {
    if let (Extent::Description, Some(id)) = (task.extent, &task.id) {
        return match describe_again(task, id, &former, setting) {
            Ok(record) => Taken::Described(Box::new(record)),
            Err(not_audio) => Taken::Failed(not_audio),
        };
    }
    match describe(task, former, setting) {
        Ok((record, warnings)) => Taken::Record {
            record: Box::new(record),
            warnings,
        },
        Err(not_audio) => Taken::Failed(not_audio),
    }
}

fn describe(
    task: &Task,
    former: Vec<FormerPassage>,
    setting: &Setting<'_>,
) -> Result<(FileRecord, Vec<String>), NotAudio> {
    let file = &task.file;
    let stage = |stage| setting.progress.working(setting.worker, file.path(), stage);
    let mut warnings = Vec::new();

    stage("hash");
    let hash = task.hash.clone().map_or_else(|| recognise(file), Ok)?;
    let before = file_state(file)?;
    stage("tags");
    let written = read_tags(file, setting, &mut warnings);
    stage("decode");
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
    let clues = Clues {
        name: stem(file.path()),
        neighbours: task.neighbours,
        track: tags.track,
        track_total: tags.track_total,
    };
    let known = marks::Known {
        seconds: analysis.levels.frames() as f64 / f64::from(analysis.levels.sample_rate()),
        title: tags.title.as_deref(),
        track: tags.track.or_else(|| leading_number(clues.name)),
        track_total: tags.track_total,
    };
    let found = find_marks(task, &written, &known);
    warnings.extend(found.left);
    let marks = found.marks.as_ref();
    let several = marks.filter(|marks| marks.tracks.len() >= 2);
    let mut segmentation = segment(&analysis.levels, &clues, several, &setting.settings.silence);
    if let Some(one) = marks.filter(|marks| marks.tracks.len() == 1) {
        segmentation = segmentation.named_by(one);
    }
    let by_release = cut_by_release(&segmentation, &former, hash.as_str(), &analysis);
    let is_by_release = by_release.is_some();
    let segmentation = by_release.unwrap_or(segmentation);
    let mut passages =
        passages(&mut analysis, &segmentation, former, setting, &stage).map_err(failed)?;
    for passage in &mut passages {
        passage.by_release = is_by_release;
    }
    stage("record");
    let digest = written.digest();
    let record = FileRecord {
        id: task.id.clone().unwrap_or_else(FileId::random),
        file: file.clone(),
        hash: hash.as_str().to_owned(),
        status: if passages.is_empty() {
            FileStatus::NoAudio
        } else {
            FileStatus::Complete
        },
        audio: Some(audio(&analysis, &segmentation)),
        tags: written.tags,
        passages,
        misnamed: misnamed(file),
        tags_digest: Some(digest),
        session: setting.session.clone(),
    };
    Ok((record, warnings))
}

/// Hears the file again and describes the passages it has.
fn describe_again(
    task: &Task,
    id: &FileId,
    former: &[FormerPassage],
    setting: &Setting<'_>,
) -> Result<DescriptionRecord, NotAudio> {
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

fn failed(fault: Fault) -> NotAudio {
    NotAudio {
        fault,
        misleading: false,
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
fn file_state(file: &ScannedFile) -> Result<(u64, i64), NotAudio> {
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

/// The cut that a release gave the file, as long as its content is the same: silence knows less than a
/// release that explained it. Marks know more.
fn cut_by_release(
    segmentation: &Segmentation,
    former: &[FormerPassage],
    hash: &str,
    analysis: &Analysis,
) -> Option<Segmentation> {
    let is_cut = former.iter().any(|old| old.cut_of.as_deref() == Some(hash));
    if !is_cut || segmentation.marked.is_some() {
        return None;
    }
    let rate = analysis.levels.sample_rate();
    let frame = |at: Ticks| at.to_frames(rate).min(analysis.levels.frames());
    let span = |old: &FormerPassage| Span {
        start: frame(old.start),
        end: frame(old.end),
    };
    let spans: Vec<_> = former.iter().map(span).collect();
    let is_whole = spans.iter().all(|span| span.start < span.end)
        && spans.windows(2).all(|two| two[0].end <= two[1].start);
    is_whole.then(|| {
        let mut kept = segmentation.clone();
        for boundary in &mut kept.boundaries {
            // A boundary lies in the middle of its gap, and passages reach into that.
            boundary.is_cut = spans.windows(2).any(|two| {
                let near = u64::from(rate);
                two[0].end <= boundary.at + near && boundary.at <= two[1].start + near
            });
        }
        kept.labels = vec![None; spans.len()];
        kept.spans = spans;
        kept
    })
}

fn passages(
    analysis: &mut Analysis,
    segmentation: &Segmentation,
    mut former: Vec<FormerPassage>,
    setting: &Setting<'_>,
    stage: &dyn Fn(&'static str),
) -> Result<Vec<PassageRecord>, Fault> {
    let rate = analysis.levels.sample_rate();
    let mut passages = Vec::with_capacity(segmentation.spans.len());
    for (span, label) in segmentation.spans.iter().zip(&segmentation.labels) {
        stage("fingerprint");
        let fingerprint = analysis
            .fingerprint(*span)
            .map_err(|error| Fault::retry_later("fingerprint", error))?;
        stage("describe");
        let sound = analysis
            .describe(*span, &setting.settings.leads)
            .map_err(|error| Fault::retry_later("describe", error))?;
        let (start, end) = (
            Ticks::from_frames(span.start, rate),
            Ticks::from_frames(span.end, rate),
        );
        passages.push(PassageRecord {
            id: claim(&mut former, start, end).unwrap_or_else(PassageId::random),
            start,
            end,
            fingerprint: fingerprint.map(|print| (print.algorithm(), print.encode())),
            sound,
            lead_settings: setting.settings.leads,
            label: label.clone(),
            album: segmentation.album.clone(),
            by_release: false,
        });
    }
    Ok(passages)
}

/// The id of the former passage that shares most of its time with this one, if that is more than half.
fn claim(former: &mut Vec<FormerPassage>, start: Ticks, end: Ticks) -> Option<PassageId> {
    let shared = |old: &FormerPassage| old.end.min(end).0 - old.start.max(start).0;
    let (at, best) = former
        .iter()
        .enumerate()
        .max_by_key(|(_, old)| shared(old))?;
    let longer = (end.0 - start.0).max(best.end.0 - best.start.0);
    (shared(best) * 2 > longer).then(|| former.swap_remove(at).id)
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
            kind: boundary.kind.word(),
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
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn former(start: i64, end: i64) -> FormerPassage {
        FormerPassage {
            id: PassageId::random(),
            start: Ticks(start),
            end: Ticks(end),
            cut_of: None,
        }
    }

    #[test]
    fn a_passage_keeps_its_id_while_most_of_it_stays() {
        let mut known = vec![former(0, 100), former(100, 300)];
        let second = known[1].id.clone();
        assert_eq!(claim(&mut known, Ticks(110), Ticks(310)), Some(second));
        assert_eq!(claim(&mut known, Ticks(0), Ticks(300)), None);
        assert_eq!(claim(&mut known, Ticks(300), Ticks(400)), None);
        assert_eq!(known.len(), 1);
    }

    #[test]
    fn a_stem_is_a_name_without_folder_and_extension() {
        assert_eq!(stem("a/b.c/01 x.y.mp3"), "01 x.y");
        assert_eq!(stem("plain"), "plain");
    }
}
