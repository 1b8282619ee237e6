//! What is news to a client that watches changes. Pure.

use std::sync::Arc;

use lvmwarden_protocol::api::reconfigure::{Change, Error};

/// What a client watches, and what it was told of that.
#[derive(Debug)]
pub struct Following {
    only: Option<String>,
    /// As it was last looked at: what the board has forgotten is forgotten here.
    told: Vec<Arc<Change>>,
}

impl Following {
    /// Begins to watch the change of this id; `None`: all.
    pub fn new(only: Option<String>) -> Self {
        Self { only, told: Vec::new() }
    }

    /// Tells whether it is about one change.
    pub fn is_of_one(&self) -> bool {
        self.only.is_some()
    }

    /// Returns which of all changes, as they are now, were not told so.
    ///
    /// # Errors
    /// `NotFound`: the one that is watched is not known any more.
    pub fn news(&mut self, mut all: Vec<Arc<Change>>) -> Result<Vec<Arc<Change>>, Error> {
        if let Some(only) = &self.only {
            all.retain(|change| change.id == *only);
            if all.is_empty() {
                return Err(Error::NotFound { id: only.clone() });
            }
        }
        // The board exchanges a change only for another one.
        let is_new = |change: &&Arc<Change>| !self.told.iter().any(|told| Arc::ptr_eq(told, change));
        let news = all.iter().filter(is_new).cloned().collect();
        self.told = all;
        Ok(news)
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::api::reconfigure::Phase;

    use super::*;
    use crate::roles::reconfigure::board::tests::change;
    use crate::roles::reconfigure::board::{Board, ENDED};

    fn ids(news: Result<Vec<Arc<Change>>, Error>) -> Vec<String> {
        news.expect("it is known").iter().map(|change| change.id.clone()).collect()
    }

    #[test]
    fn what_is_as_it_was_told_is_no_news_and_what_is_forgotten_is_not_kept() {
        let (board, mut following) = (Board::default(), Following::new(None));
        board.put(change("aaaa", "vg0", Phase::Voting));
        board.put(change("bbbb", "vg1", Phase::Voting));
        assert_eq!(ids(following.news(board.all())), ["aaaa", "bbbb"]);
        board.put(change("bbbb", "vg1", Phase::Voting));
        assert_eq!(ids(following.news(board.all())), [""; 0]);
        board.put(change("bbbb", "vg1", Phase::Ended));
        assert_eq!(ids(following.news(board.all())), ["bbbb"]);
        for number in 0..3 * ENDED {
            board.put(change(&format!("{number:04}"), "vg2", Phase::Ended));
            assert_eq!(ids(following.news(board.all())).len(), 1);
        }
        assert_eq!(following.told.len(), ENDED + 1);
    }

    #[test]
    fn one_that_is_watched_and_forgotten_is_not_found() {
        let (board, mut following) = (Board::default(), Following::new(Some("aaaa".to_owned())));
        board.put(change("aaaa", "vg0", Phase::Voting));
        board.put(change("bbbb", "vg1", Phase::Voting));
        assert_eq!(ids(following.news(board.all())), ["aaaa"]);
        board.put(change("aaaa", "vg0", Phase::Ended));
        for number in 0..ENDED {
            board.put(change(&format!("{number:04}"), "vg2", Phase::Ended));
        }
        assert_eq!(following.news(board.all()), Err(Error::NotFound { id: "aaaa".to_owned() }));
    }
}
