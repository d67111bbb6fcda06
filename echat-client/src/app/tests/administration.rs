//! Commands of the server's administration: what is typed, and what is shown of results and refusals.

use echat_proto::param::Dict;

use super::*;
use RequestKind as R;

/// The reply to the command that was typed last.
fn result(stage: &mut Stage, entries: Vec<(&str, Value)>) -> Vec<String> {
    stage.printed();
    let entries = entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    stage.says(Event::AdminResult {
        result: Dict(entries.collect()),
        text: "of the server".to_owned(),
    });
    stage.printed()
}

fn row(cells: &[(&str, Value)]) -> Value {
    let cells = cells
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()));
    Value::Dict(cells.collect())
}

fn refused(stage: &mut Stage, code: &str, field: Option<&str>) -> String {
    stage.printed();
    let mut fail = fail(code, &[]);
    let number = u64::from(R::Admin.info().number);
    fail.detail.push(("command".to_owned(), Value::Int(number)));
    let field = field.map(|field| ("field".to_owned(), Value::from(field)));
    fail.detail.extend(field);
    stage.says(Event::Refused { fail });
    stage.printed().concat()
}

#[test]
fn a_long_cell_does_not_widen_every_row() {
    let mut stage = ann(Language::English);
    stage.types("/admin users");
    let users = |name: String| {
        row(&[
            ("username", Value::from(name.as_str())),
            ("rooms", Value::Int(1)),
        ])
    };
    let mut rows = vec![users("x".repeat(1_000))];
    rows.extend((0..1_000).map(|number| users(number.to_string())));
    let users = vec![("users", Value::List(rows)), ("more", Value::Bool(false))];
    let shown = result(&mut stage, users);
    assert!(shown.concat().len() < 200_000, "{}", shown.concat().len());
    let [one, two] = [&shown[shown.len() - 1], &shown[shown.len() - 2]];
    assert_eq!(one.find(" 1"), two.find(" 1"), "{one:?} {two:?}");
}

#[test]
fn a_result_is_told_in_the_language_of_the_reader() {
    let done = || {
        vec![
            ("done", Value::from("bob is suspended")),
            ("until", Value::Int(1_700_000_000)),
            ("reason", Value::from("spam")),
        ]
    };
    let mut stage = ann(Language::English);
    stage.types("/admin suspend bob 2h spam");
    assert_eq!(
        result(&mut stage, done()),
        [
            "bob is suspended",
            "until: 2023-11-14 22:13:20",
            "reason: spam"
        ]
    );
    let mut stage = ann(Language::Chinese);
    stage.types("/admin suspend bob 2h spam");
    assert_eq!(
        result(&mut stage, done()),
        [
            "已停用“bob”的账号。",
            "截止时间：2023-11-14 22:13:20",
            "原因：spam"
        ]
    );
    stage.types("/admin kick bob");
    let unchanged = vec![
        ("done", Value::from("bob is not logged in")),
        ("sessions_ended", Value::Int(0)),
        ("unchanged", Value::Bool(true)),
    ];
    assert_eq!(
        result(&mut stage, unchanged),
        ["原本就是这样，没有变化。", "结束的会话数：0"]
    );
    // A command of a newer server, and a key that is not known.
    stage.types("/admin frobnicate bob");
    let new = vec![
        ("done", Value::from("frobnicated bob")),
        ("how_often", Value::Int(3)),
        ("never", Value::Bool(false)),
    ];
    assert_eq!(
        result(&mut stage, new),
        ["frobnicated bob", "how often：3", "never：否"]
    );
}

#[test]
fn columns_of_a_table_stand_below_one_another() {
    let names = |name: &str, online| {
        row(&[
            ("name", Value::from(name)),
            ("online", Value::Bool(online)),
            ("last_seen", Value::Null),
            ("created", Value::Int(1_700_000_000)),
        ])
    };
    let users = || {
        vec![
            (
                "users",
                Value::List(vec![
                    names("小明", true),
                    names("ann", false),
                    names("deleted account 7", false),
                ]),
            ),
            ("more", Value::Bool(true)),
        ]
    };
    let mut stage = ann(Language::Chinese);
    stage.types("/admin users");
    assert_eq!(
        result(&mut stage, users()),
        [
            "名字          在线  创建时间",
            "小明          是    2023-11-14 22:13:20",
            "ann                 2023-11-14 22:13:20",
            "已注销账号 7        2023-11-14 22:13:20",
            "……还有更多",
        ]
    );
    let mut stage = ann(Language::English);
    stage.types("/admin users");
    assert_eq!(
        result(&mut stage, users())[..2],
        [
            "name               online  created",
            "小明               yes     2023-11-14 22:13:20",
        ]
    );
    stage.types("/admin rooms");
    let none = vec![("rooms", Value::List(vec![])), ("more", Value::Bool(false))];
    assert_eq!(result(&mut stage, none), ["none"]);
    stage.types("/admin user bob");
    let facts = vec![
        ("name", Value::from("bob")),
        ("rooms", Value::List(vec![])),
        (
            "bots",
            Value::List(vec![Value::from("b1"), Value::from("b2")]),
        ),
    ];
    assert_eq!(result(&mut stage, facts), ["name: bob", "bots: b1, b2"]);
}

#[test]
fn the_owner_of_a_bot_is_not_called_like_that_of_a_room() {
    for (language, bots, rooms) in [
        (Language::English, "name    owner", "name   owner  members"),
        (Language::Chinese, "名字    主人", "名字   房主  成员"),
    ] {
        let mut stage = ann(language);
        stage.types("/admin bots");
        let clerk = row(&[
            ("name", Value::from("clerk7")),
            ("owner", Value::from("ann")),
        ]);
        let table = vec![
            ("bots", Value::List(vec![clerk])),
            ("more", Value::Bool(false)),
        ];
        assert_eq!(result(&mut stage, table)[0], bots);
        stage.types("/admin rooms");
        let room = row(&[
            ("name", Value::from("room1")),
            ("owner", Value::from("ann")),
            ("members", Value::Int(1)),
        ]);
        let table = vec![
            ("rooms", Value::List(vec![room])),
            ("more", Value::Bool(false)),
        ];
        assert_eq!(result(&mut stage, table)[0], rooms);
        stage.types("/admin room room1");
        let label = if language == Language::Chinese {
            "房主：ann"
        } else {
            "owner: ann"
        };
        assert_eq!(
            result(&mut stage, vec![("owner", Value::from("ann"))]),
            [label]
        );
    }
}

#[test]
fn help_lists_what_can_be_typed_here() {
    let command = |usage: &str, about: &str, only_ctl| {
        row(&[
            ("command", Value::from(usage)),
            ("about", Value::from(about)),
            ("only_ctl", Value::Bool(only_ctl)),
        ])
    };
    let help = || {
        let commands = vec![
            command("kick NAME", "ends all sessions", false),
            command("backup FILE", "writes a backup", true),
            command("invitation new [USES]", "makes a code", false),
        ];
        vec![
            ("commands", Value::List(commands)),
            ("more", Value::Bool(false)),
        ]
    };
    for (language, lines) in [
        (
            Language::English,
            [
                "command                about",
                "kick NAME              ends all sessions",
                "invitation new [USES]  makes a code",
            ],
        ),
        (
            Language::Chinese,
            [
                "命令                   说明",
                "kick NAME              结束用户的全部会话，用户可以重新登录",
                "invitation new [USES]  生成邀请码",
            ],
        ),
    ] {
        let mut stage = ann(language);
        stage.types("/admin help");
        assert_eq!(result(&mut stage, help()), lines);
    }
}

#[test]
fn a_message_is_deleted_by_its_id_after_a_question_that_says_what_that_is() {
    for (language, question, declined) in [
        (
            Language::English,
            "not a number of `/n`. (Y/N)",
            "The message with the id 1 was not deleted.",
        ),
        (
            Language::Chinese,
            "不是 `/n` 里的序号。(Y/N)",
            "没有删除 id 为 1 的消息。",
        ),
    ] {
        let mut stage = ann(language);
        let is_sent = |stage: &mut Stage| stage.sent().contains(&R::Admin);
        stage.types("/admin delete-message 1");
        let asked = stage.printed().concat();
        assert!(asked.ends_with(question), "{asked}");
        stage.types("n");
        assert_eq!(stage.printed().last().unwrap(), declined);
        assert!(!is_sent(&mut stage));
        stage.types("/admin delete-message 1").types("y");
        assert!(is_sent(&mut stage));
        stage.types("/admin kick bob");
        assert!(is_sent(&mut stage));
    }
}

#[test]
fn a_command_that_nothing_can_undo_asks_before() {
    for (language, question, declined) in [
        (
            Language::English,
            "`/admin delete-user bob erase-messages` cannot be undone. Continue? (Y/N)",
            "`/admin delete-user bob erase-messages` was not carried out.",
        ),
        (
            Language::Chinese,
            "`/admin delete-user bob erase-messages` 执行后无法撤销。是否继续？(Y/N)",
            "没有执行 `/admin delete-user bob erase-messages`。",
        ),
    ] {
        let mut stage = ann(language);
        stage.types("/admin delete-user bob erase-messages");
        assert_eq!(stage.printed().last().unwrap(), question);
        stage.types("n");
        assert_eq!(stage.printed().last().unwrap(), declined);
        assert!(!stage.sent().contains(&R::Admin));
        for line in [
            "close-room tea",
            "delete-user bob",
            "reset-password bob",
            "reset-password bob keep-tokens",
        ] {
            stage.types(&format!("/admin {line}"));
            assert!(!stage.sent().contains(&R::Admin), "{line}");
            stage.types("y");
            assert!(stage.sent().contains(&R::Admin), "{line}");
        }
        // Another command undoes these.
        for line in ["rename-user bob rob", "unmake-admin bob", "suspend bob 2h"] {
            stage.types(&format!("/admin {line}"));
            assert!(stage.sent().contains(&R::Admin), "{line}");
        }
    }
}

#[test]
fn a_wrong_parameter_is_named_with_what_to_type() {
    for (line, field, said) in [
        (
            "nonsense",
            "command",
            "There is no command `nonsense` of the administration. `/admin help` lists them.",
        ),
        (
            "suspend bob yesterday",
            "until",
            "`/admin suspend`: `until` must be a time to come, such as `30m`, `12h`, `7d` or `2026-12-31`, or `forever`.",
        ),
        (
            "invitation new 3 soon",
            "expires",
            "`/admin invitation new`: `expires` must be a time to come, such as `30m`, `12h`, `7d` or `2026-12-31`, or `forever`.",
        ),
        (
            "ban-address 0.0.0.0/0",
            "address",
            "`/admin ban-address`: `address` must be an address or a prefix, such as `192.0.2.0/24`. A ban takes a prefix of at \
             least 8 bits (IPv4) or 16 bits (IPv6).",
        ),
        (
            "kick",
            "name",
            "`/admin kick`: `name` is missing or not valid. `/admin help kick` shows what to type.",
        ),
    ] {
        let mut stage = ann(Language::English);
        stage.types(&format!("/admin {line}"));
        assert_eq!(stage.sent(), [R::Admin], "{line}");
        let told = refused(&mut stage, "bad_params", Some(field));
        assert_eq!(told, said, "{line}");
    }
}

#[test]
fn a_refusal_says_what_was_wrong() {
    for (line, code, said) in [
        (
            "suspend ANN",
            "not_allowed",
            "`suspend` is not possible for your own account. Another administrator can do it.",
        ),
        (
            "drain 5",
            "not_allowed",
            "Only the operator of the server can do this, with `echat-server ctl drain`.",
        ),
        (
            "export user bob",
            "not_allowed",
            "Only the operator of the server can do this, with `echat-server ctl export user`.",
        ),
        (
            "ban-address 127.0.0.1",
            "not_allowed",
            "You are connected from this address yourself.",
        ),
        (
            "suspend eve",
            "not_allowed",
            "Only administrators of the server may do this.",
        ),
        ("suspend eve", "unknown_user", "User eve does not exist."),
        (
            "rename-user bob eve",
            "name_taken",
            "The name eve, or one that looks like it, is taken. Please choose another one.",
        ),
        (
            "room-owner tea eve",
            "not_a_member",
            "eve is not a member of tea.",
        ),
    ] {
        let mut stage = ann(Language::English);
        stage.types(&format!("/admin {line}"));
        if line.starts_with("rename-user") {
            stage.types("y").printed();
        }
        assert_eq!(stage.sent(), [R::Admin], "{line}");
        assert_eq!(refused(&mut stage, code, None), said, "{line}");
    }
}

#[test]
fn tab_completes_the_commands() {
    let mut stage = ann(Language::English);
    stage.presses("/admin susp\t");
    assert_eq!(stage.line(), "/admin suspend ");
}
