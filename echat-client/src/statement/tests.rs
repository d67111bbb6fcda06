use echat_proto::commands::RequestKind;
use echat_proto::json::to_json;
use echat_proto::names::NameError;
use echat_proto::param::TargetType;
use echat_proto::records::Code;

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

fn typed(scope: Scope, line: &str) -> TypedRequest {
    match parse(scope, line) {
        Ok(Statement::Ask(typed)) => typed,
        other => panic!("{line}: {other:?}"),
    }
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
        (Contact, "\\c", S::Back),
        (Chat, "/history", S::History),
        (Chat, "//etc/passwd", S::Say(name("/etc/passwd"))),
        (Chat, "／／etc", S::Say(name("／etc"))),
        (Chat, "／history", S::History),
        (Query, "/pending", S::Waiting),
        (Contact, " ／pending ", S::Waiting),
        (
            Chat,
            "/withdraw 12",
            S::Withdraw(UnsentSelection::Number(12)),
        ),
        (
            Command,
            "／withdraw　１２",
            S::Withdraw(UnsentSelection::Number(12)),
        ),
        (Query, "/withdraw all", S::Withdraw(UnsentSelection::All)),
        (Contact, "/withdraw 全部", S::Withdraw(UnsentSelection::All)),
        (Chat, "  indented", S::Say(name("  indented"))),
        (Chat, "\\o/", S::Say(name("\\o/"))),
        (Chat, "\\d", S::Quit),
        (Chat, "/who", S::Who),
        (Query, "／ｗｈｏ", S::Who),
        (Chat, "/show", S::Show),
        (Command, "/passwd", S::ChangePassword),
        (Contact, "/delete-account", S::DeleteAccount),
        (
            Chat,
            "/export ~/my data.jsonl ",
            S::Export(name("~/my data.jsonl")),
        ),
        (
            Query,
            "／ｅｘｐｏｒｔ　我的数据",
            S::Export(name("我的数据")),
        ),
        (Contact, "、export a", S::Export(name("a"))),
        (Chat, "/invitation new", S::NewInvitation(None, None)),
        (Chat, "/invitation new 3", S::NewInvitation(Some(3), None)),
        (
            Chat,
            "／invitation new ３　７",
            S::NewInvitation(Some(3), Some(7)),
        ),
    ] {
        assert_eq!(parse(scope, line), Ok(statement), "{line}");
    }
}

/// Mode, line, the request as echat-nc has it, and the command as a refusal of it has it.
const TYPED: &str = r#"
Contact | +f Bob | ADD_FRIEND "Bob" | +f bob
Contact | ＋f　小明 | ADD_FRIEND "小明" | +f 小明
Contact | room=a+b | CREATE_ROOM {"roomname":"room","members":["a","b"]} | room=a+b
Contact | room = a + b | CREATE_ROOM {"roomname":"room","members":["a","b"]} | room=a+b
Contact | 房间＝甲＋乙 | CREATE_ROOM {"roomname":"房间","members":["甲","乙"]} | 房间=甲+乙
Contact | room= | CREATE_ROOM {"roomname":"room","members":[]} | room=
Contact | room+=a | ADD_MEMBERS {"roomname":"room","members":["a"]} | room+=a
Contact | 房间＋＝甲 | ADD_MEMBERS {"roomname":"房间","members":["甲"]} | 房间+=甲
Contact | find two words | FIND {"keyword":"two words"} | find two words
Query | server   time | QUERY_SERVER_TIME null | server time
Query | members room1 | LIST_MEMBERS {"roomname":"room1"} | members room1
Chat | ／members room1 | LIST_MEMBERS {"roomname":"room1"} | /members room1
Contact | -r room1 | LEAVE_ROOM "room1" | -r room1
Contact | －r room | LEAVE_ROOM "room" | -r room
Command | /leave room1 | LEAVE_ROOM "room1" | /leave room1
Chat | ／leave　room1 | LEAVE_ROOM "room1" | /leave room1
Chat | 、y 小明 | RESOLVE_FRIEND_REQUEST {"username":"小明","accepted":true} | /y 小明
Query | n bob | RESOLVE_FRIEND_REQUEST {"username":"bob","accepted":false} | n bob
Chat | /who Bob | WHOIS "Bob" | /who bob
Command | ／ｗｈｏｉｓ　小明 | WHOIS "小明" | /whois 小明
Query | /friends | LIST_FRIENDS null | /friends
Chat | /unfriend bob | REMOVE_FRIEND "bob" | /unfriend bob
Contact | 、block bob | BLOCK "bob" | /block bob
Chat | /unblock bob | UNBLOCK "bob" | /unblock bob
Chat | /blocked | LIST_BLOCKED null | /blocked
Chat | ／away　吃饭 去了 | SET_AWAY "吃饭 去了" | /away 吃饭 去了
Command | /back | SET_AWAY null | /back
Contact | /invitation | LIST_INVITATIONS null | /invitation
Contact | /invitation revoke 7KQM-2XWD-RT9H-C4VB | REVOKE_INVITATION "7KQM-2XWD-RT9H-C4VB" | /invitation revoke 7KQM-2XWD-RT9H-C4VB
Chat | /sessions | LIST_SESSIONS null | /sessions
Chat | ／ｓｅｓｓｉｏｎｓ　ｅｎｄ | END_OTHER_SESSIONS null | /sessions end
Query | /bots | LIST_BOTS null | /bots
Chat | /bots new build room1 房间 | CREATE_BOT {"username":"build","rooms":["room1","房间"]} | /bots new build room1 房间
Chat | /bots token build | NEW_BOT_TOKEN {"username":"build"} | /bots token build
Chat | /bots remove build | REMOVE_BOT "build" | /bots remove build
Chat | /admin status | ADMIN {"command":"status","params":{"words":[]}} | /admin status
Contact | ／admin　suspend Bob 2h spam here | ADMIN {"command":"suspend","params":{"words":["Bob","2h","spam","here"]}} | /admin suspend Bob 2h spam here
Command | /privacy last-seen on | SET_PRIVACY {"last_seen":true} | /privacy last-seen on
Command | /privacy last-seen off | SET_PRIVACY {"last_seen":false} | /privacy last-seen off
"#;

#[test]
fn commands_make_requests_and_are_named_as_typed() {
    for row in TYPED.trim().lines() {
        let columns: Vec<&str> = row.split(" | ").collect();
        let [mode, line, request, named] = columns[..] else {
            panic!("{row}");
        };
        let scope = SCOPES
            .into_iter()
            .find(|scope| format!("{scope:?}") == mode);
        let typed = typed(scope.expect(mode), line);
        let asked = typed.request(0).expect(line);
        assert_eq!(asked.kind(), typed.kind());
        let params = to_json(&asked.to_message().params);
        assert_eq!(format!("{} {params}", asked.kind().info().name), request);
        assert_eq!(typed.line(), named, "{line}");
    }
    let bad = typed(Scope::Contact, "_room=").request(0);
    assert_eq!(
        bad.unwrap_err(),
        RequestError::Name(NameError::BadStart('_'))
    );
}

/// A row with every kind of parameter in it, whose request is one that exists.
static SENDS_AWAY: row::CommandRow = row! {
    "/away" in SLASH (room: Here) (user: User) (text: Text?)
    en "send a user away"
    zh "请某人离开"
    asks ResolveFriendRequest { username: user, accepted: text.is_some() }
    done { en "{user} left {room}: {text}" zh "{user} 离开了 {room}：{text}" }
    refused { NotAMember { en "{user} is not in {room}." zh "{user} 不在 {room} 中。" } }
};

const SLASH: &[Scope] = &[Scope::Chat];

#[test]
fn a_room_before_other_parameters_has_a_mark() {
    let command = Command {
        row: &SENDS_AWAY,
        name: &SENDS_AWAY.names[0],
    };
    let language = Language::English;
    assert_eq!(
        command.form(language, true),
        "/away [#<room>] <user> [<text>]"
    );
    assert_eq!(
        command.form(language, false),
        "/away #<room> <user> [<text>]"
    );
    for (line, whole, said) in [
        ("/away Bob", "/away #tea bob", "bob left tea: "),
        (
            "/away bob two  words",
            "/away #tea bob two  words",
            "bob left tea: two  words",
        ),
        (
            "／ａｗａｙ　＃Room1　bob",
            "/away #room1 bob",
            "bob left room1: ",
        ),
        (
            "/away #room1 bob bye",
            "/away #room1 bob bye",
            "bob left room1: bye",
        ),
    ] {
        let command::CommandMatch::Command(Statement::Ask(typed)) = command.read(line) else {
            panic!("{line}");
        };
        let typed = typed.in_room("tea");
        assert_eq!(typed.line(), whole);
        assert_eq!(typed.done(language).as_deref(), Some(said));
        let again = command.read(&typed.line());
        assert!(
            matches!(again, command::CommandMatch::Command(Statement::Ask(same)) if same == typed)
        );
    }
    for line in ["/away", "/away #room1", "/away # bob", "/away #"] {
        assert!(
            matches!(command.read(line), command::CommandMatch::Malformed),
            "{line}"
        );
    }
    let command::CommandMatch::Command(Statement::Ask(typed)) = command.read("/away #tea bob")
    else {
        panic!("it is a command");
    };
    let refused = |code, language| typed.refused(code, language);
    let said = refused(Code::NotAMember, Language::Chinese);
    assert_eq!(said.as_deref(), Some("bob 不在 tea 中。"));
    assert_eq!(refused(Code::NotOwner, language), None);
}

/// A row whose request has parameters that may be left out.
static READS: row::CommandRow = row! {
    "/read" in SLASH (room: Room?)
    en "read"
    zh "查看"
    queries QueryHistory {
        target_type: room.map(|_| TargetType::Room),
        target: room,
        before: None::<u64>,
        after: None::<u64>,
        limit: Some(50_u64),
        around: None::<u64>,
        at: None::<u64>
    }
};

#[test]
fn parameters_of_a_request_may_be_left_out() {
    let command = Command {
        row: &READS,
        name: &READS.names[0],
    };
    for (line, params) in [
        (
            "/read tea",
            r#"{"target_type":1,"target":"tea","limit":50}"#,
        ),
        ("/read", r#"{"limit":50}"#),
    ] {
        let command::CommandMatch::Command(Statement::Ask(typed)) = command.read(line) else {
            panic!("{line}");
        };
        assert!(typed.is_query());
        let request = typed.request(0).expect(line);
        assert_eq!(to_json(&request.to_message().params), params);
    }
}

/// The sentences of a row about these words, in one language.
fn said(typed: &TypedRequest, language: Language) -> Vec<String> {
    let codes = Code::ALL.iter().map(|code| typed.refused(*code, language));
    let question = typed.question(language).map(|(question, _)| question);
    let mut said = vec![question, typed.declined(language), typed.done(language)];
    said.extend(codes);
    said.into_iter().flatten().collect()
}

#[test]
fn sentences_of_rows_name_the_same_in_both_languages() {
    for command in commands() {
        let row::CommandMeaning::Request(asks) = &command.row.meaning else {
            continue;
        };
        let words: Vec<String> = (0..command.parameters().len())
            .map(|index| format!("word{index}"))
            .collect();
        let each = words.iter().map(|word| vec![word.clone()]).collect();
        let typed = TypedRequest {
            command,
            asks,
            arguments: typed::Arguments::new(command.parameters(), each),
            has_slash: true,
        };
        let [english, chinese] = [Language::English, Language::Chinese].map(|it| said(&typed, it));
        for (english, chinese) in english.iter().zip(&chinese) {
            assert!(
                english.is_ascii() && !chinese.is_ascii(),
                "{english} {chinese}"
            );
            for word in &words {
                let names = [english, chinese].map(|said| said.contains(word));
                assert_eq!(names[0], names[1], "{word}: {english} {chinese}");
            }
        }
    }
}

#[test]
fn a_duration_ends_that_long_after_the_servers_time() {
    let is_duration = |of: &row::Parameter| of.kind == row::ParameterKind::For;
    for command in commands() {
        let row::CommandMeaning::Request(asks) = &command.row.meaning else {
            continue;
        };
        if !command.parameters().iter().any(is_duration) {
            continue;
        }
        let parameters = command.parameters().iter();
        let each = parameters.map(|of| vec![name(if is_duration(of) { "10m" } else { "word" })]);
        let typed = TypedRequest {
            command,
            asks,
            arguments: typed::Arguments::new(command.parameters(), each.collect()),
            has_slash: true,
        };
        let words = command.words();
        assert!(
            typed.is_timed(),
            "`request` and `is_timed` in typed.rs do not know {words}"
        );
    }
}

#[test]
fn a_command_that_changes_something_says_so() {
    // An event, or a reply with contents, tells these.
    let told = [
        RequestKind::AddFriend,
        RequestKind::JoinRoom,
        RequestKind::LeaveRoom,
        RequestKind::Logout,
        RequestKind::ResolveFriendRequest,
        RequestKind::RemoveFriend,
        RequestKind::CreateBot,
        RequestKind::NewBotToken,
        RequestKind::Admin,
    ];
    for command in commands() {
        if let row::CommandMeaning::Request(asks) = &command.row.meaning {
            let says = asks.done.is_some() || !asks.changes || told.contains(&asks.kind);
            assert!(says, "{}", command.words());
        }
    }
}

#[test]
fn a_room_may_be_left_out_where_one_can_be_open() {
    let typed = typed(Scope::Chat, "/leave");
    assert!(typed.lacks_room());
    assert_eq!(typed.in_room("room1").line(), "/leave room1");
    let elsewhere = parse(Scope::Contact, "/leave");
    assert!(
        matches!(elsewhere, Err(ParseError::Form(_))),
        "{elsewhere:?}"
    );
}

#[test]
fn text_that_is_no_statement_is_recognised() {
    let form = |scope, line| match parse(scope, line) {
        Err(ParseError::Form(command)) => command.form(Language::English, false),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(form(Scope::Contact, "@f bob"), "@f <user> <text>");
    assert_eq!(form(Scope::Contact, "+r two words"), "+r <room>");
    assert_eq!(form(Scope::Contact, "find "), "find <word>");
    for line in ["/withdraw", "/withdraw 1 2", "/withdraw -1", "/withdraw x"] {
        assert_eq!(form(Scope::Chat, line), "/withdraw <number>|all");
    }
    for (line, uses, days) in [
        ("/invitation new", None, None),
        ("/invitation new 10 7", Some(10), Some(7)),
        ("/invitation new 10次 7天", Some(10), Some(7)),
        ("/invitation new １０个 一周", Some(10), Some(7)),
        ("/invitation new 7天", None, Some(7)),
        ("/invitation new 2w", None, Some(14)),
    ] {
        let read = parse(Scope::Chat, line);
        assert_eq!(read, Ok(Statement::NewInvitation(uses, days)), "{line}");
    }
    for line in [
        "/invitation new x",
        "/invitation new 1 2次",
        "/invitation new 1 2小时",
        "/invitation new 0",
        "/invitation new 1 2 3",
    ] {
        let usage = "/invitation new [<uses>] [<days>]";
        assert_eq!(form(Scope::Chat, line), usage);
    }
    for scope in [Scope::Register, Scope::Login] {
        assert_eq!(parse(scope, "/withdraw 1"), Err(ParseError::Unknown));
    }
    assert_eq!(parse(Scope::Contact, "+fbob"), Err(ParseError::Unknown));
    assert_eq!(parse(Scope::Contact, "room+="), Err(ParseError::Unknown));
    assert_eq!(parse(Scope::Chat, "/nothing"), Err(ParseError::Unknown));
    assert_eq!(parse(Scope::Chat, "   "), Err(ParseError::Empty));
}

/// All rows of help.
fn helped(scope: Scope, in_room: bool, language: Language) -> Vec<(String, String)> {
    let mut rows = help(scope, in_room, language);
    for group in help_groups(scope) {
        let (_, group) = help_about(&language.say(group.name), scope, in_room, language);
        rows.extend(group.expect("a group has its name").1);
    }
    rows
}

#[test]
fn help_has_each_command_once_by_topic() {
    for (language, own, other) in [
        (Language::English, "/create private", "/create 私密"),
        (Language::Chinese, "/create 私密", "/create private"),
    ] {
        let rows = help(Scope::Contact, true, language);
        assert!(!rows.iter().any(|(form, _)| form.starts_with('/')));
        let groups = help_groups(Scope::Contact);
        assert!(groups.len() > 4, "{groups:?}");
        let words: Vec<&str> = groups
            .iter()
            .flat_map(|group| group.words.clone())
            .collect();
        assert!(words.len() > 40, "{words:?}");
        let mut forms: Vec<String> = Vec::new();
        for group in &groups {
            let (_, rows) = help_about(&language.say(group.name), Scope::Chat, true, language);
            let (heading, rows) = rows.expect("a group has its name");
            assert_eq!(heading, group.heading);
            forms.extend(rows.into_iter().map(|(form, _)| form));
        }
        assert_eq!(forms.iter().filter(|form| form.starts_with(own)).count(), 1);
        assert!(!forms.iter().any(|form| form.starts_with(other)));
        assert!(
            !forms.iter().any(|form| form.starts_with("/who <")),
            "{forms:?}"
        );
    }
}

#[test]
fn every_row_reads_what_its_help_shows() {
    for scope in SCOPES {
        for language in [Language::English, Language::Chinese] {
            for (form, _) in helped(scope, true, language) {
                // Placeholders are names or numbers; without their marks the form is a line.
                let counts = ["<uses>", "<days>", "<number>", "<次数>", "<天数>", "<编号>"];
                let numbered = counts
                    .iter()
                    .fold(form.clone(), |form, count| form.replace(count, "2"));
                let timed = numbered.replace("<duration>", "2h").replace("<时长>", "2h");
                let line = timed.replace(['<', '>', '[', ']'], "");
                // Of several words the last.
                let words = line.split(' ');
                let words = words.map(|word| word.rsplit_once('|').map_or(word, |(_, last)| last));
                let line = words.collect::<Vec<_>>().join(" ");
                let read = parse(scope, &line);
                assert!(read.is_ok() && read != Ok(Statement::Say(line)), "{form}");
            }
        }
    }
}

#[test]
fn every_command_says_what_it_does_in_both_languages() {
    for command in commands() {
        let [english, chinese] = [Language::English, Language::Chinese].map(command.row.help);
        assert!(english.is_ascii() && !english.is_empty(), "{english}");
        assert!(!chinese.is_ascii(), "{chinese}");
    }
}

#[test]
fn a_room_is_optional_in_its_chat() {
    let forms = |in_room| -> Vec<String> {
        let rows = helped(Scope::Chat, in_room, Language::English);
        rows.into_iter().map(|(form, _)| form).collect()
    };
    for (in_room, form) in [(true, "/leave [<room>]"), (false, "/leave <room>")] {
        let forms = forms(in_room);
        assert!(forms.iter().any(|row| row == form), "{forms:?}");
    }
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

/// Names of every sort to complete with.
fn known() -> Names {
    Names {
        users: vec![name("bob"), name("ben")],
        rooms: vec![name("big"), name("room1")],
        askers: vec![name("carol")],
        invited: vec![name("den")],
        here: vec![
            name("bob"),
            name("白"),
            name("小明"),
            name("mary-jane"),
            name("émile"),
        ],
    }
}

#[test]
fn completion_of_words_and_names() {
    let names = known();
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
        (
            Scope::Chat,
            "/m",
            0,
            &["/msg ", "/members ", "/me ", "/mentions", "/more"],
        ),
        (Scope::Chat, "/msg #b", 5, &["#big "]),
        (Scope::Chat, "/join d", 6, &["den"]),
        (Scope::Chat, "/kick 小", 6, &["小明 "]),
        (Scope::Chat, "/readonly o", 10, &["on", "off"]),
        (Scope::Chat, "/h", 0, &["/history", "/help "]),
        (Scope::Contact, "/pe", 0, &["/pending"]),
        (Scope::Query, " ／wi", 1, &["/withdraw "]),
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
        (Scope::Chat, "／h", 0, &["/history", "/help "]),
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
        (Contact, "＆r 房间", S::Open(Target::Room(name("房间")))),
        (
            Contact,
            "＠f bob 1＋1＝2？、＠all",
            S::Send(Target::Friend(name("bob")), name("1＋1＝2？、＠all")),
        ),
        (Contact, "、c", S::Back),
        (Command, "＼d", S::Quit),
        (Command, "ｌｏｇｉｎ", S::Login),
        (Chat, "、history", S::History),
        (Chat, "、c", S::Back),
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
