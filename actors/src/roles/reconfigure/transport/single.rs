//! The transport of a host without a cluster: a group of one, always quorate. What is said is heard, in order.

use std::process;
use std::sync::Arc;

use lvmwarden_reconfigure::member::{Member, Ring};
use tokio::sync::mpsc;

use super::{EVENTS, LocalFacts, Opened, SendError, Transport, TransportEvent, check_length};

/// The node id of a host that has no cluster to give it one.
pub const NODE: u32 = 1;

/// The transport.
pub struct Single {
    me: Member,
    name: String,
    events: mpsc::Sender<TransportEvent>,
}

impl Single {
    /// Opens it for the host that is called `name`; it has joined, is quorate and has told so.
    pub fn open(name: String) -> Opened {
        let (sender, events) = mpsc::channel(EVENTS);
        let me = Member { node: NODE, pid: process::id() };
        let ring = Ring { node: NODE, sequence: 1 };
        let beginning = [
            TransportEvent::Joined(me),
            TransportEvent::ViewChanged { left: Vec::new(), joined: vec![me] },
            TransportEvent::RingFormed(ring),
            TransportEvent::QuorumTold(ring, true),
        ];
        for event in beginning {
            // There is room for EVENTS, and nobody else has it yet.
            let _ = sender.try_send(event);
        }
        Opened { transport: Arc::new(Self { me, name, events: sender }), events }
    }
}

impl Transport for Single {
    fn send(&self, bytes: Vec<u8>) -> Result<(), SendError> {
        check_length(&bytes)?;
        self.events.try_send(TransportEvent::Delivered(self.me, bytes)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Busy,
            mpsc::error::TrySendError::Closed(_) => SendError::NoTransport,
        })
    }

    fn facts(&self) -> LocalFacts {
        LocalFacts { transport: "local", node: Some(NODE), name: self.name.clone(), problem: None }
    }

    fn name_of(&self, node: u32) -> Option<String> {
        (node == NODE).then(|| self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_reconfigure::membership::{Membership, Quorum};
    use lvmwarden_reconfigure::wire::MAX_BYTES;

    use super::*;

    #[test]
    fn it_is_a_quorate_group_of_one_from_the_beginning() {
        let mut opened = Single::open("a".to_owned());
        let mut around = Membership::new();
        let Ok(TransportEvent::Joined(me)) = opened.events.try_recv() else { panic!("it has not joined") };
        while let Ok(event) = opened.events.try_recv() {
            match event {
                TransportEvent::ViewChanged { left, joined } => around.view_changed(&left, &joined),
                TransportEvent::RingFormed(ring) => around.ring_formed(ring),
                TransportEvent::QuorumTold(ring, is_quorate) => around.quorum_told(ring, is_quorate),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(around.members().collect::<Vec<_>>(), [me]);
        assert_eq!(around.quorum(), Quorum::Yes);
        assert_eq!(opened.transport.facts().node, Some(me.node));
        assert_eq!(opened.transport.name_of(me.node).as_deref(), Some("a"));
    }

    #[test]
    fn what_is_sent_is_heard_in_order() {
        let mut opened = Single::open("a".to_owned());
        for byte in 0..10 {
            opened.transport.send(vec![byte]).expect("there is room");
        }
        let mut heard = Vec::new();
        while let Ok(event) = opened.events.try_recv() {
            if let TransportEvent::Delivered(from, bytes) = event {
                assert_eq!(from.node, NODE);
                heard.extend(bytes);
            }
        }
        assert_eq!(heard, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_too_long_or_too_much_or_heard_by_nobody_is_refused() {
        let opened = Single::open("a".to_owned());
        let bytes = MAX_BYTES + 1;
        assert_eq!(opened.transport.send(vec![0; bytes]), Err(SendError::TooLong { bytes }));
        for _ in 0..EVENTS {
            let _ = opened.transport.send(Vec::new());
        }
        assert_eq!(opened.transport.send(Vec::new()), Err(SendError::Busy));
        drop(opened.events);
        assert_eq!(opened.transport.send(Vec::new()), Err(SendError::NoTransport));
    }
}
