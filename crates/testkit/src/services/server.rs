//! Enough of HTTP/1.1 to serve JSON, and to serve it badly.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Fault, Request, Service, Shared, answer, lock, prefix};

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

struct Asked {
    target: String,
    user_agent: String,
    body: String,
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader)? {
        let services = [
            Service::AcoustId,
            Service::MusicBrainz,
            Service::AcousticBrainz,
            Service::CoverArt,
        ];
        let to = services
            .into_iter()
            .find_map(|one| Some((one, asked.target.strip_prefix(prefix(one))?)));
        let Some((service, path)) = to else {
            send(stream, 404, "application/json", b"{}")?;
            continue;
        };
        lock(&shared.requests).push(Request {
            service,
            target: asked.target.clone(),
            user_agent: asked.user_agent.clone(),
            fingerprints: asked.body.matches("fingerprint").count(),
            at: Instant::now(),
        });
        match shared.fault(service) {
            None => {
                let (status, body) =
                    answer::answer(&shared.world, service, path, &asked.body, true);
                send(stream, status, "application/json", body.as_bytes())?;
            }
            Some(Fault::Slow(time)) => {
                wait(shared, time);
                let (status, body) =
                    answer::answer(&shared.world, service, path, &asked.body, true);
                send(stream, status, "application/json", body.as_bytes())?;
            }
            Some(Fault::Silent) => wait(shared, Duration::from_mins(10)),
            Some(Fault::Status(status)) => send(stream, status, "text/plain", b"no")?,
            Some(Fault::Dead) => return stream.shutdown(std::net::Shutdown::Both),
            Some(Fault::HalfClosed) => {
                let (_, body) = answer::answer(&shared.world, service, path, &asked.body, true);
                head(stream, 200, "application/json", body.len())?;
                let mut stream = stream;
                stream.write_all(&body.as_bytes()[..body.len() / 2])?;
                return stream.shutdown(std::net::Shutdown::Both);
            }
            Some(Fault::Portal) => {
                let page = b"<!DOCTYPE html><html><body><form>Welcome to the hotel's network</form></body></html>";
                send(stream, 200, "text/html", page)?;
            }
            Some(Fault::BadKey) => {
                let (status, body) =
                    answer::answer(&shared.world, service, path, &asked.body, false);
                send(stream, status, "application/json", body.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Waits, but not longer than the services live.
fn wait(shared: &Shared, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until && !shared.ended.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(20));
    }
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (mut user_agent, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "user-agent" => value.clone_into(&mut user_agent),
            "content-length" => length = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked {
        target,
        user_agent,
        body: String::from_utf8_lossy(&body).into_owned(),
    }))
}

fn send(mut stream: &TcpStream, status: u16, kind: &str, body: &[u8]) -> io::Result<()> {
    head(stream, status, kind, body.len())?;
    stream.write_all(body)
}

fn head(mut stream: &TcpStream, status: u16, kind: &str, length: usize) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: {kind}; charset=UTF-8\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}
