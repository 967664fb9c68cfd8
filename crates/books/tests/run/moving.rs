//! A catalogue changes while it is listed, and nothing is lost or called vanished for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use books::Outcome;
use books::collect::Collect;
use testkit::grin::{FakeCatalogue, FakeGrin, Fault, On, barcode};

use crate::support::World;

fn pages_of(books_per_page: u32) -> Collect {
    Collect {
        books_per_page,
        ..Collect::default()
    }
}

fn refresh_of(books_per_page: u32) -> Collect {
    Collect {
        refresh: true,
        ..pages_of(books_per_page)
    }
}

fn barcodes(world: &World, table: &str) -> BTreeSet<String> {
    let connection = world.sql();
    let mut statement = connection.prepare(&format!("SELECT barcode FROM {table}"));
    let rows = statement.as_mut().unwrap().query_map([], |row| row.get(0));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Numbers that look like chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// What one listing saw: books that were there from its beginning to its end.
fn change_by_one_percent(world: &World, seed: u64) -> Arc<Mutex<BTreeSet<u64>>> {
    let stayed = Arc::new(Mutex::new(BTreeSet::new()));
    let shared = Arc::clone(&stayed);
    let mut chance = Chance(seed);
    let mut new = 1_000_000 + seed * 10_000;
    world.grin.move_books(move |shelf| {
        let mut stayed = shared.lock().unwrap();
        if stayed.is_empty() {
            stayed.extend(shelf.iter().copied());
        }
        // Thirty pages, and ten books at each: one in a hundred of 30,000, half gone and half new.
        for _ in 0..5 {
            let gone = shelf.remove(chance.below(shelf.len()));
            stayed.remove(&gone);
            shelf.insert(chance.below(shelf.len()), new);
            new += 1;
        }
    });
    stayed
}

#[test]
fn what_stays_in_a_catalogue_of_thirty_thousand_that_changes_by_one_percent_is_never_lost() {
    let world = World::new(FakeCatalogue::of(30_000));
    for round in 0..10 {
        let stayed = change_by_one_percent(&world, round + 1);
        let options = match round {
            0 => pages_of(1_000),
            _ => refresh_of(1_000),
        };
        let end = world.collect(&options);
        assert_eq!(end.state, Outcome::Completed, "{round}: {:?}", end.missing);
        let stayed: BTreeSet<String> = stayed.lock().unwrap().iter().map(|n| barcode(*n)).collect();
        assert!(stayed.len() > 29_000, "{}", stayed.len());
        let stored = barcodes(&world, "books");
        assert!(stored.is_superset(&stayed), "{round}: books were lost");
        let vanished = barcodes(&world, "accession_vanished");
        assert!(
            vanished.is_disjoint(&stayed),
            "{round}: books were called vanished"
        );
        // What was listed more than once is counted: the books of the pages, and different ones among them.
        let seen = world.count(
            "processed WHERE session_id = (SELECT max(session_id) FROM accession_collection)",
        );
        let named: u64 = world
            .sql()
            .query_row(
                "SELECT books FROM accession_collection ORDER BY id DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(end.repeated, named - seen, "{round}");
        assert_eq!(end.total, seen);
    }
}

#[test]
fn books_removed_before_the_next_page_pull_none_past_it() {
    for removed in [1, 5, 90, 1_500] {
        let world = World::new(FakeCatalogue::of(6_000));
        let mut pages = 0;
        world.grin.move_books(move |shelf| {
            pages += 1;
            if pages == 3 {
                shelf.drain(..removed);
            }
        });
        let end = world.collect(&pages_of(1_000));
        assert_eq!(
            end.state,
            Outcome::Completed,
            "{removed}: {:?}",
            end.missing
        );
        assert_eq!(barcodes(&world, "books").len(), 6_000, "{removed}");
    }
}

#[test]
fn a_list_that_shrinks_below_the_page_to_go_on_with_is_read_to_its_end() {
    for left in [2_500, 2_000, 1] {
        let mut world = World::new(FakeCatalogue::of(5_000));
        world.retries = 0;
        world.collect(&Collect {
            limit: Some(3_000),
            ..pages_of(1_000)
        });
        world.grin = FakeGrin::start(FakeCatalogue::of(left)).unwrap();
        let end = world.collect(&pages_of(1_000));
        assert_eq!(end.state, Outcome::Completed, "{left}: {:?}", end.missing);
        assert_eq!(world.stored().len(), 3_000, "what is stored stays");
    }
}

#[test]
fn books_inserted_while_listing_are_counted_as_repeats() {
    let world = World::new(FakeCatalogue::of(3_000));
    let mut pages = 0;
    world.grin.move_books(move |shelf| {
        pages += 1;
        if pages == 1 {
            shelf.splice(0..0, 50_000..50_007);
        }
    });
    let end = world.collect(&pages_of(1_000));
    // Seven that were pushed to the second page, and the last one of the first page, with which that one was to begin.
    let expected = (Outcome::Completed, 8, 3_000);
    assert_eq!((end.state, end.repeated, end.total), expected);
}

#[test]
fn a_book_that_slipped_out_of_the_list_has_not_vanished_if_its_barcode_is_known() {
    let world = World::new(FakeCatalogue::of(3_000));
    world.collect(&pages_of(1_000));
    let mut pages = 0;
    world.grin.move_books(move |shelf| {
        pages += 1;
        if pages == 1 {
            // Behind the reader's back one book moves to the front, and another one is gone.
            shelf.retain(|number| *number != 2_500 && *number != 1_300);
            shelf.insert(0, 1_300);
        }
    });
    let end = world.collect(&refresh_of(1_000));
    assert_eq!(
        (end.state, end.vanished),
        (Outcome::Completed, 1),
        "{:?}",
        end.missing
    );
    assert_eq!(
        barcodes(&world, "accession_vanished"),
        BTreeSet::from([barcode(2_500)])
    );
}

#[test]
fn many_books_do_not_vanish_at_once_without_consent() {
    let mut world = World::new(FakeCatalogue::of(42));
    world.collect(&pages_of(1_000));
    world.grin = FakeGrin::start(FakeCatalogue::of(1)).unwrap();
    for _ in 0..2 {
        let end = world.collect(&refresh_of(1_000));
        assert_eq!(
            (end.state, end.vanished, end.vanishing),
            (Outcome::Failed, 0, 41)
        );
        let missing = end.missing.unwrap();
        assert!(missing.contains("41 of the 42 books"), "{missing}");
        assert_eq!(world.count("accession_vanished"), 0);
    }
    let end = world.collect(&Collect {
        allow_vanish: true,
        ..refresh_of(1_000)
    });
    assert_eq!((end.state, end.vanished), (Outcome::Completed, 41));
    assert_eq!(world.count("accession_vanished"), 41);
    assert_eq!(world.count("books"), 42, "nothing is deleted");
}

#[test]
fn a_search_that_fails_makes_no_book_vanish() {
    let mut world = World::new(FakeCatalogue::of(2_000));
    world.retries = 0;
    world.collect(&pages_of(1_000));
    world.grin = FakeGrin::start(FakeCatalogue::of(1_995)).unwrap();
    world.grin.fail(
        On::Barcode(barcode(1_997)),
        Fault::Status(500, None),
        u32::MAX,
    );
    let end = world.collect(&refresh_of(1_000));
    assert_eq!((end.state, end.vanished), (Outcome::Failed, 0));
    assert_eq!(world.count("accession_vanished"), 0);
    world.grin.change_answers(|_| b"Barcode\tState\n".to_vec());
    world.grin.mend();
    let end = world.collect(&refresh_of(1_000));
    assert_eq!(
        (end.state, end.vanished),
        (Outcome::Failed, 0),
        "an empty answer proves nothing"
    );
    world.grin.change_answers(String::into_bytes);
    let end = world.collect(&refresh_of(1_000));
    assert_eq!(
        (end.state, end.vanished),
        (Outcome::Completed, 5),
        "{:?}",
        end.missing
    );
}

/// Links to pages by something other than a number of books, or by nothing that could be taken for a place.
#[test]
fn a_full_last_page_is_proved_to_be_the_last_however_pages_are_named() {
    for place in ["ctoken", "offset", "first"] {
        let world = World::new(FakeCatalogue {
            place,
            ..FakeCatalogue::of(3_000)
        });
        let end = world.collect(&pages_of(1_000));
        assert_eq!(end.state, Outcome::Completed, "{place}: {:?}", end.missing);
        world.assert_complete(3_000);
    }
}

#[test]
fn a_list_whose_last_page_links_on_ends_where_no_other_book_comes() {
    let world = World::new(FakeCatalogue::of(3_000));
    world.grin.change_pages(|page| {
        let on = "<a href='_all_books?result_count=1000&amp;first=3000'>Next &gt;</a></body>";
        if page.contains("Next") {
            page
        } else {
            page.replace("</body>", on)
        }
    });
    let end = world.collect(&pages_of(1_000));
    assert_eq!(end.state, Outcome::Completed, "{:?}", end.missing);
    world.assert_complete(3_000);
}

#[test]
fn pages_that_never_close_their_document_are_read_to_the_last() {
    for books in [3_000, 3_500, 10] {
        let world = World::new(FakeCatalogue::of(books));
        world
            .grin
            .change_pages(|page| page.replace("</body></html>", ""));
        let end = world.collect(&pages_of(1_000));
        assert_eq!(end.state, Outcome::Completed, "{books}: {:?}", end.missing);
        world.assert_complete(books);
    }
}

#[test]
fn a_server_that_gives_no_more_books_than_usual_is_asked_for_no_more() {
    let world = World::new(FakeCatalogue::of(3_500));
    world.grin.refuse_more_than(1_000);
    let end = world.collect(&pages_of(1_000));
    assert_eq!(end.state, Outcome::Completed, "{:?}", end.missing);
    world.assert_complete(3_500);
}
