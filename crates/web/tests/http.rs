//! The client against a server that misbehaves.

#![expect(clippy::unwrap_used, reason = "a test ends with its first error")]

use std::time::{Duration, Instant};

use testkit::grin::{FIRST_TOKEN, FakeCatalogue, FakeGrin, Fault, On};
use web::{Class, Classified, Client, Error, Options, Secret, Url};

fn server() -> FakeGrin {
    FakeGrin::start(FakeCatalogue::of(2_000)).unwrap()
}

fn client(server: &FakeGrin, change: impl FnOnce(&mut Options)) -> Client {
    let mut options = Options::new(Url::parse(&server.url()).unwrap());
    options.requests_per_second = 0.0;
    change(&mut options);
    Client::new(options).unwrap()
}

async fn fetch(client: &Client) -> Result<usize, Error> {
    let url = client
        .base_url()
        .join("libraries/X/_all_books?result_count=2000")
        .unwrap();
    let answer = client.get(&url, Some(&Secret::new(FIRST_TOKEN))).await?;
    Ok(answer.bytes(100 << 20).await?.len())
}

fn block<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn an_answer_that_drips_for_ever_is_given_up_however_steadily() {
    let server = server();
    let limits = |options: &mut Options| options.whole_limit = Duration::from_millis(300);
    let drip = Fault::Slow(1, Duration::from_millis(20));
    server.fail(On::Any, drip, 1);
    let started = Instant::now();
    let slow = block(fetch(&client(&server, limits))).unwrap_err();
    assert!(matches!(slow, Error::Slow { .. }), "{slow}");
    assert_eq!(slow.class(), Class::Transient);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn no_deadline_trips_while_bytes_flow_and_silence_does() {
    let server = server();
    let whole = block(fetch(&client(&server, |_| {}))).unwrap();
    // Fifty pieces, each well within the limits and all of them together far beyond.
    let piece = whole / 50;
    let limits = |options: &mut Options| {
        options.idle_limit = Duration::from_millis(400);
        options.answer_limit = Duration::from_millis(400);
    };
    server.fail(On::Any, Fault::Slow(piece, Duration::from_millis(20)), 1);
    let started = Instant::now();
    assert_eq!(block(fetch(&client(&server, limits))).unwrap(), whole);
    assert!(
        started.elapsed() > Duration::from_millis(900),
        "it was slow"
    );
    server.fail(On::Any, Fault::Slow(piece, Duration::from_secs(2)), 1);
    let silent = block(fetch(&client(&server, limits))).unwrap_err();
    assert!(matches!(silent, Error::Silence { .. }), "{silent}");
    server.set_latency(Duration::from_secs(2));
    let silent = block(fetch(&client(&server, limits))).unwrap_err();
    assert!(matches!(silent, Error::Silence { .. }), "{silent}");
}

#[test]
fn a_body_that_breaks_off_is_an_error() {
    let server = server();
    server.fail(On::Any, Fault::HalfThenReset, 1);
    let error = block(fetch(&client(&server, |_| {}))).unwrap_err();
    assert!(
        matches!(error, Error::Truncated { .. } | Error::Connection { .. }),
        "{error}"
    );
    assert_eq!(error.class(), Class::Transient);
}

#[test]
fn one_that_asks_for_silence_silences_all() {
    let server = server();
    let client = client(&server, |_| {});
    server.fail(On::Any, Fault::Status(429, Some(1)), 1);
    block(async {
        let error = fetch(&client).await.unwrap_err();
        assert_eq!(
            error.class(),
            Class::Throttled(Some(Duration::from_secs(1)))
        );
        let started = Instant::now();
        let (one, two) = (client.clone(), client.clone());
        let (one, two) = tokio::join!(fetch(&one), fetch(&two));
        assert!(one.is_ok() && two.is_ok());
        assert!(started.elapsed() >= Duration::from_millis(950));
    });
}

#[test]
fn after_many_failures_nothing_is_sent_for_a_while() {
    let server = server();
    let client = client(&server, |options| {
        options.breaker_failures = 3;
        options.breaker_pause = Duration::from_millis(300);
    });
    server.fail(On::Any, Fault::Status(503, None), 3);
    block(async {
        for _ in 0..3 {
            assert!(matches!(
                fetch(&client).await,
                Err(Error::Status { status: 503, .. })
            ));
        }
        let sent = server.requests().len();
        assert!(matches!(fetch(&client).await, Err(Error::Breaker { .. })));
        assert_eq!(server.requests().len(), sent);
        tokio::time::sleep(Duration::from_millis(350)).await;
        fetch(&client).await.unwrap();
        fetch(&client).await.unwrap();
    });
}

#[test]
fn redirects_are_followed_without_the_token_and_not_for_ever() {
    let (server, other) = (server(), server());
    let to = format!("{}/libraries/X/_all_books?result_count=10", other.url());
    server.fail(On::Any, Fault::Redirect(to), 1);
    let client = client(&server, |_| {});
    // The other one knows only the token, which it must not get.
    let refused = block(fetch(&client)).unwrap_err();
    assert!(
        matches!(refused, Error::Status { status: 401, .. }),
        "{refused}"
    );
    assert_eq!(other.requests()[0].authorization, None);
    server.fail(
        On::Any,
        Fault::Redirect("/libraries/X/_all_books?again".into()),
        u32::MAX,
    );
    let endless = block(fetch(&client)).unwrap_err();
    assert!(matches!(endless, Error::Redirect { .. }), "{endless}");
    assert!(
        !endless.to_string().contains("again"),
        "queries stay private: {endless}"
    );
}
