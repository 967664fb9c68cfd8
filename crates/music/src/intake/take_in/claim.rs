//! Which passage of a file that is heard again is which of those that were there.

use audio::Ticks;

use crate::id::PassageId;
use crate::library::former::FormerPassage;

/// The ids of the passages of a file that is cut anew, in order of time. Of one that was divided, the part that most of it
/// became keeps the id, though it may be less than half.
pub(crate) fn claim_all(
    mut former: Vec<FormerPassage>,
    spans: &[(Ticks, Ticks)],
) -> Vec<Option<PassageId>> {
    let mut ids: Vec<_> = spans
        .iter()
        .map(|(start, end)| claim(&mut former, *start, *end))
        .collect();
    former.sort_by_key(|old| old.start);
    for old in former {
        let shared = |(start, end): &(Ticks, Ticks)| old.end.min(*end).0 - old.start.max(*start).0;
        let parts = spans
            .iter()
            .enumerate()
            .filter(|(at, span)| ids[*at].is_none() && shared(span) * 2 > span.1.0 - span.0.0);
        // Of parts of one length, the first.
        if let Some((at, _)) = parts.rev().max_by_key(|(_, span)| shared(span)) {
            ids[at] = Some(old.id);
        }
    }
    ids
}

/// The id of the former passage that shares most of its time with this one, if that is more than half.
fn claim(former: &mut Vec<FormerPassage>, start: Ticks, end: Ticks) -> Option<PassageId> {
    let shared = |old: &FormerPassage| old.end.min(end).0 - old.start.max(start).0;
    let (at, best) = former
        .iter()
        .enumerate()
        .max_by_key(|(_, old)| shared(old))?;
    let longer = (end.0 - start.0).max(best.end.0 - best.start.0);
    (shared(best) * 2 > longer).then(|| former.swap_remove(at).id)
}

/// The id of the former passage that this one is when a person's cut is taken back: the first of those that most of lies
/// in it, as when a split is, or else the one that most of it lies in, as when passages were joined.
pub(crate) fn claim_back(
    former: &mut Vec<FormerPassage>,
    start: Ticks,
    end: Ticks,
) -> Option<PassageId> {
    let shared = |old: &FormerPassage| (old.end.min(end).0 - old.start.max(start).0) * 2;
    let is_inside = |old: &FormerPassage| shared(old) > old.end.0 - old.start.0;
    let is_around = |old: &FormerPassage| shared(old) > end.0 - start.0;
    let first = |is: &dyn Fn(&FormerPassage) -> bool| {
        let such = former.iter().enumerate().filter(|(_, old)| is(old));
        such.min_by_key(|(_, old)| old.start).map(|(at, _)| at)
    };
    let at = first(&is_inside).or_else(|| first(&is_around))?;
    Some(former.swap_remove(at).id)
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
    fn the_largest_part_of_a_passage_that_is_divided_keeps_its_id() {
        let known = vec![former(0, 100), former(100, 300)];
        let ids = [known[0].id.clone(), known[1].id.clone()];
        let spans = [(0, 98), (100, 170), (170, 240), (240, 300)];
        let spans = spans.map(|(start, end)| (Ticks(start), Ticks(end)));
        let [first, second] = ids.map(Some);
        assert_eq!(claim_all(known, &spans), [first, second, None, None]);
    }

    #[test]
    fn of_passages_that_become_one_again_the_first_stays() {
        let mut known = vec![former(200, 300), former(0, 40), former(40, 200)];
        let first = known[1].id.clone();
        assert_eq!(claim_back(&mut known, Ticks(0), Ticks(300)), Some(first));
        assert_eq!(known.len(), 2);
        let mut joined = vec![former(0, 300)];
        let id = joined[0].id.clone();
        assert_eq!(claim_back(&mut joined, Ticks(0), Ticks(40)), Some(id));
        assert_eq!(claim_back(&mut joined, Ticks(40), Ticks(300)), None);
        let mut trimmed = vec![former(200, 300)];
        let id = trimmed[0].id.clone();
        assert_eq!(claim_back(&mut trimmed, Ticks(0), Ticks(300)), Some(id));
    }
}
