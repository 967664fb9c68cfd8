//! What every place promises, asked of each of them.
#![expect(clippy::unwrap_used, reason = "a test ends with its first error")]

use std::collections::BTreeMap;
use std::path::Path;

use blob::{
    Bucket, Bytes, Child, Digests, Key, Kind, Metadata, PART_BYTES, Parts, Proof, Reason, Remote,
    Settings, Upload,
};
use futures_util::StreamExt as _;
use testkit::stores::{ACCESS_KEY, Habit, ObjectStore, SECRET_KEY, StoreFault};

/// A place, and what keeps it there.
struct Place {
    bucket: Bucket,
    store: Option<ObjectStore>,
    folder: tempfile::TempDir,
}

fn remote(store: &ObjectStore, kind: Kind) -> Bucket {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let keys = format!(r#"{{"access_key": "{ACCESS_KEY}", "secret_key": "{SECRET_KEY}"}}"#);
    std::fs::write(&file, keys).unwrap();
    let settings = Settings {
        kind,
        endpoint: Some(store.url()),
        credentials_file: (kind != Kind::Gcs).then_some(file),
    };
    Bucket::remote(Remote::open(&settings, "raw").unwrap())
}

fn places() -> Vec<(&'static str, Place)> {
    let at = |kind: Kind, habit: Habit| {
        let store = ObjectStore::start(habit, &["raw"]);
        Place {
            bucket: remote(&store, kind),
            store: Some(store),
            folder: tempfile::tempdir().unwrap(),
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let local = Place {
        bucket: Bucket::local(folder.path().join("raw")),
        store: None,
        folder,
    };
    vec![
        ("local", local),
        ("S3", at(Kind::S3, Habit::S3)),
        ("MinIO", at(Kind::Minio, Habit::S3)),
        ("R2, whose parts have no MD5", at(Kind::R2, Habit::NoMd5)),
        ("S3 without ListBucket", at(Kind::S3, Habit::NoList)),
        ("S3 with versions", at(Kind::S3, Habit::Versions)),
        ("Google", at(Kind::Gcs, Habit::Google)),
    ]
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn metadata() -> Metadata {
    BTreeMap::from([
        ("barcode".to_owned(), "32044".to_owned()),
        ("encrypted_etag".to_owned(), "abc".to_owned()),
    ])
}

/// Bytes that repeat nowhere near.
fn bytes(count: u64) -> Vec<u8> {
    let mut state = 1u64;
    let step = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    (0..count).map(step).collect()
}

async fn all(bucket: &Bucket, name: &str) -> Vec<u8> {
    let mut reader = bucket.read(&key(name)).await.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = reader.piece().await.unwrap() {
        all.extend_from_slice(&piece);
    }
    all
}

fn upload(folder: &Path) -> Upload {
    Upload::new(folder.join("32044.upload.json"), Parts::new(8))
}

#[test]
fn small_objects_are_stored_told_read_listed_and_removed() {
    for (name, place) in places() {
        let bucket = &place.bucket;
        run(async {
            let body = Bytes::from_static(b"some bytes");
            let stored = bucket
                .put(&key("run/a.txt"), body.clone(), &metadata())
                .await
                .unwrap();
            assert_eq!(stored.size, 10, "{name}");
            let again = bucket
                .put(&key("run/a.txt"), body, &metadata())
                .await
                .unwrap();
            assert_eq!(again.size, 10, "{name}: an object is replaced");
            bucket
                .put(&key("run/deep/$b.tar.gz"), Bytes::new(), &Metadata::new())
                .await
                .unwrap();
            bucket
                .put(&key("runner/c"), Bytes::from_static(b"c"), &Metadata::new())
                .await
                .unwrap();
            let head = bucket.head(&key("run/a.txt")).await.unwrap().unwrap();
            assert_eq!(head.size, 10, "{name}");
            if bucket.keeps_metadata() {
                assert_eq!(head.metadata, metadata(), "{name}");
            }
            assert_eq!(all(bucket, "run/a.txt").await, b"some bytes", "{name}");
            let listed: Vec<_> = bucket.list(&key("run")).collect().await;
            let mut listed: Vec<(String, u64)> = listed
                .into_iter()
                .map(|entry| entry.unwrap())
                .map(|entry| (entry.key.to_string(), entry.size))
                .collect();
            listed.sort();
            let expected = [
                ("run/a.txt".to_owned(), 10),
                ("run/deep/$b.tar.gz".to_owned(), 0),
            ];
            assert_eq!(
                listed, expected,
                "{name}: another folder's objects are not listed"
            );
            let everything = bucket.list(None).collect::<Vec<_>>().await.len();
            assert_eq!(everything, 3, "{name}: all of a bucket is listed");
            let right_in = |children: Vec<Child>| -> Vec<String> {
                let name = |child| match child {
                    Child::Object(entry) => entry.key.to_string(),
                    Child::Folder(key) => format!("{key}/"),
                };
                children.into_iter().map(name).collect()
            };
            let top = bucket.children(None).await.unwrap();
            assert_eq!(right_in(top), ["run/", "runner/"], "{name}");
            let run = bucket.children(Some(&key("run"))).await.unwrap();
            assert_eq!(right_in(run), ["run/a.txt", "run/deep/"], "{name}");
            let head = bucket.read_head(&key("run/a.txt"), 4).await.unwrap();
            assert_eq!(head, "some", "{name}");
            let whole = bucket.read_head(&key("run/a.txt"), 99).await.unwrap();
            assert_eq!(whole, "some bytes", "{name}");
            bucket.delete(&key("run/a.txt")).await.unwrap();
            bucket.delete(&key("run/a.txt")).await.unwrap();
            let gone = bucket.read(&key("run/a.txt")).await.unwrap_err();
            assert_eq!(gone.reason(), Reason::Missing, "{name}");
        });
    }
}

#[test]
fn a_few_bytes_take_one_request_where_the_answer_proves_them() {
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        let stored = run(place.bucket.put(&key("run/a"), "some".into(), &metadata()))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let methods = store.calls().into_iter().map(|call| call.method);
        let methods: Vec<_> = methods.collect();
        if stored.proof == Proof::Digest {
            assert_eq!(methods, ["PUT"], "{name}");
        } else {
            assert_eq!(methods, ["PUT", "HEAD", "GET"], "{name}");
        }
        assert_eq!(stored.size, 4, "{name}");
    }
}

#[test]
fn what_is_not_there_is_told_from_what_may_not_be_seen() {
    for (name, place) in places() {
        let head = run(place.bucket.head(&key("run/none")));
        if name.contains("ListBucket") {
            assert_eq!(head.unwrap_err().reason(), Reason::Denied, "{name}");
        } else {
            assert_eq!(head.unwrap(), None, "{name}");
        }
    }
}

#[test]
fn a_file_of_several_parts_is_stored_and_proved() {
    let content = bytes(2 * PART_BYTES + 12_345);
    for (name, place) in places() {
        let file = place.folder.path().join("staged");
        std::fs::write(&file, &content).unwrap();
        let digests = Digests::of(&content);
        let stored = run(place.bucket.store_file(
            &key("run/32044.tar.gz"),
            &file,
            &metadata(),
            &digests,
            &upload(place.folder.path()),
        ))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stored.size, digests.size, "{name}");
        let expected = match name {
            "local" => Proof::Moved,
            "R2, whose parts have no MD5" => Proof::ReadBack,
            _ => Proof::Digest,
        };
        assert_eq!(stored.proof, expected, "{name}");
        assert_eq!(
            run(all(&place.bucket, "run/32044.tar.gz")),
            content,
            "{name}"
        );
        assert!(
            !place.folder.path().join("32044.upload.json").exists(),
            "{name}"
        );
        if let Some(store) = &place.store {
            assert_eq!(store.unfinished(), Vec::<String>::new(), "{name}");
            let head = run(place.bucket.head(&key("run/32044.tar.gz")))
                .unwrap()
                .unwrap();
            assert_eq!(head.metadata, metadata(), "{name}");
        }
    }
}

#[test]
fn an_interrupted_upload_sends_no_confirmed_part_again() {
    let content = bytes(5 * PART_BYTES + 1);
    let digests = Digests::of(&content);
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        let file = place.folder.path().join("staged");
        std::fs::write(&file, &content).unwrap();
        let send = || {
            let upload = upload(place.folder.path());
            let (bucket, file, digests) = (place.bucket.clone(), file.clone(), digests.clone());
            async move {
                bucket
                    .store_file(&key("run/a"), &file, &metadata(), &digests, &upload)
                    .await
            }
        };
        // The last part never arrives: everything else is confirmed by then.
        store.fail(|call| {
            let last = call.method == "PUT" && call.target.contains("partNumber=6");
            last.then_some(StoreFault::Status(400))
        });
        run(send()).unwrap_err();
        store.recover();
        let before = store.calls().len();
        run(send()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let later = store.calls().split_off(before);
        let parts: Vec<_> = later
            .iter()
            .filter(|call| call.method == "PUT")
            .map(|call| call.target.clone())
            .collect();
        assert!(parts.len() < 6, "{name}: parts were sent again: {parts:?}");
        assert!(
            parts.iter().any(|part| part.contains("partNumber=6")),
            "{name}"
        );
        assert_eq!(run(all(&place.bucket, "run/a")), content, "{name}");
        assert_eq!(store.unfinished(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_upload_whose_last_answer_was_lost_is_not_sent_again() {
    let content = bytes(3 * PART_BYTES);
    let digests = Digests::of(&content);
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        let file = place.folder.path().join("staged");
        std::fs::write(&file, &content).unwrap();
        store.fail(|call| {
            let last = call.method == "POST" && call.target.contains("uploadId=");
            last.then_some(StoreFault::AnswerLost)
        });
        let mut metadata = metadata();
        metadata.insert(blob::SHA256.to_owned(), digests.sha256.clone());
        let upload = upload(place.folder.path());
        let stored =
            run(place
                .bucket
                .store_file(&key("run/a"), &file, &metadata, &digests, &upload));
        store.recover();
        if stored.is_err() {
            run(place
                .bucket
                .store_file(&key("run/a"), &file, &metadata, &digests, &upload))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let sent = store
            .calls()
            .iter()
            .filter(|call| call.method == "PUT")
            .count();
        assert_eq!(sent, 3, "{name}: each part is sent once");
        assert_eq!(run(all(&place.bucket, "run/a")), content, "{name}");
    }
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing() {
    let content = bytes(2 * PART_BYTES);
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        let file = place.folder.path().join("staged");
        std::fs::write(&file, &content).unwrap();
        store.fail(|call| {
            call.target
                .contains("partNumber=2")
                .then_some(StoreFault::Status(400))
        });
        let upload = upload(place.folder.path());
        let digests = Digests::of(&content);
        run(place
            .bucket
            .store_file(&key("run/a"), &file, &metadata(), &digests, &upload))
        .unwrap_err();
        store.recover();
        assert_eq!(store.unfinished().len(), 1, "{name}: the upload can go on");
        run(place.bucket.abandon(&upload)).unwrap();
        assert_eq!(store.unfinished(), Vec::<String>::new(), "{name}");
        run(place.bucket.abandon(&upload)).unwrap();
    }
}

#[test]
fn bytes_that_changed_on_their_way_are_not_stored() {
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        store.fail(|call| (call.method == "PUT").then_some(StoreFault::Flipped));
        let put = run(place.bucket.put(
            &key("run/a"),
            Bytes::from_static(b"some bytes"),
            &metadata(),
        ));
        if name.starts_with("R2") {
            assert_eq!(put.unwrap_err().reason(), Reason::Different, "{name}");
        } else {
            // The store has computed the digest before its disk changed a bit; only reading finds that.
            assert_eq!(put.unwrap().size, 10, "{name}");
        }
    }
}

#[test]
fn a_part_that_changed_on_its_way_is_sent_again_and_what_is_there_is_told_by_its_bytes() {
    let content = bytes(2 * PART_BYTES + 9);
    let digests = Digests::of(&content);
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        let file = place.folder.path().join("staged");
        std::fs::write(&file, &content).unwrap();
        let upload = upload(place.folder.path());
        let mut metadata = metadata();
        metadata.insert(blob::SHA256.to_owned(), digests.sha256.clone());
        let send = || {
            run(place
                .bucket
                .store_file(&key("run/a"), &file, &metadata, &digests, &upload))
        };
        // A store that lets nobody list it says "denied" of what is not there.
        let holds = || matches!(run(place.bucket.holds(&key("run/a"), &digests)), Ok(true));
        assert!(!holds(), "{name}: there is nothing yet");
        let mut flips = 1;
        store.fail(move |call| {
            let is_last = call.method == "POST" && call.target.contains("uploadId=");
            flips -= i32::from(is_last);
            (is_last && flips == 0).then_some(StoreFault::Flipped)
        });
        let first = send();
        // Where the `ETag` is a digest it is that of what came; what the disk made of it later, only reading tells.
        if name.starts_with("R2") {
            assert_eq!(first.unwrap_err().reason(), Reason::Different, "{name}");
        }
        assert!(
            !holds(),
            "{name}: size, name and metadata are right, and a bit is not"
        );
        store.recover();
        send().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(holds(), "{name}");
        assert_eq!(run(all(&place.bucket, "run/a")), content, "{name}");
        assert_eq!(store.unfinished(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_store_that_is_down_is_told_from_one_that_refuses() {
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        store.fail(|_| Some(StoreFault::Status(403)));
        let body = Bytes::from_static(b"x");
        let refused = run(place.bucket.put(&key("run/a"), body.clone(), &metadata())).unwrap_err();
        assert_eq!(refused.reason(), Reason::Denied, "{name}");
        let mut left = 2;
        store.fail(move |_| {
            left -= 1;
            (left >= 0).then_some(StoreFault::Status(503))
        });
        run(place.bucket.put(&key("run/a"), body, &metadata()))
            .unwrap_or_else(|error| panic!("{name}: a busy store is asked again: {error}"));
    }
}

#[test]
fn what_a_killed_process_left_is_removed_and_what_another_one_writes_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::local(folder.path());
    let (left, held) = (
        folder.path().join(".accession-left"),
        folder.path().join(".accession-held"),
    );
    std::fs::write(&left, "half").unwrap();
    let other = std::fs::File::create(&held).unwrap();
    other.lock().unwrap();
    run(bucket.put(&key("a.txt"), Bytes::from("whole"), &Metadata::new())).unwrap();
    assert!(!left.exists());
    assert!(held.exists());
    assert_eq!(run(all(&bucket, "a.txt")), b"whole");
    drop(other);
    run(bucket.put(&key("b.txt"), Bytes::from("whole"), &Metadata::new())).unwrap();
    let names = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.txt", "b.txt"]);
}

#[test]
fn a_local_object_is_never_seen_half_written_and_keeps_to_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::local(folder.path().join("raw"));
    std::fs::create_dir_all(folder.path().join("raw/a/is-a-folder")).unwrap();
    let refused = run(bucket.put(&key("a/is-a-folder"), Bytes::from_static(b"x"), &metadata()));
    assert!(refused.is_err());
    let names: Vec<_> = std::fs::read_dir(folder.path().join("raw/a"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["is-a-folder"], "nothing stays beside it");
}

/// Where a disk was mounted, its folder is there after it is gone, and empty. Two disks are needed to see that.
#[cfg(target_os = "linux")]
#[test]
fn the_empty_folder_of_a_disk_that_is_gone_is_not_the_disk() {
    use std::os::unix::fs::MetadataExt as _;
    let (disk, below) = (tempfile::tempdir_in("/dev/shm"), tempfile::tempdir());
    let (Ok(disk), Ok(below)) = (disk, below) else {
        eprintln!("skipped: no folder in memory");
        return;
    };
    let number = |path: &Path| std::fs::metadata(path).unwrap().dev();
    if number(disk.path()) == number(below.path()) {
        eprintln!("skipped: one disk");
        return;
    }
    let root = below.path().join("raw");
    let point = below.path().join("point");
    std::fs::create_dir(&point).unwrap();
    let mount = |on: &Path| {
        let _ = std::fs::remove_file(&root);
        std::os::unix::fs::symlink(on, &root).unwrap();
    };
    mount(disk.path());
    let bucket = Bucket::local_kept(&root);
    bucket.check_there().unwrap();
    let key = Key::new("a/b").unwrap();
    let put = || run(bucket.put(&key, Bytes::from_static(b"x"), &Metadata::new()));
    put().unwrap();
    mount(&point);
    let gone = [
        put().unwrap_err(),
        run(bucket.head(&key)).unwrap_err(),
        run(bucket.children(None)).unwrap_err(),
    ];
    for error in gone {
        assert_eq!(error.reason(), Reason::Unavailable, "{error}");
    }
    assert_eq!(std::fs::read_dir(&point).unwrap().count(), 0);
    mount(disk.path());
    put().unwrap();
    assert!(run(bucket.head(&key)).unwrap().is_some());
}

#[test]
fn names_that_cannot_be_used_hide_no_others() {
    for (name, place) in places() {
        let Some(store) = &place.store else { continue };
        let bucket = &place.bucket;
        for usable in ["music/a.flac", "music/c/d.flac"] {
            run(bucket.put(&key(usable), Bytes::from_static(b"x"), &metadata())).unwrap();
        }
        // Whoever fills the bucket by other means.
        let odd = store.file("raw", "music/b\tb.flac");
        std::fs::write(&odd, b"x").unwrap();
        std::fs::create_dir_all(store.file("raw", "music/e\u{1}e")).unwrap();
        std::fs::write(store.file("raw", "music/e\u{1}e/f.flac"), b"x").unwrap();
        let music = key("music");
        run(async {
            let listed = bucket.list(Some(&music));
            let listed: Vec<_> = listed
                .map(|found| found.unwrap().key.to_string())
                .collect()
                .await;
            let children = bucket.children(Some(&music)).await;
            if name == "S3 without ListBucket" {
                return;
            }
            assert_eq!(listed, ["music/a.flac", "music/c/d.flac"], "{name}");
            assert_eq!(children.unwrap().len(), 2, "{name}");
        });
    }
}
