//! A catalogue that loses too many books at once, and a cursor that leads nowhere any more.

use testkit::grin::{FakeCatalogue, FakeGrin, Fault, On};

use crate::support::{World, code, said};

#[test]
fn most_of_a_catalogue_does_not_vanish_without_consent() {
    let mut world = World::new(42);
    assert_eq!(code(&world.collect(&[])), 0);
    world.grin = FakeGrin::start(FakeCatalogue::of(1)).unwrap();
    let doubted = world.collect(&["--refresh"]);
    assert_eq!(code(&doubted), 1, "{}", said(&doubted));
    let text = said(&doubted);
    assert!(
        text.contains("41 of the 42 books") && text.contains("--allow-vanish"),
        "{text}"
    );
    let status = said(&world.run(&["status", "--run-name", "R"]));
    assert!(status.contains("0 vanished"), "{status}");
    let allowed = world.collect(&["--allow-vanish"]);
    assert_eq!(code(&allowed), 0, "{}", said(&allowed));
    assert!(said(&allowed).contains("41 vanished"), "{}", said(&allowed));
    assert_eq!(world.stored().len(), 42);
}

#[test]
fn an_address_that_has_expired_begins_the_list_anew_and_says_so() {
    for status in [400, 404, 410] {
        let world = World::new(3_000);
        let size = ["--page-size", "1000"];
        assert_eq!(
            code(&world.collect(&[&size[..], &["--limit", "2000"]].concat())),
            0
        );
        // The address of old, and not the same place of the list that is read anew. A server that answers 400 may not
        // like a page of one book more, so it is asked once more for as many as ever.
        let times = if status == 400 { 2 } else { 1 };
        world
            .grin
            .fail(On::Page(2_000), Fault::Status(status, None), times);
        let again = world.collect(&size);
        assert_eq!(code(&again), 0, "{status}: {}", said(&again));
        assert!(
            said(&again).contains("from its first page"),
            "{status}: {}",
            said(&again)
        );
        assert_eq!(world.stored().len(), 3_000);
    }
}

#[test]
fn a_collection_can_be_begun_at_the_first_page_at_any_time() {
    let world = World::new(3_000);
    let size = ["--page-size", "1000"];
    assert_eq!(
        code(&world.collect(&[&size[..], &["--limit", "2000"]].concat())),
        0
    );
    let before = world.grin.page_requests();
    let anew = world.collect(&[&size[..], &["--from-start"]].concat());
    assert_eq!(code(&anew), 0, "{}", said(&anew));
    assert!(world.grin.page_requests() - before >= 3);
    assert_eq!(world.stored().len(), 3_000);
    assert_eq!(
        code(&world.collect(&["--from-start"])),
        0,
        "a complete one, too"
    );
}

#[test]
fn a_link_that_is_not_understood_is_not_the_end_of_the_catalogue() {
    // The next link of the first page is a button, an arrow of its own kind, or something else.
    for pager in [
        "<button>Next</button>",
        "<a href='?first=1000'>⇨</a>",
        "<b>1</b> 2 3",
        "<p class='x<a href='?first=1000'>Next</a>",
        "<a href='?first=2000'>Last &gt;&gt;</a>",
    ] {
        let world = World::new(3_000);
        let page = World::page_without_link(pager);
        world.grin.fail(On::Page(0), Fault::Body(page), 1);
        let output = world.collect(&["--page-size", "1000"]);
        assert_eq!(code(&output), 0, "{pager}: {}", said(&output));
        assert_eq!(world.stored().len(), 3_000, "{pager}");
    }
}
