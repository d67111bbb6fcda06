//! The migrated, empty database of today, which is compiled in.

use rusqlite::Connection;

/// The file `database.db` of the repository, which a test compares with the migrations. A first start copies it.
pub(crate) const EMPTY_DATABASE: &[u8] = include_bytes!("../../../database.db");

/// Opens it in memory. It cannot be written.
pub(super) fn open_template() -> rusqlite::Result<Connection> {
    let mut db = Connection::open_in_memory()?;
    db.deserialize_bytes("main", EMPTY_DATABASE)?;
    Ok(db)
}
