//! Signing in as an installed application: a loopback address that the browser comes back to, and PKCE.
//!
//! Where no browser runs, the address that the browser was sent to, or the code in it, is pasted by hand; the old way
//! of a code shown by Google is gone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Map;
use sha2::{Digest, Sha256};
use web::{Secret, Url};

use crate::error::Error;
use crate::grin::credentials::{ClientSecret, Credentials};
use crate::grin::tokens;

/// What is asked for.
pub const SCOPES: [&str; 3] = [
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
];

/// A sign-in that has begun.
#[derive(Debug)]
pub struct SignIn {
    client: ClientSecret,
    redirect: String,
    state: String,
    verifier: Secret,
}

impl SignIn {
    /// Begins: the browser is to come back to `port` of this machine.
    pub fn begin(client: ClientSecret, port: u16) -> Self {
        Self {
            client,
            redirect: format!("http://127.0.0.1:{port}/"),
            state: random(16),
            verifier: Secret::new(random(32)),
        }
    }

    /// The address to sign in at.
    ///
    /// # Errors
    ///
    /// [`Error::SignIn`] if the client's file names no address.
    pub fn address(&self) -> Result<Url, Error> {
        let mut url = Url::parse(&self.client.auth_uri).map_err(|_| Error::SignIn {
            reason: format!("`{}` is no address to sign in", self.client.auth_uri),
        })?;
        let challenge = base64url(&Sha256::digest(self.verifier.reveal()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("state", &self.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("access_type", "offline")
            .append_pair("prompt", "consent");
        Ok(url)
    }

    /// The code in what came back: the whole address, its query, or the code alone.
    ///
    /// # Errors
    ///
    /// [`Error::SignIn`] if the answer is a refusal, or belongs to another sign-in.
    pub fn code(&self, came_back: &str) -> Result<Secret, Error> {
        let text = came_back.trim();
        let query = match text.split_once('?') {
            Some((_, query)) => query,
            None if text.contains("code=") || text.contains("error=") => text,
            None if text.is_empty() => return Err(refused("nothing came back")),
            None => return Ok(Secret::new(text)),
        };
        let query = query.split('#').next().unwrap_or_default();
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|p| &p.1);
        if let Some(error) = value("error") {
            return Err(refused(error));
        }
        if value("state").is_some_and(|state| *state != self.state) {
            return Err(refused("the answer belongs to another sign-in"));
        }
        let code = value("code").ok_or_else(|| refused("there is no code in what came back"))?;
        Ok(Secret::new(code.as_ref()))
    }

    /// Whether an address that a browser asked for answers this sign-in, and no other.
    fn is_answered_by(&self, path: &str) -> bool {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let value = |wanted: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == wanted).map(|pair| pair.1)
        };
        let brings = value("code").is_some() || value("error").is_some();
        brings && value("state").is_some_and(|state| state == self.state)
    }

    /// Exchanges the code for tokens.
    ///
    /// # Errors
    ///
    /// [`Error::SignIn`] if it is refused, [`Error::Web`] if there is no answer.
    pub fn finish(self, code: &Secret) -> Result<Credentials, Error> {
        let mut credentials = Credentials {
            token: Secret::new(""),
            refresh_token: Secret::new(""),
            token_uri: self.client.token_uri.clone(),
            client_id: self.client.client_id.clone(),
            client_secret: self.client.client_secret.clone(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            expiry: None,
            other: Map::new(),
        };
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", &self.redirect),
            ("client_id", &self.client.client_id),
            ("client_secret", self.client.client_secret.reveal()),
            ("code_verifier", self.verifier.reveal()),
        ];
        let exchange = tokens::exchange(&self.client.token_uri, &form, &mut credentials);
        crate::wait::wait(exchange)?;
        Ok(credentials)
    }
}

/// Waits until the browser that was sent to sign in comes back to `listener`; what it asked for.
///
/// Every program on this machine can connect. A request without the state of this sign-in gets status 404.
///
/// # Errors
///
/// [`Error::SignIn`] when the browser did not come within `limit`.
pub fn listen_for_code(
    listener: &TcpListener,
    sign_in: &SignIn,
    limit: Duration,
) -> Result<String, Error> {
    let failed = |error: std::io::Error| refused(&error.to_string());
    let until = Instant::now() + limit;
    listener.set_nonblocking(true).map_err(failed)?;
    while Instant::now() < until {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let asked = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_read_timeout(Some(Duration::from_secs(5))))
            .and_then(|()| {
                let mut line = String::new();
                BufReader::new(&stream)
                    .take(LONGEST_LINE)
                    .read_line(&mut line)?;
                Ok(line)
            });
        let Ok(asked) = asked else { continue };
        let path = asked.split(' ').nth(1).unwrap_or_default();
        let answers = sign_in.is_answered_by(path);
        let (status, text) = if answers {
            ("200 OK", "Signed in. This window can be closed.")
        } else {
            ("404 Not Found", "Nothing here.")
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        // The browser's window is a courtesy.
        let _ = (&stream).write_all(answer.as_bytes());
        if answers {
            return Ok(path.to_owned());
        }
    }
    Err(refused("no sign-in came in time"))
}

fn refused(reason: &str) -> Error {
    Error::SignIn {
        reason: reason.to_owned(),
    }
}

/// Bytes of a request's first line; a code and a state take some 200.
const LONGEST_LINE: u64 = 16 * 1024;

/// Random bytes, as text for URLs.
fn random(bytes: usize) -> String {
    let mut all = Vec::with_capacity(bytes);
    while all.len() < bytes {
        all.extend_from_slice(uuid::Uuid::new_v4().as_bytes());
    }
    base64url(&Sha256::digest(&all))
}

/// Base 64 for URLs, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group
            .iter()
            .fold(0u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let index = number >> (18 - 6 * place) & 63;
            text.push(char::from(LETTERS[index as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in() -> SignIn {
        let client = ClientSecret {
            client_id: "id".into(),
            client_secret: Secret::new("hush"),
            auth_uri: "https://accounts.example/auth".into(),
            token_uri: "https://token.example/".into(),
        };
        SignIn::begin(client, 58432)
    }

    #[test]
    fn base64_for_urls_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
        ] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn the_address_proves_possession_and_shows_no_secret() {
        let sign_in = sign_in();
        let address = sign_in.address().unwrap().to_string();
        let challenge = base64url(&Sha256::digest(sign_in.verifier.reveal()));
        assert!(
            address.contains(&format!("code_challenge={challenge}")),
            "{address}"
        );
        assert!(address.contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A58432%2F"));
        assert!(!address.contains("hush") && !address.contains(sign_in.verifier.reveal()));
        assert!(sign_in.verifier.reveal().len() >= 43);
    }

    #[test]
    fn a_code_is_found_in_whatever_was_pasted() {
        let sign_in = sign_in();
        let state = &sign_in.state;
        for pasted in [
            "4/abc".to_owned(),
            format!(" http://127.0.0.1:58432/?state={state}&code=4%2Fabc&scope=x \n"),
            format!("code=4/abc&state={state}"),
            format!("/?code=4/abc&state={state}#end"),
        ] {
            assert_eq!(sign_in.code(&pasted).unwrap().reveal(), "4/abc", "{pasted}");
        }
        for wrong in [
            "",
            "http://127.0.0.1/?error=access_denied",
            "http://x/?code=1&state=other",
            "/?x=1",
        ] {
            assert!(sign_in.code(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_browser_that_comes_back_is_heard() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sign_in = sign_in();
        let state = sign_in.state.clone();
        let browser = std::thread::spawn(move || {
            let own = format!("/?code=4/x&state={state}");
            let long = format!("/{}", "x".repeat(100_000));
            for path in [
                "/favicon.ico",
                "/?code=stray",
                "/?code=4/x&state=other",
                &long,
                &own,
            ] {
                let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
                // One that says too much is hung up on.
                let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
                let mut line = String::new();
                let _ = BufReader::new(stream).read_line(&mut line);
                assert!(
                    line.starts_with("HTTP/1.1 ") || path.len() > 10_000,
                    "{line}"
                );
            }
        });
        let path = listen_for_code(&listener, &sign_in, Duration::from_secs(10)).unwrap();
        browser.join().unwrap();
        assert_eq!(sign_in.code(&path).unwrap().reveal(), "4/x");
    }
}
