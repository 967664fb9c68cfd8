//! Hearing in one process and recording in another, against importing; and how fast records are collected.
//!
//! All is done by the program itself, which tells what it took.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use music::heard::record::HeardFile;
use run::{Cancel, for_each};
use serde_json::Value;
use testkit::stores::{ACCESS_KEY, Habit, ObjectStore, SECRET_KEY};
use testkit::synth::wav::{Depth, write};
use testkit::synth::{concatenate, noise};

use crate::printer;

/// What is heard elsewhere, and how.
#[derive(Debug)]
pub struct Elsewhere {
    /// Files to be heard.
    pub files: usize,
    /// Length of each.
    pub seconds: f64,
    /// How often all is measured, in turns.
    pub rounds: usize,
    /// Lists of `music plan`, each heard by a process of its own; one process hears all if there are none.
    pub lists: usize,
    /// Files and records lie in a store that speaks S3 and runs in this process, and the import reads its folder.
    pub in_store: bool,
}

/// Sets hearing and collecting beside importing, by the CPU time of all processes that it takes.
pub fn overhead(how: &Elsewhere) -> Result<()> {
    let made = tempfile::tempdir()?;
    let store = how
        .in_store
        .then(|| ObjectStore::start(Habit::S3, &["music", "records"]));
    let music = match &store {
        Some(store) => store.file("music", "all"),
        None => made.path().canonicalize()?.join("music"),
    };
    testkit::corpus::many(&music, how.files, how.seconds)?;
    let folder = music.display().to_string();
    let source = store
        .as_ref()
        .map_or_else(|| folder.clone(), |_| "s3://music/all".to_owned());
    let (mut imported, mut heard, mut collected) = (Vec::new(), Vec::new(), Vec::new());
    let mut requests = 0;
    // The first round is for the caches of the machine.
    for round in 0..=how.rounds {
        let scratch = tempfile::tempdir()?;
        let at = |name: &str| scratch.path().join(name).display().to_string();
        let records = match &store {
            Some(_) => format!("s3://records/{round}"),
            None => at("records"),
        };
        let measure = |into: &mut Vec<f64>, work: &dyn Fn() -> Result<()>| -> Result<()> {
            let before = children_cpu_seconds()?;
            work()?;
            if round > 0 {
                into.push(children_cpu_seconds()? - before);
            }
            Ok(())
        };
        let run = |words: &[&str]| accession_at(words, store.as_ref()).map(drop);
        measure(&mut imported, &|| {
            run(&["import", &folder, "--offline", "--database", &at("i.db")])
        })?;
        let before = store.as_ref().map_or(0, |store| store.calls().len());
        measure(&mut heard, &|| {
            hear(&["--source", &source, "--out", &records], how.lists, &run)
        })?;
        measure(&mut collected, &|| {
            let places = ["collect", &records, "--source", &source];
            run(&[&places[..], &["--database", &at("c.db")]].concat())
        })?;
        requests = store.as_ref().map_or(0, |store| store.calls().len()) - before;
    }
    let (import, hear, collect) = (least(&imported), least(&heard), least(&collected));
    let more = 1000.0 * (hear + collect - import) / how.files as f64;
    printer::result(&format!(
        "{} files of {} s, least of {}: import {import:.2} CPU s, hear {hear:.2}, collect {collect:.2}; \
         hear + collect over import {:+.1} %, {more:+.2} ms a file; {:.2} requests a file",
        how.files,
        how.seconds,
        how.rounds,
        100.0 * ((hear + collect) / import - 1.0),
        requests as f64 / how.files as f64
    ));
    Ok(())
}

/// Hears the source of `places` in one process, or as an adapter does it, by so many lists with a process for each.
fn hear(places: &[&str], lists: usize, run: &dyn Fn(&[&str]) -> Result<()>) -> Result<()> {
    let all = [&["hear"], places].concat();
    if lists == 0 {
        return run(&all);
    }
    let folder = tempfile::tempdir()?;
    let (at, count) = (folder.path().display().to_string(), lists.to_string());
    let plan = ["plan", "--shards", &count, "--out", &at];
    run(&[&plan, &places[..2]].concat())?;
    (0..lists).try_for_each(|list| {
        let list = list.to_string();
        let by_list = ["--jobs", "1", "--list", &at, "--shard", &list];
        run(&[&all[..], &by_list].concat())
    })
}

/// The CPU time of all processes that this one started and waited for, from the beginning.
pub fn children_cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold anything. Fields 16 and 17 are `cutime` and `cstime`, proc_pid_stat(5), in
    // hundredths of a second.
    let (_, fields) = stat.rsplit_once(')').context("a name in parentheses")?;
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks: Vec<u64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
}

/// The least of several measurements of the same work: whatever else the machine did only adds.
fn least(measured: &[f64]) -> f64 {
    measured.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Makes records of three passages, each of another content, and collects them.
pub fn collect(records: usize, folder: Option<&Path>) -> Result<()> {
    let made = match folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let bytes = make(records, made.path())?;
    printer::note(&format!(
        "{records} records are made, {} bytes each",
        bytes / records.max(1) as u64
    ));
    let database = made.path().join("c.db").display().to_string();
    let place = made.path().join("records").display().to_string();
    let said = accession(&["collect", &place, "--database", &database])?;
    let number = |name: &str| said[name].as_f64().unwrap_or_default();
    let recorded = said["files"]["recorded"].as_u64().unwrap_or_default();
    ensure!(
        recorded == records as u64,
        "{recorded} of {records} are recorded"
    );
    printer::result(&format!(
        "{recorded} files, {} passages: {:.0} files/s, {:.3} CPU ms a file, {:.0} MB at most",
        said["passages"],
        recorded as f64 / number("elapsed_seconds"),
        1000.0 * number("cpu_seconds") / recorded as f64,
        number("peak_rss_bytes") / 1e6,
    ));
    let again = accession(&["collect", &place, "--database", &database])?;
    printer::result(&format!(
        "again, with nothing new: {:.1} s, {:.0} MB at most",
        again["elapsed_seconds"].as_f64().unwrap_or_default(),
        again["peak_rss_bytes"].as_f64().unwrap_or_default() / 1e6,
    ));
    Ok(())
}

/// Runs a command of `music` and returns its last event.
fn accession(words: &[&str]) -> Result<Value> {
    accession_at(words, None)
}

/// The same, with a store at hand.
fn accession_at(words: &[&str], store: Option<&ObjectStore>) -> Result<Value> {
    let home = tempfile::tempdir()?;
    let mut command = Command::new(testkit::accession_bin());
    if let Some(store) = store {
        command
            .env("AWS_ENDPOINT_URL", store.url())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_REGION", "us-east-1");
    }
    let output = command
        .arg("music")
        .args(words)
        .args(["--format", "json", "--quiet"])
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "{words:?} ended with {}",
        output.status
    );
    let last = testkit::json_events(&output.stdout).pop();
    last.context("the program told nothing")
}

/// Makes records out of four that were heard, and returns their bytes.
fn make(records: usize, folder: &Path) -> Result<u64> {
    let heard = folder.join("heard");
    for seed in 0..4_u8 {
        let path = heard.join(format!("music/{seed}.wav"));
        std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        let passages: Vec<_> = (0..3)
            .map(|number| {
                noise(
                    u64::from(seed) * 3 + number,
                    -12.0 - f32::from(seed),
                    80.0,
                    8_000,
                    1,
                )
            })
            .collect();
        write(&path, &concatenate(&passages, 2.0), Depth::Int16)?;
    }
    let (source, out) = (heard.join("music"), heard.join("records"));
    let (source, out) = (source.display().to_string(), out.display().to_string());
    accession(&["hear", "--source", &source, "--out", &out])?;
    let mut templates = Vec::new();
    for entry in walkdir::WalkDir::new(out) {
        let entry = entry?;
        if entry.file_type().is_file() {
            templates.push(HeardFile::decode(&std::fs::read(entry.path())?)?);
        }
    }
    ensure!(templates.len() == 4, "{} of 4 templates", templates.len());
    let place = folder.join("records");
    let numbers: Vec<usize> = (0..records).collect();
    let bytes = std::sync::atomic::AtomicU64::new(0);
    let failed = std::sync::Mutex::new(None);
    for_each(2, &numbers, &Cancel::new(), |_, number| {
        let made = vary(templates[number % 4].clone(), *number);
        let path = place.join(made.path());
        let stored = made.encode().and_then(|encoded| {
            bytes.fetch_add(encoded.len() as u64, std::sync::atomic::Ordering::Relaxed);
            std::fs::create_dir_all(path.parent().unwrap_or(&place))?;
            std::fs::write(&path, encoded)
        });
        if let Err(error) = stored {
            *failed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
        }
    });
    match failed
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
    {
        Some(error) => Err(error.into()),
        None => Ok(bytes.into_inner()),
    }
}

/// Another file: its path, size, content, tags, prints and measurements are its own.
fn vary(template: HeardFile, number: usize) -> HeardFile {
    let mut random = fastrand::Rng::with_seed(number as u64);
    let path = format!(
        "Artist {:05}/Album {:06}/{:02} Song {number}.flac",
        number / 120,
        number / 12,
        number % 12 + 1
    );
    let size = 20_000_000 + random.u64(..10_000_000);
    template.as_of(&path, size, |record| {
        record.hash = format!("{:032x}{:032x}", random.u128(..), random.u128(..));
        let digits = format!("{:032x}", random.u128(..));
        record.audio_md5 = audio::decode::AudioMd5::from_hex(&digits);
        record.audio_xxh3 = audio::decode::AudioXxh3::from_hex(&digits);
        record.tags.title = Some(format!("Song {number}"));
        record.tags.artist = Some(format!("Artist {}", number / 120));
        record.tags.album = Some(format!("Album {}", number / 12));
        record.tags.track = Some(number as u32 % 12 + 1);
        for passage in &mut record.passages {
            if let Some((_, print)) = &mut passage.fingerprint {
                let mut letters: Vec<char> = print.chars().collect();
                let rest = letters.len().min(8);
                random.shuffle(&mut letters[rest..]);
                *print = letters.into_iter().collect();
            }
            let flavor = &mut passage.sound.flavor;
            for value in flavor.timbre.iter_mut().chain(&mut flavor.timbre_spread) {
                *value *= 0.5 + random.f64();
            }
            flavor.centroid_hz *= 0.5 + random.f64();
        }
    })
}
