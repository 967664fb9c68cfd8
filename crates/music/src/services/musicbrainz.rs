//! `MusicBrainz`: recordings and releases, by id and by name.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::identify::catalogue::{Credit, Recording, Release, ReleaseName, Track, Work};
use crate::services::{Patience, Service, Trouble};

/// The service.
#[derive(Debug)]
pub struct MusicBrainz {
    pub(super) service: Service,
}

/// A release as a search finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct FoundRelease {
    /// Its id, title and date.
    pub name: ReleaseName,
    /// Whose it is.
    pub artist: String,
    /// Number of tracks on all discs.
    pub tracks: u64,
}

impl MusicBrainz {
    pub(super) fn new(service: Service) -> Self {
        Self { service }
    }

    /// Why it is not asked any more, if so.
    pub fn trouble(&self) -> Option<Trouble> {
        self.service.trouble()
    }

    /// The recording of an id, under the id it has now.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn recording(
        &self,
        mbid: &str,
        patience: &Patience,
    ) -> Result<Option<Recording>, Trouble> {
        let inc = "artist-credits isrcs releases work-rels";
        let found = self.entity::<RecordingJson>("recording", mbid, inc, patience);
        Ok(found.await?.map(Recording::from))
    }

    /// The release of an id, with everything about its recordings.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn release(
        &self,
        mbid: &str,
        patience: &Patience,
    ) -> Result<Option<Release>, Trouble> {
        let inc = "recordings artist-credits isrcs recording-level-rels work-rels";
        let found = self.entity::<ReleaseJson>("release", mbid, inc, patience);
        Ok(found.await?.map(Release::from))
    }

    /// Recordings of that artist and title, of about that length.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn search_recordings(
        &self,
        artist: &str,
        title: &str,
        length_ms: u64,
        patience: &Patience,
    ) -> Result<Vec<Recording>, Trouble> {
        let (low, high) = (length_ms.saturating_sub(10_000), length_ms + 10_000);
        let query = format!(
            "recording:({}) AND artist:({}) AND dur:[{low} TO {high}]",
            escape(title),
            escape(artist)
        );
        let found: Recordings = self.search("recording", &query, patience).await?;
        Ok(found.recordings.into_iter().map(Recording::from).collect())
    }

    /// Releases of that artist and title.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn search_releases(
        &self,
        artist: Option<&str>,
        title: &str,
        patience: &Patience,
    ) -> Result<Vec<FoundRelease>, Trouble> {
        let by = artist.map_or_else(String::new, |artist| {
            format!(" AND artist:({})", escape(artist))
        });
        let query = format!("release:({}){by}", escape(title));
        let found: Releases = self.search("release", &query, patience).await?;
        Ok(found.releases.into_iter().map(FoundRelease::from).collect())
    }

    /// What an id stands for, with what is to be included.
    async fn entity<T: DeserializeOwned>(
        &self,
        kind: &str,
        mbid: &str,
        inc: &str,
        patience: &Patience,
    ) -> Result<Option<T>, Trouble> {
        let path = format!("{kind}/{mbid}");
        let query = [("inc", inc), ("fmt", "json")];
        self.service.get(&path, &query, patience).await
    }

    /// What a query in Lucene's syntax finds, the best 25.
    async fn search<T: DeserializeOwned + Default>(
        &self,
        kind: &str,
        query: &str,
        patience: &Patience,
    ) -> Result<T, Trouble> {
        let query = [("query", query), ("limit", "25"), ("fmt", "json")];
        let found = self.service.get(kind, &query, patience).await?;
        Ok(found.unwrap_or_default())
    }
}

/// Letters and digits only: what Lucene takes for syntax helps nobody to find anything.
fn escape(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '\'' {
                c
            } else {
                ' '
            }
        })
        .collect();
    let words: Vec<_> = plain
        .split_whitespace()
        .map(|word| match word {
            "AND" | "OR" | "NOT" | "TO" => word.to_lowercase(),
            other => other.to_owned(),
        })
        .collect();
    if words.is_empty() {
        return format!("\"{}\"", text.replace(['"', '\\'], ""));
    }
    words.join(" ")
}

#[derive(Debug, Default, Deserialize)]
struct Recordings {
    #[serde(default)]
    recordings: Vec<RecordingJson>,
}

#[derive(Debug, Default, Deserialize)]
struct Releases {
    #[serde(default)]
    releases: Vec<ReleaseJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct RecordingJson {
    id: String,
    title: String,
    length: Option<u64>,
    disambiguation: Option<String>,
    artist_credit: Vec<CreditJson>,
    isrcs: Vec<String>,
    releases: Vec<ReleaseNameJson>,
    relations: Vec<RelationJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CreditJson {
    name: String,
    joinphrase: String,
    artist: ArtistJson,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ArtistJson {
    id: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RelationJson {
    #[serde(rename = "type")]
    kind: String,
    work: Option<WorkJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WorkJson {
    id: String,
    title: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReleaseNameJson {
    id: String,
    title: String,
    date: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct ReleaseJson {
    id: String,
    title: String,
    date: Option<String>,
    artist_credit: Vec<CreditJson>,
    track_count: Option<u64>,
    media: Vec<MediumJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct MediumJson {
    position: u32,
    track_count: u64,
    tracks: Vec<TrackJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TrackJson {
    position: u32,
    title: String,
    length: Option<u64>,
    recording: RecordingJson,
}

fn credits(json: Vec<CreditJson>) -> (String, Vec<Credit>) {
    let words = json
        .iter()
        .flat_map(|credit| {
            let name = if credit.name.is_empty() {
                &credit.artist.name
            } else {
                &credit.name
            };
            [name.as_str(), credit.joinphrase.as_str()]
        })
        .collect();
    let credits = json.into_iter().map(|credit| Credit {
        mbid: credit.artist.id,
        name: credit.artist.name,
        credited_as: credit.name,
        join: credit.joinphrase,
    });
    (words, credits.collect())
}

impl From<RecordingJson> for Recording {
    fn from(json: RecordingJson) -> Self {
        let (artist, credits) = credits(json.artist_credit);
        let works = json
            .relations
            .into_iter()
            .filter(|relation| relation.kind == "performance")
            .filter_map(|relation| relation.work)
            .filter(|work| !work.id.is_empty())
            .map(|work| Work {
                mbid: work.id,
                title: work.title,
            });
        Self {
            mbid: json.id,
            title: json.title,
            remark: json.disambiguation.unwrap_or_default(),
            artist,
            credits,
            length_ms: json.length,
            isrcs: json.isrcs,
            works: works.collect(),
            releases: json.releases.into_iter().map(ReleaseName::from).collect(),
        }
    }
}

impl From<ReleaseNameJson> for ReleaseName {
    fn from(json: ReleaseNameJson) -> Self {
        Self {
            mbid: json.id,
            title: json.title,
            date: json.date.filter(|date| !date.is_empty()),
        }
    }
}

impl From<ReleaseJson> for Release {
    fn from(json: ReleaseJson) -> Self {
        let (artist, _) = credits(json.artist_credit);
        let tracks = json.media.into_iter().flat_map(|medium| {
            let disc = medium.position.max(1);
            medium.tracks.into_iter().map(move |track| Track {
                disc,
                number: track.position,
                title: track.title,
                length_ms: track.length.or(track.recording.length),
                recording: Recording::from(track.recording),
            })
        });
        Self {
            name: ReleaseName {
                mbid: json.id,
                title: json.title,
                date: json.date.filter(|date| !date.is_empty()),
            },
            artist,
            tracks: tracks.collect(),
        }
    }
}

impl From<ReleaseJson> for FoundRelease {
    fn from(json: ReleaseJson) -> Self {
        let (artist, _) = credits(json.artist_credit);
        let of_media = json.media.iter().map(|medium| medium.track_count).sum();
        Self {
            name: ReleaseName {
                mbid: json.id,
                title: json.title,
                date: json.date.filter(|date| !date.is_empty()),
            },
            artist,
            tracks: json.track_count.unwrap_or(of_media),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lucene_takes_for_syntax_is_left_out() {
        assert_eq!(escape("AC/DC: (Live) OR not?"), "AC DC Live or not");
        assert_eq!(escape("!!!"), "\"!!!\"");
    }

    #[test]
    fn a_release_is_read_with_its_recordings() {
        let text = r#"{"id": "r", "title": "Tides", "date": "", "artist-credit": [
            {"name": "A", "joinphrase": " & ", "artist": {"id": "a", "name": "Ay"}},
            {"name": "B", "joinphrase": "", "artist": {"id": "b", "name": "Bee"}}],
            "media": [{"position": 2, "track-count": 1, "tracks": [{"position": 1, "number": "B1",
            "title": "Slow", "length": null, "recording": {"id": "x", "title": "Slow", "length": 1000,
            "disambiguation": "live", "isrcs": ["GBAAA"], "relations": [{"type": "performance",
            "work": {"id": "w", "title": "Slow Work"}}, {"type": "producer"}]}}]}]}"#;
        let json: ReleaseJson = serde_json::from_str(text).unwrap();
        let release = Release::from(json);
        assert_eq!(release.artist, "A & B");
        assert_eq!(release.name.date, None);
        let track = &release.tracks[0];
        assert_eq!(
            (track.disc, track.number, track.length_ms),
            (2, 1, Some(1000))
        );
        assert_eq!(track.recording.works[0].mbid, "w");
        assert_eq!(track.recording.remark, "live");
    }
}
