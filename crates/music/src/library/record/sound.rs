//! The statements that write down how a file and its passages sound.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlite::{Db, Tx, params};

use super::{AudioRecord, RunEnd, write_end};
use crate::error::Result;
use crate::id::{FileId, PassageId};
use crate::library::edits;
use crate::library::known::DESCRIPTION_VERSION;
use crate::library::shown_flavor;
use audio::Ticks;
use audio::analyse::PassageSound;
use audio::leads::LeadSettings;
use audio::overview::{self, Overview, POINTS_PER_SECOND};

/// A boundary, ready to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BoundaryRecord {
    /// Where it lies in the file.
    pub at: Ticks,
    /// What made it, as a word.
    pub kind: Cow<'static, str>,
    /// Whether the file is cut there.
    pub is_cut: bool,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Why, in words.
    pub reason: String,
}

/// New descriptions of a file's passages, which stay what they are.
#[derive(Debug, Clone)]
pub(crate) struct DescriptionRecord {
    pub(crate) file: FileId,
    /// As in `files.format`.
    pub(crate) format: String,
    /// Length of the file.
    pub(crate) audio_seconds: f64,
    /// Its waveform.
    pub(crate) overview: Overview,
    /// ReplayGain by the file's own tags, where it is one passage.
    pub(crate) tagged_gain_db: Option<f64>,
    /// The passages.
    pub(crate) passages: Vec<DescribedPassage>,
}

/// A passage and what it sounds like.
#[derive(Debug, Clone)]
pub(crate) struct DescribedPassage {
    pub(crate) id: PassageId,
    pub(crate) start: Ticks,
    pub(crate) end: Ticks,
    pub(crate) sound: PassageSound,
    pub(crate) lead_settings: LeadSettings,
}

/// Writes what the passages of one file sound like in one transaction, and nothing else of them.
///
/// # Errors
///
/// When the database cannot be written; then nothing of it is.
pub(crate) fn record_description(
    db: &Db,
    record: DescriptionRecord,
    end: Option<RunEnd>,
) -> Result<FileId> {
    let columns: Vec<_> = (record.passages.iter())
        .map(|passage| {
            let place = (passage.start, passage.end);
            let settings = &passage.lead_settings;
            SoundColumns::of(&passage.sound, place, settings, record.tagged_gain_db)
        })
        .collect();
    db.try_write("record description", move |tx| {
        write_waveform(tx, &record.file, &record.overview)?;
        for (passage, columns) in record.passages.iter().zip(&columns) {
            let id = &passage.id;
            tx.execute(
                "UPDATE passages SET fade_in_start_ticks = ?2, lead_in_start_ticks = ?3, \
                    lead_out_start_ticks = ?4, fade_out_start_ticks = ?5, musical_flavor_vector = ?6, \
                    flavor_source_blend = json_array('Accession'), import_metadata = ?7, \
                    updated_at = CURRENT_TIMESTAMP WHERE guid = ?1",
                params![
                    id,
                    columns.fade_in,
                    columns.lead_in,
                    columns.lead_out,
                    columns.fade_out,
                    columns.flavor,
                    columns.import_metadata,
                ],
            )?;
            write_sound(tx, id, &passage.sound, columns)?;
            shown_flavor::prefer_chosen(tx, id)?;
        }
        edits::apply(tx, &record.file)?;
        tx.execute(
            "UPDATE accession_files SET description_version = ?2 WHERE file_id = ?1",
            params![record.file, DESCRIPTION_VERSION],
        )?;
        end.map_or(Ok(()), |end| write_end(tx, &end))?;
        Ok(record.file)
    })
}

/// The columns that come from a passage's sound. They are made before the lock is asked for.
pub(super) struct SoundColumns {
    pub(super) fade_in: Option<i64>,
    pub(super) lead_in: Option<i64>,
    pub(super) lead_out: Option<i64>,
    pub(super) fade_out: Option<i64>,
    pub(super) flavor: String,
    pub(super) import_metadata: String,
    /// All that was measured of its flavor, as `accession_sounds` keeps it.
    measured: String,
}

impl SoundColumns {
    /// `tagged_gain_db` is what the file's own tags say, where the passage is the file.
    pub(super) fn of(
        sound: &PassageSound,
        (start, end): (Ticks, Ticks),
        settings: &LeadSettings,
        tagged_gain_db: Option<f64>,
    ) -> Self {
        let after = |seconds: f64| (start.0 + Ticks::from_seconds(seconds).0).min(end.0);
        let before = |seconds: f64| (end.0 - Ticks::from_seconds(seconds).0).max(start.0);
        let (lead_in, lead_out) = sound.lead_seconds(settings.rule);
        let lead_in = lead_in.map(after);
        let fade_in = sound.fades.fade_in_s.map(after);
        // Where both ends overlap, as in a passage of a second, the later point gives way.
        let lead_out = lead_out.map(before);
        let fade_out = sound.fades.fade_out_s.map(before);
        Self {
            lead_in,
            lead_out: lead_out.map(|out| out.max(lead_in.unwrap_or(start.0))),
            fade_in,
            fade_out: fade_out.map(|out| out.max(fade_in.unwrap_or(start.0))),
            flavor: text(&json!(sound.flavor.characteristics())),
            import_metadata: text(&import_metadata(sound, settings, tagged_gain_db)),
            measured: serde_json::to_string(&sound.flavor)
                .expect("a flavor is plain text and finite numbers"),
        }
    }
}

fn text(value: &Value) -> String {
    value.to_string()
}

/// WKMP's `amplitude_analysis`, with the loudness beside it under ReplayGain's names, and how far off the tags are.
fn import_metadata(
    sound: &PassageSound,
    settings: &LeadSettings,
    tagged_gain_db: Option<f64>,
) -> Value {
    let leads = &sound.leads;
    let loudness = &sound.loudness;
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    let compared = tagged_gain_db.map(|tagged| {
        json!({
            "track_gain_db": tagged,
            "measured_less_tagged_db": loudness.replay_gain_db().map(|measured| rounded(measured - tagged)),
        })
    });
    json!({
        "amplitude_analysis": {
            "peak_rms": rounded(leads.peak_rms),
            "lead_in_detected_s": leads.lead_in_detected_s.map(rounded),
            "lead_out_detected_s": leads.lead_out_detected_s.map(rounded),
            "quick_ramp_up": leads.quick_ramp_up,
            "quick_ramp_down": leads.quick_ramp_down,
            "parameters_used": settings,
            "analyzed_at": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
        "autocue": sound.loudness_leads.map(|leads| {
            json!({ "lead_in_s": rounded(leads.lead_in_s), "lead_out_s": rounded(leads.lead_out_s) })
        }),
        "overlap": {
            "lead_in_peak": rounded(sound.overlap_peaks.lead_in),
            "lead_out_peak": rounded(sound.overlap_peaks.lead_out),
            "may_clip": sound.overlap_peaks.may_clip(),
        },
        "loudness": loudness,
        "replaygain_track_gain": loudness.replay_gain_db().map(|gain| format!("{gain:.2} dB")),
        "replaygain_track_peak": format!("{:.6}", loudness.replay_gain_peak()),
        "replaygain_tags": compared,
    })
}

pub(super) fn write_sound(
    tx: &Tx<'_>,
    passage: &PassageId,
    sound: &PassageSound,
    columns: &SoundColumns,
) -> Result<()> {
    tx.execute(
        "INSERT INTO accession_sounds (passage_id, extractor, integrated_lufs, range_lu, true_peak_dbtp, flavor) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (passage_id) DO UPDATE SET extractor = excluded.extractor, \
            integrated_lufs = excluded.integrated_lufs, range_lu = excluded.range_lu, \
            true_peak_dbtp = excluded.true_peak_dbtp, flavor = excluded.flavor",
        params![
            passage,
            sound.flavor.extractor,
            sound.loudness.integrated_lufs,
            sound.loudness.range_lu,
            sound.loudness.true_peak_dbtp,
            columns.measured,
        ],
    )?;
    Ok(())
}

fn write_waveform(tx: &Tx<'_>, file: &FileId, overview: &Overview) -> Result<()> {
    tx.execute(
        "INSERT INTO accession_overviews (file_id, version, points_per_second, points) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (file_id) DO UPDATE SET version = excluded.version, \
            points_per_second = excluded.points_per_second, points = excluded.points",
        params![file, overview::VERSION, POINTS_PER_SECOND, overview.as_bytes()],
    )?;
    Ok(())
}

pub(super) fn write_overview(
    tx: &Tx<'_>,
    file: &FileId,
    audio: &AudioRecord,
    is_new: bool,
) -> Result<()> {
    write_waveform(tx, file, &audio.overview)?;
    if !is_new {
        tx.execute(
            "DELETE FROM accession_boundaries WHERE file_id = ?1",
            params![file],
        )?;
    }
    for boundary in &audio.boundaries {
        tx.execute(
            "INSERT OR REPLACE INTO accession_boundaries (file_id, at_ticks, kind, is_cut, confidence, reason) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                file,
                boundary.at.0,
                boundary.kind,
                boundary.is_cut,
                boundary.confidence,
                boundary.reason,
            ],
        )?;
    }
    Ok(())
}
