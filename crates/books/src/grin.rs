//! GRIN itself: where its lists are, and how to ask for them with a token that stays fresh.

mod credentials;
mod pace;
mod sign_in;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use web::{Answer, Class, Classified, Client, Retry, Secret, Url};

pub use credentials::{ClientSecret, CredentialPlaces, Credentials};
pub use sign_in::{SCOPES, SignIn, listen_for_code};
pub use tokens::Tokens;

use crate::error::{Error, Setting};

/// Where GRIN is.
pub const BASE_URL: &str = "https://books.google.com";

/// Books asked for on one list page.
pub const BOOKS_PER_PAGE: u32 = 10_000;

/// A library's part of GRIN.
#[derive(Clone, Debug)]
pub struct Grin {
    client: Client,
    /// The library's directory, ending in `/`.
    directory: Url,
    tokens: Tokens,
    retry: Retry,
}

/// What of an archive is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want<'a> {
    /// Whether it is there, and which version.
    Head,
    /// All of it.
    Whole,
    /// What follows after this number of bytes, if it is still the version with this `ETag`.
    Rest(u64, &'a str),
}

/// How GRIN is asked.
#[derive(Clone, Debug)]
pub struct GrinOptions {
    /// Where it is.
    pub base_url: String,
    /// Requests in any second, 0 for no limit.
    pub requests_per_second: f64,
    /// A file by which commands on this machine keep that number together.
    pub shared_rate: Option<PathBuf>,
    /// Attempts after the first.
    pub retries: u32,
}

impl Default for GrinOptions {
    fn default() -> Self {
        Self {
            base_url: BASE_URL.to_owned(),
            requests_per_second: 5.0,
            shared_rate: None,
            retries: 5,
        }
    }
}

impl Grin {
    /// A library's part of GRIN, with the tokens of a credential file. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for an invalid address, and the errors of reading credentials.
    pub fn open(
        library: &str,
        options: &GrinOptions,
        places: &CredentialPlaces,
    ) -> Result<Self, Error> {
        let base = base_url(&options.base_url)?;
        let directory = base
            .join(&format!("libraries/{library}/"))
            .map_err(|_| not_a_url(&options.base_url))?;
        let client = Client::new(web::Options {
            requests_per_second: options.requests_per_second,
            ..web::Options::new(base)
        })?;
        let rate = options.requests_per_second;
        if let Some(path) = options.shared_rate.as_deref().filter(|_| rate > 0.0) {
            client.share_pace(Arc::new(pace::FilePace::open(path, rate)?));
        }
        Ok(Self {
            client,
            directory,
            tokens: Tokens::load(places)?,
            retry: Retry {
                attempts: options.retries.saturating_add(1),
                ..Retry::default()
            },
        })
    }

    /// From now on the requests of other processes count, too.
    pub(crate) fn share_pace(&self, pace: Arc<dyn web::Pace>) {
        self.client.share_pace(pace);
    }

    /// How failed requests are repeated.
    pub(crate) fn retry(&self) -> &Retry {
        &self.retry
    }

    /// The file that holds the tokens.
    pub fn credential_file(&self) -> &Path {
        self.tokens.path()
    }

    /// A page relative to the library's directory.
    pub(crate) fn url(&self, address: &str) -> Result<Url, Error> {
        self.directory.join(address).map_err(|_| not_a_url(address))
    }

    /// A link of a page, relative to the library's directory where it is in there.
    ///
    /// Links are absolute, or without a host, or relative; those to GRIN's public address mean the one that is in use.
    pub(crate) fn relative(&self, page: &str, link: &str) -> Result<String, Error> {
        let url = self.url(page)?;
        let target = url.join(link).map_err(|_| Error::Loop {
            reason: format!("the next link `{link}` leads nowhere"),
        })?;
        let inside = |path: &str| {
            path.strip_prefix(self.directory.path())
                .or_else(|| path.strip_prefix(bare_path(self.directory.path())))
                .map(str::to_owned)
        };
        let query = target.query().map(|q| format!("?{q}")).unwrap_or_default();
        match inside(target.path()) {
            Some(rest) => Ok(format!("{rest}{query}")),
            None if target.origin() == self.directory.origin() => {
                Ok(format!("{}{query}", target.path()))
            }
            None => Err(Error::Loop {
                reason: format!(
                    "the next link leads to another host, `{}`",
                    target.host_str().unwrap_or_default()
                ),
            }),
        }
    }

    /// Asks once; a token that is not accepted is renewed once, for all requests that wait for it.
    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, Error> {
        let token = self.tokens.current().await?;
        match self.client.get(url, Some(&token)).await {
            Err(error) if error.class() == Class::Unauthorised => {
                let renewed = self.tokens.renew(&token).await?;
                Ok(self.client.get(url, Some(&renewed)).await?)
            }
            other => Ok(other?),
        }
    }

    /// The head of an archive, and the archive itself or what is missing of it; a token is renewed as for [`Grin::get`].
    pub(crate) async fn archive(&self, barcode: &str, want: Want<'_>) -> Result<Answer, Error> {
        let mut url = self.directory.clone();
        let name = format!("{barcode}.tar.gz.gpg");
        match url.path_segments_mut() {
            // What a barcode holds stays within one part of the path.
            Ok(mut path) => drop(path.pop_if_empty().push(&name)),
            Err(()) => return Err(not_a_url(&name)),
        }
        let ask = async |token: &Secret| match want {
            Want::Head => self.client.head(&url, Some(token)).await,
            Want::Whole => self.client.get_file(&url, Some(token), None).await,
            Want::Rest(begin, version) => {
                let part = Some((begin, version));
                self.client.get_file(&url, Some(token), part).await
            }
        };
        let token = self.tokens.current().await?;
        match ask(&token).await {
            Err(error) if error.class() == Class::Unauthorised => {
                let renewed = self.tokens.renew(&token).await?;
                Ok(ask(&renewed).await?)
            }
            other => Ok(other?),
        }
    }

    /// The token in use, to be given back to [`Grin::distrust`].
    pub(crate) async fn token(&self) -> Result<Secret, Error> {
        self.tokens.current().await
    }

    /// A page to sign in came in place of an answer: the token is renewed, unless that has been done since.
    pub(crate) async fn distrust(&self, token: &Secret) -> Result<(), Error> {
        self.tokens.renew(token).await.map(|_| ())
    }
}

/// The path of the directory without what a base address puts before it.
fn bare_path(path: &str) -> &str {
    path.find("/libraries/").map_or(path, |at| &path[at..])
}

/// The address of a base, ending in `/` so that paths can be joined to it.
fn base_url(text: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text).map_err(|_| not_a_url(text))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(not_a_url(text));
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn not_a_url(text: &str) -> Error {
    Error::setting(Setting::BaseUrl, text)
}

/// How long before its end a token is renewed.
pub(crate) const AHEAD: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn grin(base: &str) -> (tempfile::TempDir, Grin) {
        let folder = tempfile::tempdir().unwrap();
        let places = CredentialPlaces::in_folder(folder.path());
        credentials::tests::write(folder.path(), "http://127.0.0.1:1/token");
        let options = GrinOptions {
            base_url: base.into(),
            ..GrinOptions::default()
        };
        let grin = Grin::open("X", &options, &places).unwrap();
        (folder, grin)
    }

    #[test]
    fn links_of_any_form_become_relative_to_the_directory() {
        for base in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/proxy/"] {
            let (_folder, grin) = grin(base);
            let page = "_all_books?result_count=10";
            let next = "_all_books?result_count=10&first=10";
            for link in [
                next.to_owned(),
                format!("./{next}"),
                format!("/libraries/X/{next}"),
                format!("https://books.google.com/libraries/X/{next}"),
                format!("{}{next}", grin.directory),
            ] {
                assert_eq!(grin.relative(page, &link).unwrap(), next, "{base} {link}");
            }
            assert_eq!(
                grin.url(next).unwrap().as_str(),
                format!("{}{next}", grin.directory)
            );
            let only_query = grin.relative(page, "?first=20").unwrap();
            assert_eq!(only_query, "_all_books?first=20");
        }
    }

    #[test]
    fn a_link_to_another_host_is_refused() {
        let (_folder, grin) = grin("http://127.0.0.1:8080");
        let away = grin.relative("_all_books", "https://evil.example/x?first=1");
        assert!(matches!(away, Err(Error::Loop { .. })));
    }

    #[test]
    fn an_address_must_be_one() {
        for wrong in ["books.google.com", "ftp://x", "http://", ""] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}
