//! Which passage of a file that is heard again is which of those that were there.

use audio::Ticks;

use crate::id::PassageId;
use crate::library::former::FormerPassage;

/// The id of the former passage that shares most of its time with this one, if that is more than half. Where several
/// have become one, as when a split is taken back, the first of them stays, as with passages that a person joins.
pub(crate) fn claim(
    former: &mut Vec<FormerPassage>,
    start: Ticks,
    end: Ticks,
) -> Option<PassageId> {
    let shared = |old: &FormerPassage| old.end.min(end).0 - old.start.max(start).0;
    let is_part = |old: &FormerPassage| shared(old) * 2 > old.end.0 - old.start.0;
    let parts = former.iter().filter(|old| is_part(old));
    let (count, all) = parts.fold((0, 0), |(count, all), old| (count + 1, all + shared(old)));
    if count > 1 && all * 2 > end.0 - start.0 {
        let begun = former.iter().enumerate().filter(|(_, old)| is_part(old));
        let (at, _) = begun.min_by_key(|(_, old)| old.start)?;
        return Some(former.swap_remove(at).id);
    }
    let (at, best) = former
        .iter()
        .enumerate()
        .max_by_key(|(_, old)| shared(old))?;
    let longer = (end.0 - start.0).max(best.end.0 - best.start.0);
    (shared(best) * 2 > longer).then(|| former.swap_remove(at).id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn former(start: i64, end: i64) -> FormerPassage {
        FormerPassage {
            id: PassageId::random(),
            start: Ticks(start),
            end: Ticks(end),
        }
    }

    #[test]
    fn a_passage_keeps_its_id_while_most_of_it_stays() {
        let mut known = vec![former(0, 100), former(100, 300)];
        let second = known[1].id.clone();
        assert_eq!(claim(&mut known, Ticks(110), Ticks(310)), Some(second));
        assert_eq!(claim(&mut known, Ticks(0), Ticks(300)), None);
        assert_eq!(claim(&mut known, Ticks(300), Ticks(400)), None);
        assert_eq!(known.len(), 1);
    }

    #[test]
    fn of_passages_that_become_one_the_first_stays() {
        let mut known = vec![former(200, 300), former(0, 40), former(40, 200)];
        let first = known[1].id.clone();
        assert_eq!(claim(&mut known, Ticks(0), Ticks(300)), Some(first));
        assert_eq!(known.len(), 2);
    }
}
