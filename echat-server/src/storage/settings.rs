//! Settings that every connection to the database needs, since the file does not keep them.

/// `secure_delete` overwrites with zeros what is deleted. `FULL` syncs the log at every commit, so that an acknowledged
/// message survives a power cut. The cache is 16 MiB. [`WriteAheadLog`](super::write_ahead_log::WriteAheadLog) sets how
/// far the log's file is truncated after a peak.
pub(super) const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16384;
";
