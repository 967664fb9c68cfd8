//! Files that several processes hear, some of them killed, become the library that one import makes of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::library::{Rules, assert_same};
use testkit::stores::{ACCESS_KEY, Habit, ObjectStore, SECRET_KEY, StoreFault};

use crate::killed::fill;
use crate::support::{Ran, Root, album, song};

/// Where records and lists go, and a library that lies elsewhere than the audio.
struct Cluster {
    root: Root,
    folder: TempDir,
    store: Option<ObjectStore>,
}

impl Cluster {
    fn new(root: Root) -> Self {
        Self {
            root,
            folder: TempDir::new().unwrap(),
            store: None,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.at("collected.db")
    }

    fn source(&self) -> String {
        match self.store {
            Some(_) => "s3://music/all".to_owned(),
            None => self.root.path().display().to_string(),
        }
    }

    fn records(&self) -> String {
        match self.store {
            Some(_) => "s3://records/of/music".to_owned(),
            None => self.at("records").display().to_string(),
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.root.command(&["music"]);
        command.args(words).args(["--format", "json"]);
        if let Some(store) = &self.store {
            command
                .env("AWS_ENDPOINT_URL", store.url())
                .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
                .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
                .env("AWS_REGION", "us-east-1");
        }
        command
    }

    fn hear(&self, words: &[&str]) -> Command {
        let mut command = self.command(&["hear", "--jobs", "1", "--source", &self.source()]);
        command.args(["--out", &self.records()]).args(words);
        command
    }

    fn collect(&self, words: &[&str]) -> Command {
        let database = self.database().display().to_string();
        let mut command = self.command(&["collect", &self.records(), "--source", &self.source()]);
        command.args(["--database", &database]).args(words);
        command
    }

    /// Divides the source into four lists and hears each in a process of its own; the second and third are killed and
    /// begun again. Returns how often each file was heard.
    fn hear_by_four(&self) -> BTreeMap<String, usize> {
        let lists = self.at("lists");
        let words = ["plan", "--shards", "4", "--source", &self.source()];
        let mut plan = self.command(&words);
        let planned = Ran::of(plan.arg("--out").arg(&lists).output().unwrap()).ended(0);
        let lists: Vec<_> = (0..4)
            .map(|n| lists.join(format!("shard-{n:05}.txt")))
            .collect();
        assert!(lists.iter().all(|list| list.is_file()), "{}", planned.out);
        let log = |round: usize, number: usize| self.at(&format!("heard-{round}-{number}.json"));
        let start = |round: usize, number: usize| -> Child {
            let list = lists[number].display().to_string();
            let mut hear = self.hear(&["--list", &list]);
            hear.stdout(File::create(log(round, number)).unwrap());
            hear.stderr(Stdio::null()).spawn().unwrap()
        };
        let mut running: Vec<Child> = (0..4).map(|number| start(0, number)).collect();
        std::thread::sleep(Duration::from_millis(700));
        for number in [1, 2] {
            running[number].kill().unwrap();
        }
        for child in &mut running {
            child.wait().unwrap();
        }
        let mut again: Vec<Child> = [1, 2].map(|number| start(1, number)).into();
        for child in &mut again {
            child.wait().unwrap();
        }
        let mut heard = BTreeMap::new();
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.starts_with("heard-") {
                continue;
            }
            // A process that was killed may have left half a line.
            let text = fs::read_to_string(path).unwrap();
            let lines = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            for event in lines.filter(|event: &serde_json::Value| event["event"] == "file_heard") {
                *heard
                    .entry(event["path"].as_str().unwrap().to_owned())
                    .or_default() += 1;
            }
        }
        heard
    }
}

/// What hearing elsewhere leaves to chance: how many runs there were, and by whose clock.
fn rules() -> Rules {
    Rules::default().without_table("import_sessions")
}

/// What is in a library besides music: sheets, copies of which one has a sheet, short texts in an old code page.
fn fill_more(root: &Path) {
    fill(root);
    let sheet = "FILE \"b.wav\" WAVE\n TRACK 01 AUDIO\n  TITLE \"One\"\n  INDEX 01 00:00:00\n \
                 TRACK 02 AUDIO\n  TITLE \"Two\"\n  INDEX 01 00:07:37\n";
    fs::write(root.join("Copies/b.cue"), sheet).unwrap();
    album(&root.join("Sheet/album.wav"), 9, 3, 4.0);
    fs::write(
        root.join("Sheet/album.cue"),
        sheet.replace("b.wav", "album.wav"),
    )
    .unwrap();
    fs::create_dir_all(root.join("folder.mp3")).unwrap();
}

#[test]
fn four_processes_hear_and_one_records_what_an_import_would_have() {
    let root = Root::empty();
    fill_more(&root.path());
    root.import(&["--jobs", "4"]).ended(1);
    let cluster = Cluster::new(root);
    // It follows from before the first record is there, is killed, and follows again.
    let follow = || {
        fs::create_dir_all(cluster.records()).unwrap();
        let mut command = cluster.collect(&["--follow"]);
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let mut killed = follow();
    let heard = std::thread::scope(|scope| {
        let hearing = scope.spawn(|| cluster.hear_by_four());
        std::thread::sleep(Duration::from_millis(1_500));
        killed.kill().unwrap();
        killed.wait().unwrap();
        hearing.join().unwrap()
    });
    assert!(heard.len() > 60, "{heard:?}");
    assert!(heard.values().all(|times| *times == 1), "{heard:?}");
    let collector = follow();
    // What the lists do not name, since it is no file: a folder with the name of one. Then it is over.
    let rest = Ran::of(cluster.hear(&["--finish"]).output().unwrap()).ended(1);
    assert_eq!(rest.told("file_heard"), [0; 0], "{}", rest.out);
    let collected = Ran::of(collector.wait_with_output().unwrap()).ended(1);
    assert_eq!(collected.completed()["state"], "completed");
    assert_same(&cluster.root.database(), &cluster.database(), &rules());

    // Nothing is to be done a second time, and no record is opened for that.
    let again = Ran::of(cluster.collect(&[]).output().unwrap()).ended(1);
    assert_eq!(again.files("recorded") + again.files("duplicate"), 0);
    let audio = again.files("unchanged");
    assert!(audio > 60, "{}", again.completed());

    // Files move, change places, get other tags and other contents, are copied, and go.
    let at = |name: &str| cluster.root.join(name);
    fs::rename(at("Copies"), at("Zweitstücke")).unwrap();
    fs::rename(at("Mixes/Mix.wav"), at("Mixes/Remix.wav")).unwrap();
    fs::remove_file(at("a copy.wav")).unwrap();
    song(&at("silence.wav"), 77);
    fs::remove_file(at("empty.flac")).unwrap();
    fs::remove_file(at("Sheet/album.cue")).unwrap();
    cluster.root.import(&["--prune", "--jobs", "4"]).ended(1);
    Ran::of(cluster.hear(&[]).output().unwrap()).ended(0);
    let collected = Ran::of(cluster.collect(&["--prune"]).output().unwrap()).ended(1);
    assert!(collected.files("moved") > 0, "{}", collected.completed());
    assert_same(&cluster.root.database(), &cluster.database(), &rules());
}

#[test]
fn files_in_a_bucket_become_the_library_that_a_folder_of_them_would() {
    let root = Root::empty();
    fill_more(&root.path());
    // An empty folder is nothing in a bucket.
    fs::remove_dir(root.join("folder.mp3")).unwrap();
    let mut cluster = Cluster::new(root);
    let store = ObjectStore::start(Habit::S3, &["music", "records"]);
    copy_folder(&cluster.root.path(), &store.file("music", "all"));
    cluster.root.import(&["--jobs", "4"]).ended(1);
    cluster.store = Some(store);
    let heard = cluster.hear_by_four();
    assert!(heard.len() > 60, "{heard:?}");
    assert!(heard.values().all(|times| *times == 1), "{heard:?}");
    Ran::of(cluster.collect(&[]).output().unwrap()).ended(1);
    // The state of sheets holds their times, which a bucket gives to its objects itself.
    let rules = rules().without_column("sheets");
    assert_same(&cluster.root.database(), &cluster.database(), &rules);
    let again = Ran::of(cluster.hear(&[]).output().unwrap()).ended(0);
    assert_eq!(again.told("file_heard").len(), 0);
}

#[test]
fn what_cannot_be_collected_makes_no_library_and_stops_nothing_else() {
    let root = Root::empty();
    song(&root.join("one.wav"), 1);
    song(&root.join("two.wav"), 2);
    let cluster = Cluster::new(root);
    fs::create_dir(cluster.records()).unwrap();
    let none = Ran::of(cluster.collect(&[]).output().unwrap()).ended(2);
    assert!(none.out.contains("there are no records"), "{}", none.out);
    assert!(!cluster.database().exists());
    let nowhere = cluster.command(&["collect", &cluster.records()]).output();
    let nowhere = Ran::of(nowhere.unwrap()).ended(2);
    assert!(
        nowhere.out.contains("no library is named"),
        "{}",
        nowhere.out
    );
    // A file outside the source, one that is not there, and one that is.
    let given = ["/etc/passwd", "three.wav", "two.wav"];
    let heard = Ran::of(cluster.hear(&given).output().unwrap()).ended(1);
    assert_eq!(heard.told("file_failed").len(), 2, "{}", heard.out);
    assert_eq!(heard.told("file_heard").len(), 1, "{}", heard.out);
    Ran::of(cluster.hear(&["one.wav"]).output().unwrap()).ended(0);
    // A record that is cut off is told, and what to do: hearing again does not help, since it is there.
    let records: Vec<_> = walk(Path::new(&cluster.records()));
    let of_one = records.iter().find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        heard.told("file_heard")[0]["record"]
            .as_str()
            .unwrap()
            .contains(&name)
    });
    let bytes = fs::read(of_one.unwrap()).unwrap();
    fs::write(of_one.unwrap(), &bytes[..bytes.len() / 2]).unwrap();
    let collected = Ran::of(cluster.collect(&[]).output().unwrap()).ended(1);
    assert_eq!(
        (collected.files("recorded"), collected.files("failed")),
        (1, 1)
    );
    let advice = "once it is removed, the file can be heard again";
    assert!(collected.out.contains(advice), "{}", collected.out);
    let again = Ran::of(cluster.hear(&["--check"]).output().unwrap()).ended(0);
    let number = |event| again.told(event).len();
    let heard_and_skipped = (number("file_heard"), number("file_skipped"));
    assert_eq!(heard_and_skipped, (1, 1), "{}", again.out);
    assert_eq!(fs::read(of_one.unwrap()).unwrap().len(), bytes.len());
    fs::remove_file(of_one.unwrap()).unwrap();
    let collected = Ran::of(cluster.collect(&[]).output().unwrap()).ended(1);
    let files = (collected.files("unchanged"), collected.files("not_reached"));
    assert_eq!(files, (1, 1), "{}", collected.completed());
}

#[test]
fn what_a_killed_process_brought_from_a_bucket_is_removed_by_the_next_one() {
    let root = Root::empty();
    song(&root.join("one.wav"), 1);
    let mut cluster = Cluster::new(root);
    let store = ObjectStore::start(Habit::S3, &["music", "records"]);
    copy_folder(&cluster.root.path(), &store.file("music", "all"));
    store.fail(|call| {
        let is_audio = call.method == "GET" && call.target.contains("one.wav");
        is_audio.then_some(StoreFault::Stalled(Duration::from_secs(30)))
    });
    cluster.store = Some(store);
    let temporary = cluster.at("temporary");
    fs::create_dir(&temporary).unwrap();
    let hear = || {
        let mut hear = cluster.hear(&[]);
        hear.env("TMPDIR", &temporary).stdout(Stdio::piped());
        hear
    };
    let left = || fs::read_dir(&temporary).unwrap().count();
    let mut killed = hear().spawn().unwrap();
    let begun = Instant::now();
    while left() == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(left() > 0);
    cluster.store.as_ref().unwrap().recover();
    let heard = Ran::of(hear().output().unwrap()).ended(0);
    assert_eq!(heard.told("file_heard").len(), 1, "{}", heard.out);
    assert_eq!(left(), 0);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
