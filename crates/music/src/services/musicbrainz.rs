//! `MusicBrainz`: recordings and releases, by id and by name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::catalogue::{Credit, Recording, Release, ReleaseName, Track, Work};
use crate::catalogue::{Found, FoundRelease};
use crate::services::{Patience, Service, Trouble, lenient};

/// The service.
#[derive(Debug)]
pub struct MusicBrainz {
    pub(super) service: Service,
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

    /// Recordings that a query in Lucene's syntax finds, at most [`MOST_FOUND`], with the releases that
    /// they are on as far as those are told.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn search_recordings(
        &self,
        query: &str,
        patience: &Patience,
    ) -> Result<Found, Trouble> {
        let found: Recordings = self.search("recording", query, patience).await?;
        Ok(Found::from(found))
    }

    /// Releases that a query in Lucene's syntax finds.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn search_releases(
        &self,
        query: &str,
        patience: &Patience,
    ) -> Result<Vec<FoundRelease>, Trouble> {
        let found: Releases = self.search("release", query, patience).await?;
        Ok(found.releases.into_iter().map(FoundRelease::from).collect())
    }

    /// Artists that a query in Lucene's syntax finds, with their other names.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn search_artists(
        &self,
        query: &str,
        patience: &Patience,
    ) -> Result<Vec<Credit>, Trouble> {
        let found: Artists = self.search("artist", query, patience).await?;
        let credit = |artist: ArtistJson| CreditJson {
            name: artist.name.clone(),
            joinphrase: String::new(),
            artist,
        };
        Ok(credits(found.artists.into_iter().map(credit).collect()).1)
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

    /// What a query in Lucene's syntax finds, the best first.
    async fn search<T: DeserializeOwned + Default>(
        &self,
        kind: &str,
        query: &str,
        patience: &Patience,
    ) -> Result<T, Trouble> {
        let query = [("query", query), ("limit", MOST_FOUND), ("fmt", "json")];
        let found = self.service.get(kind, &query, patience).await?;
        Ok(found.unwrap_or_default())
    }
}

/// Entries in an answer to a search: the most that the service allows.
pub const MOST_FOUND: &str = "100";

/// The words of a text in a query, as the index cuts them: in their own script, with apostrophes and
/// the dots of `S.O.S.`; what Lucene takes for syntax is left out.
pub fn words(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_word = |at: Option<usize>| {
        at.and_then(|at| letters.get(at))
            .is_some_and(|c| c.is_alphanumeric())
    };
    let plain: String = letters
        .iter()
        .enumerate()
        .map(|(at, c)| {
            let is_inside = is_word(at.checked_sub(1)) && is_word(Some(at + 1));
            let stays = c.is_alphanumeric()
                // Marks of combining scripts belong to the letter before them.
                || ('\u{300}'..='\u{36f}').contains(c)
                || (is_inside && matches!(c, '\'' | '\u{2019}' | '.'));
            if stays { *c } else { ' ' }
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

/// The same as a phrase: the words in this order.
pub fn phrase(text: &str) -> String {
    let words = words(text);
    if words.starts_with('"') {
        words
    } else {
        format!("\"{words}\"")
    }
}

#[derive(Debug, Default, Deserialize)]
struct Artists {
    #[serde(default, deserialize_with = "lenient::list")]
    artists: Vec<ArtistJson>,
}

#[derive(Debug, Default, Deserialize)]
struct Recordings {
    #[serde(default, deserialize_with = "lenient::list")]
    recordings: Vec<RecordingJson>,
}

#[derive(Debug, Default, Deserialize)]
struct Releases {
    #[serde(default, deserialize_with = "lenient::list")]
    releases: Vec<ReleaseJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct RecordingJson {
    #[serde(deserialize_with = "lenient::field")]
    id: String,
    #[serde(deserialize_with = "lenient::field")]
    title: String,
    #[serde(deserialize_with = "lenient::count")]
    length: Option<u64>,
    #[serde(deserialize_with = "lenient::field")]
    disambiguation: Option<String>,
    #[serde(deserialize_with = "lenient::list")]
    artist_credit: Vec<CreditJson>,
    #[serde(deserialize_with = "lenient::list")]
    isrcs: Vec<String>,
    #[serde(deserialize_with = "lenient::list")]
    releases: Vec<ReleaseJson>,
    #[serde(deserialize_with = "lenient::list")]
    relations: Vec<RelationJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CreditJson {
    #[serde(deserialize_with = "lenient::field")]
    name: String,
    #[serde(deserialize_with = "lenient::field")]
    joinphrase: String,
    #[serde(deserialize_with = "lenient::field")]
    artist: ArtistJson,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct ArtistJson {
    #[serde(deserialize_with = "lenient::field")]
    id: String,
    #[serde(deserialize_with = "lenient::field")]
    name: String,
    #[serde(deserialize_with = "lenient::field")]
    sort_name: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    aliases: Option<Vec<AliasJson>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AliasJson {
    #[serde(deserialize_with = "lenient::field")]
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RelationJson {
    #[serde(rename = "type", deserialize_with = "lenient::field")]
    kind: String,
    #[serde(deserialize_with = "lenient::field")]
    work: Option<WorkJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WorkJson {
    #[serde(deserialize_with = "lenient::field")]
    id: String,
    #[serde(deserialize_with = "lenient::field")]
    title: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct GroupJson {
    #[serde(deserialize_with = "lenient::field")]
    secondary_types: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct ReleaseJson {
    #[serde(deserialize_with = "lenient::field")]
    id: String,
    #[serde(deserialize_with = "lenient::field")]
    title: String,
    #[serde(deserialize_with = "lenient::field")]
    date: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    disambiguation: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    release_group: Option<GroupJson>,
    #[serde(deserialize_with = "lenient::list")]
    artist_credit: Vec<CreditJson>,
    #[serde(deserialize_with = "lenient::count")]
    track_count: Option<u64>,
    #[serde(deserialize_with = "lenient::list")]
    media: Vec<MediumJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct MediumJson {
    #[serde(deserialize_with = "lenient::field")]
    position: u32,
    #[serde(deserialize_with = "lenient::field")]
    track_count: u64,
    #[serde(deserialize_with = "lenient::field")]
    track_offset: Option<u32>,
    /// A lookup tells all tracks, a search the one that the recording is on.
    #[serde(alias = "track", deserialize_with = "lenient::list")]
    tracks: Vec<TrackJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TrackJson {
    #[serde(deserialize_with = "lenient::field")]
    position: Option<u32>,
    #[serde(deserialize_with = "lenient::field")]
    title: String,
    #[serde(deserialize_with = "lenient::count")]
    length: Option<u64>,
    #[serde(deserialize_with = "lenient::field")]
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
        sort_name: credit.artist.sort_name.unwrap_or_default(),
        aliases: credit
            .artist
            .aliases
            .into_iter()
            .flatten()
            .map(|alias| alias.name)
            .collect(),
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
            releases: json.releases.iter().map(ReleaseName::from).collect(),
        }
    }
}

impl From<&ReleaseJson> for ReleaseName {
    fn from(json: &ReleaseJson) -> Self {
        let group = json.release_group.as_ref();
        Self {
            mbid: json.id.clone(),
            title: json.title.clone(),
            date: json.date.clone().filter(|date| !date.is_empty()),
            remark: json.disambiguation.clone().unwrap_or_default(),
            secondary: group
                .and_then(|group| group.secondary_types.clone())
                .unwrap_or_default(),
        }
    }
}

impl MediumJson {
    /// Its tracks, each with the recording that it tells or with `recording`.
    fn tracks(self, recording: Option<&Recording>) -> Vec<Track> {
        let (disc, offset) = (self.position.max(1), self.track_offset.unwrap_or(0));
        let track = |(at, track): (usize, TrackJson)| {
            let of_track = Recording::from(track.recording);
            let recording = recording.cloned().unwrap_or(of_track);
            Track {
                disc,
                number: track.position.unwrap_or(offset + at as u32 + 1),
                title: track.title,
                length_ms: track.length.or(recording.length_ms),
                recording,
            }
        };
        self.tracks.into_iter().enumerate().map(track).collect()
    }
}

impl From<ReleaseJson> for Release {
    fn from(json: ReleaseJson) -> Self {
        let name = ReleaseName::from(&json);
        let (artist, _) = credits(json.artist_credit);
        let tracks = json
            .media
            .into_iter()
            .flat_map(|medium| medium.tracks(None));
        Self {
            name,
            artist,
            tracks: tracks.collect(),
        }
    }
}

impl From<ReleaseJson> for FoundRelease {
    fn from(json: ReleaseJson) -> Self {
        let name = ReleaseName::from(&json);
        let (artist, _) = credits(json.artist_credit);
        let of_media = json.media.iter().map(|medium| medium.track_count).sum();
        Self {
            name,
            artist,
            tracks: json.track_count.unwrap_or(of_media),
        }
    }
}

impl From<Recordings> for Found {
    fn from(found: Recordings) -> Self {
        let mut releases: BTreeMap<String, Release> = BTreeMap::new();
        let mut recordings = Vec::with_capacity(found.recordings.len());
        for mut json in found.recordings {
            let on = std::mem::take(&mut json.releases);
            let mut recording = Recording::from(json);
            recording.releases = on.iter().map(ReleaseName::from).collect();
            // Each release would hold each recording with all of its releases.
            let bare = Recording {
                releases: Vec::new(),
                ..recording.clone()
            };
            for json in on {
                let name = ReleaseName::from(&json);
                let (artist, _) = credits(json.artist_credit);
                let release = releases
                    .entry(name.mbid.clone())
                    .or_insert_with(|| Release {
                        name,
                        artist,
                        tracks: Vec::new(),
                    });
                let tracks = json
                    .media
                    .into_iter()
                    .flat_map(|medium| medium.tracks(Some(&bare)));
                release.tracks.extend(tracks);
            }
            recordings.push(recording);
        }
        let mut releases: Vec<_> = releases.into_values().collect();
        releases.retain(|release| !release.tracks.is_empty());
        for release in &mut releases {
            release
                .tracks
                .sort_by_key(|track| (track.disc, track.number));
        }
        Self {
            recordings,
            releases,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lucene_takes_for_syntax_is_left_out() {
        assert_eq!(words("AC/DC: (Live) OR not?"), "AC DC Live or not");
        assert_eq!(words("!!!"), "\"!!!\"");
        assert_eq!(phrase("AC/DC"), "\"AC DC\"");
    }

    #[test]
    fn words_stay_in_their_script_and_whole() {
        assert_eq!(words("S.O.S."), "S.O.S");
        assert_eq!(words("Don’t 'Stop'"), "Don’t Stop");
        assert_eq!(words("Белая река (live)"), "Белая река live");
    }

    #[test]
    fn a_search_tells_the_releases_of_what_it_found() {
        let text = r#"{"recordings": [{"id": "x", "title": "Slow", "length": 1000, "artist-credit":
            [{"name": "A", "artist": {"id": "a", "name": "A", "sort-name": "A", "aliases": [{"name": "Ay"}]}}],
            "releases": [{"id": "r", "title": "Tides", "disambiguation": "mono", "release-group":
            {"secondary-types": ["Live"]}, "media": [{"position": 2, "track-count": 9, "track-offset": 4,
            "track": [{"number": "5", "title": "Slow", "length": 1200}]}]}]}]}"#;
        let json: Recordings = serde_json::from_str(text).unwrap();
        let found = Found::from(json);
        assert_eq!(found.recordings[0].releases[0].remark, "mono");
        assert_eq!(found.recordings[0].credits[0].aliases, ["Ay"]);
        let track = &found.releases[0].tracks[0];
        assert_eq!(
            (track.disc, track.number, track.length_ms),
            (2, 5, Some(1200))
        );
        assert_eq!(track.recording.mbid, "x");
        assert_eq!(found.releases[0].name.secondary, ["Live"]);
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
