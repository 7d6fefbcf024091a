/**
 * The setting for the central service's other channels, such as mail: which of them the user wants,
 * and when. The service keeps the choice; if it has no channels, the setting is not shown.
 */
import type { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { SettingGroup } from '../components/settingGroup';
import { request } from '../request';
import { visible } from '../text/visible';
import type { Channel, Channels, ChannelsChange } from '../wire';

/** The text of the status line: a failure, or that the choice is saved. */
interface ISaid {
  text: string;
  failed?: boolean;
}

/**
 * The user's choice of channels; each change is sent at once.
 */
export function ChannelsField(props: {
  schema: { title?: string; description?: string };
  serverSettings: ServerConnection.ISettings;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { schema, trans } = props;
  const { chosen, said, load, change } = useChannels(props);
  if (chosen ? chosen.channels.length === 0 : !said) {
    return null;
  }
  return (
    <SettingGroup
      id="jp-notify-channels"
      title={schema.title}
      description={schema.description}
    >
      {chosen?.channels.map(channel => (
        <ChannelBox
          key={channel.name}
          channel={channel}
          trans={trans}
          onChange={on => change({ on: { [channel.name]: on } })}
        />
      ))}
      {chosen && <Times {...{ chosen, change, trans }} />}
      <p
        role="status"
        className={
          said?.failed ? 'jp-NotifySetting-problem' : 'jp-FormGroup-description'
        }
      >
        {said?.text}
      </p>
      {!chosen && (
        <div className="jp-NotifySetting-buttons">
          <button
            type="button"
            className="jp-mod-styled jp-mod-reject"
            onClick={load}
          >
            {trans.__('Try Again')}
          </button>
        </div>
      )}
    </SettingGroup>
  );
}

/**
 * The service's answer, and the requests to it. Changes are sent one after the other; each is shown
 * at once, and taken back if it could not be saved.
 */
function useChannels({
  serverSettings,
  trans
}: {
  serverSettings: ServerConnection.ISettings;
  trans: TranslationBundle;
}) {
  const [chosen, setChosen] = React.useState<Channels | null>(null);
  const [said, setSaid] = React.useState<ISaid | null>(null);
  const last = React.useRef<Promise<unknown>>(Promise.resolve());
  const kept = React.useRef<Channels | null>(null);
  const waiting = React.useRef(0);
  const gone = React.useRef(false);

  const ask = (body?: ChannelsChange) => {
    waiting.current++;
    setChosen(chosen => chosen && merged(chosen, body ?? {}));
    last.current = last.current.then(async () => {
      try {
        const answer = await request<Channels>(
          'channels',
          { method: body ? 'PATCH' : 'GET', body },
          serverSettings,
          trans
        );
        kept.current = answer;
        // While another change is under way, this answer is already out of date.
        if (--waiting.current === 0 && !gone.current) {
          setChosen(answer);
          setSaid(body ? { text: trans.__('Saved.') } : null);
        }
      } catch (error) {
        waiting.current--;
        if (!gone.current) {
          setChosen(kept.current);
          setSaid({ text: (error as Error).message, failed: true });
        }
      }
    });
  };
  const load = () => ask();
  React.useEffect(() => {
    gone.current = false;
    load();
    return () => {
      gone.current = true;
    };
  }, []);
  return { chosen, said, load, change: (body: ChannelsChange) => ask(body) };
}

/** Apply a change to the choice. */
function merged(chosen: Channels, change: ChannelsChange): Channels {
  const { on, ...others } = change;
  const channels = chosen.channels.map(channel => ({
    ...channel,
    on: on?.[channel.name] ?? channel.on
  }));
  return { ...chosen, ...(others as Partial<Channels>), channels };
}

/** One channel, on or off. */
function ChannelBox(props: {
  channel: Channel;
  trans: TranslationBundle;
  onChange(on: boolean): void;
}): JSX.Element {
  const { channel, trans } = props;
  const name = visible(channel.name);
  return (
    <label>
      <input
        type="checkbox"
        checked={channel.on && channel.reaches}
        disabled={!channel.reaches}
        onChange={event => props.onChange(event.target.checked)}
      />
      <span>
        {name.charAt(0).toUpperCase() + name.slice(1)}
        {!channel.reaches && (
          <span className="jp-FormGroup-description">
            {' '}
            {trans.__('has no address of yours')}
          </span>
        )}
      </span>
    </label>
  );
}

/** The fields for the times at which messages are sent. */
// Longer than a screen: four fields of one form, mostly markup.
function Times(props: {
  chosen: Channels;
  change(body: ChannelsChange): void;
  trans: TranslationBundle;
}): JSX.Element {
  const { chosen, change, trans } = props;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // If no zone was chosen yet, quiet hours are by the clock of the user's computer.
  const isNew = !chosen.quietFrom && chosen.timezone === 'UTC';
  const zone = isNew ? here : chosen.timezone;
  const digests: [Channels['digest'], string][] = [
    ['none', trans.__('each by itself')],
    ['hourly', trans.__('gathered, once an hour')],
    ['daily', trans.__('gathered, at eight in the morning')]
  ];
  const time = (name: 'quietFrom' | 'quietUntil', label: string) => (
    <Labelled id={name} label={label}>
      <input
        id={idOf(name)}
        type="time"
        className="jp-mod-styled"
        value={chosen[name] ?? ''}
        onChange={event =>
          change({ [name]: event.target.value || null, timezone: zone })
        }
      />
    </Labelled>
  );
  return (
    <div className="jp-NotifySetting-grid">
      <Labelled id="digest" label={trans.__('Sent')}>
        <select
          id={idOf('digest')}
          className="jp-mod-styled"
          value={chosen.digest}
          onChange={event =>
            change({
              digest: event.target.value as Channels['digest'],
              timezone: zone
            })
          }
        >
          {digests.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </Labelled>
      {time('quietFrom', trans.__('Nothing from'))}
      {time('quietUntil', trans.__('until'))}
      <Labelled id="timezone" label={trans.__('Time zone')}>
        <select
          id={idOf('timezone')}
          className="jp-mod-styled"
          value={zone}
          onChange={event => change({ timezone: event.target.value })}
        >
          {zones(zone, here).map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </Labelled>
    </div>
  );
}

const idOf = (name: string) => `jp-notify-channels-${name}`;

/** A field below its label. */
function Labelled(props: {
  id: string;
  label: string;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div>
      <label htmlFor={idOf(props.id)}>{props.label}</label>
      {props.children}
    </div>
  );
}

/** The zones that the browser knows, and those that must be there. */
function zones(...needed: string[]): string[] {
  // Not every browser has this function.
  const { supportedValuesOf } = Intl as {
    supportedValuesOf?(key: string): string[];
  };
  const known = supportedValuesOf?.('timeZone') ?? [];
  return [...new Set([...known, 'UTC', ...needed])].sort();
}
