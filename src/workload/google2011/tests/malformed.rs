//! Broken input: skipped and counted by reason, or refused with its place.

use super::*;

const SOUND: &str = "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n";

/// Broken task rows, the column that is at fault, and the reason.
const BROKEN: [(&str, u32, &str); 19] = [
    ("601,,7,1,,0,u,2,0,0.5,0.25,0", 0, "wrong number of columns"),
    ("601,,7,1,,0,u,2,0,0.5,0.25,0,0,0", 0, "wrong number of columns"),
    ("", 0, "wrong number of columns"),
    ("x,,7,1,,0,u,2,0,0.5,0.25,0,0", 1, "not a number"),
    (",,7,1,,0,u,2,0,0.5,0.25,0,0", 1, "value missing"),
    ("-601,,7,1,,0,u,2,0,0.5,0.25,0,0", 1, "negative number"),
    ("9223372036854775808,,7,1,,0,u,2,0,0.5,0.25,0,0", 1, "number too large"),
    ("599,,7,1,,0,u,2,0,0.5,0.25,0,0", 1, "time goes backwards"),
    ("601,3,7,1,,0,u,2,0,0.5,0.25,0,0", 2, "unknown code"),
    ("601,,9999999999999,1,,0,u,2,0,0.5,0.25,0,0", 3, "number too large"),
    ("601,,7,16777216,,0,u,2,0,0.5,0.25,0,0", 4, "number too large"),
    ("601,,7,1,m,0,u,2,0,0.5,0.25,0,0", 5, "not a number"),
    ("601,,7,1,,9,u,2,0,0.5,0.25,0,0", 6, "unknown code"),
    ("601,,7,1,,0,u,4,0,0.5,0.25,0,0", 8, "unknown code"),
    ("601,,7,1,,0,u,2,12,0.5,0.25,0,0", 9, "unknown code"),
    ("601,,7,1,,0,u,2,0,NaN,0.25,0,0", 10, "not a number"),
    ("601,,7,1,,0,u,2,0,-0.5,0.25,0,0", 10, "negative number"),
    ("601,,7,1,,0,u,2,0,0.5,1e300,0,0", 11, "number too large"),
    ("601,,7,1,,0,u,2,0,0.5,0.25,0,2", 13, "unknown code"),
];

#[test]
fn broken_rows_are_skipped_and_counted_by_reason() {
    for (row, _, reason) in BROKEN {
        let read = tasks(&format!("{SOUND}{row}\n700,,7,2,,0,u,2,0,0.5,0.25,0,0\n"));
        assert_eq!(read.pods().len(), 2, "{row}");
        assert_eq!(read.statistics.rows, 3, "{row}");
        assert_eq!(read.skipped(&format!("task_events: {reason}")), 1, "{row}");
    }
}

#[test]
fn a_strict_reader_stops_at_the_first_broken_row_and_names_the_place() {
    for (row, column, reason) in BROKEN {
        let text = format!("{SOUND}{row}\n");
        let tables = Tables { tasks: &text, ..Tables::default() };
        let error = tables.read_with(|config| config.strict = true).err().expect(row);
        let SourceError::Row { file, line, column: found, message } = error else {
            panic!("{row}: not a row error: {error}");
        };
        assert!(file.ends_with("task_events.csv"), "{file}");
        assert_eq!((line, found), (2, column), "{row}");
        let expected = if column == 0 { "columns expected" } else { reason };
        assert!(message.contains(expected), "{row}: {message}");
    }
}

#[test]
fn broken_rows_of_the_other_tables_are_counted_too() {
    let tables = Tables {
        tasks: SOUND,
        machines: "0,5,0,p,1,1\n0,6,7,p,1,1\n0,7,0,p,NaN,1\n",
        attributes: "0,5,a,1,0\n0,5,a,1,x\n",
        constraints: "600,7,0,4,a,1\n600,7,0\n",
    };
    let read = tables.read();
    for reason in [
        "machine_events: unknown code",
        "machine_events: not a number",
        "machine_attributes: unknown code",
        "task_constraints: unknown code",
        "task_constraints: wrong number of columns",
    ] {
        assert_eq!(read.skipped(reason), 1, "{reason}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("empty.csv"), "").unwrap();
    let text: String = (0..20_000).map(|i| format!("{i},,7,{i},,0,u,2,0,0.5,0.25,0,0\n")).collect();
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    fs::write(path("cut.csv.zst"), &packed[..packed.len() - 20]).unwrap();
    fs::create_dir(path("folder.csv")).unwrap();
    for (name, expected) in [
        ("missing.csv", "no such file"),
        ("empty.csv", "empty"),
        ("cut.csv.zst", "truncated"),
        ("folder.csv", "holds no .csv"),
    ] {
        let config =
            Google2011Config { machine_events: None, ..Google2011Config::new(path(name), "") };
        let read_all = || -> Result<(), SourceError> {
            let mut source = Google2011::open(&config)?;
            while source.next_record()?.is_some() {}
            Ok(())
        };
        let error = read_all().unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_folder_without_tables_or_with_several_files_for_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Google2011Config::in_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("neither"), "{error}");
    fs::write(folder.path().join("task_events_1.csv"), SOUND).unwrap();
    fs::write(folder.path().join("task_events_2.csv"), SOUND).unwrap();
    let error = Google2011Config::in_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("several files"), "{error}");
}

#[test]
fn a_table_in_parts_is_read_as_one_and_errors_name_the_part() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("task_events");
    fs::create_dir(&table).unwrap();
    fs::write(table.join("part-00000-of-00002.csv"), SOUND).unwrap();
    fs::write(table.join("part-00001-of-00002.csv"), "700,,7,0,,5,u,2,0,0.5,0.25,0,0\nx\n")
        .unwrap();
    let mut config = Google2011Config::in_folder(folder.path()).unwrap();
    config.strict = true;
    let mut source = Google2011::open(&config).unwrap();
    let error = loop {
        match source.next_record() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the broken row was not found"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("part-00001-of-00002.csv:2:0"), "{error}");
}
