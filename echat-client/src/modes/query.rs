//! Query mode: questions to the server.

use echat_proto::commands::Request;
use echat_proto::names::NameQuery;

use super::{Act, Context, Mode, print, read, resolve};
use crate::statement::{Scope, Statement};
use crate::text::Text;

/// Query mode.
#[derive(Debug)]
pub(super) struct Query;

impl Mode for Query {
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Query)
    }

    fn prompt(&self, _: &Context) -> String {
        "query".to_owned()
    }

    fn history(&self) -> Option<&'static str> {
        Some("query")
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        match read(Scope::Query, line, context) {
            Ok(Statement::ServerTime) => vec![Act::Ask(Request::QueryServerTime {})],
            Ok(Statement::ListRooms) => vec![Act::Ask(Request::ListRooms {})],
            Ok(Statement::Members(room)) => vec![Act::Ask(Request::ListMembers {
                roomname: NameQuery::new(room),
            })],
            Ok(Statement::Who) => {
                let friends = context.session.friends().iter();
                let online = friends
                    .filter(|(_, online)| **online)
                    .map(|(name, _)| name.clone());
                print(context.list(Text::Online, Text::NoFriendsOnline, online))
            }
            Ok(Statement::Resolve(name, accepted)) => resolve(name, accepted),
            Ok(_) => Vec::new(),
            Err(acts) => acts,
        }
    }
}
