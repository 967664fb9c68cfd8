//! Makes every broken file in a folder and lists them: `zoo DIR`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or_else(|| std::io::Error::other("usage: zoo DIR"))?;
    let mut out = std::io::stdout().lock();
    for file in testkit::broken::all(folder.as_ref())? {
        writeln!(
            out,
            "{:?}\t{}\t{}",
            file.expect,
            file.path.display(),
            file.why
        )?;
    }
    Ok(())
}
