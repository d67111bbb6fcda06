//! English.

use echat_proto::limits::{NAME_BYTES, NAME_CHARS};
use echat_proto::records::Code;

use super::Text;

/// The sentence in English.
#[expect(
    clippy::too_many_lines,
    clippy::match_same_arms,
    reason = "a table, in which sentences may be alike by chance"
)]
pub(super) fn say(text: Text<'_>) -> String {
    let s = str::to_owned;
    match text {
        Text::Hello => s("echat. `help` lists what can be typed; `\\d` leaves."),
        Text::Bye => s("Goodbye."),
        Text::HowToLeave => s("`\\d` or C-d leaves."),
        Text::PleaseWait => s("Please wait for the server's answer."),
        Text::ModeCommand => s("command"),
        Text::ModeRegister => s("register"),
        Text::ModeLogin => s("login"),
        Text::ModeContact => s("contact"),
        Text::ModeChat => s("chat"),
        Text::ModeQuery => s("query"),
        Text::AUser => s("<user>"),
        Text::ARoom => s("<room>"),
        Text::AName => s("<name>"),
        Text::AText => s("<text>"),
        Text::AWord => s("<word>"),
        Text::HelpHelp => s("this list"),
        Text::HelpBack => s("back to command mode"),
        Text::HelpLeave => s("leave the program"),
        Text::HelpQuit => s("leave the program"),
        Text::HelpRegister => s("make an account"),
        Text::HelpLogin => s("log in"),
        Text::HelpLogout => s("log out"),
        Text::HelpContact => s("friends and rooms"),
        Text::HelpChat => s("talk in a room or with a friend; without a name, where you were last"),
        Text::HelpQuery => s("ask the server"),
        Text::HelpAddFriend => s("ask for friendship"),
        Text::HelpJoinRoom => s("join a room"),
        Text::HelpRooms => s("your rooms"),
        Text::HelpFriends => s("your friends"),
        Text::HelpPending => s("friend requests to answer"),
        Text::HelpAccept => s("accept a friend request"),
        Text::HelpDecline => s("decline a friend request"),
        Text::HelpMessages => s("the newest message of each conversation"),
        Text::HelpSendFriend => s("send a message to a friend"),
        Text::HelpSendRoom => s("send a message to a room"),
        Text::HelpOpenFriend => s("chat with a friend"),
        Text::HelpOpenRoom => s("chat in a room"),
        Text::HelpUnread => s("what is unread"),
        Text::HelpCreateRoom => s("make a room with these friends"),
        Text::HelpAddMembers => s("take friends into your room"),
        Text::HelpFind => s("find users and rooms"),
        Text::HelpLeaveRoom => s("leave a room"),
        Text::HelpServerTime => s("the server's clock"),
        Text::HelpWho => s("friends who are online"),
        Text::HelpListRooms => s("your rooms, their members and owners"),
        Text::HelpMembers => s("the members of a room"),
        Text::HelpHistory => s("older messages"),
        Text::HelpMembersHere => s("the members of this room"),
        Text::HelpLeaveSlash => s("leave a room for good; in its chat without a name"),
        Text::HelpSayQuit => s("send the text quit"),
        Text::HelpSlash => s("send a text that begins with /"),
        Text::UserName => s("user name"),
        Text::Password => s("password"),
        Text::PasswordAgain => s("password again"),
        Text::TooManyTries => s("The passwords differed three times; nothing was registered."),
        Text::NoNameTyped => s("No name was typed; `\\c` or Ctrl-C goes back."),
        Text::PasswordOfSpaces => {
            s("A new password needs a character that is no space. Please type another one.")
        }
        Text::NoPasswordTyped => s("No password was typed; Ctrl-C goes back."),
        Text::LoggedOut => s("Logged out."),
        Text::NoPassword => s("A user name is given, but no password for it."),
        Text::NoUser => s("A password is given, but no user name."),
        Text::Friends => s("Friends:"),
        Text::NoFriends => s("No friends yet; `+f <user>` asks somebody."),
        Text::Rooms => s("Rooms:"),
        Text::NoRooms => s("No rooms yet; `+r <room>` joins one, `<room>=<a>+<b>` makes one."),
        Text::PendingRequests => s("Friend requests to answer:"),
        Text::NoPending => s("No friend requests to answer."),
        Text::Messages => s("Messages:"),
        Text::NoMessages => s("No messages."),
        Text::UnreadHeading => s("Unread:"),
        Text::NothingUnread => s("Nothing is unread."),
        Text::ChatWithWhom => s("With whom? `chat <name>`."),
        Text::Me => s("me"),
        Text::Says => s(" says: "),
        Text::Comma => s(", "),
        Text::HistoryRule => s("------ history above ------"),
        Text::OlderRule => s("------ older messages ------"),
        Text::NoOlder => s("There is nothing older."),
        Text::LoadingOlder => s("Asking the server for older messages ..."),
        Text::Pending => s("(pending) "),
        Text::NotSentMark => s("(not sent) "),
        Text::UnansweredMark => s("(perhaps received) "),
        Text::SendAsText => s("send as text? (Y/N)"),
        Text::NotSent => s("Not sent."),
        Text::OutgoingLocked => s(
            "Another client holds the file of unsent lines: lines typed here are lost if this client ends before they are sent.",
        ),
        Text::Online => s("Online:"),
        Text::NobodyOnline => s("No friend is online."),
        Text::Owner => s("owner"),
        Text::IsOnline => s("online"),
        Text::IsOffline => s("offline"),
        Text::FoundUsers { word } => format!("Users with {word} in their name:"),
        Text::FoundRooms { word } => format!("Rooms with {word} in their name:"),
        Text::FoundNothing { word } => format!("No user and no room has {word} in its name."),
        Text::FoundMore => s("There are more; a longer word finds fewer."),
        Text::Offline => s("offline"),
        Text::OfflineUntil { seconds } => format!("offline, next try in {seconds} s"),
        Text::AskedOffline => s(
            "Offline: trying to connect now. What you asked for is sent when the connection is there.",
        ),
        Text::ServerSilent => s("The server does not answer; the connection is given up."),
        Text::ConnectionLost => s("The connection was lost."),
        Text::TryingAgain => {
            s("Trying again; Enter tries at once. Typed lines are kept and sent later.")
        }
        Text::TryingToConnect => s("Trying again; Enter tries at once."),
        Text::TryingInPipe => s("Trying again."),
        Text::Kicked => s(
            "You logged in elsewhere, or the server sent you away. `\\c` and then `login` comes back.",
        ),
        Text::ServerSaidBye => s("The server said goodbye."),
        Text::ServerIdle => s("The server closed the connection: nobody logged in for too long."),
        Text::ServerMalformed => {
            s("The server could not understand this client and closed the connection.")
        }
        Text::ServerTooManyErrors => {
            s("The server closed the connection: too many unknown requests.")
        }
        Text::ServerFull => s("The server is full."),
        Text::ServerRestarting => s("The server is restarting."),
        Text::ServerTooSlow => s(
            "This connection is too slow for what arrives: the server closed it. Nothing is lost; it is fetched again.",
        ),
        Text::Unanswered { commands } => {
            format!("The connection was lost before the answer to {commands}; please ask again.")
        }
        Text::Dropped { commands } => format!("Not sent: {commands}."),
        Text::WaitsForConnection { command } => {
            format!("`{command}` waits for the connection and is sent then.")
        }
        Text::TimeOut => s("The time is over."),
        Text::HelpHeading { mode } => format!("Commands of {mode} mode:"),
        Text::Unknown { line } => format!("No such command: {line}. `help` lists them."),
        Text::UnknownInChat { line } => {
            format!(
                "No such command here: {line}. `/help` lists them; // at the beginning sends it as text."
            )
        }
        Text::OtherMode { line, way } => {
            format!("{line} is a command of another mode; type {way} first.")
        }
        Text::Usage { form } => format!("Use: {form}"),
        Text::PasswordsDiffer { left } => {
            format!("The passwords differ; tries left: {left}.")
        }
        Text::Registered { name } => format!("Registered as {name}."),
        Text::LoggedIn { name } => format!("Logged in as {name}."),
        Text::HistoryReplaced => s(
            "The server's history was replaced (a backup was restored). Messages are shown anew from what it has now.",
        ),
        Text::LoggedInAgain { name } => format!("Connected again, logged in as {name}."),
        Text::AlreadyLoggedIn { name } => {
            format!("Logged in as {name} already; `logout` ends that.")
        }
        Text::FriendRequest { name } => {
            format!("{name} asks for your friendship. `y {name}` accepts, `n {name}` declines.")
        }
        Text::FriendRequestInChat { name } => {
            format!("{name} asks for your friendship. `/y {name}` accepts, `/n {name}` declines.")
        }
        Text::HowToAnswer => {
            s("`y <user>` or `+f <user>` accepts, `n <user>` declines; in a chat `/y` and `/n`.")
        }
        Text::Declined { name } => format!("The request from {name} is declined."),
        Text::RequestSent { name } => format!("The friend request to {name} is sent."),
        Text::NewContact { name } => format!("{name} and you are friends now."),
        Text::NewRoom { room } => format!("You are in the room {room} now."),
        Text::RoomMade { room } => format!("The room {room} is made."),
        Text::MembersAdded { room, names } => format!("Members of {room} now: {names}."),
        Text::LeftRoom { room } => format!("You left the room {room}."),
        Text::UnreadOf { target, count } => format!("{target}: {count} unread"),
        Text::NoTarget { name } => format!("No friend and no room of yours is called {name}."),
        Text::TwoTargets { name } => {
            format!(
                "A friend and a room are called {name}: type `contact`, then `&f {name}` or `&r {name}`."
            )
        }
        Text::CameOnline { names } => format!("{names} came online"),
        Text::WentOffline { names } => format!("{names} went offline"),
        Text::NewMessage { from } => format!("You have a new message from {from}."),
        Text::NewRoomMessage { from, room } => {
            format!("You have a new message from {from} in {room}.")
        }
        Text::SentTo { target } => format!(" to {target}: "),
        Text::PendingCount { count } => format!("{count} pending"),
        Text::LooksLikeCommand { line } => {
            format!("This looks like a command: {line}. Send it as text? (Y/N)")
        }
        Text::NotResent { target, reason } => format!("Not sent again to {target}: {reason}"),
        Text::MessageRefused { target, reason } => format!("Not sent to {target}: {reason}"),
        Text::MessageWaits {
            target,
            reason,
            seconds,
        } => format!("The message to {target} waits {seconds} s: {reason}"),
        Text::Paste { count } => {
            let pasted = pasted(count);
            format!("{pasted}. Y: send each; O: send as one message; N: drop.")
        }
        Text::PasteEach { count } => {
            let pasted = pasted(count);
            format!("{pasted}, too many bytes for one message. Y: send each; N: drop.")
        }
        Text::PasteOfCommands { count } => {
            let pasted = pasted(count);
            format!("{pasted}. Y: carry out each as a command; N: drop.")
        }
        Text::PasteOne { count, limit } => {
            let pasted = pasted(count);
            format!(
                "{pasted}; at most {limit} are sent one by one. O: send as one message; N: drop."
            )
        }
        Text::PasteTooMany { count, limit } => {
            let pasted = pasted(count);
            format!("Not taken: {pasted}; the limit is {limit}.")
        }
        Text::PasteTooLong { bytes, limit } => {
            format!("Not taken: a pasted line has {bytes} bytes; the limit is {limit}.")
        }
        Text::PasteCut { kept, whole } => {
            format!("The paste is cut: it has {whole} bytes, and only the first {kept} are kept.")
        }
        Text::PasteShort { count } => format!("{} (Y/O/N)", lines(count)),
        Text::PasteShortEach { count } => format!("{} (Y/N)", lines(count)),
        Text::PasteShortOne { count } => format!("{} (O/N)", lines(count)),
        Text::NoMatch => s("no match"),
        Text::OutgoingFound { count } => format!("Lines of an earlier run to send: {count}."),
        Text::OutgoingUnreadable { count: 1 } => s("A kept line cannot be read."),
        Text::OutgoingUnreadable { count } => format!("{count} kept lines cannot be read."),
        Text::OutgoingFault { why } => format!("The file of unsent lines: {why}"),
        Text::UnsentAtExit { count } => format!("Lines not sent yet: {count}."),
        Text::UnsentKept { user, file } => {
            format!("They are kept in {file} and are sent when {user} logs in here again.")
        }
        Text::UnsentLost => s("No file keeps them: they are lost when the program ends."),
        Text::CannotSend { why } => format!("Not sent: {why}"),
        Text::NoText => s("there is no text."),
        Text::ControlCharacter { code } => {
            format!("a message cannot have the control character U+{code}.")
        }
        Text::TooLong {
            bytes,
            characters,
            limit,
        } => format!(
            "the text is {bytes} bytes long ({characters} characters); the limit is {limit} bytes."
        ),
        Text::NameTooLong { bytes, characters } => format!(
            "The name is {characters} characters ({bytes} bytes) long; the limit is {NAME_CHARS} characters and {NAME_BYTES} bytes."
        ),
        Text::KeywordTooLong { bytes, limit } => {
            format!("the word is {bytes} bytes long; the limit is {limit} bytes.")
        }
        Text::TooManyNames { names, limit } => {
            format!("the list has {names} names; the limit is {limit}.")
        }
        Text::RequestTooLong { bytes, limit } => {
            format!("the request is {bytes} bytes long; the limit is {limit} bytes.")
        }
        Text::InLine { line, why } => {
            format!("Line {line}: {why} Neither this line nor what follows was sent.")
        }
        Text::LineCutsOff { target } => {
            format!(
                "The connection was lost three times in a row while a line to {target} was being sent. It was perhaps received already."
            )
        }
        Text::SetAside { count: 1, file } => {
            format!("The line is not sent again. It is kept in {file}.")
        }
        Text::SetAside { count, file } => {
            format!("These {count} lines are not sent again. They are kept in {file}.")
        }
        Text::NotSentAgain { count: 1 } => s("The line is not sent again, and no file keeps it."),
        Text::NotSentAgain { count } => {
            format!("These {count} lines are not sent again, and no file keeps them.")
        }
        Text::PendingHeading => s("Lines that wait to be sent:"),
        Text::NothingWaits => s("No line waits to be sent."),
        Text::PendingFor { target } => format!("to {target}: "),
        Text::InFlight => s("(being sent) "),
        Text::PendingMore { count } => format!("and {count} more"),
        Text::PendingBefore { count } => format!("(pending) and {count} more before these"),
        Text::Withdrawn { target } => format!("Withdrawn; it was for {target}:"),
        Text::WithdrawnLate { target } => format!(
            "It is not sent again, but it may have been received already; it was for {target}:"
        ),
        Text::IsInFlight => s("This line is being sent: it cannot be withdrawn any more."),
        Text::NothingToWithdraw => s("No line waits that could be withdrawn."),
        Text::NoSuchLine { number } => {
            format!("No line that waits has the number {number}; `/pending` lists them.")
        }
        Text::ALineNumber => s("<number>|all"),
        Text::HelpWaiting => s("lines that wait to be sent"),
        Text::HelpWithdraw => s("take a line that waits back, or all of them"),
        Text::UnknownSlash { line } => format!(
            "There is no command {line}. Send it as text? (Y/N) With // at the beginning it is sent without a question; `/help` lists the commands."
        ),
        Text::LeaveRoom { room } => format!(
            "Leave the room {room}? What was said there cannot be read any more, not even after joining again. (Y/N)"
        ),
        Text::LeaveRoomShort { room } => format!("leave {room}? (Y/N)"),
        Text::Stays { room } => format!("You stay in the room {room}."),
        Text::ServerTime { time } => format!("Server time: {time}"),
        Text::RoomLine {
            room,
            members,
            owner,
            unread,
        } => format!("{room}: {members} members, owner {owner}, {unread} unread"),
        Text::Members { room } => format!("Members of {room}:"),
        Text::UnknownServer { address } => format!("{address} is unknown. Nothing was sent yet."),
        Text::UnknownServerHint { link } => {
            format!("If that is the right key, name it with the address: {link}")
        }
        Text::KeyNotKept { link } => format!(
            "The key cannot be remembered, and nothing was sent. To do without known_hosts, name the \
             key with the address: {link}"
        ),
        Text::TypeYes => s("Type yes if that is the right key: "),
        Text::NoYes => s("That was no yes: the key is not trusted, and nothing was sent."),
        Text::KeyChanged { address } => format!(
            "The key of {address} has changed: somebody may be in between. Nothing was sent."
        ),
        Text::KeyChangedHint { address } => {
            format!("If the server's owner confirms the new key: echat-nc --forget-host {address}")
        }
        Text::KeyNotPinned { address } => {
            format!("{address} does not show the key asked for. Nothing was sent.")
        }
        Text::KeyShown { key } => format!("it shows     {key}"),
        Text::KeyExpected { key } => format!("it should be {key}"),
        Text::CannotConnect { address, why } => format!("Cannot connect: {address}: {why}"),
        Text::ServerReason { number } => {
            format!("The server closed the connection (reason {number}).")
        }
        Text::RetryAfter { seconds } => format!(" Try again in {seconds} s."),
        Text::DayLimit => s("The limit of a day is reached."),
        Text::RetryAfterHours { hours } => format!(" Try again in about {hours} h."),
        Text::Limit { limit } => format!(" The limit is {limit}."),
        Text::Names { names } => format!(" ({names})"),
        Text::OtherRefusal { code, message } => format!("{message} ({code})"),
        Text::OutgoingNotKept => {
            s("Lines typed here are lost if this client ends before they are sent.")
        }
        Text::ConfigIgnored { why } => format!("ignored: {why}"),
        Text::AddressFromHere => s(
            "The address stands in ./config.json, a file of this folder that anybody may have written.",
        ),
        Text::WaitsForLogin => s("The line waits for the login."),
        Text::HeldDropped { count } => {
            format!("Lines that waited for the login and were not carried out: {count}.")
        }
        Text::NotTextLine { line } => {
            format!(
                "Line {line} is not in the encoding of the locale, which is UTF-8 unless it names GBK, GB18030 or Big5; neither it nor what follows was sent."
            )
        }
        Text::InputLineTooLong { line } => {
            format!("Line {line} is longer than 1 MiB; neither it nor what follows was sent.")
        }
        Text::NotCarriedOut { line, count } => {
            format!("Lines that were not carried out, from line {line} on: {count}.")
        }
        Text::NotTextHere => s(
            "Not sent: it holds bytes that are not in the encoding of the locale (LC_ALL, LC_CTYPE, LANG). Terminal and locale must have the same one: UTF-8, GBK, GB18030 or Big5.",
        ),
        Text::InputUtf16 => s("The input is UTF-16; save it as UTF-8. Nothing was sent."),
        Text::PasswordAgainOf { name } => {
            format!("Type the password of {name} again; Ctrl-C goes back.")
        }
        Text::CommandRefused { command, reason } => format!("`{command}`: {reason}"),
        Text::NoSuchUser { name } => format!("There is no user {name}."),
        Text::NoSuchRoom { room } => format!("There is no room {room}."),
        Text::UserTaken { name } => {
            format!(
                "The name {name}, or one that looks like it, is taken. Please take another one."
            )
        }
        Text::RoomTaken { room } => {
            format!("There is a room {room} already, or one whose name looks like it.")
        }
        Text::AskedBefore { name } => {
            format!("You have asked {name} already; there is no answer yet.")
        }
        Text::FriendsBefore { name } => format!("{name} and you are friends already."),
        Text::NoRequestOf { name } => {
            format!("{name} has not asked for your friendship; `+f {name}` asks.")
        }
        Text::NotYourFriend { name } => {
            format!("{name} and you are not friends; `+f {name}` asks.")
        }
        Text::NotYourRoom { room } => {
            format!("You are not in the room {room}; `+r {room}` joins it.")
        }
        Text::OwnerOnly { room } => format!("Only the owner of the room {room} may add members."),
        Text::MemberBefore { room } => {
            format!("You are in the room {room} already; `&r {room}` opens it.")
        }
        Text::MembersBefore { room, names } => format!("In the room {room} already: {names}."),
        Text::NotYourFriends { names } => {
            format!("Not your friends: {names}. Only friends can be added; `+f <user>` asks.")
        }
        Text::LeftBefore { room, names } => {
            format!(
                "Left the room {room} by themselves: {names}. They can come back with `+r {room}`."
            )
        }
        Text::OwnFriends { limit } => {
            format!(
                "You have as many friends as the server allows ({limit}). Its operator can raise `server.limits.friends`."
            )
        }
        Text::RequestsOfOther { name, limit } => {
            format!(
                "{name} has as many friends or open requests as the server allows ({limit}). Try again when {name} has answered some."
            )
        }
        Text::FriendsOfOther { name, limit } => {
            format!(
                "{name} has as many friends as the server allows ({limit}). The request stays open."
            )
        }
        Text::OwnRooms { limit } => {
            format!(
                "You are in as many rooms as the server allows ({limit}). `-r <room>` leaves one."
            )
        }
        Text::FullRoom { room, limit } => {
            format!(
                "The room {room} has as many members as the server allows ({limit}). Try again when one has left."
            )
        }
        Text::CreateLimit { room, limit } => {
            format!(
                "The room {room} was not made: it would be over the server's limit of {limit} for its members, for the rooms of one of them, or for the rooms that you have made. Name fewer users, or use a room that you have."
            )
        }
        Text::AddLimit { room, limit } => {
            format!(
                "Not added to {room}: it would be over the server's limit of {limit} for the members of a room, or for the rooms of one of these users. Add fewer."
            )
        }
        Text::NameCharacter { character } => {
            format!("A name cannot have the character {character}.")
        }
        Text::NameStart { character } => {
            format!("A name begins with a letter or a digit, not with {character}.")
        }
        Text::NumberedCharacter { character, number } => format!("{character} ({number})"),
        Text::Space => s("space"),
        Text::PasswordOf { name } => format!("Password of {name}: "),
    }
}

/// A refusal's code.
pub(super) fn code(code: Code) -> &'static str {
    match code {
        Code::BadParams => "The server did not understand the request.",
        Code::NotLoggedIn => "Please log in first.",
        Code::AlreadyLoggedIn => "You are logged in already; log out first.",
        Code::NameTaken => "This name, or one that looks like it, is taken.",
        Code::BadName => "This is not a possible name.",
        Code::BadPassword => "This password cannot be used.",
        Code::BadCredentials => "Login failed: the name or the password is wrong.",
        Code::LoginThrottled => "Too many failed logins.",
        Code::UnknownUser => "There is no such user.",
        Code::IsSelf => "You cannot befriend yourself.",
        Code::AlreadyAsked => "You have asked already.",
        Code::AlreadyFriends => "You are friends already.",
        Code::NoRequest => "There is no request from this user.",
        Code::NotAFriend => "You are not friends yet.",
        Code::NotAMember => "You are not in this room yet.",
        Code::NotOwner => "Only the owner of the room may do this.",
        Code::UnknownRoom => "There is no such room.",
        Code::AlreadyMember => "You are in this room already.",
        Code::RoomExists => "There is a room of this name, or of one that looks like it.",
        Code::NotFriends => "Some of these are not your friends.",
        Code::NotAllowed => {
            "Some of these left the room; they can only come back themselves, with +r."
        }
        Code::BadContent => {
            "The server does not take this text. Unless its operator set another limit, a message has 1 to 4,000 bytes; it has no control characters but newline and tab. Shorten it, or send it in parts."
        }
        Code::TxnReused => "The server has another message with this number.",
        Code::RateLimited => "Too fast.",
        Code::TooMany => "A limit of the server is reached.",
        Code::StorageFull => "The server's disk is full.",
        Code::StorageBusy => "The server's database is busy.",
        Code::StorageDamaged => {
            "A part of the server's database is damaged; its operator must repair it."
        }
        Code::UnknownCommand => "The server does not know this request.",
    }
}

/// So many lines.
fn lines(count: u64) -> String {
    let noun = if count == 1 { "line" } else { "lines" };
    format!("{count} {noun}")
}

/// So many lines, and that they were pasted.
fn pasted(count: u64) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb} pasted", lines(count))
}
