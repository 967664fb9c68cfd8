//! Serves a catalogue like GRIN's until its standard input ends: `grin BOOKS FOLDER` writes a file to sign in with to the
//! folder, and its address to standard output. For programs that cannot start it in their own process.

use std::io::Read;
use std::path::Path;

use testkit::grin::{FakeCatalogue, FakeGrin};

#[expect(clippy::print_stdout, reason = "its address is its answer")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(books), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("expected a number of books and a folder".into());
    };
    let grin = FakeGrin::start(FakeCatalogue::of(books.parse()?))?;
    grin.write_credentials(Path::new(&folder))?;
    println!("{}", grin.url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
