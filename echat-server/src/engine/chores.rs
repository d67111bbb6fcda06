//! The small writes that no answer depends on.

use super::losses::Losses;
use crate::clock::Now;
use crate::handlers::Chore;
use crate::store::{Store, StoreError};

/// Writes them, in a transaction of their own.
pub(super) fn write(
    store: &mut Store,
    chores: &mut Vec<Chore>,
    losses: &mut Losses,
    now: Now,
) -> Result<(), StoreError> {
    if chores.is_empty() {
        return Ok(());
    }
    let mut batch = store.batch();
    let written = chores.iter().try_for_each(|chore| match chore {
        Chore::NoteLogin(user, address, at) => batch.note_login(*user, *address, *at),
        Chore::UpgradeHash(user, hash) => batch.set_password(*user, hash),
    });
    let written = written.and_then(|()| batch.commit().map(drop));
    chores.clear();
    match written {
        Err(fatal @ StoreError::Fatal(_)) => Err(fatal),
        Err(error) => {
            losses.lose_notes(&error, now.running);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
