//! What a person said stays, whatever is analysed, retagged, moved or begun anew; and a known sound costs its tags only.

use testkit::services::{FakeServices, KEY, World};

use crate::identify::{run, with_services};
use crate::support::Root;

/// Bounds, leads, fades and names of all passages, in order.
fn told(root: &Root) -> Vec<String> {
    root.column(
        "SELECT f.path || ' ' || p.guid || ' ' || start_time_ticks || '-' || end_time_ticks || ' ' \
            || coalesce(lead_in_start_ticks, '') || ',' || coalesce(lead_out_start_ticks, '') || ',' \
            || coalesce(fade_in_start_ticks, '') || ',' || coalesce(fade_out_start_ticks, '') || ' ' \
            || coalesce(p.title, '') || '|' || coalesce(p.artist, '') || '|' || coalesce(p.album, '') || '|' \
            || coalesce(p.title_source, '') \
         FROM passages p JOIN files f ON f.guid = p.file_id ORDER BY f.path, start_time_ticks",
    )
}

const SONG: &str = "Harbour Lights/Tides/01 Slow Water.mp3";
const RIP: &str = "Kassettenkinder/Seite A/Seite A.ogg";

fn passage(root: &Root, path: &str, number: usize) -> String {
    root.column(&format!(
        "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = '{path}' \
         ORDER BY start_time_ticks"
    ))[number]
        .clone()
}

/// Edits of every kind, on a file of one passage and on one of several.
fn say(root: &Root) {
    let song = passage(root, SONG, 0);
    root.music(&[
        "edit",
        &song,
        "--title",
        "My Water",
        "--artist",
        "My Band",
        "--album",
        "Mine",
        "--lead-in",
        "0.75",
        "--lead-out",
        "2.5",
        "--fade-in",
        "0.25",
        "--fade-out",
        "0:02.75",
    ])
    .ended(0);
    let first = passage(root, RIP, 0);
    let end = root.column(&format!(
        "SELECT end_time_ticks / 28224000.0 FROM passages WHERE guid = '{first}'"
    ));
    let end: f64 = end[0].parse().unwrap();
    root.music(&[
        "edit",
        &first,
        "--end",
        &format!("{:.3}", end - 0.5),
        "--title",
        "Cut By Hand",
    ])
    .ended(0);
}

/// As after a new version of the program that analyses otherwise.
fn forget_version(root: &Root) {
    root.open()
        .execute("UPDATE accession_files SET analysis_version = 0", [])
        .unwrap();
}

#[test]
fn every_edit_survives_a_new_analysis_a_retag_and_a_move() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let before = told(&root);
    say(&root);
    let said = told(&root);
    assert_ne!(said, before);
    assert!(
        said.iter()
            .any(|line| line.contains("My Water|My Band|Mine|person")),
        "{said:#?}"
    );
    assert!(said.iter().any(|line| line.contains("Cut By Hand|")));
    root.assert_sound();

    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(told(&root), said);
    forget_version(&root);
    root.import(&["--offline"]).ended(0);
    assert_eq!(told(&root), said);
    let cut_by = format!(
        "SELECT a.cut_by FROM accession_files a JOIN files f ON f.guid = a.file_id WHERE f.path = '{RIP}'"
    );
    assert_eq!(root.column(&cut_by), ["person"]);

    // An ID3v1 tag behind the frames is another file and the same sound.
    let path = root.join(SONG);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend([b"TAG".as_slice(), &[b'x'; 125]].concat());
    std::fs::write(root.join("moved and retagged.mp3"), bytes).unwrap();
    std::fs::remove_file(path).unwrap();
    let ran = root.import(&["--offline"]).ended(0);
    assert_eq!(ran.files("retagged"), 1, "{}", ran.out);
    assert_eq!(ran.files("missing"), 0, "{}", ran.out);
    let moved: Vec<_> = said
        .iter()
        .map(|line| line.replace(SONG, "moved and retagged.mp3"))
        .collect();
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(told(&root)), sorted(moved));
    root.assert_sound();
}

#[test]
fn edits_go_to_a_new_library_and_are_undone() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let without_ids = |root: &Root| -> Vec<String> {
        let ids = root.column("SELECT guid FROM passages");
        told(root)
            .into_iter()
            .map(|line| ids.iter().fold(line, |line, id| line.replace(id, "ID")))
            .collect()
    };
    let before = without_ids(&root);
    say(&root);
    let said = without_ids(&root);
    let file = root.home().join("edits.jsonl");
    let file = file.to_str().unwrap();
    root.music(&["edits", "export", "--output", file]).ended(0);

    let new = Root::collection();
    new.music(&["edits", "import", file]).ended(0);
    new.import(&["--offline"]).ended(0);
    assert_eq!(without_ids(&new), said);
    // As some editors save it.
    let marked = [b"\xef\xbb\xbf".as_slice(), &std::fs::read(file).unwrap()].concat();
    std::fs::write(file, marked).unwrap();
    let again = new.music(&["edits", "import", file]).ended(0);
    assert!(again.out.contains("0 of them new"), "{}", again.out);

    let late = Root::collection();
    late.import(&["--offline"]).ended(0);
    late.music(&["edits", "import", file]).ended(0);
    late.import(&["--offline"]).ended(0);
    assert_eq!(without_ids(&late), said);

    let numbers = root.column("SELECT edit_id FROM accession_edits");
    let mut words = vec!["edits", "--undo"];
    words.extend(numbers.iter().map(String::as_str));
    root.music(&words).ended(0);
    assert_eq!(without_ids(&root), before);
    assert_eq!(root.music(&["edits"]).ended(0).out, "");
}

#[test]
fn a_file_is_split_and_joined_by_hand() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let bounds = || {
        root.column(&format!(
            "SELECT start_time_ticks || '-' || end_time_ticks FROM passages p JOIN files f ON f.guid = p.file_id \
             WHERE f.path = '{SONG}' ORDER BY start_time_ticks"
        ))
    };
    let whole = bounds();
    let song = passage(&root, SONG, 0);
    root.music(&["edit", &song, "--split-at", "1.5"]).ended(0);
    assert_eq!(bounds().len(), 2);
    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(bounds().len(), 2);
    let described = "SELECT count(*) FROM passages p LEFT JOIN accession_sounds s ON s.passage_id = p.guid \
                     WHERE s.passage_id IS NULL";
    assert_eq!(root.count(described), 0);
    let first = passage(&root, SONG, 0);
    root.music(&["edit", &first, "--join"]).ended(0);
    assert_eq!(bounds(), whole);
    for (words, part) in [
        (&["--split-at", "9:00"][..], "a position inside the passage"),
        (&["--end", "9:00"], "a start before its end"),
        (&["--lead-in", "9:00"], "a position in the passage"),
        (&["--join"], "the last of its file"),
        (&[], "nothing to say"),
    ] {
        let mut all = vec!["edit", &first];
        all.extend(words);
        let ran = root.music(&all).ended(2);
        assert!(ran.err.contains(part), "{words:?}: {}", ran.err);
    }
    assert_eq!(bounds(), whole);
}

#[test]
fn retagged_files_are_not_decoded() {
    let root = Root::empty();
    let files = testkit::corpus::many(&root.path(), 100, 4.0).unwrap();
    root.import(&["--offline"]).ended(0);
    let told = root.music(&["import", "--offline"]).ended(0);
    assert!(
        told.out
            .starts_with("nothing new in 100 files\nunchanged: 100 files\n"),
        "{}",
        told.out
    );
    let ids = "SELECT guid FROM passages ORDER BY guid";
    let before = root.column(ids);
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let at = bytes.windows(5).position(|five| five == b"Song ").unwrap();
        let mut renamed = bytes[..at].to_vec();
        renamed.extend(b"Tune ");
        renamed.extend(&bytes[at + 5..]);
        std::fs::write(path, renamed).unwrap();
    }
    let ran = root.import(&["--offline"]).ended(0);
    assert_eq!(ran.files("retagged"), 100, "{}", ran.out);
    assert_eq!(ran.files("recorded"), 0, "{}", ran.out);
    let completed = ran.events().pop().unwrap();
    assert_eq!(completed["audio_seconds"], 0.0, "{completed}");
    // One write lock a file at most: files that wait together are written together.
    let units = completed["writes"]["units"].as_u64().unwrap();
    let transactions = completed["writes"]["transactions"].as_u64().unwrap();
    assert!(
        units <= 101 && transactions <= 101,
        "{}",
        completed["writes"]
    );
    assert_eq!(root.column(ids), before);
    let renamed = "SELECT count(*) FROM passages WHERE title LIKE 'Tune %'";
    assert_eq!(root.count(renamed), 100);
    assert_eq!(root.import(&["--offline"]).ended(0).files("retagged"), 0);

    let mut bytes = std::fs::read(&files[0]).unwrap();
    let at = bytes.windows(5).position(|five| five == b"Tune ").unwrap();
    bytes[at] = b'J';
    std::fs::write(&files[0], bytes).unwrap();
    std::fs::rename(&files[1], root.join("elsewhere.wav")).unwrap();
    let told = root.music(&["import", "--offline"]).ended(0);
    let summary = "nothing new in 100 files\nunchanged: 100 files\n\
                   moved: 1 `Artist 001/Album 0001/02 Song 1.wav` is now `elsewhere.wav`\n\
                   new tags: 1 `Artist 001/Album 0001/01 Song 0.wav`\n";
    assert!(told.out.starts_with(summary), "{}", told.out);
}

#[test]
fn a_chosen_song_keeps_its_name_and_a_rejected_one_gives_back_that_of_the_sheet() {
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    let root = with_services(&fake);
    testkit::corpus::collection_into(&root.path()).unwrap();
    std::fs::write(
        root.join("Kassettenkinder/Seite A/Seite A.cue"),
        "PERFORMER \"Sheet Band\"\nTITLE \"Sheet Album\"\nFILE \"Seite A.ogg\" WAVE\n  TRACK 01 AUDIO\n    \
         TITLE \"Sheet One\"\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    TITLE \"Sheet Two\"\n    \
         ISRC DEZ650800001\n    INDEX 01 00:04:00\n",
    )
    .unwrap();
    root.import(&["--offline"]).ended(0);
    let first = passage(&root, RIP, 0);
    let names = |column: &str| {
        root.column(&format!(
            "SELECT {column} FROM passages WHERE guid = '{first}'"
        ))[0]
            .clone()
    };
    assert_eq!(names("title"), "Sheet One");
    assert_eq!(
        root.column("SELECT isrc FROM accession_marks ORDER BY start_ticks")[1],
        "DEZ650800001"
    );
    let recording = fake.world().recordings[0].mbid.clone();
    run(&root, &["identify", "--set", &first, &recording], Some(KEY)).ended(0);
    let chosen = names("title || '|' || artist || '|' || title_source");
    assert!(chosen.ends_with("|musicbrainz"), "{chosen}");
    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(
        names("title || '|' || artist || '|' || title_source"),
        chosen
    );
    forget_version(&root);
    root.import(&["--offline"]).ended(0);
    assert_eq!(
        names("title || '|' || artist || '|' || title_source"),
        chosen
    );
    run(&root, &["identify", "--reject", &first], Some(KEY)).ended(0);
    assert_eq!(names("title"), "Sheet One");
    assert_eq!(names("artist"), "Sheet Band");
    assert_eq!(names("album"), "Sheet Album");
    assert_eq!(names("title_source"), "marks");
    assert_eq!(names("song_id"), "NULL");
}

/// A cut that is taken back leaves everything else that was said, and the passage its id, however much the cut took away.
#[test]
fn what_was_said_about_a_passage_goes_back_with_its_bounds() {
    let root = Root::empty();
    crate::support::album(&root.join("a.wav"), 3, 1, 20.0);
    crate::support::album(&root.join("rip.wav"), 4, 3, 20.0);
    root.import(&["--offline"]).ended(0);
    let passages = [passage(&root, "a.wav", 0), passage(&root, "rip.wav", 0)];
    for id in &passages {
        root.music(&[
            "edit",
            id,
            "--title",
            "Mine",
            "--lead-out",
            "15",
            "--no-song",
        ])
        .ended(0);
    }
    let before = told(&root);
    let cuts: [&[&str]; 2] = [&["--start", "13"], &["--join"]];
    for (id, cut) in passages.iter().zip(cuts) {
        root.music(&[&["edit", id][..], cut].concat()).ended(0);
        assert_ne!(told(&root), before);
        let last = root.column("SELECT max(edit_id) FROM accession_edits WHERE undone_at IS NULL");
        root.music(&["edits", "--undo", &last[0]]).ended(0);
        // The second half of a join is new, and everything that was said stands where it stood.
        let now = told(&root);
        let parts = |lines: &[String]| -> Vec<String> {
            lines
                .iter()
                .filter(|line| line.contains(id.as_str()))
                .cloned()
                .collect()
        };
        assert_eq!(parts(&now), parts(&before));
        root.import(&["--offline", "--force"]).ended(0);
        assert_eq!(parts(&told(&root)), parts(&before));
    }
    root.assert_sound();
}

/// A cut from elsewhere that no import has made yet is what the next one is made of.
#[test]
fn a_cut_is_made_of_what_was_said_and_not_of_what_is_still_there() {
    let root = Root::empty();
    crate::support::album(&root.join("rip.wav"), 5, 3, 20.0);
    root.import(&["--offline"]).ended(0);
    root.music(&["edit", &passage(&root, "rip.wav", 0), "--join"])
        .ended(0);
    let file = root.home().join("edits.jsonl");
    let file = file.to_str().unwrap();
    root.music(&["edits", "export", "--output", file]).ended(0);

    let new = Root::empty();
    std::fs::copy(root.join("rip.wav"), new.join("rip.wav")).unwrap();
    new.import(&["--offline"]).ended(0);
    new.music(&["edits", "import", file]).ended(0);
    new.music(&["edit", &passage(&new, "rip.wav", 2), "--end", "60"])
        .ended(0);
    let bounds =
        "SELECT round(start_time) || '-' || round(end_time) FROM passages ORDER BY start_time";
    assert_eq!(new.column(bounds), ["0.0-42.0", "44.0-60.0"]);
    new.import(&["--offline", "--force"]).ended(0);
    assert_eq!(new.column(bounds), ["0.0-42.0", "44.0-60.0"]);
}

#[test]
fn nothing_is_written_over_music() {
    let root = Root::empty();
    crate::support::song(&root.join("a.wav"), 6);
    root.import(&["--offline"]).ended(0);
    let (path, content) = (
        root.join("a.wav"),
        std::fs::read(root.join("a.wav")).unwrap(),
    );
    let name = path.to_str().unwrap();
    for command in [
        &["edits", "export", "--output", name][..],
        &["export", "--as", "m3u8", "--output", name],
        &["export", "--as", "parquet", "--output", name],
        &["show", "a.wav", "--svg", name],
        &["backup", "--replace", name],
    ] {
        root.music(command).ended(2);
        assert_eq!(std::fs::read(&path).unwrap(), content, "{command:?}");
    }
}

/// A short passage that is joined with a longer one begins as it did and keeps its names, whatever was said about that one.
#[test]
fn a_joined_passage_begins_as_its_first_half() {
    let root = Root::empty();
    crate::support::album(&root.join("rip.wav"), 7, 2, 30.0);
    root.import(&["--offline"]).ended(0);
    let first = passage(&root, "rip.wav", 0);
    root.music(&["edit", &first, "--end", "8", "--title", "Intro"])
        .ended(0);
    let second = passage(&root, "rip.wav", 1);
    root.music(&["edit", &second, "--start", "9"]).ended(0);
    let start = root.column(&format!(
        "SELECT start_time_ticks / 28224000.0 FROM passages WHERE guid = '{second}'"
    ));
    let later = format!("{:.2}", start[0].parse::<f64>().unwrap() + 2.0);
    let words = [
        "--title",
        "Song",
        "--artist",
        "Band",
        "--lead-in",
        &later,
        "--fade-in",
        &later,
    ];
    root.music(&[&["edit", &second][..], &words].concat())
        .ended(0);
    let beginning = "SELECT title || ' ' || coalesce(lead_in_start_ticks, start_time_ticks) || ' ' \
                        || coalesce(fade_in_start_ticks, start_time_ticks) FROM passages ORDER BY start_time_ticks";
    let before = root.column(beginning);
    root.music(&["edit", &first, "--join"]).ended(0);
    let joined = || root.column(beginning);
    assert_eq!(joined(), before[..1]);
    // What was said about one of both only is said about the whole.
    assert_eq!(root.column("SELECT artist FROM passages"), ["Band"]);
    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(joined(), before[..1]);
    let cut = root.column("SELECT max(edit_id) FROM accession_edits WHERE field = 'cut'");
    root.music(&["edits", "--undo", &cut[0]]).ended(0);
    assert_eq!(joined(), before);
}

/// A title that was said in another program counts again when ours is taken back.
#[test]
fn a_title_of_another_program_comes_back() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let song = passage(&root, SONG, 0);
    root.open()
        .execute(
            "UPDATE passages SET user_title = 'Theirs' WHERE guid = ?1",
            [&song],
        )
        .unwrap();
    let title = || {
        root.column(&format!(
            "SELECT coalesce(user_title, title) FROM passages WHERE guid = '{song}'"
        ))[0]
            .clone()
    };
    root.music(&["edit", &song, "--title", "Ours"]).ended(0);
    assert_eq!(title(), "Ours");
    let last = root.column("SELECT max(edit_id) FROM accession_edits");
    root.music(&["edits", "--undo", &last[0]]).ended(0);
    assert_eq!(title(), "Theirs");
    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(title(), "Theirs");
}

/// A decision that is taken back leaves the passage as it was: in doubt, with its candidates, and nobody is asked again.
#[test]
fn what_was_found_before_a_decision_comes_back_with_it() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let song = passage(&root, SONG, 0);
    let found = r#"{"heard":1.0,"candidates":[{"title":"Slow Water"}]}"#;
    root.open()
        .execute(
            "INSERT OR REPLACE INTO accession_identifications (passage_id, state, recording_mbid, confidence, level, \
                reasoning, start_time_ticks, end_time_ticks) \
             SELECT guid, 'doubtful', NULL, 0.4, 'low', ?2, start_time_ticks, end_time_ticks FROM passages \
             WHERE guid = ?1",
            [song.as_str(), found],
        )
        .unwrap();
    let stored = || {
        root.column(&format!(
            "SELECT state || ' ' || level || ' ' || confidence || ' ' || reasoning FROM accession_identifications \
             WHERE passage_id = '{song}'"
        ))
    };
    let before = stored();
    root.music(&["edit", &song, "--no-song"]).ended(0);
    assert!(stored()[0].starts_with("rejected "), "{:?}", stored());
    // Heard again and decided again, it is not forgotten what was found.
    root.import(&["--offline", "--force"]).ended(0);
    let last = root.column("SELECT max(edit_id) FROM accession_edits");
    root.music(&["edits", "--undo", &last[0]]).ended(0);
    assert_eq!(stored(), before);
}

/// A sheet that comes later divides a passage: what was said about it, and its id, stay with the larger part.
#[test]
fn what_was_said_about_a_passage_that_is_divided_stays_with_its_larger_part() {
    let root = Root::empty();
    crate::support::album(&root.join("rip.wav"), 9, 3, 20.0);
    let sheet = |tracks: &[&str]| {
        let tracks: Vec<_> = tracks
            .iter()
            .zip(1..)
            .map(|(at, number)| format!("  TRACK {number:02} AUDIO\n    INDEX 01 {at}\n"))
            .collect();
        std::fs::write(
            root.join("rip.cue"),
            format!("FILE \"rip.wav\" WAVE\n{}", tracks.concat()),
        )
        .unwrap();
    };
    sheet(&["00:00:00", "00:43:00"]);
    root.import(&["--offline"]).ended(0);
    let first = passage(&root, "rip.wav", 0);
    root.music(&[
        "edit",
        &first,
        "--title",
        "Mine",
        "--lead-out",
        "40",
        "--no-song",
    ])
    .ended(0);
    sheet(&["00:00:00", "00:21:00", "00:43:00"]);
    root.import(&["--offline"]).ended(0);
    let rows = root.column(
        "SELECT p.guid || ' ' || coalesce(p.title, '') || ' ' || coalesce(i.state, '') || ' ' \
            || (lead_out_start_ticks = 40 * 28224000) \
         FROM passages p LEFT JOIN accession_identifications i ON i.passage_id = p.guid ORDER BY p.start_time_ticks",
    );
    assert_eq!(rows.len(), 3, "{rows:?}");
    let mine = rows.iter().filter(|row| row.starts_with(&first));
    let mine: Vec<_> = mine.filter(|row| row.contains(" Mine rejected ")).collect();
    assert_eq!(mine.len(), 1, "{rows:?}");
    assert_eq!(
        rows.iter().filter(|row| row.contains("Mine")).count(),
        1,
        "{rows:?}"
    );
    assert!(rows[1].ends_with('1'), "{rows:?}");
    // Taken back, it is taken from where it is.
    root.music(&["edit", &first, "--reset"]).ended(0);
    let titles = root.column("SELECT count(*) FROM passages WHERE title = 'Mine'");
    assert_eq!(titles, ["0"]);
}

#[test]
fn what_was_said_of_a_part_waits_for_the_cut_that_makes_it() {
    let (root, new) = (Root::empty(), Root::empty());
    for root in [&root, &new] {
        crate::support::album(&root.join("rip.wav"), 7, 1, 30.0);
        root.import(&["--offline"]).ended(0);
    }
    let ids = |root: &Root| root.column("SELECT guid FROM passages ORDER BY start_time_ticks");
    let whole = ids(&root).remove(0);
    root.music(&["edit", &whole, "--split-at", "19"]).ended(0);
    root.music(&["edit", &ids(&root)[1], "--title", "Second"])
        .ended(0);
    let file = root.home().join("edits.jsonl");
    let file = file.to_str().unwrap();
    root.music(&["edits", "export", "--output", file]).ended(0);

    let titles =
        || new.column("SELECT coalesce(title, '') FROM passages ORDER BY start_time_ticks");
    let before = (titles(), ids(&new));
    let told = new.music(&["edits", "import", file]).ended(0);
    assert!(!told.out.contains("does not have"), "{}", told.out);
    assert_eq!(
        (titles(), ids(&new)),
        before,
        "nothing is said of the whole"
    );
    new.import(&["--offline"]).ended(0);
    assert_eq!(titles()[1], "Second");
    assert_eq!(ids(&new)[0], before.1[0], "the larger part keeps the id");
    new.assert_sound();
}

#[test]
fn a_lead_that_contradicts_one_said_before_is_refused() {
    let root = Root::empty();
    crate::support::album(&root.join("rip.wav"), 7, 1, 30.0);
    root.import(&["--offline"]).ended(0);
    root.music(&["edit", "rip.wav", "--lead-in", "9"]).ended(0);
    let refused = root.music(&["edit", "rip.wav", "--lead-out", "4"]).ended(2);
    assert!(
        refused.err.contains("9.000 s and 4.000 s"),
        "{}",
        refused.err
    );
    // What was computed gives way, and what is said anew counts.
    root.music(&["edit", "rip.wav", "--lead-in", "2", "--lead-out", "4"])
        .ended(0);
    let lead = "SELECT lead_out_start_ticks / 28224000.0 FROM passages";
    assert_eq!(root.column(lead), ["4"]);
}
