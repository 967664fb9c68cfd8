//! `AcoustID`: a fingerprint's recordings.

use serde::Deserialize;
use web::Secret;

use crate::catalogue::{Credit, Recording, ReleaseName};
use crate::catalogue::{Fingerprint, Linked, Match};
use crate::services::{
    Failed, LARGEST_ANSWER, Patience, Service, Trouble, is_json, lenient, no_answer,
};

/// Fingerprints in one request; the service takes 20 now and fewer some day.
pub const BATCH: usize = 10;

/// What the service's API calls a key it does not know.
const INVALID_KEY: u64 = 4;

/// The service.
#[derive(Debug)]
pub struct AcoustId {
    pub(super) service: Service,
    key: Secret,
}

impl AcoustId {
    pub(super) fn new(service: Service, key: Secret) -> Self {
        Self { service, key }
    }

    /// Why it is not asked any more, if so.
    pub fn trouble(&self) -> Option<Trouble> {
        self.service.trouble()
    }

    /// What the fingerprints may be, one list for each, at most [`BATCH`] of them.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn lookup(
        &self,
        fingerprints: &[Fingerprint],
        patience: &Patience,
    ) -> Result<Vec<Vec<Match>>, Trouble> {
        let mut form = vec![
            ("client".to_owned(), self.key.reveal().to_owned()),
            ("format".to_owned(), "json".to_owned()),
            ("meta".to_owned(), "recordings releases sources".to_owned()),
            ("batch".to_owned(), "1".to_owned()),
        ];
        for (at, print) in fingerprints.iter().enumerate() {
            form.push((format!("duration.{at}"), print.seconds.max(1).to_string()));
            form.push((format!("fingerprint.{at}"), print.text.clone()));
        }
        let url = self.service.url("lookup");
        let asked = self.service.ask(patience, || async {
            let pairs: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let answer = self
                .service
                .client
                .post_form(&url, &pairs)
                .await
                .map_err(Failed::Web)?;
            let (status, host) = (answer.status(), answer.host().to_owned());
            let body = answer.bytes(LARGEST_ANSWER).await.map_err(Failed::Web)?;
            if status == 429 {
                return Err(Failed::TooMany);
            }
            let answer: Answer = serde_json::from_slice(&body)
                .map_err(|_| no_answer(is_json(&body), host.clone()))?;
            match answer.error {
                Some(error) if error.code == Some(INVALID_KEY) || status == 401 => {
                    Err(Failed::Key(error.message))
                }
                Some(error) if error.code == Some(14) => {
                    drop(error);
                    Err(Failed::TooMany)
                }
                // A fingerprint nobody can read is one that nobody knows.
                _ => Ok(answer.fingerprints),
            }
        });
        let found = asked.await?;
        let mut all = vec![Vec::new(); fingerprints.len()];
        for one in found {
            if let Some(slot) = all.get_mut(one.index.number()) {
                *slot = one.results.into_iter().map(Match::from).collect();
            }
        }
        Ok(all)
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "lenient::list")]
    fingerprints: Vec<Answered>,
    #[serde(default, deserialize_with = "lenient::field")]
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(default, deserialize_with = "lenient::count")]
    code: Option<u64>,
    #[serde(default, deserialize_with = "lenient::field")]
    message: String,
}

#[derive(Debug, Deserialize)]
struct Answered {
    index: Index,
    #[serde(default, deserialize_with = "lenient::list")]
    results: Vec<Found>,
}

/// A number, as such or as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Index {
    Number(usize),
    Text(String),
}

impl Index {
    fn number(&self) -> usize {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.parse().unwrap_or(usize::MAX),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Found {
    id: String,
    #[serde(default, deserialize_with = "lenient::real")]
    score: Option<f64>,
    #[serde(default, deserialize_with = "lenient::list")]
    recordings: Vec<FoundRecording>,
}

#[derive(Debug, Deserialize)]
struct FoundRecording {
    id: String,
    #[serde(default, deserialize_with = "lenient::field")]
    title: String,
    #[serde(default, deserialize_with = "lenient::real")]
    duration: Option<f64>,
    #[serde(default, deserialize_with = "lenient::count")]
    sources: Option<u64>,
    #[serde(default, deserialize_with = "lenient::list")]
    artists: Vec<FoundArtist>,
    #[serde(default, deserialize_with = "lenient::list")]
    releases: Vec<FoundRelease>,
}

#[derive(Debug, Deserialize)]
struct FoundArtist {
    #[serde(default, deserialize_with = "lenient::field")]
    id: String,
    name: String,
    #[serde(default, deserialize_with = "lenient::field")]
    joinphrase: String,
}

#[derive(Debug, Deserialize)]
struct FoundRelease {
    id: String,
    #[serde(default, deserialize_with = "lenient::field")]
    title: String,
}

impl From<Found> for Match {
    fn from(found: Found) -> Self {
        let recordings = found.recordings.into_iter().map(|recording| {
            let artist = recording
                .artists
                .iter()
                .flat_map(|artist| [artist.name.as_str(), artist.joinphrase.as_str()])
                .collect();
            let credits = recording.artists.into_iter().map(|artist| Credit {
                mbid: artist.id,
                credited_as: artist.name.clone(),
                name: artist.name,
                join: artist.joinphrase,
                ..Credit::default()
            });
            let releases = recording.releases.into_iter().map(|release| ReleaseName {
                mbid: release.id,
                title: release.title,
                ..ReleaseName::default()
            });
            Linked {
                sources: recording.sources.unwrap_or_default(),
                recording: Recording {
                    mbid: recording.id,
                    title: recording.title,
                    artist,
                    credits: credits.collect(),
                    length_ms: recording.duration.map(|s| (s * 1000.0).round() as u64),
                    releases: releases.collect(),
                    ..Recording::default()
                },
            }
        });
        Self {
            id: found.id,
            score: found.score.unwrap_or_default(),
            recordings: recordings.collect(),
        }
    }
}
