//! `--upgrade-check`: whether the next start upgrades the database, and whether the disk has room for that and for the
//! copy before it.

use std::fmt::Write as _;
use std::path::Path;

use super::{CommandReport, MaintenanceError, done};
use crate::config;
use crate::config::Overrides;
use crate::data_dir;
use crate::exit::ExitCode;
use crate::storage::{Upgrade, UpgradePlan, upgrade_of};

/// Says what the next start does to the database. Nothing is changed, and a server may be using it.
///
/// # Errors
/// There is no database, it is no database of echat, or one of a newer version.
pub(super) fn check(folder: Overrides) -> Result<CommandReport, MaintenanceError> {
    let loaded = config::load_for_folder(folder)?;
    let files = data_dir::open_for_command(&loaded.config.data)?;
    let upgrade = upgrade_of(&files.database).map_err(|source| MaintenanceError::Database {
        path: files.shown_database.clone(),
        source,
    })?;
    Ok(report(&files.shown_database, &upgrade))
}

fn report(database: &Path, upgrade: &Upgrade) -> CommandReport {
    let Upgrade { found, known, plan } = upgrade;
    let database = database.display();
    let Some(plan) = plan else {
        return done(format!(
            "{database}: version {found} of the tables, as this echat has it; nothing to upgrade\n"
        ));
    };
    let mut report = done(format!(
        "{database}: version {found} of the tables; the next start upgrades it to version {known}\n"
    ));
    let UpgradePlan {
        copy,
        is_made,
        needed,
        free,
    } = plan;
    let copy = copy.display();
    let first = if *is_made {
        format!("the copy of before is there: {copy}")
    } else {
        format!("first it is copied to {copy}")
    };
    let room = if needed > free {
        report.code = ExitCode::CannotCreate;
        "that is too little, and the server will not start"
    } else {
        "that is enough"
    };
    // A string takes all text.
    let _ = writeln!(
        report.text,
        "{first}\nthis takes up to {needed} bytes, and {free} are free; {room}"
    );
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_without_room_is_told_by_the_exit_code() {
        for (is_made, free, code, words) in [
            (false, 4_095, ExitCode::CannotCreate, "will not start"),
            (true, 4_095, ExitCode::CannotCreate, "will not start"),
            (false, 4_096, ExitCode::Ok, "that is enough"),
        ] {
            let upgrade = Upgrade {
                found: 5,
                known: 6,
                plan: Some(UpgradePlan {
                    copy: "data/database.db.before-5".into(),
                    is_made,
                    needed: 4_096,
                    free,
                }),
            };
            let report = report(Path::new("data/database.db"), &upgrade);
            assert_eq!(report.code, code);
            assert!(report.text.contains(words), "{}", report.text);
        }
    }
}
