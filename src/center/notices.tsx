/**
 * The notices between the filter and the list.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { untilText } from '../text/until';
import { Failure, Notice } from '../components/states';
import type { Listing } from './listing';

/**
 * Time in ms that a connection must be lost before the user is told: a short break does not matter.
 */
const LASTING_MS = 1500;

/**
 * The notices that apply now.
 */
export function Notices(props: {
  listing: Listing;
  /** The last failure, as a sentence. */
  failure: string | null;
  onClose(): void;
}): JSX.Element {
  const { listing } = props;
  const { model, trans } = React.useContext(Shared);
  const empty = listing.rows.length === 0;
  return (
    <>
      {!model.durable && (
        <Notice kind="warning">
          {trans.__(
            'Messages are kept in memory only: the server cannot write its database. See your administrator.'
          )}
        </Notice>
      )}
      <DoNotDisturb />
      {!model.connected && (
        <Disconnected>
          {empty
            ? trans.__('Reconnecting…')
            : trans.__('Reconnecting… showing what is known.')}
        </Disconnected>
      )}
      {listing.error !== null && !empty && (
        <Notice kind="error">
          <span>
            {trans.__('The list could not be fetched.')} {listing.error}
          </span>
          <button
            type="button"
            className="jp-NotifyLink"
            onClick={() => void listing.refresh()}
          >
            {trans.__('Retry')}
          </button>
        </Notice>
      )}
      <Failure text={props.failure} onClose={props.onClose} />
    </>
  );
}

/** Tells of do-not-disturb while it is on, and turns it off. */
function DoNotDisturb(): JSX.Element | null {
  const { fail, model, times, trans } = React.useContext(Shared);
  const { doNotDisturb, until } = model.quiet ?? {};
  if (!doNotDisturb) {
    return null;
  }
  return (
    <Notice kind="quiet">
      <span>
        <bdi>
          {until
            ? trans.__(
                'Do not disturb until %1.',
                untilText(
                  new Date(until),
                  new Date(model.now()),
                  times.language
                )
              )
            : trans.__('Do not disturb.')}
        </bdi>
      </span>
      <button
        type="button"
        className="jp-NotifyLink"
        onClick={() => model.changeQuiet({ doNotDisturb: false }).catch(fail)}
      >
        {trans.__('Turn off')}
      </button>
    </Notice>
  );
}

/** Tells of a lost connection, but only if the loss lasts. */
function Disconnected(props: {
  children: React.ReactNode;
}): JSX.Element | null {
  const [lasting, setLasting] = React.useState(false);
  React.useEffect(() => {
    const timer = setTimeout(() => setLasting(true), LASTING_MS);
    return () => clearTimeout(timer);
  }, []);
  return lasting ? <Notice kind="quiet">{props.children}</Notice> : null;
}
