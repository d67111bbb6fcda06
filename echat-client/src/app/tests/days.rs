//! Days in the compact style, whose lines have no date; and tabs.

use crate::local::local_time::Zone;

use super::*;

const NOON: u64 = 1_700_000_000 - 1_700_000_000 % 86_400 + 43_200;

fn at(id: u64, send_time: u64) -> ChatMessage {
    ChatMessage {
        send_time,
        ..in_room(id, "bob", "x")
    }
}

/// A user with the compact style, so many hours ahead of UTC.
fn compact(language: Language, hours: i32) -> Stage {
    let mut stage = ann(language);
    let settings = &mut stage.app.common.context.settings;
    settings.config.compact = true;
    settings.zone = Zone::fixed(hours * 3600);
    stage
}

#[test]
fn a_day_stands_above_its_first_line() {
    for language in [Language::English, Language::Chinese] {
        let mut stage = compact(language, 0);
        stage.types("&r room1").printed();
        // A minute before midnight and after it, and the day goes on.
        let midnight = NOON + 43_200;
        stage.says(live(at(1, midnight - 60), None));
        stage.says(live(at(2, midnight), None));
        stage.says(live(at(3, midnight + 60), None));
        let expected = [
            "------ 2023-11-14 ------",
            "23:59 bob: x",
            "------ 2023-11-15 ------",
            "00:00 bob: x",
            "00:01 bob: x",
        ];
        assert_eq!(stage.printed(), expected);
        // A chat that is opened again begins with its day, and so do the lists.
        stage.types("\\c").types("contact").printed();
        stage.types(":m");
        assert_eq!(
            stage.printed()[2..],
            ["room1", "------ 2023-11-15 ------", "00:01 bob: x"]
        );
        stage.types("&r room1");
        assert_eq!(stage.printed()[1..6], expected);
    }
}

#[test]
fn days_are_in_the_time_zone_of_the_reader() {
    for (hours, days) in [
        (0, vec!["------ 2023-11-14 ------"]),
        (
            8,
            vec!["------ 2023-11-14 ------", "------ 2023-11-15 ------"],
        ),
    ] {
        let mut stage = compact(Language::English, hours);
        stage.types("&r room1").printed();
        stage
            .says(live(at(1, NOON), None))
            .says(live(at(2, NOON + 5 * 3600), None));
        let mut printed = stage.printed();
        printed.retain(|line| line.starts_with('-'));
        assert_eq!(printed, days);
    }
}

#[test]
fn a_page_of_older_messages_has_its_own_days() {
    let mut stage = compact(Language::English, 0);
    stage.types("&r room1").printed();
    for id in 100..200 {
        stage.says(live(at(id, NOON + 86_400 * (id / 190)), None));
    }
    stage
        .types("\\c")
        .types("contact")
        .types("&r room1")
        .printed();
    stage.types("/history");
    let printed = stage.printed();
    assert_eq!(
        printed[1..4],
        [
            "------ older messages ------",
            "------ 2023-11-14 ------",
            "12:00 bob: x"
        ]
    );
    // What comes then is of another day than the page's last line.
    stage.says(live(at(300, NOON + 86_400), None));
    assert_eq!(
        stage.printed(),
        ["------ 2023-11-15 ------", "12:00 bob: x"]
    );
}

#[test]
fn tabs_go_to_stops_from_the_beginning_of_the_text() {
    for (is_compact, expected) in [
        (false, ["a       b", "    你      c", "            d"]),
        (true, ["a   b", "    你  c", "        d"]),
    ] {
        let mut stage = ann(Language::English);
        stage.app.common.context.settings.config.compact = is_compact;
        stage.types("&r room1").printed();
        stage.says(live(in_room(2, "bob", "a\tb\n你\tc\n\td"), None));
        let printed = stage.printed();
        let printed = &printed[printed.len() - 3..];
        assert!(printed[0].ends_with(expected[0]), "{printed:?}");
        assert_eq!(printed[1..], expected[1..]);
    }
}

#[test]
fn a_day_that_is_still_to_come_is_told_from_words_that_are_no_day() {
    let mut stage = ann(Language::Chinese);
    stage.types("&r room1").printed();
    stage.sent();
    for (line, said) in [
        ("/date 明天", "还没到“明天”。"),
        ("/date 2123-01-01", "还没到“2123-01-01”。"),
        ("/search 饭 之后:后天", "还没到“后天”。"),
        (
            "/date 周一",
            "看不懂日期“周一”，可以写：2026-01-31、1月31日、昨天、3天前。",
        ),
    ] {
        stage.types(line);
        assert_eq!(stage.printed().last().unwrap(), said);
    }
    assert!(stage.sent().is_empty());
    stage.types("/search 饭 之前:明天");
    assert_eq!(stage.sent(), [RequestKind::Search]);
}
