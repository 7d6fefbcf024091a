import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';

import { endOf, followSwitch } from '../quiet/quiet';
import { untilText } from '../text/until';
import type { INotificationModel } from '../tokens';
import type { Quiet, QuietChange } from '../wire';

describe('endOf', () => {
  it('is an hour later, tomorrow at nine, or on Monday at nine', () => {
    const saturday = new Date(2026, 10, 28, 22, 30);
    expect(endOf('hour', saturday)).toEqual(new Date(2026, 10, 28, 23, 30));
    expect(endOf('tomorrow', saturday)).toEqual(new Date(2026, 10, 29, 9));
    expect(endOf('week', saturday)).toEqual(new Date(2026, 10, 30, 9));
  });

  it('is on the Monday that comes, from any day and over the end of a year', () => {
    for (let day = 28; day <= 34; day++) {
      const now = new Date(2026, 11, day, 12);
      const end = endOf('week', now);
      expect(end.getDay()).toBe(1);
      expect(end.getHours()).toBe(9);
      const days = (end.getTime() - now.getTime()) / 86_400_000;
      expect(days).toBeGreaterThan(0);
      expect(days).toBeLessThanOrEqual(7);
    }
  });
});

describe('untilText', () => {
  const now = new Date(2026, 10, 28, 12);

  it('names the day where it is another one, and the date where the day comes again', () => {
    const text = (when: Date) => untilText(when, now, 'de_DE');
    expect(text(new Date(2026, 10, 28, 15, 40))).toBe('15:40');
    expect(text(new Date(2026, 10, 29, 9))).toMatch(/^So.*9:00$/);
    expect(text(new Date(2026, 11, 7, 9))).toMatch(/^Mo.*7\. Dez.*9:00$/);
  });
});

describe('followSwitch', () => {
  let position: boolean;
  let told: QuietChange[];
  let settings: ISettingRegistry.ISettings;
  let model: INotificationModel & { quiet: Quiet | null };
  let stateChanged: Signal<any, void>;
  let changed: Signal<any, void>;

  const quiet = (doNotDisturb: boolean | null): Quiet => ({
    doNotDisturb,
    until: null,
    muted: []
  });

  const server = (doNotDisturb: boolean | null) => {
    model.quiet = quiet(doNotDisturb);
    stateChanged.emit();
  };

  const turn = (on: boolean) => {
    position = on;
    changed.emit();
  };

  const settled = () => new Promise(resolve => setTimeout(resolve));

  const follow = (): Promise<void> =>
    followSwitch(model, {
      load: () => Promise.resolve(settings)
    } as unknown as ISettingRegistry);

  let focus: jest.SpyInstance;

  beforeEach(() => {
    focus = jest.spyOn(document, 'hasFocus').mockReturnValue(true);
    position = false;
    told = [];
    const owner = {};
    stateChanged = new Signal(owner);
    changed = new Signal(owner);
    settings = {
      changed,
      get composite() {
        return { doNotDisturbMode: position };
      },
      set: async (_: string, value: boolean) => turn(value)
    } as unknown as ISettingRegistry.ISettings;
    model = {
      quiet: null,
      ready: Promise.resolve(),
      stateChanged,
      changeQuiet: async (change: QuietChange) => {
        told.push(change);
        server(change.doNotDisturb!);
        return model.quiet!;
      }
    } as unknown as typeof model;
  });

  it("tells the server of JupyterLab's switch", async () => {
    await follow();
    turn(true);
    await settled();
    turn(false);
    await settled();
    expect(told).toEqual([{ doNotDisturb: true }, { doNotDisturb: false }]);
    expect(position).toBe(false);
  });

  it("leaves it to the user's tab to tell of a switch that JupyterLab copies", async () => {
    jest.useFakeTimers();
    focus.mockReturnValue(false);
    model.quiet = quiet(false);
    await follow();
    turn(true);
    await jest.advanceTimersByTimeAsync(1000);
    server(true);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([]);
    // The user's tab writes the switch as well, and the user turns it back before this one would.
    const writes = jest.spyOn(settings, 'set');
    server(false);
    await jest.advanceTimersByTimeAsync(1000);
    turn(false);
    server(true);
    await jest.advanceTimersByTimeAsync(4500);
    turn(true);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(writes).not.toHaveBeenCalled();
    expect(told).toEqual([]);
    // No tab with the focus tells of this one.
    turn(false);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([{ doNotDisturb: false }]);
    jest.useRealTimers();
  });

  it('follows the server while it waits for another tab to tell', async () => {
    jest.useFakeTimers();
    focus.mockReturnValue(false);
    model.quiet = quiet(false);
    await follow();
    // Another tab writes what the server said; then its time is up.
    turn(true);
    await jest.advanceTimersByTimeAsync(100);
    server(true);
    await jest.advanceTimersByTimeAsync(4000);
    server(false);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([]);
    expect(position).toBe(false);
    jest.useRealTimers();
  });

  it('stays as the user turned it last, while the server hears of earlier turns', async () => {
    const answers: (() => void)[] = [];
    model.changeQuiet = change =>
      new Promise(resolve =>
        answers.push(() => {
          server(change.doNotDisturb!);
          resolve(model.quiet!);
        })
      );
    const positions: boolean[] = [];
    model.quiet = quiet(false);
    await follow();
    turn(true);
    turn(false);
    changed.connect(() => positions.push(position));
    while (answers.length > 0) {
      answers.shift()!();
      await settled();
    }
    expect(positions).toEqual([]);
    expect(position).toBe(false);
    server(true);
    await settled();
    expect(position).toBe(true);
  });

  it('turns the switch as the server says, and tells it nothing back', async () => {
    await follow();
    server(true);
    expect(position).toBe(true);
    server(false);
    await settled();
    expect(position).toBe(false);
    expect(told).toEqual([]);
  });

  it('tells the server of a switch that was turned before it is followed', async () => {
    position = true;
    model.quiet = quiet(false);
    await followSwitch(
      model,
      { load: async () => settings } as unknown as ISettingRegistry,
      true
    );
    expect(told).toEqual([{ doNotDisturb: true }]);
    expect(position).toBe(true);
  });

  it('takes what it writes late for no doing of the user', async () => {
    const writes: (() => void)[] = [];
    settings.set = (_, value) =>
      new Promise<void>(resolve =>
        writes.push(() => {
          turn(value as boolean);
          resolve();
        })
      );
    await follow();
    server(true);
    server(false);
    while (writes.length > 0) {
      writes.shift()!();
      await settled();
    }
    expect(position).toBe(false);
    expect(told).toEqual([]);
  });

  it('takes what another tab writes meanwhile for no doing of the user', async () => {
    const values: boolean[] = [];
    settings.set = async (_, value) => {
      values.push(value as boolean);
      await Promise.resolve();
      // The other tab still writes what the server said before.
      turn(values.length === 2 ? true : (value as boolean));
    };
    await follow();
    server(true);
    await settled();
    server(false);
    await settled();
    expect(values).toEqual([true, false, false]);
    expect(position).toBe(false);
    expect(told).toEqual([]);
  });

  it('gives a switch up that does not stay as it is written', async () => {
    let writes = 0;
    settings.set = async () => {
      writes++;
    };
    await follow();
    server(true);
    await settled();
    expect(writes).toBe(10);
    expect(told).toEqual([]);
  });

  it('tells the server at first what was on before the server kept it', async () => {
    position = true;
    await follow();
    expect(told).toEqual([{ doNotDisturb: true }]);
    expect(position).toBe(true);
  });

  it('turns off a switch whose time was up while no tab was open', async () => {
    position = true;
    model.quiet = quiet(false);
    await follow();
    expect(position).toBe(false);
    expect(told).toEqual([]);
  });

  it('leaves the switch as it is while the server is away', async () => {
    model.changeQuiet = () => Promise.reject(new Error('away'));
    const warned = jest.spyOn(console, 'warn').mockImplementation();
    await follow();
    turn(true);
    await settled();
    // The connection is lost, or there again.
    stateChanged.emit();
    expect(position).toBe(true);
    expect(warned).toHaveBeenCalled();
    warned.mockRestore();
  });
});
