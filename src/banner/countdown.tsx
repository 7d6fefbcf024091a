/**
 * The time that is left until a moment, and the moment on the reader's own clock.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { isolate } from '../text/isolate';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

/**
 * A moment, and how long it is until then; nothing once it is over.
 */
export function Countdown(props: { until: string }): JSX.Element | null {
  const until = Date.parse(props.until);
  const { times, trans } = React.useContext(Shared);
  const now = usePresent(until);
  if (!(until > now)) {
    return null;
  }
  const moment = new Date(until);
  return (
    <time
      className="jp-NotifyBanner-countdown"
      role="timer"
      // The text may begin with a number, which has no direction of its own.
      dir="auto"
      dateTime={props.until}
      title={times.exact(moment)}
    >
      {trans.__(
        '%1, in %2',
        isolate(times.moment(moment, new Date(now))),
        isolate(times.left(until - now))
      )}
    </time>
  );
}

/** Return the server's time, updated when the time left reads otherwise; not in a hidden tab. */
function usePresent(until: number): number {
  const { model } = React.useContext(Shared);
  const [now, setNow] = React.useState(() => model.now());
  React.useEffect(() => {
    let timer: number | undefined;
    const tick = () => {
      window.clearTimeout(timer);
      const present = model.now();
      const left = until - present;
      setNow(present);
      if (!document.hidden && left > 0) {
        const step = left <= MINUTE_MS ? SECOND_MS : MINUTE_MS;
        // A moment later, so that the text has changed by then.
        timer = window.setTimeout(tick, (left % step) + 20);
      }
    };
    document.addEventListener('visibilitychange', tick);
    tick();
    return () => {
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [until]);
  return now;
}
