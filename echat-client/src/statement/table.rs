//! The table of what can be typed. Parser, help, completion, the man page, the request, what is said when it is done
//! and what is asked before it come from its rows.
//!
//! A row is, in this order:
//!
//! * its names, each with the modes that read it: `"members" in QUERY, "/members" in SLASH`. A name that ends in `=` is
//!   a sign between a room and some users.
//! * its parameters: `(user: User)` takes a word, `(name: Target?)` one or none, `(members: User*)` any number. The
//!   kinds are [`Kind`](super::row::Kind)'s.
//! * its help: `en "..." zh "..."`
//! * its meaning, in which a parameter is a `&str`, with `?` an `Option<&str>`, with `*` a `&[String]`. One of
//!   * `=> statement`: a [`Statement`] for the modes;
//!   * `queries Request { field: value }`: a request that changes nothing. Its reply is shown by `modes::answers`;
//!   * `asks Request { field: value }`: a request that changes something, and what is said about it, of which each
//!     part may be missing: `confirm {} prompt {} declined {}`, a question before it, the question in the prompt and what
//!     a no means; `done {}`, what is said when it is done; `refused { Code {} Code {} }`, what refusals mean for which
//!     `text::refusals` has nothing fitting. Each sentence is `{ en "..." zh "..." }`, with parameters in
//!     braces.

use super::row::Row;
use super::{Scope, Statement, Which};
use crate::target::Target;

const COMMAND: &[Scope] = &[Scope::Command];
const CONTACT: &[Scope] = &[Scope::Contact];
const QUERY: &[Scope] = &[Scope::Query];
/// Modes that read commands, but for chat mode, where a line is text.
const MODES: &[Scope] = &[Scope::Command, Scope::Contact, Scope::Query];
/// Every mode that reads commands and does not only ask questions, whose answers may be anything.
const SLASH: &[Scope] = &[Scope::Command, Scope::Contact, Scope::Chat, Scope::Query];
const NOT_CHAT: &[Scope] = &[
    Scope::Command,
    Scope::Register,
    Scope::Login,
    Scope::Contact,
    Scope::Query,
];
const EVERYWHERE: &[Scope] = &[
    Scope::Command,
    Scope::Register,
    Scope::Login,
    Scope::Contact,
    Scope::Chat,
    Scope::Query,
];

pub(super) static ROWS: &[Row] = &[
    row! {
        "register" in COMMAND
        en "create an account"
        zh "注册账号"
        => Statement::Register
    },
    row! {
        "login" in COMMAND
        en "log in"
        zh "登录"
        => Statement::Login
    },
    row! {
        "logout" in COMMAND
        en "log out"
        zh "退出登录"
        asks Logout {}
    },
    row! {
        "contact" in COMMAND
        en "go to your friends and rooms"
        zh "进入联系人模式，管理好友和聊天室"
        => Statement::Contact
    },
    row! {
        "chat" in COMMAND (name: Target?)
        en "chat with a friend or in a room; without a name, return to the last chat"
        zh "与好友或在聊天室里聊天；省略名字则回到上次的聊天"
        => Statement::Chat(name.map(str::to_owned))
    },
    row! {
        "query" in COMMAND
        en "query the server"
        zh "查询服务器"
        => Statement::Query
    },
    // ---- friends and rooms
    row! {
        "+f" in CONTACT (user: User)
        en "send a friend request"
        zh "添加好友"
        asks AddFriend { username: user }
        refused {
            AlreadyAsked {
                en "You have already sent {user} a friend request. It has not been answered yet."
                zh "已经向“{user}”发送过好友请求，对方还没有处理。"
            }
        }
    },
    row! {
        "+r" in CONTACT (room: Room)
        en "join a room"
        zh "加入聊天室"
        asks JoinRoom { roomname: room }
        refused {
            AlreadyMember {
                en "You are already a member of {room}. Type `&r {room}` to open it."
                zh "你已经在聊天室“{room}”中。输入 `&r {room}` 打开。"
            }
        }
    },
    row! {
        "-r" in CONTACT, "/leave" in SLASH (room: Here)
        en "leave a room for good"
        zh "永久退出聊天室"
        asks LeaveRoom { roomname: room }
        confirm {
            en "Leave {room}? You will not be able to read its messages any more, even if you join again. (Y/N)"
            zh "退出聊天室“{room}”？退出后将无法再查看其中的消息，重新加入也看不到。(Y/N)"
        }
        prompt { en "leave {room}? (Y/N)" zh "退出“{room}”？(Y/N)" }
        declined { en "You did not leave {room}." zh "没有退出聊天室“{room}”。" }
    },
    row! {
        ":r" in CONTACT
        en "list your rooms"
        zh "查看我的聊天室"
        => Statement::Rooms
    },
    row! {
        ":f" in CONTACT
        en "list your friends"
        zh "查看我的好友"
        => Statement::Friends
    },
    row! {
        ":pr" in CONTACT
        en "list pending friend requests"
        zh "查看待处理的好友请求"
        => Statement::Pending
    },
    row! {
        ":m" in CONTACT
        en "show the newest message of each conversation"
        zh "查看每个会话的最新消息"
        => Statement::Messages
    },
    row! {
        "@f" in CONTACT (user: User) (text: Text)
        en "send a message to a friend"
        zh "给好友发消息"
        => Statement::Send(Target::Friend(user.to_owned()), text.to_owned())
    },
    row! {
        "@r" in CONTACT (room: Room) (text: Text)
        en "send a message to a room"
        zh "给聊天室发消息"
        => Statement::Send(Target::Room(room.to_owned()), text.to_owned())
    },
    row! {
        "&f" in CONTACT (user: User)
        en "chat with a friend"
        zh "打开与好友的聊天"
        => Statement::Open(Target::Friend(user.to_owned()))
    },
    row! {
        "&r" in CONTACT (room: Room)
        en "chat in a room"
        zh "打开聊天室"
        => Statement::Open(Target::Room(room.to_owned()))
    },
    row! {
        "?" in CONTACT
        en "list conversations with unread messages"
        zh "查看有未读消息的会话"
        => Statement::Unread
    },
    row! {
        "+=" in CONTACT (room: Room) (members: User*)
        en "add friends to your room"
        zh "拉好友进自己的聊天室"
        asks AddMembers { roomname: room, members: members }
        done { en "Added to {room}: {members}." zh "已将 {members} 拉进聊天室“{room}”。" }
        refused {
            NotOwner {
                en "Only the owner of {room} can add members."
                zh "只有房主可以拉人进聊天室“{room}”。"
            }
        }
    },
    row! {
        "=" in CONTACT (room: Room) (members: User*)
        en "create a room with these friends"
        zh "创建聊天室，并拉这些好友进来"
        asks CreateRoom { roomname: room, members: members, private: None::<bool>, topic: None::<&str> }
        done { en "Room {room} created." zh "聊天室“{room}”已创建。" }
        refused {
            RoomExists {
                en "A room named {room}, or a name that looks like it, already exists."
                zh "聊天室“{room}”已存在，或与已有的名字过于相似。"
            }
        }
    },
    row! {
        "find" in CONTACT (words: Words)
        en "find users and rooms"
        zh "查找用户和聊天室"
        queries Find { keyword: words }
    },
    row! {
        "y" in MODES, "/y" in SLASH (user: Asker)
        en "accept a friend request"
        zh "同意好友请求"
        asks ResolveFriendRequest { username: user, accepted: true }
    },
    row! {
        "n" in MODES, "/n" in SLASH (user: Asker)
        en "decline a friend request"
        zh "拒绝好友请求"
        asks ResolveFriendRequest { username: user, accepted: false }
        done { en "Friend request from {user} declined." zh "已拒绝“{user}”的好友请求。" }
    },
    // ---- what the server is asked for
    row! {
        "server time" in QUERY
        en "show the server's time"
        zh "查看服务器时间"
        queries QueryServerTime {}
    },
    row! {
        "who" in QUERY
        en "list friends who are online"
        zh "查看在线好友"
        => Statement::Who
    },
    row! {
        "rooms" in QUERY
        en "list your rooms with their members and owners"
        zh "查看我的聊天室及其成员数和房主"
        queries ListRooms {}
    },
    row! {
        "members" in QUERY, "/members" in SLASH (room: Here)
        en "list the members of a room"
        zh "查看聊天室成员"
        queries ListMembers { roomname: room }
    },
    // ---- the open chat, and unsent lines
    row! {
        "/history" in SLASH
        en "show older messages of the open chat"
        zh "查看当前聊天中更早的消息"
        => Statement::History
    },
    row! {
        "/pending" in SLASH
        en "list unsent lines"
        zh "查看待发送的消息"
        => Statement::Waiting
    },
    row! {
        "/withdraw" in SLASH (line: Line)
        en "withdraw an unsent line, or all of them"
        zh "撤回一条或全部待发送的消息"
        => Statement::Withdraw(Which::of(line))
    },
    // ---- help, and the ways out
    row! {
        "help" in NOT_CHAT, "/help" in SLASH
        en "list the commands"
        zh "显示命令列表"
        => Statement::Help
    },
    row! {
        "\\c" in EVERYWHERE
        en "return to command mode"
        zh "返回命令模式"
        => Statement::Back
    },
    row! {
        "quit" in NOT_CHAT, "\\d" in EVERYWHERE, "/quit" in SLASH
        en "quit echat"
        zh "退出 echat"
        => Statement::Quit
    },
];
