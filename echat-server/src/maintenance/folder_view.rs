//! A folder as the caller and the server see it. Under one path a service (`PrivateTmp=`), a container or a chroot may
//! have a folder of its own: a file that is written there is not where the caller looks for it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A folder as a process sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderView {
    /// It has this number on this device (stat(2)).
    Present {
        /// The device.
        device: u64,
        /// The number.
        inode: u64,
    },
    /// It is not there, or cannot be looked at.
    Absent,
}

impl FolderView {
    /// The folder of a file as this process sees it.
    pub fn of(file: &Path) -> Self {
        match file.parent().map(Path::metadata) {
            Some(Ok(folder)) => Self::Present {
                device: folder.dev(),
                inode: folder.ino(),
            },
            _ => Self::Absent,
        }
    }
}
