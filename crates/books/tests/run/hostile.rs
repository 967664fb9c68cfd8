//! Answers that break the rules of HTTP itself, from something that stands between us and GRIN.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use books::Outcome;
use testkit::grin::FakeCatalogue;

use crate::support::World;

/// Spoils the answers about the page that begins with book 999, the last one of the page before.
struct Between {
    address: SocketAddr,
    /// Answers that are still to be spoilt.
    left: Arc<AtomicU32>,
}

/// Makes raw bytes of a whole page. Once they are sent the connection ends.
type Spoil = fn(&[u8]) -> Vec<u8>;

impl Between {
    fn start(grin: SocketAddr, spoil: Spoil, times: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let left = Arc::new(AtomicU32::new(times));
        let counter = Arc::clone(&left);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is nobody's concern.
                let _ = serve(&stream, grin, spoil, &counter);
            }
        });
        Self { address, left }
    }
}

fn serve(
    mut stream: &TcpStream,
    grin: SocketAddr,
    spoil: Spoil,
    left: &AtomicU32,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let first_line = text.lines().next().unwrap_or_default();
    let (head, body) = ask(grin, &request)?;
    let less = |left: u32| left.checked_sub(1);
    let wanted = first_line.contains("first=999 ");
    let spoilt = wanted
        && left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok();
    if spoilt {
        stream.write_all(&spoil(&body))?;
    } else {
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
        stream.write_all(&body)?;
    }
    stream.shutdown(Shutdown::Both)
}

/// GRIN's own answer: status and headers, and its body.
fn ask(grin: SocketAddr, request: &[u8]) -> std::io::Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(grin)?;
    stream.write_all(request)?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim_end().parse().unwrap_or(0);
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((head, body))
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\n";

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("{OK}{headers}\r\n\r\n").as_bytes(), body].concat()
}

fn cut_in_a_chunk(body: &[u8]) -> Vec<u8> {
    let half = &body[..body.len() / 2];
    let chunk = [format!("{:x}\r\n", body.len()).as_bytes(), half].concat();
    answer("Transfer-Encoding: chunked", &chunk)
}

fn without_the_last_chunk(body: &[u8]) -> Vec<u8> {
    let end = body
        .windows(8)
        .position(|part| part == b"</table>")
        .unwrap()
        + 8;
    let chunk = [format!("{end:x}\r\n").as_bytes(), &body[..end], b"\r\n"].concat();
    answer("Transfer-Encoding: chunked", &chunk)
}

fn a_chunk_that_is_none(body: &[u8]) -> Vec<u8> {
    let chunk = [b"zz\r\n", body, b"\r\n0\r\n\r\n"].concat();
    answer("Transfer-Encoding: chunked", &chunk)
}

/// The body as gzip holds it when it does not compress, without the checksum at its end.
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut all = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for part in body.chunks(60_000) {
        let length = part.len() as u16;
        all.push(0);
        all.extend(length.to_le_bytes());
        all.extend((!length).to_le_bytes());
        all.extend(part);
    }
    all
}

fn compressed_and_cut(body: &[u8]) -> Vec<u8> {
    let all = gzip(body);
    let half = &all[..all.len() / 2];
    let headers = format!("Content-Encoding: gzip\r\nContent-Length: {}", half.len());
    answer(&headers, half)
}

fn compressed_without_its_end(body: &[u8]) -> Vec<u8> {
    let all = gzip(body);
    let headers = format!("Content-Encoding: gzip\r\nContent-Length: {}", all.len());
    answer(&headers, &all)
}

fn said_to_be_compressed(body: &[u8]) -> Vec<u8> {
    let headers = format!("Content-Encoding: gzip\r\nContent-Length: {}", body.len());
    answer(&headers, body)
}

fn longer_than_it_is(body: &[u8]) -> Vec<u8> {
    answer(&format!("Content-Length: {}", body.len() + 1), body)
}

fn shorter_than_it_is(body: &[u8]) -> Vec<u8> {
    answer(&format!("Content-Length: {}", body.len() / 3), body)
}

fn headers_alone(body: &[u8]) -> Vec<u8> {
    answer(&format!("Content-Length: {}", body.len()), b"")
}

fn no_answer_at_all(_: &[u8]) -> Vec<u8> {
    Vec::new()
}

fn half_a_header(_: &[u8]) -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()
}

fn no_http(_: &[u8]) -> Vec<u8> {
    b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()
}

/// Until the connection ends, which it does too early: nothing but the page itself tells.
fn without_a_length(body: &[u8]) -> Vec<u8> {
    answer("Connection: close", &body[..body.len() * 2 / 3])
}

/// Whole, but for the link to the next page and what comes after it.
fn cut_behind_the_list(body: &[u8]) -> Vec<u8> {
    let end = body
        .windows(8)
        .position(|part| part == b"</table>")
        .unwrap()
        + 8;
    answer(&format!("Content-Length: {end}"), &body[..end])
}

const SPOILT: [(&str, Spoil); 13] = [
    ("cut in a chunk", cut_in_a_chunk),
    ("without the last chunk", without_the_last_chunk),
    ("a chunk that is none", a_chunk_that_is_none),
    ("compressed and cut", compressed_and_cut),
    ("compressed without its end", compressed_without_its_end),
    ("said to be compressed", said_to_be_compressed),
    ("longer than it is", longer_than_it_is),
    ("shorter than it is", shorter_than_it_is),
    ("headers alone", headers_alone),
    ("no answer at all", no_answer_at_all),
    ("half a header", half_a_header),
    ("no HTTP", no_http),
    ("without a length", without_a_length),
];

fn world(spoil: Spoil, times: u32) -> (World, Between) {
    let mut world = World::new(FakeCatalogue::of(2_500));
    let address = world.grin.url().replace("http://", "").parse().unwrap();
    let between = Between::start(address, spoil, times);
    world.before = Some(format!("http://{}", between.address));
    (world, between)
}

#[test]
fn a_spoilt_answer_is_asked_for_again() {
    for (name, spoil) in SPOILT {
        let (world, between) = world(spoil, 1);
        let end = world.collect_all();
        assert_eq!(between.left.load(Ordering::SeqCst), 0, "{name}");
        assert_eq!(end.state, Outcome::Completed, "{name}: {:?}", end.missing);
        world.assert_complete(2_500);
    }
}

/// Its books are known, and whether it is the last can be found out.
#[test]
fn a_page_that_is_always_cut_behind_its_list_is_gone_on_from() {
    let (world, _between) = world(cut_behind_the_list, u32::MAX);
    let end = world.collect_all();
    assert_eq!(end.state, Outcome::Completed, "{:?}", end.missing);
    world.assert_complete(2_500);
}

#[test]
fn answers_that_stay_spoilt_end_it_without_a_catalogue_called_complete() {
    for (name, spoil) in SPOILT {
        let (mut world, between) = world(spoil, u32::MAX);
        world.retries = 0;
        let end = world.collect_all();
        assert_eq!((end.state, end.total), (Outcome::Failed, 1_000), "{name}");
        let missing = end.missing.unwrap();
        assert!(missing.contains("page 2 ("), "{name}: {missing}");
        assert_eq!(
            world.count("accession_collection WHERE completed_at IS NOT NULL"),
            0
        );
        between.left.store(0, Ordering::SeqCst);
        let end = world.collect_all();
        assert_eq!((end.state, end.pages), (Outcome::Completed, 2), "{name}");
        world.assert_complete(2_500);
    }
}

/// A date two seconds from now, as HTTP writes it.
fn come_back_later(_: &[u8]) -> Vec<u8> {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT");
    format!("HTTP/1.1 429 Too Many Requests\r\nRetry-After: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

#[test]
fn a_date_to_come_back_at_is_obeyed() {
    let (world, _between) = world(come_back_later, 1);
    let started = Instant::now();
    let end = world.collect_all();
    assert_eq!(end.state, Outcome::Completed);
    // The date has whole seconds only.
    assert!(started.elapsed() > Duration::from_millis(900));
    let times: Vec<_> = world
        .grin
        .requests()
        .iter()
        .map(|request| request.at)
        .collect();
    assert_eq!(times.len(), 4);
    assert!(times[2] - times[1] > Duration::from_millis(900));
    world.assert_complete(2_500);
}
