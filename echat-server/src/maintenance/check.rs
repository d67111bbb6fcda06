//! `echat-server check`: finds faults of a database, and repairs it.
//!
//! What is derived from rows is made anew in the database itself, in one transaction. If rows or pages cannot be read,
//! what can be read is copied into a new database, which takes the place of the damaged one; that one is kept.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{CommandReport, MaintenanceError};
use crate::backup::carry_administrator_code;
use crate::config::{self, Overrides};
use crate::data_dir::{self, DataFiles, Offline};
use crate::engine::AdminReport;
use crate::exit::ExitCode;
use crate::storage::{
    Fault, Findings, OpenError, Salvaged, begin_history, check_database, rebuild, recorded_id,
    reserved_ids, salvage,
};

/// How a check ended.
#[derive(Debug, Default)]
struct CheckOutcome {
    /// One word, the same in JSON: `sound`, `damaged` or `repaired`.
    word: &'static str,
    /// What was found.
    faults: Vec<Fault>,
    /// What a repair lost, a line each.
    lost: Vec<String>,
    /// Where the damaged files are.
    aside: Option<PathBuf>,
}

pub(super) fn check(
    folder: Overrides,
    repair: bool,
    as_json: bool,
    now: i64,
) -> Result<CommandReport, MaintenanceError> {
    let data = config::load_for_folder(folder)?.config.data;
    let files = data_dir::open_for_command(&data)?;
    let outcome = if repair {
        repaired(&data, &files, now)?
    } else {
        let faults = found(&files)?.faults;
        let word = if faults.is_empty() {
            "sound"
        } else {
            "damaged"
        };
        CheckOutcome {
            word,
            faults,
            ..CheckOutcome::default()
        }
    };
    let code = if outcome.word == "damaged" || !outcome.lost.is_empty() {
        ExitCode::Data
    } else {
        ExitCode::Ok
    };
    let text = if as_json {
        outcome.json()
    } else {
        outcome.text(&files.shown_database)
    };
    Ok(CommandReport {
        text,
        complaint: None,
        code,
    })
}

/// Checks the database of the server that this process is.
pub(super) fn beside(database: &Path) -> Result<AdminReport, MaintenanceError> {
    let checked = check_database(database).map_err(|source| MaintenanceError::Database {
        path: database.to_owned(),
        source,
    })?;
    let faults = checked.0.faults;
    if faults.is_empty() {
        return Ok(AdminReport::done("the database is sound").key("outcome", "sound"));
    }
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Err(MaintenanceError::Damaged(shown.join("; ")))
}

fn database_error(files: &DataFiles) -> impl Fn(OpenError) -> MaintenanceError {
    let path = files.shown_database.clone();
    move |source| {
        let path = path.clone();
        MaintenanceError::Database { path, source }
    }
}

fn found(files: &DataFiles) -> Result<Findings, MaintenanceError> {
    let checked = check_database(&files.database).map_err(database_error(files))?;
    Ok(checked.0)
}

fn repaired(data: &Path, files: &DataFiles, now: i64) -> Result<CheckOutcome, MaintenanceError> {
    let offline = Offline::open(data, false)?;
    let error = database_error(files);
    let (faults, opens) = match check_database(&files.database) {
        Err(damage @ (OpenError::Damaged(_) | OpenError::Foreign)) => {
            (vec![Fault::of_first_page(&damage)], false)
        }
        checked => (checked.map_err(&error)?.0.faults, true),
    };
    let mut outcome = CheckOutcome {
        word: "repaired",
        faults,
        ..CheckOutcome::default()
    };
    if outcome.faults.is_empty() {
        outcome.word = "sound";
        return Ok(outcome);
    }
    if opens && rebuild(&files.database).map_err(&error)? {
        return Ok(outcome);
    }
    let saved = save(&offline, files, now, &mut outcome);
    if outcome.aside.is_none() {
        // The damaged database stays. The first error is the one to report.
        let _ = offline.discard();
    }
    saved.map(|()| outcome)
}

/// Replaces the database by one with what can be read of it.
fn save(
    offline: &Offline,
    files: &DataFiles,
    now: i64,
    outcome: &mut CheckOutcome,
) -> Result<(), MaintenanceError> {
    let error = database_error(files);
    let incoming = offline.stage()?;
    let given = recorded_id(&offline.high_water()).unwrap_or(0);
    let Salvaged {
        lost,
        newest_id,
        findings,
        ..
    } = salvage(&files.database, &incoming.database(), given, now).map_err(&error)?;
    outcome.lost = lost;
    if !findings.faults.is_empty() {
        outcome.word = "damaged";
        outcome.faults.extend(findings.faults);
        return Ok(());
    }
    let above = reserved_ids(&offline.high_water()).unwrap_or(0);
    let above = above.max(newest_id);
    begin_history(&incoming.database(), &incoming.high_water(), above).map_err(&error)?;
    carry_administrator_code(offline, &incoming, false)?;
    outcome.aside = offline.replace(&incoming, "repair")?;
    Ok(())
}

impl CheckOutcome {
    fn json(&self) -> String {
        let fault = |fault: &Fault| json!({"kind": fault.kind.word(), "what": fault.what});
        let faults: Vec<Value> = self.faults.iter().map(fault).collect();
        let aside = self.aside.as_ref().map(|path| path.display().to_string());
        let value = json!({
            "outcome": self.word,
            "faults": faults,
            "lost": self.lost,
            "aside": aside,
        });
        format!("{value}\n")
    }

    fn text(&self, database: &Path) -> String {
        let mut lines = vec![format!("{}: {}", database.display(), self.word)];
        let mut list = |heading: &str, items: Vec<String>| {
            if !items.is_empty() {
                lines.push(heading.to_owned());
                lines.extend(items.into_iter().map(|item| format!("  {item}")));
            }
        };
        list(
            "found:",
            self.faults.iter().map(ToString::to_string).collect(),
        );
        list("lost:", self.lost.clone());
        if let Some(aside) = &self.aside {
            lines.push(format!("the damaged files: {}", aside.display()));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
