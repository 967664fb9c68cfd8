//! A library under everything that a person does with files, at random and with kills in between, against a model of what
//! it must say: each file its own title, a person's word where it was said, one row for equal contents, ids that stay.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use testkit::kill::kill_after;
use testkit::services::{FakeServices, KEY, Linked, Recording, World};
use testkit::synth::Random;

use crate::identify::{online, with_services};
use crate::support::{Ran, Root, album, song};

/// How many things are done; ten thousand by hand.
const STEPS: &str = "ACCESSION_TEST_STEPS";
/// Which of all sequences.
const SEED: &str = "ACCESSION_TEST_SEED";

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// Sounds that AcoustID knows: a number of one, and of the title of its recording, is `FAMED` and more.
const FAMED: u64 = 900_000;
/// How many they are.
const FAMOUS: u64 = 12;

/// A file as the person knows it.
#[derive(Debug, Clone, PartialEq)]
struct File {
    sound: u64,
    title: u64,
    /// The title that a person said for it.
    said: Option<String>,
    /// The recording that a person said it is.
    chosen: Option<u64>,
    /// Its row, once it was seen alone of its sound.
    row: Option<String>,
}

impl File {
    fn has_word(&self) -> bool {
        self.said.is_some() || self.chosen.is_some()
    }
}

struct Soak {
    root: Root,
    /// Answers as long as it is there.
    _services: FakeServices,
    random: Random,
    files: BTreeMap<String, File>,
    next: u64,
    /// What was done, to be told where something is wrong.
    log: Vec<String>,
    /// Nothing was changed or killed since the last import.
    is_taken_in: bool,
}

fn title(number: u64) -> String {
    format!("Title {number}")
}

fn retag(path: &Path, number: u64) {
    // Of one length, so that sizes tell nothing.
    let title = format!("{:<12}", title(number));
    testkit::synth::wav::retag(path, &[("INAM", &title), ("IART", "Somebody")]).unwrap();
}

fn mbid(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn make(path: &Path, sound: u64) {
    if sound > FAMED {
        // Long enough for a fingerprint.
        album(path, sound, 1, 12.0);
    } else {
        song(path, sound);
    }
}

/// Services that know the famous sounds, by the fingerprints that they have.
fn services() -> FakeServices {
    let heard = Root::empty();
    for sound in FAMED + 1..=FAMED + FAMOUS {
        make(&heard.join(format!("{sound}.wav")), sound);
    }
    heard.import(&["--offline"]).ended(0);
    let fingerprints = heard.column(
        "SELECT p.fingerprint FROM accession_fingerprints p JOIN passages ON passages.guid = p.passage_id \
         JOIN files f ON f.guid = passages.file_id ORDER BY f.path",
    );
    assert_eq!(fingerprints.len() as u64, FAMOUS);
    let mut world = World::default();
    for (at, fingerprint) in fingerprints.iter().enumerate() {
        let number = FAMED + 1 + at as u64;
        world.recordings.push(Recording {
            mbid: mbid(number),
            title: title(number),
            artist: "Somebody".to_owned(),
            artist_mbid: mbid(1),
            length_ms: 12_000,
            ..Recording::default()
        });
        let said = Linked {
            recording: at,
            sources: 40,
            former: None,
            nameless: false,
        };
        world.know(fingerprint, 1.0, vec![said]);
    }
    FakeServices::start(world).unwrap()
}

impl Soak {
    fn begin(seed: u64) -> Self {
        let fake = services();
        let mut soak = Self {
            root: with_services(&fake),
            _services: fake,
            random: Random::new(seed),
            files: BTreeMap::new(),
            next: 1,
            log: Vec::new(),
            is_taken_in: false,
        };
        for _ in 0..6 {
            soak.add();
        }
        soak
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A path that nothing had before, by a name that nothing has.
    fn new_path(&mut self) -> String {
        let (folder, name) = (self.random.below(4), self.number());
        format!("folder {folder}/song {name}.wav")
    }

    fn any(&mut self, fits: impl Fn(&File) -> bool) -> Option<String> {
        let paths: Vec<_> = self.files.iter().filter(|(_, file)| fits(file)).collect();
        (!paths.is_empty()).then(|| self.random.pick(&paths).0.clone())
    }

    fn has_twin(&self, path: &str) -> bool {
        let sound = self.files[path].sound;
        self.files
            .values()
            .filter(|file| file.sound == sound)
            .count()
            > 1
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
        self.is_taken_in = false;
    }

    /// A sound, of which many are known to nobody, and the title of a recording of it or another one.
    fn sound(&mut self) -> (u64, u64) {
        let famous = FAMED + 1 + self.random.below(FAMOUS);
        match self.random.below(4) {
            0 => (famous, famous),
            1 => (famous, self.number()),
            _ => (self.number(), self.number()),
        }
    }

    fn add(&mut self) {
        let path = self.new_path();
        let (sound, title) = self.sound();
        make(&self.root.join(&path), sound);
        retag(&self.root.join(&path), title);
        self.note(format!("add {path}: sound {sound}, title {title}"));
        let file = File {
            sound,
            title,
            said: None,
            chosen: None,
            row: None,
        };
        self.files.insert(path, file);
    }

    fn copy(&mut self, is_retagged: bool) {
        // Of two equal files nobody can say which one a word was about.
        let Some(from) = self.any(|file| is_retagged || !file.has_word()) else {
            return;
        };
        let to = self.new_path();
        std::fs::create_dir_all(self.root.join(&to).parent().unwrap()).unwrap();
        std::fs::copy(self.root.join(&from), self.root.join(&to)).unwrap();
        let mut file = File {
            said: None,
            chosen: None,
            row: None,
            ..self.files[&from].clone()
        };
        if is_retagged {
            file.title = self.number();
            retag(&self.root.join(&to), file.title);
        }
        self.note(format!("copy {from} to {to}, title {}", file.title));
        self.files.insert(to, file);
    }

    fn retag(&mut self) {
        let Some(path) = self.any(|_| true) else {
            return;
        };
        let sound = self.files[&path].sound;
        // A file with a word must not become the copy of another one, which has none.
        let may_be_equal = sound > FAMED && !self.files[&path].has_word();
        let is_right = may_be_equal && self.random.below(2) == 0;
        let title = if is_right { sound } else { self.number() };
        retag(&self.root.join(&path), title);
        self.note(format!("retag {path}: title {title}"));
        self.files.get_mut(&path).unwrap().title = title;
    }

    /// To another folder; files keep their names, by which those of one sound are told apart.
    fn go(&mut self, is_retagged: bool) {
        let Some(from) = self.any(|_| true) else {
            return;
        };
        let name = from.rsplit('/').next().unwrap();
        let to = format!("folder {}/{name}", self.random.below(9));
        if self.files.contains_key(&to) {
            return;
        }
        std::fs::create_dir_all(self.root.join(&to).parent().unwrap()).unwrap();
        std::fs::rename(self.root.join(&from), self.root.join(&to)).unwrap();
        let mut file = self.files.remove(&from).unwrap();
        if is_retagged {
            file.title = self.number();
            retag(&self.root.join(&to), file.title);
        }
        self.note(format!("move {from} to {to}, title {}", file.title));
        self.files.insert(to, file);
    }

    fn swap(&mut self) {
        let (Some(one), Some(other)) = (self.any(|_| true), self.any(|_| true)) else {
            return;
        };
        if self.files[&one].sound == self.files[&other].sound {
            return;
        }
        let [first, second, aside] =
            [&one, &other, &"aside".to_owned()].map(|path| self.root.join(path));
        std::fs::rename(&first, &aside).unwrap();
        std::fs::rename(&second, &first).unwrap();
        std::fs::rename(&aside, &second).unwrap();
        self.note(format!("swap {one} and {other}"));
        let (first, second) = (self.files[&one].clone(), self.files[&other].clone());
        self.files.insert(one, second);
        self.files.insert(other, first);
    }

    fn remove(&mut self) {
        let path = self.any(|file| !file.has_word());
        let Some(path) = path.filter(|_| self.files.len() > 4) else {
            return;
        };
        std::fs::remove_file(self.root.join(&path)).unwrap();
        self.note(format!("remove {path}"));
        self.files.remove(&path);
    }

    fn overwrite(&mut self) {
        let Some(path) = self.any(|file| !file.has_word()) else {
            return;
        };
        let (sound, title) = self.sound();
        make(&self.root.join(&path), sound);
        retag(&self.root.join(&path), title);
        self.note(format!("overwrite {path}: sound {sound}, title {title}"));
        *self.files.get_mut(&path).unwrap() = File {
            sound,
            title,
            said: None,
            chosen: None,
            row: None,
        };
    }

    /// A file that is alone of its content in a library that knows it, and its passage.
    fn spoken_of(&mut self) -> Option<(String, String)> {
        let path = self.any(|_| true).filter(|_| self.is_taken_in)?;
        let equal = |file: &&File| {
            (file.sound, file.title) == (self.files[&path].sound, self.files[&path].title)
        };
        if self.files.values().filter(equal).count() > 1 {
            return None;
        }
        let mut passage = self.root.column(&format!(
            "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = '{path}'"
        ));
        Some((path, passage.remove(0)))
    }

    /// A person says which recording a file is.
    fn choose(&mut self) {
        let Some((path, passage)) = self.spoken_of() else {
            return;
        };
        let number = FAMED + 1 + self.random.below(FAMOUS);
        let words = ["identify", "--set", &passage, &mbid(number)];
        Ran::of(online(&self.root, &words, Some(KEY)).output().unwrap()).ended(0);
        self.log.push(format!("choose {path}: {number}"));
        self.files.get_mut(&path).unwrap().chosen = Some(number);
        self.compare();
    }

    /// Everything that the services know is found, and nothing else.
    fn identify(&mut self) {
        let words = ["identify", "--retry"];
        Ran::of(online(&self.root, &words, Some(KEY)).output().unwrap()).ended(0);
        self.log.push("identify".to_owned());
        if self.is_taken_in {
            self.compare_recordings();
        }
    }

    fn compare_recordings(&self) {
        let there: BTreeMap<String, String> = self
            .root
            .column(
                "SELECT f.path || '|' || coalesce(p.recording_mbid, '') FROM passages p JOIN files f ON f.guid = p.file_id",
            )
            .into_iter()
            .map(|row| row.split_once('|').map(|(path, mbid)| (path.to_owned(), mbid.to_owned())).unwrap())
            .collect();
        for (path, found) in &there {
            let Some(file) = self.files.get(path) else {
                // Gone, and not pruned yet.
                continue;
            };
            let of = |other: &&File| (other.sound, other.title) == (file.sound, file.title);
            let chosen = self.files.values().filter(of).find_map(|file| file.chosen);
            let wanted = match chosen {
                Some(number) => mbid(number),
                None if file.sound > FAMED && file.sound == file.title => mbid(file.sound),
                None if file.sound > FAMED => continue,
                None => String::new(),
            };
            assert_eq!(*found, wanted, "{path}\n{}", self.told());
        }
    }

    /// A person says a title, or takes back what they said.
    fn say(&mut self) {
        let Some((path, passage)) = self.spoken_of() else {
            return;
        };
        if self.files[&path].has_word() {
            self.root.music(&["edit", &passage, "--reset"]).ended(0);
            self.log.push(format!("take back {path}"));
            let file = self.files.get_mut(&path).unwrap();
            (file.said, file.chosen) = (None, None);
        } else {
            let title = format!("Said {}", self.number());
            self.root
                .music(&["edit", &passage, "--title", &title])
                .ended(0);
            self.log.push(format!("say {path}: {title}"));
            self.files.get_mut(&path).unwrap().said = Some(title);
        }
        self.compare();
    }

    fn kill(&mut self) {
        let delay = Duration::from_millis(self.random.below(400));
        kill_after(self.root.import_command(&["--offline"]), delay).unwrap();
        self.note(format!("killed after {delay:?}"));
    }

    fn import(&mut self, options: &[&str]) {
        let ran = self
            .root
            .import(&[&["--offline", "--jobs", "2"], options].concat())
            .ended(0);
        self.log.push(format!("import {options:?}"));
        assert_eq!(ran.files("failed"), 0, "{}", self.told());
        self.is_taken_in = true;
        self.compare();
        if options.contains(&"--prune") {
            let checked = self.root.music(&["check"]);
            assert_eq!(checked.code, Some(0), "{}\n{}", checked.out, self.told());
        }
    }

    fn told(&self) -> String {
        let from = self.log.len().saturating_sub(60);
        self.log[from..].join("\n")
    }

    /// What is in the library is what the model says, and nothing else.
    fn compare(&mut self) {
        let there: BTreeMap<String, Vec<String>> = self
            .root
            .column(
                "SELECT json_array(f.path, f.guid, f.status, f.hash, (SELECT group_concat(p.title, '|') FROM passages p \
                 WHERE p.file_id = f.guid)) FROM files f",
            )
            .into_iter()
            .map(|row| {
                let row: Vec<Option<String>> = serde_json::from_str(&row).unwrap();
                let mut row: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
                (row.remove(0), row)
            })
            .collect();
        let mut contents: BTreeMap<(u64, u64), Vec<&String>> = BTreeMap::new();
        for (path, file) in &self.files {
            contents
                .entry((file.sound, file.title))
                .or_default()
                .push(path);
        }
        for (content, paths) in &contents {
            let rows: Vec<_> = paths.iter().map(|path| (path, there.get(*path))).collect();
            let originals: Vec<_> = rows
                .iter()
                .filter_map(|(_, row)| row.filter(|row| row[1] == "INGEST COMPLETE"))
                .collect();
            let said = paths.iter().find_map(|path| self.files[*path].said.clone());
            let chosen = paths.iter().find_map(|path| self.files[*path].chosen);
            let found = title(content.0);
            let is_found = |shown: &str| said.is_none() && chosen.is_none() && shown == found;
            let title = said.clone().unwrap_or(title(chosen.unwrap_or(content.1)));
            let is_right = rows.iter().all(|(_, row)| row.is_some())
                && originals.len() == 1
                // The name of what the services found counts above a tag's.
                && (originals[0][3].trim_end() == title || is_found(&originals[0][3]))
                && rows
                    .iter()
                    .flat_map(|(_, row)| row)
                    .all(|row| row[2] == originals[0][2]);
            assert!(is_right, "expected `{title}` of {rows:#?}\n{}", self.told());
        }
        let lone: BTreeSet<String> = self
            .files
            .keys()
            .filter(|path| !self.has_twin(path))
            .cloned()
            .collect();
        for path in self.files.keys().cloned().collect::<Vec<_>>() {
            let row = &there[&path][0];
            let is_lone = lone.contains(&path);
            let file = self.files.get_mut(&path).unwrap();
            let known = file.row.take();
            if let Some(known) = known.filter(|_| is_lone) {
                assert_eq!(*row, known, "the row of {path}\n{}", self.log.join("\n"));
            }
            file.row = is_lone.then(|| row.clone());
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..=8 => self.add(),
            9..=15 => self.copy(false),
            16..=22 => self.copy(true),
            23..=32 => self.retag(),
            33..=38 => self.go(false),
            39..=44 => self.go(true),
            45..=48 => self.swap(),
            49..=54 => self.remove(),
            55..=58 => self.overwrite(),
            59..=65 => self.say(),
            66..=68 => self.choose(),
            69..=73 => self.kill(),
            74..=78 => self.identify(),
            79..=90 => self.import(&[]),
            91..=97 => self.import(&["--prune"]),
            _ => self.import(&["--force"]),
        }
    }
}

#[test]
fn whatever_is_done_with_files_the_library_says_what_a_person_would() {
    let seed = number(SEED, 1);
    let mut soak = Soak::begin(seed);
    for _ in 0..number(STEPS, 120) {
        soak.step();
    }
    soak.import(&["--prune"]);
    let rows = soak.root.count("SELECT count(*) FROM files");
    assert_eq!(rows, i64::try_from(soak.files.len()).unwrap());
    soak.root.assert_sound();
}
