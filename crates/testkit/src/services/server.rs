//! Answers as the services would, and badly where that was asked for.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Fault, Request, Service, Shared, answer, lock, prefix};
use crate::http::{self, Asked, Server};

const JSON: &str = "Content-Type: application/json; charset=UTF-8\r\n";

const PORTAL: &[u8] =
    b"<!DOCTYPE html><html><body><form>Welcome to the hotel's network</form></body></html>";

impl Server for Shared {
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn answer(&self, stream: &TcpStream, asked: &Asked) -> io::Result<bool> {
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
            return http::send(stream, "404 -", JSON, b"{}").map(|()| true);
        };
        lock(&self.requests).push(Request {
            service,
            target: asked.target.clone(),
            user_agent: asked.header("user-agent").unwrap_or_default().to_owned(),
            fingerprints: asked.body.matches("fingerprint").count(),
            at: Instant::now(),
        });
        let fault = self.fault(service);
        let key_holds = fault != Some(Fault::BadKey);
        let (status, body) = answer::answer(
            (&self.world, &self.indices),
            service,
            path,
            &asked.body,
            key_holds,
        );
        let status = format!("{status} -");
        match fault {
            None | Some(Fault::BadKey) => {}
            Some(Fault::Slow(time)) => wait(self, time),
            Some(Fault::Silent) => {
                wait(self, Duration::from_mins(10));
                return Ok(true);
            }
            Some(Fault::Status(status)) => {
                return http::send(stream, &format!("{status} -"), "", b"no").map(|()| true);
            }
            Some(Fault::Dead) => return stream.shutdown(Shutdown::Both).map(|()| false),
            Some(Fault::HalfClosed) => {
                http::head(stream, "200 -", JSON, body.len())?;
                let mut stream = stream;
                stream.write_all(&body.as_bytes()[..body.len() / 2])?;
                return stream.shutdown(Shutdown::Both).map(|()| false);
            }
            Some(Fault::Portal) => {
                let html = "Content-Type: text/html; charset=UTF-8\r\n";
                return http::send(stream, "200 -", html, PORTAL).map(|()| true);
            }
        }
        http::send(stream, &status, JSON, body.as_bytes()).map(|()| true)
    }
}

/// Waits, but not longer than the services live.
fn wait(shared: &Shared, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until && !shared.ended.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(20));
    }
}
