//! Lists the files of `src/storage/migrations`, so that a new one needs no line elsewhere: `migrate.rs` includes the
//! list.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// From the root of the package.
const FOLDER: &str = "src/storage/migrations";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FOLDER}");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(FOLDER);
    let mut files = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    files.sort_unstable();
    let mut list = String::from("&[\n");
    for (number, file) in (1..).zip(&files) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let begin = format!("{number:04}_");
        if !name.starts_with(&begin) || file.extension() != Some("sql".as_ref()) {
            return Err(format!("{name} is not {begin}*.sql, the next migration").into());
        }
        // The folder of the sources is that of the compilation: the list stays good when they are moved.
        writeln!(
            list,
            "    include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{FOLDER}/{name}\")),"
        )?;
    }
    list += "]\n";
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), list)?;
    Ok(())
}
