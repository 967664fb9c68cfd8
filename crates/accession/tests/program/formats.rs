//! Streams that are not what they seem, or change on their way, and names in the code pages of twenty years.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::synth::wav::{Depth, write};
use testkit::synth::{Pcm, aiff, concatenate, noise, silence};

use crate::real::has_ffmpeg;
use crate::support::Root;

fn ffmpeg(arguments: &[&str], output: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .arg(output)
        .status()
        .unwrap();
    assert!(made.success(), "{arguments:?}");
}

/// The reason of each file that failed, by its name.
fn failures(root: &Root) -> Vec<String> {
    let ran = root.import(&[]).ended(1);
    let told = |event: serde_json::Value| format!("{}: {}", event["path"], event["reason"]);
    let mut told: Vec<String> = ran.told("file_failed").into_iter().map(told).collect();
    told.sort();
    told
}

/// Samples with the sync word of DTS every 2,048 frames, as a disc of it has them.
fn disguised(seed: u64) -> Pcm {
    let mut pcm = noise(seed, -10.0, 4.0, 44_100, 2);
    for frame in pcm.samples.chunks_mut(4096) {
        frame[0] = f32::from(0x7ffe_i16) / 32_768.0;
        frame[1] = f32::from(-0x7fff_i16) / 32_768.0;
    }
    pcm
}

#[test]
fn compressed_surround_in_place_of_samples_is_named_in_every_container_and_behind_silence() {
    let root = Root::empty();
    write(&root.join("plain.wav"), &disguised(1), Depth::Int16).unwrap();
    let late = concatenate(&[silence(20.0, 44_100, 2), disguised(2)], 0.0);
    write(&root.join("late.wav"), &late, Depth::Int16).unwrap();
    aiff::write(&root.join("disc.aiff"), &disguised(3)).unwrap();
    let mut wanted = vec!["disc.aiff", "late.wav", "plain.wav"];
    if has_ffmpeg() {
        let late = root.join("late.wav").to_string_lossy().into_owned();
        ffmpeg(&["-i", &late], &root.join("disc.flac"));
        ffmpeg(&["-i", &late, "-c:a", "alac"], &root.join("disc.m4a"));
        ffmpeg(&["-i", &late, "-c:a", "wavpack"], &root.join("disc.wv"));
        wanted.extend(["disc.flac", "disc.m4a", "disc.wv"]);
        wanted.sort_unstable();
    }
    let told = failures(&root);
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, name) in told.iter().zip(wanted) {
        assert!(told.contains(name) && told.contains("`DTS`"), "{told}");
    }
}

#[test]
fn streams_that_change_on_their_way_are_heard_whole() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let part = |name: &str, seed: u64, rate: u32, channels: u16| {
        let wav = root.home().join("part.wav");
        write(&wav, &noise(seed, -20.0, 3.0, rate, channels), Depth::Int16).unwrap();
        let part = root.home().join(name);
        ffmpeg(&["-i", wav.to_str().unwrap()], &part);
        fs::read(part).unwrap()
    };
    let join = |name: &str, parts: &[Vec<u8>]| fs::write(root.join(name), parts.concat()).unwrap();
    let aac = [
        part("1.aac", 1, 44_100, 2),
        part("2.aac", 2, 44_100, 1),
        part("3.aac", 3, 48_000, 2),
    ];
    join("radio.aac", &aac);
    let flac = [part("1.flac", 4, 44_100, 2), part("2.flac", 5, 48_000, 2)];
    join("joined.flac", &flac);
    let flac = [part("1.flac", 6, 48_000, 2), part("2.flac", 7, 44_100, 1)];
    join("other.flac", &flac);
    root.import(&[]).ended(0);
    let seconds = root.column(
        "SELECT path || ' ' || round(duration_ticks / 28224000.0, 1) FROM files ORDER BY path",
    );
    // Each stream of AAC has up to two frames of its encoder before and behind it.
    assert_eq!(
        seconds,
        ["joined.flac 6.0", "other.flac 6.0", "radio.aac 9.1"]
    );
}

#[test]
fn zeros_and_junk_behind_the_audio_are_no_damage() {
    let root = Root::empty();
    let folder = tempfile::tempdir().unwrap();
    for path in testkit::corpus::collection_into(folder.path()).unwrap() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let behind = match path.extension().unwrap().to_str().unwrap() {
            "mp3" | "aac" => vec![0; 300_000],
            // No box has three bytes.
            "m4a" => b"\0\0\0\x03garbage of a download".to_vec(),
            _ => continue,
        };
        fs::write(root.join(name), [fs::read(&path).unwrap(), behind].concat()).unwrap();
    }
    let ran = root.import(&[]).ended(0);
    let kinds = root.count("SELECT count(DISTINCT container) FROM accession_files");
    assert_eq!(kinds, 3, "{}", ran.out);
}

/// A decoder knows the end of FLAC's last frame by what begins there: what is none of it must not be taken along.
#[test]
fn what_somebody_put_behind_flac_costs_no_frame_of_it() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let wav = root.home().join("source.wav");
    for (at, behind) in [
        vec![],
        b"just a note".to_vec(),
        vec![0xff; 5000],
        vec![0x55; 70_000],
    ]
    .iter()
    .enumerate()
    {
        let pcm = noise(at as u64, -20.0, 3.0, 44_100, 2);
        write(&wav, &pcm, Depth::Int16).unwrap();
        let path = root.join(format!("{at}.flac"));
        ffmpeg(&["-i", wav.to_str().unwrap()], &path);
        fs::write(&path, [fs::read(&path).unwrap(), behind.clone()].concat()).unwrap();
    }
    let ran = root.import(&[]).ended(0);
    let frames = root.column("SELECT frames || ' ' || damaged_frames FROM accession_files");
    assert_eq!(frames, ["132300 0"; 4], "{}", ran.out);
}

/// Floating-point samples that are no numbers, or have any exponent, as a broken plug-in leaves them.
#[test]
fn samples_that_are_no_sound_are_heard_as_silence_and_told() {
    let root = Root::empty();
    let mut pcm = noise(3, -20.0, 3.0, 44_100, 2);
    for (at, sample) in [f32::NAN, f32::INFINITY, 1e30, -1e30]
        .into_iter()
        .enumerate()
    {
        pcm.samples[50_000 + 2 * at] = sample;
    }
    write(&root.join("broken.wav"), &pcm, Depth::Float32).unwrap();
    let ran = root.import(&[]).ended(0);
    assert_eq!(ran.told("file_damaged").len(), 1, "{}", ran.out);
    let loud =
        root.column("SELECT true_peak_dbtp < 6 AND integrated_lufs < 0 FROM accession_sounds");
    assert_eq!(loud, ["1"]);
}

/// The sheet of a set lies above the folders of its discs, and names their images by folder and name.
#[test]
fn a_sheet_above_the_folders_of_its_discs_cuts_each() {
    let root = Root::empty();
    let disc = |seed: u64| {
        concatenate(
            &[
                noise(seed, -20.0, 8.0, 44_100, 2),
                noise(seed + 1, -20.0, 8.0, 44_100, 2),
            ],
            0.0,
        )
    };
    for (at, folder) in ["CD1", "CD2"].iter().enumerate() {
        fs::create_dir_all(root.join(format!("Set/{folder}"))).unwrap();
        write(
            &root.join(format!("Set/{folder}/image.wav")),
            &disc(10 * at as u64),
            Depth::Int16,
        )
        .unwrap();
    }
    let tracks = |from: u8| {
        format!(
            "  TRACK 0{from} AUDIO\n    TITLE \"No {from}\"\n    INDEX 01 00:00:00\n  TRACK 0{} AUDIO\n    \
             TITLE \"No {}\"\n    INDEX 01 00:08.000\n",
            from + 1,
            from + 1
        )
    };
    let sheet = format!(
        "TITLE \"Set\"\nFILE \"CD1/image.wav\" WAVE\n{}FILE \"CD2\\image.wav\" WAVE\n{}",
        tracks(1),
        tracks(3)
    );
    fs::write(root.join("Set/set.cue"), &sheet).unwrap();
    root.import(&[]).ended(0);
    let titles = "SELECT f.path || ' ' || p.title FROM passages p JOIN files f ON f.guid = p.file_id \
                  ORDER BY f.path, p.start_time_ticks";
    let cut = [
        "Set/CD1/image.wav No 1",
        "Set/CD1/image.wav No 2",
        "Set/CD2/image.wav No 3",
        "Set/CD2/image.wav No 4",
    ];
    assert_eq!(root.column(titles), cut);
    // Whoever imports a disc alone, has the same sheet before him, and its changes.
    let disc = root.join("Set/CD1").to_string_lossy().into_owned();
    let alone = root
        .music(&["import", &disc, "--offline", "--format", "json"])
        .ended(0);
    assert_eq!(alone.files("unchanged"), 1, "{}", alone.out);
    fs::write(root.join("Set/set.cue"), sheet.replace("No 2", "Number 2")).unwrap();
    let alone = root
        .music(&["import", &disc, "--offline", "--format", "json"])
        .ended(0);
    assert_eq!(alone.files("unchanged"), 0, "{}", alone.out);
    assert_eq!(root.column(titles)[1], "Set/CD1/image.wav Number 2");
}

/// ffmpeg knows the last tag of a file and takes those before it for broken audio.
#[test]
fn tags_that_stand_one_behind_another_are_no_damage() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let wav = root.home().join("source.wav");
    write(&wav, &noise(9, -20.0, 3.0, 44_100, 2), Depth::Int16).unwrap();
    let path = root.join("twice.wv");
    ffmpeg(&["-i", wav.to_str().unwrap(), "-c:a", "wavpack"], &path);
    let tag = |title: &str| {
        let item = [
            &(title.len() as u32).to_le_bytes()[..],
            &[0; 4],
            b"Title\0",
            title.as_bytes(),
        ]
        .concat();
        let size = (item.len() as u32 + 32).to_le_bytes();
        let mark = |flags: u32| {
            let parts = [2000, u32::from_le_bytes(size), 1, flags].map(u32::to_le_bytes);
            [b"APETAGEX", &parts.concat()[..], &[0; 8]].concat()
        };
        [mark(0xa000_0000), item, mark(0x8000_0000)].concat()
    };
    let twice = [fs::read(&path).unwrap(), tag("Old"), tag("New")].concat();
    fs::write(&path, twice).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(root.column("SELECT title FROM files"), ["New"]);
}

/// A module of one pattern, in which one sample is played.
fn module() -> Vec<u8> {
    let mut bytes = vec![0; 1084];
    bytes[..11].copy_from_slice(b"Little Tune");
    // Of the first sample: its length in words, its volume, its loop.
    let (words, first) = (2000_u16.to_be_bytes(), 20);
    bytes[first + 22..first + 24].copy_from_slice(&words);
    bytes[first + 25] = 64;
    bytes[first + 28..first + 30].copy_from_slice(&words);
    bytes[950] = 1;
    bytes[951] = 127;
    bytes[1080..].copy_from_slice(b"M.K.");
    let mut pattern = vec![0; 1024];
    for row in (0..64).step_by(8) {
        // Note C-2 of the first sample in the first channel.
        pattern[16 * row..16 * row + 3].copy_from_slice(&[0x01, 0xac, 0x10]);
    }
    let wave = (0..4000_u32).map(|n| if n / 32 % 2 == 0 { 60 } else { 196 });
    bytes.extend(pattern);
    bytes.extend(wave);
    bytes
}

#[test]
fn modules_of_trackers_are_heard_and_notes_are_left_out_with_a_reason() {
    let root = Root::empty();
    fs::write(root.join("tune.mod"), module()).unwrap();
    fs::write(root.join("tune.mid"), b"MThd\0\0\0\x06\0\0\0\x01\0\x60").unwrap();
    fs::write(root.join("game.nsf"), b"NESM\x1a\x01").unwrap();
    let demuxers = Command::new("ffmpeg").arg("-demuxers").output();
    let plays =
        demuxers.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains("libopenmpt"));
    let ran = root.import(&[]).ended(i32::from(!plays));
    let left_out = &ran.completed()["left_out"];
    assert_eq!(left_out[0]["why"], "notes", "{left_out}");
    assert_eq!(left_out[0]["count"], 2, "{left_out}");
    if plays {
        let taken = root.column("SELECT path || ' ' || format FROM files");
        assert_eq!(taken, ["tune.mod MOD"]);
    } else {
        assert!(ran.out.contains("MOD (tracker)"), "{}", ran.out);
    }
}

#[test]
fn another_song_of_the_same_size_and_time_is_noticed() {
    let root = Root::empty();
    let path = root.join("song.wav");
    crate::support::song(&path, 1);
    crate::support::set_time(&path, 1_700_000_000);
    root.import(&[]).ended(0);
    let before = root.column("SELECT hash FROM files");
    let other = root.home().join("other.wav");
    crate::support::song(&other, 2);
    let content = fs::read(&other).unwrap();
    assert_eq!(content.len() as u64, fs::metadata(&path).unwrap().len());
    fs::write(&path, content).unwrap();
    crate::support::set_time(&path, 1_700_000_000);
    root.import(&[]).ended(0);
    assert_ne!(root.column("SELECT hash FROM files"), before);
}

/// A stereo WAV file of 32 bits a sample whose channels are the same, so that FLAC keeps their difference, of 33 bits.
fn write_wide(path: &Path, pcm: &Pcm) {
    let samples = pcm.samples.chunks_exact(2).flat_map(|frame| {
        let left = (f64::from(frame[0]) * 2_147_483_000.0) as i32;
        [left; 2].map(i32::to_le_bytes)
    });
    let data: Vec<u8> = samples.flatten().collect();
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + data.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    wav.extend(44_100_u32.to_le_bytes());
    wav.extend((44_100_u32 * 8).to_le_bytes());
    wav.extend(b"\x08\0\x20\0data");
    wav.extend((data.len() as u32).to_le_bytes());
    wav.extend(data);
    fs::write(path, wav).unwrap();
}

#[test]
fn what_the_decoder_built_in_fails_at_is_left_to_ffmpeg() {
    if !has_ffmpeg() || Command::new("flac").arg("--version").output().is_err() {
        return;
    }
    let root = Root::empty();
    let wav = root.home().join("wide.wav");
    write_wide(&wav, &noise(8, -20.0, 12.0, 44_100, 2));
    let flac = root.join("wide.flac");
    let mut encode = Command::new("flac");
    encode.args(["-s", "-8", "-o"]).arg(&flac).arg(&wav);
    assert!(encode.status().unwrap().success());
    // ffmpeg reads it from its version 6 on.
    let ran = root.import(&[]);
    if ran.code == Some(0) {
        let seconds = root.column("SELECT round(duration_ticks / 28224000.0, 2) FROM files");
        assert_eq!(seconds, ["12"]);
    } else {
        let reason = ran.told("file_failed")[0]["reason"].to_string();
        assert!(reason.contains("differ by 33 (and this ffmpeg"), "{reason}");
    }
    let ran = root.music(&["settings", "set", "ffmpeg_path", "/nowhere/ffmpeg"]);
    ran.ended(0);
    let ran = root.import(&["--force"]).ended(1);
    let told = ran.told("file_failed");
    let reason = told[0]["reason"].to_string();
    assert!(reason.contains("which is not installed"), "{reason}");
}

#[test]
fn wide_samples_without_a_difference_need_nobody() {
    if Command::new("flac").arg("--version").output().is_err() {
        return;
    }
    let root = Root::empty();
    let wav = root.home().join("wide.wav");
    write_wide(&wav, &noise(8, -20.0, 12.0, 44_100, 2));
    let mut encode = Command::new("flac");
    encode.args(["-s", "--no-mid-side", "-o"]);
    encode.arg(root.join("wide.flac")).arg(&wav);
    assert!(encode.status().unwrap().success());
    root.import(&[]).ended(0);
    let decoders = root.column("SELECT count(*) FROM files WHERE format = 'FLAC'");
    assert_eq!(decoders, ["1"]);
    let loudness = root.column("SELECT round(integrated_lufs) FROM accession_sounds");
    assert_eq!(loudness, ["-14"]);
}
