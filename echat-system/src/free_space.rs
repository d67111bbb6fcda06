//! The space that a file system has left for this user, in bytes.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{StatVfs, fstatvfs, statvfs};

/// Bytes that are free on the disk of an open file.
///
/// # Errors
/// The system does not say.
pub fn of_file(file: &File) -> io::Result<u64> {
    Ok(bytes(&fstatvfs(file)?))
}

/// Bytes that are free on the disk of a folder.
///
/// # Errors
/// The system does not say, or there is no such folder.
pub fn of_folder(path: &Path) -> io::Result<u64> {
    Ok(bytes(&statvfs(path)?))
}

fn bytes(disk: &StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_folder_have_the_same_space() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        let (of_file, of_folder) = (of_file(&file).unwrap(), of_folder(folder.path()).unwrap());
        // Other programs may write to the same disk.
        assert!(
            of_file.abs_diff(of_folder) < 1 << 30,
            "{of_file} {of_folder}"
        );
        assert!(super::of_folder(&folder.path().join("none")).is_err());
    }
}
