import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import center from '../../schema/center.json';
import { ARGUMENTS } from '../actionCommand';
import { NotificationActions } from '../actions';
import { ownFiles } from '../components/ownFiles';
import type { Action, StateChange } from '../wire';
import { row } from './rows';

const trans = nullTranslator.load('jupyterlab_notify');

/** What keeps JupyterLab from starting a kernel. */
const NO_KERNEL = {
  kernelPreference: { shouldStart: false, autoStartDefault: false }
};

describe('NotificationActions', () => {
  let commands: CommandRegistry;
  let ran: [string, unknown][];
  let changed: [string[], StateChange][];
  let opened: string[];
  let actions: NotificationActions;

  beforeEach(() => {
    commands = new CommandRegistry();
    ran = [];
    changed = [];
    opened = [];
    for (const id of [
      'test:show',
      'test:delete',
      'docmanager:open',
      'filebrowser:go-to-path',
      'filebrowser:open-path'
    ]) {
      commands.addCommand(id, {
        // As some commands of JupyterLab do it.
        label: args => String(args.label ?? trans.__('A test command')),
        describedBy: { args: {} },
        execute: args => {
          ran.push([id, args]);
        }
      });
    }
    jest.spyOn(window, 'open').mockImplementation((...args) => {
      opened.push(args.join(' '));
      return null;
    });
    actions = new NotificationActions({
      commands,
      model: {
        change: async ({ ids }: { ids: string[] }, state: StateChange) => {
          changed.push([ids, state]);
        }
      } as any,
      trans
    });
    actions.allowedCommands = ['test:show'];
  });

  afterEach(() => {
    Dialog.flush();
    jest.restoreAllMocks();
  });

  function run(action: Partial<Action>, given = {}): Promise<void> {
    return actions.run(
      row('a', 1, {
        actions: [{ label: trans.__('Go'), ...action }],
        ...given
      }),
      0
    );
  }

  async function dialog(): Promise<HTMLElement> {
    for (let i = 0; i < 100; i++) {
      const node = document.querySelector<HTMLElement>('.jp-Dialog');
      if (node) {
        return node;
      }
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    throw new Error('No dialog came.');
  }

  async function press(button: 'reject' | 'warn'): Promise<void> {
    (await dialog())
      .querySelector<HTMLElement>(`.jp-Dialog-footer .jp-mod-${button}`)!
      .click();
  }

  it('runs a listed command at once, with its arguments', async () => {
    await run({ commandId: 'test:show', args: { path: 'x' } });
    expect(ran).toEqual([['test:show', { path: 'x' }]]);
    expect(changed).toEqual([[['a'], { read: true }]]);
  });

  it.each<[object, boolean]>([
    [{ path: 'x' }, true],
    [{}, true],
    [{ path: null }, true],
    [{ path: 'x', kernel: { name: 'python3' } }, false],
    [{ path: { toString: 'x' } }, false],
    [{ path: ['x'] }, false],
    [{ constructor: 'x' }, false]
  ])(
    'asks about a listed command unless its arguments are listed too: %j',
    async (args, atOnce) => {
      actions.allowedArguments = { 'test:show': ['path'] };
      const done = run({
        commandId: 'test:show',
        args: args as Action['args']
      });
      if (!atOnce) {
        expect((await dialog()).textContent).toContain('test:show');
        await press('reject');
      }
      await done;
      expect(ran).toHaveLength(atOnce ? 1 : 0);
    }
  );

  /** Have the user's files, by path; a folder's path ends with a slash. */
  function haveFiles(paths: string[]): void {
    ownFiles.app = {
      serviceManager: {
        contents: {
          get: async (path: string) => {
            if (paths.includes(`${path}/`)) {
              return { type: 'directory' };
            }
            if (paths.includes(path)) {
              return { type: 'file' };
            }
            throw new Error(`There is no ${path}`);
          }
        }
      }
    } as any;
  }

  it.each<[string, object, string, object]>([
    ['docmanager:open', { path: 'a.ipynb' }, 'docmanager:open', NO_KERNEL],
    [
      'filebrowser:open-path',
      { path: 'a.ipynb' },
      'docmanager:open',
      NO_KERNEL
    ],
    [
      'filebrowser:open-path',
      { path: '/a.IPYNB' },
      'docmanager:open',
      NO_KERNEL
    ],
    // Other documents may have kernels too, and a path may be written in many ways.
    ['filebrowser:open-path', { path: 'a.md' }, 'docmanager:open', NO_KERNEL],
    [
      'filebrowser:open-path',
      { path: 'a.ipynb/.' },
      'docmanager:open',
      NO_KERNEL
    ],
    // A folder is shown, and not waited for in an editor.
    ['filebrowser:open-path', { path: 'runs' }, 'filebrowser:go-to-path', {}],
    ['docmanager:open', { path: 'runs' }, 'filebrowser:go-to-path', {}],
    // A site may list more arguments.
    ['docmanager:open', { path: 'a.ipynb', kernel: 'x' }, 'docmanager:open', {}]
  ])(
    'opens a document without its kernel if nobody was asked: %s %j',
    async (commandId, args, command, more) => {
      haveFiles(['a.ipynb', '/a.IPYNB', 'a.md', 'a.ipynb/.', 'runs/']);
      actions.allowedCommands = ['docmanager:open', 'filebrowser:open-path'];
      actions.allowedArguments = { 'docmanager:open': ['path', 'kernel'] };
      await run({ commandId, args: args as Action['args'] });
      const { path } = args as { path: string };
      const given = command === commandId ? path : path.replace(/^\//, '');
      expect(ran).toEqual([[command, { ...args, ...more, path: given }]]);
    }
  );

  it('says that a file does not exist, and what a sender hides in its name', async () => {
    haveFiles([]);
    actions.allowedCommands = ['filebrowser:open-path'];
    const path = `no\u202efile${'x'.repeat(60_000)}`;
    const done = run({ commandId: 'filebrowser:open-path', args: { path } });
    const text = (await dialog()).textContent!;
    expect(text).toContain('There is no no\\u202efile');
    expect(text.length).toBeLessThan(1000);
    await press('reject');
    await done;
    expect(ran).toEqual([]);
  });

  it('has the same list as the settings', () => {
    const { allowedArguments } = center.properties;
    expect(ARGUMENTS).toEqual(allowedArguments.default);
  });

  it.each<[object, object]>([
    // The user's list names other commands only.
    [{ 'test:show': ['path'] }, { path: 'a', kernel: { name: 'python3' } }],
    // What ours are given is text.
    [{ 'docmanager:open': ['path'] }, { path: 5 }],
    [{ 'docmanager:open': ['path'] }, { path: true }]
  ])(
    'asks about the arguments of our own list: %j %j',
    async (allowedArguments, args) => {
      actions.allowedCommands = ['docmanager:open'];
      actions.allowedArguments = allowedArguments as Record<string, string[]>;
      const done = run({
        commandId: 'docmanager:open',
        args: args as Action['args']
      });
      expect((await dialog()).textContent).toContain('docmanager:open');
      await press('reject');
      await done;
      expect(ran).toEqual([]);
    }
  );

  it('starts the kernel of a notebook to which the user has agreed', async () => {
    actions.allowedCommands = [];
    const done = run({
      commandId: 'docmanager:open',
      args: { path: 'a.ipynb' }
    });
    await press('warn');
    await done;
    expect(ran).toEqual([['docmanager:open', { path: 'a.ipynb' }]]);
  });

  it('names any other command and asks', async () => {
    const done = run({
      commandId: 'test:delete',
      args: { path: '<b>x</b>\u202e', label: trans.__('Show the help') }
    });
    const text = (await dialog()).textContent!;
    expect(text).toContain('test:delete');
    // The sender has no say in how the command is called.
    expect(text).toContain('Run “A test command”?');
    // As text, and with the character that would reorder it made visible.
    expect(text).toContain('<b>x</b>\\u202e');
    expect(ran).toEqual([]);
    await press('warn');
    await done;
    expect(ran.length).toBe(1);
  });

  it('runs nothing, and changes nothing, when the user does not agree', async () => {
    const done = run({ commandId: 'test:delete' });
    await press('reject');
    await done;
    expect(ran).toEqual([]);
    expect(changed).toEqual([]);
  });

  it('does not take an id that begins like a listed one for it', async () => {
    commands.addCommand('test:show-and-delete', {
      describedBy: { args: {} },

      execute: () => ran.push(['', 0])
    });
    const done = run({ commandId: 'test:show-and-delete' });
    await press('reject');
    await done;
    expect(ran).toEqual([]);
  });

  it('says that a command does not exist', async () => {
    const done = run({ commandId: 'test:missing' });
    expect((await dialog()).textContent).toContain('test:missing');
    await press('reject');
    await done;
    expect(changed).toEqual([]);
  });

  it.each(['https://example.org/', 'http://example.org/', 'mailto:a@b.org'])(
    'opens %s without handing over this window',
    async url => {
      await run({ url });
      expect(opened).toEqual([`${url} _blank noopener,noreferrer`]);
      expect(changed).toEqual([[['a'], { read: true }]]);
    }
  );

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    '/lab',
    'blob:https://example.org/x'
  ])('does not open %j', async url => {
    const done = run({ url });
    await press('reject');
    await done;
    expect(opened).toEqual([]);
    expect(changed).toEqual([]);
  });

  it('closes at a button that does nothing else', async () => {
    await run({});
    expect(changed).toEqual([[['a'], { closed: true }]]);
  });

  it('marks as read at such a button what cannot be closed', async () => {
    await run({}, { dismissable: false });
    expect(changed).toEqual([[['a'], { read: true }]]);
  });
});
