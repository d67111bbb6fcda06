//! Command mode: the way to the others.

use super::{Act, Context, Goto, Mode, ReadLine, mistake, not_logged_in, print, read};
use crate::statement::{Scope, Statement};
use crate::target::{Target, normal_name};
use crate::text::Text;

/// Command mode.
#[derive(Debug)]
pub(super) struct CommandMode;

impl Mode for CommandMode {
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Command)
    }

    fn prompt(&self, _: &Context) -> String {
        "command".to_owned()
    }

    fn history(&self) -> Option<&'static str> {
        Some("command")
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        let statement = match read(Scope::Command, line, None, context) {
            ReadLine::Statement(statement) => statement,
            ReadLine::Done(acts) => return acts,
        };
        let me = context.session.me().filter(|_| context.signed_in);
        match (statement, me) {
            (Statement::Register | Statement::Login, Some(name)) => {
                print(vec![context.line(Text::AlreadyLoggedIn { name })])
            }
            (Statement::Register, None) => vec![Act::Goto(Goto::Register)],
            (Statement::Login, None) => vec![Act::Goto(Goto::Login(None))],
            (Statement::Query, _) => vec![Act::Goto(Goto::Query)],
            (Statement::Contact | Statement::Chat(_), None) => not_logged_in(context),
            (Statement::Contact, Some(_)) => vec![Act::Goto(Goto::Contact)],
            (Statement::Chat(name), Some(_)) => chat(name.as_deref(), context),
            _ => Vec::new(),
        }
    }
}

/// To the friend or the room of a name, or where one was last.
fn chat(name: Option<&str>, context: &Context) -> Vec<Act> {
    let Some(name) = name else {
        let last = context.session.recent().next();
        return match last {
            Some((target, _)) => vec![Act::Goto(Goto::Chat(target.clone()))],
            None => mistake(context, Text::ChatWithWhom),
        };
    };
    let name = normal_name(name);
    let (friend, room) = (Target::Friend(name.clone()), Target::Room(name.clone()));
    match (
        context.session.can_read(&friend),
        context.session.has(&room),
    ) {
        (true, false) => vec![Act::Goto(Goto::Chat(friend))],
        (false, true) => vec![Act::Goto(Goto::Chat(room))],
        (true, true) => mistake(context, Text::TwoTargets { name: &name }),
        (false, false) => mistake(context, Text::NoTarget { name: &name }),
    }
}
