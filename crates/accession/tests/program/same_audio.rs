//! Files of one sound with different tags: told as such, and a setting says whether they are duplicates.

use crate::copies::{ALBUM, COMPILATION, passages, two_of_one_sound};

/// A song on its album and on a compilation is told as one sound, and a setting says whether both go out.
#[test]
fn a_setting_says_whether_one_sound_is_one_song() {
    let root = two_of_one_sound();
    let sounds = "sounds    1 file with the audio of another and other tags";
    let status = root.music(&["status"]).ended(0).out;
    assert!(status.contains(sounds), "{status}");
    let all = root.music(&["status", "--all"]).ended(0).out;
    let told = format!("{COMPILATION} sounds as {ALBUM}");
    assert!(all.contains(&told), "{all}");
    let goes_out = |path: &str| {
        let list = root.music(&["export", "--as", "m3u8"]).ended(0).out;
        list.contains(path)
    };
    assert!(goes_out(ALBUM) && goes_out(COMPILATION));
    root.music(&["settings", "set", "same_audio", "once"])
        .ended(0);
    assert!(goes_out(ALBUM) && !goes_out(COMPILATION));
    // A duplicate is not what sounds most like its original, nor the other way round.
    let near = |path: &str, sounds: &str| {
        root.music(&["settings", "set", "same_audio", sounds])
            .ended(0);
        let id = passages(&root, path).remove(0);
        let near = root.music(&["similar", &id, "--format", "json"]).ended(0);
        let near: serde_json::Value = serde_json::from_str(&near.out).unwrap();
        near.as_array().unwrap().len()
    };
    for path in [ALBUM, COMPILATION] {
        assert_eq!((near(path, "each"), near(path, "once")), (1, 0));
    }
    // The one about which a person said something stays.
    let said = passages(&root, COMPILATION);
    root.music(&["edit", &said[0], "--title", "Mine"]).ended(0);
    assert!(!goes_out(ALBUM) && goes_out(COMPILATION));
    root.music(&["settings", "set", "same_audio", "each"])
        .ended(0);
    assert!(goes_out(ALBUM) && goes_out(COMPILATION));
}

/// Two files change their names and their tags, and an import sees one of their folders after the other: what was said goes
/// with the sounds.
#[test]
fn words_follow_sounds_that_change_places_folder_by_folder() {
    let root = two_of_one_sound();
    let song = std::fs::read(root.join(ALBUM)).unwrap();
    std::fs::remove_file(root.join(COMPILATION)).unwrap();
    let other = crate::support::Root::collection();
    let other = std::fs::read(other.join("Harbour Lights/Tides/03 Mono Radio.mp3")).unwrap();
    let sounds = [song, other];
    let retagged = |sound: &[u8], with: u8| [sound, b"TAG", &[with; 125]].concat();
    let paths = ["X/a.mp3", "Y/a.mp3"];
    for (path, sound) in paths.iter().zip(&sounds) {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), retagged(sound, b'a')).unwrap();
    }
    std::fs::remove_file(root.join(ALBUM)).unwrap();
    root.import(&["--offline", "--prune"]).ended(0);
    for (path, title) in paths.iter().zip(["AAA", "BBB"]) {
        let id = passages(&root, path)[0].clone();
        root.music(&["edit", &id, "--title", title]).ended(0);
    }
    for (path, sound) in paths.iter().zip(sounds.iter().rev()) {
        std::fs::write(root.join(path), retagged(sound, b'b')).unwrap();
        let folder = root.join(path).parent().unwrap().to_owned();
        let mut command = root.command(&["music", "import", "--offline"]);
        command.arg(&folder).arg("--root-folder").arg(root.path());
        crate::support::Ran::of(command.output().unwrap()).ended(0);
    }
    let titles =
        "SELECT p.title FROM passages p JOIN files f ON f.guid = p.file_id ORDER BY f.path";
    assert_eq!(root.column(titles), ["BBB", "AAA"]);
    root.assert_sound();
}
