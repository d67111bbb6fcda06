//! Exit codes, declared once for the program, `--help`, the man pages and the tests.

/// Declares the exit codes of a program: an enumeration with `ALL`, `code`, `meaning` and `table`.
///
/// ```
/// echat_system::exit_codes! {
///     /// Why the program ends.
///     pub enum Exit {
///         Success = 0, "success";
///         Usage = 64, "invalid arguments";
///     }
/// }
/// assert_eq!(Exit::Usage.code(), 64);
/// assert_eq!(
///     Exit::table(Exit::ALL),
///     "Exit codes:\n   0  success\n  64  invalid arguments\n"
/// );
/// ```
#[macro_export]
macro_rules! exit_codes {
    (
        $(#[$meta:meta])*
        pub enum $exit:ident {
            $($(#[$doc:meta])* $name:ident = $code:literal, $meaning:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $exit {
            $(
                #[doc = concat!($meaning, ".")]
                $(#[$doc])*
                $name = $code,
            )*
        }

        impl $exit {
            /// Every code, lowest first.
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$name,)*];

            /// The number that the parent process sees.
            pub fn code(self) -> u8 {
                self as u8
            }

            /// What it means, in the words of `--help`.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// The list for `--help`.
            pub fn table(exits: impl IntoIterator<Item = Self>) -> String {
                let width = Self::ALL.last().map_or(0, |exit| exit.code().to_string().len());
                let row = |exit: Self| format!("  {:>width$}  {}\n", exit.code(), exit.meaning());
                let rows: String = exits.into_iter().map(row).collect();
                format!("Exit codes:\n{rows}")
            }
        }

        impl From<$exit> for std::process::ExitCode {
            fn from(exit: $exit) -> Self {
                exit.code().into()
            }
        }
    };
}
