//! Files that are read whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::rules::SessionEnd;
use crate::exit::Exit;

/// The contents of a file of at most `limit` bytes, which may hold passwords.
pub fn read(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, SessionEnd> {
    let shown = path.display();
    let mut contents = Zeroizing::new(Vec::new());
    let read = |file: File| {
        // A buffer that does not grow leaves no copies behind. What a pipe holds is not known before.
        let size = file.metadata().map_or(0, |found| found.len().min(limit));
        contents.reserve_exact(usize::try_from(size).unwrap_or(0) + 1);
        // One byte over the limit tells a file at the limit from a larger one.
        file.take(limit + 1).read_to_end(&mut contents)
    };
    File::open(path)
        .and_then(read)
        .map_err(|error| SessionEnd::because(Exit::Local, &format!("{shown}: {error}")))?;
    if contents.len() as u64 > limit {
        return Err(SessionEnd::because(
            Exit::Usage,
            &format!("{shown} is over {limit} bytes"),
        ));
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(*read(&path, 3).unwrap(), b"abc");
        assert_eq!(read(&path, 2).unwrap_err().exit, Exit::Usage);
        assert_eq!(read(&path.join("none"), 2).unwrap_err().exit, Exit::Local);
        assert_eq!(
            read(Path::new("/dev/zero"), 2).unwrap_err().exit,
            Exit::Usage
        );
    }
}
