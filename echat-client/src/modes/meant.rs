//! Commands about one message: which one is meant, and what is done to it. One that is not remembered is asked for by
//! one request ([`Recall`]), and the command is carried out when it comes. What comes is not shown.

use echat_proto::commands::{Event, Request};
use echat_proto::limits::HISTORY_MAX;
use echat_proto::param::{RoomRole, ShortText};

use super::numbers::{Numbers, newest_first};
use super::{Act, Context, mistake};
use crate::session::{Conversation, Post, ReactionCount, Recall, Recalled, RequestContext};
use crate::statement::{self, Statement, Substitution, UnsentSelection};
use crate::target::Target;
use crate::text::Text;

/// The message that a command means.
enum Meant {
    /// This one.
    Post(Post),
    /// One that the server may have.
    Elsewhere(Recalled),
}

/// Whether a command without a number is about the user's own last message, and not about the last one of another user.
fn is_about_own(command: &Statement) -> bool {
    !matches!(command, Statement::Reply(..) | Statement::React(..))
}

/// The number that was typed with a command.
fn number_of(command: &Statement) -> Option<u64> {
    match command {
        Statement::Edit(number, _)
        | Statement::Delete(number)
        | Statement::Reply(number, _)
        | Statement::React(number, _) => *number,
        _ => None,
    }
}

/// A command about a message as it could be typed.
pub(super) fn typed(command: &Statement) -> String {
    let (head, text) = match command {
        Statement::Edit(_, text) => ("/edit", text.as_deref()),
        Statement::Delete(_) => ("/delete", None),
        Statement::Reply(_, text) => ("/reply", Some(text.as_str())),
        Statement::React(_, emoji) => ("/react", Some(emoji.as_str())),
        Statement::Say(line) => return line.trim().to_owned(),
        _ => return String::new(),
    };
    let number = number_of(command).map(|number| number.to_string());
    let parts = [Some(head), number.as_deref(), text];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The text that was typed with a command, which a refusal shows again.
pub(super) fn text_of(command: &Statement) -> Option<&str> {
    match command {
        Statement::Reply(_, text) | Statement::Edit(_, Some(text)) => Some(text),
        _ => None,
    }
}

/// Carries out a command about a message, or asks for the message first.
pub(super) fn carry_out(
    target: &Target,
    numbers: &Numbers,
    command: Statement,
    context: &Context,
) -> Vec<Act> {
    if let Some(acts) = without_a_message(target, &command, context) {
        return acts;
    }
    match find(target, numbers, &command, context) {
        Ok(Meant::Post(post)) => act_on(target, &command, post, context),
        Ok(Meant::Elsewhere(which)) => vec![ask(target, which, command, context)],
        Err(text) => not_found(target, &command, text, context),
    }
}

/// Carries out the command whose message was asked for.
pub(crate) fn recalled(recall: &Recall, event: &Event, context: &Context) -> Vec<Act> {
    let (Event::History { messages, .. } | Event::FoundMessages { messages, .. }) = event else {
        return Vec::new();
    };
    let posts = messages.iter().cloned();
    let mut posts = posts.map(|message| context.session.post_of(message));
    let is_shown = |post: &Post| !context.session.folds(&recall.target, &post.sender);
    let (found, none) = match recall.which {
        Recalled::Own => (
            posts.find(|post| post.mine && !post.deleted),
            Text::NoOwnMessage,
        ),
        Recalled::OfOthers { .. } => (
            posts.rfind(|post| !post.mine && !post.deleted && is_shown(post)),
            Text::NoOtherMessage,
        ),
        Recalled::WithId(id) => (posts.find(|post| post.id == id), Text::IsDeleted),
        Recalled::FromBelow { number, .. } => {
            let above = usize::try_from(number - 1).unwrap_or(usize::MAX);
            let found = posts.rev().filter(is_shown).nth(above);
            (found, Text::NoMessageNumber { number })
        }
    };
    match found {
        Some(post) if post.deleted => {
            not_found(&recall.target, &recall.command, Text::IsDeleted, context)
        }
        Some(post) => act_on(&recall.target, &recall.command, post, context),
        None => not_found(&recall.target, &recall.command, none, context),
    }
}

/// Asks for the user's last message of a conversation, to edit it. `None` if it is remembered, or if there is none.
pub(crate) fn recall_own(target: &Target, context: &Context) -> Option<(Request, RequestContext)> {
    let command = Statement::Edit(None, None);
    match last(target, true, context) {
        Ok(Meant::Elsewhere(which)) => Some(request_for(target, which, command, context)),
        _ => None,
    }
}

/// Whether `s/old/new`, without its last slash, may be meant so: not if it does not fit the last message.
pub(super) fn may_replace(line: &str, target: &Target, context: &Context) -> bool {
    let Some(change) = Substitution::read(&format!("{}/", line.trim())) else {
        return false;
    };
    let is_pending = context.pending_number(target).is_some();
    match last(target, true, context) {
        Ok(Meant::Post(post)) => !is_pending && change.of(&post.content).is_some(),
        Ok(Meant::Elsewhere(_)) => !is_pending && !context.is_offline,
        Err(_) => false,
    }
}

/// What is done or refused whatever the message is. The last message of the user, which is meant without a number, may
/// be one that is not sent yet.
fn without_a_message(target: &Target, command: &Statement, context: &Context) -> Option<Vec<Act>> {
    if let Statement::React(_, word) = command
        && statement::emoji(word).is_none()
    {
        return Some(mistake(context, Text::NoEmoji { word }));
    }
    if let Statement::Edit(_, None) = command
        && !context.settings.interactive
    {
        let form = "/edit [<number>] <text>";
        return Some(mistake(context, Text::Usage { form }));
    }
    let is_last = is_about_own(command) && number_of(command).is_none();
    let number = context.pending_number(target).filter(|_| is_last)?;
    Some(match command {
        Statement::Delete(_) => vec![Act::Withdraw(UnsentSelection::Number(number))],
        command => refuse(command, Text::LastIsPending { number }, context),
    })
}

/// The message that a command means: the one with its number, or the newest that is fitting.
fn find<'a>(
    target: &Target,
    numbers: &Numbers,
    command: &Statement,
    context: &Context,
) -> Result<Meant, Text<'a>> {
    let Some(number) = number_of(command) else {
        return last(target, is_about_own(command), context);
    };
    if let Some(post) = numbers.get(number, target, context) {
        return if post.deleted {
            Err(Text::IsDeleted)
        } else {
            Ok(Meant::Post(post))
        };
    }
    let has_older = conversation_with_older(target, context).is_some();
    match numbers.id(number) {
        Some(id) => Ok(Meant::Elsewhere(Recalled::WithId(id))),
        None if numbers.is_empty() && has_older && (1..=HISTORY_MAX).contains(&number) => {
            let before = behind_newest(target, context);
            Ok(Meant::Elsewhere(Recalled::FromBelow { number, before }))
        }
        None => Err(Text::NoMessageNumber { number }),
    }
}

/// The last message of the user, or of the others.
fn last<'a>(target: &Target, mine: bool, context: &Context) -> Result<Meant, Text<'a>> {
    let mut newest = newest_first(target, context);
    if let Some(post) = newest.find(|post| !post.deleted && post.mine == mine) {
        return Ok(Meant::Post(post.clone()));
    }
    match conversation_with_older(target, context) {
        Some(found) if mine && !found.has_no_own() => Ok(Meant::Elsewhere(Recalled::Own)),
        Some(_) if !mine => {
            let before = behind_newest(target, context);
            Ok(Meant::Elsewhere(Recalled::OfOthers { before }))
        }
        _ if mine => Err(Text::NoOwnMessage),
        _ => Err(Text::NoOtherMessage),
    }
}

/// The conversation, if the server has older messages than the remembered ones.
fn conversation_with_older<'a>(target: &Target, context: &'a Context) -> Option<&'a Conversation> {
    let conversation = context.session.conversation(target);
    conversation.filter(|found| found.older().is_some())
}

/// The id before which messages are asked for that were there when the command was typed.
fn behind_newest(target: &Target, context: &Context) -> Option<u64> {
    let newest = context.session.conversation(target)?.lines().next_back()?;
    newest.id.checked_add(1)
}

fn ask(target: &Target, which: Recalled, command: Statement, context: &Context) -> Act {
    let (request, asked) = request_for(target, which, command, context);
    Act::AskFor(request, asked)
}

fn request_for(
    target: &Target,
    which: Recalled,
    command: Statement,
    context: &Context,
) -> (Request, RequestContext) {
    let target = target.clone();
    let recall = Recall {
        target,
        which,
        command,
    };
    let me = context.session.me().unwrap_or_default();
    (recall.request(me), RequestContext::Recall(recall))
}

/// There is no such message. A line that need not be a substitution is a text then.
fn not_found(target: &Target, command: &Statement, text: Text<'_>, context: &Context) -> Vec<Act> {
    match command {
        Statement::Say(line) => vec![said(target, line)],
        command => refuse(command, text, context),
    }
}

/// Says why a command is not carried out. What was typed is not lost.
fn refuse(command: &Statement, text: Text<'_>, context: &Context) -> Vec<Act> {
    let mut acts = mistake(context, text);
    acts.extend(text_of(command).map(|text| Act::Print(context.refused_line(text))));
    acts
}

/// A line that may have been meant as a substitution, which it is not.
fn said(target: &Target, line: &str) -> Act {
    match Substitution::read(line) {
        Some(_) => Act::SendIfMeant(target.clone(), line.to_owned()),
        None => Act::Send(target.clone(), line.to_owned()),
    }
}

/// Carries out a command about this message, which is not deleted.
fn act_on(target: &Target, command: &Statement, post: Post, context: &Context) -> Vec<Act> {
    let to = target.clone();
    match command {
        Statement::Edit(..) if !post.mine => {
            let name = &post.sender;
            refuse(command, Text::IsNotYours { name }, context)
        }
        Statement::Edit(_, Some(text)) => vec![Act::ChangeText(to, post.id, text.clone())],
        Statement::Edit(_, None) => vec![Act::Edit(to, post)],
        Statement::Delete(_) => delete(target, &post, context),
        Statement::Reply(_, text) => vec![Act::Reply(to, text.clone(), post.id)],
        Statement::React(_, word) => react(&post, word).into_iter().collect(),
        Statement::Say(line) => vec![substitute(target, line, &post)],
        _ => Vec::new(),
    }
}

/// `/delete`. What the server would refuse is refused before the question.
fn delete(target: &Target, post: &Post, context: &Context) -> Vec<Act> {
    let settings = context.session.room_settings(target);
    let role = settings.and_then(|room| room.role.filter(|_| !room.owner.is_empty()));
    if !post.mine && (!target.is_room() || role == Some(RoomRole::Member)) {
        let reason = &context.language.say(Text::OnlySenderDeletes);
        return mistake(context, Text::NotDeletedBecause { reason });
    }
    vec![Act::Delete(target.clone(), post.id)]
}

/// `/react`: a second time, the reaction is taken back. An emoji that the message has in another form is sent in that
/// one: the user's own first, else the first.
fn react(post: &Post, word: &str) -> Option<Act> {
    let emoji = statement::emoji(word)?;
    let is_same = |known: &&ReactionCount| statement::in_one_form(&known.emoji) == emoji;
    let own = post.reactions.iter().filter(|known| known.mine);
    let known = own.chain(&post.reactions).find(is_same);
    Some(Act::Ask(Request::React {
        id: post.id,
        on: !known.is_some_and(|known| known.mine),
        emoji: ShortText(known.map_or(emoji, |known| known.emoji.clone())),
    }))
}

/// `s/old/new/`, whose last slash may be left out. A line of this form that does not fit the last message may be meant
/// as text.
fn substitute(target: &Target, line: &str, post: &Post) -> Act {
    let change = Substitution::read(line);
    let change = change.or_else(|| Substitution::read(&format!("{}/", line.trim())));
    match change.and_then(|change| change.of(&post.content)) {
        Some(text) => Act::ChangeText(target.clone(), post.id, text),
        None => said(target, line),
    }
}
