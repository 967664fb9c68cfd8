//! What archives may cost, whatever is in them.
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::archives::{ArchiveGrin, Shelved, encrypt};

use crate::sync::{Home, barcode, sync_args};

/// What is promised with forty books in the air, in KiB.
const PROMISED: u64 = 300_000;

/// A tar file, packed.
struct Packed(GzEncoder<Vec<u8>>);

impl Packed {
    fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    fn file(
        &mut self,
        name: &str,
        pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
        size: usize,
    ) {
        let mut header = tar::Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_size(size as u64);
        header.set_cksum();
        self.0.write_all(header.as_bytes()).unwrap();
        let mut written = 0;
        for piece in pieces {
            self.0.write_all(piece.as_ref()).unwrap();
            written += piece.as_ref().len();
        }
        assert_eq!(written, size, "{name}");
        self.0
            .write_all(&vec![0; size.wrapping_neg() % 512])
            .unwrap();
    }

    /// A file of one byte over and over.
    fn of_bytes(&mut self, name: &str, byte: u8, size: usize) {
        let piece = vec![byte; 1 << 20];
        self.file(name, std::iter::repeat_n(&piece, size >> 20), size);
    }

    /// A file without content, under a name of so many bytes.
    fn long_name(&mut self, number: u32, length: usize) {
        let name = format!("{number:0>length$}\0");
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(name.len() as u64);
        header.set_cksum();
        self.0.write_all(header.as_bytes()).unwrap();
        self.0.write_all(name.as_bytes()).unwrap();
        let rest = vec![0; name.len().wrapping_neg() % 512];
        self.0.write_all(&rest).unwrap();
        self.file("x", [b""], 0);
    }

    fn end(mut self) -> Vec<u8> {
        self.0.write_all(&[0; 1024]).unwrap();
        self.0.finish().unwrap()
    }
}

fn pages_that_grow() -> Vec<u8> {
    let mut packed = Packed::new();
    packed.of_bytes("00000001.txt", 1, 5 << 20);
    packed.end()
}

fn long_names() -> Vec<u8> {
    let mut packed = Packed::new();
    for number in 0..2_500 {
        packed.long_name(number, 60_000);
    }
    packed.end()
}

fn description(inside: &[u8], around: [&str; 2]) -> Vec<u8> {
    let mut packed = Packed::new();
    let [begin, end] = around.map(str::as_bytes);
    let count = (30 << 20) / inside.len();
    let pieces = [begin]
        .into_iter()
        .chain(std::iter::repeat_n(inside, count));
    let size = begin.len() + count * inside.len() + end.len();
    packed.file("H.xml", pieces.chain([end]), size);
    packed.of_bytes("00000001.txt", b'x', 0);
    packed.end()
}

#[test]
fn archives_that_would_take_gigabytes_together_take_what_is_promised() {
    let field = [
        "<m:mets xmlns:m='http://www.loc.gov/METS/' xmlns:s='http://www.loc.gov/MARC21/slim'><m:dmdSec><m:mdWrap><m:xmlData>\
         <s:record><s:controlfield tag='008'>",
        "</s:controlfield></s:record></m:xmlData></m:mdWrap></m:dmdSec></m:mets>",
    ];
    let kinds = [
        pages_that_grow(),
        long_names(),
        description(&vec![b'x'; 64 << 10], field),
    ];
    let mut books = Vec::new();
    for plain in kinds {
        let Some(encrypted) = encrypt(&plain) else {
            return;
        };
        let encrypted = Arc::new(encrypted);
        for _ in 0..2 {
            books.push(Shelved {
                barcode: barcode(books.len() as u32),
                state: "CONVERTED".into(),
                archive: Some(Arc::clone(&encrypted)),
                ..Shelved::default()
            });
        }
    }
    let count = books.len();
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let mut child = home
        .command(&sync_args(
            "--queue converted --max-sequential-failures 100",
        ))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(kibibytes.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let told = home.history().len();
    assert_eq!(told, count, "every book has its history");
    assert!(peak > 10_000, "nothing was measured");
    assert!(peak < PROMISED, "{peak} KiB at most, expected {PROMISED}");
}
