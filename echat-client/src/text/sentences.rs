//! The table of all sentences. A row names a sentence and its arguments and says it in every language:
//!
//! * `"text"`: the sentence, with its arguments in braces;
//! * `{ count, one: "text", other: "text" }`: two forms of it, of which `one` is for a count of 1.
//!
//! A sentence that lacks a language does not compile, and one that leaves out an argument fails a test.

use echat_proto::limits::{NAME_BYTES, NAME_CHARS, PASSWORD_MAX, PASSWORD_MIN};

use super::Language;
#[cfg(test)]
use super::tests::{self, Sample};

/// What a row has for one language, as a text.
macro_rules! said {
    ($text:literal) => {
        format!($text)
    };
    ({ $count:ident, one: $one:literal, other: $other:literal }) => {
        if $count == 1 {
            format!($one)
        } else {
            format!($other)
        }
    };
}

macro_rules! sentences {
    ($(
        $(#[$doc:meta])* $name:ident $({ $($argument:ident: $type:ty),* })?
        en $english:tt
        zh $chinese:tt;
    )*) => {
        /// A sentence, with its arguments.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the arguments say by their names what they are")]
        pub enum Text<'a> { $($(#[$doc])* $name $({ $($argument: $type),* })?),* }

        impl Language {
            /// The sentence. Not safe to print before it passed [`crate::render::safe::Safe`].
            #[allow(
                clippy::too_many_lines,
                clippy::match_same_arms,
                reason = "a table, in which sentences may be alike by chance"
            )]
            pub fn say(self, text: Text<'_>) -> String {
                match self {
                    Self::English => match text {
                        $(Text::$name $({ $($argument),* })? => said!($english),)*
                    },
                    Self::Chinese => match text {
                        $(Text::$name $({ $($argument),* })? => said!($chinese),)*
                    },
                }
            }
        }

        #[cfg(test)]
        impl<'a> Text<'a> {
            /// Every sentence, with arguments that are easily found again in it.
            pub(super) fn samples() -> Vec<(Text<'a>, Vec<String>)> {
                vec![$((
                    Text::$name $({ $($argument: Sample::sample(stringify!($argument))),* })?,
                    vec![$($(tests::shown::<$type>(stringify!($argument))),*)?],
                )),*]
            }
        }
    };
}

sentences! {
    // ---- modes
    /// The first line.
    Hello
        en "echat: type `help` for a list of commands, `\\d` to quit."
        zh "欢迎使用 echat。输入 `help` 查看命令，输入 `\\d` 退出。";
    /// The last line.
    Bye
        en "Goodbye."
        zh "再见。";
    /// What to do about Ctrl-C.
    HowToLeave
        en "Type `\\d` or press Ctrl-D to quit."
        zh "输入 `\\d` 或按 Ctrl-D 退出。";
    /// Stands above the list of a mode's commands.
    HelpHeading { mode: &'a str }
        en "Commands in {mode} mode:"
        zh "{mode}模式的命令：";
    /// The line is no command of this mode.
    Unknown { line: &'a str }
        en "Unknown command: {line}. Type `help` for a list."
        zh "未知命令：{line}。输入 `help` 查看命令。";
    /// The same in a chat, where commands begin with a slash.
    UnknownInChat { line: &'a str }
        en "Unknown command: {line}. Type `/help` for a list, or start with // to send it as text."
        zh "未知命令：{line}。输入 `/help` 查看命令；要作为消息发送，请以 // 开头。";
    /// The line is a command that works only in a chat.
    OnlyInChats { line: &'a str }
        en "{line} works only in a chat."
        zh "{line} 只能在聊天中使用。";
    /// The line is a command of another mode, with what goes there.
    OtherMode { command: &'a str, way: &'a str }
        en "`{command}` is a command of another mode. Type `{way}` first."
        zh "`{command}` 是其他模式的命令，请先输入 `{way}`。";
    /// The same where command mode stands between both.
    ModeViaCommand { command: &'a str, way: &'a str }
        en "`{command}` is a command of another mode. Type `\\c`, then `{way}`."
        zh "`{command}` 是其他模式的命令，请依次输入 `\\c` 和 `{way}`。";
    /// A line of a script that is wrong, with its number.
    AtLine { line: u64, why: &'a str }
        en "line {line}: {why}"
        zh "第 {line} 行：{why}";
    /// Something that is to be a duration, and cannot be read as one.
    NoDuration { typed: &'a str }
        en "{typed} is no duration. Type one like 10m, 2h or 3d; a reason cannot begin with a number."
        zh "看不懂时长“{typed}”。可以写 10分钟、2小时、3天；原因不能以数字开头。";
    /// A command with something missing.
    Usage { form: &'a str }
        en "Usage: {form}"
        zh "用法：{form}";
    /// There are more words that Tab could make of one.
    MoreCandidates { count: u64 }
        en "  and {count} more"
        zh "  还有 {count} 个";
    /// An answer is under way, and nothing can be typed before it.
    PleaseWait
        en "Please wait for the server's answer."
        zh "正在等待服务器回应，请稍候。";
    /// The mode's name in help and prompt.
    ModeCommand
        en "command"
        zh "命令";
    /// The same.
    ModeRegister
        en "register"
        zh "注册";
    /// The same.
    ModeLogin
        en "login"
        zh "登录";
    /// The same.
    ModeContact
        en "contact"
        zh "联系人";
    /// The same.
    ModeChat
        en "chat"
        zh "聊天";
    /// The same.
    ModeQuery
        en "query"
        zh "查询";
    /// Stands for a user's name in help.
    AUser
        en "<user>"
        zh "<用户名>";
    /// Stands for a room's name in help.
    ARoom
        en "<room>"
        zh "<聊天室>";
    /// Stands for the name of either in help.
    AName
        en "<name>"
        zh "<名字>";
    /// Stands for a message in help.
    AText
        en "<text>"
        zh "<消息>";
    /// Stands for a word to look for in help.
    AWord
        en "<word>"
        zh "<关键字>";

    /// Stands for a friend or a room with its mark in help.
    AnAddressee
        en "<user>|#<room>"
        zh "<用户名>|#<聊天室>";
    /// Stands for a topic in help.
    ATopic
        en "<topic>"
        zh "<话题>";
    /// Stands for a reason in help.
    AReason
        en "<reason>"
        zh "<原因>";
    /// Stands for a duration in help.
    ADuration
        en "for <duration>"
        zh "<时长>";
    /// Stands for on or off in help.
    ASwitch
        en "on|off"
        zh "开|关";
    /// Stands for the seconds of slow mode in help.
    ASlowness
        en "<seconds>|off"
        zh "<秒数>|关";
    /// Stands for the days that messages are kept in help.
    ADayCount
        en "<days>|forever|server"
        zh "<天数>|永久|默认";

    // ---- durations, and what is set for a room
    /// A duration.
    Seconds { count: u64 }
        en { count, one: "{count} second", other: "{count} seconds" }
        zh "{count} 秒";
    /// A duration.
    Minutes { count: u64 }
        en { count, one: "{count} minute", other: "{count} minutes" }
        zh "{count} 分钟";
    /// A duration.
    Hours { count: u64 }
        en { count, one: "{count} hour", other: "{count} hours" }
        zh "{count} 小时";
    /// A duration.
    Days { count: u64 }
        en { count, one: "{count} day", other: "{count} days" }
        zh "{count} 天";
    /// A duration.
    Weeks { count: u64 }
        en { count, one: "{count} week", other: "{count} weeks" }
        zh "{count} 周";
    /// How long a ban lasts, behind what is banned.
    ForSoLong { span: &'a str }
        en " for {span}"
        zh "，时长 {span}";
    /// The same of one without an end.
    ForUnlimitedTime
        en " for an unlimited time"
        zh "，没有期限";
    /// Slow mode.
    TimeBetween { span: &'a str }
        en "slow mode, {span} between two messages of a member"
        zh "慢速模式，成员每次发言间隔 {span}";
    /// No slow mode.
    NoTimeBetween
        en "no slow mode"
        zh "没有慢速模式";
    /// Read-only.
    OnlyOperatorsWrite
        en "read-only, only operators and the owner can write"
        zh "只读，只有房主和房间管理员可以发言";
    /// Not read-only.
    MembersWrite
        en "all members can write"
        zh "所有成员都可以发言";
    /// How long messages are kept.
    KeptDays { count: u64 }
        en { count,
            one: "messages are kept for {count} day",
            other: "messages are kept for {count} days"
        }
        zh "消息保留 {count} 天";
    /// The same.
    KeptForEver
        en "messages are kept forever"
        zh "消息永久保留";
    /// The same.
    KeptNot
        en "no messages are kept"
        zh "不保留消息";
    /// The same.
    KeptAsServer
        en "messages are kept for the server's default time"
        zh "消息按服务器的默认时间保留";
    /// Who can find a room and join it.
    IsPrivate
        en "private, only invited users can find and join it"
        zh "私密，只有受邀的人能看到和加入";
    /// The same.
    IsPublic
        en "public, every user can find and join it"
        zh "公开，所有用户都能找到和加入";
    /// The same, asked before a room is made.
    PublicOrPrivate { room: &'a str }
        en "Should {room} be public or private? Public: every user of this server can find it and join. Private: only users that are invited know of it and can join. Type public or private."
        zh "“{room}”要公开还是私密？公开：本服务器的所有用户都能找到并加入。私密：只有受邀的人能看到和加入。请输入“公开”或“私密”。";
    /// The same, in the prompt.
    PublicOrPrivateShort
        en "public or private?"
        zh "公开还是私密？";
    /// No answer was given.
    NotCreated { room: &'a str }
        en "{room} was not created."
        zh "没有创建聊天室“{room}”。";

    // ---- topics of help
    /// Heads commands of accounts and modes.
    TopicAccount
        en "Account and modes"
        zh "账号和模式";
    /// Its name behind `/help`.
    TopicAccountName
        en "modes"
        zh "模式";
    /// Heads commands about friends and rooms.
    TopicFriends
        en "Friends and rooms"
        zh "好友和聊天室";
    /// Its name behind `/help`.
    TopicFriendsName
        en "friends"
        zh "好友";
    /// Heads commands that run rooms.
    TopicRooms
        en "In rooms"
        zh "聊天室管理";
    /// Its name behind `/help`.
    TopicRoomsName
        en "rooms"
        zh "聊天室";
    /// Heads lists.
    TopicLists
        en "Lists"
        zh "列表";
    /// Its name behind `/help`.
    TopicListsName
        en "lists"
        zh "列表";
    /// Heads commands about accounts and users.
    TopicPeople
        en "Your account, and people"
        zh "账号和用户";
    /// Its name behind `/help`.
    TopicPeopleName
        en "account"
        zh "账号";
    /// Heads commands about messages.
    TopicMessages
        en "Messages"
        zh "消息";
    /// Its name behind `/help`.
    TopicMessagesName
        en "messages"
        zh "消息";
    /// Heads other commands.
    TopicOther
        en "Other"
        zh "其他";
    /// Its name behind `/help`.
    TopicOtherName
        en "other"
        zh "其他";
    /// Heads the commands of a topic.
    HelpTopic { topic: &'a str }
        en "{topic}:"
        zh "{topic}：";
    /// The same where only their names follow.
    HelpGroup { topic: &'a str, name: &'a str }
        en "{topic} (`/help {name}`):"
        zh "{topic}（`/help {name}`）：";
    /// Stands below the names of commands.
    HowToHelp
        en "`/help <group>` describes the commands of a group, `/help <command>` one command, and `/help <word>` those that have to do with a word."
        zh "输入 `/help <组名>` 查看一组命令，输入 `/help <命令>` 查看一个命令，输入 `/help <关键字>` 查找命令。";
    /// The same before the login.
    HelpAfterLogin
        en "There are more commands after the login."
        zh "登录后还有更多命令。";
    /// No command has to do with the word behind `/help`.
    NoHelp { word: &'a str }
        en "No command has to do with {word}. Type `/help` for a list."
        zh "没有与“{word}”有关的命令。输入 `/help` 查看命令。";

    // ---- help of a chat, beside the table of commands
    /// //
    HelpSlash
        en "send a message that starts with /"
        zh "发送以 / 开头的消息";
    /// `\quit`
    HelpSayQuit
        en "send the word quit as a message"
        zh "把 quit 作为消息发送";

    // ---- register and login
    /// Asks for a name.
    UserName
        en "user name"
        zh "用户名";
    /// The same where an empty line stands for this name.
    UserNameOr { name: &'a str }
        en "user name (Enter: {name})"
        zh "用户名（回车：{name}）";
    /// Asks for a password.
    Password
        en "password"
        zh "密码";
    /// Asks for it again.
    PasswordAgain
        en "password again"
        zh "确认密码";
    /// The two passwords differ.
    PasswordsDiffer { left: u64 }
        en "The passwords do not match. Tries left: {left}."
        zh "两次输入的密码不一致，还可以试 {left} 次。";
    /// They differed too often.
    TooManyTries
        en "The passwords did not match three times. No account was created."
        zh "三次输入的密码都不一致，注册已取消。";
    /// Nothing was typed where a password is asked for, and no command is read.
    NoPasswordTyped
        en "No password entered. Press Ctrl-C to go back."
        zh "没有输入密码。按 Ctrl-C 返回。";
    /// The same where a name is asked for.
    NoNameTyped
        en "No name entered. Type `\\c` or press Ctrl-C to go back."
        zh "没有输入名字。输入 `\\c` 或按 Ctrl-C 返回。";
    /// A new password has nothing but spaces.
    PasswordOfSpaces
        en "A password cannot consist of spaces only. Please choose another one."
        zh "新密码不能只有空格，请换一个。";
    /// The login was refused, and the password is asked for again.
    PasswordAgainOf { name: &'a str }
        en "Enter the password of {name} again, or press Ctrl-C to go back."
        zh "请重新输入“{name}”的密码，或按 Ctrl-C 返回。";
    /// The login is refused while a line is typed.
    LineKept
        en "Not logged in; what you type is kept. Type `login` to try again."
        zh "未登录，你输入的内容会保留。输入 `login` 可重试。";
    /// The account is made.
    Registered { name: &'a str }
        en "Registered as {name}."
        zh "注册成功：{name}";
    /// What comes after the registration.
    NowLogIn
        en "Type `login` to log in."
        zh "输入 `login` 登录。";
    /// The first sentence where echat begins with an invitation code.
    Invited
        en "You are invited to this server. Choose a user name and a password. If you have an account already, type `\\c` and then `login`."
        zh "你收到了这台服务器的邀请。请设置用户名和密码。如果已有账号，请输入 `\\c`，再输入 `login`。";
    /// How to come back after the registration.
    NextTime { link: &'a str }
        en "Next time, start echat with: echat {link}"
        zh "下次启动：echat {link}";
    /// The login holds.
    LoggedIn { name: &'a str }
        en "Logged in as {name}."
        zh "登录成功：{name}";
    /// The reader, who has just registered, is an administrator.
    YouAdminister
        en "You are an administrator of this server. `/admin help` lists what administrators can do."
        zh "你是这台服务器的管理员。输入 `/admin help` 查看管理命令。";
    /// The reader, who has just registered, is in the room of all new accounts.
    NewInRoom { room: &'a str }
        en "You are in the room {room}, like every new user. Type `/msg #{room}` to open it."
        zh "新用户都会加入聊天室“{room}”，你已经在其中，输入 `/msg #{room}` 打开。";
    /// The login holds again after the connection was lost.
    LoggedInAgain { name: &'a str }
        en "Reconnected. Logged in as {name}."
        zh "已重新连接并登录：{name}";
    /// The server has another history than before: what it has now is shown.
    HistoryReplaced
        en "The server's history was replaced, probably from a backup. Showing what the server has now."
        zh "服务器的历史记录已被替换（可能恢复了备份），现按服务器上的记录重新显示。";
    /// The user is logged out.
    LoggedOut
        en "Logged out."
        zh "已退出登录。";
    /// A user is logged in already.
    AlreadyLoggedIn { name: &'a str }
        en "You are already logged in as {name}. Type `logout` to log out."
        zh "你已登录为“{name}”。输入 `logout` 退出登录。";
    /// The same in another mode than command mode.
    LoggedInAs { name: &'a str }
        en "You are already logged in as {name}."
        zh "你已登录为“{name}”。";
    /// Without a terminal no question can be asked.
    NoPassword
        en "A user name was given, but no password."
        zh "提供了用户名，但没有提供密码。";
    /// A password without a user.
    NoUser
        en "A password was given, but no user name."
        zh "提供了密码，但没有提供用户名。";

    // ---- friends and rooms
    /// A user asks for friendship; with the commands that answer.
    FriendRequest { name: &'a str }
        en "{name} sent you a friend request. Type `y {name}` to accept or `n {name}` to decline."
        zh "“{name}”请求加你为好友。输入 `y {name}` 同意，输入 `n {name}` 拒绝。";
    /// The same in a chat, where commands begin with a slash.
    FriendRequestInChat { name: &'a str }
        en "{name} sent you a friend request. Type `/y {name}` to accept or `/n {name}` to decline."
        zh "“{name}”请求加你为好友。输入 `/y {name}` 同意，输入 `/n {name}` 拒绝。";
    /// Stands below the list of open requests.
    HowToAnswer
        en "Type `y <user>` or `+f <user>` to accept, `n <user>` to decline (in a chat `/y` and `/n`)."
        zh "输入 `y <用户名>` 或 `+f <用户名>` 同意，输入 `n <用户名>` 拒绝（在聊天中用 `/y` 和 `/n`）。";
    /// The request was sent.
    RequestSent { name: &'a str }
        en "Friend request sent to {name}."
        zh "好友请求已发送给“{name}”。";
    /// Another user is a friend now.
    NewContact { name: &'a str }
        en "You and {name} are now friends."
        zh "你和“{name}”已成为好友。";
    /// The reader is a member now.
    NewRoom { room: &'a str }
        en "You joined {room}."
        zh "已加入聊天室“{room}”。";
    /// The user is a member of a room that this session did not join. The server does not say by whom.
    AddedToRoom { room: &'a str }
        en "You are a member of {room} now. Type `/msg #{room}` to open it."
        zh "你现在是聊天室“{room}”的成员。输入 `/msg #{room}` 打开。";
    /// The room that was joined is not opened, since a line is typed.
    HowToOpenRoom { room: &'a str }
        en "Type `/msg #{room}` to open {room}."
        zh "输入 `/msg #{room}` 打开聊天室“{room}”。";
    /// The room was left.
    LeftRoom { room: &'a str }
        en "You left {room}."
        zh "已退出聊天室“{room}”。";
    /// Heading.
    Friends
        en "Friends:"
        zh "好友：";
    /// There are none.
    NoFriends
        en "No friends yet. Type `/add <user>` to send a friend request."
        zh "还没有好友。输入 `/add <用户名>` 添加好友。";
    /// Heading.
    Rooms
        en "Rooms:"
        zh "聊天室：";
    /// There are none.
    NoRooms
        en "No rooms yet. Type `/join <room>` to join one, or `/create <room>` to create one."
        zh "还没有聊天室。输入 `/join <聊天室>` 加入，输入 `/create <聊天室>` 创建。";
    /// Heading.
    PendingRequests
        en "Pending friend requests:"
        zh "待处理好友请求：";
    /// There are none.
    NoPending
        en "No pending friend requests."
        zh "没有待处理的好友请求。";
    /// Heading.
    Messages
        en "Messages:"
        zh "消息：";
    /// There are none.
    NoMessages
        en "No messages."
        zh "没有消息。";
    /// Heading.
    UnreadHeading
        en "Unread:"
        zh "未读：";
    /// How a conversation of the list is opened.
    HowToOpenUnread
        en "`/msg <user>` or `/msg #<room>` opens one."
        zh "输入 `/msg 用户名` 或 `/msg #聊天室` 打开。";
    /// Nothing is unread.
    NothingUnread
        en "No unread messages."
        zh "没有未读消息。";
    /// A line of `:m` and `?`.
    UnreadOf { target: &'a str, count: u64 }
        en "{target}: {count} unread"
        zh "{target}：{count} 条未读";
    /// Neither a friend nor a room is named so.
    NoTarget { name: &'a str }
        en "You have no friend or room named {name}."
        zh "没有名为“{name}”的好友或聊天室。";
    /// A friend and a room are named so.
    TwoTargets { name: &'a str }
        en "Both a friend and a room are named {name}. Type `contact`, then `&f {name}` or `&r {name}`."
        zh "好友和聊天室都叫“{name}”。请先输入 `contact`，再输入 `&f {name}` 或 `&r {name}`。";
    /// `chat` without a name, and nothing to go back to.
    ChatWithWhom
        en "Which chat? Type `chat <name>`."
        zh "要打开哪个聊天？请输入 `chat <名字>`。";
    /// Begins a sentence about what the reader did.
    You
        en "You"
        zh "你";
    /// Begins a sentence about what an administrator did.
    AnAdministrator
        en "An administrator"
        zh "服务器管理员";
    /// A role.
    TheOwner
        en "the owner"
        zh "房主";
    /// A role.
    AnOperator
        en "an operator"
        zh "房间管理员";
    /// A role.
    APlainMember
        en "a member"
        zh "普通成员";
    /// A reason, behind what was done.
    Because { reason: &'a str }
        en " (reason: {reason})"
        zh "（原因：{reason}）";
    /// Stands between settings.
    Semicolon
        en "; "
        zh "；";
    /// The reader is invited; with the commands that answer.
    Invitation { by: &'a str, room: &'a str }
        en "{by} invited you to the room {room}. Type `/join {room}` to accept or `/decline {room}` to decline."
        zh "{by}邀请你加入聊天室“{room}”。输入 `/join {room}` 接受，输入 `/decline {room}` 谢绝。";
    /// The reader was removed.
    YouWereRemoved { by: &'a str, room: &'a str, because: &'a str }
        en "{by} removed you from {room}{because}."
        zh "{by}将你移出了聊天室“{room}”{because}。";
    /// How to come back to a public room.
    ComeBack { room: &'a str }
        en "You can come back with `/join {room}`."
        zh "可以输入 `/join {room}` 再次加入。";
    /// The same of a private room.
    ComeBackInvited
        en "You need a new invitation to come back."
        zh "需要新的邀请才能再次加入。";
    /// The same where it is not known which of both the room is.
    ComeBackOrInvited { room: &'a str }
        en "You can come back with `/join {room}` if it is public; a private room needs a new invitation."
        zh "公开的聊天室可以输入 `/join {room}` 再次加入，私密的需要新的邀请。";
    /// The reader was banned.
    YouWereBanned { by: &'a str, room: &'a str, because: &'a str }
        en "{by} banned you from {room}{because}. You cannot join it until the ban ends; its owner and operators can lift it."
        zh "{by}禁止你进入聊天室“{room}”{because}。封禁结束前不能加入；房主和房间管理员可以解除封禁。";
    /// A ban from a public room was lifted.
    UnbannedPublic { name: &'a str, room: &'a str }
        en "{name} is not banned from {room} any more and can join it again."
        zh "已解除“{name}”在聊天室“{room}”的封禁，对方可以再加入。";
    /// The same of a private room, which the user cannot join without an invitation.
    UnbannedPrivate { name: &'a str, room: &'a str }
        en "{name} is not banned from {room} any more. The room is private: `/invite #{room} {name}` invites them again."
        zh "已解除“{name}”在聊天室“{room}”的封禁。这是私密聊天室，需要重新邀请：`/invite #{room} {name}`。";
    /// How to learn when a ban from a public room ends.
    BanEnds { room: &'a str }
        en "`/join {room}` says when the ban ends."
        zh "输入 `/join {room}` 可查看封禁何时结束。";
    /// What comes after a ban from a private room.
    BanEndsInvited
        en "After the ban you need a new invitation."
        zh "封禁结束后需要新的邀请才能加入。";
    /// The same where it is not known which of both the room is.
    BanEndsOrInvited { room: &'a str }
        en "If it is public, `/join {room}` says when the ban ends; a private room needs a new invitation after it."
        zh "公开的聊天室可以输入 `/join {room}` 查看封禁何时结束；私密的在封禁结束后需要新的邀请。";
    /// A member was removed.
    WasRemoved { by: &'a str, name: &'a str, room: &'a str, because: &'a str }
        en "{by} removed {name} from {room}{because}."
        zh "{by}将“{name}”移出了聊天室“{room}”{because}。";
    /// A member was banned.
    WasBanned { by: &'a str, name: &'a str, room: &'a str, because: &'a str }
        en "{by} banned {name} from {room}{because}."
        zh "{by}禁止“{name}”进入聊天室“{room}”{because}。";
    /// The reader has another role, given by a user.
    MadeYou { by: &'a str, role: &'a str, room: &'a str }
        en "{by} made you {role} of {room}."
        zh "{by}将你设为聊天室“{room}”的{role}。";
    /// The reader has another role, by succession.
    YouAreNow { role: &'a str, room: &'a str }
        en "You are now {role} of {room}."
        zh "你现在是聊天室“{room}”的{role}。";
    /// The reader is an operator no more.
    TookYourRole { by: &'a str, room: &'a str }
        en "{by} made you a plain member of {room}: you are not an operator any more."
        zh "{by}取消了你在聊天室“{room}”的房间管理员身份。";
    /// A member is an operator no more.
    TookRole { by: &'a str, name: &'a str, room: &'a str }
        en "{by} made {name} a plain member of {room}."
        zh "{by}取消了“{name}”在聊天室“{room}”的房间管理员身份。";
    /// A member has another role, given by a user.
    Made { by: &'a str, name: &'a str, role: &'a str, room: &'a str }
        en "{by} made {name} {role} of {room}."
        zh "{by}将“{name}”设为聊天室“{room}”的{role}。";
    /// A member has another role, by succession.
    IsNow { name: &'a str, role: &'a str, room: &'a str }
        en "{name} is now {role} of {room}."
        zh "“{name}”现在是聊天室“{room}”的{role}。";
    /// What comes with the role.
    WhatOperatorsCan
        en "Operators can use /invite, /kick, /ban, /unban, /topic, /readonly and /slow."
        zh "房间管理员可以使用 /invite、/kick、/ban、/unban、/topic、/readonly 和 /slow。";
    /// What comes with the role.
    WhatOwnersCan
        en "The owner can also use /op, /deop, /owner, /rename, /private, /public, /keep and /close."
        zh "房主还可以使用 /op、/deop、/owner、/rename、/private、/public、/keep 和 /close。";
    /// A room has another name.
    RoomRenamed { by: &'a str, was: &'a str, room: &'a str }
        en "{by} renamed the room {was} to {room}."
        zh "{by}将聊天室“{was}”改名为“{room}”。";
    /// A room got another name while there was no connection.
    RoomHasAnotherName { was: &'a str, room: &'a str }
        en "The room {was} is called {room} now."
        zh "聊天室“{was}”已改名为“{room}”。";
    /// The reader was a member before the connection was lost. Nothing more is known.
    RoomLost { room: &'a str }
        en "You are no longer a member of {room}: it was closed or renamed, or you were removed or left it elsewhere, while you were away."
        zh "你已不在聊天室“{room}”：在你离线期间，它被关闭或改名了，或者你被移出，或在别处退出了。";
    /// The same of a room that is still there.
    RoomLostAlone { room: &'a str }
        en "You are no longer a member of {room}: you were removed or left it while you were away. `/join {room}` brings you back, or says until when you are banned."
        zh "你已不在聊天室“{room}”：在你离线期间被移出或退出了。输入 `/join {room}` 可再次加入；如果被封禁，会告诉你封禁何时结束。";
    /// The same of a room that the reader cannot find any more.
    RoomGone { room: &'a str }
        en "You are no longer a member of {room}: it was closed or renamed while you were away, or it is private and you were removed or left it elsewhere."
        zh "你已不在聊天室“{room}”：在你离线期间它被关闭或改名了，或者它是私密的，而你被移出或在别处退出了。";
    /// Another room has the name now.
    RoomReplaced { room: &'a str }
        en "{room} is another room now: the one that you had open was closed or renamed while you were away."
        zh "现在的“{room}”是另一个聊天室：你打开过的那个在你离线期间被关闭或改名了。";
    /// Unsent lines for a room whose name another room has now.
    HeldForAnotherRoom { count: u64, room: &'a str }
        en { count,
            one: "Not sent: another room has the name {room} now. The unsent line for the old one is kept; type `/pending` to see it.",
            other: "Not sent: another room has the name {room} now. The {count} unsent lines for the old one are kept; type `/pending` to see them."
        }
        zh "未发送：现在叫“{room}”的是另一个聊天室。发给原来那个的 {count} 条消息已保留，输入 `/pending` 查看。";
    /// Unsent lines for a room that the reader is not in.
    HeldWithoutRoom { count: u64, room: &'a str }
        en { count,
            one: "Not sent: you are not a member of {room} any more. The unsent line is kept; type `/pending` to see it.",
            other: "Not sent: you are not a member of {room} any more. The {count} unsent lines are kept; type `/pending` to see them."
        }
        zh "未发送：你已不在聊天室“{room}”。{count} 条待发送的消息已保留，输入 `/pending` 查看。";
    /// Commands about a room whose name another room has now.
    CommandsForAnotherRoom { commands: &'a str, room: &'a str }
        en "Not sent: {commands}. Another room has the name {room} now."
        zh "未发送：{commands}。现在叫“{room}”的是另一个聊天室。";
    /// Commands about a room that the reader is not in.
    CommandsWithoutRoom { commands: &'a str, room: &'a str }
        en "Not sent: {commands}. You are not a member of {room} any more."
        zh "未发送：{commands}。你已不在聊天室“{room}”。";
    /// A room has another topic.
    TopicChanged { by: &'a str, room: &'a str, topic: &'a str }
        en "{by} changed the topic of {room}: {topic}"
        zh "{by}更改了聊天室“{room}”的话题：{topic}";
    /// A room has no topic any more.
    TopicRemoved { by: &'a str, room: &'a str }
        en "{by} removed the topic of {room}."
        zh "{by}删除了聊天室“{room}”的话题。";
    /// Settings that changed.
    SettingChanged { by: &'a str, room: &'a str, setting: &'a str }
        en "{by} changed {room}: {setting}."
        zh "{by}更改了聊天室“{room}”：{setting}。";
    /// All settings, where it is not known which changed.
    SettingsAreNow { by: &'a str, room: &'a str, setting: &'a str }
        en "{by} changed {room}, where this is set now: {setting}."
        zh "{by}更改了聊天室“{room}”，现在的设置：{setting}。";
    /// A room is gone.
    RoomClosed { by: &'a str, room: &'a str }
        en "{by} closed the room {room}. Its messages are gone."
        zh "{by}关闭了聊天室“{room}”，其中的消息已删除。";
    /// Heading of what is set for a room.
    RoomHeading { room: &'a str }
        en "Room {room}:"
        zh "聊天室“{room}”：";
    /// A topic.
    TopicIs { topic: &'a str }
        en "topic: {topic}"
        zh "话题：{topic}";
    /// The topic of a room.
    TopicOf { room: &'a str, topic: &'a str }
        en "Topic of {room}: {topic}"
        zh "聊天室“{room}”的话题：{topic}";
    /// A room has no topic.
    NoTopic { room: &'a str }
        en "{room} has no topic."
        zh "聊天室“{room}”没有话题。";
    /// The owner of a room.
    OwnerIs { name: &'a str }
        en "owner: {name}"
        zh "房主：{name}";
    /// The operators of a room.
    OperatorsAre { names: &'a str }
        en "operators: {names}"
        zh "房间管理员：{names}";
    /// How many members a room has, and since when it is there.
    MembersSince { members: u64, time: &'a str }
        en { members,
            one: "{members} member, created {time}",
            other: "{members} members, created {time}"
        }
        zh "{members} 名成员，创建于 {time}";
    /// The reader's role.
    YouAre { role: &'a str }
        en "you are {role}"
        zh "你是{role}";
    /// The reader is no member.
    YouAreNoMember { room: &'a str }
        en "you are not a member; `/join {room}` joins it"
        zh "你不是成员；输入 `/join {room}` 加入";
    /// Marks a private room.
    Private
        en "private"
        zh "私密";
    /// Unread messages that name the reader.
    MentionsOfYou { count: u64 }
        en { count, one: "{count} mention of you", other: "{count} mentions of you" }
        zh "{count} 条提到你";
    /// Heading.
    PublicRooms
        en "Public rooms:"
        zh "公开聊天室：";
    /// There are none.
    NoPublicRoomsAfter { room: &'a str }
        en "No public room comes after {room}."
        zh "“{room}”之后没有公开聊天室了。";
    /// There is none.
    NoPublicRooms
        en "There are no public rooms here."
        zh "没有公开聊天室。";
    /// The beginning of a line of a list of rooms.
    RoomOf { room: &'a str, members: u64 }
        en { members, one: "{room}: {members} member", other: "{room}: {members} members" }
        zh "{room}：{members} 名成员";
    /// Stands below the list of public rooms.
    HowToJoin
        en "Type `/join <room>` to join one."
        zh "输入 `/join <聊天室>` 加入。";
    /// A list goes on.
    MoreBy { command: &'a str }
        en "There are more: `{command}`"
        zh "还有更多：`{command}`";
    /// Heading of the invitations.
    Invitations
        en "Invitations to rooms:"
        zh "聊天室邀请：";
    /// A line of it.
    InvitationLine { room: &'a str, by: &'a str }
        en "{room} (from {by})"
        zh "{room}（来自{by}）";
    /// Stands below the list of invitations.
    HowToAnswerInvitation
        en "Type `/join <room>` to accept, `/decline <room>` to decline."
        zh "输入 `/join <聊天室>` 接受，输入 `/decline <聊天室>` 谢绝。";
    /// Heading.
    Bans { room: &'a str }
        en "Banned from {room}:"
        zh "禁止进入聊天室“{room}”的用户：";
    /// There are none.
    NoBans { room: &'a str }
        en "No user is banned from {room}."
        zh "聊天室“{room}”没有禁止任何人进入。";
    /// A line of the bans.
    BanLine { name: &'a str, by: &'a str, time: &'a str }
        en "{name}: banned by {by} on {time}"
        zh "“{name}”：“{by}”于 {time} 封禁";
    /// The end of a ban.
    BanUntil { time: &'a str }
        en ", until {time}"
        zh "，{time} 到期";
    /// A ban ends when it is lifted.
    BanWithoutEnd
        en ", until it is lifted"
        zh "，直到解除";
    /// Marks an operator.
    Operator
        en "operator"
        zh "房间管理员";
    /// Marks a bot.
    Bot
        en "bot"
        zh "机器人";
    /// Marks a member who is away.
    AwayWith { text: &'a str }
        en "away: {text}"
        zh "离开：{text}";
    /// A user became a member of the open room.
    MembersJoined { names: &'a str, room: &'a str }
        en "{names} joined {room}"
        zh "{names} 加入了聊天室“{room}”";
    /// A friend came.
    CameOnline { names: &'a str }
        en "{names} came online"
        zh "{names} 上线了";
    /// A new friend is online.
    NewFriendIsOnline { names: &'a str }
        en "online: {names}"
        zh "{names} 在线";
    /// A friend went.
    WentOffline { names: &'a str }
        en "{names} went offline"
        zh "{names} 下线了";
    /// Members left the open room.
    MembersLeft { names: &'a str, room: &'a str }
        en "{names} left {room}"
        zh "{names} 退出了聊天室“{room}”";
    /// Members who are no friends left the open room or went offline.
    LeftOrWentOffline { names: &'a str }
        en "{names} left or went offline"
        zh "{names} 退出或下线了";

    // ---- messages
    /// Messages of a friend arrived and are not shown.
    NewMessages { from: &'a str, count: u64 }
        en { count,
            one: "{from}: {count} new message",
            other: "{from}: {count} new messages"
        }
        zh { count,
            one: "“{from}”发来一条新消息",
            other: "“{from}”发来 {count} 条新消息"
        };
    /// Messages in a room arrived and are not shown.
    NewRoomMessages { room: &'a str, count: u64 }
        en { count,
            one: "{room}: {count} new message",
            other: "{room}: {count} new messages"
        }
        zh { count,
            one: "聊天室“{room}”有一条新消息",
            other: "聊天室“{room}”有 {count} 条新消息"
        };
    /// How many of them mention the reader, behind that.
    NewMentions { count: u64 }
        en { count, one: "; {count} mention of you", other: "; {count} mentions of you" }
        zh "（{count} 条提到你）";
    /// Begins a row of conversations with the number of unread messages of each.
    UnreadRow
        en "unread: "
        zh "未读：";
    /// New messages in further conversations than those that are listed.
    NewElsewhere { count: u64 }
        en { count,
            one: "and {count} new message elsewhere",
            other: "and {count} new messages elsewhere"
        }
        zh "其他会话还有 {count} 条新消息";
    /// How the reader is called in lines of one's own.
    Me
        en "me"
        zh "我";
    /// Stands between names that stand in the quotes of the language together.
    BetweenNames
        en ", "
        zh "”、“";
    /// Stands between names.
    Comma
        en ", "
        zh "、";
    /// Ends the prompt where an answer is asked for, with the spaces of the language.
    AsksFor
        en ": "
        zh "：";
    /// Stands between a name and what it says, with the spaces of the language.
    Says
        en ": "
        zh "：";
    /// The rule between old and new.
    HistoryRule
        en "------ history above ------"
        zh "------ 以上是历史消息 ------";
    /// A rule above a page of older messages.
    OlderRule
        en "------ older messages ------"
        zh "------ 更早的消息 ------";
    /// There is nothing older.
    NoOlder
        en "There are no older messages."
        zh "没有更早的消息。";
    /// Stands above the unread messages of a chat that opens, if there are too many to show.
    OlderUnread { count: u64 }
        en { count,
            one: "{count} older unread message is not shown here. `/history` shows older messages.",
            other: "{count} older unread messages are not shown here. `/history` shows older messages."
        }
        zh "另有 {count} 条更早的未读消息没有显示，输入 `/history` 查看更早的消息。";
    /// The older ones were asked for.
    LoadingOlder
        en "Loading older messages ..."
        zh "正在加载更早的消息……";
    /// The same in a message of another chat.
    SentTo { target: &'a str }
        en " to {target}: "
        zh "发给“{target}”：";
    /// Marks an unsent line.
    Pending
        en "(pending) "
        zh "（待发送）";
    /// Marks a line that was refused.
    NotSentMark
        en "(not sent) "
        zh "（未发送）";
    /// Marks a line that is not sent again and that the server may have.
    UnansweredMark
        en "(may have been received) "
        zh "（可能已送达）";
    /// Stands in the prompt while the reader is away.
    AwayMark
        en "away"
        zh "离开";
    /// How many lines wait, in the prompt.
    PendingCount { count: u64 }
        en "{count} pending"
        zh "{count} 条待发送";
    /// A chat line that looks like a command.
    LooksLikeCommand { line: &'a str }
        en "This looks like a command: {line}. Send it as text? (Y/N)"
        zh "这看起来像命令：{line}。作为消息发送？(Y/N)";
    /// A chat line that quits in other modes.
    QuitOrSend
        en "`/quit` quits echat. Send `quit` as text? (Y/N)"
        zh "退出 echat 请输入 `/quit`。将 `quit` 作为消息发送？(Y/N)";
    /// A chat line that is a command of another mode, which a chat has under another name.
    SlashOrSend { line: &'a str, way: &'a str }
        en "In a chat, type `{way}`. Send `{line}` as text? (Y/N)"
        zh "在聊天中请输入 `{way}`。将 `{line}` 作为消息发送？(Y/N)";
    /// A chat line that would accept an open friend request, without the slash of a chat.
    AcceptOrSend { line: &'a str }
        en "To accept, type `/{line}`. Send `{line}` as text? (Y/N)"
        zh "要同意请输入 `/{line}`。将 `{line}` 作为消息发送？(Y/N)";
    /// The same of one that would decline it.
    DeclineOrSend { line: &'a str }
        en "To decline, type `/{line}`. Send `{line}` as text? (Y/N)"
        zh "要拒绝请输入 `/{line}`。将 `{line}` 作为消息发送？(Y/N)";
    /// The same, in the prompt.
    SendAsText
        en "send as text? (Y/N)"
        zh "作为消息发送？(Y/N)";
    /// It was not sent.
    NotSent
        en "Not sent."
        zh "未发送。";
    /// A line that does not answer the open question.
    NotAnAnswer
        en "That is not an answer. Please answer first."
        zh "无法识别的回答，请先回答问题。";
    /// A message was refused.
    MessageRefused { target: &'a str, reason: &'a str }
        en "Not sent to {target}: {reason}"
        zh "发给“{target}”的消息未发送：{reason}";
    /// A message that the server may have is not sent again.
    NotResent { target: &'a str, reason: &'a str }
        en "Not sent again to {target}: {reason}"
        zh "发给“{target}”的消息不再重发：{reason}";
    /// A message must wait.
    MessageWaits { target: &'a str, reason: &'a str, seconds: u64 }
        en "The message to {target} will be sent in {seconds} s: {reason}"
        zh "发给“{target}”的消息将在 {seconds} 秒后重发：{reason}";
    /// What was missed must wait.
    MissedWaits { reason: &'a str, seconds: u64 }
        en "What you missed will be fetched in {seconds} s: {reason}"
        zh "断线期间的消息将在 {seconds} 秒后再次获取：{reason}";
    /// It cannot be had.
    MissedNotFetched { reason: &'a str }
        en "What you missed could not be fetched: {reason} It stays unread, and opening a chat asks for it again."
        zh "无法获取断线期间的消息：{reason}这些消息仍是未读，打开聊天时会再次获取。";
    /// Several lines were pasted.
    Paste { count: u64 }
        en { count,
            one: "{count} line pasted. Y: send each line; O: send as one message; N: discard.",
            other: "{count} lines pasted. Y: send each line; O: send as one message; N: discard."
        }
        zh "粘贴了 {count} 行。Y：逐行发送；O：合成一条消息发送；N：放弃。";
    /// The same, where they are too long for one message.
    PasteEach { count: u64 }
        en { count,
            one: "{count} line pasted, too long for one message. Y: send each line; N: discard.",
            other: "{count} lines pasted, too long for one message. Y: send each line; N: discard."
        }
        zh "粘贴了 {count} 行，合起来超过一条消息的长度。Y：逐行发送；N：放弃。";
    /// The same, where they are commands.
    PasteOfCommands { count: u64 }
        en { count,
            one: "{count} line pasted. Y: run each line as a command; N: discard.",
            other: "{count} lines pasted. Y: run each line as a command; N: discard."
        }
        zh "粘贴了 {count} 行。Y：逐行作为命令执行；N：放弃。";
    /// The same, where they are too many to be sent one by one.
    PasteOne { count: u64, limit: u64 }
        en { count,
            one: "{count} line pasted; at most {limit} can be sent one by one. O: send as one message; N: discard.",
            other: "{count} lines pasted; at most {limit} can be sent one by one. O: send as one message; N: discard."
        }
        zh "粘贴了 {count} 行，逐行发送最多 {limit} 行。O：合成一条消息发送；N：放弃。";
    /// They are too many to be sent one by one, and too long for one message.
    PasteTooMany { count: u64, limit: u64 }
        en { count,
            one: "Not accepted: {count} line pasted; the limit is {limit}.",
            other: "Not accepted: {count} lines pasted; the limit is {limit}."
        }
        zh "粘贴的内容共 {count} 行，超过 {limit} 行的上限，已放弃。";
    /// One of them is too long.
    PasteTooLong { bytes: u64, limit: u64 }
        en "Not accepted: a pasted line has {bytes} bytes; the limit is {limit}."
        zh "粘贴的内容中有一行长 {bytes} 字节，超过 {limit} 字节的上限，已放弃。";
    /// A paste was cut.
    PasteCut { kept: u64, whole: u64 }
        en "The paste was cut: it has {whole} bytes, and only the first {kept} were kept."
        zh "粘贴的内容太长（{whole} 字节），只保留了前 {kept} 字节。";
    /// Several lines, in the prompt.
    PasteShort { count: u64 }
        en { count,
            one: "{count} line (Y/O/N)",
            other: "{count} lines (Y/O/N)"
        }
        zh "{count} 行 (Y/O/N)";
    /// The same, where they cannot be one message.
    PasteShortEach { count: u64 }
        en { count,
            one: "{count} line (Y/N)",
            other: "{count} lines (Y/N)"
        }
        zh "{count} 行 (Y/N)";
    /// The same, where they can only be one message.
    PasteShortOne { count: u64 }
        en { count,
            one: "{count} line (O/N)",
            other: "{count} lines (O/N)"
        }
        zh "{count} 行 (O/N)";
    /// No line of the history holds what is searched for, in the prompt.
    NoMatch
        en "no match"
        zh "无匹配";
    /// Lines of an earlier run are there.
    OutgoingFound { count: u64 }
        en "Unsent lines from an earlier session: {count}."
        zh "上次退出时还有 {count} 条消息待发送。";
    /// Lines of an earlier run that cannot be read.
    OutgoingUnreadable { count: u64 }
        en { count,
            one: "A saved line cannot be read.",
            other: "{count} saved lines cannot be read."
        }
        zh "有 {count} 条已保存的消息无法读取。";
    /// Another client holds the file.
    OutgoingLocked
        en "Another client is using the file of unsent lines. Lines typed here are lost if this client quits before they are sent."
        zh "另一个客户端正在使用保存待发送消息的文件。如果在发送前退出，这里输入的消息会丢失。";
    /// The file of such lines cannot be read or written.
    OutgoingFault { why: &'a str }
        en "File of unsent lines: {why}"
        zh "保存待发送消息的文件：{why}";
    /// Lines wait at the end.
    UnsentAtExit { count: u64 }
        en "Unsent lines: {count}."
        zh "还有 {count} 条消息未发送。";
    /// What becomes of them.
    UnsentKept { user: &'a str, file: &'a str }
        en "They are kept in {file} and will be sent when {user} next logs in here."
        zh "已保存到 {file}，“{user}”下次在这里登录时会自动发送。";
    /// The same where no file keeps them.
    UnsentLost
        en "They are not saved and will be lost when the program ends."
        zh "这些消息没有保存，退出后会丢失。";

    /// Another user logs in.
    LinesOfAnother { count: u64, user: &'a str }
        en { count,
            one: "One unsent line of {user} is not sent: you are logged in under another name.",
            other: "{count} unsent lines of {user} are not sent: you are logged in under another name."
        }
        zh "“{user}”有 {count} 条消息没有发送：你现在用另一个名字登录。";
    /// Where they are.
    LinesKept { file: &'a str }
        en "They are kept in {file}."
        zh "它们保存在 {file}。";

    // ---- lines that can never be sent
    /// Something can never be sent. The reasons below stand in it, or behind a line's number or target.
    CannotSend { why: &'a str }
        en "Not sent: {why}"
        zh "未发送：{why}";
    /// A message without text.
    NoText
        en "the message is empty."
        zh "消息是空的。";
    /// A control character in a message, in hexadecimal digits.
    ControlCharacter { code: &'a str }
        en "a message cannot contain the control character U+{code}."
        zh "消息不能含有控制字符 U+{code}。";
    /// A message over the limit, which is in bytes.
    TooLong { bytes: u64, characters: u64, limit: u64 }
        en "the text is {bytes} bytes long ({characters} characters); the limit is {limit} bytes."
        zh "内容有 {bytes} 字节（{characters} 个字符），上限是 {limit} 字节。";
    /// A name over the limits of names.
    NameTooLong { bytes: u64, characters: u64 }
        en "The name is {characters} characters ({bytes} bytes) long; the limit is {NAME_CHARS} characters and {NAME_BYTES} bytes."
        zh "名字有 {characters} 个字符（{bytes} 字节），最多 {NAME_CHARS} 个字符、{NAME_BYTES} 字节。";
    /// A parameter over the limit.
    ParameterTooLong { bytes: u64, limit: u64 }
        en "the text is {bytes} bytes long; the limit is {limit} bytes."
        zh "内容有 {bytes} 字节，上限是 {limit} 字节。";
    /// A list of too many names.
    TooManyNames { names: u64, limit: u64 }
        en "the list has {names} names; the limit is {limit}."
        zh "名单里有 {names} 个名字，上限是 {limit} 个。";
    /// A request over the limit of a frame.
    RequestTooLong { bytes: u64, limit: u64 }
        en "the request is {bytes} bytes long; the limit is {limit} bytes."
        zh "请求有 {bytes} 字节，上限是 {limit} 字节。";
    /// A line of input that cannot be accepted, where there is no terminal.
    InLine { line: u64, why: &'a str }
        en "Line {line}: {why} This line and everything after it were not sent."
        zh "第 {line} 行：{why}这一行及其后的内容均未发送。";
    /// A line with which the connection was lost again and again. The server may have it.
    LineCutsOff { target: &'a str }
        en "The connection was lost three times in a row while a line to {target} was being sent. The server may have received it."
        zh "发送给“{target}”的消息时，连接连续三次断开；服务器可能已经收到这条消息。";
    /// Where lines are that are not sent any more.
    SetAside { count: u64, file: &'a str }
        en { count,
            one: "The line will not be sent again. It is kept in {file}.",
            other: "These {count} lines will not be sent again. They are kept in {file}."
        }
        zh { count,
            one: "这条消息不再发送，已移到 {file}。",
            other: "以上 {count} 条消息不再发送，已移到 {file}。"
        };
    /// The same where no file keeps them.
    NotSentAgain { count: u64 }
        en { count,
            one: "The line will not be sent again and is not saved.",
            other: "These {count} lines will not be sent again and are not saved."
        }
        zh { count,
            one: "这条消息不再发送，也没有保存。",
            other: "以上 {count} 条消息不再发送，也没有保存。"
        };

    // ---- unsent lines
    /// Heading of `/pending`.
    PendingHeading
        en "Unsent lines:"
        zh "待发送的消息：";
    /// Nothing waits.
    NothingWaits
        en "No unsent lines."
        zh "没有待发送的消息。";
    /// Stands behind a line's number and time.
    PendingFor { target: &'a str }
        en "to {target}: "
        zh "发给“{target}”：";
    /// Marks a line that was sent and not answered.
    InFlight
        en "(sending) "
        zh "（正在发送）";
    /// More lines wait than are shown, after those.
    PendingMore { count: u64 }
        en "and {count} more"
        zh "还有 {count} 条";
    /// The same, before those.
    PendingBefore { count: u64 }
        en "(pending) {count} more before these"
        zh "（待发送）前面还有 {count} 条";
    /// A line was taken back.
    Withdrawn { target: &'a str }
        en "Withdrawn (to {target}):"
        zh "已撤回发给“{target}”的消息：";
    /// The same where the server may have it.
    WithdrawnLate { target: &'a str }
        en "It will not be sent again, but may have been received already (to {target}):"
        zh "不再重发给“{target}”的消息，但对方可能已经收到：";
    /// Another line cannot be kept until it is sent.
    TooManyUnsent { count: u64 }
        en "Not accepted: {count} lines are pending. Wait until they are sent, or take them back with `/withdraw`."
        zh "未接受：还有 {count} 条消息待发送。请等它们发出，或用 `/withdraw` 撤回。";
    /// A line was sent already.
    IsInFlight
        en "This line is being sent and can no longer be withdrawn."
        zh "这条消息正在发送，不能再撤回。";
    /// No line waits that has not been sent.
    NothingToWithdraw
        en "Nothing to withdraw."
        zh "没有可以撤回的消息。";
    /// No line has this number.
    NoSuchLine { number: u64 }
        en "There is no unsent line {number}. Type `/pending` for a list."
        zh "没有编号为 {number} 的待发送消息。输入 `/pending` 查看。";
    /// Stands below the list of `/pending`.
    HowToWithdraw
        en "Type `/withdraw <number>` to withdraw one, or `/withdraw all`."
        zh "输入 `/withdraw <编号>` 撤回一条，输入 `/withdraw 全部` 撤回所有。";
    /// Stands for a line's number in help.
    ALineNumber
        en "<number>|all"
        zh "<编号>|全部";

    // ---- commands with a slash
    /// `s/old/new/` where the reader's last message does not have the old text.
    NothingToReplace { line: &'a str }
        en "Your last message does not contain what {line} replaces. Send it as text? (Y/N)"
        zh "你的上一条消息里没有 {line} 要替换的内容。作为消息发送？(Y/N)";
    /// A chat line that begins with a slash and is no command.
    UnknownSlash { line: &'a str }
        en "Unknown command: {line}. Start with // to send it without being asked. Send it as text? (Y/N)"
        zh "未知命令：{line}。以 // 开头的消息会直接发送。作为消息发送？(Y/N)";

    // ---- accounts and people
    /// Asks for the current password.
    OldPassword
        en "current password"
        zh "当前密码";
    /// Asks for the password that is to be.
    NewPassword
        en "new password"
        zh "新密码";
    /// The new passwords differed too often.
    PasswordNotChanged
        en "The passwords did not match three times. Your password was not changed."
        zh "三次输入的新密码都不一致，密码没有修改。";
    /// The password is another one now.
    PasswordChanged
        en "Your password is changed. Your other sessions have ended."
        zh "密码已修改，其他登录会话已全部结束。";
    /// bad_credentials, where the user is logged in
    WrongPassword
        en "Wrong password. Nothing was changed."
        zh "密码错误，没有作任何更改。";
    /// The same, where it is asked for again.
    WrongPasswordAgain
        en "Wrong password. Type it again, or press Ctrl-C to go back."
        zh "密码错误，请重新输入，或按 Ctrl-C 返回。";
    /// The server refused for another reason, and the password is asked for again.
    PasswordOnceMore
        en "Enter the password again, or press Ctrl-C to go back."
        zh "请重新输入密码，或按 Ctrl-C 返回。";
    /// The two new passwords differ, and are asked for again.
    NewPasswordsDiffer
        en "The passwords do not match. Enter the new password again, or press Ctrl-C to go back."
        zh "两次输入的密码不一致，请重新输入新密码，或按 Ctrl-C 返回。";
    /// The server takes this one in no case, or not in place of a temporary one.
    NewPasswordRefused
        en "This password is not allowed. A temporary password has to be replaced by another one."
        zh "不能使用这个密码。临时密码必须换成另一个密码。";
    /// The server wants another password.
    MustChangePassword
        en "Your password is too weak for this server, or was set by its administrator. Type `/passwd` to change it."
        zh "你的密码强度不够，或者是由服务器管理员设置的。请输入 `/passwd` 修改密码。";
    /// The password is none that could be chosen today.
    WeakPassword
        en "Your password is too weak for this server. Type `/passwd` to change it."
        zh "你的密码不符合服务器的要求，请用 `/passwd` 换一个。";
    /// An administrator has set the password, and nothing is allowed until it is changed.
    TemporaryPasswordAtLogin
        en "An administrator gave you this password. Type `/passwd` to choose your own; until then you cannot do anything else."
        zh "这是管理员给你的临时密码。请先用 `/passwd` 改成自己的密码，在此之前不能做别的事。";
    /// not_allowed because the password is a temporary one.
    TemporaryPassword
        en "Your password is temporary. Type `/passwd` to change it first."
        zh "你的密码是临时密码，请先用 `/passwd` 修改密码。";
    /// Stands above the questions before an account is deleted.
    DeleteWarning { name: &'a str }
        en "This deletes the account {name} for good: friends, memberships and bots are gone, and the name is never given out again. To go on, type the name of the account; anything else keeps it."
        zh "即将永久注销账号“{name}”：好友、聊天室成员身份和机器人都会失去，名字也不会再分配给任何人。要继续，请输入账号名；输入其他内容则取消。";
    /// Asks for the name of one's own account.
    OwnName
        en "name of the account"
        zh "账号名";
    /// Whether messages are erased with the account.
    EraseQuestion
        en "Erase all messages that you wrote, too? Y: remove them for everybody; N: keep them, under the name of a deleted account."
        zh "是否同时删除你发过的所有消息？Y：对所有人删除；N：保留，发送者显示为已注销账号。";
    /// The same, in the prompt.
    EraseShort
        en "erase your messages? (Y/N)"
        zh "删除你的消息？(Y/N)";
    /// It is not deleted.
    AccountKept
        en "Your account was not deleted."
        zh "账号没有注销。";
    /// It is deleted.
    AccountDeleted
        en "Your account is deleted."
        zh "账号已注销。";
    /// Asks for an invitation code.
    InvitationCode
        en "invitation code"
        zh "邀请码";
    /// The server needs a code before it makes an account.
    CodeNeeded
        en "Enter an invitation code, or press Ctrl-C to go back."
        zh "请输入邀请码，或按 Ctrl-C 返回。";
    /// The same for a code that the server refused: it may need none.
    CodeOrNone
        en "Enter another code, press Enter to register without one, or press Ctrl-C to go back."
        zh "请输入其他邀请码，直接按回车则不用邀请码注册，或按 Ctrl-C 返回。";
    /// A code that the server does not take.
    CodeRefused { code: &'a str }
        en "The invitation code {code} is not valid: it is mistyped, used up, expired or revoked."
        zh "邀请码 {code} 无效：可能输错、已用完、已过期或已作废。";
    /// The name is to be typed again, and the password is not.
    PasswordStays
        en "You do not have to type the password again."
        zh "密码不用重新输入。";
    /// A code over the limit.
    CodeTooLong
        en "This is not an invitation code: it is too long."
        zh "这不是邀请码：内容太长。";
    /// The user has no right to make codes.
    InvitationsNotAllowed
        en "Only administrators of this server can make invitation codes."
        zh "只有服务器管理员可以生成邀请码。";
    /// A code is made.
    NewCode
        en "Invitation code:"
        zh "邀请码：";
    /// What to do with a code.
    HowToUseCode
        en "Pass this line on privately. It registers with the code, and does not ask about the server's key:"
        zh "请私下把下面这一行发给对方。它会使用邀请码注册，也不会再询问服务器的密钥：";
    /// The address in that line is good on this machine only.
    LoopbackCode { host: &'a str }
        en "{host} is this machine only: put the address by which the others reach the server in its place."
        zh "{host} 只在本机有效：请换成其他人访问这台服务器所用的地址。";
    /// A room in that line.
    RoomInCode
        en "The name of a public room between the `/` after the port and the `#` lets them join it after the login."
        zh "在端口后的 `/` 与 `#` 之间写上公开聊天室的名称，对方登录后就会加入。";
    /// A code in a list.
    CodeRow { code: &'a str, uses: u64 }
        en { uses,
            one: "{code}  for {uses} account",
            other: "{code}  for {uses} accounts"
        }
        zh "{code}  还可注册 {uses} 个账号";
    /// The name of a deleted account.
    DeletedAccount { number: &'a str }
        en "deleted account {number}"
        zh "已注销账号 {number}";
    /// A fact of the server's administration.
    Labelled { label: &'a str, text: &'a str }
        en "{label}: {text}"
        zh "{label}：{text}";
    /// A yes in a table.
    Yes
        en "yes"
        zh "是";
    /// A no.
    No
        en "no"
        zh "否";
    /// A table has no rows.
    Nothing
        en "none"
        zh "无";
    /// A command of the administration had nothing to change. The server says in English why.
    AlreadySo
        en "Nothing was changed."
        zh "原本就是这样，没有变化。";
    /// A table has more rows than are shown.
    AndMore
        en "... and more"
        zh "……还有更多";
    /// bad_params of ADMIN: the command.
    NoAdministrationCommand { command: &'a str }
        en "There is no command `{command}` of the administration. `/admin help` lists them."
        zh "没有名为 `{command}` 的管理命令。输入 `/admin help` 查看全部命令。";
    /// bad_params of ADMIN: a parameter.
    AdministrationParameter { command: &'a str, parameter: &'a str }
        en "`/admin {command}`: `{parameter}` is missing or not valid. `/admin help {command}` shows what to type."
        zh "`/admin {command}`：参数 `{parameter}` 缺失或无效。输入 `/admin help {command}` 查看用法。";
    /// bad_params of ADMIN: a parameter that is a time.
    AdministrationTime { command: &'a str, parameter: &'a str }
        en "`/admin {command}`: `{parameter}` must be a time to come, such as `30m`, `12h`, `7d` or `2026-12-31`, or `forever`."
        zh "`/admin {command}`：`{parameter}` 要写将来的时间，如 `30m`、`12h`、`7d`、`2026-12-31`，或写 `forever`。";
    /// bad_params of ADMIN: a parameter that is an address.
    AdministrationAddress { command: &'a str }
        en "`/admin {command}`: `address` must be an address or a prefix, such as `192.0.2.0/24`. A ban takes a prefix of at least 8 bits (IPv4) or 16 bits (IPv6)."
        zh "`/admin {command}`：`address` 要写地址或网段，如 `192.0.2.0/24`。封禁的网段前缀至少 8 位（IPv4）或 16 位（IPv6）。";
    /// not_allowed of ADMIN: a command of the operator.
    OnlyOperator { command: &'a str }
        en "Only the operator of the server can do this, with `echat-server ctl {command}`."
        zh "只有服务器的运维人员可以执行：`echat-server ctl {command}`。";
    /// not_allowed of ADMIN: the own account.
    NotYourself { command: &'a str }
        en "`{command}` is not possible for your own account. Another administrator can do it."
        zh "不能对自己的账号执行 `{command}`，需要由其他服务器管理员执行。";
    /// not_allowed of ADMIN: the own address.
    NotYourAddress
        en "You are connected from this address yourself."
        zh "你自己正使用这个地址连接。";
    /// bad_invitation of ADMIN: a code to revoke that there is not.
    NoSuchInvitation
        en "There is no such code: it never was, was used up, or is revoked already."
        zh "没有这个邀请码：可能输错了，也可能已经用完或撤销。";
    /// not_allowed of ADMIN: the end of a ban that there is not.
    BannedByWider { address: &'a str, bans: &'a str }
        en "{address} has no ban of its own: it is in {bans}, which is banned. Unban that."
        zh "地址 {address} 没有单独的封禁：它属于被封禁的网段 {bans}。请解除该网段的封禁。";
    /// not_allowed of ADMIN: a command for people.
    IsBotOf { name: &'a str, owner: &'a str }
        en "{name} is a bot of {owner}. Bots can be suspended, kicked and deleted; this is for people only."
        zh "“{name}”是“{owner}”的机器人。机器人只能停用、踢出和删除，这条命令只对用户有效。";
    /// not_allowed of SET_ROLE and ADMIN: an owner for a room.
    NoOwnerFor { room: &'a str }
        en "The lobby has no owner, and a bot can own no room: {room} was not handed over."
        zh "大厅没有房主，机器人也不能成为房主：聊天室“{room}”没有转让。";
    /// not_a_member of ADMIN.
    IsNoMember { name: &'a str, room: &'a str }
        en "{name} is not a member of {room}."
        zh "“{name}”不在聊天室“{room}”中。";
    /// A message of a script without a text.
    NeedsText { line: &'a str }
        en "A message needs a text: `{line} <text>`."
        zh "消息需要内容：`{line} <内容>`。";
    /// Heading.
    Codes
        en "Invitation codes:"
        zh "邀请码：";
    /// There are none.
    NoCodes
        en "No open invitation codes. Type `/invitation new` to make one."
        zh "没有有效的邀请码。输入 `/invitation new` 生成。";
    /// Stands behind a code that ends at no time.
    NoExpiry
        en ", without an end"
        zh "，没有期限";
    /// Stands behind what ends at a time.
    Expires { time: &'a str }
        en ", until {time}"
        zh "，有效期至 {time}";
    /// Stands behind what an account is, while it is suspended.
    SuspendedUntil { time: &'a str }
        en " The suspension ends at {time}."
        zh "停用将于 {time} 结束。";
    /// Stands behind what a user is, while a ban holds.
    BannedUntil { time: &'a str }
        en " The ban ends at {time}."
        zh "封禁将于 {time} 结束。";
    /// Stands behind what an operator or an administrator did.
    Reason { reason: &'a str }
        en " Reason: {reason}"
        zh "原因：{reason}";
    /// Stands behind the presence of a user.
    IsAway { text: &'a str }
        en ", away: {text}"
        zh "，离开：{text}";
    /// Stands behind the presence of a user.
    LastSeen { time: &'a str }
        en ", last seen {time}"
        zh "，上次在线 {time}";
    /// Stands behind the presence of a user.
    IsFriend
        en ", your friend"
        zh "，你的好友";
    /// Stands behind the name of a user of whom nothing is known.
    IsStranger
        en "  not a friend, and no room in common besides the lobby"
        zh "  不是你的好友，除大厅外也没有共同的聊天室";
    /// Stands behind the name of a user whom the reader blocks.
    IsBlocked
        en "  blocked by you"
        zh "  已被你屏蔽";
    /// The owner of a bot.
    BotOwner { owner: &'a str }
        en "  bot of {owner}"
        zh "  “{owner}”的机器人";
    /// Rooms of both.
    SharedRooms { rooms: &'a str }
        en "  rooms that you share: {rooms}"
        zh "  共同的聊天室：{rooms}";
    /// A friend is away.
    FriendAway { name: &'a str, text: &'a str }
        en "{name} is away: {text}"
        zh "{name} 暂时离开：{text}";
    /// A friend is back.
    FriendBack { name: &'a str }
        en "{name} is back"
        zh "{name} 回来了";
    /// The same of the reader, set in another session.
    AwayElsewhere { text: &'a str }
        en "On another device you said that you are away: {text}"
        zh "你在其他设备上设置了离开状态：{text}";
    /// The same.
    BackElsewhere
        en "On another device you said that you are back."
        zh "你在其他设备上取消了离开状态。";
    /// A friendship ended.
    FriendRemoved { name: &'a str }
        en "You and {name} are no longer friends. You can still read the conversation."
        zh "你和“{name}”已不再是好友，仍可查看聊天记录。";
    /// The account of a former friend is deleted.
    AccountOfDeleted { name: &'a str }
        en "The account {name} was deleted."
        zh "账号“{name}”已注销。";
    /// A message to a user whom the reader blocks.
    BlockedByYou { name: &'a str }
        en "You block {name}. Type `/unblock {name}` to end that."
        zh "你屏蔽了“{name}”。输入 `/unblock {name}` 可以取消屏蔽。";
    /// Another device of the reader's blocked a user.
    BlockedElsewhere { name: &'a str }
        en "You blocked {name} on another device."
        zh "你在其他设备上屏蔽了“{name}”。";
    /// Something is said to a former friend.
    FormerFriend { name: &'a str }
        en "You and {name} are no longer friends. Type `/add {name}` to send a friend request."
        zh "你和“{name}”已不再是好友。输入 `/add {name}` 添加对方。";
    /// Heading.
    BlockedUsers
        en "Blocked users:"
        zh "已屏蔽的用户：";
    /// There are none.
    NoBlocked
        en "You have not blocked anyone."
        zh "没有屏蔽任何用户。";
    /// Stands for messages of blocked users.
    Folded { count: u64 }
        en { count,
            one: "({count} message from a blocked user; `/show` to read it)",
            other: "({count} messages from blocked users; `/show` to read them)"
        }
        zh "（已折叠 {count} 条被屏蔽用户的消息，输入 `/show` 展开）";
    /// The same of the first one that arrives.
    Folding
        en "(message from a blocked user; `/show` to read it)"
        zh "（被屏蔽的用户发了消息，输入 `/show` 展开）";
    /// A message that `/show` has shown is another one now.
    FoldedChanged
        en "(a blocked user changed a message that you have read; `/show` to read it as it is now)"
        zh "（被屏蔽的用户修改了你看过的一条消息，输入 `/show` 查看现在的内容）";
    /// The same of those that followed it.
    FoldedMore { count: u64 }
        en { count,
            one: "({count} more message from a blocked user; `/show` to read it)",
            other: "({count} more messages from blocked users; `/show` to read them)"
        }
        zh "（又折叠了 {count} 条被屏蔽用户的消息，输入 `/show` 展开）";
    /// Nothing is folded.
    NothingFolded
        en "Nothing is folded here."
        zh "这里没有被折叠的消息。";
    /// Heading.
    Sessions
        en "Your sessions:"
        zh "你的登录会话：";
    /// A session.
    SessionRow { address: &'a str, since: &'a str }
        en "{address}, since {since}"
        zh "{address}，登录于 {since}";
    /// Marks the session that asks.
    ThisSession
        en " (this one)"
        zh "（本次登录）";
    /// Stands below the list.
    HowToEndSessions
        en "Type `/sessions end` to log out everywhere else."
        zh "输入 `/sessions end` 让其他设备退出登录。";
    /// Heading.
    Bots
        en "Your bots:"
        zh "你的机器人：";
    /// There are none.
    NoBots
        en "No bots. Type `/bots new <name> <room>` to create one."
        zh "还没有机器人。输入 `/bots new <名字> <聊天室>` 创建。";
    /// Stands above the token of a bot.
    NewToken { name: &'a str }
        en "Token of the bot {name}:"
        zh "机器人“{name}”的令牌：";
    /// Stands below it, above [`Text::BotCommand`].
    TokenOnce
        en "It is shown only once. Keep it in a file that only you can read (chmod 600), and start:"
        zh "令牌只显示这一次。请保存到只有你能读取的文件（chmod 600），然后运行：";
    /// What starts a bot.
    BotCommand { name: &'a str, server: &'a str }
        en "echat-nc {server} --user {name} --token-file FILE"
        zh "echat-nc {server} --user {name} --token-file 文件";
    /// Stands for the address of a server that is not known.
    AServer
        en "HOST:PORT"
        zh "主机:端口";
    /// Stands for the rooms of a bot that is in none.
    BotInNoRoom
        en "in no room; it cannot join one, so create another bot: `/bots new <user> <room>`"
        zh "不在任何聊天室，也无法再加入；请另建一个：`/bots new <用户名> <聊天室>`";
    /// The reader removed a bot from a room.
    BotRemoved { name: &'a str, room: &'a str }
        en "You removed the bot {name} from {room}. It cannot come back. To have a bot in {room} again, create another one: `/bots new <user> {room}`."
        zh "你已将机器人“{name}”移出聊天室“{room}”。它无法再回来；要让这个聊天室再有机器人，请另建一个：`/bots new <用户名> {room}`。";
    /// Marks a bot, behind its name.
    BotMark
        en " (bot)"
        zh "（机器人）";
    /// Stands for a message that was deleted.
    Deleted
        en "(deleted)"
        zh "（已删除）";
    /// Stands above the message of the day.
    MessageOfTheDay
        en "From the server: "
        zh "服务器公告：";
    /// Stands for a number of uses in help.
    AUses
        en "<uses>"
        zh "<次数>";
    /// Stands for a number of days in help.
    ADays
        en "<days>"
        zh "<天数>";
    /// Stands for an invitation code in help.
    ACode
        en "<code>"
        zh "<邀请码>";
    /// Stands for a command of the server's administration in help.
    AnOrder
        en "<command>"
        zh "<管理命令>";
    /// An administrator says something to everybody.
    Broadcast { text: &'a str }
        en "The administrator to everybody: {text}"
        zh "服务器管理员广播：{text}";
    /// An administrator gave another user another name.
    UserRenamed { was: &'a str, name: &'a str }
        en "{was} is called {name} now."
        zh "“{was}”改名为“{name}”。";
    /// An administrator gave the reader another name.
    Renamed { name: &'a str }
        en "The administrator has given you another name: you are {name} now, and log in with it."
        zh "服务器管理员更改了你的用户名：你现在叫“{name}”，以后请用它登录。";

    // ---- the export of one's own data
    /// Stands for a file in help.
    AFile
        en "<file>"
        zh "<文件>";
    /// An export begins.
    ExportBegins { file: &'a str }
        en "Exporting your data to {file}. Ctrl-C cancels."
        zh "正在把你的数据导出到 {file}，按 Ctrl-C 取消。";
    /// An export is complete.
    Exported { file: &'a str, friends: u64, rooms: u64, messages: u64 }
        en "Export complete: {file} (friends: {friends}, rooms: {rooms}, messages: {messages})."
        zh "导出完成：{file}（好友 {friends} 位，聊天室 {rooms} 个，消息 {messages} 条）。";
    /// An export has no file, and why.
    NotExported { file: &'a str, why: &'a str }
        en "Nothing was exported to {file}: {why}"
        zh "没有导出到 {file}：{why}";
    /// An export has no file because its name is taken.
    ExportFileExists { file: &'a str }
        en "Export failed: {file} exists already. Choose another name."
        zh "导出失败：{file} 已存在，请换一个文件名。";
    /// Why an export has no file: the user did not want it any more.
    ExportCancelled
        en "the export was cancelled"
        zh "导出已取消";
    /// The same: the connection was lost while it was read.
    ExportCut
        en "the connection was lost; type the command again when it is back"
        zh "连接中断，恢复后请重新输入命令";
    /// The same: there is no connection.
    ExportOffline
        en "you are offline; type the command again when the connection is back"
        zh "当前离线，恢复连接后请重新输入命令";
    /// The same: the login ended.
    ExportLoggedOut
        en "you are no longer logged in"
        zh "登录已结束";
    /// The same: the server says that there are more messages, and sends none.
    ExportStuck
        en "the server has more messages and sends none"
        zh "服务器表示还有消息，却没有发来";
    /// The same: the server names more conversations or new names than are remembered.
    ExportTooLarge
        en "there are too many conversations"
        zh "会话太多";
    /// The same: another one is not done.
    ExportUnderWay
        en "another export is under way"
        zh "上一次导出还没有完成";

    // ---- messages that are changed, answered and found
    /// Stands for the number of a message in help.
    ANumber
        en "<number>"
        zh "<编号>";
    /// Stands for a day in help.
    ADay
        en "<day>"
        zh "<日期>";
    /// Stands for an emoji in help.
    AnEmoji
        en "<emoji>"
        zh "<表情>";
    /// Marks a message, behind the name of its sender: what it is, in words.
    Marks { words: &'a str }
        en " ({words})"
        zh "（{words}）";
    /// Marks a message whose text was changed.
    IsEdited
        en "edited"
        zh "已修改";
    /// Marks a message that answers the one that is quoted above it.
    IsReply
        en "reply"
        zh "回复";
    /// Begins a quote.
    Quote { name: &'a str }
        en "  > {name}: "
        zh "  > {name}：";
    /// Stands for a quote of a message that is not at hand.
    QuoteOfEarlier
        en "  > (an earlier message)"
        zh "  > （更早的消息）";
    /// Stands for the text of a message of a blocked user.
    OfBlocked
        en "(message from a blocked user)"
        zh "（被屏蔽用户的消息）";
    /// In the prompt, while a message is edited.
    Editing
        en "editing, Esc leaves"
        zh "修改中，Esc 放弃";
    /// The text is the same as before.
    NothingEdited
        en "Nothing was changed."
        zh "没有修改。";
    /// `/unblock` of a user who is not blocked.
    NotBlocked { name: &'a str }
        en "{name} is not blocked."
        zh "“{name}”没有被屏蔽。";
    /// `/kick` or `/ban` of oneself.
    RemovesSelf { room: &'a str }
        en "You cannot remove yourself. Type `/leave {room}` to leave."
        zh "不能移出自己。要退出请输入 `/leave {room}`。";
    /// `/owner` of the owner.
    YouOwn { room: &'a str }
        en "You are the owner of {room}."
        zh "你就是聊天室“{room}”的房主。";
    /// The same of another user.
    OwnsAlready { name: &'a str, room: &'a str }
        en "{name} is the owner of {room}."
        zh "“{name}”就是聊天室“{room}”的房主。";
    /// `/op` of an operator.
    OperatesAlready { name: &'a str, room: &'a str }
        en "{name} is already an operator of {room}."
        zh "“{name}”已经是聊天室“{room}”的房间管理员。";
    /// `/rename` to the name that a room has.
    NamedAlready { room: &'a str }
        en "{room} already has this name."
        zh "聊天室“{room}”现在就叫这个名字。";
    /// A filter of a search has no value.
    FilterIsEmpty { typed: &'a str }
        en "{typed} lacks what follows the colon. Write it in quotes to search for the word."
        zh "“{typed}”的冒号后面没有内容。要搜索这个词，请加上引号。";
    /// A filter of a search is there more than once.
    FilterTwice { filter: &'a str }
        en "A search takes {filter}: once."
        zh "“{filter}:”只能写一个。";
    /// The filter for what a message has takes one word.
    FilterTakesLink { typed: &'a str }
        en "There is no filter {typed}: has: takes link. Write it in quotes to search for the words."
        zh "没有“{typed}”这个筛选条件，“含:”后面只能写“链接”。要搜索这些字，请加上引号。";
    /// Nothing was found of a user of whom nothing is known.
    UnknownSender { name: &'a str }
        en "echat has seen no user named {name}. from: takes the whole name."
        zh "没有见过名为“{name}”的用户，“来自:”后面要写完整的用户名。";
    /// The user's last message in the open chat is not sent yet.
    LastIsPending { number: u64 }
        en "Your last message here is still pending. `/withdraw {number}` takes it back."
        zh "你在这里的最后一条消息还没有发送。输入 `/withdraw {number}` 可以撤回。";
    /// The text is empty.
    EditIsEmpty
        en "Nothing was changed. Type `/delete` to delete the message."
        zh "没有修改。要删除这条消息，请输入 `/delete`。";
    /// An edit that cannot be made.
    NotEdited { reason: &'a str }
        en "The message was not changed: {reason}"
        zh "消息没有修改：{reason}";
    /// A message that cannot be deleted.
    NotDeletedBecause { reason: &'a str }
        en "The message was not deleted: {reason}"
        zh "消息没有删除：{reason}";
    /// A reaction that is not taken.
    NotReacted { emoji: &'a str, reason: &'a str }
        en "No reaction {emoji}: {reason}"
        zh "没有添加回应 {emoji}：{reason}";
    /// not_yours, of an edit
    OnlySenderEdits
        en "only its sender can edit it."
        zh "只有发送者可以修改。";
    /// not_yours, of a deletion
    OnlySenderDeletes
        en "only its sender can delete it, and in a room its owner and operators."
        zh "只有发送者可以删除；在聊天室里，房主和房间管理员也可以。";
    /// too_late
    TooLateToEdit
        en "it is too old to be edited on this server."
        zh "消息太旧，该服务器已不允许修改。";
    /// unknown_message
    MessageGone
        en "the message is not there any more."
        zh "这条消息已经不存在。";
    /// bad_params, of a reaction
    IsNoEmoji
        en "this is not an emoji that the server takes. Examples: 👍, :heart:, +1."
        zh "服务器不接受这个表情。例如：👍、:heart:、赞。";
    /// too_many, of a reaction
    TooManyReactions
        en "the message has too many different reactions."
        zh "这条消息的不同回应太多。";
    /// What was typed for an emoji is none.
    NoEmoji { word: &'a str }
        en "{word} is not an emoji. Examples: 👍, :heart:, +1."
        zh "“{word}”不是表情。例如：👍、:heart:、赞。";
    /// Asks before a message is deleted, which stands below.
    DeleteQuestion
        en "Delete this message for everyone? (Y/N)"
        zh "对所有人删除这条消息？(Y/N)";
    /// The same, in the prompt.
    DeleteShort
        en "delete the message? (Y/N)"
        zh "删除这条消息？(Y/N)";
    /// A no to it.
    NotDeleted
        en "The message was not deleted."
        zh "没有删除这条消息。";
    /// No message of the open chat has this number.
    NoMessageNumber { number: u64 }
        en "There is no message {number} here. Type `/n` to show the numbers."
        zh "这里没有编号为 {number} 的消息。输入 `/n` 显示编号。";
    /// No message of the open chat is the user's.
    NoOwnMessage
        en "There is no message of yours in this chat."
        zh "这个聊天里没有你的消息。";
    /// None of the newest messages is another user's.
    NoOtherMessage
        en "There is no message here to answer."
        zh "这里没有可以回应的消息。";
    /// The message with a number is deleted.
    IsDeleted
        en "This message is deleted."
        zh "这条消息已删除。";
    /// The message with a number is another user's.
    IsNotYours { name: &'a str }
        en "This message is from {name}. You can only edit your own."
        zh "这是“{name}”的消息，只能修改自己的消息。";
    /// A message was deleted by its sender.
    DeletedOwn { name: &'a str, time: &'a str }
        en "{name} deleted a message sent {time}"
        zh "{name}删除了自己 {time} 的消息";
    /// A message was deleted by another user.
    DeletedOf { by: &'a str, name: &'a str, time: &'a str }
        en "{by} deleted a message from {name}, sent {time}"
        zh "{by}删除了{name} {time} 的消息";
    /// A reaction came, to a message that follows.
    ReactedTo { by: &'a str, emoji: &'a str, name: &'a str }
        en "  {by} reacted {emoji} to {name}: "
        zh "  {by}用 {emoji} 回应了{name}的消息：";
    /// A reaction went, from a message that follows.
    UnreactedTo { by: &'a str, emoji: &'a str, name: &'a str }
        en "  {by} took back {emoji} from {name}: "
        zh "  {by}收回了对{name}的消息的回应 {emoji}：";
    /// The reader, inside a sentence.
    YouInside
        en "you"
        zh "你";
    /// A message of the reader, to which the reader reacted.
    YourMessage
        en "your message"
        zh "自己";
    /// Heading of found messages.
    FoundMessages { words: &'a str }
        en "Messages found for {words}, newest first:"
        zh "搜索 {words} 的结果，新的在前：";
    /// There are none.
    FoundNoMessages { words: &'a str }
        en "No message found for {words}."
        zh "没有找到符合 {words} 的消息。";
    /// The server still makes its index.
    StillIndexing
        en "The server is still indexing older messages; search again later to find all of them."
        zh "服务器还在为较早的消息建立索引，稍后再搜索可以找到全部。";
    /// Heading of mentions.
    MentionsHeading
        en "Messages that mention you, newest first:"
        zh "提到你的消息，新的在前：";
    /// There are none.
    NoMentions
        en "No message mentions you."
        zh "没有消息提到你。";
    /// Stands below found messages.
    HowToOpenFound
        en "Type `/open <number>` to go to a message."
        zh "输入 `/open <编号>` 跳转到那条消息。";
    /// The same where there are more.
    HowToSeeMore
        en "Type `/open <number>` to go to a message, `/more` for more."
        zh "输入 `/open <编号>` 跳转到那条消息，输入 `/more` 查看更多。";
    /// There are no more.
    NoMoreFound
        en "There is nothing more to show."
        zh "没有更多结果。";
    /// No found message has this number.
    NoFoundNumber { number: u64 }
        en "Nothing found has the number {number}. Type `/search <words>` or `/mentions` first."
        zh "没有编号为 {number} 的搜索结果。请先输入 `/search <关键字>` 或 `/mentions`。";
    /// A filter or a command wants a day.
    NoDay { typed: &'a str }
        en "{typed}: this is not a day. Examples: 2026-01-31, yesterday, 3d."
        zh "看不懂日期“{typed}”，可以写：2026-01-31、1月31日、昨天、3天前。";
    /// A day that has not begun.
    FutureDay { typed: &'a str }
        en "{typed}: this day is still to come."
        zh "还没到“{typed}”。";
    /// A filter names no conversation.
    NotYourConversation { name: &'a str }
        en "{name} is neither a room of yours nor a friend."
        zh "“{name}”不是你的聊天室，也不是你的好友。";
    /// The rule above messages around one that was jumped to.
    JumpAround { time: &'a str }
        en "------ around {time} ------"
        zh "------ {time} 前后 ------";
    /// The rule above messages from a day on.
    JumpFrom { time: &'a str }
        en "------ from {time} on ------"
        zh "------ 从 {time} 开始 ------";
    /// The rule above newer messages than those before.
    NewerRule
        en "------ newer messages ------"
        zh "------ 后面的消息 ------";
    /// The rule below them.
    JumpEnd
        en "------ end of the page ------"
        zh "------ 本页结束 ------";
    /// How to go on from there.
    HowToGoBack
        en "`/history` goes back from here. There is nothing newer."
        zh "输入 `/history` 向前翻。后面没有更新的消息。";
    /// The same where newer messages follow.
    HowToGoOn
        en "`/history` goes back from here, `/newer` forward."
        zh "输入 `/history` 向前翻，输入 `/newer` 向后翻。";
    /// There is nothing newer than what is shown.
    NoNewer
        en "There are no newer messages."
        zh "没有更新的消息。";
    /// There is nothing from that day on.
    NothingSince
        en "There are no messages from that day on."
        zh "从那天起没有消息。";

    // ---- query
    /// The server's clock.
    ServerTime { time: &'a str }
        en "Server time: {time}"
        zh "服务器时间：{time}";
    /// Heading.
    Online
        en "Friends online:"
        zh "在线好友：";
    /// There is no connection, which tells which friends are online.
    OnlineUnknown
        en "You are offline, so it is not known which friends are online."
        zh "现在没有连接，不知道哪些好友在线。";
    /// No friend is online.
    NoFriendsOnline
        en "No friends are online."
        zh "没有好友在线。";
    /// Marks the room without an owner.
    IsLobby
        en "the lobby of this server"
        zh "本服务器的大厅";
    /// How many messages of a room are unread.
    UnreadCount { count: u64 }
        en "{count} unread"
        zh "{count} 条未读";
    /// Heading.
    Members { room: &'a str }
        en "Members of {room}:"
        zh "聊天室“{room}”的成员：";
    /// Marks the owner.
    Owner
        en "owner"
        zh "房主";
    /// The mark of an online user.
    IsOnline
        en "online"
        zh "在线";
    /// The mark of an offline user.
    IsOffline
        en "offline"
        zh "离线";
    /// Heading.
    FoundUsers { word: &'a str }
        en "Users whose name contains {word}:"
        zh "名字含有“{word}”的用户：";
    /// Heading.
    FoundRooms { word: &'a str }
        en "Rooms whose name contains {word}:"
        zh "名字含有“{word}”的聊天室：";
    /// Nothing was found.
    FoundNothing { word: &'a str }
        en "No user or room name contains {word}."
        zh "没有找到名字含有“{word}”的用户或聊天室。";
    /// More was found than is shown.
    FoundMore
        en "There are more results. Use a longer word to narrow the search."
        zh "还有更多结果，换更长的关键字可以缩小范围。";

    // ---- the connection
    /// Stands in the prompt while there is none.
    Offline
        en "offline"
        zh "离线";
    /// Stands in the prompt while there is none, with the seconds to the next try.
    OfflineUntil { seconds: u64 }
        en "offline, retrying in {seconds} s"
        zh "离线，{seconds} 秒后重试";
    /// A line that has to wait for the server's answer, while there is no connection.
    AskedOffline
        en "You are offline. Your request will be sent when the connection is back."
        zh "当前离线，请求将在连接恢复后发送。";
    /// A PING had no answer.
    ServerSilent
        en "The server is not responding. The connection was closed."
        zh "服务器无响应，连接已断开。";
    /// It is gone.
    ConnectionLost
        en "Connection lost."
        zh "连接已断开。";
    /// It cannot be made.
    CannotConnect { address: &'a str, why: &'a str }
        en "Cannot connect to {address}: {why}"
        zh "无法连接 {address}：{why}";
    /// A server that was never seen shows its key.
    UnknownServer { address: &'a str }
        en "{address} is an unknown server. Nothing has been sent yet."
        zh "{address} 是未知服务器，尚未发送任何内容。";
    /// Stands before that: one of these lines may be the key of this server.
    HostsDamaged { file: &'a str, lines: &'a str }
        en "{file} is damaged: cannot parse line {lines}. The key of this server may have been there."
        zh "{file} 已损坏：无法解析第 {lines} 行。其中可能有这台服务器的密钥。";
    /// What to do where no question can be asked.
    UnknownServerHint { link: &'a str }
        en "If this is the right key, include it in the address: {link}"
        zh "如果密钥正确，请把它写进地址：{link}";
    /// The key of an unknown server cannot be remembered; what to do about it.
    KeyNotKept { link: &'a str }
        en "The key cannot be saved, and nothing was sent. To connect without known_hosts, include the key in the address: {link}"
        zh "无法保存这个密钥，未发送任何内容。要绕过 known_hosts，请把密钥写进地址：{link}";
    /// What to do about it.
    TypeYes
        en "Type yes if this is the right key: "
        zh "如果密钥正确，请输入 yes：";
    /// Something else was typed.
    NoYes
        en "The answer was not yes: the key is not trusted, and nothing was sent."
        zh "输入的不是 yes：不信任该密钥，未发送任何内容。";
    /// Neither yes nor no was typed.
    YesOrNo
        en "Please type yes or no."
        zh "请输入 yes（或“是”）或 no。";
    /// A server shows another key than the known one.
    KeyChanged { address: &'a str }
        en "The key of {address} has changed: someone may be intercepting the connection. Nothing was sent."
        zh "{address} 的密钥变了，连接可能被人拦截。未发送任何内容。";
    /// The client stays open without a connection.
    StaysOffline
        en "echat stays offline. What you typed is kept, but nothing more can be sent until you log in again. Type `login` to try that."
        zh "echat 保持离线。已输入的内容会保留，但在重新登录之前不能再发送。输入 `login` 可重试。";
    /// A message is typed in that state.
    NotSentOffline
        en "Not sent: echat stays offline. The message stays in the input line. Type `login` to try again."
        zh "未发送：echat 处于离线状态。消息仍保留在输入行。输入 `login` 可重试。";
    /// Lines are pasted in that state.
    PasteOffline
        en "echat stays offline. Type `login` to try again, and then paste the lines once more."
        zh "echat 处于离线状态。请输入 `login` 重试，然后再粘贴一次。";
    /// What to do about it.
    KeyChangedHint { address: &'a str }
        en "If the server's operator confirms the new key, run `echat-nc --forget-host {address}`."
        zh "如果服务器的运维人员确认这是新密钥，请运行 `echat-nc --forget-host {address}`。";
    /// A server shows another key than the one in the address.
    KeyNotPinned { address: &'a str }
        en "{address} does not have the expected key. Nothing was sent."
        zh "{address} 的密钥与指定的不符。未发送任何内容。";
    /// The key that it shows.
    KeyShown { key: &'a str }
        en "server key   {key}"
        zh "服务器密钥 {key}";
    /// The key that it should show.
    KeyExpected { key: &'a str }
        en "expected key {key}"
        zh "预期的密钥 {key}";
    /// It will be tried again.
    TryingAgain
        en "Reconnecting; press Enter to retry now. Lines you type are sent later."
        zh "正在重新连接，按回车键立即重试。期间输入的消息会保留，连接恢复后发送。";
    /// The same before the first login: it is not known yet whose lines would be kept.
    TryingToConnect
        en "Reconnecting; press Enter to retry now."
        zh "正在重新连接，按回车键立即重试。";
    /// The same without a terminal.
    TryingInPipe
        en "Reconnecting."
        zh "正在重新连接。";
    /// The user logged in elsewhere, or the server ended the session.
    Kicked
        en "You were logged out: perhaps you logged in or changed your password on another device, or you or an administrator ended this session. Type `login` to log in again. If the password is wrong, ask an administrator for a new one; if the account is suspended, the login says until when."
        zh "你已退出登录：可能是在别的设备上登录或修改了密码，也可能是你或服务器管理员结束了这个会话。输入 `login` 重新登录。如果密码不对，请向管理员索取新密码；如果账号已停用，登录时会说明期限。";
    /// CLOSE_NOTIFY(6) without SERVER_KICK.
    AddressNotServed
        en "The server refuses connections from your address for now."
        zh "服务器目前拒绝来自你的地址的连接。";
    /// CLOSE_NOTIFY(0).
    ServerSaidBye
        en "The server closed the connection."
        zh "服务器断开了连接。";
    /// CLOSE_NOTIFY(1).
    ServerIdle
        en "The server closed the connection: no login for too long."
        zh "长时间未登录，服务器断开了连接。";
    /// CLOSE_NOTIFY(2).
    ServerMalformed
        en "The server did not understand this client and closed the connection."
        zh "服务器无法解析客户端发来的数据，已断开连接。";
    /// CLOSE_NOTIFY(3).
    ServerTooManyErrors
        en "The server closed the connection: too many unknown requests."
        zh "未知的请求太多，服务器断开了连接。";
    /// CLOSE_NOTIFY(4).
    ServerFull
        en "The server is full."
        zh "服务器已满。";
    /// Asked before a command of the administration that nothing can undo.
    IrreversibleCommand { line: &'a str }
        en "`{line}` cannot be undone. Continue? (Y/N)"
        zh "`{line}` 执行后无法撤销。是否继续？(Y/N)";
    /// The same in the prompt.
    CarryOutShort { line: &'a str }
        en "carry out `{line}`? (Y/N)"
        zh "执行 `{line}`？(Y/N)";
    /// The answer was no.
    CommandNotCarriedOut { line: &'a str }
        en "`{line}` was not carried out."
        zh "没有执行 `{line}`。";
    /// CLOSE_NOTIFY(5).
    ServerRestarting
        en "The server has stopped, or is restarting."
        zh "服务器已停止或正在重启。";
    /// CLOSE_NOTIFY(7).
    ServerTooSlow
        en "The server closed the connection because it was too slow for the messages that arrived. Nothing is lost; they will be fetched again."
        zh "接收消息太慢，服务器断开了连接。消息没有丢失，会重新获取。";
    /// A reason of the future.
    ServerReason { number: u64 }
        en "The server closed the connection (reason {number})."
        zh "服务器断开了连接（原因 {number}）。";
    /// Requests got no answer before the connection was lost.
    Unanswered { commands: &'a str }
        en "The connection was lost before the answer to {commands}. Please try again."
        zh "{commands} 还没有得到回应，连接就断开了，请重试。";
    /// Requests that waited are dropped.
    Dropped { commands: &'a str }
        en "Not sent: {commands}."
        zh "未发送：{commands}。";
    /// Ctrl-C at a prompt that waits for the answer to a request.
    SentAlready { command: &'a str }
        en "`{command}` was sent already and cannot be taken back. The server's answer will be shown."
        zh "`{command}` 已经发出，无法撤回。服务器回应后会显示结果。";
    /// The same of queries.
    NotRun { commands: &'a str }
        en "Not run: {commands}."
        zh "未执行：{commands}。";
    /// A request waits for the connection.
    WaitsForConnection { command: &'a str }
        en "`{command}` will be carried out when the connection is back."
        zh "`{command}` 将在连接恢复后执行。";
    /// The time is over.
    TimeOut
        en "Timed out."
        zh "已超时。";

    // ---- what a refusal has beside its code
    /// Try again after this many seconds.
    RetryAfter { seconds: u64 }
        en " Try again in {seconds} s."
        zh "请在 {seconds} 秒后再试。";
    /// A limit of the last 24 hours is reached: bytes sent, or rooms made.
    DayLimit
        en "The daily limit is reached."
        zh "今天的额度已用完。";
    /// Try again after about this many hours.
    RetryAfterHours { hours: u64 }
        en " Try again in about {hours} h."
        zh "约 {hours} 小时后可以再试。";
    /// The number's limit.
    Limit { limit: u64 }
        en " The limit is {limit}."
        zh "上限是 {limit}。";
    /// Those it is about.
    Names { names: &'a str }
        en " ({names})"
        zh "（{names}）";
    /// A refusal whose code is of the future.
    OtherRefusal { code: &'a str, message: &'a str }
        en "{message} ({code})"
        zh "{message}（{code}）";

    // ---- refusals, by what was asked
    /// Any other refusal of a command.
    CommandRefused { command: &'a str, reason: &'a str }
        en "`{command}`: {reason}"
        zh "`{command}`：{reason}";
    /// unknown_user
    NoSuchUser { name: &'a str }
        en "User {name} does not exist."
        zh "用户“{name}”不存在。";
    /// not_allowed, of what cannot be done with the lobby
    LobbyStays { room: &'a str }
        en "{room} is the lobby of this server: it cannot be renamed, made private or closed."
        zh "“{room}”是本服务器的大厅，不能改名、设为私密或关闭。";
    /// unknown_room
    NoSuchRoom { room: &'a str }
        en "Room {room} does not exist."
        zh "聊天室“{room}”不存在。";
    /// name_taken
    UserTaken { name: &'a str }
        en "The name {name}, or one that looks like it, is taken. Please choose another one."
        zh "用户名“{name}”已被占用，或与已有的名字过于相似，请换一个。";
    /// already_friends
    FriendsBefore { name: &'a str }
        en "You and {name} are already friends."
        zh "你和“{name}”已经是好友。";
    /// no_request
    NoRequestOf { name: &'a str }
        en "{name} has not sent you a friend request. Type `/add {name}` to send one."
        zh "“{name}”没有向你发送好友请求。输入 `/add {name}` 可以添加对方。";
    /// not_a_friend
    NotYourFriend { name: &'a str }
        en "You and {name} are not friends. Type `/add {name}` to send a friend request."
        zh "你和“{name}”还不是好友。输入 `/add {name}` 添加对方。";
    /// not_a_member
    NotYourRoom { room: &'a str }
        en "You are not a member of {room}. Type `/join {room}` to join it."
        zh "你还没有加入聊天室“{room}”。输入 `/join {room}` 加入。";
    /// already_member, of the users to add
    MembersBefore { room: &'a str, names: &'a str }
        en "Already members of {room}: {names}."
        zh "“{names}”已经在聊天室“{room}”中。";
    /// not_friends
    NotYourFriends { names: &'a str }
        en "Not your friends: {names}. Only friends can be added; type `/add <user>` to send a friend request."
        zh "“{names}”还不是你的好友。只能拉好友进来，输入 `/add <用户名>` 添加好友。";
    /// not_allowed, of users who left the room
    LeftBefore { room: &'a str, names: &'a str }
        en "Cannot be added because they left {room}: {names}. They can rejoin with `/join {room}`."
        zh "“{names}”主动退出了聊天室“{room}”，不能再拉进来。对方可以输入 `/join {room}` 自己加入。";
    /// too_many: the reader's friends
    OwnFriends { limit: u64 }
        en "You have reached the server's limit of {limit} friends. The operator can raise `server.limits.friends`."
        zh "你的好友数已达服务器的上限（{limit}）。运维人员可以调高 `server.limits.friends`。";
    /// too_many: the open requests or friends of the user who is asked
    RequestsOfOther { name: &'a str, limit: u64 }
        en "{name} has reached the server's limit of {limit} friends or open requests. Try again when {name} has answered some."
        zh "“{name}”的好友或待处理的请求已达服务器的上限（{limit}）。请等对方处理一些后再试。";
    /// too_many: the friends of the user who asked
    FriendsOfOther { name: &'a str, limit: u64 }
        en "{name} has reached the server's limit of {limit} friends. The request stays open."
        zh "“{name}”的好友数已达服务器的上限（{limit}）。这个请求仍然保留。";
    /// too_many: the reader's rooms
    OwnRooms { limit: u64 }
        en "You have reached the server's limit of {limit} rooms. Type `/leave <room>` to leave one."
        zh "你加入的聊天室已达服务器的上限（{limit}）。输入 `/leave <聊天室>` 退出一个。";
    /// too_many: the members of a room
    FullRoom { room: &'a str, limit: u64 }
        en "{room} has reached the server's limit of {limit} members. Try again when one has left."
        zh "聊天室“{room}”的成员已达服务器的上限（{limit}）。请等有人退出后再试。";
    /// too_many: making a room
    CreateLimit { room: &'a str, limit: u64 }
        en "Room {room} was not created: it would exceed the server's limit of {limit} for its members, for the rooms of one of them, or for the rooms you have created. Name fewer users, or use an existing room."
        zh "未能创建聊天室“{room}”：它的成员数、某位成员加入的聊天室数或你创建的聊天室数会超过服务器的上限 {limit}。请少拉几个人，或使用已有的聊天室。";
    /// too_many: adding members
    AddLimit { room: &'a str, limit: u64 }
        en "Not added to {room}: it would exceed the server's limit of {limit} for the members of a room, or for the rooms of one of these users. Add fewer users."
        zh "未能拉进聊天室“{room}”：成员数或其中某人加入的聊天室数会超过服务器的上限 {limit}。请少拉几个人。";
    /// A name has a character that it cannot have.
    NameCharacter { character: &'a str }
        en "A name cannot contain {character}."
        zh "名字不能含有{character}。";
    /// A name begins with a character that it cannot begin with.
    NameStart { character: &'a str }
        en "A name must start with a letter or a digit, not with {character}."
        zh "名字必须以字母、汉字或数字开头，不能以{character}开头。";
    /// A character and its number.
    NumberedCharacter { character: &'a str, number: &'a str }
        en "\"{character}\" ({number})"
        zh "“{character}”（{number}）";
    /// A space that a name cannot have, and its number.
    SpaceCharacter { number: &'a str }
        en "a space ({number})"
        zh "空格（{number}）";

    // ---- the start
    /// Asks for a user's password.
    PasswordOf { name: &'a str }
        en "Password of {name}: "
        zh "“{name}”的密码：";
    /// A line of input is not UTF-8.
    NotTextLine { line: u64 }
        en "Line {line} is not valid in the encoding of the locale, which is UTF-8 unless it names GBK, GB18030 or Big5. This line and everything after it were not sent."
        zh "第 {line} 行不符合 locale 的编码（除非指明 GBK、GB18030 或 Big5，否则是 UTF-8）；这一行及其后的内容均未发送。";
    /// A line of a pipe is too long.
    InputLineTooLong { line: u64 }
        en "Line {line} is longer than 1 MiB. This line and everything after it were not sent."
        zh "第 {line} 行超过 1 MiB；这一行及其后的内容均未发送。";
    /// Lines that a script leaves behind.
    NotCarriedOut { line: u64, count: u64 }
        en { count,
            one: "{count} line was not run (from line {line}).",
            other: "{count} lines were not run (from line {line})."
        }
        zh "有 {count} 行未执行（从第 {line} 行起）。";
    /// What was typed or pasted is not in the locale's encoding.
    NotTextHere
        en "Not sent: it contains bytes that are not valid in the encoding of the locale (LC_ALL, LC_CTYPE, LANG). Terminal and locale must use the same encoding: UTF-8, GBK, GB18030 or Big5."
        zh "未发送：其中有不符合 locale（LC_ALL、LC_CTYPE、LANG）编码的字节。终端和 locale 的编码必须相同：UTF-8、GBK、GB18030 或 Big5。";
    /// The input is UTF-16.
    InputUtf16
        en "The input is UTF-16; save it as UTF-8. Nothing was sent."
        zh "输入是 UTF-16 编码，请另存为 UTF-8。未发送任何内容。";
    /// A line that runs after the login.
    WaitsForLogin
        en "This line will run after the login."
        zh "这一行将在登录后执行。";
    /// Lines that waited for a login in vain.
    HeldDropped { count: u64 }
        en "Not logged in; lines not run: {count}."
        zh "未登录，有 {count} 行没有执行。";
    /// A file of settings counts for nothing: it is wrong, or not echat's.
    ConfigIgnored { why: &'a str }
        en "ignored: {why}"
        zh "已忽略：{why}";
    /// Stands before the address of a server that the user need not have named.
    AddressFromHere
        en "The address comes from ./config.json in the current folder, which anyone may have written."
        zh "这个地址来自当前目录的 ./config.json，该文件可能由任何人写入。";

    // ---- the file of unsent lines
    /// Follows the reason why it cannot be had.
    OutgoingNotKept
        en "Lines typed here are lost if this client quits before they are sent."
        zh "如果在发送前退出，这里输入的消息会丢失。";

    // ---- names and passwords that are not allowed
    /// A name without a character.
    NameEmpty
        en "A name needs at least one character."
        zh "名字不能为空。";
    /// A name over the limits.
    NameOverLimit
        en "A name can have at most {NAME_CHARS} characters and {NAME_BYTES} bytes."
        zh "名字最多 {NAME_CHARS} 个字符、{NAME_BYTES} 字节。";
    /// A name of scripts that are written in different directions.
    NameDirections
        en "A name cannot mix writing directions like this."
        zh "名字不能混用不同的书写方向。";
    /// A name of scripts that do not go together.
    NameScripts
        en "A name cannot mix these scripts."
        zh "名字不能混用这些文字。";
    /// A reserved word.
    NameReserved
        en "This name is reserved."
        zh "这个名字是保留名称。";
    /// A name whose normal form has another normal form.
    NameUnstable
        en "This name has no normal form."
        zh "这个名字没有规范形式，无法使用。";
    /// A password without a character.
    PasswordEmpty
        en "A password is required."
        zh "密码不能为空。";
    /// A password below the limit.
    PasswordTooShort
        en "A password needs at least {PASSWORD_MIN} bytes."
        zh "密码太短：至少 {PASSWORD_MIN} 个字母或数字（一个汉字算 3 个）。";
    /// A password over the limit.
    PasswordTooLong
        en "A password can have at most {PASSWORD_MAX} bytes."
        zh "密码最多 {PASSWORD_MAX} 字节。";
    /// A password with a control character.
    PasswordControl
        en "A password cannot contain control characters."
        zh "密码不能含有控制字符。";
}
