/**
 * Do not disturb, loaded when it is first needed: how long it lasts, how it is set on the server,
 * and how JupyterLab's own switch follows.
 */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

import { LAB_NOTIFICATIONS } from '../settings';
import type { INotificationModel } from '../tokens';

/** JupyterLab's switch, among its settings. */
const SWITCH = 'doNotDisturbMode';

/** How often the switch is written at most until it stands as the server says. */
const MOST_WRITES = 10;

/** The time in ms after which a tab without the focus tells of the switch, or writes it, itself. */
const OTHERS_MS = 5000;

/** The hour at which the morning begins. */
const MORNING_HOUR = 9;

/**
 * Find the end of an hour, or tomorrow's or next Monday's morning.
 */
export function endOf(what: 'hour' | 'tomorrow' | 'week', now: Date): Date {
  const end = new Date(now);
  if (what === 'hour') {
    end.setTime(now.getTime() + 3_600_000);
    return end;
  }
  // A week ends on the next Monday. Days are counted by the calendar: one may have 23 or 25 hours.
  const days = what === 'tomorrow' ? 1 : (8 - now.getDay()) % 7 || 7;
  end.setDate(now.getDate() + days);
  end.setHours(MORNING_HOUR, 0, 0, 0);
  return end;
}

/**
 * Turn do-not-disturb on for a while, or off.
 *
 * @param until - `hour`, `tomorrow`, `ever` or `off`.
 */
export async function doNotDisturb(
  model: INotificationModel,
  trans: TranslationBundle,
  until: string
): Promise<void> {
  try {
    await model.changeQuiet(
      until === 'off'
        ? { doNotDisturb: false }
        : {
            doNotDisturb: true,
            until:
              until === 'hour' || until === 'tomorrow'
                ? endOf(until, new Date(model.now())).toISOString()
                : null
          }
    );
  } catch (error) {
    await showErrorMessage(
      trans.__('Do not disturb could not be changed'),
      error as Error
    );
  }
}

/**
 * Mute a source, or unmute it.
 */
export async function mute(
  model: INotificationModel,
  trans: TranslationBundle,
  source: string,
  muted: boolean
): Promise<void> {
  try {
    await model.changeQuiet(muted ? { mute: source } : { unmute: source });
  } catch (error) {
    await showErrorMessage(
      muted
        ? trans.__('“%1” could not be muted', source)
        : trans.__('“%1” could not be unmuted', source),
      error as Error
    );
  }
}

/**
 * Have JupyterLab's switch and the server's do-not-disturb follow each other. All tabs share the
 * server's, and the server ends it when its time is over.
 *
 * @param justTurned - Whether the user has turned the switch on just now. A switch that was on when
 * the page was loaded may be out of date.
 */
export async function followSwitch(
  model: INotificationModel,
  registry: ISettingRegistry,
  justTurned = false
): Promise<void> {
  const settings = await registry.load(LAB_NOTIFICATIONS);
  await model.ready;
  const read = () => settings.composite[SWITCH] === true;
  let position = !justTurned && read();
  let known: boolean | null | undefined = undefined;
  // A write or a tell that is planned may still wait for other tabs.
  let writePlanned = false;
  let writing = false;
  let tellPlanned = false;
  let telling = false;

  // JupyterLab copies its settings to other tabs. The tab in which the user turned the switch, or
  // turned it back meanwhile, tells the server and writes the switch; this one only if none does.
  const waitForOthers = async () => {
    let before: boolean | undefined;
    while (!document.hasFocus() && before !== position) {
      before = position;
      await new Promise(resolve => setTimeout(resolve, OTHERS_MS));
    }
  };
  const stored = () => model.quiet?.doNotDisturb ?? null;
  // One request at a time: an earlier one might arrive last. Only the last position is told.
  const tell = async () => {
    if (tellPlanned) {
      return;
    }
    tellPlanned = true;
    if (!document.hasFocus()) {
      await waitForOthers();
    }
    telling = true;
    try {
      let told: boolean;
      do {
        told = position;
        if (stored() !== told) {
          await model.changeQuiet({ doNotDisturb: told });
        }
      } while (position !== told);
    } catch (reason) {
      // The switch still works in this tab, until the server's state changes.
      console.warn('The server does not know of do-not-disturb.', reason);
      known = stored();
    }
    tellPlanned = telling = false;
    onState();
  };
  const onState = () => {
    const on = stored();
    // The user may have turned the switch back before the server heard that it was turned.
    if (on === known || telling) {
      return;
    }
    known = on;
    if (on === null) {
      // The switch was turned on before the server kept the state, or by the site.
      if (position) {
        void tell();
      }
    } else if (on !== position) {
      position = on;
      void write();
    }
  };
  // One write at a time: of two, the earlier one might take effect last.
  const write = async () => {
    if (writePlanned) {
      return;
    }
    writePlanned = true;
    if (!document.hasFocus()) {
      await waitForOthers();
    }
    writing = true;
    try {
      // Every tab writes to the same file, and JupyterLab reads it again after each write: what
      // another tab has written is here then.
      for (let times = 0; read() !== position && times < MOST_WRITES; times++) {
        await settings.set(SWITCH, position);
      }
    } catch (reason) {
      console.warn("JupyterLab's do-not-disturb does not follow.", reason);
    } finally {
      writePlanned = writing = false;
    }
  };
  const onSettings = () => {
    const now = read();
    // What changes during a write is not the user's doing, but this tab's, or another's.
    if (!writing && now !== position) {
      position = now;
      known = now;
      void tell();
    }
  };
  settings.changed.connect(onSettings);
  model.stateChanged.connect(onState);
  onState();
  if (justTurned) {
    onSettings();
  }
}
