//! One heard file, as it travels from the machine that heard it to the one that records it.
//!
//! A record is everything that recording needs, or why there is nothing: the import's own
//! [`FileRecord`] without the ids, which only a library can give. It is `MessagePack`
//! with names of fields, packed by gzip, which also proves that it is whole, behind eight bytes that say what it is.

use std::fmt::Write as _;
use std::io::{Read, Write};

use audio::leads::LeadSettings;
use audio::segment::SilenceSettings;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use run::{Fault, Retry};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::heard::name::RecordName;
use crate::library::known::{ANALYSIS_VERSION, DESCRIPTION_VERSION, stage_name};
use crate::library::record::FileRecord;
use crate::library::settings::Settings;
use crate::library::values::ScannedFile;

/// What a record begins with: a name, and the version of its form.
const MAGIC: [u8; 8] = *b"ACHEARD\x01";

/// The most bytes of a record, packed: four times those of a day of audio, whose waveform alone has 3.5 MB.
pub(crate) const MAX_PACKED: u64 = 16 << 20;

/// The most bytes of a record, unpacked: eight times as many, where a usual one has two to four times as many.
const MAX_BYTES: u64 = 8 * MAX_PACKED;

/// The settings that decide what is heard.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HearingSettings {
    /// What counts as silence, and as a passage.
    pub silence: SilenceSettings,
    /// How leads are measured.
    pub leads: LeadSettings,
    /// The level in dBFS at which a lead-in ends, if somebody chose one.
    pub lead_in_dbfs: Option<f64>,
    /// The same for where a lead-out begins.
    pub lead_out_dbfs: Option<f64>,
}

impl HearingSettings {
    /// Those of a library.
    pub fn of(settings: &Settings) -> Self {
        Self {
            silence: settings.silence,
            leads: settings.leads,
            lead_in_dbfs: settings.leads.lead_in_dbfs,
            lead_out_dbfs: settings.leads.lead_out_dbfs,
        }
    }

    /// What leads are, with the levels that somebody chose.
    pub(crate) fn leads(&self) -> LeadSettings {
        LeadSettings {
            lead_in_dbfs: self.lead_in_dbfs,
            lead_out_dbfs: self.lead_out_dbfs,
            ..self.leads
        }
    }

    /// A short name for them.
    pub(crate) fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("settings are plain numbers");
        let mut digits = String::new();
        for byte in &Sha256::digest(json)[..8] {
            let _ = write!(digits, "{byte:02x}");
        }
        digits
    }
}

/// A file that was heard, or could not be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeardFile {
    /// The version of what is made of a file.
    pub(crate) analysis_version: u32,
    /// The version of what is told of its passages.
    pub(crate) description_version: u32,
    /// How it was heard.
    pub(crate) settings: HearingSettings,
    /// The file.
    pub(crate) file: ScannedFile,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

/// What came of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    /// It was heard.
    Heard {
        /// Everything about it but ids.
        record: Box<FileRecord>,
        /// What a person should know and stops nothing.
        warnings: Vec<String>,
    },
    /// It could not be.
    Failed {
        /// The stage that gave up.
        stage: String,
        /// Why.
        reason: String,
        /// Whether it may be otherwise another time.
        retry: Retry,
        /// Its name promised something else.
        misleading: bool,
    },
}

/// Bytes that are not a record that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    /// Something else.
    #[error(
        "not a record: it does not begin with `ACHEARD`; once it is removed, the file can be heard again"
    )]
    Foreign,
    /// A later form.
    #[error("a record of version {0}, expected version 1; a newer Accession wrote it")]
    Newer(u8),
    /// It is cut off, damaged, or too large.
    #[error("the record is damaged: {0}; once it is removed, the file can be heard again")]
    Damaged(String),
    /// Another version of the analysis made it.
    #[error(
        "heard by version {found} of the analysis, expected {ANALYSIS_VERSION}.{DESCRIPTION_VERSION}; hear it again"
    )]
    OtherAnalysis {
        /// As `analysis.description`.
        found: String,
    },
}

impl HeardFile {
    /// The record of a file.
    pub(crate) fn new(settings: HearingSettings, file: &ScannedFile, outcome: Outcome) -> Self {
        Self {
            analysis_version: ANALYSIS_VERSION,
            description_version: DESCRIPTION_VERSION,
            settings,
            file: file.as_heard(),
            outcome,
        }
    }

    /// The bytes to be stored.
    ///
    /// # Errors
    ///
    /// None that is known: what is written is plain text, numbers and bytes.
    pub fn encode(&self) -> std::io::Result<Vec<u8>> {
        let plain = rmp_serde::to_vec_named(self).map_err(std::io::Error::other)?;
        let mut packed = GzEncoder::new(MAGIC.to_vec(), Compression::default());
        packed.write_all(&plain)?;
        packed.finish()
    }

    /// Reads what was stored.
    ///
    /// # Errors
    ///
    /// [`BadRecord`], whatever the bytes are.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadRecord> {
        let (name, version) = MAGIC.split_at(7);
        let packed = bytes.strip_prefix(name).ok_or(BadRecord::Foreign)?;
        let (found, packed) = packed.split_first().ok_or(BadRecord::Foreign)?;
        if *found != version[0] {
            return Err(BadRecord::Newer(*found));
        }
        let damaged = |reason: String| BadRecord::Damaged(reason);
        let mut plain = Vec::new();
        GzDecoder::new(packed)
            .take(MAX_BYTES + 1)
            .read_to_end(&mut plain)
            .map_err(|error| damaged(error.to_string()))?;
        if plain.len() as u64 > MAX_BYTES {
            return Err(damaged(format!("it has more than {MAX_BYTES} bytes")));
        }
        let heard: Self =
            rmp_serde::from_slice(&plain).map_err(|error| damaged(error.to_string()))?;
        if heard.versions() != (ANALYSIS_VERSION, DESCRIPTION_VERSION) {
            let (analysis, description) = heard.versions();
            return Err(BadRecord::OtherAnalysis {
                found: format!("{analysis}.{description}"),
            });
        }
        Ok(heard.completed())
    }

    /// What would have been heard of another file: for measurements with more records than anybody has files. `change`
    /// makes its content another one.
    #[must_use]
    pub fn as_of(mut self, path: &str, size: u64, change: impl FnOnce(&mut FileRecord)) -> Self {
        path.clone_into(&mut self.file.path);
        self.file.size = size;
        if let Outcome::Heard { record, .. } = &mut self.outcome {
            record.file = self.file.clone();
            change(record);
        }
        self
    }

    /// Where it is stored in a place of records.
    pub fn path(&self) -> String {
        RecordName::of(&self.file, None, &self.settings).path()
    }

    fn versions(&self) -> (u32, u32) {
        (self.analysis_version, self.description_version)
    }

    /// Gives every passage the settings of its file, which travel once.
    fn completed(mut self) -> Self {
        if let Outcome::Heard { record, .. } = &mut self.outcome {
            record.file = self.file.clone();
            for passage in &mut record.passages {
                passage.lead_settings = self.settings.leads();
            }
        }
        self
    }

    /// The failure, if it is one.
    pub(crate) fn fault(&self) -> Option<(Fault, bool)> {
        match &self.outcome {
            Outcome::Heard { .. } => None,
            Outcome::Failed {
                stage,
                reason,
                retry,
                misleading,
            } => {
                let fault = Fault {
                    retry: *retry,
                    ..Fault::in_item(stage_name(stage), reason)
                };
                Some((fault, *misleading))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::scan::Refused;

    fn failure() -> HeardFile {
        let fault = Fault::in_item("scan", "is a folder named like an audio file");
        let refused = Refused {
            path: "a/x.mp3".to_owned(),
            fault: fault.clone(),
            misleading: true,
        };
        let outcome = Outcome::Failed {
            stage: fault.stage.to_owned(),
            reason: fault.reason,
            retry: fault.retry,
            misleading: true,
        };
        let settings = HearingSettings::of(&Settings::default());
        HeardFile::new(settings, &refused.as_file(), outcome)
    }

    #[test]
    fn a_record_is_read_back_and_a_damaged_one_is_told() {
        let bytes = failure().encode().unwrap();
        let read = HeardFile::decode(&bytes).unwrap();
        assert_eq!(read.file.path(), "a/x.mp3");
        let (fault, misleading) = read.fault().unwrap();
        assert_eq!((fault.stage, misleading), ("scan", true));
        for end in 0..bytes.len() {
            assert!(HeardFile::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            // The head of gzip has bytes that mean nothing; what is read is then what was written.
            if let Ok(read) = HeardFile::decode(&damaged) {
                assert_eq!(read.file.path(), "a/x.mp3", "changed at {at}");
            }
        }
    }

    #[test]
    fn a_record_of_another_version_says_so() {
        let mut newer = failure();
        newer.analysis_version += 1;
        let error = HeardFile::decode(&newer.encode().unwrap()).unwrap_err();
        assert!(error.to_string().contains("hear it again"), "{error}");
        let mut form = failure().encode().unwrap();
        form[7] = 2;
        let error = HeardFile::decode(&form).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
        let error = HeardFile::decode(b"RIFF....WAVE").unwrap_err();
        assert!(error.to_string().contains("not a record"), "{error}");
    }

    #[test]
    fn a_small_record_that_unpacks_to_much_costs_no_more_than_allowed() {
        let mut packed = GzEncoder::new(MAGIC.to_vec(), Compression::fast());
        let zeros = vec![0; 1 << 20];
        for _ in 0..=MAX_BYTES >> 20 {
            packed.write_all(&zeros).unwrap();
        }
        let error = HeardFile::decode(&packed.finish().unwrap()).unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");
    }
}
