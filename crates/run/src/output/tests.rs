use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_when_it_is_whole() {
    let folder = folder();
    let path = folder.path().join("x.csv");
    write(&path, b"before").unwrap();
    let mut output = OutputOptions::new().open(&path).unwrap();
    output.write_all(b"after").unwrap();
    output.flush().unwrap();
    assert_eq!(read(&path), "before");
    output.finish().unwrap();
    assert_eq!(read(&path), "after");
    assert_eq!(names(folder.path()), ["x.csv"]);
}

#[test]
fn what_is_given_up_leaves_what_was_there() {
    let folder = folder();
    let path = folder.path().join("x.csv");
    write(&path, b"before").unwrap();
    let mut output = OutputOptions::new().open(&path).unwrap();
    output.write_all(b"half").unwrap();
    drop(output);
    assert_eq!(read(&path), "before");
    assert_eq!(names(folder.path()), ["x.csv"]);
}

#[test]
fn a_new_file_never_replaces_one() {
    let folder = folder();
    let path = folder.path().join("x.cue");
    let new = OutputOptions::new().create_new();
    let late = new.open(&path).unwrap();
    new.write(&path, b"mine").unwrap();
    for refused in [late.finish(), new.write(&path, b"other")] {
        assert!(matches!(refused, Err(OutputError::Exists { .. })));
    }
    assert_eq!(read(&path), "mine");
    assert_eq!(names(folder.path()), ["x.cue"]);
}

#[test]
fn the_programs_own_files_and_databases_are_refused() {
    let folder = folder();
    let database = folder.path().join("wkmp.db");
    std::fs::write(&database, b"anything").unwrap();
    let foreign = folder.path().join("foreign.db");
    std::fs::write(&foreign, b"SQLite format 3\0....").unwrap();
    let around = folder.path().join(".").join("wkmp.db-wal");
    let options = OutputOptions::new().protect_database(&database);
    for path in [&database, &foreign, &around] {
        let refused = options.write(path, b"x").unwrap_err();
        assert!(
            matches!(refused, OutputError::NotAPlace { .. }),
            "{refused}"
        );
    }
    assert_eq!(read(&database), "anything");
}

#[test]
fn a_folder_is_no_place_to_write_to() {
    let folder = folder();
    let refused = write(folder.path(), b"x").unwrap_err().to_string();
    assert!(refused.ends_with("found a folder"), "{refused}");
    let nowhere = folder.path().join("none/x");
    assert!(matches!(write(&nowhere, b"x"), Err(OutputError::Io { .. })));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_has_the_mode_of_any_other_and_a_private_one_its_own() {
        let folder = folder();
        let usual = folder.path().join("usual");
        std::fs::write(&usual, b"").unwrap();
        let path = folder.path().join("x");
        write(&path, b"1").unwrap();
        assert_eq!(mode(&path), mode(&usual));
        let secret = folder.path().join("secret");
        OutputOptions::new().private().write(&secret, b"1").unwrap();
        assert_eq!(mode(&secret), 0o600);
    }

    #[test]
    fn a_replaced_file_keeps_its_mode() {
        let folder = folder();
        let path = folder.path().join("x");
        write(&path, b"1").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, b"2").unwrap();
        assert_eq!((read(&path).as_str(), mode(&path)), ("2", 0o640));
    }

    #[test]
    fn links_stay_links() {
        let folder = folder();
        let (path, link) = (folder.path().join("x"), folder.path().join("link"));
        let dangling = folder.path().join("dangling");
        symlink("x", &link).unwrap();
        symlink("y", &dangling).unwrap();
        write(&path, b"1").unwrap();
        write(&link, b"2").unwrap();
        write(&dangling, b"3").unwrap();
        assert_eq!(read(&path), "2");
        assert_eq!(read(&folder.path().join("y")), "3");
        assert!(link.is_symlink() && dangling.is_symlink());
        // A new file is not created through a link that somebody left there.
        std::fs::remove_file(folder.path().join("y")).unwrap();
        let new = OutputOptions::new().create_new();
        assert!(matches!(
            new.write(&dangling, b"4"),
            Err(OutputError::Exists { .. })
        ));
    }

    #[test]
    fn a_file_with_two_names_stays_one_file() {
        let folder = folder();
        let (path, other) = (folder.path().join("x"), folder.path().join("other"));
        write(&path, b"a long text").unwrap();
        std::fs::hard_link(&path, &other).unwrap();
        let inode = std::fs::metadata(&path).unwrap().ino();
        write(&path, b"short").unwrap();
        assert_eq!(read(&other), "short");
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode);
        assert_eq!(names(folder.path()), ["other", "x"]);
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let folder = folder();
        let link = folder.path().join("link");
        symlink("link", &link).unwrap();
        assert!(write(&link, b"x").is_err());
    }

    #[test]
    fn a_fifo_is_written_to() {
        let folder = folder();
        let fifo = folder.path().join("fifo");
        mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| read(&fifo));
            write(&fifo, b"through").unwrap();
            assert_eq!(reader.join().unwrap(), "through");
        });
        assert_eq!(names(folder.path()), ["fifo"]);
    }

    #[test]
    fn a_device_is_written_to_and_says_when_it_is_full() {
        for options in [OutputOptions::new(), OutputOptions::new().create_new()] {
            options.write(Path::new("/dev/null"), b"gone").unwrap();
        }
        if cfg!(target_os = "linux") {
            let full = write(Path::new("/dev/full"), b"x").unwrap_err();
            assert!(matches!(full, OutputError::Io { .. }), "{full}");
        }
    }

    #[test]
    fn a_descriptor_is_written_on_and_its_file_stays_the_same() {
        use std::os::fd::AsRawFd;
        let folder = folder();
        let path = folder.path().join("x");
        let mut open = File::create(&path).unwrap();
        open.write_all(b"one, ").unwrap();
        let descriptor = PathBuf::from(format!("/dev/fd/{}", open.as_raw_fd()));
        let link = folder.path().join("link");
        symlink(&descriptor, &link).unwrap();
        write(&descriptor, b"two, ").unwrap();
        write(&link, b"three").unwrap();
        assert_eq!(read(&path), "one, two, three");
    }

    #[test]
    fn a_protected_file_is_known_by_another_name_too() {
        let folder = folder();
        let (own, link) = (folder.path().join("own"), folder.path().join("link"));
        write(&own, b"mine").unwrap();
        std::fs::hard_link(&own, &link).unwrap();
        let options = OutputOptions::new().protect(&own);
        assert!(options.write(&link, b"x").is_err());
        assert_eq!(read(&own), "mine");
    }
}
