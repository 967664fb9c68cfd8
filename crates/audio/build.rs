//! Packs the weights of the cuts: plain, they were half a megabyte more of every program.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};

fn main() -> io::Result<()> {
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let plain = fs::read("src/segment/weights.json")?;
    let packed = File::create(Path::new(&folder).join("weights.json.gz"))?;
    // Without a name and a time: the same sources give the same bytes.
    let mut writer = GzBuilder::new().write(packed, Compression::best());
    writer.write_all(&plain)?;
    writer.finish()?;
    Ok(())
}
