//! How long a server takes for the first answer of each page and list, on a library as large as is asked for.
//!
//! The library is made of rows alone, as wide as those of real ones; no file is there to be heard. The server runs in this
//! process and is asked over a socket, as a browser asks it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use music::{DATABASE, Library};
use run::{Cancel, Reason};
use server::{Options, Server};
use sqlite::{Tx, params};

use crate::printer;
use crate::table::{Table, median};

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Files in the library.
    pub files: usize,
    /// Passages in all.
    pub passages: usize,
    /// How often each page is asked for.
    pub rounds: usize,
}

/// Measures and prints.
///
/// # Errors
///
/// When the library cannot be made, or a page is not served.
pub fn run(plan: &Plan) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().canonicalize()?;
    let database = root.join(DATABASE);
    let library = Library::open(&database, &root)?;
    make(&library, plan)?;
    let size = std::fs::metadata(&database)?.len();
    printer::note(&format!("{} MB of rows are made", size / 1_000_000));
    let began = Instant::now();
    music::library::search::catch_up(library.db(), || true)?;
    let caught_up = began.elapsed().as_secs_f64();
    printer::note(&format!("the words of all files took {caught_up:.1} s"));
    let table = measure(library, &root, plan)?;
    printer::result(&table.to_string());
    Ok(())
}

/// Sizes of what real rows hold, in bytes: the medians of libraries of sample music, rounded.
const TAGS: usize = 600;
const SEGMENTATION: usize = 1_500;
const METADATA: usize = 900;
const FLAVOR: usize = 2_500;
const FINGERPRINT: usize = 2_000;
const REASONING: usize = 6_000;
const OVERVIEW: usize = 9_000;

fn make(library: &Library, plan: &Plan) -> Result<()> {
    let each = plan.passages.div_ceil(plan.files.max(1));
    let mut random = fastrand::Rng::with_seed(1);
    for first in (0..plan.files).step_by(500) {
        let last = plan.files.min(first + 500);
        let seed = random.u64(..);
        library
            .db()
            .try_write("make rows", move |tx| -> Result<(), music::Error> {
                let mut random = fastrand::Rng::with_seed(seed);
                for number in first..last {
                    file(tx, number, each, &mut random)?;
                }
                Ok(())
            })?;
    }
    Ok(())
}

const SYLLABLES: [&str; 16] = [
    "ka", "ro", "mi", "sen", "tal", "ve", "lu", "dor", "in", "pas", "gre", "no", "shu", "el",
    "bri", "wo",
];

fn word(random: &mut fastrand::Rng) -> String {
    (0..random.usize(2..4))
        .map(|_| SYLLABLES[random.usize(..SYLLABLES.len())])
        .collect()
}

fn words(random: &mut fastrand::Rng, count: usize) -> String {
    let words: Vec<_> = (0..count).map(|_| word(random)).collect();
    words.join(" ")
}

/// A JSON object of about so many bytes.
fn json(bytes: usize) -> String {
    serde_json::json!({ "text": "x".repeat(bytes) }).to_string()
}

const MINUTE: i64 = 60 * 28_224_000;

fn file(
    tx: &Tx<'_>,
    number: usize,
    passages: usize,
    random: &mut fastrand::Rng,
) -> Result<(), music::Error> {
    let id = format!("{number:08x}-0000-4000-8000-000000000000");
    // Some ten files have an artist and an album in common.
    let mut shared = fastrand::Rng::with_seed(number as u64 / 10);
    let (artist, album) = (words(&mut shared, 2), words(&mut shared, 3));
    let path = format!("{artist}/{album}/{number:06} {}.flac", words(random, 3));
    let length = MINUTE * 4 * passages as i64;
    tx.execute(
        "INSERT INTO files (guid, path, hash, duration_ticks, format, sample_rate, channels, file_size_bytes, \
            modification_time, artist, title, album, status) \
         VALUES (?1, ?2, ?3, ?4, 'FLAC', 44100, 2, 30000000, '2026-01-01 00:00:00', ?5, ?6, ?7, 'INGEST COMPLETE')",
        params![id, path, format!("{number:064x}"), length, artist, words(random, 3), album],
    )?;
    // One in fifty is damaged, one in five hundred has a misleading name.
    let damage = number
        .is_multiple_of(50)
        .then_some("it ends before its time");
    let misnamed = number.is_multiple_of(500).then_some("MP3");
    tx.execute(
        "INSERT INTO accession_files (file_id, modified_ns, analysis_version, description_version, container, codec, \
            frames, damage, segmentation, tags, misnamed, audio_md5, cut_by) \
         VALUES (?1, 0, 1, 1, 'flac', 'flac', 1, ?2, ?3, ?4, ?5, ?6, 'silence')",
        params![id, damage, json(SEGMENTATION), json(TAGS), misnamed, format!("{number:032x}")],
    )?;
    tx.execute(
        "INSERT INTO accession_overviews (file_id, version, points_per_second, points) VALUES (?1, 2, 10, zeroblob(?2))",
        params![id, OVERVIEW * passages],
    )?;
    for at in 0..passages {
        passage(tx, &id, (number, at), (&artist, &album), random)?;
    }
    Ok(())
}

fn passage(
    tx: &Tx<'_>,
    file: &str,
    (number, at): (usize, usize),
    (artist, album): (&str, &str),
    random: &mut fastrand::Rng,
) -> Result<(), music::Error> {
    let id = format!(
        "{number:08x}-{at:04x}-4000-9000-{:012x}",
        random.u64(..1 << 48)
    );
    let (start, end) = (MINUTE * 4 * at as i64, MINUTE * 4 * (at as i64 + 1));
    let linked = random.f64() < 0.7;
    tx.execute(
        "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, title, artist, album, \
            musical_flavor_vector, import_metadata, decode_status, status, song_id) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'successful', 'INGEST COMPLETE', ?10)",
        params![
            id,
            file,
            start,
            end,
            words(random, 3),
            artist,
            album,
            json(FLAVOR),
            json(METADATA),
            linked.then_some("song"),
        ],
    )?;
    tx.execute(
        "INSERT INTO accession_fingerprints (passage_id, algorithm, duration_ticks, fingerprint) VALUES (?1, 1, ?2, ?3)",
        params![id, end - start, "A".repeat(FINGERPRINT)],
    )?;
    tx.execute(
        "INSERT INTO accession_sounds (passage_id, extractor, integrated_lufs, range_lu, true_peak_dbtp, flavor) \
         VALUES (?1, 'made', -14.0, 6.0, -1.0, ?2)",
        params![id, json(FLAVOR)],
    )?;
    // A tenth of the passages is in doubt.
    let (state, level, confidence) = match random.u32(..20) {
        0 => ("identified", "medium", random.f64() * 0.5 + 0.4),
        1 => ("doubtful", "low", random.f64() * 0.5),
        2..=4 => ("none", "none", 0.0),
        _ => ("identified", "high", 0.99),
    };
    let reasoning = serde_json::json!({
        "candidates": [{ "recording_mbid": id, "title": words(random, 3), "artist": artist, "confidence": confidence }],
        "heard": "x".repeat(REASONING),
    });
    tx.execute(
        "INSERT INTO accession_identifications (passage_id, state, confidence, level, reasoning, start_time_ticks, \
            end_time_ticks) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, state, confidence, level, reasoning.to_string(), start, end],
    )?;
    if at > 0 {
        tx.execute(
            "INSERT INTO accession_boundaries (file_id, at_ticks, kind, is_cut, confidence, reason) \
             VALUES (?1, ?2, 'silence', 1, ?3, 'a gap of 1.2 s, 40 dB below the music')",
            params![file, start, 1.0 - random.f64() * random.f64()],
        )?;
    }
    Ok(())
}

/// Every page and list, and what is told of it.
fn addresses(library: &Library) -> Result<Vec<(&'static str, String)>> {
    let page = music::library::browse::page(library.db(), None, None, 1)?;
    let first = page.files.first().context("there is no file")?;
    let encoded = first.path.replace(' ', "%20");
    Ok(vec![
        ("start", "/".to_owned()),
        ("library", "/library".to_owned()),
        ("library, from the middle", "/library?after=mi".to_owned()),
        ("search, a common syllable", "/library?q=ka".to_owned()),
        ("search, a common word", "/library?q=talve".to_owned()),
        ("search, two words", "/library?q=shupas+grewo".to_owned()),
        ("search, nothing found", "/library?q=xyzzy".to_owned()),
        (
            "search, one letter that nothing has",
            "/library?q=%C3%BE".to_owned(),
        ),
        ("file", format!("/file?name={encoded}")),
        ("review", "/review".to_owned()),
        ("report", "/report".to_owned()),
        ("settings", "/settings".to_owned()),
        ("files as JSON", "/api/v1/files".to_owned()),
        ("review as JSON", "/api/v1/review".to_owned()),
    ])
}

fn measure(library: Library, root: &Path, plan: &Plan) -> Result<Table> {
    let addresses = addresses(&library)?;
    let server = Server::bind(&["127.0.0.1:0".parse()?])?;
    let address = server.address();
    let options = Options {
        library,
        jobs: 1,
        connect: Box::new(|_, _| None),
        offline: true,
        names: Vec::new(),
        token: None,
    };
    let stop = Cancel::new();
    printer::note(&format!("{} is served at {address}", root.display()));
    std::thread::scope(|scope| {
        let served = scope.spawn(|| server.run(options, &stop));
        let measured = ask_all(address, &addresses, plan.rounds);
        stop.request(Reason::Asked);
        served.join().ok().context("the server panicked")??;
        measured
    })
}

fn ask_all(
    address: SocketAddr,
    addresses: &[(&'static str, String)],
    rounds: usize,
) -> Result<Table> {
    let mut table = Table::new(&["", "first ms", "median ms", "worst ms", "kB"]);
    for (name, path) in addresses {
        let mut times = Vec::new();
        let mut size = 0;
        for _ in 0..rounds.max(1) {
            let (took, bytes) = ask(address, path)?;
            times.push(took.as_secs_f64() * 1000.0);
            size = bytes;
        }
        let worst = times.iter().copied().fold(0.0, f64::max);
        let cells = [times[0], median(times.clone()), worst];
        let mut row = vec![(*name).to_owned()];
        row.extend(cells.iter().map(|time| format!("{time:.1}")));
        row.push(format!("{:.1}", size as f64 / 1000.0));
        table.row(row);
    }
    Ok(table)
}

/// How long the whole answer took, and its size with its head.
fn ask(address: SocketAddr, path: &str) -> Result<(Duration, usize)> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let took = began.elapsed();
    let is_served = answer.starts_with(b"HTTP/1.1 200");
    let head = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
    ensure!(is_served, "{path}: {head}");
    Ok((took, answer.len()))
}
