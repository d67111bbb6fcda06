//! The exit codes of every program of this crate, in the numbers of sysexits(3).

echat_system::exit_codes! {
    /// Why the process ends.
    pub enum ExitCode {
        Ok = 0, "success";
        Refused = 1, "the server refuses the command of ctl";
        Usage = 64, "invalid arguments";
        Data = 65, "the database or the backup is damaged, or rows were lost in a repair";
        NoInput = 66, "a file is missing: the backup, the data folder, or a database or host key that was there before";
        Unavailable = 69, "the address to listen on is not available, or no server uses the data folder";
        CannotCreate = 73, "the data folder, a file in it, the log file or a backup cannot be created, or the backup exists already";
        Io = 74, "reading or writing failed; nothing unsaved was acknowledged";
        Busy = 75, "another echat-server uses the data folder, another process writes the same backup, or the server does not answer ctl";
        Permission = 77, "the data folder or a file in it is not private, or not the server's own";
        Config = 78, "the configuration is invalid";
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
