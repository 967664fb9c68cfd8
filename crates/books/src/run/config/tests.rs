use super::*;

fn options() -> RunOptions {
    RunOptions {
        library_directory: Some("Harvard".into()),
        storage: Some(StorageKind::Local),
        storage_path: Some("/data/books".into()),
        bucket_raw: Some("raw".into()),
        ..RunOptions::default()
    }
}

#[test]
fn the_file_has_the_keys_of_the_interface_in_their_order() {
    let config = build("R", Path::new("output/R"), &options()).unwrap();
    insta::assert_snapshot!(String::from_utf8(config.to_bytes()).unwrap());
}

#[test]
fn a_storage_is_written_in_the_order_of_the_interface_and_in_ascii() {
    let options = RunOptions {
        library_directory: Some("X".into()),
        storage: Some(StorageKind::Minio),
        storage_config: Some(vec![
            "endpoint_url=http://här:9000".into(),
            "bucket_meta=m=1".into(),
        ]),
        bucket_full: Some("full".into()),
        bucket_meta: Some("replaced".into()),
        ..RunOptions::default()
    };
    let mut config = build("Rü", Path::new("output/Rü"), &options).unwrap();
    if let Some(storage) = &mut config.storage_config {
        storage.config.insert("another".into(), Value::from(1));
    }
    let text = String::from_utf8(config.to_bytes()).unwrap();
    assert!(
        text.starts_with("{\n  \"run_name\": \"R\\u00fc\",\n"),
        "{text}"
    );
    let storage = r#"    "config": {
      "bucket_raw": "grin-raw",
      "bucket_meta": "m=1",
      "bucket_full": "full",
      "endpoint_url": "http://h\u00e4r:9000",
      "another": 1
    },
    "prefix": ""
  },"#;
    assert!(text.contains(storage), "{text}");
    assert_eq!(
        serde_json::from_str::<RunConfig>(&text).unwrap(),
        config,
        "it is read as it was"
    );
}

#[test]
fn what_another_tool_wrote_is_read_and_its_own_keys_survive() {
    let text = r#"{"run_name": "R", "library_directory": "X", "output_directory": "output/R",
        "sqlite_db_path": "output/R/books.db", "storage_config": {"type": "minio", "protocol": "s3",
        "config": {"bucket_raw": "a", "magic": 5}, "prefix": "", "later": true}, "sync_config": {"task_check_concurrency": 3, "new": 1},
        "log_file": null, "secrets_dir": null, "future": {"a": [1]}}"#;
    let config: RunConfig = serde_json::from_str(text).unwrap();
    let again: Value = serde_json::from_slice(&config.to_bytes()).unwrap();
    assert_eq!(again["future"]["a"][0], 1);
    assert_eq!(again["storage_config"]["config"]["magic"], 5);
    assert_eq!(again["storage_config"]["later"], true);
    assert_eq!(again["sync_config"]["new"], 1);
    assert_eq!(again["sync_config"]["task_check_concurrency"], 3);
    assert_eq!(again["sync_config"]["task_upload_concurrency"], 20);
}

#[test]
fn only_what_is_said_and_differs_is_a_difference() {
    let directory = Path::new("output/R");
    let config = build("R", directory, &options()).unwrap();
    let difference = |asked: &RunOptions| config.difference(directory, asked).unwrap();
    assert!(difference(&RunOptions::default()).is_empty());
    assert!(difference(&options()).is_empty());
    let other = RunOptions {
        library_directory: Some("Yale".into()),
        storage_path: Some("/elsewhere".into()),
        sync_task_check_concurrency: Some(9),
        ..RunOptions::default()
    };
    insta::assert_snapshot!(difference(&other).join("\n"), @r"
    library_directory is `Harvard`, asked for `Yale`
    storage_config.config.base_path is `/data/books`, asked for `/elsewhere`
    sync_config.task_check_concurrency is `2`, asked for `9`
    ");
}

#[test]
fn what_others_put_there_is_neither_compared_nor_shown() {
    let directory = Path::new("output/R");
    let mut config = build("R", directory, &options()).unwrap();
    if let Some(storage) = &mut config.storage_config {
        storage.config.insert("secret_key".into(), "hush".into());
    }
    assert!(config.difference(directory, &options()).unwrap().is_empty());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let with = |change: fn(&mut RunOptions)| {
        let mut options = options();
        change(&mut options);
        build("R", Path::new("output/R"), &options)
            .unwrap_err()
            .to_string()
    };
    let refused = [
        with(|o| o.library_directory = None),
        with(|o| o.library_directory = Some("https://books.google.com/libraries/X/".into())),
        with(|o| o.storage = None),
        with(|o| o.storage_config = Some(vec!["secret_key=x".into()])),
        with(|o| o.storage_config = Some(vec!["base_path=/b".into()])),
        with(|o| o.storage_config = Some(vec!["bucket_raw".into()])),
        with(|o| o.storage_path = None),
        with(|o| o.sync_disk_space_threshold = Some(1.5)),
    ];
    insta::assert_snapshot!(refused.join("\n\n"));
}
