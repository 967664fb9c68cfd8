//! Enough of HTTP/1.1 for servers of tests: accepts, reads requests, and lets each server answer as badly as it likes.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// What servers of tests share with their connections.
pub(crate) trait Server: Send + Sync + 'static {
    /// Whether it is over.
    fn has_ended(&self) -> bool;

    /// Answers a request; returns whether the connection stays.
    fn answer(&self, stream: &TcpStream, asked: &Asked) -> io::Result<bool>;
}

/// A request.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its method.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// What came after the headers.
    #[cfg_attr(
        not(feature = "databases"),
        expect(dead_code, reason = "archives are only asked for")
    )]
    pub(crate) body: String,
    headers: HashMap<String, String>,
}

impl Asked {
    /// A header by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Serves until the end, a thread for each connection.
pub(crate) fn accept<S: Server>(listener: &TcpListener, server: &Arc<S>) {
    for stream in listener.incoming() {
        if server.has_ended() {
            return;
        }
        if let Ok(stream) = stream {
            let server = Arc::clone(server);
            // A client that goes away ends its connection, and nothing else.
            std::thread::spawn(move || serve(&stream, &*server));
        }
    }
}

fn serve(stream: &TcpStream, server: &impl Server) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader)? {
        if !server.answer(stream, &asked)? {
            break;
        }
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let method = line.split(' ').next().unwrap_or_default().to_owned();
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length");
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked {
        method,
        target,
        body: String::from_utf8_lossy(&body).into_owned(),
        headers,
    }))
}

/// The number behind `name`, such as `first=`, in the query of an address; 0 if there is none.
pub(crate) fn number(target: &str, name: &str) -> u64 {
    let digits = target.split(name).nth(1).unwrap_or_default();
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().unwrap_or(0)
}

/// Sends the head of an answer: a status such as `200 OK`, header lines that each end in CRLF, the body's length.
pub(crate) fn head(
    mut stream: &TcpStream,
    status: &str,
    headers: &str,
    length: usize,
) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())
}

/// Sends a whole answer.
pub(crate) fn send(
    mut stream: &TcpStream,
    status: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<()> {
    head(stream, status, headers, body.len())?;
    stream.write_all(body)
}
