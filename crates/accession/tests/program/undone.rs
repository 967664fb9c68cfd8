//! What was said is taken back: everything else that was said lies where it lay, and counts for what it counted for.

use crate::support::{Root, album};

/// Words with the bounds of what they were said about, in the order in which they were said.
fn words(root: &Root) -> Vec<String> {
    root.column(
        "SELECT value || ' ' || start_ticks || ' ' || end_ticks FROM accession_edits \
         WHERE field = 'title' AND undone_at IS NULL ORDER BY edit_id",
    )
}

/// The id of a passage of the only file.
fn passage(root: &Root, number: usize) -> String {
    root.column("SELECT guid FROM passages ORDER BY start_time_ticks")
        .remove(number)
}

fn titles(root: &Root) -> Vec<String> {
    root.column("SELECT coalesce(title, '') FROM passages ORDER BY start_time_ticks")
}

fn last_cut(root: &Root) -> String {
    let last = "SELECT max(edit_id) FROM accession_edits WHERE field = 'cut' AND undone_at IS NULL";
    root.column(last).remove(0)
}

/// The second part of a join is the longer one, and both are named: each has its name again when the join is undone,
/// and no name says of a part what was said of another when all cuts are.
#[test]
fn names_go_back_to_the_parts_of_a_join() {
    let root = Root::empty();
    album(&root.join("rip.wav"), 7, 2, 30.0);
    root.import(&["--offline"]).ended(0);
    let song = passage(&root, 1);
    let middle = "SELECT (start_time_ticks + (end_time_ticks - start_time_ticks) / 3) / 28224000.0 \
                  FROM passages ORDER BY start_time_ticks DESC LIMIT 1";
    let split = root.column(middle).remove(0);
    root.music(&["edit", &song, "--split-at", &split]).ended(0);
    for (at, title) in ["Eins", "Zwei", "Drei"].iter().enumerate() {
        let id = passage(&root, at);
        root.music(&["edit", &id, "--title", title]).ended(0);
    }
    let said = words(&root);
    for _ in 0..2 {
        root.music(&["edit", &song, "--join"]).ended(0);
        assert_eq!(titles(&root), ["Eins", "Zwei"]);
        root.music(&["edits", "--undo", &last_cut(&root)]).ended(0);
        assert_eq!(titles(&root), ["Eins", "Zwei", "Drei"]);
        assert_eq!(words(&root)[..said.len()], said);
    }
    // Both parts become one again. What was said of the first goes with its passage, which keeps its id; what was said of the
    // second waits for that, and does not name the whole, of which it was the longer part.
    let undone = root.music(&["edits", "--undo", &last_cut(&root)]).ended(0);
    let all = [&undone.out[..], &undone.err].concat();
    assert!(all.contains("Drei"), "{all}");
    assert_eq!(titles(&root), ["Eins", "Zwei"]);
    assert_eq!([&words(&root)[0], &words(&root)[2]], [&said[0], &said[2]]);
    root.music(&["edit", &song, "--split-at", &split]).ended(0);
    assert_eq!(titles(&root), ["Eins", "Zwei", "Drei"]);
    root.assert_sound();
}
