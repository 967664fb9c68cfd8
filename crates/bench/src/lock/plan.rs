//! What is to be written about a file: the same for every design, made before the clock starts.

/// The three kinds of things that passages are linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Song,
    Artist,
    Album,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Song, Self::Artist, Self::Album];

    const fn table(self) -> &'static str {
        match self {
            Self::Song => "songs",
            Self::Artist => "artists",
            Self::Album => "albums",
        }
    }

    /// The column of the MusicBrainz id, which says who is who.
    const fn key(self) -> &'static str {
        match self {
            Self::Song => "recording_mbid",
            Self::Artist => "artist_mbid",
            Self::Album => "album_mbid",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Artist => "name",
            Self::Song | Self::Album => "title",
        }
    }

    /// Looks up `count` of them.
    pub(crate) fn select(self, count: usize) -> String {
        let (table, key) = (self.table(), self.key());
        let values = vec!["?"; count].join(", ");
        format!("SELECT guid, {key} FROM {table} WHERE {key} IN ({values})")
    }

    /// Writes `count` of them and returns who they really are: another worker may have been first.
    pub(crate) fn upsert(self, count: usize) -> String {
        let (table, key, name) = (self.table(), self.key(), self.name());
        let values = rows(count, 3);
        format!(
            "INSERT INTO {table} (guid, {key}, {name}) VALUES {values} ON CONFLICT ({key}) DO UPDATE SET \
             {name} = excluded.{name}, updated_at = CURRENT_TIMESTAMP RETURNING guid, {key}"
        )
    }
}

/// `count` times `(?, ?, ..)`.
fn rows(count: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; count].join(", ")
}

pub(crate) const PASSAGE_COLUMNS: [&str; 8] = [
    "guid",
    "file_id",
    "start_time_ticks",
    "end_time_ticks",
    "title",
    "recording_mbid",
    "import_metadata",
    "decode_status",
];

/// Writes `count` passages.
pub(crate) fn insert_passages(count: usize) -> String {
    let columns = PASSAGE_COLUMNS.join(", ");
    let values = rows(count, PASSAGE_COLUMNS.len());
    format!("INSERT INTO passages ({columns}) VALUES {values}")
}

pub(crate) const LINK_SONG: &str = "INSERT INTO passage_songs (passage_id, song_id, start_time_ticks, end_time_ticks) VALUES (?1, ?2, 0, ?3) \
     ON CONFLICT DO UPDATE SET end_time_ticks = excluded.end_time_ticks";
pub(crate) const LINK_ARTIST: &str = "INSERT INTO song_artists (song_id, artist_id, weight) VALUES (?1, ?2, 1.0) \
     ON CONFLICT DO UPDATE SET weight = excluded.weight";
pub(crate) const LINK_ALBUM: &str = "INSERT INTO passage_albums (passage_id, album_id) VALUES (?1, ?2) \
     ON CONFLICT DO UPDATE SET created_at = CURRENT_TIMESTAMP";

/// A song, an artist or an album.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    /// The id it gets if it is new.
    pub guid: String,
    pub mbid: String,
    pub name: String,
}

/// A passage and what it is linked with.
#[derive(Debug, Clone)]
pub(crate) struct Passage {
    pub guid: String,
    pub start: i64,
    pub end: i64,
    pub metadata: String,
    entities: [Entity; 3],
}

impl Passage {
    pub(crate) fn entity(&self, kind: Kind) -> &Entity {
        &self.entities[kind as usize]
    }
}

/// Everything about one file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub guid: String,
    pub passages: Vec<Passage>,
}

const TICKS_PER_SECOND: i64 = 28_224_000;

impl File {
    /// File `number` of a library with `passages` in each.
    ///
    /// Twelve passages make an album and three albums an artist, as the files come, so that workers that run abreast
    /// meet in the same rows; one song in eight occurs twice.
    pub(crate) fn new(number: usize, passages: usize) -> Self {
        Self {
            guid: id("file", number),
            passages: (number * passages..(number + 1) * passages)
                .map(|passage| Self::passage(passage, passages))
                .collect(),
        }
    }

    fn passage(number: usize, per_file: usize) -> Passage {
        let start = (number % per_file) as i64 * 200 * TICKS_PER_SECOND;
        let song = if number % 8 == 7 { number - 7 } else { number };
        Passage {
            guid: id("passage", number),
            start,
            end: start + 200 * TICKS_PER_SECOND,
            metadata: METADATA.to_owned(),
            entities: [
                Entity::new("Song", song),
                Entity::new("Artist", number / 36),
                Entity::new("Album", number / 12),
            ],
        }
    }

    /// The different entities of a kind.
    pub(crate) fn distinct(&self, kind: Kind) -> Vec<&Entity> {
        let mut found: Vec<&Entity> = Vec::new();
        for entity in self.passages.iter().map(|passage| passage.entity(kind)) {
            if !found.iter().any(|other| other.mbid == entity.mbid) {
                found.push(entity);
            }
        }
        found
    }
}

impl Entity {
    fn new(what: &str, number: usize) -> Self {
        Self {
            guid: random_id(),
            mbid: id(what, number),
            name: format!("{what} Number {number}"),
        }
    }
}

/// As large as what WKMP stores about a passage's loudness.
const METADATA: &str = r#"{"amplitude_analysis":{"peak_rms":0.2817,"lead_in_detected_s":0.31,"lead_out_detected_s":1.27,"quick_ramp_up":true,"quick_ramp_down":false,"parameters_used":{"rms_window_ms":100,"lead_in_threshold_db":-12.0,"lead_out_threshold_db":-12.0,"quick_ramp_threshold":0.75,"quick_ramp_duration_s":1.0,"max_lead_in_duration_s":5.0,"max_lead_out_duration_s":5.0,"apply_a_weighting":true},"analyzed_at":"2025-11-21T10:00:00Z"}}"#;

/// An id in the form of a UUID, the same for the same thing, and scattered like a random one.
pub(crate) fn id(what: &str, number: usize) -> String {
    let seed = what.bytes().fold(number as u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    uuid(&mut fastrand::Rng::with_seed(seed))
}

fn random_id() -> String {
    uuid(&mut fastrand::Rng::new())
}

fn uuid(random: &mut fastrand::Rng) -> String {
    let digits = format!("{:032x}", random.u128(..));
    format!(
        "{}-{}-4{}-8{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
        &digits[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_share_albums_and_artists_and_repeat_songs() {
        let file = File::new(0, 25);
        assert_eq!(file.distinct(Kind::Album).len(), 3);
        assert_eq!(file.distinct(Kind::Artist).len(), 1);
        assert_eq!(file.distinct(Kind::Song).len(), 22);
        assert_eq!(file.passages[0].guid.len(), 36);
        assert_ne!(File::new(1, 25).guid, file.guid);
    }
}
