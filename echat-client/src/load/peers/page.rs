//! docs/performance.md in both languages: the parts between markers are replaced, all other text is written by hand.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::super::Failure;
use super::chart;
use super::results::{Metric, Results, Spread, significant};

/// The pages in a folder of documents.
const PAGES: [(&str, PageLanguage); 2] = [
    ("performance.md", PageLanguage::English),
    ("performance.zh-CN.md", PageLanguage::Chinese),
];
/// The generated parts.
const PARTS: [&str; 5] = ["aims", "servers", "ratios", "histogram", "machine"];
/// The folder of plots beside the pages.
const PLOTS: &str = "performance";
/// The server whose figures have aims.
const ECHAT: &str = "echat";
/// The servers whose histograms are shown.
const IN_HISTOGRAM: [&str; 2] = [ECHAT, "redis + TLS"];

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PageLanguage {
    English,
    Chinese,
}

impl PageLanguage {
    fn pick<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// What a figure should be.
enum Aim {
    AtMost(f64),
    /// At most so many times the figure of another server in the same run.
    Times(f64, &'static str),
}

/// The aims, with echat's figures when they were set.
const AIMS: &[(Metric, f64, Aim)] = &[
    (room(10, 1), 23.8, Aim::AtMost(14.0)),
    (room(100, 1), 8.2, Aim::Times(1.0, "redis + TLS")),
    (room(1_000, 1), 9.1, Aim::Times(1.15, "redis")),
    (room(10, 64), 2.5, Aim::AtMost(1.0)),
    (room(100, 64), 0.94, Aim::AtMost(0.40)),
    (room(1_000, 64), 1.43, Aim::AtMost(0.42)),
    (room(5_000, 64), 4.7, Aim::AtMost(0.7)),
    (Metric::Private, 40.9, Aim::Times(1.0, "redis + TLS")),
    (Metric::LatencyP50, 1.1, Aim::AtMost(0.85)),
    (Metric::LatencyP99, 3.3, Aim::AtMost(2.0)),
    (Metric::Handshake, 2_450.0, Aim::AtMost(900.0)),
    (Metric::IdleMemory, 2.76, Aim::AtMost(1.9)),
    (Metric::IdleCpu, 1.9, Aim::AtMost(0.2)),
];

const fn room(members: usize, window: u64) -> Metric {
    Metric::Delivery { members, window }
}

/// Looks whether the pages are there with all their markers.
///
/// # Errors
/// A page or a marker is missing.
pub(super) fn check(folder: &Path) -> Result<(), Failure> {
    for (name, _) in PAGES {
        let path = folder.join(name);
        let page = fs::read_to_string(&path)?;
        for part in PARTS {
            replaced(&page, part, "").ok_or_else(|| missing(&path, part))?;
        }
    }
    Ok(())
}

/// Replaces the generated parts of both pages, and draws the plots.
pub(super) fn write(folder: &Path, results: &Results) -> Result<(), Failure> {
    for (name, language) in PAGES {
        let path = folder.join(name);
        let mut page = fs::read_to_string(&path)?;
        for part in PARTS {
            let text = match part {
                "aims" => aims(results, language),
                "servers" => servers(results, language),
                "ratios" => ratios(results, language),
                "histogram" => histogram(results),
                _ => machine(results, language),
            };
            page = replaced(&page, part, &text).ok_or_else(|| missing(&path, part))?;
        }
        fs::write(&path, page)?;
    }
    let plots = folder.join(PLOTS);
    fs::create_dir_all(&plots)?;
    chart::draw(&plots, results)
}

fn missing(path: &Path, part: &str) -> Failure {
    Failure::NoMarker(path.to_owned(), part.to_owned())
}

/// The page with another text between the markers of a part; `None` without them.
fn replaced(page: &str, part: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- measured: {part} -->\n");
    let start = page.find(&begin)? + begin.len();
    let end = start + page[start..].find("<!-- end -->")?;
    Some(format!("{}\n{text}\n{}", &page[..start], &page[end..]))
}

fn title(metric: Metric, language: PageLanguage) -> String {
    let (english, chinese) = match metric {
        Metric::Delivery { members, window } => {
            return match language {
                PageLanguage::English => {
                    format!("delivery, room of {members}, window {window}, µs")
                }
                PageLanguage::Chinese => format!("投递，{members} 人聊天室，窗口 {window}，微秒"),
            };
        }
        Metric::Private => (
            "private message with acknowledgement, µs",
            "私聊（含确认），微秒",
        ),
        Metric::LatencyP50 => (
            "latency in a room of 100, p50, ms",
            "百人聊天室延迟 p50，毫秒",
        ),
        Metric::LatencyP99 => (
            "latency in a room of 100, p99, ms",
            "百人聊天室延迟 p99，毫秒",
        ),
        Metric::Handshake => ("handshake, µs", "握手，微秒"),
        Metric::IdleMemory => ("idle connection, KiB", "空闲连接，KiB"),
        Metric::IdleCpu => ("idle CPU, %", "空闲时的 CPU，%"),
    };
    language.pick(english, chinese).to_owned()
}

/// A row of a table.
fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table and the line below it.
fn head(cells: Vec<String>) -> String {
    let line = vec!["---".to_owned(); cells.len()];
    row(cells) + &row(line)
}

fn with_range(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    let [median, min, max] = [median, min, max].map(significant);
    format!("{median} ({min}–{max})")
}

fn aims(results: &Results, language: PageLanguage) -> String {
    let heads = [
        ("what", "项目"),
        ("before", "之前"),
        ("aim", "目标"),
        ("now", "现在"),
        ("met", "达到"),
    ];
    let heads = heads.map(|(english, chinese)| language.pick(english, chinese).to_owned());
    let mut table = head(heads.to_vec());
    for (metric, before, aim) in AIMS {
        let (bound, described) = match aim {
            Aim::AtMost(bound) => (Some(*bound), format!("≤ {bound}")),
            Aim::Times(times, server) => {
                let theirs = results.spread(server, *metric);
                let bound = theirs.map(|theirs| times * theirs.median);
                let value =
                    bound.map_or_else(String::new, |bound| format!(" = {}", significant(bound)));
                let times = if *times > 1.0 {
                    format!("{times} × ")
                } else {
                    String::new()
                };
                (bound, format!("≤ {times}{server}{value}"))
            }
        };
        let ours = results.spread(ECHAT, *metric);
        let met = match (ours, bound) {
            (Some(ours), Some(bound)) if ours.median <= bound => language.pick("yes", "是"),
            (Some(_), Some(_)) => language.pick("no", "否"),
            _ => "",
        };
        table += &row([
            title(*metric, language),
            significant(*before),
            described,
            ours.map_or_else(String::new, with_range),
            met.to_owned(),
        ]);
    }
    table
}

fn names(results: &Results) -> impl Iterator<Item = &'static str> + '_ {
    results.servers.iter().map(|(name, _)| *name)
}

fn servers(results: &Results, language: PageLanguage) -> String {
    let what = language.pick("what", "项目").to_owned();
    let mut table = head(
        [what]
            .into_iter()
            .chain(names(results).map(str::to_owned))
            .collect(),
    );
    for metric in results.metrics() {
        let cells = names(results).map(|server| {
            let spread = results.spread(server, metric);
            spread.map_or_else(String::new, with_range)
        });
        table += &row([title(metric, language)].into_iter().chain(cells));
    }
    table
}

/// echat's median divided by each other server's.
fn ratios(results: &Results, language: PageLanguage) -> String {
    let others: Vec<&str> = names(results).filter(|name| *name != ECHAT).collect();
    let what = language.pick("echat divided by", "echat 除以").to_owned();
    let mut table = head(
        [what]
            .into_iter()
            .chain(others.iter().map(|name| (*name).to_owned()))
            .collect(),
    );
    for metric in results.metrics() {
        let ours = results.spread(ECHAT, metric);
        let cells = others.iter().map(|server| {
            let ratio = ours
                .zip(results.spread(server, metric))
                .map(|(ours, theirs)| ours.median / theirs.median)
                .filter(|ratio| ratio.is_finite());
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
        });
        table += &row([title(metric, language)].into_iter().chain(cells));
    }
    table
}

/// A block of text, the same in every language.
fn histogram(results: &Results) -> String {
    let mut text = "```text\n".to_owned();
    for server in IN_HISTOGRAM {
        let Some(histogram) = results.histogram(server) else {
            continue;
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{server}, ms");
        for (from, to, share) in histogram.shares() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of 100 %"
            )]
            let bar = "#".repeat((share / 2.0).ceil() as usize);
            let line = format!("{from:8.3} to {to:8.3} {share:6.2} % {bar}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text + "```\n"
}

fn machine(results: &Results, language: PageLanguage) -> String {
    let heads = [language.pick("what", "项目"), language.pick("which", "值")];
    let mut table = head(heads.map(str::to_owned).to_vec());
    for (name, value) in &results.machine {
        let chinese = match *name {
            "processor" => "处理器",
            "extensions" => "指令集扩展",
            "cores" => "核数",
            "memory" => "内存",
            "kernel" => "内核",
            "system" => "系统",
            "pinned" => "绑核",
            _ => "日期",
        };
        table += &row([language.pick(name, chinese).to_owned(), value.clone()]);
    }
    for (name, version) in &results.servers {
        let none = language.pick("not installed", "未安装");
        let version = version.as_deref().unwrap_or(none);
        table += &row([(*name).to_owned(), version.to_owned()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Results {
        let mut results = Results::default();
        results.servers = vec![("echat", Some("1".to_owned())), ("redis + TLS", None)];
        for (server, value) in [("echat", 6.0), ("redis + TLS", 5.0)] {
            results.add(server, room(100, 1), value);
        }
        results
    }

    #[test]
    fn only_what_is_between_markers_is_replaced() {
        let page = "a\n<!-- measured: aims -->\nold\n<!-- end -->\nb\n";
        let new = replaced(page, "aims", "new\n").unwrap();
        assert_eq!(
            new,
            "a\n<!-- measured: aims -->\n\nnew\n\n<!-- end -->\nb\n"
        );
        assert_eq!(replaced(&new, "aims", "new\n").unwrap(), new);
        assert_eq!(replaced(page, "machine", "new"), None);
    }

    #[test]
    fn the_pages_of_this_project_have_all_markers() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        check(&docs).unwrap();
    }

    #[test]
    fn an_aim_is_held_to_the_other_server_of_the_same_run() {
        let table = aims(&some(), PageLanguage::English);
        let line = "| delivery, room of 100, window 1, µs | 8.20 | ≤ redis + TLS = 5.00 | 6.00 (6.00–6.00) | no |";
        assert!(table.contains(line), "{table}");
        let table = ratios(&some(), PageLanguage::English);
        assert!(
            table.contains("| delivery, room of 100, window 1, µs | 1.20 |"),
            "{table}"
        );
    }

    #[test]
    fn a_server_that_is_not_installed_has_an_empty_column() {
        let mut results = some();
        results.add("echat", Metric::Private, 2.0);
        let table = servers(&results, PageLanguage::English);
        let line = "| private message with acknowledgement, µs | 2.00 (2.00–2.00) |  |";
        assert!(table.contains(line), "{table}");
    }
}
