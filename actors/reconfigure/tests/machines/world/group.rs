//! The group: one order for all who are in a view.

use lvmwarden_reconfigure::member::{Member, Ring};

use super::{Item, World};

impl World {
    /// Returns the hosts of a side that are in the group, as the group knows them.
    pub(crate) fn joined_on(&self, side: usize) -> Vec<(usize, Member)> {
        let hosts = self.hosts.iter().enumerate().filter(|(_, host)| host.side == side);
        hosts.filter_map(|(at, host)| Some((at, host.joined?))).collect()
    }

    /// Puts an item at the end of the order of everybody whom `from` reaches.
    pub(crate) fn multicast(&mut self, from: usize, item: &Item) {
        if self.hosts[from].joined.is_none() || !self.hosts[from].has_corosync {
            return;
        }
        for (at, _) in self.joined_on(self.hosts[from].side) {
            self.enqueue(at, item.clone());
        }
    }

    fn enqueue(&mut self, at: usize, item: Item) {
        let host = &mut self.hosts[at];
        if host.is_up && host.has_corosync && host.daemon.is_some() {
            host.inbox.push_back(item);
        }
    }

    /// Tells everybody on a side who has left and who has joined; a newcomer sees all who are there.
    fn tell_view(&mut self, side: usize, left: &[Member], joined: &[Member]) {
        self.rings += 1;
        let ring = Ring { node: 1, sequence: self.rings };
        let all = self.joined_on(side);
        let is_quorate = all.len() * 2 > self.hosts.len();
        for (at, member) in &all {
            let joined = if joined.contains(member) {
                all.iter().map(|(_, member)| *member).collect()
            } else {
                joined.to_vec()
            };
            self.enqueue(*at, Item::View { left: left.to_vec(), joined, ring, is_quorate });
            if !self.rules.is_eager {
                self.enqueue(*at, Item::Quorum(ring, is_quorate));
            }
        }
    }

    /// A daemon joins those whom it reaches.
    pub(crate) fn join(&mut self, at: usize, member: Member) {
        self.hosts[at].joined = Some(member);
        self.tell_view(self.hosts[at].side, &[], &[member]);
    }

    /// A daemon is gone, and its corosync says so in order.
    pub(crate) fn process_down(&mut self, at: usize) {
        if let Some(member) = self.hosts[at].joined.take() {
            self.tell_view(self.hosts[at].side, &[member], &[]);
        }
    }

    /// Returns how many messages could be lost if these hosts go on together without the others.
    pub(crate) fn droppable(&self, side: &[usize]) -> usize {
        self.tail(side).len()
    }

    /// Returns the messages, counted from the end of the inboxes, that nobody of these hosts has delivered, whose sender
    /// is not among them, and that were sent in the present view.
    fn tail(&self, side: &[usize]) -> Vec<usize> {
        let members: Vec<_> = side.iter().filter_map(|at| self.hosts[*at].joined).collect();
        let alive =
            side.iter().filter(|at| self.hosts[**at].daemon.is_some() && self.hosts[**at].has_corosync);
        let Some(shortest) = alive.map(|at| &self.hosts[*at].inbox).min_by_key(|inbox| inbox.len()) else {
            return Vec::new();
        };
        let in_view =
            shortest.iter().rev().enumerate().take_while(|(_, item)| !matches!(item, Item::View { .. }));
        let is_lost = |item: &Item| match item {
            Item::Word(from, _) | Item::Hello(from, _) => !members.contains(from),
            Item::View { .. } | Item::Quorum(..) | Item::Lost => false,
        };
        let mut tail: Vec<_> = in_view.filter(|(_, item)| is_lost(item)).map(|(back, _)| back).collect();
        tail.reverse();
        tail
    }

    /// These hosts go on together, without the rest of their side; of what could be lost, `kept` messages are not.
    pub(crate) fn go_on(&mut self, side: &[usize], others: &[Member], kept: usize) {
        let lost: Vec<_> = self.tail(side).into_iter().skip(kept).collect();
        for at in side {
            let inbox = &mut self.hosts[*at].inbox;
            let length = inbox.len();
            let mut index = 0;
            inbox.retain(|_| {
                index += 1;
                !lost.contains(&(length - index))
            });
        }
        if let Some(first) = side.first() {
            self.tell_view(self.hosts[*first].side, others, &[]);
        }
    }

    /// The group finds out that a host does not answer.
    pub(crate) fn detect(&mut self, at: usize, kept: usize) {
        let Some(member) = self.hosts[at].joined.take() else { return };
        let rest: Vec<_> = self.joined_on(self.hosts[at].side).into_iter().map(|(at, _)| at).collect();
        self.go_on(&rest, &[member], kept);
    }

    /// The hosts in `away` and the rest of their side do not reach one another any more.
    pub(crate) fn part(&mut self, away: &[usize], kept: [usize; 2]) {
        let side = self.hosts[away[0]].side;
        let next = self.hosts.iter().map(|host| host.side).max().map_or(0, |side| side + 1);
        let all = self.joined_on(side);
        let (gone, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, _)| away.contains(at));
        // Hosts without a daemon in the group go as well.
        for at in away {
            self.hosts[*at].side = next;
        }
        for ((here, there), kept) in [(&rest, &gone), (&gone, &rest)].into_iter().zip(kept) {
            let side: Vec<_> = here.iter().map(|(at, _)| *at).collect();
            let others: Vec<_> = there.iter().map(|(_, member)| *member).collect();
            self.go_on(&side, &others, kept);
        }
    }

    /// All sides reach one another again: each sees the others join.
    pub(crate) fn merge(&mut self) {
        let sides: Vec<_> = self.hosts.iter().map(|host| host.side).collect();
        let before: Vec<Vec<Member>> = (0..self.hosts.len())
            .map(|at| self.joined_on(sides[at]).into_iter().map(|(_, member)| member).collect())
            .collect();
        self.hosts.iter_mut().for_each(|host| host.side = 0);
        self.rings += 1;
        let ring = Ring { node: 1, sequence: self.rings };
        let all = self.joined_on(0);
        let is_quorate = all.len() * 2 > self.hosts.len();
        for (at, _) in &all {
            let strangers = all.iter().map(|(_, member)| *member);
            let joined = strangers.filter(|member| !before[*at].contains(member)).collect();
            self.enqueue(*at, Item::View { left: Vec::new(), joined, ring, is_quorate });
            if !self.rules.is_eager {
                self.enqueue(*at, Item::Quorum(ring, is_quorate));
            }
        }
    }
}
