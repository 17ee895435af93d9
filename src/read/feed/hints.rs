//! How often the publisher asks to be polled.

use std::time::Duration;

use super::PublisherHints;
use super::dialect::Meaning;

/// No publisher means more than a year, whatever the number says.
const LONGEST: Duration = Duration::from_hours(8784);

/// Collects the hints in a feed's elements.
#[derive(Debug, Default)]
pub(super) struct HintReader {
    hints: PublisherHints,
    period: Option<Duration>,
    frequency: Option<u32>,
}

impl HintReader {
    /// Reads the content of an element.
    pub(super) fn read(&mut self, meaning: Meaning, inside: &str) {
        match meaning {
            Meaning::Ttl => {
                self.hints.ttl = number(inside).and_then(|minutes| {
                    let ttl = Duration::from_secs(u64::from(minutes) * 60);
                    (!ttl.is_zero()).then_some(ttl.min(LONGEST))
                });
            }
            Meaning::SkipHours => {
                let hours = words(inside).filter_map(|word| word.parse::<u8>().ok());
                // RSS 0.91 counts hours from 1 to 24.
                self.hints.skip_hours = hours
                    .filter(|hour| *hour <= 24)
                    .map(|hour| hour % 24)
                    .collect();
                sort(&mut self.hints.skip_hours);
            }
            Meaning::SkipDays => {
                self.hints.skip_days = words(inside).filter_map(weekday).collect();
                sort(&mut self.hints.skip_days);
            }
            Meaning::UpdatePeriod => {
                let hours = match inside.trim().to_ascii_lowercase().as_str() {
                    "hourly" => 1,
                    "daily" => 24,
                    "weekly" => 7 * 24,
                    "monthly" => 30 * 24,
                    "yearly" => 365 * 24,
                    _ => return,
                };
                self.period = Some(Duration::from_secs(hours * 3600));
            }
            Meaning::UpdateFrequency => self.frequency = number(inside),
            _ => {}
        }
    }

    /// The hints, after all elements have been read.
    pub(super) fn finish(mut self) -> PublisherHints {
        self.hints.update_period = self
            .period
            .map(|period| period / self.frequency.unwrap_or(1).max(1));
        self.hints
    }
}

fn number(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

/// The runs of letters and digits outside tags.
fn words(inside: &str) -> impl Iterator<Item = &str> {
    inside
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|word| !word.is_empty())
        .take(100)
}

fn weekday(word: &str) -> Option<u8> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let beginning = word.get(..3)?.to_ascii_lowercase();
    let day = DAYS.iter().position(|day| **day == beginning)?;
    u8::try_from(day).ok()
}

fn sort(values: &mut Vec<u8>) {
    values.sort_unstable();
    values.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_read_and_bounded() {
        let mut reader = HintReader::default();
        reader.read(Meaning::Ttl, " 60 ");
        reader.read(
            Meaning::SkipHours,
            "<hour>24</hour><hour> 3</hour><hour>99</hour>",
        );
        reader.read(
            Meaning::SkipDays,
            "<day>Sunday</day>\n<day>Monday</day><day>Mon</day>",
        );
        reader.read(Meaning::UpdatePeriod, "daily");
        reader.read(Meaning::UpdateFrequency, "0");
        let hints = reader.finish();
        assert_eq!(hints.ttl, Some(Duration::from_hours(1)));
        assert_eq!(hints.skip_hours, [0, 3]);
        assert_eq!(hints.skip_days, [0, 6]);
        assert_eq!(hints.update_period, Some(Duration::from_hours(24)));
    }

    #[test]
    fn a_hint_that_is_no_number_is_none() {
        let mut reader = HintReader::default();
        reader.read(Meaning::Ttl, "soon");
        reader.read(Meaning::UpdatePeriod, "always");
        assert_eq!(reader.finish(), PublisherHints::default());
    }
}
