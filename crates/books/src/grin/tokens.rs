//! A token that stays fresh: renewed ahead of its end or when it is refused, once for all requests that wait.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use tokio::sync::Mutex;
use web::{Client, Retry, Secret, Url};

use crate::error::Error;
use crate::grin::AHEAD;
use crate::grin::credentials::{CredentialPlaces, Credentials};

/// The tokens of a credential file; clones share them.
#[derive(Clone, Debug)]
pub struct Tokens {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// Held while a token is renewed: other requests wait for it, and find the new one.
    credentials: Mutex<Credentials>,
    /// When this process renewed it last.
    renewed: std::sync::Mutex<Option<Instant>>,
}

/// What a token endpoint answers.
#[derive(Deserialize)]
struct Granted {
    access_token: Option<String>,
    /// Seconds; a number in any form, since servers differ.
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// A token that was just renewed is used at least so long, whatever is said of its end. A guess: long enough that an
/// endpoint is not asked for every request, short against any life of a token.
const LEAST_USE: std::time::Duration = std::time::Duration::from_mins(1);

/// No token lives longer, whatever is said: ten years, in seconds.
const LONGEST_LIFE: f64 = 315_360_000.0;

/// More is no answer of a token endpoint.
const LONGEST_ANSWER: usize = 1 << 20;

impl Tokens {
    /// Reads the tokens.
    ///
    /// # Errors
    ///
    /// Those of [`Credentials::read`].
    pub fn load(places: &CredentialPlaces) -> Result<Self, Error> {
        let credentials = Credentials::read(&places.credentials)?;
        Ok(Self {
            shared: Arc::new(Shared {
                path: places.credentials.clone(),
                credentials: Mutex::new(credentials),
                renewed: std::sync::Mutex::default(),
            }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// A token that is good for some minutes, as far as is known.
    pub(crate) async fn current(&self) -> Result<Secret, Error> {
        let mut credentials = self.shared.credentials.lock().await;
        let is_fresh = || {
            let renewed = self.shared.renewed.lock().ok().and_then(|at| *at);
            renewed.is_some_and(|at| at.elapsed() < LEAST_USE)
        };
        // A token of a short life is used until it is refused, not renewed for every request.
        if credentials.token.is_empty() || (ends_soon(&credentials) && !is_fresh()) {
            match Credentials::read(&self.shared.path) {
                Ok(read) if read.token != credentials.token && !ends_soon(&read) => {
                    *credentials = read;
                }
                _ => self.refresh(&mut credentials).await?,
            }
        }
        Ok(credentials.token.clone())
    }

    /// Another token than `stale`, which was refused.
    pub(crate) async fn renew(&self, stale: &Secret) -> Result<Secret, Error> {
        let mut credentials = self.shared.credentials.lock().await;
        if credentials.token == *stale {
            // Another process that works with the same file may have been first.
            match Credentials::read(&self.shared.path) {
                Ok(read) if read.token != *stale && !ends_soon(&read) => *credentials = read,
                _ => self.refresh(&mut credentials).await?,
            }
        }
        Ok(credentials.token.clone())
    }

    async fn refresh(&self, credentials: &mut Credentials) -> Result<(), Error> {
        if credentials.refresh_token.is_empty() {
            return Err(Error::SignIn {
                reason: "the token is stale, and there is no refresh token".to_owned(),
            });
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", credentials.refresh_token.reveal()),
            ("client_id", &credentials.client_id),
            ("client_secret", credentials.client_secret.reveal()),
        ];
        let granted = ask(&credentials.token_uri, &form).await?;
        if let Err(error) = take(credentials, granted) {
            // Another process may have renewed it meanwhile, which makes the old way of renewing void.
            match Credentials::read(&self.shared.path) {
                Ok(read) if read.token != credentials.token && !ends_soon(&read) => {
                    *credentials = read;
                    return Ok(());
                }
                _ => return Err(error),
            }
        }
        if let Ok(mut renewed) = self.shared.renewed.lock() {
            *renewed = Some(Instant::now());
        }
        // The token is good whether or not it can be kept for the next command.
        if let Err(error) = credentials.write(&self.shared.path) {
            tracing::warn!("the new token is used, but cannot be kept: {error}");
        }
        Ok(())
    }
}

/// Asks a token endpoint.
async fn ask(token_uri: &str, form: &[(&str, &str)]) -> Result<Granted, Error> {
    let url = Url::parse(token_uri).map_err(|_| Error::SignIn {
        reason: format!("`{token_uri}` is no address of a token endpoint"),
    })?;
    let client = Client::new(web::Options {
        requests_per_second: 0.0,
        answer_limit: std::time::Duration::from_secs(30),
        ..web::Options::new(url.clone())
    })?;
    let retry = Retry {
        attempts: 4,
        ..Retry::default()
    };
    let again = |error: &web::Error, pause: std::time::Duration| {
        tracing::warn!("asking for a token again in {} s: {error}", pause.as_secs());
    };
    let body = retry
        .run(
            || false,
            again,
            || async {
                let answer = client.post_form(&url, form).await?;
                match answer.status() {
                    // Not a refusal: it is to be asked again later.
                    status @ (408 | 425 | 429) => Err(web::Error::Status {
                        host: answer.host().to_owned(),
                        status,
                        retry_after: answer.retry_after(),
                    }),
                    _ => answer.bytes(LONGEST_ANSWER).await,
                }
            },
        )
        .await?;
    serde_json::from_slice(&body).map_err(|_| Error::SignIn {
        reason: "the token endpoint gave no JSON".to_owned(),
    })
}

/// Exchanges the code of a sign-in for tokens.
pub(crate) async fn exchange(
    token_uri: &str,
    form: &[(&str, &str)],
    credentials: &mut Credentials,
) -> Result<(), Error> {
    take(credentials, ask(token_uri, form).await?)
}

fn take(credentials: &mut Credentials, granted: Granted) -> Result<(), Error> {
    let Some(token) = granted.access_token.filter(|token| !token.is_empty()) else {
        let said = granted.error.unwrap_or_else(|| "no token".to_owned());
        let more = granted.error_description.map(|text| format!(", {text}"));
        return Err(Error::SignIn {
            reason: format!(
                "the token endpoint refuses: {said}{}",
                more.unwrap_or_default()
            ),
        });
    };
    credentials.token = Secret::new(token);
    if let Some(refresh) = granted.refresh_token.filter(|token| !token.is_empty()) {
        credentials.refresh_token = Secret::new(refresh);
    }
    credentials.expiry = granted.expires_in.as_ref().and_then(end_of_life);
    Ok(())
}

/// When a token with this lifetime in seconds ends; `None` if it is not a number.
fn end_of_life(seconds: &serde_json::Value) -> Option<String> {
    let number = match seconds {
        serde_json::Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    let seconds = f64::clamp(number, 0.0, LONGEST_LIFE);
    if seconds.is_nan() {
        return None;
    }
    let life = jiff::SignedDuration::from_secs(seconds as i64);
    let end = jiff::Timestamp::now().checked_add(life).ok()?;
    Some(end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Whether the token ends within minutes; a file that does not tell is trusted until the token is refused.
fn ends_soon(credentials: &Credentials) -> bool {
    let expiry = credentials.expiry.as_deref().map(|text| {
        let utc = text.trim_end_matches('Z');
        format!("{utc}Z").parse::<jiff::Timestamp>()
    });
    match expiry {
        Some(Ok(end)) => {
            let ahead = jiff::SignedDuration::from_secs(AHEAD.as_secs() as i64);
            !credentials.refresh_token.is_empty() && jiff::Timestamp::now() + ahead >= end
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(expiry: Option<&str>) -> Credentials {
        let json = serde_json::json!({"token": "t", "refresh_token": "r", "token_uri": "u", "client_id": "c",
            "expiry": expiry});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_token_is_renewed_ahead_of_its_end() {
        assert!(!ends_soon(&credentials(None)));
        assert!(!ends_soon(&credentials(Some("no date"))));
        assert!(!ends_soon(&credentials(Some("2999-01-01T00:00:00.123"))));
        assert!(ends_soon(&credentials(Some("2020-01-01T00:00:00Z"))));
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(200);
        assert!(ends_soon(&credentials(Some(&soon.to_string()))));
    }

    #[test]
    fn a_life_is_a_number_in_any_form_and_of_any_size() {
        for (text, known) in [
            ("3600", true),
            ("3600.5", true),
            ("\"3600\"", true),
            ("9223372036854775807", true),
            ("1e300", true),
            ("-5", true),
            ("\"soon\"", false),
            ("[]", false),
            ("\"NaN\"", false),
        ] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(end_of_life(&value).is_some(), known, "{text}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_endpoint_s_words() {
        let granted: Granted =
            serde_json::from_str(r#"{"error": "invalid_grant", "error_description": "expired"}"#)
                .unwrap();
        let said = take(&mut credentials(None), granted)
            .unwrap_err()
            .to_string();
        assert!(said.contains("invalid_grant, expired"), "{said}");
    }
}
