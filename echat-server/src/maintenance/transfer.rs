//! `echat-server export` and `import`: accounts, rooms and messages as lines of JSON.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use echat_proto::names::{RoomName, Username};
use echat_system::private_file;

use super::{MaintenanceError, Report, done};
use crate::backup::carry_administrator_code;
use crate::cli::Exported;
use crate::config::{self, Overrides};
use crate::data_dir::{self, DataDirError, Incoming, Offline};
use crate::storage::{self, Imported, Scope, TransferError, begin_history};

pub(super) fn export(
    place: Overrides,
    target: &Path,
    what: Exported,
    now: i64,
) -> Result<Report, MaintenanceError> {
    let data = config::load(place)?.config.data;
    let files = data_dir::find(&data)?;
    if target.symlink_metadata().is_ok() {
        return Err(MaintenanceError::Exists(target.to_owned()));
    }
    let scope = scope(what);
    let mut messages = Ok(0);
    let written = private_file::replace(target, |file| {
        let mut out = BufWriter::new(file);
        messages = storage::export(&files.database, &scope, now, &mut out);
        match &messages {
            Ok(_) => out.flush(),
            Err(_) => Err(io::ErrorKind::Other.into()),
        }
    });
    let error = |source| MaintenanceError::Transfer {
        path: target.to_owned(),
        source,
    };
    let messages = messages.map_err(&error)?;
    written.map_err(|source| error(source.into()))?;
    let shown = target.display();
    Ok(done(format!("exported {messages} messages to {shown}\n")))
}

/// With names in their stored form.
fn scope(what: Exported) -> Scope {
    match what {
        Exported::All { passwords } => Scope::All { passwords },
        Exported::User(name) => Scope::User(match Username::new(&name) {
            Ok(valid) => valid.as_str().to_owned(),
            Err(_) => name,
        }),
        Exported::Room(name) => Scope::Room(match RoomName::new(&name) {
            Ok(valid) => valid.as_str().to_owned(),
            Err(_) => name,
        }),
    }
}

pub(super) fn import(file: &Path, data: &Path, now: i64) -> Result<Report, MaintenanceError> {
    let error = |source| MaintenanceError::Transfer {
        path: file.to_owned(),
        source,
    };
    let lines = File::open(file).map_err(|source| error(source.into()))?;
    let folder = Offline::open(data, true)?;
    if folder.has_database()? {
        return Err(MaintenanceError::Exists(folder.shown_database()));
    }
    let incoming = folder.stage()?;
    let imported = fill(&incoming, lines, now).map_err(error);
    let finished = imported.and_then(|imported| {
        if !folder.has_host_key()? {
            incoming.create_host_key().map_err(DataDirError::from)?;
        }
        let has_new_code = carry_administrator_code(&folder, &incoming, true)?;
        folder.replace(&incoming, "import")?;
        Ok((imported, has_new_code))
    });
    if finished.is_err() {
        // The first error is the one to report.
        let _ = folder.discard();
    }
    let (imported, has_new_code) = finished?;
    let Imported {
        users,
        rooms,
        messages,
        ..
    } = imported;
    let mut text = format!(
        "imported {} into {}: users {users}, rooms {rooms}, messages {messages}\n",
        file.display(),
        data.display()
    );
    if has_new_code {
        // A string takes all text.
        let _ = writeln!(
            text,
            "no account is an administrator; the code that makes the first one: {}",
            data.join("first_administrator_code").display()
        );
    }
    Ok(done(text))
}

fn fill(incoming: &Incoming, lines: File, now: i64) -> Result<Imported, TransferError> {
    let database = incoming.database();
    let imported = storage::import(BufReader::new(lines), &database, now)?;
    begin_history(&database, &incoming.high_water(), imported.newest_id)?;
    Ok(imported)
}
