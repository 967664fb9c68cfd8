//! Serves a catalogue, and serves it badly where that was asked for.

use std::collections::HashSet;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::grin::{FakeCatalogue, Fault, On, Request, Shared, lock};
use crate::http::{self, Asked, Server};

/// What is sent back.
struct Answer {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
}

impl Server for Shared {
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn answer(&self, stream: &TcpStream, asked: &Asked) -> io::Result<bool> {
        if asked.target == "/token" {
            let fault = self.fault(|on| *on == On::Token);
            if fault == Some(Fault::Silent) {
                self.keep_silent();
                return Ok(false);
            }
            let answer = refused(fault.as_ref()).unwrap_or_else(|| token(self, asked));
            return send(stream, &answer, fault.as_ref()).map(|()| true);
        }
        lock(&self.requests).push(Request {
            target: asked.target.clone(),
            authorization: asked.header("authorization").map(str::to_owned),
            at: Instant::now(),
        });
        // Not held while it sleeps: answers to others are not to wait for this one.
        let latency = *lock(&self.latency);
        sleep(latency);
        let fault = self.fault(|on| concerns(on, &asked.target));
        if fault == Some(Fault::Reset) {
            return reset(stream).map(|()| false);
        }
        if fault == Some(Fault::Silent) {
            self.keep_silent();
            return Ok(false);
        }
        if fault.is_none()
            && let Some(page) = prepared(self, asked)
        {
            let html = "Content-Type: text/html; charset=UTF-8\r\n";
            return http::send(stream, "200 OK", html, &page).map(|()| true);
        }
        send(stream, &answer(self, asked, fault.as_ref()), fault.as_ref())?;
        if fault == Some(Fault::HalfThenReset) {
            return reset(stream).map(|()| false);
        }
        Ok(true)
    }
}

impl Shared {
    /// Says nothing for as long as a test may take.
    fn keep_silent(&self) {
        while !self.has_ended() {
            sleep(Duration::from_millis(50));
        }
    }
}

/// An answer that does not depend on what was asked.
fn refused(fault: Option<&Fault>) -> Option<Answer> {
    let headers = "Content-Type: application/json\r\n";
    match fault? {
        Fault::Status(status, retry_after) => Some(Answer {
            status: reason(*status),
            headers: retry_after
                .map_or_else(String::new, |after| format!("Retry-After: {after}\r\n")),
            body: br#"{"error": "slow_down"}"#.to_vec(),
        }),
        Fault::Body(body) => Some(Answer {
            status: "200 OK",
            headers: headers.into(),
            body: body.clone().into_bytes(),
        }),
        _ => None,
    }
}

/// A page that was made beforehand, if the request may have it.
fn prepared(shared: &Shared, asked: &Asked) -> Option<Arc<Vec<u8>>> {
    let token = lock(&shared.token).clone()?;
    let may = asked.header("authorization") == Some(&format!("Bearer {token}"));
    let list = may && asked.target.contains("_all_books");
    let pages = lock(&shared.prepared);
    pages
        .get(&http::number(&asked.target, "first="))
        .filter(|_| list)
        .cloned()
}

fn concerns(on: &On, target: &str) -> bool {
    match on {
        On::Token => false,
        On::Any => true,
        On::Page(place) => {
            let (first, asked) = (
                http::number(target, "first="),
                http::number(target, "result_count="),
            );
            target.contains("_all_books") && (first..first + asked.max(1)).contains(place)
        }
        On::Barcode(barcode) => target.contains("_barcode_search") && target.contains(barcode),
    }
}

/// Gives a new token for the refresh token or a code.
fn token(shared: &Shared, asked: &Asked) -> Answer {
    if !asked.body.contains("grant_type=refresh_token") && !asked.body.contains("code=") {
        return Answer {
            status: "400 Bad Request",
            headers: "Content-Type: application/json\r\n".into(),
            body: br#"{"error": "invalid_grant"}"#.to_vec(),
        };
    }
    let count = shared.refreshes.fetch_add(1, Ordering::SeqCst) + 1;
    let token = format!("ya29.token-number-{count}");
    *lock(&shared.token) = Some(token.clone());
    Answer {
        status: "200 OK",
        headers: "Content-Type: application/json\r\n".into(),
        body: format!(r#"{{"access_token": "{token}", "expires_in": 3600}}"#).into_bytes(),
    }
}

fn answer(shared: &Shared, asked: &Asked, fault: Option<&Fault>) -> Answer {
    let page = |status, body: String| Answer {
        status,
        headers: "Content-Type: text/html; charset=UTF-8\r\n".into(),
        body: body.into_bytes(),
    };
    let accepted = match &*lock(&shared.token) {
        Some(token) => asked.header("authorization") == Some(&format!("Bearer {token}")),
        None => true,
    };
    match fault {
        Some(Fault::Status(status, retry_after)) => Answer {
            headers: retry_after
                .map_or_else(String::new, |after| format!("Retry-After: {after}\r\n")),
            ..page(reason(*status), "<p>Something is wrong</p>".into())
        },
        Some(Fault::Redirect(to)) => Answer {
            headers: format!("Location: {to}\r\n"),
            ..page("302 Found", String::new())
        },
        _ if !accepted => page("401 Unauthorized", "<p>no</p>".into()),
        Some(Fault::SignInPage) => page(
            "200 OK",
            "<html><body><form action=\"https://accounts.google.com/ServiceLogin\"><input type=\"password\"></form></body></html>".into(),
        ),
        Some(Fault::Unavailable) => page(
            "200 OK",
            "<html><body><h1>Sorry</h1>Your request is unavailable</body></html>".into(),
        ),
        Some(Fault::Body(body)) => page("200 OK", body.clone()),
        Some(Fault::OtherPage) => page("200 OK", "<html><body>Maintenance</body></html>".into()),
        fault => content(shared, &asked.target, fault),
    }
}

/// What GRIN itself would say, or nearly.
fn content(shared: &Shared, target: &str, fault: Option<&Fault>) -> Answer {
    let catalogue = &shared.catalogue;
    if let Some((_, query)) = target.split_once("_barcode_search?") {
        let barcodes = query.split("barcodes=").nth(1).unwrap_or_default();
        let barcodes: Vec<&str> = barcodes.split(['+', ' ']).collect();
        return Answer {
            status: "200 OK",
            headers: "Content-Type: text/plain\r\n".into(),
            body: lock(&shared.change_answers)(found(shared, &barcodes)),
        };
    }
    if !target.contains("_all_books") {
        return Answer {
            status: "404 Not Found",
            headers: String::new(),
            body: Vec::new(),
        };
    }
    let place = format!("{}=", catalogue.place);
    let (first, asked) = (
        http::number(target, &place),
        http::number(target, "result_count="),
    );
    if asked > shared.most_asked.load(Ordering::SeqCst) {
        return Answer {
            status: "400 Bad Request",
            headers: String::new(),
            body: Vec::new(),
        };
    }
    let itself = target
        .rsplit('/')
        .next()
        .map(|link| link.replace('&', "&amp;"));
    let link = match fault {
        Some(Fault::NextIsSelf) => itself,
        Some(Fault::NextIsFirst) => Some(format!("_all_books?result_count={asked}&amp;first=0")),
        _ => None,
    };
    let first = if fault == Some(&Fault::Empty) {
        catalogue.books
    } else {
        first
    };
    let page = match &mut *lock(&shared.shelf) {
        Some(shelf) => {
            let page = catalogue.page_of(&shelf.books, first, asked, link.as_deref());
            (shelf.change)(&mut shelf.books);
            page
        }
        None => catalogue.page(first, asked, link.as_deref()),
    };
    let mut body = lock(&shared.change_pages)(page).into_bytes();
    if fault == Some(&Fault::HalfComplete) {
        body.truncate(body.len() / 2);
    }
    Answer {
        status: "200 OK",
        headers: "Content-Type: text/html; charset=UTF-8\r\n".into(),
        body,
    }
}

fn found(shared: &Shared, barcodes: &[&str]) -> String {
    let catalogue = &shared.catalogue;
    match &*lock(&shared.shelf) {
        Some(shelf) => {
            let there: HashSet<u64> = shelf.books.iter().copied().collect();
            FakeCatalogue::answer(barcodes, |number| there.contains(&number))
        }
        None => FakeCatalogue::answer(barcodes, |number| catalogue.has(number)),
    }
}

fn send(mut stream: &TcpStream, answer: &Answer, fault: Option<&Fault>) -> io::Result<()> {
    http::head(stream, answer.status, &answer.headers, answer.body.len())?;
    match fault {
        Some(Fault::HalfThenReset) => stream.write_all(&answer.body[..answer.body.len() / 2]),
        Some(Fault::Slow(size, pause)) => {
            for piece in answer.body.chunks((*size).max(1)) {
                stream.write_all(piece)?;
                sleep(*pause);
            }
            Ok(())
        }
        _ => stream.write_all(&answer.body),
    }
}

/// Ends the connection without a word: what was sent and not yet read is lost, too.
fn reset(stream: &TcpStream) -> io::Result<()> {
    #[cfg(unix)]
    rustix::net::sockopt::set_socket_linger(stream, Some(std::time::Duration::ZERO))?;
    stream.shutdown(std::net::Shutdown::Read)
}

fn reason(status: u16) -> &'static str {
    match status {
        401 => "401 Unauthorized",
        403 => "403 Forbidden",
        400 => "400 Bad Request",
        404 => "404 Not Found",
        410 => "410 Gone",
        414 => "414 URI Too Long",
        429 => "429 Too Many Requests",
        500 => "500 Internal Server Error",
        _ => "503 Service Unavailable",
    }
}
