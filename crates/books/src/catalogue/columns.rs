//! The columns of `books`, once, with their names in exports: a table that everything else is made from.

/// A column of `books`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in the database.
    pub name: &'static str,
    /// Its header in exported files.
    pub header: &'static str,
}

const fn column(name: &'static str, header: &'static str) -> Column {
    Column { name, header }
}

/// All columns in the order of the table and of exported files. Names and headers are an interface.
pub const COLUMNS: [Column; 54] = [
    column("barcode", "Barcode"),
    column("title", "Title"),
    column("scanned_date", "Scanned Date"),
    column("converted_date", "Converted Date"),
    column("downloaded_date", "Downloaded Date"),
    column("processed_date", "Processed Date"),
    column("analyzed_date", "Analyzed Date"),
    column("ocr_date", "OCR Date"),
    column("google_books_link", "Google Books Link"),
    column(
        "processing_request_timestamp",
        "Processing Request Timestamp",
    ),
    column("grin_state", "GRIN State"),
    column("grin_viewability", "GRIN Viewability"),
    column("grin_opted_out", "GRIN Opted Out"),
    column("grin_conditions", "GRIN Conditions"),
    column("grin_scannable", "GRIN Scannable"),
    column("grin_tagging", "GRIN Tagging"),
    column("grin_audit", "GRIN Audit"),
    column("grin_material_error_percent", "GRIN Material Error %"),
    column("grin_overall_error_percent", "GRIN Overall Error %"),
    column("grin_claimed", "GRIN Claimed"),
    column("grin_ocr_analysis_score", "GRIN OCR Analysis Score"),
    column("grin_ocr_gtd_score", "GRIN OCR GTD Score"),
    column("grin_digitization_method", "GRIN Digitization Method"),
    column("grin_check_in_date", "GRIN Check-In Date"),
    column("grin_source_library_bibkey", "GRIN Source Library Bibkey"),
    column("grin_rubbish", "GRIN Rubbish"),
    column(
        "grin_allow_download_updated_date",
        "GRIN Allow Download Updated Date",
    ),
    column(
        "grin_viewability_updated_date",
        "GRIN Viewability Updated Date",
    ),
    column("enrichment_timestamp", "Enrichment Timestamp"),
    column("marc_control_number", "MARC Control Number"),
    column("marc_date_type", "MARC Date Type"),
    column("marc_date_1", "MARC Date 1"),
    column("marc_date_2", "MARC Date 2"),
    column("marc_language", "MARC Language"),
    column("marc_lccn", "MARC LCCN"),
    column("marc_lc_call_number", "MARC LC Call Number"),
    column("marc_isbn", "MARC ISBN"),
    column("marc_oclc_numbers", "MARC OCLC Numbers"),
    column("marc_title", "MARC Title"),
    column("marc_title_remainder", "MARC Title Remainder"),
    column("marc_author_personal", "MARC Author Personal"),
    column("marc_author_corporate", "MARC Author Corporate"),
    column("marc_author_meeting", "MARC Author Meeting"),
    column("marc_subjects", "MARC Subjects"),
    column("marc_genres", "MARC Genres"),
    column("marc_general_note", "MARC General Note"),
    column("marc_extraction_timestamp", "MARC Extraction Timestamp"),
    column("storage_path", "Storage Path"),
    column("last_etag_check", "Last ETag Check"),
    column("encrypted_etag", "Encrypted ETag"),
    column("is_decrypted", "Is Decrypted"),
    column("sync_timestamp", "Sync Timestamp"),
    column("created_at", "Created At"),
    column("updated_at", "Updated At"),
];

/// The one column that is no text.
pub(crate) const IS_DECRYPTED: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_list_agree() {
        let sql = include_str!("../../sql/schema.sql");
        let books = sql
            .split("CREATE TABLE IF NOT EXISTS books (")
            .nth(1)
            .unwrap();
        let declared: Vec<_> = books
            .split(");")
            .next()
            .unwrap()
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let listed: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(declared, listed);
        assert_eq!(COLUMNS[IS_DECRYPTED].name, "is_decrypted");
    }
}
