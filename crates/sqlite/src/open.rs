//! The order of the steps from a path to a [`Db`].

use std::sync::Arc;

use crate::connect;
use crate::create;
use crate::db::Db;
use crate::error::Error;
use crate::home::Home;
use crate::options::Options;
use crate::report::Meter;
use crate::schema::{inspect, owner, upgrade};

impl Options {
    /// Opens the database for reading and writing, creating or upgrading it where needed.
    ///
    /// A missing file is built beside its place and appears at once, complete. An existing file is first compared with
    /// the schemas by reading; only if something is missing is the write lock taken, once.
    pub fn open(mut self) -> Result<Db, Error> {
        self.make_absolute()?;
        let mut settings = self.settings;
        create::remove_abandoned(&settings.path);
        if !create::exists(&settings.path)? {
            if !self.create {
                return Err(Error::CannotOpen {
                    path: settings.path,
                    reason: "there is no such file".into(),
                });
            }
            create::fresh(&settings, &self.schemas)?;
        }
        create::refuse_one_byte(&settings.path)?;
        let meter = Arc::new(Meter::default());
        let home = Home::of(&settings.path)?;
        let mut connection = connect::writer(&settings)?;
        // Whatever was opened in between, it is what the path named before and after.
        home.check()?;
        owner::check(&connection, &settings, &self.schemas)?;
        connect::prepare(&connection, &settings)?;
        settings.home = Some(home);
        let warnings =
            upgrade::bring_up_to_date(&mut connection, &settings, &self.schemas, &meter)?;
        connect::end_upgrade(&connection, &settings.path)?;
        Db::start(settings, connection, meter, warnings)
    }

    /// Opens the database for reading only; nothing is created, upgraded or locked.
    ///
    /// Nothing is left behind either: where the file may be written, the last reader removes the WAL and its shared
    /// memory, and finishes what a killed process left in them. On read-only media, and where only reading is allowed and
    /// nobody has the file open, it is opened as immutable. A file that holds nothing at all is no database.
    pub fn open_read_only(mut self) -> Result<Db, Error> {
        self.make_absolute()?;
        let settings = self.settings;
        if !create::exists(&settings.path)? {
            return Err(Error::CannotOpen {
                path: settings.path,
                reason: "there is no such file".into(),
            });
        }
        let (connection, access) = connect::probe_reader(&settings)?;
        // Read as a database, it would be told as a collection without a single item.
        let is_empty = !self.schemas.is_empty()
            && inspect::is_empty(&connection)
                .map_err(|error| Error::sqlite(&settings.path, error))?;
        if is_empty {
            return Err(Error::NotADatabase {
                path: settings.path,
            });
        }
        owner::check(&connection, &settings, &self.schemas)?;
        let warnings = upgrade::compare_read_only(&connection, &settings.path, &self.schemas)?;
        Ok(Db::read_only(settings, connection, access, warnings))
    }

    /// A relative path would name another file after a change of directory; readers open late.
    fn make_absolute(&mut self) -> Result<(), Error> {
        let path = std::path::absolute(&self.settings.path)
            .map_err(|error| Error::io(&self.settings.path, &error))?;
        self.settings.path = path;
        Ok(())
    }
}
