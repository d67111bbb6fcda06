//! The pictures of the README, drawn from a real run: ann in English, 小明 in Chinese. They are
//! committed; ECHAT_UPDATE=1 draws them again.

use std::fs;
use std::path::Path;

use echat_client::text::{Language, Text};
use echat_testkit::proxy::Proxy;
use echat_testkit::terminal::svg;

use crate::actor::Actor;
use crate::server_folder::ServerFolder;

/// Columns and rows that are read without effort on a page.
const SIZE: (u16, u16) = (74, 20);
/// No picture is larger, in bytes.
const LARGEST: usize = 30 << 10;
/// Who comes and goes is told when it is gathered, which is not the same moment every time.
const SETTINGS: &str = r#"{"client": {"presence": "hide", "bell": false}}"#;

/// The round of two people: they meet, make a room, talk, and lose the server for a moment.
fn round() -> Vec<(&'static str, String)> {
    let mut folder = ServerFolder::with(SETTINGS);
    let proxy = Proxy::to(folder.server.address());
    let mut pictures = Vec::new();
    let mut ann = Actor::comes(&folder, proxy.address(), Language::English, SIZE);
    let mut xiaoming = Actor::comes(&folder, proxy.address(), Language::Chinese, SIZE);
    meet(&mut ann, &mut xiaoming);
    pictures.push(("meet.zh", drawn(&mut xiaoming, "小明")));
    pictures.push(("meet", drawn(&mut ann, "ann")));
    talk(&mut ann, &mut xiaoming);
    pictures.push(("talk.zh", drawn(&mut xiaoming, "小明")));
    folder.falls();
    ann.sees(Text::TryingAgain);
    ann.types("typed while the server was away");
    ann.sees(Text::Pending);
    folder.rises();
    proxy.leads_to(Some(folder.server.address()));
    ann.sees(Text::LoggedInAgain { name: "ann" });
    ann.has("team>");
    xiaoming.person.sees("typed while the server was away");
    // The line that was begun before is still there.
    xiaoming.types("，欢迎回来");
    ann.person.sees("不急，慢慢来，欢迎回来");
    ann.has("team>");
    pictures.push(("talk", drawn(&mut ann, "ann")));
    pictures
}

fn meet(ann: &mut Actor, xiaoming: &mut Actor) {
    ann.registers("ann");
    xiaoming.registers("小明");
    ann.types("+f 小明");
    ann.sees(Text::RequestSent { name: "小明" });
    xiaoming.sees(Text::FriendRequest { name: "ann" });
    xiaoming.types("y ann");
    for (actor, name) in [(&mut *xiaoming, "ann"), (&mut *ann, "小明")] {
        actor.sees(Text::NewContact { name });
    }
    ann.types("team=小明");
    ann.person.sees("public or private?");
    ann.types("private");
    ann.person.sees("Private room team created.");
    xiaoming.sees(Text::AddedToRoom { room: "team" });
    ann.types("&r team");
    ann.has("team>");
    ann.types("hello 小明, welcome to the team");
    ann.person.sees("hello 小明, welcome to the team");
    ann.has("team>");
    xiaoming.sees(Text::NewRoomMessages {
        room: "team",
        count: 1,
    });
    xiaoming.has("contact [1]>");
}

fn talk(ann: &mut Actor, xiaoming: &mut Actor) {
    xiaoming.types("&r team");
    xiaoming.has("team>");
    ann.person.types("I will be b");
    ann.has("team> I will be b");
    xiaoming.types("大家好！👋 我是小明");
    ann.person.sees("大家好！");
    // What arrives leaves the half line where it was.
    ann.has("team> I will be b");
    ann.person.types("ack in a minute");
    ann.types("");
    xiaoming.person.sees("ack in a minute");
    xiaoming.types("\\c");
    xiaoming.has("command>");
    xiaoming.types("query");
    xiaoming.has("query>");
    xiaoming.types("rooms");
    xiaoming.sees(Text::RoomOf {
        room: "team",
        members: 2,
    });
    xiaoming.types("\\c");
    xiaoming.types("chat team");
    xiaoming.has("team>");
    xiaoming.person.types("不急，慢慢来");
    xiaoming.has("team> 不急，慢慢来");
}

fn drawn(actor: &mut Actor, name: &str) -> String {
    svg::draw(actor.person.emulator(), &format!("{name} — echat"))
}

#[test]
fn the_pictures_of_the_readme_are_what_the_client_shows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screens");
    for (name, picture) in round() {
        assert!(picture.len() < LARGEST, "{name}: {} bytes", picture.len());
        let path = folder.join(format!("{name}.svg"));
        if std::env::var_os("ECHAT_UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &picture).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        let is_old = committed != picture;
        assert!(
            !is_old,
            "{name} shows what was: ECHAT_UPDATE=1 cargo test -p echat-client --test echat pictures"
        );
    }
}
