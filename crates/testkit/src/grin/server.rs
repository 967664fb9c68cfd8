//! Enough of HTTP/1.1 to serve a catalogue, and to serve it badly.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Instant;

use crate::grin::{Fault, On, Request, Shared, lock};

/// Serves until the end, a thread for each connection.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(stream) = stream {
            let shared = Arc::clone(shared);
            // A client that goes away ends its connection, and nothing else.
            std::thread::spawn(move || serve(&stream, &shared));
        }
    }
}

/// A request's first line and what matters of its headers.
struct Asked {
    target: String,
    authorization: Option<String>,
    body: String,
}

/// What is sent back.
struct Answer {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read_request(&mut reader)? {
        if asked.target == "/token" {
            send(stream, &token(shared, &asked), None)?;
            continue;
        }
        lock(&shared.requests).push(Request {
            target: asked.target.clone(),
            authorization: asked.authorization.clone(),
            at: Instant::now(),
        });
        sleep(*lock(&shared.latency));
        let fault = shared.fault(|on| concerns(on, &asked.target));
        if fault == Some(Fault::Reset) {
            return reset(stream);
        }
        if fault.is_none()
            && let Some(page) = prepared(shared, &asked)
        {
            send_prepared(stream, &page)?;
            continue;
        }
        let half = fault == Some(Fault::HalfThenReset);
        send(
            stream,
            &answer(shared, &asked, fault.as_ref()),
            fault.as_ref(),
        )?;
        if half {
            return reset(stream);
        }
    }
    Ok(())
}

/// A page that was made beforehand, for whoever may have it.
fn prepared(shared: &Shared, asked: &Asked) -> Option<Arc<Vec<u8>>> {
    let token = lock(&shared.token).clone()?;
    let may = asked.authorization.as_deref() == Some(&format!("Bearer {token}"));
    let list = may && asked.target.contains("_all_books");
    let pages = lock(&shared.prepared);
    pages
        .get(&number(&asked.target, "first="))
        .filter(|_| list)
        .cloned()
}

fn send_prepared(mut stream: &TcpStream, page: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Length: {}\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(page)
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (mut authorization, mut length) = (None, 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization = Some(value.to_owned()),
            "content-length" => length = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked {
        target,
        authorization,
        body: String::from_utf8_lossy(&body).into_owned(),
    }))
}

fn concerns(on: &On, target: &str) -> bool {
    match on {
        On::Any => true,
        On::Page(first) => target.contains("_all_books") && number(target, "first=") == *first,
        On::Barcode(barcode) => target.contains("_barcode_search") && target.contains(barcode),
    }
}

/// Gives a new token to whoever has the refresh token.
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
        Some(token) => asked.authorization.as_deref() == Some(&format!("Bearer {token}")),
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
            body: catalogue.answer(&barcodes).into_bytes(),
        };
    }
    if !target.contains("_all_books") {
        return Answer {
            status: "404 Not Found",
            headers: String::new(),
            body: Vec::new(),
        };
    }
    let (first, asked) = (number(target, "first="), number(target, "result_count="));
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
    let mut body = catalogue.page(first, asked, link.as_deref()).into_bytes();
    if fault == Some(&Fault::HalfComplete) {
        body.truncate(body.len() / 2);
    }
    Answer {
        status: "200 OK",
        headers: "Content-Type: text/html; charset=UTF-8\r\n".into(),
        body,
    }
}

fn send(mut stream: &TcpStream, answer: &Answer, fault: Option<&Fault>) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n",
        answer.status,
        answer.headers,
        answer.body.len()
    );
    stream.write_all(head.as_bytes())?;
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

/// A number in a query.
fn number(target: &str, name: &str) -> u64 {
    let digits = target.split(name).nth(1).unwrap_or_default();
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().unwrap_or(0)
}

fn reason(status: u16) -> &'static str {
    match status {
        401 => "401 Unauthorized",
        403 => "403 Forbidden",
        404 => "404 Not Found",
        429 => "429 Too Many Requests",
        500 => "500 Internal Server Error",
        _ => "503 Service Unavailable",
    }
}
