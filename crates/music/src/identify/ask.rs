//! Asks the services, unless the answer is known already.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::catalogue::{Credit, Fingerprint, Match};
use crate::catalogue::{Found, FoundRelease};
use crate::catalogue::{Recording, Release};
use crate::identify::text::{Artists, Likeness, Title, artists, normalise};
use crate::library::answers::Answers;
use crate::services::acousticbrainz::{Flavor, LowLevel};
use crate::services::acoustid::BATCH;
use crate::services::cover_art::Image;
use crate::services::musicbrainz::words;
use crate::services::{Patience, Services, Trouble};

/// Titles asked for in one query. Each gets a quarter of the hundred entries that an answer may have,
/// which is what a query of its own used to ask for.
const NAMED_AT_ONCE: usize = 4;

/// Ids asked about in one query: an answer has a hundred entries, and a query of two thousand letters
/// passes every proxy.
const CURRENT_AT_ONCE: usize = 50;

/// Lengths within this many ms of a recording's are asked for: beyond it no length agrees.
const LENGTH_RANGE: u64 = 12_000;

/// A recording by its names and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Who made it.
    pub artist: String,
    /// Its title.
    pub title: String,
    /// Its length in ms.
    pub length_ms: u64,
}

/// The question about names among others, under which it is kept that nothing was found there.
fn among(wanted: &Named) -> String {
    format!("among/{}", wanted.query())
}

impl Named {
    fn question(&self) -> String {
        let (artist, title) = (normalise(&self.artist), normalise(&self.title));
        format!("named/{artist}/{title}/{}", self.length_ms / 1000)
    }

    /// In Lucene's syntax.
    fn query(&self) -> String {
        format!(
            "recording:({}) AND artist:({}) AND {}",
            words(&self.title),
            words(&self.artist),
            around(self.length_ms)
        )
    }

    fn is_name_of(&self, recording: &Recording) -> bool {
        let title = Title::parse(&self.title).relation(&Title::parse(&recording.title));
        let names = recording.credits.iter().map(|credit| credit.name.as_str());
        let by = artists(&self.artist, names.chain([recording.artist.as_str()]));
        title.name > Likeness::Different && by >= Artists::Shared
    }
}

/// Lengths about this one, in Lucene's syntax.
pub fn around(length_ms: u64) -> String {
    // To the second, so that the same question is the same words.
    let length_ms = length_ms / 1000 * 1000;
    let low = length_ms.saturating_sub(LENGTH_RANGE);
    format!("dur:[{low} TO {}]", length_ms + LENGTH_RANGE)
}

/// The services, and what they have answered before.
#[derive(Debug)]
pub struct CachedServices<'a> {
    /// The services.
    pub services: &'a Services,
    /// Their answers.
    pub answers: &'a Answers,
    /// How long to wait.
    pub patience: &'a Patience,
}

impl CachedServices<'_> {
    /// What fingerprints are known to be, one list for each; nothing is asked of the network.
    pub fn known_matches(&self, print: &Fingerprint) -> Option<Vec<Match>> {
        let known: Option<Vec<Match>> = self.answers.look("acoustid", &question(print))?;
        Some(known.unwrap_or_default())
    }

    /// Sees to it that `known_matches` knows all of them.
    ///
    /// # Errors
    ///
    /// When the service does not answer. Without a key nothing is asked, which is no error.
    pub async fn ask_fingerprints(&self, prints: &[Fingerprint]) -> Result<(), Trouble> {
        let Some(acoustid) = &self.services.acoustid else {
            return Ok(());
        };
        let mut unknown: Vec<_> = prints
            .iter()
            .filter(|print| self.known_matches(print).is_none())
            .cloned()
            .collect();
        unknown.dedup();
        let mut open = Ok(());
        for batch in unknown.chunks(BATCH) {
            let found = match acoustid.lookup(batch, self.patience).await {
                Err(odd @ Trouble::Odd { .. }) => {
                    open = Err(odd);
                    continue;
                }
                found => found?,
            };
            for (print, matches) in batch.iter().zip(found) {
                let matches = (!matches.is_empty()).then_some(matches);
                self.answers
                    .keep("acoustid", &question(print), matches.as_ref());
            }
        }
        open
    }

    /// The recording of an id.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn recording(&self, mbid: &str) -> Result<Option<Recording>, Trouble> {
        let asking = self.services.musicbrainz.recording(mbid, self.patience);
        let question = format!("recording/{mbid}");
        self.once("musicbrainz", &question, asking).await
    }

    /// Sees to it that it is known which of these recordings are still there, many in a question.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn ask_current(&self, mbids: &[String]) -> Result<(), Trouble> {
        let unknown: Vec<_> = mbids
            .iter()
            .filter(|mbid| self.known_current(mbid).is_none())
            .collect();
        for batch in unknown.chunks(CURRENT_AT_ONCE) {
            let ids: Vec<_> = batch.iter().map(|mbid| mbid.as_str()).collect();
            let query = format!("rid:({})", ids.join(" OR "));
            let musicbrainz = &self.services.musicbrainz;
            let found = musicbrainz.search_recordings(&query, self.patience).await?;
            for mbid in batch {
                let is_it = |one: &&Recording| one.mbid == **mbid;
                let own = found.recordings.iter().find(is_it);
                self.answers
                    .keep("musicbrainz", &format!("current/{mbid}"), own);
            }
        }
        Ok(())
    }

    /// The recording of an id, if it is still there; `None` if that was not asked.
    pub fn known_current(&self, mbid: &str) -> Option<Option<Recording>> {
        let question = format!("current/{mbid}");
        self.answers.look("musicbrainz", &question)
    }

    /// The release of an id.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn release(&self, mbid: &str) -> Result<Option<Release>, Trouble> {
        let asking = self.services.musicbrainz.release(mbid, self.patience);
        let question = format!("release/{mbid}");
        self.once("musicbrainz", &question, asking).await
    }

    /// What a query finds among recordings.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn search_recordings(&self, query: &str) -> Result<Found, Trouble> {
        let musicbrainz = &self.services.musicbrainz;
        let asking = async {
            let found = musicbrainz.search_recordings(query, self.patience).await?;
            Ok(Some(found).filter(|found| !found.recordings.is_empty()))
        };
        let question = format!("recordings/{query}");
        let found = self.once("musicbrainz", &question, asking).await?;
        Ok(found.unwrap_or_default())
    }

    /// What a query finds among artists.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn search_artists(&self, query: &str) -> Result<Vec<Credit>, Trouble> {
        let musicbrainz = &self.services.musicbrainz;
        let asking = musicbrainz.search_artists(query, self.patience);
        self.list_once(&format!("artists/{query}"), asking).await
    }

    /// What a query finds among releases.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn search_releases(&self, query: &str) -> Result<Vec<FoundRelease>, Trouble> {
        let musicbrainz = &self.services.musicbrainz;
        let asking = musicbrainz.search_releases(query, self.patience);
        self.list_once(&format!("releases/{query}"), asking).await
    }

    /// Recordings of that artist and title, of about that length.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn named(&self, wanted: &Named) -> Result<Vec<Recording>, Trouble> {
        if let Some(known) = self
            .answers
            .look::<Vec<Recording>>("musicbrainz", &wanted.question())
        {
            return Ok(known.unwrap_or_default());
        }
        let found = self.search_recordings(&wanted.query()).await?;
        Ok(found.recordings)
    }

    /// Whether it was asked already what has these names, alone or with others.
    pub fn has_asked(&self, wanted: &Named) -> bool {
        let questions = [
            wanted.question(),
            among(wanted),
            format!("recordings/{}", wanted.query()),
        ];
        let mut questions = questions.iter();
        questions.any(|question| self.answers.knows("musicbrainz", question))
    }

    /// Whether something of these names is known already.
    pub fn knows(&self, wanted: &Named) -> bool {
        self.answers.knows("musicbrainz", &wanted.question())
    }

    /// Asks about several at once, and keeps what is found for each; about what is not found among so
    /// many answers, [`named`](Self::named) asks once more.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn ask_named(&self, wanted: &[Named]) -> Result<(), Trouble> {
        let unknown: Vec<_> = wanted.iter().filter(|one| !self.has_asked(one)).collect();
        for batch in unknown
            .chunks(NAMED_AT_ONCE)
            .filter(|batch| batch.len() > 1)
        {
            let parts: Vec<_> = batch
                .iter()
                .map(|one| format!("({})", one.query()))
                .collect();
            let musicbrainz = &self.services.musicbrainz;
            let question = parts.join(" OR ");
            let found = match musicbrainz
                .search_recordings(&question, self.patience)
                .await
            {
                // One of them may be answered alone.
                Err(Trouble::Odd { .. }) => continue,
                found => found?,
            };
            for one in batch {
                let own: Vec<_> = found
                    .recordings
                    .iter()
                    .filter(|found| one.is_name_of(found))
                    .collect();
                if own.is_empty() {
                    let nothing: Option<&Vec<Recording>> = None;
                    self.answers.keep("musicbrainz", &among(one), nothing);
                } else {
                    self.answers
                        .keep("musicbrainz", &one.question(), Some(&own));
                }
            }
        }
        Ok(())
    }

    /// How a recording sounds, as `AcousticBrainz` has it.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn flavor(&self, mbid: &str) -> Result<Option<Flavor>, Trouble> {
        let asking = self.services.acousticbrainz.flavor(mbid, self.patience);
        self.once("acousticbrainz", mbid, asking).await
    }

    /// What `AcousticBrainz` measured of a recording.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn low_level(&self, mbid: &str) -> Result<Option<LowLevel>, Trouble> {
        let asking = self.services.acousticbrainz.low_level(mbid, self.patience);
        self.once("acousticbrainz", &format!("low/{mbid}"), asking)
            .await
    }

    /// The same of a list of `MusicBrainz`'; an empty one is known as nothing found.
    async fn list_once<T: Serialize + DeserializeOwned>(
        &self,
        question: &str,
        asking: impl Future<Output = Result<Vec<T>, Trouble>>,
    ) -> Result<Vec<T>, Trouble> {
        let asking = async { Ok(Some(asking.await?).filter(|found| !found.is_empty())) };
        let found = self.once("musicbrainz", question, asking).await?;
        Ok(found.unwrap_or_default())
    }

    /// What is known already, else what `asking` finds, which is then known.
    async fn once<T: Serialize + DeserializeOwned>(
        &self,
        service: &'static str,
        question: &str,
        asking: impl Future<Output = Result<Option<T>, Trouble>>,
    ) -> Result<Option<T>, Trouble> {
        if let Some(known) = self.answers.look(service, question) {
            return Ok(known);
        }
        let found = asking.await?;
        self.answers.keep(service, question, found.as_ref());
        Ok(found)
    }

    /// The front cover of a release. Only that there is none is remembered.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn cover(&self, mbid: &str) -> Result<Option<Image>, Trouble> {
        if let Some(None) = self.answers.look::<()>("coverart", mbid) {
            return Ok(None);
        }
        let found = self.services.cover_art.front(mbid, self.patience).await?;
        if found.is_none() {
            self.answers.keep::<()>("coverart", mbid, None);
        }
        Ok(found)
    }
}

fn question(print: &Fingerprint) -> String {
    let hash = Sha256::digest(print.text.as_bytes());
    let mut question = String::with_capacity(70);
    for byte in &hash[..] {
        let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
        question.extend(digits.into_iter().flatten());
    }
    question.push('/');
    question.push_str(&print.seconds.to_string());
    question
}
