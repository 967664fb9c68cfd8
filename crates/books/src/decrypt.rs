//! An encrypted archive becomes a plain one.
//!
//! A message that a passphrase opens is decrypted here, as a stream; one for a key of a keyring is `gpg`'s matter. In
//! both cases **nothing that comes out is worth anything before the integrity code at its end was checked**: the output
//! gets its name only then. A message without such a code is refused.

mod key;

use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pgp::composed::{DecryptionOptions, Esk, Message, TheRing};
use pgp::types::{Password, Seipdv1ReadMode, StringToKey};
use run::Cancel;
use web::Secret;

/// Bytes that may come out for each that went in. An archive is packed already and does not shrink twice.
const GROWTH: u64 = 8;

/// Bytes that may come out however few went in.
const LEAST_GROWTH: u64 = 64 << 20;

/// Memory that deriving a key may take, as a power of two in KiB: 64 MiB, which RFC 9106 recommends where memory is short.
/// A key for each processor is derived at once.
const MOST_ARGON2_EXPONENT: u8 = 16;

/// How long `gpg` may take however small the archive is.
const GPG_PATIENCE: Duration = Duration::from_mins(10);

/// The slowest `gpg` still works, in bytes a second: a tenth of what it does on hardware of 2015.
const GPG_SLOWEST: u64 = 5 << 20;

/// Bytes of what `gpg` says that an error keeps.
const MOST_SAID: usize = 500;

/// Why an archive cannot be decrypted.
#[derive(Debug, thiserror::Error)]
pub enum DecryptError {
    /// A file on this machine.
    #[error("cannot {what} `{}`: {error}", path.display())]
    File {
        /// What could not be done.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The passphrase does not open it.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// It was changed on its way, or cut short, or is no `OpenPGP` message.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// There is no integrity code.
    #[error("it has no integrity code, so nothing tells whether it is whole")]
    Unprotected,
    /// It would cost more than an archive may.
    #[error("it asks for too much: {0}")]
    Hostile(String),
    /// It is made in a way that is read by `gpg` alone.
    #[error("it is made in a way that is not read here: {0}")]
    Unsupported(String),
    /// `gpg` failed.
    #[error("`gpg` failed: {0}")]
    Gpg(String),
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

/// The passphrase of a file: its first line.
///
/// # Errors
///
/// [`DecryptError::File`].
pub fn passphrase(path: &Path) -> Result<Secret, DecryptError> {
    let text = run::read_small_text(path).map_err(file("read the passphrase of", path))?;
    let first = text.lines().next().unwrap_or_default();
    Ok(Secret::new(first))
}

/// Decrypts `encrypted` into the new file `plain`.
///
/// # Errors
///
/// Why there is no such file afterwards.
pub fn decrypt(
    encrypted: &Path,
    plain: &Path,
    passphrase: &Secret,
    cancel: &Cancel,
) -> Result<(), DecryptError> {
    let source = run::regular_file(encrypted).map_err(file("open", encrypted))?;
    let size = source.metadata().map_err(file("open", encrypted))?.len();
    let beside = plain.with_extension("decrypting");
    let most = LEAST_GROWTH.max(size.saturating_mul(GROWTH));
    let message = Message::from_reader(BufReader::with_capacity(PIECE, source))
        .map_err(|error| damaged(&error))?
        .0;
    let by_gpg = |why: &str| gpg((encrypted, size), (&beside, most), passphrase, why, cancel);
    let result = if opens_by_passphrase(&message)? {
        match stream(message, (&beside, most), passphrase, cancel) {
            Err(DecryptError::Unsupported(what)) => by_gpg(&format!("this archive has {what}")),
            other => other,
        }
    } else {
        drop(message);
        by_gpg("this archive is encrypted for a key of a keyring")
    };
    let result =
        result.and_then(|()| std::fs::rename(&beside, plain).map_err(file("write", plain)));
    if result.is_err() {
        // What came out before the failure is worth nothing; a file that is not there is as good.
        let _ = std::fs::remove_file(&beside);
    }
    result
}

const PIECE: usize = 256 << 10;

/// Whether a passphrase opens it, which costs no more than it may; else it is for a key.
fn opens_by_passphrase(message: &Message<'_>) -> Result<bool, DecryptError> {
    let Message::Encrypted { esk, .. } = message else {
        return Err(DecryptError::Damaged("it is not encrypted".to_owned()));
    };
    let mut by_passphrase = false;
    for key in esk {
        let Esk::SymKeyEncryptedSessionKey(key) = key else {
            continue;
        };
        by_passphrase = true;
        if let Some(StringToKey::Argon2 { m_enc, .. }) = key.s2k()
            && *m_enc > MOST_ARGON2_EXPONENT
        {
            return Err(DecryptError::Hostile(format!(
                "its key takes 2^{m_enc} KiB of memory to derive"
            )));
        }
    }
    Ok(by_passphrase)
}

/// Decrypts in this process. What is written is checked at the end.
fn stream(
    message: Message<'_>,
    (target, most): (&Path, u64),
    passphrase: &Secret,
    cancel: &Cancel,
) -> Result<(), DecryptError> {
    let password = Password::from(passphrase.reveal());
    let known = key::of_message(&message, passphrase.reveal().as_bytes());
    let ring = TheRing {
        message_password: vec![&password],
        session_keys: known.into_iter().collect(),
        decrypt_options: DecryptionOptions::new()
            .enable_gnupg_aead()
            .set_seipdv1_read_mode(Seipdv1ReadMode::Streaming),
        ..TheRing::default()
    };
    let (mut message, _) = message
        .decrypt_the_ring(ring, true)
        .map_err(|error| match error {
            pgp::errors::Error::MissingKey => DecryptError::Passphrase,
            error if error.to_string().to_lowercase().contains("legacy") => {
                DecryptError::Unprotected
            }
            // With another passphrase the first bytes are noise, which is no packet.
            error => wrong_or_damaged(&error),
        })?;
    // A message is packed once; one that is packed in itself many times is a bomb.
    for _ in 0..2 {
        if !message.is_compressed() {
            break;
        }
        message = message.decompress().map_err(|error| {
            // BZip2, which `gpg` may be told to use.
            if error.to_string().contains("unsupported compression") {
                return DecryptError::Unsupported(error.to_string());
            }
            wrong_or_damaged(&error)
        })?;
    }
    if !message.is_literal() && !message.is_signed() {
        return Err(DecryptError::Damaged("it holds no file".to_owned()));
    }
    let mut output = File::create(target).map_err(file("write", target))?;
    let mut piece = vec![0; PIECE];
    let mut written = 0;
    loop {
        if cancel.is_requested() {
            return Err(DecryptError::Stopped);
        }
        let read = message.read(&mut piece).map_err(|error| damaged(&error))?;
        if read == 0 {
            break;
        }
        written += read as u64;
        if written > most {
            return Err(hostile(most));
        }
        output
            .write_all(&piece[..read])
            .map_err(file("write", target))?;
    }
    Ok(())
}

fn hostile(most: u64) -> DecryptError {
    DecryptError::Hostile(format!("it unpacks to more than {most} bytes"))
}

fn damaged(error: &impl ToString) -> DecryptError {
    DecryptError::Damaged(error.to_string())
}

fn wrong_or_damaged(error: &impl ToString) -> DecryptError {
    DecryptError::Damaged(format!(
        "{}, or the passphrase is another one",
        error.to_string()
    ))
}

fn gpg_command(encrypted: &Path, target: &Path) -> Command {
    let mut command = Command::new("gpg");
    command
        .args([
            "--batch",
            "--yes",
            "--no-tty",
            "--quiet",
            "--pinentry-mode",
            "loopback",
        ])
        .args([
            "--trust-model",
            "always",
            "--passphrase-fd",
            "0",
            "--output",
        ])
        .arg(target)
        .arg("--decrypt")
        .arg(encrypted)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Decrypts by `gpg`, which has the keyring. Its word is its exit code: it is 0 only if the integrity code was right.
///
/// `size` is that of the encrypted file, `most` what may come out, and `why` says what `gpg` is needed for.
fn gpg(
    (encrypted, size): (&Path, u64),
    (target, most): (&Path, u64),
    passphrase: &Secret,
    why: &str,
    cancel: &Cancel,
) -> Result<(), DecryptError> {
    let failed = |error: io::Error| DecryptError::Gpg(error.to_string());
    let mut child = gpg_command(encrypted, target)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                DecryptError::Gpg(format!("it is not installed, and {why}; install GnuPG"))
            }
            _ => failed(error),
        })?;
    if let Some(mut input) = child.stdin.take() {
        // A gpg that has ended already says why below.
        let _ = input.write_all(format!("{}\n", passphrase.reveal()).as_bytes());
    }
    let said = child.stderr.take().map(|errors| {
        std::thread::spawn(move || {
            let mut said = Vec::new();
            let mut errors = errors.take(64 << 10);
            let _ = errors.read_to_end(&mut said);
            // Whatever more it says is read, so that it can end.
            let _ = io::copy(&mut errors.into_inner(), &mut io::sink());
            String::from_utf8_lossy(&said).into_owned()
        })
    });
    let until = Instant::now() + GPG_PATIENCE + Duration::from_secs(size / GPG_SLOWEST);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        let late = Instant::now() > until;
        let is_bomb = std::fs::metadata(target).is_ok_and(|file| file.len() > most);
        if late || is_bomb || cancel.is_requested() {
            let _ = child.kill();
            let _ = child.wait();
            return Err(match (is_bomb, late) {
                (true, _) => hostile(most),
                (_, true) => DecryptError::Gpg("it did not end".to_owned()),
                _ => DecryptError::Stopped,
            });
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let said = said
        .and_then(|reader| reader.join().ok())
        .unwrap_or_default();
    if status.success() {
        // One that ended before it was looked at has its disk's room, and not more.
        let size = std::fs::metadata(target).map_or(0, |file| file.len());
        return if size > most {
            Err(hostile(most))
        } else {
            Ok(())
        };
    }
    let mut line = said.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    if let Some((cut, _)) = line.char_indices().nth(MOST_SAID) {
        line.truncate(cut);
    }
    Err(DecryptError::Gpg(format!("{line} ({status})")))
}

fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DecryptError {
    let path = path.to_owned();
    move |error| DecryptError::File { what, path, error }
}

#[cfg(test)]
mod tests;
