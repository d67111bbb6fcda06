//! The table of what can be typed. Parser, help, completion, the man page, the request, what is said when it is done
//! and what is asked before it come from its rows.
//!
//! A row is, in this order:
//!
//! * its names, each with the modes that read it: `"members" in QUERY, "/members" in SLASH`. A name that ends in `=` is
//!   a sign between a room and some users.
//! * its parameters: `(user: User)` takes a word, `(name: Target?)` one or none, `(members: User*)` any number. The
//!   kinds are [`ParameterKind`](super::row::ParameterKind)'s.
//! * its help: `en "..." zh "..."`
//! * its meaning, in which a parameter is a `&str`, with `?` an `Option<&str>`, with `*` a `&[String]`. One of
//!   * `=> statement`: a [`Statement`] for the modes;
//!   * `queries Request { field: value }`: a request that changes nothing. Its reply is shown by `modes::answers`;
//!   * `asks Request { field: value }`: a request that changes something, and what is said about it, of which each part
//!     may be missing: `needs Role`, the role in the room that it takes; `confirm {} prompt {} declined {}`, a question
//!     before it, the question in the prompt and what a no means; `done {}`, what is said when it is done;
//!     `refused { Code {} Code {} }`, what refusals mean for which `text::refusals` has nothing fitting. Each sentence
//!     is `{ en "..." zh "..." }`, with parameters in braces.

use echat_proto::param::{KeepDays, RoomRole};

use super::complete::addressed;
use super::row::{CommandRow, number_of};
use super::{Scope, Statement, UnsentSelection};
use crate::target::Target;
use crate::text::Text;

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

/// Public rooms that a list shows at once.
const PUBLIC_ROOMS: u64 = 50;

/// A part of the table: its heading in help, and its rows.
pub(super) struct HelpTopic {
    pub(super) heading: Text<'static>,
    /// What is typed behind `/help`.
    pub(super) name: Text<'static>,
    pub(super) rows: &'static [CommandRow],
}

pub(super) static TOPICS: &[HelpTopic] = &[
    HelpTopic {
        heading: Text::TopicAccount,
        name: Text::TopicAccountName,
        rows: ACCOUNT,
    },
    HelpTopic {
        heading: Text::TopicFriends,
        name: Text::TopicFriendsName,
        rows: FRIENDS,
    },
    HelpTopic {
        heading: Text::TopicRooms,
        name: Text::TopicRoomsName,
        rows: ROOMS,
    },
    HelpTopic {
        heading: Text::TopicLists,
        name: Text::TopicListsName,
        rows: LISTS,
    },
    HelpTopic {
        heading: Text::TopicPeople,
        name: Text::TopicPeopleName,
        rows: PEOPLE,
    },
    HelpTopic {
        heading: Text::TopicMessages,
        name: Text::TopicMessagesName,
        rows: MESSAGES,
    },
    HelpTopic {
        heading: Text::TopicOther,
        name: Text::TopicOtherName,
        rows: WAYS_OUT,
    },
];

/// The way to an account, and to the modes.
static ACCOUNT: &[CommandRow] = &[
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
];

/// Friends, rooms and requests.
static FRIENDS: &[CommandRow] = &[
    row! {
        "+f" in CONTACT, "/add" in SLASH (user: User)
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
        "+r" in CONTACT, "/join" in SLASH (room: Joinable)
        en "join a room, accept an invitation to it, or open a room of yours"
        zh "加入聊天室、接受邀请，或打开已加入的聊天室"
        asks JoinRoom { roomname: room }
        refused {
            UnknownRoom {
                en "Room {room} does not exist, or it is private and you are not invited."
                zh "聊天室“{room}”不存在，或者它是私密的而你没有收到邀请。"
            }
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
            en "Leave {room}? You will no longer be able to read its messages, even if you join again. (Y/N)"
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
        ":pr" in CONTACT, "/requests" in SLASH
        en "list pending friend requests and invitations to rooms"
        zh "查看待处理的好友请求和聊天室邀请"
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
        "?" in CONTACT, "/unread" in SLASH
        en "list conversations with unread messages"
        zh "查看有未读消息的会话"
        => Statement::Unread
    },
    row! {
        "+=" in CONTACT (room: Room) (members: User*)
        en "add friends to your room"
        zh "拉好友进自己的聊天室"
        asks AddMembers { roomname: room, members: members }
        done { en "Added to {room}: {members}." zh "已将“{members}”拉进聊天室“{room}”。" }
        refused {
            NotOwner {
                en "Only the owner of {room} can add members."
                zh "只有房主可以拉人进聊天室“{room}”。"
            }
        }
    },
    row! {
        "=" in CONTACT (room: Room) (members: User*)
        en "create a room with these friends; asks who can find and join it"
        zh "创建聊天室，并拉这些好友进来；会询问公开还是私密"
        asks CreateRoom { roomname: room, members: members, private: None::<bool>, topic: None::<&str> }
        done {
            en "Room {room} created. It is public: every user of this server can find and join it. `/private {room}` changes that."
            zh "聊天室“{room}”已创建。它是公开的，本服务器的所有用户都能找到和加入；输入 `/private {room}` 可改为私密。"
        }
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
];

/// What owners, operators and members do in rooms.
static ROOMS: &[CommandRow] = &[
    row! {
        "/msg" in SLASH (to: Addressee) (text: Text?)
        en "send a message to a friend or to #room; without a text, open the chat"
        zh "给好友或 #聊天室 发消息；省略内容则打开聊天"
        => match text {
            Some(text) => Statement::Send(addressed(to), text.to_owned()),
            None => Statement::Open(addressed(to)),
        }
    },
    row! {
        "/create private" in SLASH, "/create 私密" in SLASH (room: NewRoom) (members: User*)
        en "create a room that only invited users can find and join"
        zh "创建私密聊天室，只有受邀的人能看到和加入"
        asks CreateRoom { roomname: room, members: members, private: Some(true), topic: None::<&str> }
        done {
            en "Private room {room} created. Only users that are invited can find and join it: `/invite #{room} <user>`."
            zh "私密聊天室“{room}”已创建，只有受邀的人能看到和加入。邀请：`/invite #{room} <用户名>`。"
        }
        refused {
            RoomExists {
                en "A room named {room}, or a name that looks like it, already exists."
                zh "聊天室“{room}”已存在，或与已有的名字过于相似。"
            }
        }
    },
    row! {
        "/create public" in SLASH, "/create 公开" in SLASH (room: NewRoom) (members: User*)
        en "create a room that every user can find and join"
        zh "创建公开聊天室，所有用户都能找到和加入"
        asks CreateRoom { roomname: room, members: members, private: Some(false), topic: None::<&str> }
        done {
            en "Public room {room} created. Every user of this server can find and join it."
            zh "公开聊天室“{room}”已创建，本服务器的所有用户都能找到和加入。"
        }
        refused {
            RoomExists {
                en "A room named {room}, or a name that looks like it, already exists."
                zh "聊天室“{room}”已存在，或与已有的名字过于相似。"
            }
        }
    },
    row! {
        "/create" in SLASH (room: NewRoom) (members: User*)
        en "create a room with these friends; asks who can find and join it"
        zh "创建聊天室并拉这些好友进来；会询问公开还是私密"
        asks CreateRoom { roomname: room, members: members, private: None::<bool>, topic: None::<&str> }
        done {
            en "Room {room} created. It is public: every user of this server can find and join it. `/private {room}` changes that."
            zh "聊天室“{room}”已创建。它是公开的，本服务器的所有用户都能找到和加入；输入 `/private {room}` 可改为私密。"
        }
        refused {
            RoomExists {
                en "A room named {room}, or a name that looks like it, already exists."
                zh "聊天室“{room}”已存在，或与已有的名字过于相似。"
            }
        }
    },
    row! {
        "/invite" in SLASH (room: Here) (user: User)
        en "invite a user to a room"
        zh "邀请用户加入聊天室"
        asks Invite { roomname: room, username: user }
        done {
            en "{user} has been invited to {room}."
            zh "已邀请“{user}”加入聊天室“{room}”。"
        }
        refused {
            UnknownUser {
                en "{user} cannot be invited: there is no such user, or it is a bot. A bot is only in the rooms that it was created for; create another one for {room}: `/bots new <user> {room}`."
                zh "不能邀请“{user}”：没有这个用户，或者它是机器人。机器人只在创建时指定的聊天室里；要让聊天室“{room}”有机器人，请另建一个：`/bots new <用户名> {room}`。"
            }
            AlreadyMember {
                en "{user} is already a member of {room}."
                zh "“{user}”已经在聊天室“{room}”中。"
            }
            Banned {
                en "{user} is banned from {room}. Type `/unban #{room} {user}` first."
                zh "“{user}”已被聊天室“{room}”封禁。请先输入 `/unban #{room} {user}`。"
            }
            NotOperator {
                en "{room} is private: only its operators and its owner can invite, so not you to invite {user}."
                zh "聊天室“{room}”是私密的，只有房主和房间管理员可以邀请“{user}”。"
            }
            TooMany {
                en "{user} has too many open invitations to be invited to {room} now."
                zh "“{user}”未处理的邀请太多，暂时不能邀请加入聊天室“{room}”。"
            }
        }
    },
    row! {
        "/decline" in SLASH (room: Joinable)
        en "decline an invitation to a room"
        zh "谢绝聊天室的邀请"
        asks DeclineInvitation { roomname: room }
        done { en "Invitation to {room} declined." zh "已谢绝聊天室“{room}”的邀请。" }
        refused {
            NoRequest {
                en "You have no invitation to {room}."
                zh "你没有聊天室“{room}”的邀请。"
            }
            UnknownRoom {
                en "You have no invitation to {room}."
                zh "你没有聊天室“{room}”的邀请。"
            }
        }
    },
    row! {
        "/kick" in SLASH (room: Here) (user: Member) (reason: Reason?)
        en "remove a member from a room; they can come back, but a bot cannot"
        zh "将成员移出聊天室；对方可以再加入，机器人则不能"
        asks Kick { roomname: room, username: user, reason: reason }
        done {
            en "You removed {user} from {room}. To keep them out, type `/ban #{room} {user}`."
            zh "你已将“{user}”移出聊天室“{room}”。要阻止再次加入，请输入 `/ban #{room} {user}`。"
        }
        refused {
            NotAMember {
                en "Only members of {room} can be removed, and only by members: either {user} or you are not one."
                zh "只有聊天室“{room}”的成员才能移出他人或被移出：“{user}”或你不在其中。"
            }
            NotOperator {
                en "You cannot remove {user} from {room}: operators remove members, and only the owner removes operators."
                zh "你不能将“{user}”移出聊天室“{room}”：房间管理员只能移出普通成员，只有房主才能移出房间管理员。"
            }
        }
    },
    row! {
        "/ban" in SLASH (room: Here) (user: Member) (span: For?) (reason: Reason?)
        en "remove a user and keep them out, for a time (10m, 2h, 3d, 1w) or until /unban"
        zh "移出并禁止再次加入，可限时（10分钟、2小时、3天、1周），否则直到 /unban"
        asks Ban { roomname: room, username: user, until: span, reason: reason }
        done {
            en "You banned {user} from {room}{span}. `/unban #{room} {user}` lifts the ban."
            zh "你已禁止“{user}”进入聊天室“{room}”{span}。输入 `/unban #{room} {user}` 可解除。"
        }
        refused {
            NotAMember {
                en "You are not a member of {room}, so you cannot ban {user} from it."
                zh "你不在聊天室“{room}”中，不能封禁“{user}”。"
            }
            NotOperator {
                en "You cannot ban {user} from {room}: operators ban members, and only the owner bans operators."
                zh "你不能从聊天室“{room}”封禁“{user}”：房间管理员只能封禁普通成员，只有房主才能封禁房间管理员。"
            }
        }
    },
    row! {
        "/unban" in SLASH (room: Here) (user: User)
        en "lift a ban"
        zh "解除封禁"
        asks Unban { roomname: room, username: user }
        done {
            en "{user} is not banned from {room} any more. If the room is private, `/invite #{room} {user}` invites them again."
            zh "已解除“{user}”在聊天室“{room}”的封禁。如果是私密聊天室，需要重新邀请：`/invite #{room} {user}`。"
        }
    },
    row! {
        "/bans" in SLASH (room: Here)
        en "list the bans of a room"
        zh "查看聊天室的封禁名单"
        queries ListBans { roomname: room }
    },
    row! {
        "/op" in SLASH (room: Here) (user: Member)
        en "make a member an operator"
        zh "设为房间管理员"
        asks SetRole { roomname: room, username: user, role: RoomRole::Operator }
        done {
            en "{user} is now an operator of {room}."
            zh "“{user}”现在是聊天室“{room}”的房间管理员。"
        }
        refused {
            NotAMember {
                en "{user} is not a member of {room}, or you are not."
                zh "“{user}”或你不在聊天室“{room}”中。"
            }
            NotAllowed {
                en "{user} cannot become an operator of {room}. The owner is one already, and bots have no role."
                zh "“{user}”不能成为聊天室“{room}”的房间管理员。房主本来就有全部权限，机器人没有身份。"
            }
        }
    },
    row! {
        "/deop" in SLASH (room: Here) (user: Member)
        en "make an operator a member again"
        zh "取消房间管理员身份"
        asks SetRole { roomname: room, username: user, role: RoomRole::Member }
        done {
            en "{user} is not an operator of {room}."
            zh "“{user}”不再是聊天室“{room}”的房间管理员。"
        }
        refused {
            NotAMember {
                en "{user} is not a member of {room}, or you are not."
                zh "“{user}”或你不在聊天室“{room}”中。"
            }
            NotAllowed {
                en "The role of {user} in {room} cannot be taken away. An owner first hands the room over with /owner."
                zh "不能取消“{user}”在聊天室“{room}”的身份。房主需要先用 /owner 转让聊天室。"
            }
        }
    },
    row! {
        "/owner" in SLASH (room: Here) (user: Member)
        en "hand a room over to a member"
        zh "将聊天室转让给成员"
        asks SetRole { roomname: room, username: user, role: RoomRole::Owner }
        needs Owner
        confirm {
            en "Make {user} the owner of {room}? You become an operator, and only {user} can give the room back. (Y/N)"
            zh "将聊天室“{room}”转让给“{user}”？你会成为房间管理员，只有“{user}”能再转让回来。(Y/N)"
        }
        prompt { en "hand {room} over to {user}? (Y/N)" zh "将“{room}”转让给“{user}”？(Y/N)" }
        declined {
            en "{room} was not handed over to {user}."
            zh "没有将聊天室“{room}”转让给“{user}”。"
        }
        done {
            en "{user} is now the owner of {room}, and you are an operator."
            zh "“{user}”现在是聊天室“{room}”的房主，你是房间管理员。"
        }
        refused {
            NotAMember {
                en "{user} is not a member of {room}, or you are not."
                zh "“{user}”或你不在聊天室“{room}”中。"
            }
        }
    },
    row! {
        "/topic -" in SLASH (room: Here)
        en "remove the topic of a room"
        zh "删除聊天室的话题"
        asks SetRoom {
            roomname: room, new_name: None::<&str>, topic: Some(""), private: None::<bool>,
            read_only: None::<bool>, slow_seconds: None::<u64>, keep_days: KeepDays::Unchanged
        }
        done { en "{room} has no topic now." zh "聊天室“{room}”现在没有话题。" }
    },
    row! {
        "/topic" in SLASH (room: Here) (topic: Topic)
        en "set the topic of a room"
        zh "设置聊天室的话题"
        asks SetRoom {
            roomname: room, new_name: None::<&str>, topic: Some(topic), private: None::<bool>,
            read_only: None::<bool>, slow_seconds: None::<u64>, keep_days: KeepDays::Unchanged
        }
        done { en "The topic of {room} is now: {topic}" zh "聊天室“{room}”的话题现在是：{topic}" }
    },
    row! {
        "/topic" in SLASH (room: Here)
        en "show the topic of a room"
        zh "查看聊天室的话题"
        queries RoomInfo { roomname: room }
    },
    row! {
        "/rename" in SLASH (room: Here) (name: NewRoom)
        en "rename a room"
        zh "给聊天室改名"
        asks SetRoom {
            roomname: room, new_name: Some(name), topic: None::<&str>, private: None::<bool>,
            read_only: None::<bool>, slow_seconds: None::<u64>, keep_days: KeepDays::Unchanged
        }
        done { en "{room} is now named {name}." zh "聊天室“{room}”现在叫“{name}”。" }
        refused {
            RoomExists {
                en "{room} was not renamed: a room named {name}, or a name that looks like it, already exists."
                zh "聊天室“{room}”没有改名：“{name}”已存在，或与已有的名字过于相似。"
            }
        }
    },
    row! {
        "/private" in SLASH (room: Here)
        en "let only invited users find and join a room"
        zh "将聊天室设为私密：只有受邀的人能看到和加入"
        asks SetRoom {
            roomname: room, new_name: None::<&str>, topic: None::<&str>, private: Some(true),
            read_only: None::<bool>, slow_seconds: None::<u64>, keep_days: KeepDays::Unchanged
        }
        done {
            en "{room} is private: only users that are invited can find and join it."
            zh "聊天室“{room}”现在是私密的：只有受邀的人能看到和加入。"
        }
    },
    row! {
        "/public" in SLASH (room: Here)
        en "let every user find and join a room"
        zh "将聊天室设为公开：所有用户都能找到和加入"
        asks SetRoom {
            roomname: room, new_name: None::<&str>, topic: None::<&str>, private: Some(false),
            read_only: None::<bool>, slow_seconds: None::<u64>, keep_days: KeepDays::Unchanged
        }
        done {
            en "{room} is public: every user of this server can find and join it."
            zh "聊天室“{room}”现在是公开的：本服务器的所有用户都能找到和加入。"
        }
    },
    row! {
        "/readonly" in SLASH (room: Here) (switch: Switch)
        en "let only operators and the owner write, or all members"
        zh "只允许房主和房间管理员发言，或恢复所有成员发言"
        asks SetRoom {
            roomname: room, new_name: None::<&str>, topic: None::<&str>, private: None::<bool>,
            read_only: Some(switch == "on"), slow_seconds: None::<u64>, keep_days: KeepDays::Unchanged
        }
        done { en "{room}: {switch}." zh "聊天室“{room}”：{switch}。" }
    },
    row! {
        "/slow" in SLASH (room: Here) (time: Slow)
        en "set how long members wait between two messages, up to an hour"
        zh "设置成员两次发言之间的间隔，最多一小时"
        asks SetRoom {
            roomname: room, new_name: None::<&str>, topic: None::<&str>, private: None::<bool>,
            read_only: None::<bool>, slow_seconds: Some(time), keep_days: KeepDays::Unchanged
        }
        done { en "{room}: {time}." zh "聊天室“{room}”：{time}。" }
    },
    row! {
        "/keep" in SLASH (room: Here) (days: Keep)
        en "set for how many days messages of a room are kept"
        zh "设置聊天室消息保留多少天"
        asks SetRoom {
            roomname: room, new_name: None::<&str>, topic: None::<&str>, private: None::<bool>,
            read_only: None::<bool>, slow_seconds: None::<u64>, keep_days: days
        }
        needs Owner
        confirm {
            en "{room}: {days}? Messages that are older are removed for all members, and nothing brings them back. (Y/N)"
            zh "聊天室“{room}”：{days}？更早的消息会对所有成员删除，无法恢复。(Y/N)"
        }
        prompt { en "{room}: {days}? (Y/N)" zh "“{room}”：{days}？(Y/N)" }
        declined {
            en "Nothing was changed: messages of {room} are kept as before."
            zh "没有更改，“{room}”的消息仍按原来的时间保留。"
        }
        done { en "{room}: {days}." zh "聊天室“{room}”：{days}。" }
    },
    row! {
        "/close" in SLASH (room: Here)
        en "close a room for all members, with its messages"
        zh "关闭聊天室：所有成员退出，消息全部删除"
        asks CloseRoom { roomname: room }
        needs Owner
        confirm {
            en "Close {room}? All members lose the room and its messages, and nothing brings them back. Type {room} to close it, or no."
            zh "关闭聊天室“{room}”？所有成员都会失去它和其中的消息，无法恢复。输入“{room}”确认关闭，输入“否”取消。"
        }
        prompt { en "type {room} to close it, or no" zh "输入“{room}”确认关闭，输入“否”取消" }
        declined { en "{room} was not closed." zh "聊天室“{room}”没有关闭。" }
        done { en "You closed {room}." zh "你已关闭聊天室“{room}”。" }
    },
    row! {
        "/rooms public" in SLASH, "/rooms 公开" in SLASH (after: Room?)
        en "list the rooms that everyone can join, from a name on"
        zh "查看所有人都能加入的聊天室，可从某个名字之后开始"
        queries ListPublicRooms { after: after, limit: Some(PUBLIC_ROOMS) }
    },
    row! {
        "/room" in SLASH (room: Here)
        en "show what is set for a room"
        zh "查看聊天室的设置"
        queries RoomInfo { roomname: room }
    },
];

/// Lists of the server.
static LISTS: &[CommandRow] = &[
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
        "rooms" in QUERY, "/rooms" in SLASH
        en "list your rooms with topic, role and unread messages"
        zh "查看我的聊天室：话题、身份和未读消息"
        queries ListRooms {}
    },
    row! {
        "members" in QUERY, "/members" in SLASH (room: Here)
        en "list the members of a room"
        zh "查看聊天室成员"
        queries ListMembers { roomname: (room, None) }
    },
    row! {
        "/members" in SLASH (room: Here) (user: Member)
        en "list the members of a room from a name on"
        zh "从某个名字之后继续查看聊天室成员"
        queries ListMembers { roomname: (room, Some(user)) }
    },
];

/// Accounts and other users.
static PEOPLE: &[CommandRow] = &[
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
        prompt { en "unfriend {user}? (Y/N)" zh "删除好友“{user}”？(Y/N)" }
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
            en "Block {user}? A friendship with {user} ends. {user} cannot write to you, does not learn of the block, and sees you offline; friend requests and invitations from {user} stay hidden. What {user} says in rooms is folded. (Y/N)"
            zh "屏蔽“{user}”？如果是好友，将解除好友关系；对方不能给你发消息，看到的你始终离线，也不会知道自己被屏蔽；对方的好友请求和邀请不再显示，在聊天室里的发言会被折叠。(Y/N)"
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
            en "{user} is no longer blocked. You are not friends; type `/add {user}` to send a friend request."
            zh "已取消屏蔽“{user}”。你们目前不是好友，输入 `/add {user}` 可以添加对方。"
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
        "/export" in SLASH (file: File)
        en "write your friends, rooms and messages to a new file, as lines of JSON"
        zh "把你的好友、聊天室和消息导出到一个新文件，每行一个 JSON"
        => Statement::Export(file.to_owned())
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
        en "make an invitation code for so many accounts (up to 10,000; else one) and so many days (else without an end)"
        zh "生成邀请码，可指定使用次数（最多 10000，默认一次）和有效天数（默认没有期限）"
        => Statement::NewInvitation(uses.and_then(number_of), days.and_then(number_of))
    },
    row! {
        "/invitation revoke" in SLASH (code: Code)
        en "revoke an invitation code"
        zh "作废邀请码"
        asks RevokeInvitation { code: code }
        done { en "{code} can no longer be used." zh "邀请码 {code} 已作废。" }
        refused {
            BadParams {
                en "{code} is no invitation code. `/invitation` lists the open ones."
                zh "“{code}”不是邀请码。输入 `/invitation` 查看有效的邀请码。"
            }
        }
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
        done { en "Your other sessions have ended." zh "其他登录会话已全部结束。" }
    },
    row! {
        "/bots" in SLASH
        en "list your bots"
        zh "查看我的机器人"
        queries ListBots {}
    },
    row! {
        "/bots new" in SLASH (user: User) (rooms: Here*)
        en "create a bot in rooms that you own or operate; it cannot join others later"
        zh "在你管理的聊天室里创建机器人，以后不能再加入别的聊天室"
        asks CreateBot { username: user, rooms: rooms, expires: None::<u64> }
        refused {
            NameTaken {
                en "The name {user}, or one that looks like it, is taken. Please choose another one."
                zh "名字“{user}”已被占用，或与已有的名字过于相似，请换一个。"
            }
            NotOperator {
                en "A bot can only be in rooms that you own or operate."
                zh "机器人只能加入你是房主或房间管理员的聊天室。"
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
        "/privacy last-seen on" in SLASH, "/privacy last-seen 开" in SLASH, "/privacy last-seen 打开" in SLASH
        en "let friends see when you were last online"
        zh "允许好友看到你上次在线的时间"
        asks SetPrivacy { last_seen: Some(true) }
        done {
            en "Friends can see when you were last online."
            zh "好友可以看到你上次在线的时间。"
        }
    },
    row! {
        "/privacy last-seen off" in SLASH, "/privacy last-seen 关" in SLASH, "/privacy last-seen 关闭" in SLASH
        en "hide when you were last online"
        zh "隐藏你上次在线的时间"
        asks SetPrivacy { last_seen: Some(false) }
        done {
            en "Friends can no longer see when you were last online."
            zh "好友不能再看到你上次在线的时间。"
        }
    },
    row! {
        "/admin" in SLASH (command: Order) (words: Text?)
        en "carry out a command of the server's administration; `/admin help` lists them"
        zh "执行服务器管理命令；`/admin help` 列出全部命令"
        asks Admin { command: command, params: words }
        confirm {
            en "Delete the message with the id {words} for all? An id is what echat-nc and exports show, not a number of `/n`. (Y/N)"
            zh "为所有人删除 id 为 {words} 的消息？id 是 echat-nc 和导出文件里显示的编号，不是 `/n` 里的序号。(Y/N)"
        }
        prompt { en "delete the message with the id {words}? (Y/N)" zh "删除 id 为 {words} 的消息？(Y/N)" }
        declined {
            en "The message with the id {words} was not deleted."
            zh "没有删除 id 为 {words} 的消息。"
        }
        refused {
            NotAllowed {
                en "Only administrators of the server may do this."
                zh "只有服务器管理员可以执行。"
            }
        }
    },
];

/// Messages of the open chat, found ones, and unsent lines.
static MESSAGES: &[CommandRow] = &[
    row! {
        "/history" in SLASH
        en "show older messages of the open chat"
        zh "查看当前聊天中更早的消息"
        => Statement::History
    },
    row! {
        "/newer" in SLASH
        en "show the messages behind those that you jumped to"
        zh "跳转之后，查看后面的消息"
        => Statement::Newer
    },
    row! {
        "/date" in SLASH (day: Day)
        en "show the open chat from a day on: 2026-01-31, yesterday, 3d"
        zh "从某一天开始查看当前聊天：2026-01-31、1月31日、昨天、3天前"
        => Statement::Date(day.to_owned())
    },
    row! {
        "/n" in SLASH
        en "show numbers beside the last 30 messages, for /reply, /react, /edit and /delete"
        zh "给最近 30 条消息标上编号，供 /reply、/react、/edit、/delete 使用"
        => Statement::Numbers
    },
    row! {
        "/reply" in SLASH (number: Number?) (text: Text)
        en "reply to a message, counted from below; without a number to the last one of another user"
        zh "回复倒数第几条消息；省略编号则回复别人的最后一条"
        => Statement::Reply(number.and_then(number_of), text.to_owned())
    },
    row! {
        "/react" in SLASH (number: Number?) (emoji: Emoji)
        en "react to a message with an emoji (:heart:, +1), or take it back"
        zh "用表情回应一条消息，再次输入则收回：👍、:heart:、赞"
        => Statement::React(number.and_then(number_of), emoji.to_owned())
    },
    row! {
        "/edit" in SLASH (number: Number?) (text: Text?)
        en "edit your last message, or the one with a number; without a text it comes into the line"
        zh "修改自己的最后一条或指定编号的消息；省略内容则放入输入行修改"
        => Statement::Edit(number.and_then(number_of), text.map(str::to_owned))
    },
    row! {
        "/delete" in SLASH (number: Number?)
        en "delete your last message, or the one with a number"
        zh "删除自己的最后一条或指定编号的消息"
        => Statement::Delete(number.and_then(number_of))
    },
    row! {
        "/me" in SLASH (text: Text)
        en "say what you do: `/me waves`"
        zh "描述自己的动作：`/me 挥手`"
        => Statement::Action(text.to_owned())
    },
    row! {
        "/search" in SLASH (words: Words)
        en "find messages; filters: from:ann in:room1 before:2026-01-31 after:yesterday has:link"
        zh "搜索消息；可加 来自:小明 在:茶馆 之前:2026-01-31 之后:昨天 含:链接"
        => Statement::Search(words.to_owned())
    },
    row! {
        "/mentions" in SLASH
        en "show messages that mention you"
        zh "查看提到你的消息"
        => Statement::Mentions
    },
    row! {
        "/more" in SLASH
        en "show more of what was found"
        zh "查看更多搜索结果"
        => Statement::More
    },
    row! {
        "/open" in SLASH (number: Number)
        en "go to a message that was found, by its number"
        zh "按编号跳转到搜索到的消息"
        => Statement::OpenFound(number_of(number).unwrap_or_default())
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
        => Statement::Withdraw(UnsentSelection::of(line))
    },
];

/// Help, and the ways out.
static WAYS_OUT: &[CommandRow] = &[
    row! {
        "help" in NOT_CHAT
        en "list the commands"
        zh "显示命令列表"
        => Statement::Help
    },
    row! {
        "/help" in SLASH (word: Words?)
        en "list the commands, or those of a group, with a name or about a word: `/help rooms`, `/help ban`"
        zh "显示命令列表，或按组、命令名、关键字查看：`/help 聊天室`、`/help ban`、`/help 邀请`"
        => word.map_or(Statement::Help, |word| Statement::HelpOn(word.to_owned()))
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
