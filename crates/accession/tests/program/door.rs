//! The first minutes: no library where none was meant, what is said about files that are not taken in, names as people
//! type them, and what helps when something is amiss.

mod slips;

use std::fs;

use crate::support::{Ran, Root, song};

fn import(root: &Root, words: &[&str]) -> Ran {
    let mut all = vec!["music", "import"];
    all.extend(words);
    root.run(&all)
}

#[test]
fn a_slip_in_the_configuration_leads_to_no_other_library() {
    let root = Root::empty();
    let music = root.home().join("Music");
    song(&music.join("a.wav"), 1);
    let config = root.home().join(".config/accession/accession.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    for (slip, said) in [
        ("root_foldr = \"/srv/music\"\n", "(is `root_folder` meant?)"),
        (
            "music_directory = \"/srv/music\"\n",
            "is no key that is known",
        ),
        (
            "[accession]\nroot_folder = \"/srv/music\"\n",
            "is no key that is known",
        ),
        ("root_folder = \"  \"\n", "should be a whole path"),
        ("root_folder = \"Music\"\n", "should be a whole path"),
    ] {
        fs::write(&config, slip).unwrap();
        let ran = import(&root, &[]).ended(2);
        assert!(ran.err.contains(said), "{slip}: {}", ran.err);
        assert!(!music.join("wkmp.db").exists(), "{slip}");
    }
    fs::remove_file(&config).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/nonexistent/accession.toml", &config).unwrap();
        let ran = import(&root, &[]).ended(2);
        assert!(
            ran.err.contains("a link to a file that is not there"),
            "{}",
            ran.err
        );
        fs::remove_file(&config).unwrap();
    }
    // A key that has nothing to do with the library is only told of.
    fs::write(&config, "acoustid_key = \"x\"\n").unwrap();
    let ran = import(&root, &["--dry-run"]).ended(0);
    assert!(
        ran.err.contains("(is `acoustid_api_key` meant?)"),
        "{}",
        ran.err
    );
    fs::remove_file(&config).unwrap();
}

#[test]
fn no_library_is_made_where_none_was_meant() {
    let root = Root::collection();
    let music = root.home().join("Music");
    let ran = import(&root, &[]).ended(2);
    assert!(
        ran.err.contains("the default, since no folder is named"),
        "{}",
        ran.err
    );
    assert!(!music.exists(), "the root folder was made");

    let ran = root.run(&["music", "status"]).ended(2);
    assert!(ran.err.contains("no folder was named"), "{}", ran.err);

    // A disk that is not mounted is an empty folder.
    fs::create_dir(&music).unwrap();
    let ran = import(&root, &[]).ended(2);
    assert!(ran.err.contains("found no audio file in"), "{}", ran.err);
    assert!(
        ran.err.contains("\nhint: is the disk mounted?"),
        "{}",
        ran.err
    );
    root.run(&["music", "settings", "set", "silence_threshold_dB", "40"])
        .ended(2);
    assert_eq!(fs::read_dir(&music).unwrap().count(), 0);

    // A configuration that cannot be read may have named another folder.
    song(&music.join("a.wav"), 1);
    let config = root.home().join(".config/accession/accession.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "root_folder = /srv/music\n").unwrap();
    for format in ["text", "json"] {
        let ran = import(&root, &["--format", format]).ended(2);
        assert!(ran.err.contains("accession.toml`: line 1: "), "{}", ran.err);
        let events = if format == "json" {
            ran.events()
        } else {
            Vec::new()
        };
        assert!(
            format == "text" || (events[0]["event"] == "error" && events[0]["exit_code"] == 2),
            "{}",
            ran.out
        );
    }
    assert!(!music.join("wkmp.db").exists());
    fs::remove_file(&config).unwrap();

    // A file, and arguments that are none.
    let file = music.join("a.wav");
    let ran = import(&root, &[file.to_str().unwrap()]).ended(2);
    assert!(
        ran.err.contains("is a file, expected a folder"),
        "{}",
        ran.err
    );
    let ran = import(&root, &["--format", "json", "--jobs", "x"]).ended(2);
    assert_eq!(ran.events()[0]["event"], "error", "{}", ran.out);
    assert!(ran.err.contains("expected a whole number"), "{}", ran.err);
    // SQLite takes the last two for databases without tables.
    let file = root.join("text.db");
    for content in ["no database at all", "x", ""] {
        fs::write(&file, content).unwrap();
        let ran = root
            .run(&["music", "status", "--database", file.to_str().unwrap()])
            .ended(2);
        assert!(ran.err.contains("\nhint: check the path"), "{}", ran.err);
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
}

#[test]
fn what_is_typed_nearly_right_is_answered_with_what_is_meant() {
    let root = Root::empty();
    let ran = root.run(&["--version"]).ended(0);
    assert_eq!(
        ran.out,
        concat!("accession ", env!("CARGO_PKG_VERSION"), "\n")
    );
    for words in [["--version", "-v"], ["-v", "--version"]] {
        let more = root.run(&words).ended(0);
        assert!(more.out.starts_with(&ran.out), "{}", more.out);
        for (what, said) in [("SQLite", "3."), ("analysis", "."), ("decodes", "mp2, mp3")] {
            let told = more.out.lines().find(|line| line.trim().starts_with(what));
            assert!(told.is_some_and(|line| line.contains(said)), "{}", more.out);
        }
    }
    for (words, said) in [
        (["help", "musik"], "a similar subcommand exists: 'music'"),
        (["-q", "-v"], "'--quiet' and '--verbose' exclude each other"),
    ] {
        let ran = root.run(&[&words[..], &["doctor"]].concat()).ended(2);
        assert!(
            ran.err.contains(said) && !ran.err.contains(".."),
            "{}",
            ran.err
        );
    }
}

/// As in a container that holds nothing but the program.
#[test]
#[cfg(target_os = "linux")]
fn without_certificates_an_import_goes_on_and_says_what_is_missing() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    let ran = |words: &[&str]| {
        let mut command = root.command(words);
        command.env_remove("ACCESSION_OFFLINE");
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            command.env(name, "/nonexistent");
        }
        Ran::of(command.output().unwrap())
    };
    for (words, code) in [
        (["music", "import", folder], 0),
        (["music", "identify", folder], 2),
    ] {
        let ran = ran(&words).ended(code);
        for said in [
            "cannot ask any service: cannot prepare for requests",
            "\nhint: are the system's certificates there?",
        ] {
            assert!(ran.err.contains(said), "{said} is not in {}", ran.err);
        }
        assert!(!ran.err.contains("online: "), "{}", ran.err);
    }
    assert_eq!(root.count("SELECT count(*) FROM passages"), 1);
}

#[test]
fn a_server_makes_a_library_only_where_one_is_meant_and_says_which() {
    let root = Root::collection();
    let music = root.home().join("Music");
    let ran = root.run(&["serve"]).ended(2);
    assert!(
        ran.err.contains("the default, since no folder is named")
            && ran.err.contains("`accession serve FOLDER`"),
        "{}",
        ran.err
    );
    fs::create_dir(&music).unwrap();
    let empty = music.to_str().unwrap();
    let named = [
        vec!["serve"],
        vec!["serve", empty],
        vec!["serve", "--root-folder", empty],
    ];
    for words in named {
        let ran = root.run(&words).ended(2);
        for said in ["found no audio file in", "`--create` makes a library"] {
            assert!(ran.err.contains(said), "{words:?}: {}", ran.err);
        }
    }
    root.import(&[]);
    let inside = root.path().join("inside");
    song(&inside.join("a.wav"), 1);
    let ran = root.run(&["serve", inside.to_str().unwrap()]).ended(2);
    assert!(ran.err.contains("lies in the library at"), "{}", ran.err);
    for folder in [&music, &inside] {
        assert!(!folder.join("wkmp.db").exists(), "{}", folder.display());
    }
}

#[test]
fn copies_of_what_fails_are_listed_under_its_reason() {
    let root = Root::empty();
    // The mark of Windows Media, and nothing after it.
    let content = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
    for name in ["a.wma", "b.wma", "c.wma"] {
        fs::write(root.path().join(name), content).unwrap();
    }
    let ran = root.music(&["import"]).ended(1);
    let failed: Vec<_> = ran
        .out
        .lines()
        .filter(|line| line.starts_with("failed: "))
        .collect();
    assert!(
        failed.len() == 1 && failed[0].starts_with("failed: 3 "),
        "{failed:?}"
    );
    let ran = root.music(&["status"]).ended(0);
    assert!(
        ran.out.contains("\n  3 x ") && !ran.out.contains("(as in "),
        "{}",
        ran.out
    );
}

#[test]
fn an_import_offers_what_a_changed_setting_needs() {
    let root = Root::collection();
    let import = |options: &[&str]| root.music(&[&["import"], options].concat()).ended(0);
    import(&[]);
    let next = |ran: &Ran| ran.err.contains("--force");
    let key = "silence_min_duration_ticks";
    root.music(&["settings", "set", key, "2s"]).ended(0);
    for _ in 0..2 {
        let ran = import(&[]);
        let line = format!("hears the files again that were heard before `{key}` was changed");
        assert!(next(&ran) && ran.err.contains(&line), "{}", ran.err);
    }
    root.music(&["settings", "set", key]).ended(0);
    let ran = import(&[]);
    assert!(!next(&ran), "as they were heard: {}", ran.err);

    // Another way to write the same number is no change; a new file is heard with what is in force.
    root.music(&["settings", "set", "silence_threshold_dB", "35.00"])
        .ended(0);
    assert!(!next(&import(&[])));
    root.music(&["settings", "set", "silence_threshold_dB", "40"])
        .ended(0);
    song(&root.path().join("new.wav"), 1);
    assert!(next(&import(&[])), "the others are not");
    let ran = import(&["--force"]);
    assert!(!next(&ran), "{}", ran.err);
    assert!(!next(&import(&[])), "all are heard");
}

#[test]
fn a_library_in_a_library_is_made_only_when_it_is_meant() {
    let root = Root::collection();
    let inner = root.join("Harbour Lights");
    let outer = root.path();
    let (inner, outer) = (inner.to_str().unwrap(), outer.to_str().unwrap());
    import(&root, &[outer]).ended(0);
    let ran = import(&root, &[inner]).ended(2);
    let takes_in = format!("accession music import '{inner}' --root-folder {outer}");
    assert!(ran.err.contains(&takes_in), "{}", ran.err);
    assert!(!root.join("Harbour Lights/wkmp.db").exists());
    import(&root, &[inner, "--root-folder", outer]).ended(0);

    import(&root, &["--root-folder", inner]).ended(0);
    assert!(root.join("Harbour Lights/wkmp.db").exists(), "it was meant");
    fs::remove_file(root.database()).unwrap();
    let ran = import(&root, &[outer]).ended(2);
    assert!(ran.err.contains("there is a library in"), "{}", ran.err);
    assert!(!root.database().exists());
}

#[test]
fn an_import_says_what_goes_where_what_is_left_out_and_what_comes_next() {
    let root = Root::collection();
    for number in 1..=6 {
        fs::write(
            root.join(format!("bad{number}.mp3")),
            "no sound ".repeat(99),
        )
        .unwrap();
    }
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    let dry = import(&root, &[folder, "--dry-run"]).ended(1);
    assert!(
        dry.err
            .contains("new: `Harbour Lights/Tides/01 Slow Water.mp3`"),
        "{}",
        dry.err
    );
    assert!(
        dry.err.contains(&format!("into `{folder}/wkmp.db`")),
        "{}",
        dry.err
    );
    assert!(!root.database().exists());

    let mut online = root.command(&["music", "import", folder]);
    // Nobody answers there, so nothing leaves this machine.
    for key in ["musicbrainz_base_url", "acoustid_base_url"] {
        root.music(&["settings", "set", key, "http://127.0.0.1:9"])
            .ended(0);
    }
    let ran = Ran::of(online.env_remove("ACCESSION_OFFLINE").output().unwrap()).ended(1);
    for said in [
        "online: names from tags go to MusicBrainz",
        &format!("importing `{folder}` into `{folder}/wkmp.db`"),
        "\nhint: get a key at https://acoustid.org/new-application",
        &format!("\nnext: `accession music status --all --root-folder {folder}`"),
    ] {
        assert!(ran.err.contains(said), "{said} is not in {}", ran.err);
    }
    assert!(
        !ran.err.contains("\\n") && !ran.out.contains("\\n"),
        "{}",
        ran.err
    );
    assert!(
        ran.out.starts_with("taken in: 11 of 17 files, 13 passages"),
        "{}",
        ran.out
    );
    let left_out = ran
        .out
        .lines()
        .filter(|line| line.starts_with("left out: "));
    let left_out: Vec<_> = left_out.collect();
    assert_eq!(left_out.len(), 1, "{}", ran.out);
    assert!(left_out[0].starts_with("left out: 6 "), "{left_out:?}");
    assert!(
        left_out[0].ends_with("`bad1.mp3`, `bad2.mp3`, +4"),
        "{left_out:?}"
    );
    let again = import(&root, &[folder]).ended(1);
    assert!(
        again.out.starts_with("nothing new in 17 files\n"),
        "{}",
        again.out
    );
    assert!(!again.out.contains("real time"), "{}", again.out);

    let dry = import(&root, &[folder, "--dry-run", "--force"]).ended(1);
    assert!(dry.err.contains("again: `Kassettenkinder"), "{}", dry.err);
    let mut coloured = root.command(&["music", "show", "nothing", "--color", "always"]);
    let said = coloured.args(["--root-folder", folder]).output().unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(
        said.contains("\u{1b}[31merror:\u{1b}[0m the library has no"),
        "{said:?}"
    );
}

#[test]
fn names_are_found_as_people_type_them_and_hints_can_be_pasted() {
    let root = Root::collection();
    root.import(&[]);
    for (typed, path) in [
        ("slow water", "Harbour Lights/Tides/01 Slow Water.mp3"),
        ("01 slow", "Harbour Lights/Tides/01 Slow Water.mp3"),
        (
            "SENAL perdida",
            "雨の駅/Ästhetik & Übermut/2-02 Señal Perdida.m4a",
        ),
        (
            "cafe sessions/08",
            "Various Artists/Café Sessions/08 Espresso.wav",
        ),
    ] {
        let ran = root.music(&["show", typed]).ended(0);
        assert_eq!(ran.out.lines().next(), Some(path), "{typed}");
    }
    let ran = root.music(&["show", "slwo watr"]).ended(2);
    assert!(
        ran.err
            .contains("did you mean `Harbour Lights/Tides/01 Slow Water.mp3`"),
        "{}",
        ran.err
    );
    let ran = root.music(&["show", "tides"]).ended(2);
    assert!(
        ran.err.contains("could be any of") && ran.err.contains("Northern Pier"),
        "{}",
        ran.err
    );

    let ran = root.music(&["similar", "seite a"]).ended(2);
    let folder = root.path();
    let hint = format!(
        "`accession music show 'Kassettenkinder/Seite A/Seite A.ogg' --root-folder {}`",
        folder.display()
    );
    assert!(ran.err.contains(&hint), "{}", ran.err);
    let passage = root.column("SELECT guid FROM passages LIMIT 1");
    let shown = root.music(&["show", &passage[0]]).ended(0);
    assert!(shown.out.contains("(-v shows it)"), "{}", shown.out);

    let ran = root
        .music(&["identify", "--set", &passage[0], "notanmbid"])
        .ended(2);
    assert!(ran.err.contains("`notanmbid` is no MBID"), "{}", ran.err);
    root.music(&["identify", "--offline"]).ended(2);
}

#[test]
fn settings_speak_in_units_and_say_what_they_need_to_take_effect() {
    let root = Root::collection();
    root.import(&[]);
    let set = |key: &str, value: &str| root.music(&["settings", "set", key, value]);
    let ran = set("silence_min_duration_ticks", "300ms").ended(0);
    assert!(ran.out.contains("8467200 = 0.3 s"), "{}", ran.out);
    assert!(
        ran.err.contains("music import --force --root-folder"),
        "{}",
        ran.err
    );
    let ran = set("musicbrainz_requests_per_second", "1").ended(0);
    assert!(!ran.err.contains("--force"), "{}", ran.err);
    let ran = set("silence_min_duration", "1s").ended(2);
    assert!(
        ran.err
            .contains("did you mean `silence_min_duration_ticks`?"),
        "{}",
        ran.err
    );
    let ran = root
        .music_with(&["settings", "set", "acoustid_api_key", "-"], "short")
        .ended(0);
    assert!(
        ran.out.contains("***") && !ran.out.contains("rt"),
        "{}",
        ran.out
    );
    root.music(&["settings", "set", "acoustid_api_key", ""])
        .ended(0);
    let ran = root
        .music(&["settings", "get", "acoustid_api_key"])
        .ended(0);
    assert_eq!(ran.out.trim(), "");
}

#[test]
fn the_doctor_names_what_is_amiss_and_config_where_values_come_from() {
    let root = Root::collection();
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    let ran = root.run(&["doctor", folder, "--offline"]).ended(0);
    assert!(
        ran.out.contains("none at ") && ran.out.ends_with("nothing is wrong\n"),
        "{}",
        ran.out
    );
    root.import(&[]);
    let ran = root
        .run(&["doctor", folder, "--offline", "--format", "json"])
        .ended(0);
    let found: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
    let state = |what: &str| &found.iter().find(|one| one["what"] == what).unwrap()["state"];
    assert_eq!(
        (state("database"), state("AcoustID key")),
        (&"good".into(), &"notice".into())
    );

    let mut command = root.command(&["config"]);
    command
        .env("WKMP_ROOT_FOLDER", folder)
        .env("WKMP_ACOUSTID_API_KEY", "abc123");
    let ran = Ran::of(command.output().unwrap()).ended(0);
    for said in [
        format!("{folder}  (environment: WKMP_ROOT_FOLDER)"),
        "accession.toml  (not there)".to_owned(),
        "35.0  (default)".to_owned(),
    ] {
        assert!(ran.out.contains(&said), "{said} is not in {}", ran.out);
    }
    assert!(!ran.out.contains("abc123"), "{}", ran.out);

    fs::write(root.database(), "no database at all").unwrap();
    let ran = root.run(&["doctor", folder, "--offline"]).ended(1);
    assert!(ran.out.contains("BAD   database"), "{}", ran.out);
    let ran = root.run(&["doctor", "/nonexistent", "--offline"]).ended(1);
    assert!(ran.out.contains("BAD   root folder"), "{}", ran.out);
}
