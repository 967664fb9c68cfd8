//! Turns what was gathered into what is written, and a person's word into the same.

use serde_json::json;

use crate::catalogue::Recording;
use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::identify::ask::CachedServices;
use crate::identify::gather::Gathered;
use crate::identify::{items_of, of_one_album, runtime};
use crate::library::Library;
use crate::library::due::{Item, Scope};
use crate::library::edits::{self, Field, NewEdit};
use crate::library::identification::{self, Finding, Song, State};
use crate::library::query;
use crate::library::shown_flavor;
use crate::library::values::Level;
use crate::library::values::folder_of;
use crate::services::Trouble;

/// Candidates kept in the reasoning.
const MOST_CANDIDATES: usize = 12;

/// What is written about a passage; nothing when nobody waited for the answer.
pub fn finding(item: &Item, gathered: Gathered) -> Option<Finding> {
    let verdict = gathered.verdict?;
    if gathered.trouble == Some(Trouble::Stopped) {
        return None;
    }
    let is_chosen = item.state == Some(State::Chosen);
    if item.state.is_some_and(State::is_decided) && !(is_chosen && gathered.recording.is_some()) {
        return None;
    }
    let state = match (verdict.level, &gathered.recording, &gathered.trouble) {
        _ if is_chosen => State::Chosen,
        (Level::High | Level::Medium, Some(_), None) | (Level::High, Some(_), Some(_)) => {
            State::Identified
        }
        (_, _, Some(_)) => State::RetryLater,
        (Level::None, ..) if !verdict.is_worth_a_look() => State::None,
        _ => State::Doubtful,
    };
    let mut candidates = verdict.candidates;
    candidates.truncate(MOST_CANDIDATES);
    let reasoning = json!({
        "heard": item.heard,
        "tag_recording_mbid": item.tags.recording_mbid,
        "fingerprint": item.fingerprint.is_some(),
        "trouble": gathered.trouble.as_ref().map(ToString::to_string),
        "another_version": { "confidence": verdict.other_version, "reasons": verdict.for_other_version },
        "none_of_these": { "confidence": verdict.none_of_these, "reasons": verdict.for_none },
        "candidates": candidates,
    });
    let song = matches!(state, State::Identified | State::Chosen)
        .then_some(gathered.recording)
        .flatten()
        .map(|recording| {
            let best = candidates.first();
            let evidence = best.map(|best| best.evidence.clone()).unwrap_or_default();
            let strongest = evidence
                .iter()
                .max_by(|a, b| a.confidence.total_cmp(&b.confidence));
            Song {
                source: match strongest {
                    _ if is_chosen => "user",
                    Some(one) => one.source.word(),
                    None => "musicbrainz",
                }
                .to_owned(),
                recording,
                album: gathered.album,
                evidence,
            }
        });
    Some(Finding {
        passage: item.id.clone(),
        file: item.file.clone(),
        said: item.said.clone(),
        start: item.start,
        end: item.end,
        state,
        level: if is_chosen {
            Level::High
        } else {
            verdict.level
        },
        confidence: if is_chosen {
            1.0
        } else {
            verdict.confidence.clamp(0.0, 1.0)
        },
        reasoning: reasoning.to_string(),
        song,
    })
}

/// A passage that is left for another time.
pub fn later(item: &Item, troubles: &[Trouble]) -> Finding {
    let said: Vec<_> = troubles.iter().map(ToString::to_string).collect();
    Finding {
        passage: item.id.clone(),
        file: item.file.clone(),
        said: item.said.clone(),
        start: item.start,
        end: item.end,
        state: State::RetryLater,
        level: Level::None,
        confidence: 0.0,
        reasoning: json!({ "heard": item.heard, "trouble": said.join("; "), "candidates": [] })
            .to_string(),
        song: None,
    }
}

/// A person says which recording a passage is.
///
/// # Errors
///
/// When the passage is not there, `MusicBrainz` has no such recording or does not answer, or the
/// database cannot be written.
pub fn set(
    library: &Library,
    asker: &CachedServices<'_>,
    passage: &PassageId,
    mbid: &str,
) -> Result<Recording> {
    let (item, beside) = item(library, passage)?;
    let mbid = &recording_id(mbid)?;
    // What any answer told is enough, and needs no network.
    let recording = match asker.answers.recording(mbid) {
        Some(known) => known,
        None => runtime()?
            .block_on(asker.recording(mbid))
            .map_err(|trouble| Error::Unanswered {
                reason: trouble.to_string(),
            })?
            .ok_or_else(|| Error::Unanswered {
                reason: format!(
                    "MusicBrainz has no recording `{mbid}`; is it the id of a release, a track or a work?"
                ),
            })?,
    };
    let album = recording.releases.first().cloned();
    let finding = Finding {
        state: State::Chosen,
        level: Level::High,
        confidence: 1.0,
        reasoning: json!({ "heard": item.heard, "chosen": recording.mbid, "candidates": [] })
            .to_string(),
        song: Some(Song {
            recording: recording.clone(),
            album,
            source: "user".to_owned(),
            evidence: Vec::new(),
        }),
        ..later(&item, &[])
    };
    let answers = asker.answers.take_unwritten();
    let edit = edit(library, passage, recording.mbid.clone())?;
    identification::record_decision(library.db(), edit, finding, beside, answers)?;
    shown_flavor::settle(library)?;
    Ok(recording)
}

/// The id that a person wrote, as it is written: in the address of the recording's page, in braces, without hyphens.
fn recording_id(text: &str) -> Result<String> {
    let text = text.trim();
    let unanswered = |reason: String| Error::Unanswered { reason };
    let mut id = text;
    if let Some((_, path)) = text.split_once("://") {
        let mut parts = path.split(['/', '?', '#']).skip(1);
        match (parts.next(), parts.next()) {
            (Some("recording"), Some(of_page)) => id = of_page,
            (Some(what @ ("release" | "release-group" | "artist" | "work" | "track")), Some(_)) => {
                return Err(unanswered(format!(
                    "`{text}` is the page of a {what}, expected that of a recording"
                )));
            }
            _ => {}
        }
    }
    let parsed = uuid::Uuid::try_parse(id).map_err(|_| {
        unanswered(format!(
            "`{text}` is no MusicBrainz id, expected 32 hexadecimal digits and 4 hyphens, with which the address of \
             the recording's page on musicbrainz.org ends"
        ))
    })?;
    Ok(parsed.hyphenated().to_string())
}

/// The recording that is likeliest for a passage by what was found.
///
/// # Errors
///
/// When the passage is not there or has no candidate, or the database cannot be read.
pub fn likeliest(library: &Library, passage: &PassageId) -> Result<String> {
    let found = identification::likeliest(library.db(), passage)?;
    found.ok_or_else(|| Error::NoCandidate {
        passage: passage.to_string(),
    })
}

/// The recording that a passage is linked with.
pub(crate) fn linked(library: &Library, passage: &PassageId) -> Result<Option<String>> {
    identification::linked(library.db(), passage)
}

/// A person says that a passage is not what was found; it is not identified again by itself.
///
/// # Errors
///
/// When the passage is not there, or the database cannot be written.
pub fn reject(library: &Library, passage: &PassageId) -> Result<()> {
    let edit = edit(library, passage, String::new())?;
    reject_as(library, passage, edit)
}

/// The same, said by an edit that exists.
pub(crate) fn reject_as(library: &Library, passage: &PassageId, edit: NewEdit) -> Result<()> {
    let (item, beside) = item(library, passage)?;
    let finding = Finding {
        state: State::Rejected,
        reasoning: json!({ "heard": item.heard, "rejected": item.recording, "candidates": [] })
            .to_string(),
        ..later(&item, &[])
    };
    identification::record_decision(library.db(), edit, finding, beside, Vec::new())?;
    shown_flavor::settle(library).map(drop)
}

/// Nobody has said any more what a passage is called: it has its song's names again, or those of marks and tags.
pub(crate) fn rename(library: &Library, passage: &PassageId) -> Result<()> {
    let (item, _) = item(library, passage)?;
    let finding = later(&item, &[]);
    identification::rename(library.db(), finding)
}

/// Nobody has decided any more what a passage is: it has no song until it is identified again.
pub(crate) fn forget(library: &Library, passage: &PassageId) -> Result<()> {
    let (item, beside) = item(library, passage)?;
    let finding = later(&item, &[]);
    identification::forget(library.db(), finding, beside)?;
    shown_flavor::settle(library).map(drop)
}

/// A decision as a person's word about the sound; an empty `value` says that it is no song that is known.
fn edit(library: &Library, passage: &PassageId, value: String) -> Result<NewEdit> {
    let place = library
        .db()
        .read(|snapshot| edits::place_of(snapshot, passage))?
        .ok_or_else(|| Error::not_found(passage.to_string()))?;
    let bounds = (place.start, place.end);
    Ok(edits::about(&place, Field::Match, bounds, value))
}

/// A passage with what is known of it, and the others of its album: what a person says of one is evidence about them.
fn item(library: &Library, passage: &PassageId) -> Result<(Item, Vec<PassageId>)> {
    let missing = || Error::not_found(passage.to_string());
    let path = query::path_of(library.db(), passage)?.ok_or_else(missing)?;
    let items = items_of(library, folder_of(&path), &Scope::default())?;
    let is_it = |item: &Item| item.id == *passage;
    let mut album = of_one_album(items)
        .into_iter()
        .find(|album| album.iter().any(is_it))
        .ok_or_else(missing)?;
    let at = album.iter().position(is_it).ok_or_else(missing)?;
    let item = album.swap_remove(at);
    // Files that nothing but a folder has in common say nothing about each other.
    let is_album = item.heard.album.is_some();
    let beside = album.into_iter().filter(|_| is_album).map(|one| one.id);
    Ok((item, beside.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_as_people_copy_it() {
        let id = "b1a9c0e9-d987-4042-ae91-78d6a3267d69";
        for text in [
            id.to_owned(),
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!(" {id} "),
            format!("https://musicbrainz.org/recording/{id}"),
            format!("http://musicbrainz.org/recording/{id}/fingerprints?x=1"),
        ] {
            assert_eq!(recording_id(&text).unwrap(), id, "{text}");
        }
        let of_release =
            recording_id(&format!("https://musicbrainz.org/release/{id}")).unwrap_err();
        assert!(
            of_release.to_string().contains("page of a release"),
            "{of_release}"
        );
        assert!(recording_id("b1a9").is_err());
    }
}
