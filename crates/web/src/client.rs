//! Sends requests: paced, with deadlines, and with the token to one origin only.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use crate::answer::{Answer, Limits};
use crate::breaker::Breaker;
use crate::error::{Class, Classified, Error, reason};
use crate::pause::retry_after;
use crate::rate::{Pace, Rate};
use crate::secret::Secret;

/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 10;

/// How a [`Client`] behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where requests go, and the only origin that sees tokens.
    pub base_url: Url,
    /// Requests in any second; 0 for no limit. 5 unless said.
    pub requests_per_second: f64,
    /// Limit for a connection to be made; 10 s unless said.
    pub connect_limit: Duration,
    /// Limit for the first byte of an answer; 5 min unless said.
    pub answer_limit: Duration,
    /// Limit for silence within an answer; 1 min unless said.
    pub idle_limit: Duration,
    /// Time for an answer as a whole, besides what its bytes may take; 2 min unless said.
    pub whole_limit: Duration,
    /// Bytes a second that an answer must bring once that time is over; 1,000 unless said. A guess: the slowest line that
    /// anybody still works with brings more, and a server that drips does not.
    pub least_rate: u64,
    /// Failures in a row after which nothing is sent for a while; 20 unless said.
    pub breaker_failures: u32,
    /// How long that while is; 30 s unless said.
    pub breaker_pause: Duration,
    /// Who asks, and how to reach whoever is responsible; the program's name and version unless said.
    pub user_agent: String,
}

impl Options {
    /// The defaults, for `base_url`.
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            requests_per_second: 5.0,
            connect_limit: Duration::from_secs(10),
            answer_limit: Duration::from_mins(5),
            idle_limit: Duration::from_mins(1),
            whole_limit: Duration::from_mins(2),
            least_rate: 1_000,
            breaker_failures: 20,
            breaker_pause: Duration::from_secs(30),
            user_agent: concat!("accession/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Sends requests to one service; clones share its pace, its connections and its breaker.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    options: Options,
    rate: Rate,
    /// What others who ask the same service agree on.
    pace: OnceLock<Arc<dyn Pace>>,
    breaker: Breaker,
}

/// What a request has besides its address.
#[derive(Debug)]
enum Extra {
    None,
    Form(String),
    /// A file, perhaps from a byte on if it is still the same version.
    File(Option<(u64, String)>),
}

impl Client {
    /// A client that has sent nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] when the system's certificates or resolver cannot be used.
    pub fn new(options: Options) -> Result<Self, Error> {
        // Another client of this process may have chosen already, and chose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(options.connect_limit)
            .user_agent(options.user_agent.as_str())
            .build()
            .map_err(|error| Error::Setup {
                reason: reason(error),
            })?;
        Ok(Self {
            shared: Arc::new(Shared {
                http,
                rate: Rate::new(options.requests_per_second),
                pace: OnceLock::new(),
                breaker: Breaker::new(options.breaker_failures, options.breaker_pause),
                options,
            }),
        })
    }

    /// Where requests go.
    pub fn base_url(&self) -> &Url {
        &self.shared.options.base_url
    }

    /// Asks once for `url`, after waiting for its turn. The token goes to the origin of the base URL only.
    ///
    /// # Errors
    ///
    /// Whatever is no successful answer; [`Classified::class`] says what may help.
    pub async fn get(&self, url: &Url, token: Option<&Secret>) -> Result<Answer, Error> {
        self.send(Method::GET, url, token, Extra::None).await
    }

    /// Asks once for the head of what is at `url`: its status and headers, as for [`Client::get`].
    ///
    /// # Errors
    ///
    /// As for [`Client::get`].
    pub async fn head(&self, url: &Url, token: Option<&Secret>) -> Result<Answer, Error> {
        self.send(Method::HEAD, url, token, Extra::None).await
    }

    /// Asks once for a file as it is stored, not packed for the way. With a `part`, for what is missing of it: the answer
    /// has status 206 and begins there, or 200 and is the whole file, since another version is there now.
    ///
    /// # Errors
    ///
    /// As for [`Client::get`]; status 416 if nothing is missing.
    pub async fn get_file(
        &self,
        url: &Url,
        token: Option<&Secret>,
        part: Option<(u64, &str)>,
    ) -> Result<Answer, Error> {
        let part = part.map(|(begin, version)| (begin, version.to_owned()));
        self.send(Method::GET, url, token, Extra::File(part)).await
    }

    /// Sends a form once, after waiting for its turn. Its answer's body may be read whatever the status: a status that
    /// is no success is an error only for redirects and what the breaker counts.
    ///
    /// # Errors
    ///
    /// As for [`Client::get`].
    pub async fn post_form(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, Error> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.send(Method::POST, url, None, Extra::Form(body)).await
    }

    /// From now on a request waits for `pace`, too. What was agreed first stays.
    pub fn share_pace(&self, pace: Arc<dyn Pace>) {
        let _ = self.shared.pace.set(pace);
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        token: Option<&Secret>,
        extra: Extra,
    ) -> Result<Answer, Error> {
        let shared = &*self.shared;
        let host = host_of(url);
        if let Some(left) = shared.breaker.closed_for(Instant::now()) {
            return Err(Error::Breaker { host, left });
        }
        shared.rate.ready().await;
        if let Some(pace) = shared.pace.get() {
            pace.ready().await;
        }
        let result = self.follow(method, url, token, extra).await;
        match &result {
            Ok(_) => shared.breaker.succeeded(),
            Err(error) => match error.class() {
                Class::Transient => shared.breaker.failed(Instant::now()),
                Class::Throttled(Some(pause)) => shared.rate.silence(pause.min(LONGEST_SILENCE)),
                _ => {}
            },
        }
        result
    }

    /// Sends, and follows redirects by hand: relative ones, and to other hosts without the token.
    async fn follow(
        &self,
        method: Method,
        url: &Url,
        token: Option<&Secret>,
        extra: Extra,
    ) -> Result<Answer, Error> {
        let mut url = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.once(&method, &url, token, &extra).await?;
            let host = host_of(&url);
            let status = response.status();
            let form = matches!(extra, Extra::Form(_));
            if status.is_success() || (form && status.is_client_error()) {
                let options = &self.shared.options;
                let limits = Limits {
                    idle: options.idle_limit,
                    whole: options.whole_limit,
                    least_rate: options.least_rate,
                };
                return Ok(Answer::new(response, host, limits));
            }
            if !is_redirect(status) || form {
                return Err(Error::Status {
                    host,
                    status: status.as_u16(),
                    retry_after: retry_after(response.headers()),
                });
            }
            url = target(&url, &host, response.headers())?;
        }
        Err(Error::Redirect {
            host: host_of(&url),
            reason: format!("more than {MOST_REDIRECTS} redirects"),
        })
    }

    async fn once(
        &self,
        method: &Method,
        url: &Url,
        token: Option<&Secret>,
        extra: &Extra,
    ) -> Result<Response, Error> {
        let options = &self.shared.options;
        let mut request = self.shared.http.request(method.clone(), url.clone());
        if let Some(token) = token.filter(|_| url.origin() == options.base_url.origin()) {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        match extra {
            Extra::None => {}
            Extra::Form(body) => {
                request = request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(body.clone());
            }
            Extra::File(part) => {
                request = request.header("accept-encoding", "identity");
                if let Some((begin, version)) = part {
                    request = request
                        .header("range", format!("bytes={begin}-"))
                        .header("if-range", version);
                }
            }
        }
        match tokio::time::timeout(options.answer_limit, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Error::Connection {
                host: host_of(url),
                reason: reason(error),
            }),
            Err(_) => Err(Error::Silence {
                host: host_of(url),
                limit: options.answer_limit,
            }),
        }
    }
}

/// All requests keep quiet no longer than this, however long the other side asks one of them to wait.
const LONGEST_SILENCE: Duration = Duration::from_mins(10);

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads; a sign-in page is an error of its own.
fn target(from: &Url, host: &str, headers: &HeaderMap) -> Result<Url, Error> {
    let wrong = |reason: &str| Error::Redirect {
        host: host.to_owned(),
        reason: reason.to_owned(),
    };
    let location = headers
        .get(LOCATION)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
        .ok_or_else(|| wrong("no `Location`"))?;
    let url = from
        .join(location)
        .map_err(|_| wrong("the `Location` is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("neither http nor https"));
    }
    if from.scheme() == "https" && url.scheme() == "http" {
        return Err(wrong("from https to http"));
    }
    let sign_in = url.host_str() == Some("accounts.google.com")
        || url.path().to_ascii_lowercase().contains("servicelogin");
    if sign_in {
        return Err(Error::SignIn {
            host: host.to_owned(),
        });
    }
    Ok(url)
}

fn bearer(token: &Secret) -> Result<HeaderValue, Error> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| Error::Setup {
            reason: "the token holds characters that no header can carry".to_owned(),
        })?;
    value.set_sensitive(true);
    Ok(value)
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("no host");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn redirects_are_resolved_and_sign_ins_recognised() {
        let from = Url::parse("https://books.example/libraries/X/_all_books?a=1").unwrap();
        let to = |location: &str| target(&from, "books.example", &headers("location", location));
        assert_eq!(
            to("_other?b=2").unwrap().as_str(),
            "https://books.example/libraries/X/_other?b=2"
        );
        for sign_in in [
            "https://accounts.google.com/v3/signin",
            "/accounts/ServiceLogin?continue=x",
        ] {
            assert!(
                matches!(to(sign_in), Err(Error::SignIn { .. })),
                "{sign_in}"
            );
        }
        for nowhere in ["http://books.example/", "ftp://x/", "https://"] {
            assert!(
                matches!(to(nowhere), Err(Error::Redirect { .. })),
                "{nowhere}"
            );
        }
    }
}
