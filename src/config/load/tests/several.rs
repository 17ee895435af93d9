//! Configurations made of several files.

use super::*;
use crate::config::places::ConfigFile;

/// A folder with a configuration in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn load(&self) -> Result<Config, ConfigError> {
        let path = self.0.path().join("config.toml");
        let flags = Flags {
            config: Some(&path),
            database: None,
        };
        let loaded = load(flags, &Environment::default(), Secrets::Required)?;
        Ok(loaded.config)
    }

    /// The mistakes, without the folder in front.
    fn mistakes(&self) -> Vec<String> {
        let prefix = format!("{}/", self.0.path().display());
        let text = self.load().expect_err("a mistake").to_string();
        text.lines().map(|line| line.replace(&prefix, "")).collect()
    }
}

fn names(config: &Config) -> Vec<&str> {
    config.feeds.iter().map(|feed| feed.name.as_str()).collect()
}

#[test]
fn files_of_the_folder_lie_over_one_another_and_their_feeds_all_count() {
    let folder = Folder::new(&[
        (
            "config.toml",
            "database = \"x.db\"\n[fetch]\nevery = \"1h\"\ntimeout = \"9s\"\n[[feed]]\nurl = \"https://a.example/\"\n",
        ),
        (
            "conf.d/20-desk.toml",
            "[fetch]\ncron = \"0 6 * * *\"\n[[feed]]\nurl = \"https://c.example/\"\n",
        ),
        (
            "conf.d/10-desk.toml",
            "\u{feff}[fetch]\nevery = \"2h\"\n[[feed]]\nurl = \"https://b.example/\"\n[[target]]\nname = \"desk\"\nkind = \"webhook\"\n\
             url = \"https://hooks.example/\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n",
        ),
        ("conf.d/30.toml~", "no TOML"),
    ]);
    let config = folder.load().unwrap();
    assert_eq!(names(&config), ["a", "b", "c"]);
    assert_eq!(config.targets.len(), 1);
    assert!(matches!(config.plan.every, Every::Cron(_)));
    assert_eq!(config.fetch.timeout, Duration::from_secs(9));
    assert_eq!(config.database, folder.0.path().join("x.db"));
    let read: Vec<&str> = config
        .files()
        .map(|path| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(read, ["config.toml", "10-desk.toml", "20-desk.toml"]);
    assert!(
        config
            .watched_files()
            .contains(&folder.0.path().join("conf.d"))
    );
}

#[test]
fn mistakes_are_named_with_the_file_that_they_are_in() {
    let folder = Folder::new(&[
        (
            "config.toml",
            "[[feed]]\nurl = \"https://a.example/\"\n[[feed]]\nurl = \"https://a.example/\"\n",
        ),
        ("conf.d/a.toml", "\n[fetch]\nevry = \"1h\"\n"),
        (
            "conf.d/b.toml",
            "feeds_file = \"more.txt\"\n[[feed]]\n  url = \"https://a.example/\"\n",
        ),
        (
            "more.txt",
            "# ours\nhttps://b.example/ ~x\n  https://a.example/ ~x ~y\nnews.example\n",
        ),
    ]);
    assert_eq!(
        folder.mistakes(),
        [
            "config.toml:4:7: this address is already in the configuration, on line 2",
            "conf.d/a.toml:3:1: unknown key \"evry\" in [fetch]; did you mean \"every\"?",
            "conf.d/b.toml:3:9: this address is already in the configuration, in config.toml:2:7",
            "more.txt:3:3: this address is already in the configuration, in config.toml:2:7",
            "more.txt:3:22: another feed already has the name \"x\"; choose a different name",
            "more.txt:3:25: a second name; expected one word with ~ before it",
            "more.txt:4:1: url \"news.example\" is not an address (relative URL without a base); \
             expected an http or https address such as \"https://news.example/rss.xml\"",
        ]
    );
    let folder = Folder::new(&[("config.toml", ""), ("conf.d/a.toml", "[[feed]\n")]);
    assert!(folder.mistakes()[0].starts_with("conf.d/a.toml:1:"));
    let folder = Folder::new(&[("config.toml", "feeds_file = \"gone.txt\"\n")]);
    assert_eq!(
        folder.mistakes(),
        [
            "config.toml:1:14: feeds_file: cannot read the configuration gone.txt: No such file or directory (os error 2)"
        ]
    );
}

#[test]
fn lists_give_address_name_and_tags() {
    let folder = Folder::new(&[
        (
            "config.toml",
            "feeds_file = \"lists/one.txt\"\n[[feed]]\nurl = \"https://a.example/\"\n",
        ),
        ("conf.d/x.toml", "feeds_file = \"two.txt\"\n"),
        (
            "lists/one.txt",
            "\u{feff}# ours\r\nhttps://b.example/rss\r\n\r\nhttps://c.example/ \"~The C\" news \"two words\" # good\r\n",
        ),
        ("two.txt", "https://d.example/ ~d"),
    ]);
    let config = folder.load().unwrap();
    assert_eq!(names(&config), ["a", "b", "The C", "d"]);
    assert_eq!(
        *config.feeds[2].tags,
        ["news".to_owned(), "two words".to_owned()]
    );
    assert_eq!(config.lists.len(), 2);
    // The printed configuration can be loaded again.
    let again = from_text(
        &show(&config),
        None,
        Flags::default(),
        &Environment::default(),
        Secrets::Required,
    );
    assert_eq!(names(&again.unwrap().config), names(&config));
}

#[test]
fn folder_alone_is_a_configuration() {
    let folder = Folder::new(&[(
        "revisor/conf.d/a.toml",
        "[[feed]]\nurl = \"https://a.example/\"\n",
    )]);
    let home = folder.0.path().to_str().unwrap();
    let environment = Environment::from_pairs([("XDG_CONFIG_HOME", home)]);
    let loaded = load(Flags::default(), &environment, Secrets::Required).unwrap();
    assert_eq!(names(&loaded.config), ["a"]);
    let file = crate::config::locate(None, &environment);
    assert!(matches!(file, ConfigFile { exists: false, .. }));
}

/// Lines are counted once, not once per mistake: a list that was pasted in has a hundred thousand of them.
#[test]
fn many_mistakes_are_found_in_no_time() {
    let lines: String = (0..50_000)
        .map(|i| format!("https://h{i}.example/\n"))
        .collect();
    let folder = Folder::new(&[
        ("config.toml", "feeds_file = \"feeds.txt\"\n"),
        ("feeds.txt", &lines.repeat(2)),
    ]);
    let watch = crate::time::Stopwatch::start();
    assert_eq!(folder.mistakes().len(), 51);
    assert!(
        watch.elapsed() < Duration::from_secs(20),
        "{:?}",
        watch.elapsed()
    );
}
