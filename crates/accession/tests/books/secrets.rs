//! Secrets stay where they belong.

use testkit::grin::{CLIENT_SECRET, FIRST_TOKEN, Fault, On, REFRESH_TOKEN};

use crate::support::{World, code, files, said};

#[test]
fn tokens_are_in_no_file_but_their_own_and_in_no_log_at_any_level() {
    let world = World::new(3_000);
    world.grin.revoke_token();
    world
        .grin
        .fail(On::Page(2_000), Fault::Status(503, None), 1);
    let mut outputs = vec![world.collect(&["--page-size", "1000", "-vv"])];
    outputs.push(world.run(&[
        "enrich",
        "--run-name",
        "R",
        "--rate-limit",
        "0",
        "--format",
        "json",
    ]));
    world.grin.fail(On::Any, Fault::Status(401, None), 100);
    outputs.push(world.run(&["collect", "--run-name", "R", "--refresh", "--retries", "0"]));
    assert_eq!(outputs.iter().map(code).collect::<Vec<_>>(), [0, 0, 1]);
    assert!(world.grin.refreshes() >= 2);
    let secrets = [FIRST_TOKEN, REFRESH_TOKEN, CLIENT_SECRET, "ya29."];
    for output in &outputs {
        let text = said(output);
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "{text}"
        );
    }
    let mut seen = 0;
    for file in files(world.folder.path()) {
        if file.ends_with("secret/credentials.json") {
            continue;
        }
        seen += 1;
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "{}",
            file.display()
        );
    }
    assert!(
        seen >= 4,
        "settings, summary, database and log are among them"
    );
}

#[test]
fn signing_in_by_a_pasted_address_keeps_the_tokens_privately() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(10);
    let secret = world.folder.path().join("secret");
    let path = secret.join("credentials.json");
    std::fs::remove_file(&path).unwrap();
    let none = world.run(&["auth", "setup", "--remote"]);
    assert_eq!(code(&none), 2);
    assert!(
        said(&none).contains("client_secret.json"),
        "{}",
        said(&none)
    );
    let output = world.sign_in();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = said(&output);
    assert!(
        text.contains("code_challenge_method=S256")
            && !text.contains(CLIENT_SECRET)
            && !text.contains("ya29."),
        "{text}"
    );
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("ya29.token-number-1"), "{kept}");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = world.run(&["auth", "setup"]);
    assert_eq!(code(&again), 0);
    assert!(said(&again).contains("signed in already"));
}

#[test]
fn a_sync_without_a_passphrase_says_where_one_belongs() {
    let world = World::new(10);
    let collected = world.collect(&[]);
    assert_eq!(code(&collected), 0, "{}", said(&collected));
    let synced = world.run(&["sync", "--run-name", "R", "--queue", "converted"]);
    assert_eq!(code(&synced), 2, "{}", said(&synced));
    let text = said(&synced);
    assert!(
        text.contains("gpg_passphrase.asc`: ") && text.contains("\nhint: archives are encrypted"),
        "{text}"
    );
}
