//! Values and pages of a library that are not what they should be, and foreign files that cost too much.

use std::io::Write;

use crate::support::{Root, song};

#[test]
fn one_odd_value_stops_no_command() {
    let root = Root::empty();
    for number in 0..4 {
        song(&root.join(format!("{number}.wav")), number);
    }
    root.import(&[]).ended(0);
    let by_path =
        "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id ORDER BY f.path";
    let ids = root.column(by_path);
    let odd = format!(
        "UPDATE passages SET title = x'ff00', artist = 17 WHERE guid = '{}';
         UPDATE accession_sounds SET integrated_lufs = 'loud', flavor = x'00' WHERE passage_id = '{}';
         UPDATE passages SET start_time_ticks = 'never' WHERE guid = '{}'",
        ids[0], ids[1], ids[2]
    );
    let db = root.open();
    db.pragma_update(None, "ignore_check_constraints", true)
        .unwrap();
    db.execute_batch(&odd).unwrap();
    drop(db);
    for form in ["csv", "jsonl", "m3u8"] {
        let ran = root.music(&["export", "--as", form]).ended(1);
        for number in [0, 1, 3] {
            assert!(ran.out.contains(&format!("{number}.wav")), "{}", ran.out);
        }
        assert!(ran.err.contains("1 passage"), "{}", ran.err);
    }
    // What is odd of a file is left out, and the rest of it shown.
    let by_status = format!(
        "UPDATE files SET matching_hashes = 'none', sample_rate = 'high', duration_ticks = x'00' WHERE path = '3.wav';
         UPDATE passages SET status = x'00' WHERE guid = '{}'",
        ids[3]
    );
    let db = root.open();
    db.pragma_update(None, "ignore_check_constraints", true)
        .unwrap();
    db.execute_batch(&by_status).unwrap();
    drop(db);
    root.music(&["show", "2.wav", "--format", "json"]).ended(1);
    let shown = root.music(&["show", "2.wav"]).ended(1);
    assert!(
        shown.out.contains("1 more whose rows cannot be read"),
        "{}",
        shown.out
    );
    for name in ["0.wav", "1.wav", "3.wav", &ids[1], &ids[3]] {
        root.music(&["show", name]).ended(0);
    }
    root.music(&["status"]).ended(0);
    let checked = root.music(&["check"]).ended(1);
    for id in [&ids[0], &ids[2]] {
        let named = format!("value of a wrong type in passage: {id}");
        assert!(checked.out.contains(&named), "{}", checked.out);
    }
    root.music(&["similar", "3.wav"]).ended(0);
    // A path that leads out of the library is in no playlist.
    root.open()
        .execute_batch("UPDATE files SET path = '../outside.wav' WHERE path = '3.wav'")
        .unwrap();
    let list = root.music(&["export", "--as", "m3u8"]).ended(1);
    assert!(!list.out.contains("outside"), "{}", list.out);
    assert!(list.err.contains("2 passages"), "{}", list.err);
}

#[test]
fn a_check_lists_what_it_can_read_around_a_damaged_page() {
    let root = Root::empty();
    for number in 0..60 {
        song(&root.join(format!("{number}.wav")), number);
    }
    root.import(&[]).ended(0);
    let db = root.open();
    let sql = "SELECT pageno FROM dbstat WHERE name = 'passages' AND pagetype = 'leaf' ORDER BY pageno DESC LIMIT 1";
    let page: Result<u64, _> = db.query_row(sql, [], |row| row.get(0));
    let page = page.unwrap_or_else(|_| {
        // Without that table of SQLite: the root of the table, which is damage enough.
        db.query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'passages'",
            [],
            |row| row.get(0),
        )
        .unwrap()
    });
    drop(db);
    let mut bytes = std::fs::read(root.database()).unwrap();
    let at = (page as usize - 1) * 4096;
    bytes[at..at + 64].fill(0x5a);
    std::fs::write(root.database(), bytes).unwrap();
    std::fs::remove_file(root.join("7.wav")).unwrap();
    let checked = root.music(&["check"]).ended(1);
    assert!(checked.out.contains("integrity: "), "{}", checked.out);
    assert!(checked.out.contains("7.wav"), "{}", checked.out);
}

/// A name of 200 MB, packed into a fraction of that.
#[test]
fn a_dumps_names_cost_no_more_memory_than_names_do() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let dump = root.home().join("dump.tar.gz");
    let file = std::fs::File::create(&dump).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path("long").unwrap();
        header.set_size(200 << 20);
        header.set_cksum();
        packed.write_all(header.as_bytes()).unwrap();
        let zeros = vec![b'a'; 1 << 20];
        for _ in 0..200 {
            packed.write_all(&zeros).unwrap();
        }
    }
    packed.write_all(&[0; 1024]).unwrap();
    packed.finish().unwrap();
    // 250 MB for everything, the program and its threads too: bash's limit is on what is mapped privately.
    let script =
        "ulimit -d 150000; exec \"$0\" music flavor --from-dump \"$1\" --root-folder \"$2\"";
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", script]).arg(testkit::accession_bin());
    bash.arg(&dump).arg(root.path()).env("HOME", root.home());
    let read = bash.env("ACCESSION_OFFLINE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert_eq!(read.status.code(), Some(0), "{said}");
}
