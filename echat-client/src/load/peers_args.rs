//! The arguments of the comparison with other servers. They stand outside the feature `peers`, so that the man page is
//! the same with and without it.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, value_parser};

/// Measures echat beside redis, inspircd and ngircd, as far as they are installed, and writes docs/performance.md.
/// Needs the feature `peers` and Linux.
#[derive(Debug, Args)]
pub(super) struct Peers {
    /// Rounds; in each, every server is started and measured in turn, and the median of the rounds counts.
    #[arg(long, default_value_t = 5)]
    pub(super) rounds: usize,
    /// Members of the rooms, separated by commas.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [10, 100, 1_000],
        value_parser = RangedU64ValueParser::<usize>::new().range(1..)
    )]
    pub(super) rooms: Vec<usize>,
    /// Messages under way at a time, separated by commas.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [1, 64],
        value_parser = value_parser!(u64).range(1..)
    )]
    pub(super) windows: Vec<u64>,
    /// Idle connections of each server; 0 leaves them out.
    #[arg(long, default_value_t = 10_000)]
    pub(super) idle: usize,
    /// For how many seconds they are idle.
    #[arg(long, default_value_t = 120)]
    pub(super) idle_seconds: u64,
    /// Only these servers, by the beginnings of their names, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// One round with small numbers, to see that it works; the page is not written unless --docs says where.
    #[arg(long)]
    pub(super) quick: bool,
    /// The folder of performance.md and performance.zh-CN.md, whose figures are replaced; `docs` unless given.
    #[arg(long)]
    pub(super) docs: Option<PathBuf>,
}

#[cfg(feature = "peers")]
impl Peers {
    /// Whether a server of this name is to be measured.
    pub(super) fn chosen(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|start| name.starts_with(start))
    }
}
