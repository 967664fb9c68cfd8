//! What other programs keep about a sound stays with it while one of its files is left.

use crate::copies::{ALBUM, COMPILATION, passages, two_of_one_sound};
use crate::support::{Root, song};

/// A library of two files of one sound, both played, rated and put into a timeslot by other programs.
fn played() -> Root {
    let root = two_of_one_sound();
    let db = root.open();
    db.execute_batch(
        "CREATE TABLE play_history (guid TEXT PRIMARY KEY, \
            passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE, duration_played REAL NOT NULL); \
         CREATE TABLE \"ratings of \"\"Ann\"\"\" (passage TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE, \
            stars INTEGER); \
         CREATE TABLE timeslot_passages (timeslot_id TEXT, passage_id TEXT, PRIMARY KEY (timeslot_id, passage_id));",
    )
    .unwrap();
    for (path, plays, slot) in [(ALBUM, 3, "morning"), (COMPILATION, 2, "evening")] {
        let passage = passages(&root, path).remove(0);
        for play in 0..plays {
            let guid = format!("{path} {play}");
            db.execute(
                "INSERT INTO play_history VALUES (?1, ?2, 2.5)",
                [&guid, &passage],
            )
            .unwrap();
        }
        db.execute(
            "INSERT INTO \"ratings of \"\"Ann\"\"\" VALUES (?1, 4)",
            [&passage],
        )
        .unwrap();
        for slot in [slot, "noon"] {
            db.execute(
                "INSERT INTO timeslot_passages VALUES (?1, ?2)",
                [slot, &passage],
            )
            .unwrap();
        }
    }
    root
}

/// Plays, ratings and timeslots of the only passage of a file.
fn kept(root: &Root, path: &str) -> (i64, i64, Vec<String>) {
    let passage = passages(root, path).remove(0);
    let count = |table: &str, column: &str| {
        root.count(&format!(
            "SELECT count(*) FROM \"{table}\" WHERE {column} = '{passage}'"
        ))
    };
    let slots = root.column(&format!(
        "SELECT timeslot_id FROM timeslot_passages WHERE passage_id = '{passage}' ORDER BY 1"
    ));
    (
        count("play_history", "passage_id"),
        count("ratings of \"\"Ann\"\"", "passage"),
        slots,
    )
}

#[test]
fn plays_of_a_pruned_copy_go_to_the_one_that_stays() {
    let root = played();
    root.open()
        .execute("UPDATE passages SET user_title = 'By Hand'", [])
        .unwrap();
    std::fs::remove_file(root.join(ALBUM)).unwrap();
    root.import(&["--offline", "--prune"]).ended(0);
    let all = ["evening", "morning", "noon"].map(str::to_owned).to_vec();
    assert_eq!(kept(&root, COMPILATION), (5, 2, all));
    let titles = "SELECT value || ' ' || source FROM accession_edits WHERE field = 'title'";
    assert_eq!(root.column(titles), ["By Hand wkmp"]);
    root.assert_sound();
}

#[test]
fn plays_of_a_sound_go_to_its_other_file_where_another_sound_takes_its_path() {
    let root = played();
    let before = kept(&root, COMPILATION);
    assert_eq!(before.0, 2);
    song(&root.join("new.wav"), 9);
    std::fs::rename(root.join("new.wav"), root.join(ALBUM)).unwrap();
    root.import(&["--offline"]).ended(0);
    let all = ["evening", "morning", "noon"].map(str::to_owned).to_vec();
    assert_eq!(kept(&root, COMPILATION), (5, 2, all));
    assert_eq!(kept(&root, ALBUM).0, 0, "another song was never played");
    root.assert_sound();
}

/// Where passages start, and what they are called.
const NOW: &str = "SELECT start_time || ' ' || title FROM passages";

fn cut_and_name_both(root: &Root) {
    for (path, start, title) in [(ALBUM, "0.5", "Mine"), (COMPILATION, "1", "Theirs")] {
        let passage = passages(root, path).remove(0);
        root.music(&["edit", &passage, "--start", start, "--title", title])
            .ended(0);
    }
}

fn lose_the_compilation(root: &Root) {
    std::fs::remove_file(root.join(COMPILATION)).unwrap();
    root.import(&["--offline", "--prune"]).ended(0);
}

#[test]
fn what_was_inherited_is_taken_back_though_the_heir_was_cut_before() {
    let root = two_of_one_sound();
    cut_and_name_both(&root);
    let cuts = "SELECT edit_id FROM accession_edits WHERE field = 'cut' AND undone_at IS NULL ORDER BY edit_id";
    let cut = root.column(cuts);
    lose_the_compilation(&root);
    assert_eq!(root.column(NOW), ["0.5 Mine"]);
    // The album's own cut has nothing of the other one, and stays.
    root.music(&["edits", "--undo", &cut[1]]).ended(0);
    assert_eq!(root.column(cuts), cut[..1]);
    assert_eq!(root.column(NOW), ["0.5 Mine"]);
    // A later one of its own would go on saying what an earlier one said.
    let passage = passages(&root, ALBUM).remove(0);
    root.music(&["edit", &passage, "--start", "0.75"]).ended(0);
    let refused = root.music(&["edits", "--undo", &cut[0]]).ended(2);
    assert!(refused.err.contains("take back"), "{}", refused.err);
    root.assert_sound();
}

#[test]
fn words_of_two_files_of_one_sound_stay_apart_in_a_library_that_has_neither() {
    let root = two_of_one_sound();
    cut_and_name_both(&root);
    lose_the_compilation(&root);
    assert_eq!(root.column(NOW), ["0.5 Mine"]);
    let told = root.music(&["edits", "export"]).ended(0).out;

    let other = Root::empty();
    let file = other.home().join("edits.jsonl");
    std::fs::write(&file, &told).unwrap();
    for _ in 0..2 {
        other
            .music(&["edits", "import", file.to_str().unwrap()])
            .ended(0);
    }
    std::fs::create_dir(other.join("here")).unwrap();
    std::fs::copy(root.join(ALBUM), other.join("here/song.mp3")).unwrap();
    other.import(&["--offline"]).ended(0);
    assert_eq!(other.column(NOW), ["0.5 Mine"]);
    assert_eq!(
        other.count("SELECT count(*) FROM accession_edits"),
        told.lines().count() as i64
    );
    // The other one comes back where it was, with what was said about it.
    std::fs::create_dir(other.join("compilation")).unwrap();
    let sound = std::fs::read(root.join(ALBUM)).unwrap();
    let tagged = [&sound[..], b"TAG", &[b'y'; 125]].concat();
    std::fs::write(other.join(COMPILATION), tagged).unwrap();
    other.import(&["--offline"]).ended(0);
    other.import(&["--offline"]).ended(0);
    let all = "SELECT start_time || ' ' || p.title FROM passages p JOIN files f ON f.guid = p.file_id ORDER BY f.path";
    assert_eq!(other.column(all), ["1.0 Theirs", "0.5 Mine"]);
    other.assert_sound();
}
