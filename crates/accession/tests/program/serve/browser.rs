//! The pages in a real browser, driven as a person drives it. Where there is no chromium, the tests say that they are
//! left out; `script/check` installs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use thirtyfour::prelude::*;

use super::client::Served;
use crate::support::{Root, album};

/// A chromedriver of our own on a port of its own, ended with the test.
struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    fn start() -> Option<Self> {
        // The client asks for a provider, although everything here is plain HTTP on this machine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
        if !is_there("chromedriver") || !is_there("chromium") {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI must have chromium and chromedriver"
            );
            eprintln!("left out: no chromium and chromedriver to look at pages with");
            return None;
        }
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, port) = line.split_once("started successfully on port ")?;
                Some(port.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver tells its port");
        // What it says later goes nowhere, and must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        })
    }

    async fn browser(&self, size: &str) -> WebDriver {
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            size,
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        WebDriver::new(&self.url, capabilities).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the script's answer is true; the page's own state is asked, so no time is assumed.
async fn until(browser: &WebDriver, condition: &str) {
    let began = std::time::Instant::now();
    loop {
        let answer = browser
            .execute(format!("return {condition}"), Vec::new())
            .await;
        if answer.is_ok_and(|answer| answer.json() == &serde_json::Value::Bool(true)) {
            return;
        }
        assert!(began.elapsed().as_secs() < 60, "never true: {condition}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Where the first passage ends, as its form on the file's page has it.
const END: &str = "Number(document.querySelector('.passage').elements.end.value)";

/// What an expression of numbers is on the page.
async fn number(browser: &WebDriver, expression: &str) -> f64 {
    let script = format!("return {expression}");
    let answer = browser.execute(script, Vec::new()).await.unwrap();
    answer.json().as_f64().unwrap()
}

/// Opens a file's page, and waits for its waveform.
async fn open_file(browser: &WebDriver, served: &Served, name: &str) {
    let page = format!("{}file?name={name}", served.url);
    browser.goto(page).await.unwrap();
    until(browser, "!document.getElementById('waveform').hidden").await;
}

/// Drags the line of the first passage's end so many pixels to the left, and returns where it is then.
async fn drag_end_left(browser: &WebDriver, pixels: i64) -> f64 {
    let canvas = browser.find(By::Id("waveform")).await.unwrap();
    canvas.scroll_into_view().await.unwrap();
    let (seconds, width) = ("waveform.dataset.seconds", "waveform.clientWidth");
    let before = number(browser, END).await;
    let at = number(
        browser,
        &format!("Math.round({END} / {seconds} * {width} - {width} / 2)"),
    )
    .await;
    browser
        .action_chain()
        .move_to_element_with_offset(&canvas, at as i64, 0)
        .click_and_hold()
        .move_by_offset(-pixels, 0)
        .release()
        .perform()
        .await
        .unwrap();
    until(browser, &format!("{END} !== {before}")).await;
    number(browser, END).await
}

async fn click(browser: &WebDriver, selector: &str) {
    let element = browser.find(By::Css(selector.to_owned())).await.unwrap();
    element.scroll_into_view().await.unwrap();
    element.click().await.unwrap();
}

#[tokio::test]
async fn a_person_imports_a_folder_drags_a_boundary_and_finds_it_there_after_a_new_import() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let root = Root::empty();
    album(&root.join("Tides/Side A.wav"), 7, 3, 20.0);
    let served = Served::start(&root, &[]);
    let browser = driver.browser("--window-size=1200,1000").await;
    browser.goto(&served.url).await.unwrap();
    until(
        &browser,
        "document.querySelectorAll('#folders button').length === 1",
    )
    .await;
    click(&browser, "#start").await;
    until(
        &browser,
        "document.querySelector('[data-plan=new]').textContent === '1'",
    )
    .await;
    click(&browser, "#commit").await;
    until(&browser, "document.getElementById('bar').value === 100").await;
    until(
        &browser,
        "document.getElementById('passages').textContent === '3'",
    )
    .await;

    open_file(&browser, &served, "Side+A.wav").await;
    let before = number(&browser, END).await;
    let dragged = drag_end_left(&browser, 40).await;
    assert!(dragged < before - 0.5, "{dragged}, {before}");
    click(&browser, ".passage button[type=submit]").await;
    until(&browser, "document.querySelectorAll('.undo').length > 0").await;

    root.import(&["--force"]);
    browser.refresh().await.unwrap();
    until(&browser, &format!("Math.abs({END} - {dragged}) < 0.01")).await;
    click(&browser, ".undo").await;
    until(&browser, "document.querySelectorAll('.undo').length === 0").await;
    until(&browser, &format!("Math.abs({END} - {before}) < 0.01")).await;
    browser.quit().await.unwrap();
    served.stop();
}

#[tokio::test]
async fn on_a_phone_no_page_is_wider_than_the_screen_and_a_page_comes_back_with_its_server() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let root = Root::collection();
    root.import(&[]);
    let served = Served::start(&root, &[]);
    let browser = driver.browser("--window-size=500,900").await;
    for page in [
        "",
        "library",
        "artists",
        "albums",
        "similar",
        "review",
        "report",
        "settings",
        "file?name=Seite+A.ogg",
    ] {
        browser.goto(format!("{}{page}", served.url)).await.unwrap();
        until(&browser, "document.readyState === 'complete'").await;
        until(
            &browser,
            "document.documentElement.scrollWidth <= window.innerWidth",
        )
        .await;
        // Each field has a name for those who do not see it, and each picture words.
        let nameless = "[...document.querySelectorAll('input,button,audio + img,img,canvas')].every((one) => \
            one.hidden || one.labels?.length > 0 || one.textContent.trim() || one.alt || one.getAttribute('aria-label'))";
        until(&browser, nameless).await;
    }
    browser.goto(&served.url).await.unwrap();
    let connected = "document.getElementById('connection').textContent === 'Connected'";
    until(&browser, connected).await;
    let address = served.address.clone();
    served.kill();
    until(&browser, &format!("!({connected})")).await;
    let served = Served::listening(&root, &address, &[]);
    until(&browser, connected).await;
    browser.quit().await.unwrap();
    served.stop();
}

/// Sends keys to whatever has the focus.
async fn press(browser: &WebDriver, keys: &str) {
    // As a keyboard does: to what has the focus, be it a control inside an element, which keys sent to the element miss.
    let keyboard = browser.action_chain().send_keys(keys);
    keyboard.perform().await.unwrap();
}

#[tokio::test]
async fn doubts_are_settled_one_after_another_with_single_keys_and_taken_back() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let root = Root::empty();
    album(&root.join("Side A.wav"), 7, 3, 20.0);
    root.import(&[]);
    // However sure it is of these, a person is to be asked.
    root.open()
        .execute("UPDATE accession_boundaries SET confidence = 0.5", [])
        .unwrap();
    let served = Served::start(&root, &[]);
    let browser = driver.browser("--window-size=1000,900").await;
    browser.goto(format!("{}review", served.url)).await.unwrap();
    let left = |count: usize| format!("document.querySelectorAll('.doubt').length === {count}");
    until(&browser, &left(2)).await;
    // From the beginning of the page to the first doubt by the tab key (U+E004 for a driver) alone.
    for _ in 0..30 {
        let inside = browser
            .execute(
                "return !!document.activeElement.closest('.doubt')",
                Vec::new(),
            )
            .await
            .unwrap();
        if inside.json() == &serde_json::Value::Bool(true) {
            break;
        }
        press(&browser, "\u{e004}").await;
    }
    press(&browser, "l").await;
    until(&browser, &left(1)).await;
    until(&browser, "!!document.activeElement.closest('.doubt')").await;
    press(&browser, "n").await;
    // What is said is heard at once, and the doubts are those of what is heard then.
    let passages = async |expected: i64| {
        for _ in 0..600 {
            if root.count("SELECT count(*) FROM passages") == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("never {expected} passages");
    };
    passages(2).await;
    until(&browser, &left(0)).await;
    until(&browser, "!document.getElementById('undo').disabled").await;
    click(&browser, "#undo").await;
    passages(3).await;
    let verbs = "SELECT verb FROM accession_verdicts WHERE undone_at IS NULL";
    until(
        &browser,
        "JSON.parse(sessionStorage.decisions).length === 1",
    )
    .await;
    assert_eq!(root.column(verbs), ["later"]);
    browser.quit().await.unwrap();
    served.stop();
}

/// The rules of axe-core, as `script/check` fetches them.
fn rules() -> Option<String> {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/axe.min.js");
    let rules = std::fs::read_to_string(folder).ok();
    if rules.is_none() {
        eprintln!("left out: no axe-core in target/tools; `script/check tools` fetches it");
    }
    rules
}

#[tokio::test]
async fn no_page_breaks_a_rule_of_accessibility_by_day_or_by_night() {
    let Some((driver, rules)) = Driver::start().zip(rules()) else {
        return;
    };
    let root = Root::collection();
    root.import(&[]);
    root.open()
        .execute_batch(
            "UPDATE accession_boundaries SET confidence = 0.5;
             UPDATE passages SET artist = 'One', album = 'Two' \
                WHERE file_id = (SELECT guid FROM files WHERE path LIKE '%Seite A.ogg')",
        )
        .unwrap();
    let served = Served::start(&root, &[]);
    let browser = driver.browser("--window-size=1100,900").await;
    for scheme in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser
            .cdp()
            .send_raw("Emulation.setEmulatedMedia", media)
            .await
            .unwrap();
        for page in [
            "",
            "library",
            "artists",
            "albums",
            "artist?name=One",
            "similar",
            "review",
            "report",
            "settings",
            "file?name=Seite+A.ogg",
        ] {
            browser.goto(format!("{}{page}", served.url)).await.unwrap();
            until(&browser, "document.readyState === 'complete'").await;
            let waits = "!document.getElementById('map') || document.querySelectorAll('#places li').length > 0";
            until(&browser, waits).await;
            browser.execute(rules.as_str(), Vec::new()).await.unwrap();
            let found = browser
                .execute_async(
                    "const done = arguments[0]; \
                     document.querySelectorAll('details').forEach((one) => { one.open = true; }); \
                     axe.run().then((told) => done(told.passes.length < 10 ? ['hardly any rule applies'] : told.violations.map((one) => \
                         `${one.id}: ${one.nodes.map((node) => node.html).join(', ')}`)))",
                    Vec::new(),
                )
                .await
                .unwrap();
            assert_eq!(found.json(), &json!([]), "{page} ({scheme})");
        }
    }
    browser.quit().await.unwrap();
    served.stop();
}

#[tokio::test]
async fn what_sounds_alike_is_heard_and_a_moved_line_is_taken_back() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let root = Root::empty();
    for number in 0..3 {
        album(&root.join(format!("{number}.wav")), number, 2, 30.0);
    }
    root.import(&[]);
    let served = Served::start(&root, &[]);
    let browser = driver.browser("--window-size=1200,1000").await;
    browser
        .goto(format!("{}similar", served.url))
        .await
        .unwrap();
    until(
        &browser,
        "document.querySelectorAll('#map .place').length === 6",
    )
    .await;
    click(&browser, "#places li:nth-child(4) button").await;
    let plays = "document.getElementById('audio').currentTime > 0.2";
    until(&browser, plays).await;
    click(&browser, "#places li:nth-child(4) a").await;
    until(
        &browser,
        "document.querySelectorAll('#map .centre').length === 1",
    )
    .await;

    open_file(&browser, &served, "0.wav").await;
    // Down to hundredths of a second, where the sound itself is drawn.
    for _ in 0..12 {
        click(&browser, "[data-zoom=in]").await;
    }
    let fine = "performance.getEntriesByType('resource').some((one) => one.name.includes('/api/v1/detail'))";
    until(&browser, fine).await;
    for _ in 0..12 {
        click(&browser, "[data-zoom=out]").await;
    }
    let before = number(&browser, END).await;
    let moved = drag_end_left(&browser, 50).await;
    click(&browser, "[data-zoom=undo]").await;
    until(&browser, &format!("{END} === {before}")).await;
    click(&browser, "[data-zoom=redo]").await;
    until(&browser, &format!("{END} === {moved}")).await;
    browser.quit().await.unwrap();
    served.stop();
}
