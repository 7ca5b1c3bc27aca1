//! Opening a database that somebody else may have made: it can neither run anything nor take memory or time without end.
//!
//! A collection may come from a stranger, and SQLite's schema is a program: a view in the place of a table gives rows
//! without end, a computed column gives hundreds of megabytes for a byte on disk, a virtual table runs a module. So
//! only ordinary tables with ordinary columns are read, and beside that SQLite's own limits hold: for the length of a
//! value, for its memory, and for its steps, which grow with the file's size.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use super::error::StoreError;
use super::resting_database::unchanging;
use super::schema::DATABASE;
use crate::plain_file::{self, Kind};

/// The longest value that is read or written, in bytes: ten times the seek index of a track of twelve hours.
const LONGEST_VALUE: i32 = 32 << 20;
/// Memory of all of SQLite, in bytes. To sort the rows of a million tracks takes some sixty megabytes.
const HEAP_BYTES: i64 = 512 << 20;
/// Steps of SQLite's machine that any database may take, and those for each of its bytes. A row of 20 bytes is read
/// once for each of nine spaces, in some ten steps.
const STEPS: u64 = 10_000_000;
const STEPS_A_BYTE: u64 = 32;
/// Steps between two looks at how many were taken.
const STEPS_BETWEEN: i32 = 10_000;
/// Characters of a title, a name or a reason beyond which it is cut.
const LONGEST_TEXT: usize = 1000;
/// Bytes of the longest path: what Windows takes.
const LONGEST_PATH: usize = 32_767;
/// What SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Opens a database so that it can do no harm; errors name `path`, whose it is. Its tables are still to be checked by
/// [`check_tables`]. With `SQLITE_OPEN_URI`: as a file that nobody changes.
///
/// # Errors
/// Where the file, or what SQLite keeps beside it, is no plain file in its folder; what the disk and SQLite say.
pub(super) fn open_database(file: &Path, flags: OpenFlags, path: &Path) -> Result<Connection, StoreError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = match plain_file::inside(folder, file) {
        Ok(real) => real,
        // It is made; but not where a link leads.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && flags.contains(OpenFlags::SQLITE_OPEN_CREATE) => {
            let folder = folder.canonicalize().map_err(StoreError::io("read", path))?;
            folder.join(file.file_name().unwrap_or_default())
        }
        Err(error) => return Err(refused(file, error, path)),
    };
    for ending in BESIDE {
        let mut name = real.clone().into_os_string();
        name.push(ending);
        let beside = Path::new(&name);
        match std::fs::symlink_metadata(beside) {
            Ok(about) => Kind::of(about.file_type()).map_or(Ok(()), |kind| Err(refused(beside, kind.into(), path)))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(refused(beside, error, path)),
        }
    }
    let name = if flags.contains(OpenFlags::SQLITE_OPEN_URI) { unchanging(&real) } else { real.clone() };
    let mut database = Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_NOFOLLOW).map_err(StoreError::database(path))?;
    restrict(&database).map_err(StoreError::database(path))?;
    limit_steps(&mut database, &real).map_err(StoreError::database(path))?;
    Ok(database)
}

/// What was no plain file is damage of the collection, by its name.
fn refused(file: &Path, error: std::io::Error, path: &Path) -> StoreError {
    match Kind::refused(&error) {
        Some(kind) => StoreError::damaged(path, format!("{} {kind}", file.file_name().unwrap_or_default().to_string_lossy())),
        None => StoreError::io("read", file)(error),
    }
}

/// Nothing of the schema runs, and nothing grows without end.
fn restrict(database: &Connection) -> rusqlite::Result<()> {
    for (feature, is_on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    ] {
        database.set_db_config(feature, is_on)?;
    }
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    database.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    database.busy_timeout(std::time::Duration::from_secs(10))?;
    // A disk for temporary files that is full would be taken for the collection's.
    database.pragma_update(None, "temp_store", "MEMORY")?;
    // A cell that claims more than its page has is damage, and not read.
    database.pragma_update(None, "cell_size_check", true)?;
    // The program's, and not the connection's: it only ever gets lower.
    database.query_row(&format!("PRAGMA hard_heap_limit = {HEAP_BYTES}"), [], |_| Ok(()))
}

/// Ends every statement from now on whose steps, all together, are out of all proportion to the file's size.
pub(super) fn limit_steps(database: &mut Connection, file: &Path) -> rusqlite::Result<()> {
    let bytes_of = |ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        std::fs::metadata(&name).map_or(0, |about| about.len())
    };
    let bytes: u64 = std::iter::once("").chain(BESIDE).map(bytes_of).sum();
    let mut left = STEPS.saturating_add(bytes.saturating_mul(STEPS_A_BYTE));
    let between = u64::from(STEPS_BETWEEN.unsigned_abs());
    database.progress_handler(
        STEPS_BETWEEN,
        Some(move || {
            left = left.saturating_sub(between);
            left == 0
        }),
    )
}

/// Lets statements take as many steps as they need: for a writer, whose statements are the program's own.
pub(super) fn lift_steps(database: &mut Connection) -> rusqlite::Result<()> {
    database.progress_handler(0, None::<fn() -> bool>)
}

/// Looks whether those of the tables that are there are ordinary ones, and all of their columns stored.
///
/// # Errors
/// In words for the user; what SQLite says.
pub(super) fn check_tables(database: &Connection, tables: &[&str], path: &Path) -> Result<(), StoreError> {
    for table in tables {
        let found = unusual(database, table).map_err(table_error(path, "sqlite_schema"))?;
        if let Some(why) = found {
            return Err(StoreError::damaged(path, format!("{table} is no ordinary table: {why}")));
        }
    }
    Ok(())
}

/// Why a table is no ordinary one; `None` where it is, or where there is none.
fn unusual(database: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = database.prepare("SELECT type, rootpage FROM sqlite_schema WHERE name = ? COLLATE NOCASE")?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let (kind, root): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
        match kind.as_str() {
            "table" if root.is_some_and(|root| root > 0) => {}
            "table" => return Ok(Some("it is a virtual table".to_owned())),
            other => return Ok(Some(format!("it is something else ({})", cut(other)))),
        }
    }
    // What the schema's text makes of it, whatever its other columns say.
    let mut statement = database.prepare(&format!("PRAGMA table_xinfo({table})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, hidden): (String, i64) = (row.get("name")?, row.get("hidden")?);
        if hidden != 0 {
            return Ok(Some(format!("its column '{}' is not stored but computed", cut(&name))));
        }
    }
    Ok(None)
}

/// A missing table, a value of another type or one that is too much is damage; a busy or unreadable database is the
/// database's own error.
pub(super) fn table_error(path: &Path, table: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::damaged(path, format!("{DATABASE} is no database")),
        Some(ErrorCode::TooBig) => StoreError::damaged(path, format!("a value in the table '{table}' has more than {LONGEST_VALUE} bytes")),
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted) => {
            StoreError::damaged(path, format!("reading the table '{table}' takes far more than its size explains"))
        }
        None | Some(ErrorCode::Unknown) => StoreError::damaged(path, format!("the table '{table}' is not as it should be ({error})")),
        Some(_) => StoreError::Database { source: error, path: path.to_owned() },
    }
}

/// A text of at most a thousand characters; of a longer one the beginning, and `…`.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LONGEST_TEXT - 1).chain(['…']).collect(),
    }
}

/// The text in a column, cut where it is too long to be shown; `None` for NULL.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(borrowed(row, column)?.map(cut))
}

/// The path in a column.
pub(super) fn path_text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    match borrowed(row, column)? {
        Some(path) if path.len() <= LONGEST_PATH => Ok(path.to_owned()),
        Some(path) => Err(unfit(column, format!("a path of {} bytes", path.len()))),
        None => row.get(column),
    }
}

/// An error for a value that its table may not have.
pub(super) fn unfit(column: usize, why: impl Into<String>) -> rusqlite::Error {
    let why: String = why.into();
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

fn borrowed<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        value => {
            value.as_str().map(Some).map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, value.data_type(), error.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let exact = "é".repeat(LONGEST_TEXT);
        assert_eq!(cut(&exact), exact);
        let long = cut(&"é".repeat(LONGEST_TEXT + 1));
        assert_eq!(long, format!("{}…", "é".repeat(LONGEST_TEXT - 1)));
    }

    #[test]
    fn steps_out_of_all_proportion_to_the_file_end_a_statement() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut database = open_database(&file, flags, folder.path()).unwrap();
        let count = |database: &Connection, rows: i64| -> rusqlite::Result<i64> {
            let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT count(*) FROM n";
            database.query_row(sql, [rows], |row| row.get(0))
        };
        assert_eq!(count(&database, 1000).unwrap(), 1000);
        let error = count(&database, 1 << 40).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted));
        assert!(table_error(folder.path(), "n")(error).to_string().contains("far more than its size"));
        limit_steps(&mut database, &file).unwrap();
        assert_eq!(count(&database, 1000).unwrap(), 1000, "a new limit begins anew");
        lift_steps(&mut database).unwrap();
        assert_eq!(count(&database, 5_000_000).unwrap(), 5_000_000);
    }

    #[test]
    fn a_value_is_no_longer_than_the_limit_however_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let database = open_database(&folder.path().join("a.sqlite"), flags, folder.path()).unwrap();
        for sql in ["SELECT hex(zeroblob(400000000))", "SELECT length(printf('%.*c', 400000000, 'x'))", "SELECT length(zeroblob(40000000))"]
        {
            let error = database.query_row(sql, [], |_| Ok(())).unwrap_err();
            assert_eq!(error.sqlite_error_code(), Some(ErrorCode::TooBig), "{sql}");
        }
    }
}
