//! Which releases to ask about for an album, and in what order.

use std::collections::HashMap;

use crate::catalogue::Credit;
use crate::catalogue::FoundRelease;
use crate::catalogue::Release;
use crate::catalogue::ReleaseName;
use crate::identify::ask::CachedServices;
use crate::identify::evidence::Candidate;
use crate::identify::text::{AlbumName, Albums, Artists, are_other_scripts, artists};
use crate::library::due::Item;
use crate::library::identification::State;
use crate::services::Trouble;
use crate::services::musicbrainz::{phrase, words};

use super::artist_of;
use super::fit::fit;
use super::pool::Pool;

/// Releases looked up for one album at most. An album has one release in the catalogue more often than
/// not; where it has many, a search for its recordings has told of most of them. A guess.
const MOST_LOOKED_UP: usize = 6;

/// Releases of one name with other recordings of the same songs that are looked at: an album and what was made of it later.
/// A guess.
const MOST_RIVALS: usize = 2;

/// Files of an album whose lengths together are those of no other album of its artist. A guess.
const LEAST_BY_LENGTHS: usize = 4;

/// What is asked about releases, while something is not settled.
struct Asking<'a> {
    asker: &'a CachedServices<'a>,
    items: &'a [Item],
    found: Vec<Release>,
    looked_up: usize,
}

/// Asks for releases until every passage is settled or there is nothing more to ask.
pub(super) async fn ask(
    asker: &CachedServices<'_>,
    items: &[Item],
    pools: &mut [Pool],
) -> Vec<Release> {
    let mut asking = Asking {
        asker,
        items,
        found: Vec::new(),
        looked_up: 0,
    };
    if let Err(trouble) = asking.run(pools).await {
        for pool in pools.iter_mut() {
            pool.trouble.get_or_insert_with(|| trouble.clone());
        }
    }
    asking.found
}

impl Asking<'_> {
    async fn run(&mut self, pools: &mut [Pool]) -> Result<(), Trouble> {
        let is_rip = self.items.len() > 1 && self.items.iter().all(|item| !item.alone);
        let by_tags = self.named_by_id();
        if !by_tags.is_empty() && !self.is_settled(pools) {
            self.look_up(&by_tags, pools).await?;
        }
        // The best that fingerprints name: it may settle all, and it tells more than a search.
        let named = self.named_by_sound(pools);
        if (is_rip || !self.is_settled(pools)) && self.items.len() > 1 {
            self.look_up(&named[..named.len().min(1)], pools).await?;
        }
        if !self.is_settled(pools) && self.items.len() > 1 {
            self.recordings_of_album(pools).await?;
        }
        if !self.is_settled(pools) && self.items.len() > 1 {
            self.look_up(&named, pools).await?;
        }
        if !self.is_settled(pools) {
            let searched = self.searched(pools).await?;
            self.look_up(&searched, pools).await?;
        }
        self.look_up_rivals(pools).await?;
        if self.items.len() >= LEAST_BY_LENGTHS && is_unheard_of(pools) {
            let of_artist = self.of_artist_elsewhere().await?;
            self.look_up(&of_artist, pools).await?;
        }
        Ok(())
    }

    /// Releases with as many tracks as there are files, of an artist whom the catalogue has in other letters
    /// than the tags and with the tags' name as an alias: titles cannot be asked for, lengths tell the album.
    async fn of_artist_elsewhere(&self) -> Result<Vec<String>, Trouble> {
        let Some(artist) = artist_of(self.items) else {
            return Ok(Vec::new());
        };
        let name = phrase(&artist);
        let found = self
            .asker
            .search_artists(&format!("alias:{name} OR sortname:{name}"))
            .await?;
        let is_it = |one: &&Credit| {
            let names = one.aliases.iter().chain([&one.sort_name]);
            are_other_scripts(&artist, &one.name)
                && artists(&artist, names.map(String::as_str)) == Artists::Same
        };
        // Several may be called that in Latin letters.
        let ids: Vec<_> = found
            .iter()
            .filter(is_it)
            .map(|one| one.mbid.as_str())
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = format!(
            "arid:({}) AND tracks:{}",
            ids.join(" OR "),
            self.items.len()
        );
        let mut releases = self.asker.search_releases(&query).await?;
        releases.sort_by(|a, b| a.name.mbid.cmp(&b.name.mbid));
        Ok(releases.into_iter().map(|one| one.name.mbid).collect())
    }

    /// Whether every passage is settled, or a person has decided.
    fn is_settled(&self, pools: &[Pool]) -> bool {
        let is_settled = |(item, pool): (&Item, &Pool)| {
            item.state.is_some_and(State::is_decided) || pool.is_settled(item)
        };
        self.items.iter().zip(pools).all(is_settled)
    }

    async fn look_up(&mut self, wanted: &[String], pools: &mut [Pool]) -> Result<(), Trouble> {
        for mbid in wanted {
            let is_known = self.found.iter().any(|known| known.name.mbid == *mbid);
            if is_known || self.looked_up >= MOST_LOOKED_UP {
                continue;
            }
            self.looked_up += 1;
            if let Some(release) = self.asker.release(mbid).await? {
                fit(self.items, pools, &release);
                self.found.push(release);
            }
            if self.is_settled(pools) {
                break;
            }
        }
        Ok(())
    }

    /// Looks at the release of the same name that has other recordings of the same songs, if it was not asked about: what
    /// was not looked at fits no file, and would lose to what was.
    async fn look_up_rivals(&mut self, pools: &mut [Pool]) -> Result<(), Trouble> {
        let mut votes = Vec::new();
        for (item, pool) in self.items.iter().zip(pools.iter()) {
            let album = item.heard.album.as_deref().filter(|_| item.due);
            let (Some(album), true) = (album, pool.candidates.len() > 1) else {
                continue;
            };
            let ours = AlbumName::parse(album, "");
            let Some(best) = pool.verdict(item).candidates.into_iter().next() else {
                continue;
            };
            let is_looked_at = |one: &Candidate| !one.contexts.is_empty();
            if !pool
                .candidates
                .get(&best.recording_mbid)
                .is_some_and(is_looked_at)
            {
                // Neither has been: the files would fit what is looked at now, and nothing else.
                continue;
            }
            let is_rival = |one: &&Candidate| {
                let recording = &one.recording;
                one.contexts.is_empty()
                    && best.recording_mbid != recording.mbid
                    && best.title == recording.title
                    && best.artist == recording.artist
            };
            let is_of_name = |release: &&ReleaseName| {
                ours.relation(&AlbumName::parse(&release.title, &release.remark)) == Albums::Same
            };
            let rivals = pool.candidates.values().filter(is_rival);
            let releases = rivals.flat_map(|one| one.recording.releases.iter().filter(is_of_name));
            votes.extend(releases.map(|release| (release.mbid.clone(), 1.0)));
        }
        let enough = (self.items.len() as f64 / 2.0).max(1.0);
        for mbid in ranked(votes.into_iter(), enough)
            .into_iter()
            .take(MOST_RIVALS)
        {
            if let Some(release) = self.asker.release(&mbid).await? {
                fit(self.items, pools, &release);
                self.found.push(release);
            }
        }
        Ok(())
    }

    /// Releases that tags name by id, those of most files first.
    fn named_by_id(&self) -> Vec<String> {
        let ids = self
            .items
            .iter()
            .filter_map(|item| item.tags.release_mbid.clone());
        ranked(ids.map(|id| (id, 1.0)), 0.5)
    }

    /// Releases that fingerprints name for several files, those of most files first.
    fn named_by_sound(&self, pools: &[Pool]) -> Vec<String> {
        let ours = self
            .items
            .iter()
            .find_map(|item| item.heard.album.as_deref());
        let ours = ours.map(|album| AlbumName::parse(album, ""));
        let mut votes: Vec<(String, f64)> = Vec::new();
        for pool in pools {
            let mut of_passage: HashMap<&str, f64> = HashMap::new();
            for candidate in pool.candidates.values() {
                let Some(print) = candidate.print else {
                    continue;
                };
                for release in &candidate.recording.releases {
                    let named = ours.as_ref().map_or(1.0, |ours| {
                        let theirs = AlbumName::parse(&release.title, &release.remark);
                        if ours.relation(&theirs) >= Albums::Similar {
                            2.0
                        } else {
                            0.6
                        }
                    });
                    let vote = of_passage.entry(&release.mbid).or_default();
                    *vote = vote.max(print.score * named);
                }
            }
            votes.extend(
                of_passage
                    .into_iter()
                    .map(|(id, vote)| (id.to_owned(), vote)),
            );
        }
        // One file says little of which of a hundred compilations it is from.
        let enough = if self.items.len() >= 3 { 1.5 } else { 0.5 };
        ranked(votes.into_iter(), enough)
    }

    fn album(&self) -> Option<&str> {
        let album = self
            .items
            .iter()
            .find_map(|item| item.heard.album.as_deref())?;
        (!album.to_lowercase().contains("unknown")).then_some(album)
    }

    /// One search that tells the recordings of an album, with the releases that they are on.
    async fn recordings_of_album(&mut self, pools: &mut [Pool]) -> Result<(), Trouble> {
        let Some(album) = self.album() else {
            return Ok(());
        };
        let alone = format!("release:{}", phrase(album));
        let by = artist_of(self.items)
            .map(|artist| format!("release:({}) AND artist:({})", words(album), words(&artist)));
        let is_by_somebody = by.is_some();
        let query = by.unwrap_or_else(|| alone.clone());
        let mut found = self.asker.search_recordings(&query).await?;
        if found.recordings.is_empty() && is_by_somebody {
            // The tags have the composer, or the game, for the artist.
            found = self.asker.search_recordings(&alone).await?;
        }
        for release in found.releases {
            let share = fit(self.items, pools, &release);
            let is_known = self
                .found
                .iter()
                .any(|known| known.name.mbid == release.name.mbid);
            if share > 0.0 && !is_known {
                self.found.push(release);
            }
        }
        // A release tells a track's own name and length; the recording tells all of its releases.
        for recording in &found.recordings {
            for pool in pools.iter_mut() {
                if pool.candidates.contains_key(&recording.mbid) {
                    pool.add(recording);
                }
            }
        }
        Ok(())
    }

    /// Releases found by the album's name that may tell more than is known, the likeliest first.
    async fn searched(&self, pools: &[Pool]) -> Result<Vec<String>, Trouble> {
        let Some(album) = self.album() else {
            return Ok(Vec::new());
        };
        let ours = AlbumName::parse(album, "");
        // A lone file whose album is known already learns nothing from that album's other tracks.
        let is_known = |(item, pool): (&Item, &Pool)| {
            item.alone
                && pool.candidates.values().any(|candidate| {
                    let mut releases = candidate.recording.releases.iter();
                    releases.any(|release| {
                        ours.relation(&AlbumName::parse(&release.title, "")) == Albums::Same
                    })
                })
        };
        if self.items.len() == 1 && self.items.iter().zip(pools).all(is_known) {
            return Ok(Vec::new());
        }
        if self.items.len() == 1 && super::names::plainly_named(&self.items[0]).is_some() {
            // Its own title is asked for; that tells its releases as well.
            return Ok(Vec::new());
        }
        let artist = artist_of(self.items);
        let by = artist.as_deref().map_or_else(String::new, |artist| {
            format!(" AND artist:({})", words(artist))
        });
        let found = self
            .asker
            .search_releases(&format!("release:({}){by}", words(album)))
            .await?;
        let is_complete = |id: &str| {
            let known = self.found.iter().find(|known| known.name.mbid == id);
            known.map_or(0, |known| known.tracks.len() as u64)
        };
        let mut scored: Vec<_> = found
            .into_iter()
            .filter(|release| is_complete(&release.name.mbid) < release.tracks)
            .filter_map(|release| {
                Some((
                    self.score(&ours, artist.as_deref(), &release)?,
                    release.name.mbid,
                ))
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        Ok(scored.into_iter().map(|(_, mbid)| mbid).collect())
    }

    /// How well a release's names and number of tracks fit; `None` for another one.
    fn score(&self, ours: &AlbumName, artist: Option<&str>, release: &FoundRelease) -> Option<f64> {
        let theirs = AlbumName::parse(&release.name.title, &release.name.remark);
        let album = match ours.relation(&theirs) {
            Albums::Same => 1.0,
            Albums::Similar => 0.8,
            Albums::OtherVersion => 0.4,
            Albums::Different => return None,
        };
        let by = artist.map_or(1.0, |artist| {
            match artists(artist, std::iter::once(release.artist.as_str())) {
                Artists::Same => 1.0,
                Artists::Shared | Artists::Misspelt => 0.7,
                Artists::Different => 0.2,
            }
        });
        let more = release.tracks.abs_diff(self.items.len() as u64) as f64;
        Some(album + by - (more * 0.02).min(0.3))
    }
}

/// Whether most files have no candidate at all.
fn is_unheard_of(pools: &[Pool]) -> bool {
    let unheard_of = pools.iter().filter(|pool| pool.candidates.is_empty());
    unheard_of.count() * 2 > pools.len()
}

/// Ids by the sum of their votes, the most first; those with fewer than `enough` are left out.
fn ranked(votes: impl Iterator<Item = (String, f64)>, enough: f64) -> Vec<String> {
    let mut sums: HashMap<String, f64> = HashMap::new();
    for (id, vote) in votes {
        *sums.entry(id).or_default() += vote;
    }
    let mut sums: Vec<_> = sums
        .into_iter()
        .filter(|(_, vote)| *vote >= enough)
        .collect();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sums.into_iter().map(|(id, _)| id).collect()
}
