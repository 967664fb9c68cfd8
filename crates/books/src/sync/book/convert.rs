//! A book whose archive GRIN does not have: it is stored already, or its conversion is asked for.

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::date;
use crate::sync::book::Book;
use crate::sync::convert::Conversion;
use crate::sync::shared::{BookOutcome, Fault, Halt, lock, turn};

impl Book<'_> {
    /// GRIN has the archive no more, and the store has it.
    pub(super) fn reconcile(&mut self) -> BookOutcome {
        let now = date::now();
        self.record.fields.last_etag_check = Some(now.clone());
        self.record.fields.sync_timestamp = Some(now);
        self.record.recovered = true;
        self.history.sync(
            "completed",
            &[
                ("reason", "skip_found_in_storage_not_grin".into()),
                ("reconciled_from_storage", true.into()),
            ],
        );
        BookOutcome::Skipped("it is stored, and GRIN has it no more")
    }

    /// Asks GRIN to convert it. It gives its place in the air up meanwhile.
    pub(super) async fn convert(
        &mut self,
        place: OwnedSemaphorePermit,
    ) -> Result<BookOutcome, Halt> {
        let shared = self.shared;
        let known = lock(&shared.failed_conversions).get(self.barcode).cloned();
        let known = known.filter(|_| !shared.options.force);
        let reason = match known {
            Some(_) => "fail_known_conversion_failure",
            None => "fail_archive_missing",
        };
        self.record.fields.last_etag_check = Some(date::now());
        self.history.sync(
            "check_failed",
            &[
                ("reason", reason.into()),
                ("etag", Value::Null),
                ("file_size_bytes", Value::Null),
                ("http_status_code", 404.into()),
            ],
        );
        if let Some(failed) = known {
            let said = format!(
                "GRIN could not convert it: {} {}",
                failed.info, failed.detail
            );
            self.history.add(
                "conversion",
                "conversion_failed",
                &[
                    ("grin_convert_failed_date", failed.date.into()),
                    ("grin_convert_failed_info", failed.info.into()),
                    ("grin_detailed_convert_failed_info", failed.detail.into()),
                ],
            );
            return Ok(BookOutcome::Unconvertible(said.trim_end().to_owned()));
        }
        let _asking = turn(&shared.asking).await?;
        drop(place);
        let asked = shared
            .converter
            .ask(&shared.grin, &shared.cancel, self.barcode)
            .await;
        if shared.cancel.is_requested() && asked.is_err() {
            return Err(Halt::Stopped);
        }
        let told = asked.map_err(|reason| Fault::new("request", reason, true))?;
        let (value, status, reason) = words(&told.conversion);
        self.history.add(
            "conversion",
            value,
            &[
                ("conversion_status", status.into()),
                ("request_count", told.count.into()),
                ("grin_response", told.response.clone().into()),
                ("reason", reason.into()),
            ],
        );
        Ok(match told.conversion {
            Conversion::Requested => {
                self.record.fields.requested_at = Some(date::now());
                BookOutcome::Requested
            }
            Conversion::InProcess => BookOutcome::Waiting("it is being converted"),
            Conversion::Available => BookOutcome::Waiting("it has just been converted"),
            Conversion::Full => BookOutcome::Waiting(
                "GRIN's queue of conversions is full; the next sync asks for it again",
            ),
            Conversion::Refused => {
                BookOutcome::Unconvertible(format!("GRIN says `{}`", told.response))
            }
            Conversion::Unknown => {
                let reason = format!("GRIN says `{}`, which decides nothing", told.response);
                return Err(Fault::new("request", reason, true).into());
            }
        })
    }
}

/// The status, the conversion's status and the reason, in the words of the run's history.
fn words(conversion: &Conversion) -> (&'static str, &'static str, &'static str) {
    match conversion {
        Conversion::Requested => ("requested", "requested", "success_conversion_requested"),
        Conversion::InProcess => ("in_process", "in_process", "skip_already_in_process"),
        Conversion::Available => ("skipped", "already_available", "skip_already_available"),
        Conversion::Refused => ("unavailable", "unavailable", "skip_verified_unavailable"),
        Conversion::Full => (
            "limit_reached",
            "queue_limit_reached",
            "fail_queue_limit_reached",
        ),
        Conversion::Unknown => ("failed", "failed", "fail_unexpected_answer"),
    }
}
