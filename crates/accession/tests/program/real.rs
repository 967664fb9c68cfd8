//! Collections as people have them: sheets that come later, links, lying names, tags of twenty years.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::synth::wav::{Depth, write};
use testkit::synth::{Pcm, concatenate, noise, silence, tone};

use crate::support::Root;

/// A file of this many stretches of ten seconds, each of its own noise.
fn tracks(path: &Path, seed: u64, count: u64) {
    let pieces: Vec<Pcm> = (0..count)
        .map(|n| noise(seed + n, -20.0, 10.0, 8_000, 1))
        .collect();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write(path, &concatenate(&pieces, 0.0), Depth::Int16).unwrap();
}

/// A cue sheet with a title for each time.
fn sheet(file: &str, tracks: &[(&str, &str)]) -> String {
    let mut sheet = format!("PERFORMER \"Band\"\nTITLE \"Album\"\nFILE \"{file}\" WAVE\n");
    for (number, (title, time)) in tracks.iter().enumerate() {
        let number = number + 1;
        writeln!(
            sheet,
            "  TRACK {number:02} AUDIO\n    TITLE \"{title}\"\n    INDEX 01 {time}"
        )
        .unwrap();
    }
    sheet
}

const THREE: [(&str, &str); 3] = [
    ("One", "00:00:00"),
    ("Two", "00:10:00"),
    ("Three", "00:20:00"),
];

/// Titles and starts in seconds of the passages of the files that `path` is like.
fn passages(root: &Root, path: &str) -> Vec<String> {
    root.column(&format!(
        "SELECT coalesce(p.title, '-') || ' ' || (p.start_time_ticks / 28224000) FROM passages p \
         JOIN files f ON f.guid = p.file_id WHERE f.path LIKE '{path}' ORDER BY f.path, p.start_time_ticks"
    ))
}

#[test]
fn a_sheet_that_is_added_edited_or_removed_later_is_noticed() {
    let root = Root::empty();
    tracks(&root.join("album.wav"), 1, 3);
    root.import(&[]).ended(0);
    assert_eq!(passages(&root, "album.wav"), ["- 0"]);
    fs::write(root.join("ALBUM.CUE"), sheet("gone.wav", &THREE)).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(
        passages(&root, "album.wav"),
        ["One 0", "Two 10", "Three 20"]
    );
    let edited = sheet("gone.wav", &THREE).replace("00:10:00", "00:12:00");
    fs::write(root.join("ALBUM.CUE"), edited).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(
        passages(&root, "album.wav"),
        ["One 0", "Two 12", "Three 20"]
    );
    let again = root.import(&[]).ended(0);
    assert_eq!(again.told("planned")[0]["unchanged"], 1);
    fs::remove_file(root.join("ALBUM.CUE")).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(passages(&root, "album.wav"), ["- 0"]);
}

#[test]
fn a_sheet_beside_a_copy_is_a_sheet_of_the_file() {
    let root = Root::empty();
    tracks(&root.join("backup/album.wav"), 10, 3);
    fs::create_dir(root.join("music")).unwrap();
    fs::copy(root.join("backup/album.wav"), root.join("music/album.wav")).unwrap();
    fs::write(root.join("music/album.cue"), sheet("album.wav", &THREE)).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(
        passages(&root, "%album.wav"),
        ["One 0", "Two 10", "Three 20"]
    );
}

#[test]
fn music_outside_the_marks_is_a_passage_and_listed_for_review() {
    let root = Root::empty();
    tracks(&root.join("album.wav"), 20, 4);
    let late = [("One", "00:10:00"), ("Two", "00:20:00")];
    fs::write(root.join("album.cue"), sheet("album.wav", &late)).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(passages(&root, "album.wav"), ["- 0", "One 10", "Two 20"]);
    let doubtful = root.count("SELECT count(*) FROM accession_boundaries WHERE confidence < 0.6");
    assert_eq!(doubtful, 1);
}

#[test]
fn a_sheet_names_files_of_one_track_each() {
    let root = Root::empty();
    for name in ["01.wav", "02.wav"] {
        tracks(
            &root.join(name),
            name.len() as u64 + u64::from(name.as_bytes()[1]),
            1,
        );
    }
    let both = "PERFORMER \"Band\"\nFILE \"01.wav\" WAVE\n TRACK 01 AUDIO\n  TITLE First One\n  INDEX 01 00:00:00\n\
                FILE \"02.wav\" WAVE\n TRACK 02 AUDIO\n  TITLE \"The \"Second\" One\"\n  INDEX 01 00:00:00\n";
    fs::write(root.join("album.cue"), both.replace('\n', "\r")).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(
        passages(&root, "%"),
        ["First One 0", "The \"Second\" One 0"]
    );
}

#[test]
fn a_sheet_that_does_not_fit_is_told_and_left() {
    let root = Root::empty();
    tracks(&root.join("album.wav"), 40, 2);
    fs::write(root.join("album.cue"), sheet("album.wav", &THREE)).unwrap();
    let ran = root.import(&[]).ended(0);
    let warning = ran.told("warning")[0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(warning.contains("goes beyond the audio"), "{warning}");
    assert_eq!(passages(&root, "album.wav"), ["- 0"]);
}

/// A WAV file whose `INFO` list has these bytes as its title.
fn titled(path: &Path, seed: u64, title: &[u8]) {
    tracks(path, seed, 1);
    let mut bytes = fs::read(path).unwrap();
    let chunk = |name: &[u8], content: &[u8]| {
        let padding = vec![0; content.len() % 2];
        [
            name,
            &(content.len() as u32).to_le_bytes(),
            content,
            &padding,
        ]
        .concat()
    };
    let list = [b"INFO".to_vec(), chunk(b"INAM", title)].concat();
    bytes.extend(chunk(b"LIST", &list));
    fs::write(path, bytes).unwrap();
}

#[test]
fn titles_in_code_pages_are_read_as_they_were_meant() {
    let root = Root::empty();
    // "Белые розы зимой" in windows-1251, and "夜空の星は歌う" in Shift-JIS.
    let russian = b"\xc1\xe5\xeb\xfb\xe5 \xf0\xee\xe7\xfb \xe7\xe8\xec\xee\xe9";
    let japanese = b"\x96\xe9\x8b\xf3\x82\xcc\x90\xaf\x82\xcd\x89\xcc\x82\xa4";
    titled(&root.join("a.wav"), 50, russian);
    titled(&root.join("b.wav"), 51, japanese);
    titled(&root.join("c.wav"), 52, b"Caf\xe9 au lait\0");
    root.import(&[]).ended(0);
    assert_eq!(
        passages(&root, "%"),
        ["Белые розы зимой 0", "夜空の星は歌う 0", "Café au lait 0"]
    );
}

#[cfg(unix)]
#[test]
fn tags_edited_under_the_same_size_and_time_are_noticed() {
    let root = Root::empty();
    let path = root.join("a.wav");
    titled(&path, 60, b"Wrong");
    root.import(&[]).ended(0);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|five| five == b"Wrong").unwrap();
    bytes[at..at + 5].copy_from_slice(b"Right");
    fs::write(&path, bytes).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    root.import(&[]).ended(0);
    assert_eq!(passages(&root, "a.wav"), ["Right 0"]);
}

#[cfg(unix)]
#[test]
fn links_are_told_and_odd_names_are_taken() {
    let root = Root::empty();
    tracks(&root.join("...Like a Clock/01.wav"), 70, 1);
    tracks(&root.join("song.unknown"), 71, 1);
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), root.join("album")).unwrap();
    std::os::unix::fs::symlink("song.unknown", root.join("link.mp3")).unwrap();
    std::os::unix::fs::symlink("/nowhere/disk", root.join("old disk")).unwrap();
    let ran = root.import(&[]).ended(0);
    assert_eq!(ran.told("left_out")[0]["count"], 3);
    assert_eq!(ran.told("file_misnamed")[0]["path"], "song.unknown");
    assert_eq!(ran.files("recorded"), 2);
    let status = root.music(&["status"]).ended(0);
    assert!(status.out.contains("left out  3 link"), "{}", status.out);
}

#[test]
fn inverted_stereo_sounds_like_its_one_channel_and_silence_has_no_fingerprint() {
    let root = Root::empty();
    let song = tone(440.0, -12.0, 12.0, 22_050, 1);
    let pairs = |sign: f32| {
        song.samples
            .iter()
            .flat_map(|sample| [*sample, sign * sample])
            .collect()
    };
    let stereo = |sign: f32| Pcm {
        samples: pairs(sign),
        rate: song.rate,
        channels: 2,
    };
    write(&root.join("inverted.wav"), &stereo(-1.0), Depth::Int16).unwrap();
    write(&root.join("normal.wav"), &stereo(1.0), Depth::Int16).unwrap();
    write(
        &root.join("silence.wav"),
        &silence(12.0, 22_050, 2),
        Depth::Int16,
    )
    .unwrap();
    let ran = root.import(&[]).ended(0);
    assert_eq!(ran.files("no_audio"), 1);
    let prints = root.column("SELECT fingerprint FROM accession_fingerprints");
    assert_eq!(prints.len(), 2);
    assert_eq!(prints[0], prints[1]);
    assert_eq!(
        root.count("SELECT count(*) FROM passages WHERE lead_in_start_ticks IS NULL"),
        0
    );
}

/// Whether there is an ffmpeg; in CI there must be one.
pub(crate) fn has_ffmpeg() -> bool {
    let there = Command::new("ffmpeg").arg("-version").output().is_ok();
    assert!(
        there || std::env::var_os("CI").is_none(),
        "CI has no ffmpeg: `script/check` installs it"
    );
    if !there {
        eprintln!("left out: there is no ffmpeg");
    }
    there
}

#[test]
fn formats_that_are_not_decoded_here_are_decoded_by_ffmpeg_or_named() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let source = tempfile::tempdir().unwrap();
    for (seed, (name, codec)) in [
        ("a.wma", "wmav2"),
        ("b.wv", "wavpack"),
        ("c.mka", "flac"),
        ("d.tta", "tta"),
        ("e.ac3", "ac3"),
        ("f.aiff", "adpcm_ima_qt"),
    ]
    .into_iter()
    .enumerate()
    {
        let wav = source.path().join("source.wav");
        write(
            &wav,
            &noise(80 + seed as u64, -20.0, 5.0, 44_100, 2),
            Depth::Int16,
        )
        .unwrap();
        let made = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-i"])
            .arg(&wav)
            .args(["-c:a", codec, "-metadata", "title=Taken"])
            .arg(root.join(name))
            .status()
            .unwrap();
        assert!(made.success(), "{name}");
    }
    let ran = root.import(&[]).ended(0);
    assert_eq!(ran.files("recorded"), 6);
    let by = root.column("SELECT DISTINCT substr(decoder, 1, 7) FROM accession_files");
    assert_eq!(by, ["ffmpeg "]);
    let lengths = "SELECT count(*) FROM files WHERE abs(duration_ticks / 28224000.0 - 5.0) < 0.1";
    assert_eq!(root.count(lengths), 6);
    assert!(
        passages(&root, "%")
            .iter()
            .filter(|one| *one == "Taken 0")
            .count()
            >= 4
    );

    root.music(&["settings", "set", "ffmpeg_path", "/nowhere/ffmpeg"])
        .ended(0);
    let ran = root.import(&["--force"]).ended(1);
    let reasons = ran.told("file_failed");
    assert_eq!(reasons.len(), 6);
    let reason = reasons[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("is decoded by ffmpeg, which is not installed"),
        "{reason}"
    );
}

#[test]
fn new_tags_of_a_format_that_ffmpeg_decodes_leave_its_passages_as_they_are() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let source = tempfile::tempdir().unwrap();
    let wav = source.path().join("source.wav");
    write(&wav, &noise(95, -20.0, 5.0, 44_100, 2), Depth::Int16).unwrap();
    let make = |from: &Path, to: &Path, options: &[&str]| {
        let made = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-i"])
            .arg(from)
            .args(options)
            .arg(to)
            .status()
            .unwrap();
        assert!(made.success(), "{}", to.display());
    };
    for (name, codec) in [("a.wma", "wmav2"), ("b.wv", "wavpack"), ("c.mka", "flac")] {
        make(
            &wav,
            &root.join(name),
            &["-c:a", codec, "-metadata", "title=Wrong"],
        );
    }
    root.import(&[]).ended(0);
    let ids = root.column("SELECT guid FROM passages ORDER BY guid");
    for name in ["a.wma", "b.wv", "c.mka"] {
        let again = source.path().join(name);
        let options = ["-c", "copy", "-metadata", "title=Right, and longer"];
        make(&root.join(name), &again, &options);
        fs::copy(&again, root.join(name)).unwrap();
    }
    let ran = root.import(&[]).ended(0);
    assert_eq!(ran.files("retagged"), 3);
    assert_eq!(ran.files("recorded"), 0);
    assert_eq!(root.column("SELECT guid FROM passages ORDER BY guid"), ids);
    assert_eq!(passages(&root, "%"), ["Right, and longer 0"; 3]);
}

#[test]
fn tags_of_windows_media_and_quicktime_name_their_passages() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let source = tempfile::tempdir().unwrap();
    let wav = source.path().join("source.wav");
    write(&wav, &noise(96, -20.0, 5.0, 44_100, 2), Depth::Int16).unwrap();
    for (name, codec, options) in [
        ("one.wma", "wmav2", &[][..]),
        ("two.mov", "aac", &["-movflags", "use_metadata_tags"][..]),
    ] {
        let made = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-i"])
            .arg(&wav)
            .args(["-c:a", codec, "-metadata", "title=Night Ferry"])
            .args(["-metadata", "artist=Ensemble", "-metadata", "album=Tides"])
            .args(["-metadata", "track=3/9"])
            .args(options)
            .arg(root.join(name))
            .status()
            .unwrap();
        assert!(made.success(), "{name}");
    }
    root.import(&[]).ended(0);
    let found = root.column(
        "SELECT printf('%s | %s | %s | %s | %s', path, title, artist, album, track_number) FROM files ORDER BY path",
    );
    assert_eq!(
        found,
        [
            "one.wma | Night Ferry | Ensemble | Tides | 3",
            "two.mov | Night Ferry | Ensemble | Tides | 3"
        ]
    );
}

#[test]
fn what_an_mp3_says_of_its_length_is_a_hint_and_its_padding_is_cut_all_the_same() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let wav = root.join("whole.wav");
    write(&wav, &noise(97, -20.0, 6.0, 44_100, 1), Depth::Int16).unwrap();
    let right = root.join("right.mp3");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(&wav)
        .args(["-c:a", "libmp3lame", "-b:a", "64k"])
        .arg(&right)
        .status()
        .unwrap();
    assert!(made.success());
    let bytes = fs::read(&right).unwrap();
    let at = bytes
        .windows(4)
        .position(|four| matches!(four, b"Xing" | b"Info"))
        .unwrap();
    let count = u32::from_be_bytes(bytes[at + 8..at + 12].try_into().unwrap());
    for (name, said) in [
        ("none.mp3", 0),
        ("half.mp3", count / 2),
        ("more.mp3", count + 3),
    ] {
        let mut bytes = bytes.clone();
        bytes[at + 8..at + 12].copy_from_slice(&said.to_be_bytes());
        fs::write(root.join(name), bytes).unwrap();
    }
    root.import(&[]).ended(0);
    let wrong = "SELECT path || ' ' || (duration_ticks / 28224000.0) FROM files \
                 WHERE abs(duration_ticks / 28224000.0 - 6.0) > 0.001";
    assert_eq!(root.column(wrong), Vec::<String>::new());
}
