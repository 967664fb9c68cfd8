//! The digest of the encoded audio against ffmpeg's, for every container and codec, and under every kind of retagging.

#![expect(clippy::print_stderr, reason = "a test says when it cannot look")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use audio::decode::{BytesOfSound, Decoders, Ffmpeg};
use tempfile::TempDir;

/// Runs a program that must succeed; `false`, and its files are skipped, where it is not installed. In CI it always is.
fn run(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} {arguments:?}: {said}");
            true
        }
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "`{program}` is missing: {error}"
            );
            eprintln!("left out: `{program}` is not installed");
            false
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

fn by_ffmpeg(path: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vn", "-c:a", "copy", "-f", "md5", "-"])
        .output()
        .expect("ffmpeg ran before");
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    said.strip_prefix("MD5=").unwrap_or(&said).to_owned()
}

fn ours(path: &Path) -> String {
    let decoders = Decoders::with(Ffmpeg::at(None));
    let digest = decoders
        .audio_digest(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(
        digest.xxh3,
        decoders.audio_xxh3(path).ok(),
        "{}",
        path.display()
    );
    if let Some(mut sound) = BytesOfSound::of(path) {
        let bytes = std::fs::read(path).expect("the file was read before");
        for block in bytes.chunks(7919) {
            sound.update(block);
        }
        assert_eq!(Some(sound.finish()), digest.xxh3, "{}", path.display());
    }
    digest.md5.to_string()
}

/// Names of files and what ffmpeg is to make them with.
const FORMATS: [(&str, &[&str]); 22] = [
    ("cbr.mp3", &["-c:a", "libmp3lame", "-b:a", "128k"]),
    ("vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "4"]),
    (
        "mono.mp3",
        &["-c:a", "libmp3lame", "-ac", "1", "-ar", "22050"],
    ),
    ("no_xing.mp3", &["-c:a", "libmp3lame", "-write_xing", "0"]),
    ("layer2.mp2", &["-c:a", "mp2"]),
    ("plain.flac", &["-c:a", "flac"]),
    ("deep.flac", &["-c:a", "flac", "-sample_fmt", "s32"]),
    ("vorbis.ogg", &["-c:a", "libvorbis"]),
    ("opus.opus", &["-c:a", "libopus"]),
    ("flac.oga", &["-c:a", "flac", "-f", "ogg"]),
    ("adts.aac", &["-c:a", "aac"]),
    ("aac.m4a", &["-c:a", "aac"]),
    ("fast.m4a", &["-c:a", "aac", "-movflags", "+faststart"]),
    ("alac.m4a", &["-c:a", "alac"]),
    (
        "fragmented.m4a",
        &["-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov"],
    ),
    ("s16.wav", &["-c:a", "pcm_s16le"]),
    ("s24.wav", &["-c:a", "pcm_s24le"]),
    ("float.wav", &["-c:a", "pcm_f32le"]),
    ("u8.wav", &["-c:a", "pcm_u8"]),
    ("rf64.wav", &["-c:a", "pcm_s16le", "-rf64", "always"]),
    ("s16.aiff", &["-c:a", "pcm_s16be"]),
    ("sowt.aifc", &["-c:a", "pcm_s16le", "-f", "aiff"]),
];

/// One file of every format, of seven seconds of changing tones; nothing without ffmpeg.
fn files(folder: &TempDir) -> Vec<PathBuf> {
    let tones = "aevalsrc=0.4*sin(440*2*PI*t*(1+0.02*t))+0.2*sin(1333*2*PI*t)|0.3*sin(220*2*PI*t):d=7.03:s=44100";
    let made = FORMATS.map(|(name, options)| {
        let path = folder.path().join(name);
        let mut words = vec!["-v", "error", "-y", "-f", "lavfi", "-i", tones];
        words.extend(["-metadata", "title=One", "-metadata", "artist=Somebody"]);
        words.extend(options);
        words.push(text(&path));
        run("ffmpeg", &words).then_some(path)
    });
    made.into_iter().flatten().collect()
}

#[test]
fn the_digest_is_that_of_ffmpeg_for_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for path in files(&folder) {
        assert_eq!(ours(&path), by_ffmpeg(&path), "{}", path.display());
    }
}

#[test]
fn new_tags_and_new_containers_leave_the_digest() {
    let folder = tempfile::tempdir().unwrap();
    for path in files(&folder) {
        let before = ours(&path);
        // ffmpeg writes RF64 back as plain RIFF, fragmented as unfragmented: other containers, the same audio.
        let copy = folder.path().join(format!(
            "again.{}",
            path.extension().unwrap().to_str().unwrap()
        ));
        let mut words = vec!["-v", "error", "-y", "-i", text(&path), "-c", "copy"];
        words.extend(["-metadata", "title=Another title, and a longer one"]);
        if path.ends_with("flac.oga") {
            words.extend(["-f", "ogg"]);
        }
        if path.ends_with("sowt.aifc") {
            words.extend(["-f", "aiff"]);
        }
        words.push(text(&copy));
        run("ffmpeg", &words);
        assert_eq!(ours(&copy), before, "{} after ffmpeg", path.display());
        assert_eq!(by_ffmpeg(&copy), before, "{}", path.display());
        if path
            .extension()
            .is_some_and(|extension| extension == "flac")
        {
            run(
                "metaflac",
                &["--remove-tag=TITLE", "--set-tag=TITLE=Third", text(&path)],
            );
            assert_eq!(ours(&path), before, "{} after metaflac", path.display());
        }
    }
}

/// Formats whose packets are asked of ffmpeg, and what makes them.
const FOREIGN: [(&str, &[&str]); 12] = [
    ("a.wma", &["-c:a", "wmav2"]),
    ("b.wv", &["-c:a", "wavpack"]),
    ("c.mka", &["-c:a", "flac"]),
    ("d.tta", &["-c:a", "tta"]),
    ("e.ac3", &["-c:a", "ac3"]),
    ("f.aiff", &["-c:a", "adpcm_ima_qt"]),
    ("g.wav", &["-c:a", "adpcm_ms"]),
    ("h.caf", &["-c:a", "alac"]),
    ("i.webm", &["-c:a", "libopus"]),
    ("j.avi", &["-c:a", "libmp3lame"]),
    ("k.au", &["-c:a", "pcm_s16be"]),
    ("l.m4a", &["-c:a", "ac3"]),
];

#[test]
fn a_format_that_is_not_read_here_has_the_digest_that_ffmpeg_gives() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (name, options)) in FOREIGN.into_iter().enumerate() {
        let path = folder.path().join(name);
        let tone = format!("sine=frequency={}:duration=4", 300 + 20 * number);
        let mut words = vec!["-v", "error", "-y", "-f", "lavfi", "-i", &tone];
        words.extend(["-ar", "48000", "-metadata", "title=One"]);
        words.extend(options);
        words.push(text(&path));
        if !run("ffmpeg", &words) {
            return;
        }
        let before = ours(&path);
        assert_eq!(before, by_ffmpeg(&path), "{name}");
        let copy = folder.path().join(format!("again {name}"));
        let mut words = vec!["-v", "error", "-y", "-i", text(&path), "-c", "copy"];
        words.extend(["-metadata", "title=Another title, and a longer one"]);
        words.push(text(&copy));
        run("ffmpeg", &words);
        assert_eq!(ours(&copy), before, "{name} with another title");
    }
    let without = Decoders::default().audio_digest(&folder.path().join("b.wv"));
    assert!(without.is_err(), "there is nobody to ask");
}

#[test]
fn all_of_a_file_of_several_parts_counts() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, seconds: &str, options: &[&str]| {
        let path = folder.path().join(name);
        let tone = format!("sine=frequency=440:duration={seconds}");
        let mut words = vec!["-v", "error", "-y", "-f", "lavfi", "-i", &tone];
        words.extend(options);
        words.push(text(&path));
        run("ffmpeg", &words).then_some(path)
    };
    let Some(in_wav) = made("mpeg.wav", "3", &["-c:a", "libmp3lame"]) else {
        return;
    };
    assert_eq!(ours(&in_wav), by_ffmpeg(&in_wav), "MPEG in WAV");
    // ffmpeg loses the end of FLAC files that lie one behind another, and reads the first data chunk of two.
    let bytes = |name, seconds, options: &[&str]| {
        std::fs::read(made(name, seconds, options).unwrap()).unwrap()
    };
    let first = bytes("first.flac", "2", &[]);
    let second = bytes("second.flac", "1", &[]);
    let both = folder.path().join("both.flac");
    std::fs::write(&both, [first, second].concat()).unwrap();
    let digest = ours(&both);
    assert_ne!(digest, ours(&folder.path().join("first.flac")));
    run(
        "metaflac",
        &["--set-tag=TITLE=Longer than before", text(&both)],
    );
    assert_eq!(ours(&both), digest);

    let plain = ours(&made("plain.wav", "2", &["-c:a", "pcm_s16le"]).unwrap());
    let wav = std::fs::read(folder.path().join("plain.wav")).unwrap();
    let data = wav.windows(4).position(|four| four == b"data").unwrap();
    let (head, samples) = (&wav[..data], &wav[data + 8..]);
    let chunk =
        |samples: &[u8]| [b"data", &(samples.len() as u32).to_le_bytes()[..], samples].concat();
    let (one, two) = samples.split_at(samples.len() / 4 * 2);
    let mut cut = [head, &chunk(one), &chunk(two)].concat();
    let size = cut.len() as u32 - 8;
    cut[4..8].copy_from_slice(&size.to_le_bytes());
    let path = folder.path().join("two data.wav");
    std::fs::write(&path, cut).unwrap();
    assert_eq!(ours(&path), plain);
}

#[test]
fn id3_tags_in_front_and_behind_leave_the_digest() {
    let folder = tempfile::tempdir().unwrap();
    for path in files(&folder) {
        if path.extension().is_none_or(|extension| extension != "mp3") {
            continue;
        }
        let before = ours(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        let mut id3v1 = b"TAG".to_vec();
        id3v1.resize(128, b' ');
        bytes.extend(id3v1);
        let mut front = b"ID3\x03\0\0\0\0\x02\0".to_vec();
        front.resize(10 + 256, 0);
        front.extend(bytes);
        std::fs::write(&path, front).unwrap();
        assert_eq!(ours(&path), before, "{}", path.display());
        assert_eq!(by_ffmpeg(&path), before, "{}", path.display());
    }
}

#[test]
fn other_audio_has_another_digest_and_none_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let wav = |name: &str, sample: u8| {
        let path = folder.path().join(name);
        let mut bytes =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\x40\0\0\0".to_vec();
        bytes.extend([sample; 64]);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    assert_ne!(ours(&wav("a.wav", 1)), ours(&wav("b.wav", 2)));
    assert_eq!(ours(&wav("c.wav", 1)), ours(&wav("d.wav", 1)));
    let words = folder.path().join("words.mp3");
    std::fs::write(&words, "no sound ".repeat(999)).unwrap();
    let own = Decoders::default();
    assert!(own.audio_digest(&words).is_err());
    assert!(own.audio_digest(&folder.path().join("gone.mp3")).is_err());
}
