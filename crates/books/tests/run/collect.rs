//! Collections end in the right catalogue, or say what is missing.

use std::time::Duration;

use books::Event;
use books::Outcome;
use books::collect::Collect;
use run::Signal;
use testkit::grin::{FakeCatalogue, FakeGrin, Fault, On};

use crate::support::World;

#[test]
fn a_catalogue_is_collected_whole_in_few_transactions() {
    let world = World::new(FakeCatalogue::of(10_500));
    let end = world.collect(&Collect {
        books_per_page: 5_000,
        ..Collect::default()
    });
    assert_eq!(
        (end.state, end.pages, end.books),
        (Outcome::Completed, 3, 10_500)
    );
    assert_eq!(
        (end.total, end.new_books, end.vanished),
        (10_500, 10_500, 0)
    );
    assert!(
        end.writes.transactions <= 10,
        "{:?}",
        end.writes.transactions
    );
    world.assert_complete(10_500);
    assert_eq!(world.grin.page_requests(), 3);
    let nulls = world
        .count("books WHERE scanned_date IS NULL AND is_decrypted = 0 AND ocr_date IS NOT NULL");
    assert!(nulls > 4_000, "absent dates are NULL, not blank: {nulls}");
    assert_eq!(
        world.count("books WHERE title IS NULL OR google_books_link IS NULL"),
        0
    );
    let again = world.collect_all();
    assert_eq!((again.state, again.books), (Outcome::CompleteBefore, 0));
    assert_eq!(world.grin.page_requests(), 3, "nothing was asked");
}

#[test]
fn small_pages_share_transactions_and_large_ones_take_few() {
    for (books, page) in [
        (10_000, 100),
        (10_000, 1_000),
        (12_500, 2_500),
        (30_000, 30_000),
    ] {
        let world = World::new(FakeCatalogue::of(books));
        let end = world.collect(&Collect {
            books_per_page: page,
            ..Collect::default()
        });
        assert_eq!((end.state, end.books), (Outcome::Completed, books));
        let transactions = end.writes.transactions;
        assert!(transactions <= books / 1_000, "{transactions} for {page}");
        assert!(!world.run().directory().join("books.db-fetched").exists());
        world.assert_complete(books);
    }
}

#[test]
fn passing_troubles_end_in_the_right_catalogue() {
    for fault in [
        Fault::Status(503, None),
        Fault::Status(500, None),
        Fault::Status(429, Some(1)),
        Fault::Status(503, Some(1)),
        Fault::Reset,
        Fault::HalfThenReset,
        Fault::HalfComplete,
        Fault::Unavailable,
        Fault::OtherPage,
        Fault::Empty,
        Fault::SignInPage,
        Fault::Slow(64 * 1024, Duration::from_millis(2)),
    ] {
        for first in [0, 2_000] {
            let world = World::new(FakeCatalogue::of(3_500));
            world.grin.fail(On::Page(first), fault.clone(), 1);
            let end = world.collect_all();
            assert_eq!(
                end.state,
                Outcome::Completed,
                "{fault:?} {first}: {:?}",
                end.missing
            );
            world.assert_complete(3_500);
        }
    }
}

#[test]
fn lasting_troubles_keep_what_is_stored_and_name_what_is_missing() {
    for fault in [
        Fault::Status(503, None),
        Fault::Status(404, None),
        Fault::Status(403, None),
        Fault::Reset,
        Fault::HalfThenReset,
        Fault::HalfComplete,
        Fault::Unavailable,
        Fault::OtherPage,
        Fault::Empty,
        Fault::SignInPage,
        Fault::NextIsSelf,
        Fault::NextIsFirst,
        Fault::Redirect("https://accounts.google.com/ServiceLogin".into()),
    ] {
        let mut world = World::new(FakeCatalogue::of(3_500));
        world.retries = 0;
        world.grin.fail(On::Page(2_000), fault.clone(), u32::MAX);
        let end = world.collect_all();
        assert_eq!(
            (end.state, end.total),
            (Outcome::Failed, 2_000),
            "{fault:?}"
        );
        let missing = end.missing.unwrap();
        assert!(
            missing.contains("page 3 (`_all_books?result_count=1000&first=2000`)"),
            "{missing}"
        );
        assert!(world.stored().len() >= 2_000, "{fault:?}");
        assert_eq!(
            world.count("accession_collection WHERE completed_at IS NULL"),
            1
        );
        assert_eq!(world.count("accession_problem"), 1);
        world.grin.mend();
        let before = world.grin.page_requests();
        let end = world.collect_all();
        assert_eq!(
            (end.state, end.pages),
            (Outcome::Completed, 2),
            "{fault:?}: {:?}",
            end.missing
        );
        assert_eq!(
            world.grin.page_requests() - before,
            2,
            "it went on, not anew"
        );
        assert_eq!(world.count("accession_problem"), 0);
        world.assert_complete(3_500);
    }
}

#[test]
fn a_page_that_repeats_an_earlier_one_under_another_address_is_noticed() {
    let mut world = World::new(FakeCatalogue::of(3_000));
    world.retries = 0;
    // The second page redirects to the first one's content: once, and then again and again.
    let to = "/libraries/X/_all_books?result_count=1000&first=00";
    world
        .grin
        .fail(On::Page(1_000), Fault::Redirect(to.into()), 1);
    assert_eq!(world.collect_all().state, Outcome::Completed);
    world.assert_complete(3_000);
    let mut world = World::new(FakeCatalogue::of(3_000));
    world.retries = 0;
    world
        .grin
        .fail(On::Page(1_000), Fault::Redirect(to.into()), u32::MAX);
    let end = world.collect_all();
    assert_eq!(end.state, Outcome::Failed);
    let missing = end.missing.unwrap();
    assert!(
        missing.contains("page 1") && missing.contains("same books as page 1"),
        "{missing}"
    );
    world.grin.mend();
    assert_eq!(world.collect_all().state, Outcome::Completed);
    world.assert_complete(3_000);
}

#[test]
fn a_limit_is_met_exactly_and_the_next_collection_goes_on() {
    let world = World::new(FakeCatalogue::of(5_000));
    let limited = |limit| Collect {
        books_per_page: 1_000,
        limit: Some(limit),
        ..Collect::default()
    };
    let end = world.collect(&limited(1_300));
    assert_eq!((end.state, end.books), (Outcome::Limited, 1_300));
    assert_eq!(world.count("books"), 1_300);
    let end = world.collect_all();
    assert_eq!(end.state, Outcome::Completed);
    world.assert_complete(5_000);
}

#[test]
fn every_limited_collection_gets_further_even_within_a_page() {
    let world = World::new(FakeCatalogue::of(2_500));
    let limited = Collect {
        books_per_page: 1_000,
        limit: Some(400),
        ..Collect::default()
    };
    for step in 1..=6 {
        let end = world.collect(&limited);
        assert_eq!((end.state, end.books), (Outcome::Limited, 400), "{step}");
        assert_eq!(world.count("books"), step * 400);
    }
    let end = world.collect(&limited);
    assert_eq!(
        (end.state, end.books, end.total),
        (Outcome::Completed, 100, 2_500)
    );
    world.assert_complete(2_500);
}

#[test]
fn a_book_that_another_tool_saw_meanwhile_has_not_vanished() {
    let world = World::new(FakeCatalogue::of(1_500));
    world.collect_all();
    let refresh = |limit| Collect {
        refresh: true,
        books_per_page: 1_000,
        limit,
        ..Collect::default()
    };
    world.collect(&refresh(Some(1_000)));
    let later = "UPDATE processed SET session_id = session_id + 1000 WHERE rowid <= 1000";
    world.sql().execute(later, []).unwrap();
    let end = world.collect(&refresh(None));
    assert_eq!((end.state, end.vanished), (Outcome::Completed, 0));
}

#[test]
fn a_refresh_updates_marks_what_is_gone_and_erases_nothing() {
    let mut world = World::new(FakeCatalogue::of(2_500));
    world.collect_all();
    world
        .sql()
        .execute(
            "UPDATE books SET scanned_date = 'known' WHERE scanned_date IS NULL",
            [],
        )
        .unwrap();
    world
        .sql()
        .execute("UPDATE books SET title = 'known' WHERE title = ''", [])
        .unwrap();
    let changed = FakeCatalogue {
        books: 2_600,
        edition: 2,
        without_every: 500,
        ..FakeCatalogue::of(0)
    };
    world.grin = FakeGrin::start(changed).unwrap();
    let refresh = Collect {
        refresh: true,
        books_per_page: 1_000,
        ..Collect::default()
    };
    let end = world.collect(&refresh);
    assert_eq!(
        (end.state, end.new_books, end.vanished),
        (Outcome::Completed, 99, 5)
    );
    assert_eq!(world.count("books"), 2_599, "nothing is deleted");
    assert_eq!(world.count("accession_vanished"), 5);
    assert_eq!(
        world.count("books WHERE title = '' OR title = 'known'"),
        2_500 / 11 + 1 + 9
    );
    assert_eq!(world.count("books WHERE title LIKE '%(edition 2)'"), 2_358);
    assert_eq!(world.count("books WHERE scanned_date = 'known'"), 1_250);
    assert_eq!(
        world.count("books WHERE created_at <> updated_at"),
        2_500 - 5
    );
    // A book that comes back is no longer called gone.
    world.grin = FakeGrin::start(FakeCatalogue::of(2_600)).unwrap();
    world.collect(&refresh);
    assert_eq!(world.count("accession_vanished"), 0);
}

#[test]
fn a_stale_token_is_renewed_once_and_kept_for_other_programs() {
    let world = World::new(FakeCatalogue::of(3_000));
    world.grin.revoke_token();
    let end = world.collect_all();
    assert_eq!(end.state, Outcome::Completed);
    assert_eq!(world.grin.refreshes(), 1);
    let kept = std::fs::read_to_string(world.folder.path().join("credentials.json")).unwrap();
    assert!(
        kept.contains("ya29.token-number-1") && kept.contains("\"expiry\""),
        "{kept}"
    );
}

#[test]
fn the_token_goes_to_grin_and_nowhere_else() {
    let world = World::new(FakeCatalogue::of(2_000));
    let elsewhere = FakeGrin::start(FakeCatalogue::of(2_000)).unwrap();
    let to = format!(
        "{}/libraries/X/_all_books?result_count=1000&first=1000",
        elsewhere.url()
    );
    world
        .grin
        .fail(On::Page(1_000), Fault::Redirect(to), u32::MAX);
    world.collect_all();
    assert!(!elsewhere.requests().is_empty());
    for request in elsewhere.requests() {
        assert_eq!(request.authorization, None);
    }
    assert!(
        world
            .grin
            .requests()
            .iter()
            .all(|request| request.authorization.is_some())
    );
}

#[test]
fn a_request_to_stop_is_heard_between_pages_and_while_waiting() {
    let world = World::new(FakeCatalogue::of(3_000));
    world
        .grin
        .fail(On::Page(1_000), Fault::Status(429, Some(30)), u32::MAX);
    let cancel = world.cancel.clone();
    let stop = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        cancel.request(Signal::Interrupt);
    });
    let started = std::time::Instant::now();
    let end = world.collect_all();
    stop.join().unwrap();
    assert_eq!((end.state, end.pages), (Outcome::Stopped, 1));
    assert!(started.elapsed() < Duration::from_secs(10));
    let events = world.events.lock().unwrap();
    assert!(matches!(events[0], Event::CollectStarted { page: 1, .. }));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::RequestRepeated { .. }))
    );
}
