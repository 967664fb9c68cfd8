//! The sample collection is whole and says what its golden facts say.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::collections::BTreeSet;

use lofty::file::{AudioFile, TaggedFileExt};
use lofty::tag::{Accessor, ItemKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::corpus;

fn golden() -> Vec<Value> {
    let text = std::fs::read_to_string(corpus::audio().join("golden.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    golden["files"].as_array().unwrap().clone()
}

#[test]
fn golden_facts_belong_to_these_files() {
    let music = corpus::audio().join("music");
    let mut total = 0;
    for fact in golden() {
        let path = music.join(fact["path"].as_str().unwrap());
        let bytes = std::fs::read(&path).unwrap();
        let hash = Sha256::digest(&bytes)
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(fact["sha256"], hash, "{}", path.display());
        assert_eq!(fact["bytes"], bytes.len());
        assert!(fact["fingerprint_raw"].as_array().unwrap().len() > 60);
        total += bytes.len();
    }
    assert!(
        total < 1_800_000,
        "{total} bytes are too much for a repository"
    );
}

#[test]
fn the_copy_is_the_whole_collection() {
    let folder = tempfile::TempDir::new().unwrap();
    let copied = corpus::collection_into(folder.path()).unwrap();
    let copied: BTreeSet<String> = copied
        .iter()
        .map(|path| {
            path.strip_prefix(folder.path())
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/")
        })
        .collect();
    let listed: BTreeSet<String> = golden()
        .iter()
        .map(|fact| fact["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(copied, listed);
    assert!(
        corpus::collection()
            .unwrap()
            .path()
            .join("Harbour Lights/Tides")
            .is_dir()
    );
}

#[test]
fn every_file_is_tagged() {
    let music = corpus::audio().join("music");
    for fact in golden() {
        let path = music.join(fact["path"].as_str().unwrap());
        let file = lofty::read_from_path(&path).unwrap();
        // The primary kind for WAV is ID3, but what these have is INFO.
        let tag = file
            .primary_tag()
            .or(file.first_tag())
            .unwrap_or_else(|| panic!("{} has no tag", path.display()));
        let name = path.file_stem().unwrap().to_str().unwrap();
        let title = tag.title().unwrap();
        assert!(name.ends_with(&*title), "{name} is called {title}");
        assert!(
            tag.artist().is_some()
                && tag.album().is_some()
                && tag.get_string(ItemKey::TrackNumber).is_some(),
            "{name}"
        );
        assert_eq!(
            fact["sample_rate"],
            file.properties().sample_rate().unwrap(),
            "{name}"
        );
        assert_eq!(
            fact["channels"],
            file.properties().channels().unwrap(),
            "{name}"
        );
    }
}

#[test]
fn ids_and_gain_are_where_taggers_put_them() {
    let tides = corpus::audio().join("music/Harbour Lights/Tides");
    let value = |file: &str, key| {
        let tagged = lofty::read_from_path(tides.join(file)).unwrap();
        tagged
            .primary_tag()
            .unwrap()
            .get_string(key)
            .map(str::to_owned)
    };
    for (file, recording, isrc) in [
        (
            "01 Slow Water.mp3",
            "6f9c1f4e-0d0b-4f6a-9a53-3b1f6f1c7a10",
            "XXTST2400001",
        ),
        (
            "02 Northern Pier.flac",
            "a4e7d2c9-51f3-4b8e-b0d6-2c7f98e3a511",
            "XXTST2400002",
        ),
    ] {
        assert_eq!(
            value(file, ItemKey::MusicBrainzRecordingId).as_deref(),
            Some(recording)
        );
        assert_eq!(value(file, ItemKey::Isrc).as_deref(), Some(isrc));
        assert!(
            value(file, ItemKey::ReplayGainTrackGain)
                .unwrap()
                .starts_with('-')
        );
    }
    let raw = std::fs::read(tides.join("01 Slow Water.mp3")).unwrap();
    assert!(raw.windows(4).any(|window| window == b"UFID"));
    assert!(raw.windows(4).any(|window| window == b"Xing"));
}
