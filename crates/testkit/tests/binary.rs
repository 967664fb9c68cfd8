//! Reading what a program says.

use testkit::json_events;

#[test]
fn each_line_is_an_event() {
    let events = json_events("{\"event\":\"start\"}\n\n{\"event\":\"end\",\"files\":3}\n");
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["files"], 3);
    assert!(json_events(Vec::new()).is_empty());
}

#[test]
#[should_panic(expected = "line 2 is not JSON")]
fn a_line_of_text_is_shown() {
    json_events("{}\nwarning: something\n");
}

#[test]
#[should_panic(expected = "line 1 is JSON but no object")]
fn a_bare_number_is_no_event() {
    json_events("7\n");
}
