//! What was heard of a file meets what a library knows of it: ids are kept, and cuts that a person or a release made.

use std::sync::Arc;

use audio::Ticks;
use run::Fault;

use crate::heard::record::{HeardFile, Outcome};
use crate::id::{FileId, SessionId};
use crate::intake::plan::{Extent, Task};
use crate::intake::recognise::Rejected;
use crate::intake::take_in::{Taken, claim_all};
use crate::library::former::{Former, FormerPassage};
use crate::library::marks::StoredMark;
use crate::library::record::{
    AudioRecord, CutBy, DescribedPassage, DescriptionRecord, FileRecord, PassageRecord, RetagRecord,
};

/// Makes of a record what hearing the file here would have made of it.
///
/// # Errors
///
/// When it has to be heard here: a person or a release cut its sound in another way than it was heard.
pub(super) fn settle(
    task: &Task,
    heard: &HeardFile,
    copies: &[Arc<HeardFile>],
    former: Former,
    session: &SessionId,
) -> Result<Taken, Rejected> {
    let Outcome::Heard { record, warnings } = &heard.outcome else {
        return Err(to_be_heard_here("it was not heard"));
    };
    let mut record = FileRecord::clone(record);
    record.file = task.file.clone();
    adopt_marks(&mut record, copies);
    match (task.extent, &task.id) {
        (Extent::Description, Some(id)) => return describe(id, record, former.passages),
        (Extent::Digest, Some(id)) => {
            return Ok(Taken::Digested {
                id: id.clone(),
                audio: record.audio_digest(),
            });
        }
        (Extent::Tags, Some(id)) => {
            if let Some(retag) = retag(id, &record, &former) {
                return Ok(Taken::Retagged {
                    record: Box::new(retag),
                    warnings: warnings.clone(),
                });
            }
        }
        _ => {}
    }
    record.is_same_sound = former.is_same_sound(&record.hash, record.audio_md5);
    record.cut_by = cut(&record, &former)?;
    record.known_edit = former.last_edit;
    record.takes_place_of = former.takes_place_of;
    record.session = session.clone();
    if let Some(id) = &task.id {
        record.id = id.clone();
    }
    let spans: Vec<_> = record
        .passages
        .iter()
        .map(|passage| (passage.start, passage.end))
        .collect();
    let ids = claim_all(former.passages, &spans);
    for (passage, id) in record.passages.iter_mut().zip(ids) {
        if let Some(id) = id {
            passage.id = id;
        }
    }
    Ok(Taken::Record {
        record: Box::new(record),
        warnings: warnings.clone(),
    })
}

/// A cue sheet beside a copy is a cue sheet of the file: the copy was heard with it.
fn adopt_marks(record: &mut FileRecord, copies: &[Arc<HeardFile>]) {
    if record.marks.is_some() {
        return;
    }
    let marked = copies.iter().find_map(|copy| match &copy.outcome {
        Outcome::Heard { record, .. } => record.marks.is_some().then_some(record),
        Outcome::Failed { .. } => None,
    });
    if let Some(copy) = marked {
        record.status = copy.status;
        record.audio.clone_from(&copy.audio);
        record.passages.clone_from(&copy.passages);
        record.marks.clone_from(&copy.marks);
        record.cut_by = copy.cut_by;
    }
}

/// Who has the say about where it is cut, in the order of the import: a person, marks, a release, what was heard.
fn cut(record: &FileRecord, former: &Former) -> Result<CutBy, Rejected> {
    let Some(audio) = &record.audio else {
        return Ok(record.cut_by);
    };
    let mut by_person = former.cuts.iter().map(|cut| &cut.spans);
    if let Some(spans) = by_person.find(|spans| lies_in(spans, audio)) {
        return if is_cut_like(&record.passages, spans, audio) {
            Ok(CutBy::Person)
        } else {
            Err(to_be_heard_here("a person cut it in another way"))
        };
    }
    if record.cut_by == CutBy::Marks {
        return Ok(CutBy::Marks);
    }
    let by_release = former.is_cut_by_release && record.is_same_sound;
    let spans: Vec<_> = former
        .passages
        .iter()
        .map(|old| (old.start, old.end))
        .collect();
    if by_release && lies_in(&spans, audio) {
        return if is_cut_like(&record.passages, &spans, audio) {
            Ok(CutBy::Release)
        } else {
            Err(to_be_heard_here("its release cut it in another way"))
        };
    }
    Ok(record.cut_by)
}

/// Places in sample frames, as hearing rounds them.
fn frames(spans: &[(Ticks, Ticks)], audio: &AudioRecord) -> Vec<(u64, u64)> {
    let frame = |at: Ticks| at.to_frames(audio.sample_rate).min(audio.frames);
    spans
        .iter()
        .map(|(start, end)| (frame(*start), frame(*end)))
        .collect()
}

/// Whether passages that somebody made still lie in this sound, in order.
fn lies_in(spans: &[(Ticks, Ticks)], audio: &AudioRecord) -> bool {
    let spans = frames(spans, audio);
    !spans.is_empty()
        && spans.iter().all(|(start, end)| start < end)
        && spans.windows(2).all(|two| two[0].1 <= two[1].0)
}

fn is_cut_like(passages: &[PassageRecord], spans: &[(Ticks, Ticks)], audio: &AudioRecord) -> bool {
    let heard: Vec<_> = passages
        .iter()
        .map(|passage| (passage.start, passage.end))
        .collect();
    frames(&heard, audio) == frames(spans, audio)
}

/// New tags of a known sound; `None` where its marks say something else than before, so that it may be cut anew.
fn retag(id: &FileId, record: &FileRecord, former: &Former) -> Option<RetagRecord> {
    former.seconds?;
    let marks = StoredMark::all_of(record.marks.as_ref());
    if marks != former.marks && !former.is_cut_by_person {
        return None;
    }
    let mark = |passage: &FormerPassage| {
        StoredMark::of_passage(&marks, passage.start, passage.end).cloned()
    };
    Some(RetagRecord {
        id: id.clone(),
        file: record.file.clone(),
        hash: record.hash.clone(),
        audio: record.audio_digest()?,
        misnamed: record.misnamed.clone(),
        tags_digest: record.tags_digest.clone()?,
        tags: record.tags.clone(),
        passages: former
            .passages
            .iter()
            .map(|passage| (passage.id.clone(), mark(passage)))
            .collect(),
    })
}

/// New descriptions of passages that stay where they are.
fn describe(
    id: &FileId,
    record: FileRecord,
    former: Vec<FormerPassage>,
) -> Result<Taken, Rejected> {
    let Some(audio) = record.audio else {
        return Err(to_be_heard_here("it was not heard"));
    };
    let spans: Vec<_> = former.iter().map(|old| (old.start, old.end)).collect();
    if !is_cut_like(&record.passages, &spans, &audio) {
        return Err(to_be_heard_here(
            "its passages lie where they were not heard",
        ));
    }
    let is_one = former.len() == 1;
    let passages = former.into_iter().zip(record.passages);
    let passages = passages.map(|(old, heard)| DescribedPassage {
        id: old.id,
        start: old.start,
        end: old.end,
        sound: heard.sound,
        lead_settings: heard.lead_settings,
    });
    Ok(Taken::Described(Box::new(DescriptionRecord {
        file: id.clone(),
        format: audio.format,
        audio_seconds: audio.frames as f64 / f64::from(audio.sample_rate.max(1)),
        overview: audio.overview,
        tagged_gain_db: record.tags.track_gain_db.filter(|_| is_one),
        passages: passages.collect(),
    })))
}

fn to_be_heard_here(reason: &str) -> Rejected {
    let reason = format!("{reason}; it has to be heard with this library at hand");
    Rejected {
        fault: Fault::retry_later("record", reason),
        misleading: false,
    }
}
