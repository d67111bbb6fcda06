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

use super::row::{Row, number};
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
    // ---- accounts and people
    row! {
        "/who" in SLASH
        en "list friends who are online"
        zh "查看在线好友"
        => Statement::Who
    },
    row! {
        "/whois" in SLASH, "/who" in SLASH (user: User)
        en "show what you may know of a user"
        zh "查看某个用户的资料"
        queries Whois { username: user }
    },
    row! {
        "/friends" in SLASH
        en "list your friends, with those who are away and when the others were last seen"
        zh "查看好友列表，包括离开状态和上次在线时间"
        queries ListFriends {}
    },
    row! {
        "/unfriend" in SLASH (user: User)
        en "end a friendship"
        zh "删除好友"
        asks RemoveFriend { username: user }
        confirm {
            en "Remove {user} from your friends? Both of you can still read the conversation; neither can write to it until you are friends again. (Y/N)"
            zh "删除好友“{user}”？双方仍可查看聊天记录，但在重新成为好友之前都不能再发消息。(Y/N)"
        }
        prompt { en "remove {user}? (Y/N)" zh "删除“{user}”？(Y/N)" }
        declined { en "{user} is still your friend." zh "没有删除好友“{user}”。" }
        refused {
            NotAFriend { en "You and {user} are not friends." zh "你和“{user}”不是好友。" }
        }
    },
    row! {
        "/block" in SLASH (user: User)
        en "block a user"
        zh "屏蔽用户"
        asks Block { username: user }
        confirm {
            en "Block {user}? You stop being friends. {user} cannot write to you, does not learn of the block, and sees you offline; friend requests and invitations from {user} stay hidden. What {user} says in rooms is folded. (Y/N)"
            zh "屏蔽“{user}”？你们将不再是好友；对方不能给你发消息，看到的你始终离线，也不会知道自己被屏蔽；对方的好友请求和邀请不再显示，在聊天室里的发言会被折叠。(Y/N)"
        }
        prompt { en "block {user}? (Y/N)" zh "屏蔽“{user}”？(Y/N)" }
        declined { en "{user} is not blocked." zh "没有屏蔽“{user}”。" }
        done {
            en "{user} is blocked. Type `/unblock {user}` to end that."
            zh "已屏蔽“{user}”。输入 `/unblock {user}` 可以取消屏蔽。"
        }
        refused {
            IsSelf { en "You cannot block yourself." zh "不能屏蔽自己。" }
        }
    },
    row! {
        "/unblock" in SLASH (user: User)
        en "end the block of a user"
        zh "取消屏蔽"
        asks Unblock { username: user }
        done {
            en "{user} is not blocked any more. You are not friends; type `+f {user}` to send a friend request."
            zh "已取消屏蔽“{user}”。你们目前不是好友，输入 `+f {user}` 可以添加对方。"
        }
        refused {
            IsSelf { en "You cannot block yourself." zh "不能屏蔽自己。" }
        }
    },
    row! {
        "/blocked" in SLASH
        en "list the users that you block"
        zh "查看已屏蔽的用户"
        queries ListBlocked {}
    },
    row! {
        "/show" in SLASH
        en "show the folded messages of blocked users in the open chat"
        zh "展开当前聊天中被折叠的消息"
        => Statement::Show
    },
    row! {
        "/away" in SLASH (text: Text)
        en "say that you are away"
        zh "设置离开状态"
        asks SetAway { text: text }
        done {
            en "You are away: {text}. Type `/back` when you are back."
            zh "已设为离开：{text}。回来后输入 `/back`。"
        }
    },
    row! {
        "/back" in SLASH
        en "say that you are back"
        zh "取消离开状态"
        asks SetAway { text: None::<&str> }
        done { en "You are back." zh "已取消离开状态。" }
    },
    row! {
        "/passwd" in SLASH
        en "change your password"
        zh "修改密码"
        => Statement::ChangePassword
    },
    row! {
        "/delete-account" in SLASH
        en "delete your account"
        zh "注销账号"
        => Statement::DeleteAccount
    },
    row! {
        "/invitation" in SLASH
        en "list open invitation codes"
        zh "查看有效的邀请码"
        queries ListInvitations {}
    },
    row! {
        "/invitation new" in SLASH (uses: Uses?) (days: Days?)
        en "make an invitation code, for so many accounts and days"
        zh "生成邀请码，可指定使用次数和有效天数"
        => Statement::NewInvitation(uses.and_then(number), days.and_then(number))
    },
    row! {
        "/invitation revoke" in SLASH (code: Code)
        en "revoke an invitation code"
        zh "作废邀请码"
        asks RevokeInvitation { code: code }
        done { en "{code} cannot be used any more." zh "邀请码 {code} 已作废。" }
    },
    row! {
        "/sessions" in SLASH
        en "list where you are logged in"
        zh "查看账号在哪些地方登录"
        queries ListSessions {}
    },
    row! {
        "/sessions end" in SLASH
        en "log out everywhere else"
        zh "让其他设备退出登录"
        asks EndOtherSessions {}
        confirm {
            en "End all your other sessions? They are logged out at once and have to enter the password again. (Y/N)"
            zh "结束其他所有会话？其他设备会立即退出登录，需要重新输入密码。(Y/N)"
        }
        prompt { en "end the others? (Y/N)" zh "结束其他会话？(Y/N)" }
        declined { en "Your other sessions go on." zh "其他会话没有受影响。" }
        done { en "Your other sessions have ended." zh "其他会话已全部结束。" }
    },
    row! {
        "/bots" in SLASH
        en "list your bots"
        zh "查看我的机器人"
        queries ListBots {}
    },
    row! {
        "/bots new" in SLASH (user: User) (rooms: Room*)
        en "create a bot in rooms that you own or operate"
        zh "在你管理的聊天室里创建机器人"
        asks CreateBot { username: user, rooms: rooms, expires: None::<u64> }
        refused {
            NameTaken {
                en "The name {user}, or one that looks like it, is taken. Please choose another one."
                zh "名字“{user}”已被占用，或与已有的名字过于相似，请换一个。"
            }
            NotOperator {
                en "A bot can only be in rooms that you own or operate."
                zh "机器人只能加入你是房主或管理员的聊天室。"
            }
        }
    },
    row! {
        "/bots token" in SLASH (user: User)
        en "give a bot a new token; the old one ends"
        zh "为机器人更换令牌，旧令牌立即失效"
        asks NewBotToken { username: user, expires: None::<u64> }
        refused {
            UnknownUser { en "You have no bot named {user}." zh "你没有名为“{user}”的机器人。" }
        }
    },
    row! {
        "/bots remove" in SLASH (user: User)
        en "remove a bot"
        zh "删除机器人"
        asks RemoveBot { username: user }
        confirm {
            en "Remove the bot {user}? Its token ends, and its name is never given out again. (Y/N)"
            zh "删除机器人“{user}”？它的令牌会失效，名字也不会再分配。(Y/N)"
        }
        prompt { en "remove {user}? (Y/N)" zh "删除“{user}”？(Y/N)" }
        declined { en "The bot {user} stays." zh "没有删除机器人“{user}”。" }
        done { en "The bot {user} is removed." zh "机器人“{user}”已删除。" }
        refused {
            UnknownUser { en "You have no bot named {user}." zh "你没有名为“{user}”的机器人。" }
        }
    },
    row! {
        "/privacy last-seen on" in SLASH
        en "let friends see when you were last online"
        zh "允许好友看到你上次在线的时间"
        asks SetPrivacy { last_seen: Some(true) }
        done {
            en "Friends can see when you were last online."
            zh "好友可以看到你上次在线的时间。"
        }
    },
    row! {
        "/privacy last-seen off" in SLASH
        en "hide when you were last online"
        zh "隐藏你上次在线的时间"
        asks SetPrivacy { last_seen: Some(false) }
        done {
            en "Friends cannot see any more when you were last online."
            zh "好友不能再看到你上次在线的时间。"
        }
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
