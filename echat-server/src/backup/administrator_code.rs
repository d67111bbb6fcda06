//! The code of the first administrator, in a data folder whose database is replaced.
//!
//! The database has only the hash of the code, so a backup does not tell it. If the new database waits for a first
//! administrator, the folder gets a file with a code that it accepts: the old file if it fits, or else a new code.

use crate::data_dir::{Incoming, Offline, new_administrator_code};
use crate::storage::{administrator_code_hash, administrator_code_of, set_administrator_code_of};

use super::RestoreError;

/// Writes the file of the code among the new files, if their database accepts a code. With `offer`, a database without
/// administrators gets one too. Returns whether the code is a new one.
///
/// # Errors
/// The database or a file cannot be read or written.
pub fn carry_administrator_code(
    folder: &Offline,
    incoming: &Incoming,
    offer: bool,
) -> Result<bool, RestoreError> {
    let database = incoming.database();
    let failed = |source| RestoreError::Database {
        path: folder.shown_database(),
        source,
    };
    let (hash, has_administrator) = administrator_code_of(&database).map_err(failed)?;
    if hash.is_none() && (has_administrator || !offer) {
        return Ok(false);
    }
    let write_failed = |source| RestoreError::Write {
        path: folder.administrator_code().shown().to_owned(),
        source,
    };
    let old = folder.administrator_code().read()?;
    let fits = |code: &str| hash == Some(administrator_code_hash(code));
    let (code, is_new) = match old.filter(|code| fits(code)) {
        Some(code) => (code, false),
        None => (new_administrator_code().map_err(write_failed)?, true),
    };
    if is_new {
        set_administrator_code_of(&database, &administrator_code_hash(&code)).map_err(failed)?;
    }
    incoming
        .write_administrator_code(&code)
        .map_err(write_failed)?;
    Ok(is_new)
}
