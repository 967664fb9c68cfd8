//! The settings of a library: rows of its `settings` table, shared with WKMP.
//!
//! NULL, or no row, means *today's* default. WKMP's services write their default
//! of the day into the table, where it outlives the reason for it (a pool of 96
//! connections stayed in force long after the program had learnt better). So a
//! stored value that was a default once counts as today's default too, unless a
//! person chose it: `accession_choices` remembers those.

mod check;
mod from_list;
pub mod heard;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use sqlite::types::ValueRef;
use sqlite::{Db, params};

use crate::error::{Error, Result};
use audio::Ticks;
use audio::decode::{Decoders, Ffmpeg};
use audio::leads::{LeadRule, LeadSettings};
use audio::segment::SilenceSettings;

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Integer {
        min: i64,
        max: i64,
    },
    Real {
        min: f64,
        max: f64,
    },
    /// A JSON object, of which other programs may know more than we do.
    Object,
    Url,
    /// One of a few words.
    Word(&'static [&'static str]),
    Text,
    Secret,
}

/// One setting that the import knows.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    key: &'static str,
    kind: Kind,
    /// Today's default; `None` where the machine decides or there is none.
    default: Option<&'static str>,
    /// What WKMP once wrote as its default.
    former: &'static [&'static str],
    meaning: &'static str,
}

const ANY_COUNT: Kind = Kind::Integer {
    min: 0,
    max: i64::MAX,
};

/// Every setting of the import, with WKMP's keys.
const SETTINGS: [Setting; 20] = [
    Setting {
        key: "ai_processing_thread_count",
        kind: Kind::Integer { min: 1, max: 1024 },
        default: None,
        former: &["1", "4", "8"],
        meaning: "files worked on at once; unset: one per core",
    },
    Setting {
        key: "ai_database_lock_retry_ms",
        kind: Kind::Integer {
            min: 1,
            max: 60_000,
        },
        default: Some("250"),
        former: &["5000"],
        meaning: "how long one attempt for the write lock lasts, in ms",
    },
    Setting {
        key: "ai_database_max_lock_wait_ms",
        kind: Kind::Integer {
            min: 1,
            max: 86_400_000,
        },
        default: Some("30000"),
        former: &["5000", "12000"],
        meaning: "how long to try for the write lock before giving up, in ms",
    },
    Setting {
        key: "silence_threshold_dB",
        kind: Kind::Real {
            min: 0.0,
            max: 120.0,
        },
        default: Some("35.0"),
        former: &["35"],
        meaning: "quieter than minus this many dBFS (RMS) is silence",
    },
    Setting {
        key: "silence_min_duration_ticks",
        kind: ANY_COUNT,
        default: Some("8467200"),
        former: &[],
        meaning: "a shorter silence is part of the music; `300ms` and `0.3s` are understood",
    },
    Setting {
        key: "minimum_passage_audio_duration_ticks",
        kind: ANY_COUNT,
        default: Some("2822400"),
        former: &[],
        meaning: "less sound than this is no passage, and in a whole file: no audio",
    },
    Setting {
        key: "lead_in_threshold_dB",
        kind: Kind::Real {
            min: 0.0,
            max: 120.0,
        },
        default: Some("45.0"),
        former: &[],
        meaning: "the lead-in ends where the RMS reaches minus this many dBFS; the default goes by the passage's own level",
    },
    Setting {
        key: "lead_out_threshold_dB",
        kind: Kind::Real {
            min: 0.0,
            max: 120.0,
        },
        default: Some("40.0"),
        former: &[],
        meaning: "the lead-out begins where the RMS falls below minus this many dBFS; the default goes by the passage's own level",
    },
    Setting {
        key: "lead_rule",
        kind: Kind::Word(&["peak", "loudness"]),
        default: Some("peak"),
        former: &[],
        meaning: "what leads go by: peak (WKMP's: 12 dB below the loudest window), or loudness (radio's: 8 LU below the passage's own)",
    },
    Setting {
        key: "same_audio",
        kind: Kind::Word(&["each", "once"]),
        default: Some("each"),
        former: &[],
        meaning: "files of the same audio with different tags: each goes out (each), or one of them, and the others are duplicates (once)",
    },
    Setting {
        key: "import_parameters",
        kind: Kind::Object,
        default: None,
        former: &[],
        meaning: "how leads are measured, as JSON: rms_window_ms, lead_in_threshold_db, max_lead_in_duration_s, ...",
    },
    Setting {
        key: "acoustid_api_key",
        kind: Kind::Secret,
        default: None,
        former: &[],
        meaning: "key for AcoustID, from https://acoustid.org/new-application",
    },
    Setting {
        key: "acoustid_base_url",
        kind: Kind::Url,
        default: Some("https://api.acoustid.org/v2"),
        former: &[],
        meaning: "where AcoustID is",
    },
    Setting {
        key: "musicbrainz_base_url",
        kind: Kind::Url,
        default: Some("https://musicbrainz.org/ws/2"),
        former: &[],
        meaning: "where MusicBrainz is, or a mirror of it",
    },
    Setting {
        key: "acousticbrainz_base_url",
        kind: Kind::Url,
        default: Some("https://acousticbrainz.org/api/v1"),
        former: &[],
        meaning: "where AcousticBrainz is",
    },
    Setting {
        key: "cover_art_base_url",
        kind: Kind::Url,
        default: Some("https://coverartarchive.org"),
        former: &[],
        meaning: "where the Cover Art Archive is",
    },
    Setting {
        key: "musicbrainz_requests_per_second",
        kind: Kind::Real {
            min: 0.01,
            max: 1000.0,
        },
        default: Some("1"),
        former: &[],
        meaning: "how often MusicBrainz may be asked; more than 1 only for a mirror of one's own",
    },
    Setting {
        key: "flavor_source",
        kind: Kind::Word(&["local", "acousticbrainz"]),
        default: Some("local"),
        former: &[],
        meaning: "which flavor players see where both are known: local (what was heard), or acousticbrainz",
    },
    Setting {
        key: "ffmpeg_path",
        kind: Kind::Text,
        default: None,
        former: &[],
        meaning: "the ffmpeg that decodes what is not decoded here; unset: the one that the system finds",
    },
    Setting {
        key: "service_contact",
        kind: Kind::Text,
        default: None,
        former: &[],
        meaning: "an address or URL that services can complain to",
    },
];

/// The settings an import works by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Files worked on at once; `None`: one per core.
    pub jobs: Option<usize>,
    /// How long one attempt for the write lock lasts.
    pub lock_retry: Duration,
    /// How long to try for the write lock in all.
    pub max_lock_wait: Duration,
    /// What counts as silence, and as a passage.
    pub silence: SilenceSettings,
    /// What lead-in and lead-out points are.
    pub leads: LeadSettings,
    /// Whether of files of the same audio only one goes out, whatever their tags say.
    pub same_audio_once: bool,
    /// The ffmpeg to decode with; `None`: the one that the system finds.
    pub ffmpeg: Option<PathBuf>,
    /// Those that change what is heard, as they are in force.
    pub heard_with: heard::HeardWith,
    /// Stored values that could not be used, in words.
    pub warnings: Vec<String>,
}

/// One line of `settings list`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Listed {
    /// The key in the `settings` table.
    pub key: &'static str,
    /// The value in force; a secret is masked, `None` where there is none.
    pub value: Option<String>,
    /// Today's default.
    pub default: Option<&'static str>,
    /// Whether the value in force is the default, a person's choice, or stored by WKMP.
    pub origin: &'static str,
    /// What the setting does.
    pub meaning: &'static str,
    /// Whether it changes what is heard, so that files that were heard before do not show it.
    #[serde(skip)]
    pub is_heard: bool,
}

/// What the table holds for one key.
struct Stored {
    value: Option<String>,
    chosen: bool,
}

impl Settings {
    /// Reads what is in force. A value that cannot be used gives a warning and the default.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn load(db: &Db) -> Result<Self> {
        Self::by(&|key| stored(db, key))
    }

    fn by(stored: &dyn Fn(&'static str) -> Result<Stored>) -> Result<Self> {
        let mut warnings = Vec::new();
        let mut in_force = |key: &str| -> Result<Option<String>> {
            let setting = find(key)?;
            let stored = stored(setting.key)?;
            match setting.in_force(&stored) {
                Ok(value) => Ok(value),
                Err(error) => {
                    warnings.push(format!("{error}; using the default"));
                    Ok(setting.default.map(str::to_owned))
                }
            }
        };
        let heard_with = heard::HeardWith::of(&mut in_force)?;
        let heard = |key| heard_with.value(key);
        let jobs = in_force("ai_processing_thread_count")?;
        let lock_retry = number(in_force("ai_database_lock_retry_ms")?);
        let max_lock_wait = number(in_force("ai_database_max_lock_wait_ms")?);
        let silence = number(heard("silence_threshold_dB"));
        let silence_min = number(heard("silence_min_duration_ticks"));
        let minimum_audio = number(heard("minimum_passage_audio_duration_ticks"));
        let parameters = heard("import_parameters");
        let leads = parameters.and_then(|json| serde_json::from_str(&json).ok());
        let mut leads: LeadSettings = leads.unwrap_or_default();
        leads.lead_in_dbfs = absolute(heard("lead_in_threshold_dB"), "45.0");
        leads.lead_out_dbfs = absolute(heard("lead_out_threshold_dB"), "40.0");
        if heard("lead_rule").as_deref() == Some("loudness") {
            leads.rule = LeadRule::Loudness;
        }
        let same_audio_once = in_force("same_audio")?.as_deref() == Some("once");
        let ffmpeg = in_force("ffmpeg_path")?;
        Ok(Self {
            jobs: jobs.map(|jobs| number(Some(jobs)) as usize),
            lock_retry: Duration::from_millis(lock_retry as u64),
            max_lock_wait: Duration::from_millis(max_lock_wait as u64),
            silence: SilenceSettings {
                silence_dbfs: -silence,
                silence_min: Ticks(silence_min as i64),
                minimum_audio: Ticks(minimum_audio as i64),
            },
            leads: leads.sane(),
            same_audio_once,
            ffmpeg: ffmpeg.map(PathBuf::from),
            heard_with,
            warnings,
        })
    }
}

impl Settings {
    /// What decodes: what is built in, and the ffmpeg that was chosen or is found.
    pub(crate) fn decoders(&self) -> Decoders {
        Decoders::with(Ffmpeg::at(self.ffmpeg.as_deref()))
    }

    /// Whether the times to wait for the write lock are today's defaults.
    pub fn waits_by_default(&self) -> bool {
        let default = Self::default();
        self.lock_retry == default.lock_retry && self.max_lock_wait == default.max_lock_wait
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            jobs: None,
            lock_retry: Duration::from_millis(250),
            max_lock_wait: Duration::from_secs(30),
            silence: SilenceSettings::default(),
            leads: LeadSettings::default(),
            same_audio_once: false,
            ffmpeg: None,
            heard_with: heard::HeardWith::default(),
            warnings: Vec::new(),
        }
    }
}

/// Every setting, whatever a library says.
pub fn every() -> impl Iterator<Item = Described> {
    SETTINGS.iter().map(|setting| Described {
        key: setting.key,
        default: setting.default,
        meaning: setting.meaning,
    })
}

/// What a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Its key.
    pub key: &'static str,
    /// Today's default.
    pub default: Option<&'static str>,
    /// What it does.
    pub meaning: &'static str,
}

/// Lists every setting with its value in force.
///
/// # Errors
///
/// When the database cannot be read.
pub fn list(db: &Db) -> Result<Vec<Listed>> {
    SETTINGS.iter().map(|setting| listed(db, setting)).collect()
}

/// One setting with its value in force.
///
/// # Errors
///
/// When nobody knows the key, or the database cannot be read.
pub fn get(db: &Db, key: &str) -> Result<Listed> {
    listed(db, find(key)?)
}

/// The value in force itself, a secret's too.
///
/// # Errors
///
/// When nobody knows the key, or the database cannot be read.
pub fn value(db: &Db, key: &str) -> Result<Option<String>> {
    let setting = find(key)?;
    let stored = stored(db, setting.key)?;
    Ok(setting
        .in_force(&stored)
        .unwrap_or(setting.default.map(str::to_owned)))
}

/// Whether a setting's value must be shown to nobody.
///
/// # Errors
///
/// When nobody knows the key.
pub fn is_secret(key: &str) -> Result<bool> {
    Ok(find(key)?.kind == Kind::Secret)
}

/// Whether a setting can take a value; nothing is stored.
///
/// # Errors
///
/// When nobody knows the key, or it cannot take the value.
pub fn check(key: &str, value: Option<&str>) -> Result<()> {
    let setting = find(key)?;
    value.map_or(Ok(()), |value| setting.check_choice(value))
}

/// Stores a person's choice; `None` goes back to the default, whatever it is by then.
///
/// # Errors
///
/// When nobody knows the key, it cannot take the value, or the database cannot be written.
pub fn set(db: &Db, key: &str, value: Option<&str>) -> Result<Listed> {
    let setting = find(key)?;
    if let Some(value) = value {
        setting.check_choice(value)?;
    }
    let (key, value) = (setting.key, value.map(str::to_owned));
    db.try_write("set setting", move |tx| -> Result<()> {
        let Some(value) = value else {
            // WKMP's services read a row without a value as an empty text, so there must be none.
            tx.execute("DELETE FROM settings WHERE key = ?1", params![key])?;
            tx.execute("DELETE FROM accession_choices WHERE key = ?1", params![key])?;
            return Ok(());
        };
        tx.execute(
            "INSERT INTO settings (key, value) VALUES (?1, ?2) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = CURRENT_TIMESTAMP",
            params![key, value],
        )?;
        tx.execute(
            "INSERT INTO accession_choices (key, value) VALUES (?1, ?2) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, value],
        )?;
        Ok(())
    })?;
    listed(db, setting)
}

fn find(key: &str) -> Result<&'static Setting> {
    SETTINGS
        .iter()
        .find(|setting| setting.key == key)
        .ok_or_else(|| Error::UnknownSetting {
            key: key.to_owned(),
            like: run::nearest(key, SETTINGS.iter().map(|setting| setting.key)),
        })
}

fn listed(db: &Db, setting: &'static Setting) -> Result<Listed> {
    let stored = stored(db, setting.key)?;
    let value = setting
        .in_force(&stored)
        .unwrap_or(setting.default.map(str::to_owned));
    let origin = match &stored.value {
        Some(kept) if Some(kept) == value.as_ref() && stored.chosen => "chosen",
        Some(kept) if Some(kept) == value.as_ref() && Some(kept.as_str()) != setting.default => {
            "stored"
        }
        _ => "default",
    };
    Ok(Listed {
        key: setting.key,
        value: match setting.kind {
            Kind::Secret => value.map(|secret| mask(&secret)),
            _ => value,
        },
        default: setting.default,
        origin,
        meaning: setting.meaning,
        is_heard: heard::HEARD.contains(&setting.key),
    })
}

fn stored(db: &Db, key: &'static str) -> Result<Stored> {
    let found = db.read(|snapshot| {
        snapshot.query_optional(
            "SELECT s.value, c.key IS NOT NULL FROM settings s \
             LEFT JOIN accession_choices c ON c.key = s.key AND c.value = s.value \
             WHERE s.key = ?1",
            params![key],
            |row| {
                Ok(Stored {
                    value: as_text(row.get_ref(0)?),
                    chosen: row.get(1)?,
                })
            },
        )
    })?;
    Ok(found.unwrap_or(Stored {
        value: None,
        chosen: false,
    }))
}

/// A value as text, whatever another program stored: what makes no sense is refused with the words for that setting.
fn as_text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// A threshold below full scale that somebody chose; the default of its time stands for the relative one.
fn absolute(value: Option<String>, default: &str) -> Option<f64> {
    let (value, default) = (number(value), number(Some(default.to_owned())));
    ((value - default).abs() > 1e-9).then_some(-value)
}

/// A checked value as a number; every kind but text is one.
fn number(value: Option<String>) -> f64 {
    value.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Enough of a secret to tell two apart, never much of it.
fn mask(secret: &str) -> String {
    // `AcoustID`'s keys have ten characters; of a shorter one, two would be a large part.
    const LONG: usize = 10;
    if secret.chars().count() < LONG {
        return "***".to_owned();
    }
    let tail: String = secret.chars().rev().take(2).collect();
    format!("***{}", tail.chars().rev().collect::<String>())
}

impl Setting {
    fn in_force(&self, stored: &Stored) -> Result<Option<String>> {
        match &stored.value {
            Some(value) if stored.chosen || !self.former.contains(&value.as_str()) => {
                self.check(value)?;
                Ok(Some(value.clone()))
            }
            _ => Ok(self.default.map(str::to_owned)),
        }
    }
}
