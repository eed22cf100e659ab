//! Who is connected: how many, from where, and under which names.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::extended::ErrorCode;
use super::limits::Limits;
use super::private::{Identity, Private};
use super::protocol::Frame;
use super::refusal::Refusal;
use super::users::Users;
use crate::channel;

/// All clients of one server.
pub(crate) struct ClientTable {
    /// Says which names are the same.
    users: Arc<dyn Users>,
    /// One lock for both counts, since a client is let in by both or by none.
    counts: Mutex<Counts>,
    /// Where to send what is for one client alone, by the canonical form of its name.
    mailboxes: Mutex<HashMap<String, Mailbox>>,
    /// How many guests have been given a name.
    guests: AtomicU64,
}

/// The way to one client.
#[derive(Clone)]
struct Mailbox {
    sender: channel::Sender<Frame>,
    identity: Identity,
}

#[derive(Default)]
struct Counts {
    clients: usize,
    /// Those with an address, by its network.
    by_network: HashMap<IpAddr, usize>,
}

impl ClientTable {
    pub(crate) fn new(users: Arc<dyn Users>) -> Self {
        Self {
            users,
            counts: Mutex::default(),
            mailboxes: Mutex::default(),
            guests: AtomicU64::new(0),
        }
    }

    /// Gives a client without an account the next name that nobody has.
    pub(crate) fn claim_for_guest(
        self: &Arc<Self>,
        capacity: usize,
    ) -> (String, Claim, channel::Receiver<Frame>) {
        loop {
            let number = self.guests.fetch_add(1, Ordering::Relaxed) + 1;
            let name = format!("guest-{number}");
            if let Ok((claim, mailbox)) = self.claim(&name, false, capacity) {
                return (name, claim, mailbox);
            }
        }
    }

    /// Lets one more client in, as long as the admission is kept.
    ///
    /// # Errors
    ///
    /// The limit that is reached.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        limits: &Limits,
    ) -> Result<Admission, Refusal> {
        let network = address.map(network);
        let mut counts = lock(&self.counts);
        if counts.clients >= limits.clients {
            return Err(Refusal::limit(
                "clients",
                &format!("there are {} clients already", limits.clients),
            ));
        }
        if let Some(network) = network {
            let here = counts.by_network.entry(network).or_default();
            if *here >= limits.clients_per_address {
                return Err(Refusal::limit(
                    "clients_per_address",
                    &format!(
                        "there are {} clients of your address already",
                        limits.clients_per_address
                    ),
                ));
            }
            *here += 1;
        }
        counts.clients += 1;
        let table = self.clone();
        Ok(Admission { network, table })
    }

    /// Gives a name to a client, as long as the claim is kept, and with it a mailbox for so many frames. It may be that of
    /// its account.
    ///
    /// # Errors
    ///
    /// Another one has it.
    pub(crate) fn claim(
        self: &Arc<Self>,
        name: &str,
        is_account: bool,
        capacity: usize,
    ) -> Result<(Claim, channel::Receiver<Frame>), Refusal> {
        let key = self.users.canonical(name);
        let mut mailboxes = lock(&self.mailboxes);
        if mailboxes.contains_key(&key) {
            let text = format!("the name {name} is taken");
            return Err(Refusal::new(ErrorCode::NameTaken, text).about(name));
        }
        let (sender, mailbox) = channel::bounded(capacity.max(1));
        let connection = Arc::new(());
        let identity = if is_account {
            Identity::Account(key.as_str().into())
        } else {
            Identity::Connection(Arc::downgrade(&connection))
        };
        let way = Mailbox {
            sender,
            identity: identity.clone(),
        };
        mailboxes.insert(key.clone(), way);
        let claim = Claim {
            key,
            identity,
            _connection: connection,
            table: self.clone(),
        };
        Ok((claim, mailbox))
    }

    /// Sends a frame to the client of this name.
    ///
    /// # Errors
    ///
    /// There is none, or it does not read what it gets.
    pub(crate) fn direct(&self, to: &str, frame: Frame) -> Result<(), Refusal> {
        self.mailbox(to)?.send(to, frame)
    }

    /// Invites the client of this name to a group with so many invitations at most, and sends it a frame that says so.
    ///
    /// # Errors
    ///
    /// There is none, or it does not read what it gets; or the group has no room for it.
    pub(crate) fn invite(
        &self,
        to: &str,
        private: &Private,
        at_most: usize,
        frame: Frame,
    ) -> Result<(), Refusal> {
        let mailbox = self.mailbox(to)?;
        private.invite(mailbox.identity.clone(), at_most)?;
        mailbox.send(to, frame)
    }

    fn mailbox(&self, to: &str) -> Result<Mailbox, Refusal> {
        let key = self.users.canonical(to);
        let mailbox = lock(&self.mailboxes).get(&key).cloned();
        // A guest of the base protocol has a name and nobody who takes anything out.
        let mailbox = mailbox.filter(|mailbox| !mailbox.sender.is_closed());
        mailbox.ok_or_else(|| no_such_client(to))
    }
}

impl Mailbox {
    fn send(&self, to: &str, frame: Frame) -> Result<(), Refusal> {
        match self.sender.try_send(frame) {
            Ok(()) => Ok(()),
            Err(error) if error.is_full() => {
                let text = format!("too much waits for {to} already");
                Err(Refusal::new(ErrorCode::Busy, text).about(to))
            }
            Err(_) => Err(no_such_client(to)),
        }
    }
}

fn no_such_client(name: &str) -> Refusal {
    let text = format!("there is no client {name}");
    Refusal::new(ErrorCode::NoSuchClient, text).about(name)
}

/// The right of one client to be there. To drop it is to go.
pub(crate) struct Admission {
    network: Option<IpAddr>,
    table: Arc<ClientTable>,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut counts = lock(&self.table.counts);
        counts.clients -= 1;
        if let Some(network) = self.network
            && let Some(here) = counts.by_network.get_mut(&network)
        {
            *here -= 1;
            if *here == 0 {
                counts.by_network.remove(&network);
            }
        }
    }
}

/// The right of one client to its name. To drop it is to give it up.
pub(crate) struct Claim {
    key: String,
    /// Who has it.
    identity: Identity,
    /// That it is dropped ends an identity that is this connection's.
    _connection: Arc<()>,
    table: Arc<ClientTable>,
}

impl Claim {
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mailbox = lock(&self.table.mailboxes).remove(&self.key);
        // After the unlock: the last sender of a channel wakes its receiver.
        drop(mailbox);
    }
}

impl Admission {
    /// Where the client comes from, as far as it counts.
    pub(crate) fn network(&self) -> Option<IpAddr> {
        self.network
    }
}

/// What counts of an address: one that is given to a household, not to a person, and that nobody has more of than others.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No change above leaves anything half done, so a panic leaves it as it should be.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::users::Everybody;
    use super::*;

    #[test]
    fn a_network_is_one_address_or_the_first_half_of_one() {
        let network_of = |address: &str| network(address.parse().unwrap()).to_string();
        assert_eq!(network_of("10.1.2.3"), "10.1.2.3");
        assert_eq!(network_of("::ffff:10.1.2.3"), "10.1.2.3");
        assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn who_has_gone_leaves_nothing_behind() {
        let table = Arc::new(ClientTable::new(Arc::new(Everybody)));
        let limits = Limits {
            clients: 3,
            clients_per_address: 2,
            ..Limits::default()
        };
        let address = Some("10.1.2.3".parse().unwrap());
        let refused = |address| {
            table
                .admit(address, &limits)
                .err()
                .map(|it| it.log_text().to_string())
        };

        let first = table.admit(address, &limits).unwrap();
        let second = table.admit(address, &limits).unwrap();
        let text = "there are 2 clients of your address already (clients_per_address)";
        assert_eq!(refused(address).as_deref(), Some(text));
        let third = table.admit(None, &limits).unwrap();
        let text = "there are 3 clients already (clients)";
        assert_eq!(refused(None).as_deref(), Some(text));
        drop(first);
        assert_eq!(refused(address), None);
        drop((second, third));
        let counts = lock(&table.counts);
        assert_eq!((counts.clients, counts.by_network.len()), (0, 0));
    }
}
