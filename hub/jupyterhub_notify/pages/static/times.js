/**
 * Times, in the reader's own zone and language.
 */
/** Lead of the service's clock over this browser's, in ms. */
const ahead = serviceAhead();

function serviceAhead() {
  const there = document.querySelector('meta[name="jn-now"]')?.content;
  const [page] = performance.getEntriesByType('navigation');
  return there && page?.responseStart
    ? Number(there) - (Date.now() - performance.now() + page.responseStart)
    : 0;
}

/** The service's time, in ms, by which messages begin and end. */
export function present() {
  return Date.now() + ahead;
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const UNITS = [
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60]
];

function sinceText(moment) {
  const seconds = (moment - present()) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) {
      return relative.format(Math.trunc(seconds / size), unit);
    }
  }
  return relative.format(0, 'second');
}

function momentText(moment) {
  const today = new Date().toDateString() === moment.toDateString();
  return moment.toLocaleString(undefined, {
    ...(today ? {} : { dateStyle: 'medium' }),
    timeStyle: 'short'
  });
}

export function showTimes(root = document) {
  for (const element of root.querySelectorAll('time[data-jn-time]')) {
    const moment = new Date(element.dateTime);
    const text =
      element.dataset.jnTime === 'moment'
        ? momentText(moment)
        : sinceText(moment);
    if (element.textContent !== text) {
      element.textContent = text;
    }
    element.title = moment.toLocaleString();
  }
}

/** Return a moment in the form of a field for local times. */
export function localText(iso) {
  if (!iso) {
    return '';
  }
  const moment = new Date(iso);
  const shifted = moment - moment.getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 16);
}

/** Return, in UTC, the moment at which clocks in a zone show this local time. */
export function inZone(local, zone) {
  const asUtc = Date.parse(`${local}:00Z`.replace(/:00:00Z$/, ':00Z'));
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric'
  });
  const shown = at => {
    const part = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, Number(value)])
    );
    return Date.UTC(
      part.year,
      part.month - 1,
      part.day,
      part.hour,
      part.minute
    );
  };
  let at = asUtc;
  // Two rounds: the zone's offset may change between the first guess and the moment.
  for (let round = 0; round < 2; round++) {
    at += asUtc - shown(at);
  }
  return new Date(at).toISOString().replace('.000Z', 'Z');
}
