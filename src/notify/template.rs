//! Bodies from a template of the operator, in Jinja (minijinja).

use minijinja::{Environment, Value, context};

use crate::domain::event::Event;
use crate::report::clean;
use crate::report::message::Message;

/// The most steps of a template: a loop over all blocks of a long diff takes some ten thousand.
const FUEL: u64 = 1_000_000;
/// A larger body means a mistake in the template.
const LARGEST: usize = 1 << 20;

/// The current title of the article.
pub(super) fn title(event: &Event) -> Option<String> {
    let mut sides = [&event.data.after, &event.data.before]
        .into_iter()
        .flatten();
    let title = sides.find_map(|side| side.title.as_deref())?;
    Some(clean::line(title).into_owned())
}

/// Renders an event with a template. It can use `event` (the object of `revisor schema event`) and the cleaned
/// texts `headline`, `title`, `text` and `link`. Filters in addition to those of Jinja: `tojson`, `clean`,
/// `cut(n)`.
pub(super) fn render(template: &str, event: &Event, message: &Message) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.add_filter("clean", |text: &str| clean::lines(text).into_owned());
    environment.add_filter("cut", |text: &str, max: usize| clean::excerpt(text, max));
    let values = context! {
        event => Value::from(minijinja::value::Serde(event)),
        headline => message.headline.as_str(),
        title => title(event).unwrap_or_default(),
        text => event.data.text.as_str(),
        link => message.click(),
    };
    let body = environment
        .render_str(template, values)
        .map_err(|error| format!("the template of the target cannot be used: {error}"))?;
    if body.len() > LARGEST {
        return Err("the template of the target made more than 1 MiB".to_owned());
    }
    Ok(body)
}
