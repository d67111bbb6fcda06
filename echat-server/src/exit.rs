//! The exit codes of every program of this crate, in the numbers of sysexits(3).

/// Declares each code once: variant, number, and what the help says of it.
macro_rules! exit_codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// Why the process ends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ExitCode {
            $(#[doc = concat!($meaning, ".")] $name,)*
        }

        impl ExitCode {
            /// Every code, lowest first.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number the parent process sees.
            pub fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// What it means, in the words of `--help`.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

exit_codes! {
    Ok = 0, "all went well";
    Usage = 64, "wrong flags";
    NoInput = 66, "the data folder was used before, and its database or its host key is missing";
    Unavailable = 69, "the address to listen on cannot be had";
    CannotCreate = 73, "the data folder, or a file in it, cannot be made";
    Io = 74, "reading or writing failed; nothing unsaved was acknowledged";
    Busy = 75, "another echat-server uses the data folder";
    Permission = 77, "the data folder or a file in it is not private, or not the server's own";
    Config = 78, "the configuration is wrong";
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_grow_and_stay_under_the_shells_own() {
        assert!(ExitCode::ALL.is_sorted_by_key(|code| code.code()));
        assert!(ExitCode::ALL.iter().all(|code| code.code() < 126));
    }
}
