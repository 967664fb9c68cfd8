use std::process::Command;

use super::*;

const PASSPHRASE: &str = "correct horse battery staple";

/// A folder with a home for `gpg`.
struct Home(tempfile::TempDir);

impl Home {
    /// `None` where there is no `gpg`. The machines that test every change have one.
    fn new() -> Option<Self> {
        if Command::new("gpg").arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "CI has to have gpg");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(
            folder.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
        .unwrap();
        Some(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn gpg(&self, arguments: &[&str]) {
        let output = Command::new("gpg")
            .args(["--homedir"])
            .arg(self.0.path())
            .args([
                "--batch",
                "--yes",
                "--pinentry-mode",
                "loopback",
                "--passphrase-file",
            ])
            .arg(self.path("passphrase"))
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn decrypt(&self, encrypted: &str, passphrase: &str) -> Result<Vec<u8>, DecryptError> {
        let plain = self.path("plain.tar.gz");
        let _ = std::fs::remove_file(&plain);
        let secret = Secret::new(passphrase);
        decrypt(&self.path(encrypted), &plain, &secret, &Cancel::new())?;
        Ok(std::fs::read(plain).unwrap())
    }
}

/// Bytes that no packer shrinks.
fn noise(count: usize) -> Vec<u8> {
    let mut random = fastrand_like(7);
    (0..count).map(|_| random()).collect()
}

fn fastrand_like(mut state: u64) -> impl FnMut() -> u8 {
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    }
}

#[test]
fn whatever_gpg_encrypts_with_a_passphrase_is_decrypted() {
    let Some(home) = Home::new() else { return };
    for (size, cipher, count, packer) in [
        (0, "AES256", "1024", "none"),
        (100_000, "AES256", "65536", "zip"),
        (3_000_000, "AES128", "65011712", "none"),
        (20_000, "CAMELLIA256", "65536", "zlib"),
        (20_000, "AES256", "65536", "bzip2"),
        (20_000, "CAST5", "65536", "none"),
        (20_000, "3DES", "65536", "zip"),
        (20_000, "TWOFISH", "65536", "none"),
    ] {
        let content = noise(size);
        std::fs::write(home.path("a"), &content).unwrap();
        let arguments = [
            "--cipher-algo",
            cipher,
            "--s2k-count",
            count,
            "--compress-algo",
            packer,
        ];
        home.gpg(&[&arguments[..], &["--symmetric", "-o", "a.gpg", "a"]].concat());
        let plain = home.decrypt("a.gpg", PASSPHRASE).unwrap();
        assert!(plain == content, "{cipher} {count} {packer}");
        home.gpg(
            &[
                &arguments[..],
                &["--armor", "--symmetric", "-o", "a.asc", "a"],
            ]
            .concat(),
        );
        assert!(
            home.decrypt("a.asc", PASSPHRASE).unwrap() == content,
            "{cipher} in armour"
        );
    }
}

#[test]
fn another_passphrase_opens_nothing_and_says_so() {
    let Some(home) = Home::new() else { return };
    std::fs::write(home.path("a"), noise(5000)).unwrap();
    home.gpg(&["--symmetric", "-o", "a.gpg", "a"]);
    let error = home.decrypt("a.gpg", "another").unwrap_err();
    assert!(error.to_string().contains("passphrase"), "{error}");
    assert!(!error.to_string().contains("another\""), "{error}");
    assert!(!home.path("plain.decrypting").exists());
}

/// A changed bit and a lost end are noticed, and leave no file.
#[test]
fn nothing_is_left_of_a_message_that_was_changed() {
    let Some(home) = Home::new() else { return };
    for packer in ["none", "zlib"] {
        std::fs::write(home.path("a"), noise(50_000)).unwrap();
        home.gpg(&[
            "--compress-algo",
            packer,
            "--s2k-count",
            "1024",
            "--symmetric",
            "-o",
            "a.gpg",
            "a",
        ]);
        let whole = std::fs::read(home.path("a.gpg")).unwrap();
        let spots = (0..whole.len())
            .step_by(4999)
            .chain(whole.len() - 40..whole.len());
        for at in spots {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(home.path("b.gpg"), &changed).unwrap();
            let result = home.decrypt("b.gpg", PASSPHRASE);
            assert!(result.is_err(), "{packer}: byte {at} of {}", whole.len());
            std::fs::write(home.path("b.gpg"), &whole[..at]).unwrap();
            let result = home.decrypt("b.gpg", PASSPHRASE);
            assert!(result.is_err(), "{packer}: cut at {at} of {}", whole.len());
            assert!(!home.path("plain.tar.gz").exists());
            assert!(!home.path("plain.decrypting").exists());
        }
    }
}

#[test]
fn what_is_no_message_is_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gpg");
    for content in [
        &b""[..],
        b"<html>error</html>",
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0],
        &[0xff; 3000],
    ] {
        std::fs::write(&path, content).unwrap();
        let plain = folder.path().join("plain");
        let result = decrypt(&path, &plain, &Secret::new("x"), &Cancel::new());
        assert!(
            matches!(result, Err(DecryptError::Damaged(_))),
            "{result:?}"
        );
    }
}

#[test]
fn a_message_for_a_key_is_left_to_gpg_and_its_words_are_kept() {
    let Some(home) = Home::new() else { return };
    std::fs::write(home.path("a"), noise(5000)).unwrap();
    home.gpg(&[
        "--quick-generate-key",
        "library@example.org",
        "rsa2048",
        "encr",
        "never",
    ]);
    home.gpg(&[
        "--trust-model",
        "always",
        "-r",
        "library@example.org",
        "-o",
        "a.gpg",
        "--encrypt",
        "a",
    ]);
    // The keyring of whoever runs the tests has no such key.
    let error = home.decrypt("a.gpg", PASSPHRASE).unwrap_err().to_string();
    assert!(
        error.contains("`gpg` failed") && error.to_lowercase().contains("secret key"),
        "{error}"
    );
}

#[test]
fn a_stop_is_heeded_and_leaves_nothing() {
    let Some(home) = Home::new() else { return };
    std::fs::write(home.path("a"), noise(2_000_000)).unwrap();
    home.gpg(&["--symmetric", "-o", "a.gpg", "a"]);
    let cancel = Cancel::new();
    cancel.request(run::Signal::Interrupt);
    let plain = home.path("plain");
    let result = decrypt(
        &home.path("a.gpg"),
        &plain,
        &Secret::new(PASSPHRASE),
        &cancel,
    );
    assert!(matches!(result, Err(DecryptError::Stopped)));
    assert!(!plain.exists() && !home.path("plain.decrypting").exists());
}
