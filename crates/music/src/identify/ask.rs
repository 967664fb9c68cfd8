//! Asks the services, unless the answer is known already.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::identify::catalogue::{Recording, Release};
use crate::identify::text::normalise;
use crate::library::answers::Answers;
use crate::services::acousticbrainz::{Flavor, LowLevel};
use crate::services::acoustid::{BATCH, Fingerprint, Match};
use crate::services::cover_art::Image;
use crate::services::musicbrainz::FoundRelease;
use crate::services::{Patience, Services, Trouble};

/// The services, and what they have answered before.
#[derive(Debug)]
pub struct Asker<'a> {
    /// The services.
    pub services: &'a Services,
    /// Their answers.
    pub answers: &'a Answers,
    /// How long to wait.
    pub patience: &'a Patience,
}

impl Asker<'_> {
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
        for batch in unknown.chunks(BATCH) {
            let found = acoustid.lookup(batch, self.patience).await?;
            for (print, matches) in batch.iter().zip(found) {
                let matches = (!matches.is_empty()).then_some(matches);
                self.answers
                    .keep("acoustid", &question(print), matches.as_ref());
            }
        }
        Ok(())
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

    /// Recordings of that artist and title, of about that length.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn search_recordings(
        &self,
        artist: &str,
        title: &str,
        length_ms: u64,
    ) -> Result<Vec<Recording>, Trouble> {
        let seconds = length_ms / 1000;
        let question = format!(
            "recordings/{}/{}/{seconds}",
            normalise(artist),
            normalise(title)
        );
        let musicbrainz = &self.services.musicbrainz;
        let asking = async {
            let found = musicbrainz.search_recordings(artist, title, seconds * 1000, self.patience);
            Ok(Some(found.await?).filter(|found| !found.is_empty()))
        };
        let found = self.once("musicbrainz", &question, asking).await?;
        Ok(found.unwrap_or_default())
    }

    /// Releases of that artist and title.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn search_releases(
        &self,
        artist: Option<&str>,
        title: &str,
    ) -> Result<Vec<FoundRelease>, Trouble> {
        let question = format!(
            "releases/{}/{}",
            artist.map(normalise).unwrap_or_default(),
            normalise(title)
        );
        let musicbrainz = &self.services.musicbrainz;
        let asking = async {
            let found = musicbrainz.search_releases(artist, title, self.patience);
            Ok(Some(found.await?).filter(|found| !found.is_empty()))
        };
        let found = self.once("musicbrainz", &question, asking).await?;
        Ok(found.unwrap_or_default())
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
