//! The exit codes of every program of this crate, in the numbers of sysexits(3).

echat_system::exit_codes! {
    /// Why the process ends.
    pub enum ExitCode {
        Ok = 0, "success";
        Refused = 1, "the server refuses the command of ctl, or there is no such user or room to export";
        Usage = 64, "invalid arguments";
        Data = 65, "the database or the backup is damaged, or rows were lost in a repair";
        NoInput = 66, "a file is missing: the backup, the data folder, or a database or host key that was there before";
        Unavailable = 69, "the address to listen on is not available, or no server uses the data folder";
        CannotCreate = 73, "the data folder, a file in it, the log file or a backup cannot be created, the backup exists already, or the disk has no room for an upgrade";
        Io = 74, "reading or writing failed; nothing unsaved was acknowledged";
        Busy = 75, "another echat-server uses the data folder, another process writes the same backup, or the server that ctl asks is busy or does not answer";
        Permission = 77, "the data folder or a file in it is not private, or not the server's own";
        Config = 78, "the configuration, the host key or high_water is invalid";
    }
}

impl ExitCode {
    /// The code in a line of JSON that says why a command failed. It is coarser than the codes of the server.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Usage => "bad_params",
            Self::Data => "storage_damaged",
            Self::NoInput => "not_found",
            Self::Unavailable => "no_server",
            Self::CannotCreate => "cannot_create",
            Self::Io => "failed",
            Self::Busy => "busy",
            Self::Permission => "permission",
            Self::Config => "bad_config",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_ascend_and_stay_below_those_of_the_shell() {
        assert!(ExitCode::ALL.is_sorted_by_key(|code| code.code()));
        assert!(ExitCode::ALL.iter().all(|code| code.code() < 126));
    }
}
