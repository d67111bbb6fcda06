use super::*;
use crate::text::Language;

const SCOPES: [Scope; 6] = [
    Scope::Command,
    Scope::Register,
    Scope::Login,
    Scope::Contact,
    Scope::Chat,
    Scope::Query,
];

fn name(text: &str) -> String {
    text.to_owned()
}

#[test]
fn each_mode_accepts_its_statements() {
    use Scope::{Chat, Command, Contact, Query};
    use Statement as S;
    for (scope, line, statement) in [
        (Command, " login ", S::Login),
        (Command, "chat", S::Chat(None)),
        (Command, "chat room1", S::Chat(Some(name("room1")))),
        (Command, "quit", S::Quit),
        (Contact, "+f bob", S::AddFriend(name("bob"))),
        (
            Contact,
            "@f bob  how are  you ",
            S::Send(Target::Friend(name("bob")), name("how are  you")),
        ),
        (
            Contact,
            "@r 房间 你好",
            S::Send(Target::Room(name("房间")), name("你好")),
        ),
        (Contact, "&r room1", S::Open(Target::Room(name("room1")))),
        (Contact, "?", S::Unread),
        (
            Contact,
            "room=a+b",
            S::CreateRoom(name("room"), vec![name("a"), name("b")]),
        ),
        (
            Contact,
            "room = a + b",
            S::CreateRoom(name("room"), vec![name("a"), name("b")]),
        ),
        (Contact, "room=", S::CreateRoom(name("room"), vec![])),
        (
            Contact,
            "room+=a",
            S::AddMembers(name("room"), vec![name("a")]),
        ),
        (Contact, "find two words", S::Find(name("two words"))),
        (Contact, "\\c", S::Back),
        (Query, "server   time", S::ServerTime),
        (Query, "members room1", S::Members(name("room1"))),
        (Chat, "/history", S::History),
        (Chat, "//etc/passwd", S::Say(name("/etc/passwd"))),
        (Chat, "／／etc", S::Say(name("／etc"))),
        (Chat, "／history", S::History),
        (Contact, "-r room1", S::Leave(Some(name("room1")))),
        (Command, "/leave room1", S::Leave(Some(name("room1")))),
        (Chat, "/leave", S::Leave(None)),
        (Chat, "／leave　room1", S::Leave(Some(name("room1")))),
        (Query, "/pending", S::Waiting),
        (Contact, " ／pending ", S::Waiting),
        (Chat, "/withdraw 12", S::Withdraw(Which::Number(12))),
        (Command, "／withdraw　１２", S::Withdraw(Which::Number(12))),
        (Query, "/withdraw all", S::Withdraw(Which::All)),
        (Contact, "/withdraw 全部", S::Withdraw(Which::All)),
        (Chat, "  indented", S::Say(name("  indented"))),
        (Chat, "\\o/", S::Say(name("\\o/"))),
        (Chat, "\\d", S::Quit),
    ] {
        assert_eq!(parse(scope, line), Ok(statement), "{line}");
    }
}

#[test]
fn text_that_is_no_statement_is_recognised() {
    let form = |scope, line| match parse(scope, line) {
        Err(Misread::Form(row)) => row.form(Language::English, false),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(form(Scope::Contact, "@f bob"), "@f <user> <text>");
    assert_eq!(form(Scope::Contact, "+r two words"), "+r <room>");
    assert_eq!(form(Scope::Contact, "find "), "find <word>");
    for line in ["/withdraw", "/withdraw 1 2", "/withdraw -1", "/withdraw x"] {
        assert_eq!(form(Scope::Chat, line), "/withdraw <number>|all");
    }
    for scope in [Scope::Register, Scope::Login] {
        assert_eq!(parse(scope, "/withdraw 1"), Err(Misread::Unknown));
    }
    assert_eq!(parse(Scope::Contact, "+fbob"), Err(Misread::Unknown));
    assert_eq!(parse(Scope::Contact, "room+="), Err(Misread::Unknown));
    assert_eq!(parse(Scope::Chat, "/nothing"), Err(Misread::Unknown));
    assert_eq!(parse(Scope::Chat, "   "), Err(Misread::Empty));
}

#[test]
fn every_row_reads_what_its_help_shows() {
    for scope in SCOPES {
        for language in [Language::English, Language::Chinese] {
            for (form, _) in help(scope, true, language) {
                // Placeholders are names; without their marks the form is a line.
                let line = form.replace(['<', '>', '[', ']'], "");
                let line = line.rsplit_once('|').map_or(line.clone(), |(head, all)| {
                    let command = head.split(' ').next().unwrap_or_default();
                    format!("{command} {all}")
                });
                let read = parse(scope, &line);
                assert!(read.is_ok() && read != Ok(Statement::Say(line)), "{form}");
            }
        }
    }
}

#[test]
fn the_chat_of_a_friend_has_no_commands_for_rooms() {
    let forms = |in_room| -> Vec<String> {
        let rows = help(Scope::Chat, in_room, Language::English);
        rows.into_iter().map(|(form, _)| form).collect()
    };
    let (room, friend) = (forms(true), forms(false));
    for form in ["/members", "/leave [<room>]"] {
        assert!(room.iter().any(|row| row == form), "{form}");
        assert!(!friend.iter().any(|row| row == form), "{form}");
    }
    assert!(friend.iter().any(|row| row == "/leave <room>"));
    let offered = |in_room| {
        let names = Names {
            in_room,
            ..Names::default()
        };
        complete(Scope::Chat, "/m", &names).candidates
    };
    assert_eq!(offered(true), ["/members"]);
    assert_eq!(offered(false), [""; 0]);
}

#[test]
fn commands_of_other_modes_are_seen_in_a_chat() {
    for line in [
        "+f bob",
        "&r room",
        "help",
        "quit",
        "login",
        ":pr",
        "?",
        "room=a+b",
        "room+=c",
        "find bob",
        "server time",
        "@f bob hello",
        "@f bob",
        "members room1",
        "\\c now",
    ] {
        assert!(looks_like_command(line), "{line}");
    }
    for line in [
        "hello",
        "",
        "who is there",
        "help me",
        "find me at the station",
        "chat with me",
        "1 + 1 = 2, you know",
        "https://a.example/?q=1",
        "/history",
        "\\c",
        "I quit",
        "你好",
    ] {
        assert!(!looks_like_command(line), "{line}");
    }
}

#[test]
fn completion_of_words_and_names() {
    let names = Names {
        users: vec![name("bob"), name("ben")],
        rooms: vec![name("big"), name("room1")],
        askers: vec![name("carol")],
        here: vec![
            name("bob"),
            name("白"),
            name("小明"),
            name("mary-jane"),
            name("émile"),
        ],
        in_room: true,
    };
    for (scope, line, from, candidates) in [
        (Scope::Command, "lo", 0, &["login", "logout"][..]),
        (Scope::Register, "h", 0, &["help"]),
        (Scope::Login, "\\", 0, &["\\c", "\\d"]),
        (Scope::Command, "chat b", 5, &["big", "bob", "ben"]),
        (Scope::Contact, "+f b", 3, &["bob", "ben"]),
        (Scope::Contact, "@r ", 3, &["big ", "room1 "]),
        (Scope::Contact, "@r big hel", 0, &[]),
        (Scope::Contact, "&", 0, &["&f ", "&r "]),
        (Scope::Contact, "new=bob+be", 8, &["ben"]),
        (Scope::Contact, "roo", 0, &["room1+="]),
        (Scope::Query, "se", 0, &["server time"]),
        (Scope::Chat, "/h", 0, &["/history", "/help"]),
        (Scope::Contact, "/p", 0, &["/pending"]),
        (Scope::Query, " ／w", 1, &["/withdraw "]),
        (Scope::Command, "/leave r", 7, &["room1"]),
        (Scope::Chat, "／leave r", 9, &["room1"]),
        (Scope::Register, "/p", 0, &[]),
        (Scope::Contact, "y ", 2, &["carol"]),
        (Scope::Chat, "/n c", 3, &["carol"]),
        (Scope::Contact, "ro", 0, &["room1+="]),
        (Scope::Contact, "@r big 请问小", 13, &["小明"]),
        (Scope::Contact, "@r big a=b", 9, &["bob"]),
        (Scope::Contact, "＋f B", 5, &["bob", "ben"]),
        (Scope::Contact, "new＝bob＋be", 12, &["ben"]),
        (Scope::Chat, "／h", 0, &["/history", "/help"]),
        (Scope::Chat, "hello 白", 6, &["白"]),
        (Scope::Chat, "hello @白", 7, &["白"]),
        (Scope::Chat, "请问小", 6, &["小明"]),
        (Scope::Chat, "小", 0, &["小明"]),
        (Scope::Chat, "你好bo", 6, &["bob"]),
        (Scope::Chat, "bob小", 3, &["小明"]),
        (Scope::Chat, "//小", 2, &["小明"]),
        (Scope::Chat, "、小", 3, &["小明"]),
        (Scope::Chat, "with MARY-J", 5, &["mary-jane"]),
        (Scope::Chat, "ＢＯ", 0, &["bob"]),
        (Scope::Chat, "e\u{301}m", 0, &["émile"]),
        (Scope::Chat, "hobo", 0, &[]),
        (Scope::Chat, "приbo", 0, &[]),
        (Scope::Contact, "+f B", 3, &["bob", "ben"]),
        (Scope::Chat, "hello ", 0, &[]),
    ] {
        let completion = complete(scope, line, &names);
        assert_eq!(completion.candidates, candidates, "{line}");
        if !candidates.is_empty() {
            assert_eq!(completion.from, from, "{line}");
        }
    }
}

#[test]
fn names_are_completed_behind_brackets_and_quotes() {
    let names = Names {
        here: vec![name("bob"), name("小明"), name("o'brien"), name("\"q\"")],
        ..Names::default()
    };
    for sign in "([{<«“‘\"'`「『《〈【（［｛、，。：；！？—…/\\|*_~#=+,.;:!?-@＠".chars()
    {
        for (before, prefix, full) in [("", "b", "bob"), ("好", "小", "小明"), ("see", "bO", "bob")]
        {
            let line = format!("say {before}{sign}{prefix}");
            let found = complete(Scope::Chat, &line, &names);
            assert_eq!(found.candidates, [full], "{line}");
            assert_eq!(found.from, line.len() - prefix.len(), "{line}");
        }
    }
    for (line, from, full) in [("(o'b", 1, "o'brien"), ("他说\"q", 6, "\"q\"")] {
        let found = complete(Scope::Chat, line, &names);
        assert_eq!((found.from, &found.candidates[0][..]), (from, full));
    }
    assert_eq!(complete(Scope::Chat, "hi @", &names).candidates.len(), 4);
}

#[test]
fn full_width_characters_are_read_where_a_command_is() {
    use Scope::{Chat, Command, Contact};
    use Statement as S;
    for (scope, line, statement) in [
        (Contact, "？", S::Unread),
        (Contact, "：ｒ", S::Rooms),
        (Contact, "：m", S::Messages),
        (Contact, "＋f\u{3000}小明", S::AddFriend(name("小明"))),
        (Contact, "－r room", S::Leave(Some(name("room")))),
        (Contact, "＆r 房间", S::Open(Target::Room(name("房间")))),
        (
            Contact,
            "＠f bob 1＋1＝2？、＠all",
            S::Send(Target::Friend(name("bob")), name("1＋1＝2？、＠all")),
        ),
        (
            Contact,
            "房间＝甲＋乙",
            S::CreateRoom(name("房间"), vec![name("甲"), name("乙")]),
        ),
        (
            Contact,
            "房间＋＝甲",
            S::AddMembers(name("房间"), vec![name("甲")]),
        ),
        (Contact, "、c", S::Back),
        (Command, "＼d", S::Quit),
        (Command, "ｌｏｇｉｎ", S::Login),
        (Chat, "、history", S::History),
        (Chat, "／members", S::MembersHere),
        (Chat, "、c", S::Back),
        (Chat, "、y 小明", S::Resolve(name("小明"), true)),
        (Chat, "？", S::Say(name("？"))),
        (Chat, "、是的", S::Say(name("、是的"))),
        (Chat, "＠小明 １＋１", S::Say(name("＠小明 １＋１"))),
    ] {
        assert_eq!(parse(scope, line), Ok(statement), "{line}");
    }
    for line in ["＋f bob", "、histroy", "／ｈｅｌｐ", "：pr"] {
        let is_text = matches!(parse(Chat, line), Ok(S::Say(_)));
        assert!(!is_text || looks_like_command(line), "{line}");
    }
    for line in ["？", "房价＝天价", "、是的", "、ok 好的", "１＋１＝２"] {
        assert!(!looks_like_command(line), "{line}");
    }
}

#[test]
fn nothing_typed_breaks_the_parser() {
    use proptest::prelude::*;
    proptest!(|(line in "\\PC{0,30}", cut in "[+=@&:?/\\\\ a-c白＋＝＠、ｆ]{0,12}")| {
        for scope in SCOPES {
            for line in [&line, &cut] {
                let _ = parse(scope, line);
                let completion = complete(scope, line, &Names::default());
                prop_assert!(line.is_char_boundary(completion.from));
            }
        }
        let _ = looks_like_command(&cut);
    });
}
