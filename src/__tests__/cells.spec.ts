/**
 * The messages about cells that are run, with notebooks of which only the signals matter.
 */
/* eslint-disable jupyter/no-untranslated-string -- labels of notebooks are what others write */
import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';

import { CellWatcher } from '../cells/watcher';
import { cellEnd, duration } from '../cells/words';

const trans = nullTranslator.load('jupyterlab_notify');
const MINUTE = 60_000;

let hidden = false;
let now = 0;

beforeEach(() => {
  hidden = false;
  now = Date.UTC(2026, 0, 1);
  jest.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden);
  jest.spyOn(Date, 'now').mockImplementation(() => now);
});

afterEach(() => jest.restoreAllMocks());

/** Make the error by which a kernel reports an exception. */
function raised(errorName?: string, errorValue?: string, traceback = ['']) {
  return {
    message: `KernelReplyNotOK: ${errorName} ${errorValue}`,
    errorName,
    errorValue,
    traceback
  };
}

/** The error of a cell that was aborted. */
const ABORTED = raised(undefined, undefined, []);

/** Make a notebook in a panel, and functions that run its cells. */
// Longer than a screen: the stand-ins share the notebook's state.
function open(options: { minutes?: number; fails?: boolean } = {}) {
  const { minutes = 5, fails = false } = options;
  const awaited = new Set<string>();
  const emit = jest.fn(async (message: string, options: any): Promise<any> => {
    if (fails) {
      throw new Error('The server cannot be reached.');
    }
  });
  const cells = new Map<string, any>();
  const notebook: any = {
    model: { cells: {} },
    get widgets() {
      return [...cells.values()];
    }
  };
  notebook.model.cells.changed = new Signal<any, any>(notebook);
  const panel: any = {
    id: 'panel',
    content: notebook,
    isVisible: true,
    context: { path: 'work/train.ipynb' }
  };
  panel.disposed = new Signal<any, void>(panel);
  panel.sessionContext = {};
  panel.sessionContext.statusChanged = new Signal<any, any>(panel);
  panel.sessionContext.kernelChanged = new Signal<any, any>(panel);
  panel.sessionContext.disposed = new Signal<any, void>(panel);
  const settings: any = { composite: { longCells: minutes } };
  settings.changed = new Signal<any, void>(settings);
  const changed = jest.fn();
  const watcher = new CellWatcher({
    awaitedIn: () => awaited,
    changed,
    commands: new CommandRegistry(),
    registry: { load: async () => settings, plugins: {} } as any,
    sender: { emit },
    tracker: { find: (is: any) => ([panel] as any[]).find(is) } as any,
    trans
  });

  const cellOf = (id: string) => {
    const cell = cells.get(id) ?? {
      isDisposed: false,
      node: document.createElement('div'),
      outputArea: {},
      model: { id, sharedModel: { source: 'x' } }
    };
    cell.disposed ??= new Signal<any, void>(cell);
    cells.set(id, cell);
    return cell;
  };
  return {
    awaited,
    changed,
    emit,
    panel,
    cell: cellOf,
    mark: (id: string) => watcher.mark(panel, id),
    /** Bring a cell back that was deleted. */
    undo: async (id: string) => {
      cellOf(id);
      const newValues = [{ id }];
      notebook.model.cells.changed.emit({ type: 'add', newValues });
      await Promise.resolve();
    },
    settings,
    /** Run cells together. */
    run: (...ids: string[]) =>
      ids.forEach(id => watcher.scheduled({ notebook, cell: cellOf(id) }, now)),
    /** End a cell, with success or with an error. */
    end: async (id: string, error?: ReturnType<typeof raised>) => {
      const cell = cellOf(id);
      watcher.executed({ notebook, cell, success: !error, error }, now);
      await Promise.resolve();
      await Promise.resolve();
    },
    status: async (status: string) => {
      panel.sessionContext.statusChanged.emit(status);
      await Promise.resolve();
      await Promise.resolve();
    },
    delete: async (id: string) => {
      const cell = cellOf(id);
      cell.isDisposed = true;
      // If it comes back, it is another object.
      cells.delete(id);
      cell.disposed.emit();
      await Promise.resolve();
    },
    /** List the messages that were sent, each with its type. */
    told: () =>
      emit.mock.calls.map(([message, { type }]) => `${type}: ${message}`)
  };
}

describe('A cell that ran longer than the setting says', () => {
  it('is told of if the page was hidden, with a button that leads to it', async () => {
    const { run, end, emit } = open();
    await Promise.resolve();
    run('a');
    hidden = true;
    now += 5 * MINUTE + 3000;
    await end('a');
    expect(emit.mock.calls).toEqual([
      [
        'train.ipynb: done in 5 min 3 s',
        {
          type: 'success',
          source: 'train.ipynb',
          actions: [
            {
              label: 'Go to cell',
              commandId: 'jupyterlab-notify:go-to-cell',
              args: { path: 'work/train.ipynb', cellId: 'a' }
            }
          ]
        }
      ]
    ]);
  });

  it('is told of if the notebook is behind another tab of JupyterLab', async () => {
    const { panel, run, end, told } = open();
    run('a');
    panel.isVisible = false;
    now += 6 * MINUTE;
    await end('a');
    expect(told()).toEqual(['success: train.ipynb: done in 6 min']);
  });

  it('is not told of if the user sees it end', async () => {
    const { run, end, told } = open();
    run('a');
    hidden = true;
    now += 6 * MINUTE;
    hidden = false;
    await end('a');
    expect(told()).toEqual([]);
  });

  it('is not told of if it took less', async () => {
    const { run, end, told } = open();
    run('a');
    hidden = true;
    now += 5 * MINUTE - 1;
    await end('a');
    expect(told()).toEqual([]);
  });

  it('is told of after the time that the setting has now, and never if it is off', async () => {
    const { settings, run, end, told } = open({ minutes: 1 });
    hidden = true;
    await Promise.resolve();
    run('a');
    now += 2 * MINUTE;
    await end('a');
    expect(told()).toHaveLength(1);
    for (const [minutes, total] of [
      [15, 1],
      [0, 1],
      [1, 2]
    ]) {
      settings.composite = { longCells: minutes };
      settings.changed.emit();
      run('a');
      now += 2 * MINUTE;
      await end('a');
      expect(told()).toHaveLength(total);
    }
  });
});

describe('Cells that are run together', () => {
  it('are one message, with the time of all and a button to the last', async () => {
    const { run, end, emit, told } = open();
    run('a', 'b', 'c');
    hidden = true;
    for (const id of ['a', 'b', 'c']) {
      now += 2 * MINUTE;
      await end(id);
    }
    expect(told()).toEqual(['success: train.ipynb: 3 cells done in 6 min']);
    expect(emit.mock.calls[0][1].actions[0].args.cellId).toBe('c');
  });

  it('are one failure, with a button to the one that failed', async () => {
    const { run, end, emit, told } = open();
    run('a', 'b', 'c', 'd');
    hidden = true;
    now += 6 * MINUTE;
    await end('a');
    await end('b', raised('ValueError', 'bad\n value'));
    await end('c', ABORTED);
    await end('d', ABORTED);
    expect(told()).toEqual([
      'error: train.ipynb: failed after 6 min, 1 of 4 cells done: ValueError: bad value'
    ]);
    expect(emit.mock.calls[0][1].actions[0].args.cellId).toBe('b');
  });

  it('leave room for their end beside a long name', async () => {
    const { awaited, panel, run, end, told } = open();
    panel.context.path = `${'long '.repeat(20)}2026-01-01.ipynb`;
    awaited.add('a');
    run('a');
    await end('a');
    expect(told()).toEqual([
      `success: ${'long '.repeat(6)}…ng long long 2026-01-01.ipynb: done in 0.0 s`
    ]);
  });

  it('count no empty cell and no deleted one', async () => {
    const { cell, run, end, told, delete: remove } = open();
    cell('empty').model.sharedModel.source = ' \n';
    run('a', 'empty', 'gone');
    hidden = true;
    now += 6 * MINUTE;
    await remove('gone');
    await end('a');
    await end('empty');
    await end('gone');
    expect(told()).toEqual(['success: train.ipynb: done in 6 min']);
  });

  it('are over although JupyterLab has given up one without a word', async () => {
    const { cell, run, end, told } = open();
    run('a');
    cell('a').outputArea = { future: { isDisposed: true } };
    now += 60 * MINUTE;
    run('b');
    hidden = true;
    now += 6 * MINUTE;
    await end('b');
    expect(told()).toEqual(['success: train.ipynb: done in 6 min']);
  });

  it('are not told of if the last of them was deleted or the notebook closed', async () => {
    const { run, told, delete: remove } = open();
    run('a', 'b');
    hidden = true;
    now += 6 * MINUTE;
    await remove('a');
    await remove('b');
    await Promise.resolve();
    expect(told()).toEqual([]);
  });
});

describe('What the user waits for', () => {
  it('is told of however short it was and whoever sees it, once', async () => {
    const { awaited, changed, mark, cell, run, end, told } = open();
    awaited.add('b');
    cell('b');
    mark('b');
    expect(cell('b').node.className).toBe('jp-mod-notifyAwaited');
    run('a', 'b', 'c');
    now += 1000;
    await end('a');
    now += 2500;
    await end('b');
    expect(told()).toEqual(['success: train.ipynb: done in 2.5 s']);
    expect(changed).toHaveBeenCalled();
    expect(cell('b').node.className).toBe('');
    await end('c');
    run('b');
    await end('b');
    expect(told()).toHaveLength(1);
  });

  it('may be a cell that was gone before this was loaded, and that comes back', async () => {
    const { awaited, cell, mark, undo } = open();
    awaited.add('a');
    mark('a');
    await undo('a');
    await undo('b');
    expect(cell('a').node.className).toBe('jp-mod-notifyAwaited');
    expect(cell('b').node.className).toBe('');
  });

  it('may be a whole notebook: the cells that run, or the next ones', async () => {
    const { awaited, run, end, told } = open();
    run('a', 'b');
    now += 20_000;
    await end('a');
    awaited.add('panel');
    await end('b');
    awaited.add('panel');
    run('c');
    now += 100;
    await end('c');
    run('c');
    await end('c');
    expect(told()).toEqual([
      'success: train.ipynb: 2 cells done in 20 s',
      'success: train.ipynb: done in 0.1 s'
    ]);
    expect(awaited.size).toBe(0);
  });

  it('is told of once, although the setting would tell of it too', async () => {
    for (const ids of [['a'], ['panel'], ['a', 'panel']]) {
      const { awaited, run, end, told } = open();
      ids.forEach(id => awaited.add(id));
      run('a');
      hidden = true;
      now += 6 * MINUTE;
      await end('a');
      expect(told()).toEqual(['success: train.ipynb: done in 6 min']);
    }
  });

  it('may fail with nothing but an exit code', async () => {
    const { awaited, run, end, told } = open();
    awaited.add('a');
    run('a');
    await end('a', raised('', '2'));
    expect(told()).toEqual([
      'error: train.ipynb: failed after 0.0 s: exit code 2'
    ]);
  });

  it('may not be run, since a cell before it failed', async () => {
    const { awaited, run, end, told } = open();
    awaited.add('b');
    run('a', 'b');
    await end('a', raised('ValueError', 'bad'));
    await end('b', ABORTED);
    expect(told()).toEqual([
      'error: train.ipynb: the cell was not run, because one before it did not succeed'
    ]);
  });

  it('is told of once its cell has come back and is run, and forgotten with its notebook', async () => {
    const { awaited, panel, run, end, told, delete: remove } = open();
    awaited.add('a').add('panel');
    run('a');
    await remove('a');
    panel.disposed.emit();
    expect([...awaited]).toEqual(['a']);
    run('a');
    await end('a');
    expect(told()).toHaveLength(1);
    expect(awaited.size).toBe(0);
  });
});

describe('A kernel that died', () => {
  it.each(['autorestarting', 'dead'])(
    'is told of once while nobody looks, whatever the time (%s)',
    async status => {
      const { run, status: become, emit, told } = open();
      run('a', 'b');
      hidden = true;
      now += 30_000;
      // JupyterLab reports a restart by two states.
      const first = become(status === 'dead' ? 'busy' : 'restarting');
      await Promise.all([first, become(status)]);
      await become('restarting');
      await become(status);
      expect(told()).toEqual([
        'error: train.ipynb: the kernel died after 30 s'
      ]);
      expect(emit.mock.calls[0][1].actions[0].args.cellId).toBe('a');
    }
  );

  it('is told of to who waits for the notebook or a cell, and looks', async () => {
    for (const id of ['panel', 'b']) {
      const { awaited, run, status, told } = open();
      awaited.add(id);
      run('a', 'b');
      await status('dead');
      expect(told()).toEqual([
        'error: train.ipynb: the kernel died after 0.0 s'
      ]);
      expect(awaited.size).toBe(0);
    }
  });

  it('is not told of if JupyterLab says it in sight, the setting is off, or nothing ran', async () => {
    const seen = open();
    seen.run('a');
    await seen.status('dead');
    hidden = true;
    const off = open({ minutes: 0 });
    await Promise.resolve();
    off.run('a');
    await off.status('dead');
    const idle = open();
    idle.run('a');
    await idle.end('a');
    await idle.status('dead');
    expect([seen, off, idle].flatMap(({ told }) => told())).toEqual([]);
  });

  it('is another thing than one that was restarted or shut down', async () => {
    for (const word of ['restarting', 'terminating']) {
      const { awaited, run, status, told } = open();
      awaited.add('panel');
      run('a');
      now += 61_000;
      await status('busy');
      await status(word);
      expect(told()).toEqual([
        'warning: train.ipynb: interrupted after 1 min 1 s'
      ]);
    }
  });
});

it('What the server does not take is said in this tab', async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const emitted = jest.spyOn(Notification, 'emit').mockReturnValue('');
  const { awaited, run, end } = open({ fails: true });
  awaited.add('a');
  run('a');
  await end('a');
  expect(emitted.mock.calls[0].slice(0, 2)).toEqual([
    'train.ipynb: done in 0.0 s',
    'success'
  ]);
});

describe('The end of a cell', () => {
  it.each([
    // Python
    [raised('ValueError', 'bad'), { error: 'ValueError: bad' }],
    [raised('AssertionError', ''), { error: 'AssertionError' }],
    [raised('KeyboardInterrupt', ''), 'interrupted'],
    [raised('CancelledError', ''), 'interrupted'],
    [raised('SystemExit', '0'), 'done'],
    [raised('SystemExit', ''), 'done'],
    [raised('SystemExit', '2'), { error: 'SystemExit: 2' }],
    // A command that Ctrl-C has ended, as in a cell of `%%bash`
    [
      raised(
        'CalledProcessError',
        "Command 'b'sleep 20\\n'' died with <Signals.SIGINT: 2>."
      ),
      'interrupted'
    ],
    [
      raised(
        'CalledProcessError',
        "Command 'make' returned non-zero exit status 130."
      ),
      'interrupted'
    ],
    [
      raised(
        'CalledProcessError',
        "Command 'make' returned non-zero exit status 1."
      ),
      {
        error:
          "CalledProcessError: Command 'make' returned non-zero exit status 1."
      }
    ],
    // R
    [
      raised('ERROR', "Error in eval(expr): object 'x' not found\n"),
      { error: "ERROR: Error in eval(expr): object 'x' not found" }
    ],
    // Julia
    [
      raised('UndefVarError', 'UndefVarError: `x` not defined'),
      { error: 'UndefVarError: `x` not defined' }
    ],
    [raised('InterruptException', 'InterruptException:'), 'interrupted'],
    // Kernels that report little, or with colours
    [raised('', 'it broke'), { error: 'it broke' }],
    [
      raised('', '', ['\u001b[31mcompilation failed\u001b[0m', '']),
      { error: 'compilation failed' }
    ],
    [raised('E', '\u001b[1;31mred\u001b[0m'), { error: 'E: red' }],
    [ABORTED, 'skipped'],
    // An error that is not the kernel's
    [{ message: 'The model is gone' } as any, { error: 'The model is gone' }]
  ])('is that of its kernel: %j', (error, end) => {
    expect(cellEnd(false, error)).toEqual(end);
  });

  it('has a summary that a server takes', () => {
    const end: any = cellEnd(false, raised('E', `\ud800${'😀'.repeat(9999)}`));
    expect([...end.error].length).toBeLessThanOrEqual(503);
    expect(end.error).not.toMatch(/\p{Cs}/u);
    expect(end.error).toMatch(/^E: \ufffd😀+…$/u);
  });
});

it.each([
  [0, '0.0 s'],
  [-5, '0.0 s'],
  [9940, '9.9 s'],
  [59_400, '59 s'],
  [59_600, '1 min'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [9_000_000, '2 h 30 min']
])('%d ms are %s', (ms, words) => {
  expect(duration(ms, trans)).toBe(words);
});
