//! Decides who may ask: by the name in `Host`, and beyond this machine by a token.
//!
//! A page from elsewhere can let a name of its own resolve to this machine (DNS rebinding); its requests then carry
//! that name in `Host`, so only addresses, `localhost` and names that were agreed on are answered. Writes from other
//! sites are refused by `tower_http::csrf`, which stands behind this check.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, LOCATION,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use web::Secret;

/// The cookie that holds the token after the first visit.
const COOKIE_NAME: &str = "accession_token";

/// Scripts, styles and sound come from here; nothing in a page's own text is run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Who may ask.
#[derive(Debug)]
pub(crate) struct Guard {
    only_this_machine: bool,
    names: Vec<String>,
    /// Of the token; digests are compared, so that the time it takes tells nothing about the token.
    token: Option<[u8; 32]>,
}

impl Guard {
    pub(crate) fn new(only_this_machine: bool, names: Vec<String>, token: Option<&Secret>) -> Self {
        Self {
            only_this_machine,
            names,
            token: token.map(|token| digest(token.reveal())),
        }
    }

    fn is_welcome(&self, host: &str) -> bool {
        let name = name_of(host);
        let address: Option<IpAddr> = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok();
        let is_local = name.eq_ignore_ascii_case("localhost")
            || address.is_some_and(|address| address.is_loopback());
        is_local
            || (address.is_some() && !self.only_this_machine)
            || self
                .names
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    }

    fn knows(&self, token: &str) -> bool {
        self.token.is_none_or(|known| known == digest(token))
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
            .map(|(_, token)| token);
        let cookies = headers.get_all(COOKIE).into_iter();
        let mut crumbs = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|crumb| crumb.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='));
        self.token.is_none()
            || bearer.is_some_and(|token| self.knows(token.trim()))
            || crumbs.any(|token| self.knows(token))
    }
}

/// The name in an authority, without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Lets a request through, or answers it here.
pub(crate) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut hosts = request.headers().get_all(HOST).into_iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    // A target with an authority of its own would make two answers to the same question.
    let is_one = hosts.next().is_none() && request.uri().authority().is_none();
    let mut response = match host {
        Some(host) if is_one && guard.is_welcome(host) => match first_visit(&guard, &request) {
            Some(response) => response,
            None if guard.is_known(request.headers()) => next.run(request).await,
            None => (
                StatusCode::UNAUTHORIZED,
                "this server needs the token that it printed when it started: open the address that it printed, or \
                 send the token as `Authorization: Bearer`\n",
            )
                .into_response(),
        },
        _ => (
            StatusCode::MISDIRECTED_REQUEST,
            "this server does not answer to this name: ask for it by its address, or start it with the name\n",
        )
            .into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A visit with the token in its address gets a cookie and the address without it.
fn first_visit(guard: &Guard, request: &Request) -> Option<Response> {
    guard.token?;
    let query = request.uri().query()?;
    let token = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))?;
    if request.method() != Method::GET || !guard.knows(token) {
        return None;
    }
    let cookie =
        format!("{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
    let cookie = HeaderValue::from_str(&cookie).ok()?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
        .headers_mut()
        .insert(LOCATION, path_of(request.uri()));
    Some(response)
}

/// The path alone, as a place on this server: two slashes at its beginning would name another host.
fn path_of(uri: &Uri) -> HeaderValue {
    let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
    HeaderValue::from_str(&path).unwrap_or(HeaderValue::from_static("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(only_this_machine: bool) -> Guard {
        Guard::new(
            only_this_machine,
            vec!["music.lan".to_owned()],
            Some(&Secret::new("right".to_owned())),
        )
    }

    #[test]
    fn a_name_that_was_not_agreed_on_is_refused() {
        let local = guard(true);
        for host in [
            "localhost",
            "LOCALHOST:5723",
            "127.0.0.1:5723",
            "[::1]:80",
            "[::1]",
            "music.lan:1",
        ] {
            assert!(local.is_welcome(host), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:5723",
            "192.168.1.2",
            "localhost.evil",
            "",
            ":",
            "::",
        ] {
            assert!(!local.is_welcome(host), "{host}");
        }
        assert!(guard(false).is_welcome("192.168.1.2:5723"));
        assert!(!guard(false).is_welcome("evil.example"));
    }

    #[test]
    fn only_the_right_token_opens() {
        let guard = guard(false);
        let with = |name: HeaderName, value: &'static str| {
            HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
        };
        assert!(guard.is_known(&with(AUTHORIZATION, "Bearer right")));
        assert!(guard.is_known(&with(COOKIE, "a=b; accession_token=right")));
        for value in ["Bearer wrong", "Bearer ", "Basic right", "right"] {
            assert!(!guard.is_known(&with(AUTHORIZATION, value)), "{value}");
        }
        assert!(!guard.is_known(&with(
            COOKIE,
            "accession_token=; accession_tokenright=right"
        )));
        assert!(!guard.is_known(&HeaderMap::new()));
    }

    #[test]
    fn the_address_after_a_first_visit_stays_here() {
        let uri: Uri = "//evil.example/x?token=right".parse().unwrap();
        assert!(!path_of(&uri).to_str().unwrap().starts_with("//"));
    }
}
