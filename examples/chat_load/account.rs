//! Whether a member got what it should: every message of its group once, each sender's in order, or word of those that
//! were dropped.

use std::collections::HashMap;

use crate::lines::Message;

/// What one member has received.
#[derive(Default)]
pub(crate) struct Account {
    /// The messages that came.
    received: u64,
    /// The messages of which it was told that they were dropped.
    dropped: u64,
    /// Of these, the ones that are to be missing before the next message.
    just_dropped: u64,
    /// The ones that are missing, by the senders' numbers.
    missing: u64,
    /// The last message's id, if the server gives ids.
    last_id: Option<u64>,
    /// Each sender's next number.
    next: HashMap<u64, u64>,
    /// Others had posted before it came, so a sender's first number is any.
    is_late: bool,
}

impl Account {
    /// The account of one who comes when others have posted already.
    pub(crate) fn of_late_comer() -> Self {
        Self {
            is_late: true,
            ..Self::default()
        }
    }

    /// Enters a message.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn message(&mut self, message: &Message) -> Result<(), String> {
        self.received += 1;
        if let Some(id) = message.id {
            let expected = self.last_id.map(|last| last + 1 + self.just_dropped);
            self.last_id = Some(id);
            match expected {
                Some(expected) if id > expected => {
                    return Err(format!("the ids {expected} to {} were lost", id - 1));
                }
                Some(expected) if id < expected => {
                    return Err(format!("the id {id} came where {expected} should"));
                }
                _ => {}
            }
        }
        self.just_dropped = 0;
        let Message { sender, number, .. } = *message;
        let first = if self.is_late { number } else { 0 };
        let next = self.next.entry(sender).or_insert(first);
        if number < *next {
            return Err(format!(
                "message {number} of client {sender} came twice or after {}",
                *next - 1
            ));
        }
        self.missing += number - *next;
        *next = number + 1;
        if self.missing > self.dropped {
            return Err(format!(
                "{} messages are missing before number {number} of client {sender}, {} were said to be dropped",
                self.missing, self.dropped
            ));
        }
        Ok(())
    }

    /// Enters that so many messages were dropped before the next one.
    pub(crate) fn dropped(&mut self, messages: u64) {
        self.dropped += messages;
        self.just_dropped += messages;
    }

    /// How many messages of the group have come or were said to be dropped.
    pub(crate) fn total(&self) -> u64 {
        self.received + self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sender: u64, number: u64, id: impl Into<Option<u64>>) -> Message {
        Message {
            sender,
            number,
            due: 0,
            id: id.into(),
        }
    }

    #[test]
    fn a_gap_that_was_told_is_none() {
        let mut account = Account::default();
        assert_eq!(account.message(&message(1, 0, 5)), Ok(()));
        account.dropped(2);
        assert_eq!(account.message(&message(1, 2, 8)), Ok(()));
        assert_eq!(account.message(&message(2, 1, 9)), Ok(()));
        assert_eq!(account.total(), 5);
    }

    #[test]
    fn who_comes_late_takes_the_first_number_as_it_is() {
        let mut account = Account::of_late_comer();
        assert_eq!(account.message(&message(1, 7, None)), Ok(()));
        assert_eq!(account.message(&message(1, 8, None)), Ok(()));
        assert!(account.message(&message(1, 10, None)).is_err());
    }

    #[test]
    fn gaps_duplicates_and_wrong_orders_are_seen_by_ids_and_by_numbers() {
        for ids in [[5, 7], [5, 5], [5, 4]] {
            let mut account = Account::default();
            assert_eq!(account.message(&message(1, 0, ids[0])), Ok(()));
            assert!(account.message(&message(1, 1, ids[1])).is_err(), "{ids:?}");
        }
        for numbers in [[0, 2], [0, 0], [1, 0]] {
            let mut account = Account::default();
            let first = account.message(&message(1, numbers[0], None));
            let second = account.message(&message(1, numbers[1], None));
            assert!(first.is_err() || second.is_err(), "{numbers:?}");
        }
    }
}
