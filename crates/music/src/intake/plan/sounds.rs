//! Which files may be known contents, or known sounds with new tags, in another container, or at another path.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use run::for_each;

use super::{Candidate, Plan, Scope};
use crate::intake::recognise::Rejected;
use crate::library::known::{Known, KnownFile, KnownSounds};
use crate::library::values::{Problem, is_below};

/// Hashes the candidates whose size another candidate or a known file has too.
/// What proves to be no audio, or cannot be read, leaves the candidates.
pub(super) fn hash_where_sizes_meet<'a>(
    candidates: Vec<Candidate<'a>>,
    (known, sounds): (&Known, &OnceCell<KnownSounds>),
    scope: &Scope<'_>,
    plan: &mut Plan,
) -> Vec<Candidate<'a>> {
    let mut sizes: HashMap<u64, usize> = HashMap::new();
    let of_candidates = candidates.iter().map(|candidate| candidate.file.size());
    let of_rows = known
        .files
        .values()
        .filter(|row| row.hash.is_some())
        .filter_map(KnownFile::size);
    for size in of_candidates.chain(of_rows) {
        *sizes.entry(size).or_default() += 1;
    }
    let (meeting, mut alone): (Vec<_>, Vec<_>) = candidates
        .into_iter()
        .partition(|candidate| sizes[&candidate.file.size()] > 1);
    if meeting.is_empty() {
        return alone;
    }
    let sounds = sounds.get_or_init(|| known.sounds());
    let hashes: Vec<_> = meeting.iter().map(|_| Mutex::new(None)).collect();
    let work: Vec<_> = meeting.iter().zip(&hashes).collect();
    for_each(scope.jobs, &work, scope.cancel, |_, (candidate, slot)| {
        let recognised = scope.hearing.content_hash(&candidate.file, sounds);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(recognised);
    });
    drop(work);
    for (mut candidate, slot) in meeting.into_iter().zip(hashes) {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok((hash, xxh3))) => {
                (candidate.hash, candidate.xxh3) = (Some(hash), xxh3);
                alone.push(candidate);
            }
            Some(Err(Rejected { fault, misleading })) => {
                let id = candidate.row.map(|row| row.id.clone());
                plan.problems
                    .push(Problem::of(&candidate.file, id, fault, misleading));
            }
            // Asked to stop: nobody knows what it is, and nothing will be done with it.
            None => alone.push(candidate),
        }
    }
    alone
}

/// Whether a file that is new in a folder may have been moved there from another one, with new tags on the way: whether
/// anything is gone elsewhere is asked only about the sounds that are found here.
fn may_come_from_elsewhere(candidates: &[Candidate<'_>], known: &Known, scope: &Scope<'_>) -> bool {
    let outside = |row: &KnownFile| !is_below(&row.path, scope.folder);
    candidates.iter().any(|candidate| candidate.row.is_none())
        && known
            .files
            .values()
            .any(|row| outside(row) && row.stands_for_sound(row.audio_md5))
}

/// Names the sounds of the candidates that may be a known sound with new tags: where the row at their path knows its
/// sound, or where a known sound has no home any more, or may have none outside the folder that is looked at; where
/// everything is analysed again, those that are new at their path or certainly changed. What proves to be no audio, or cannot be read, leaves the
/// candidates.
pub(super) fn digest_where_sounds_may_meet<'a>(
    candidates: Vec<Candidate<'a>>,
    gone: &[&KnownFile],
    (known, sounds): (&Known, &OnceCell<KnownSounds>),
    scope: &Scope<'_>,
    plan: &mut Plan,
) -> Vec<Candidate<'a>> {
    let knows = |row: &KnownFile| row.stands_for_sound(row.audio_md5);
    let may_be_another = |c: &Candidate<'_>| !scope.force || c.row.is_none() || c.is_overwritten();
    // A sound whose own path holds another file now has lost its home, too.
    let is_any_lost = gone.iter().any(|row| knows(row))
        || candidates
            .iter()
            .filter(|candidate| !candidate.is_same_content() && may_be_another(candidate))
            .any(|candidate| candidate.row.is_some_and(knows))
        || may_come_from_elsewhere(&candidates, known, scope);
    if !is_any_lost {
        return candidates;
    }
    let (mut settled, asked): (Vec<_>, Vec<_>) = candidates
        .into_iter()
        .partition(|candidate| candidate.is_same_content() || !may_be_another(candidate));
    let sounds = sounds.get_or_init(|| known.sounds());
    let answers: Vec<_> = asked.iter().map(|_| Mutex::new(None)).collect();
    let work: Vec<_> = asked.iter().zip(&answers).collect();
    for_each(scope.jobs, &work, scope.cancel, |_, (candidate, slot)| {
        let file = &candidate.file;
        let named = match candidate.hash.clone() {
            Some(hash) => Ok((hash, candidate.xxh3)),
            None => scope.hearing.content_hash(file, sounds),
        };
        let content =
            named.map(|(hash, xxh3)| (hash, scope.hearing.audio_digest(file, xxh3, sounds)));
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(content);
    });
    drop(work);
    for (mut candidate, slot) in asked.into_iter().zip(answers) {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok((hash, audio))) => {
                candidate.hash = Some(hash);
                candidate.audio = audio;
                settled.push(candidate);
            }
            Some(Err(Rejected { fault, misleading })) => {
                let id = candidate.row.map(|row| row.id.clone());
                plan.problems
                    .push(Problem::of(&candidate.file, id, fault, misleading));
            }
            None => settled.push(candidate),
        }
    }
    settled
}
