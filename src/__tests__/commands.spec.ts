import { ServerConnection } from '@jupyterlab/services';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';

import plugin from '../commands';
import type { INotificationModel } from '../tokens';

const markAllRead = 'jupyterlab-notify:mark-all-read';
const dismissAll = 'jupyterlab-notify:dismiss-all';

const makeRequest = jest.spyOn(ServerConnection, 'makeRequest');

/** Activate the commands with a model that has only counts and changes. */
function activate() {
  const commands = new CommandRegistry();
  const change = jest
    .fn()
    .mockResolvedValue({ changed: 1, seqs: [1, 1], cursor: 'e:1' });
  const model = {
    counts: { inbox: 0, unread: 0, dismissed: 0, snoozed: 0 },
    change
  };
  const stateChanged = new Signal<any, void>(model);
  void plugin.activate(
    {
      commands,
      serviceManager: { serverSettings: { baseUrl: 'http://localhost/' } }
    } as any,
    {
      ...model,
      stateChanged,
      counts: model.counts
    } as any as INotificationModel,
    null,
    null
  );
  const announced: string[] = [];
  commands.commandChanged.connect((_, { id }) => announced.push(id!));
  const become = (inbox: number, unread: number) => {
    Object.assign(model.counts, { inbox, unread });
    stateChanged.emit();
  };
  return { commands, change, announced, become };
}

describe('the commands for all notifications', () => {
  it('are enabled while there is something that they change', () => {
    const { commands, become } = activate();
    expect(commands.isEnabled(markAllRead)).toBe(false);
    expect(commands.isEnabled(dismissAll)).toBe(false);
    become(2, 0);
    expect(commands.isEnabled(markAllRead)).toBe(false);
    expect(commands.isEnabled(dismissAll)).toBe(true);
    become(2, 1);
    expect(commands.isEnabled(markAllRead)).toBe(true);
  });

  it('have menus and palette drawn anew when that changes, not with every message', () => {
    const { announced, become } = activate();
    become(1, 1);
    expect(announced).toEqual([markAllRead, dismissAll]);
    become(2, 2);
    become(3, 3);
    expect(announced).toHaveLength(2);
    become(3, 0);
    expect(announced.slice(2)).toEqual([markAllRead]);
  });

  it('has the server counted as used', async () => {
    const { commands } = activate();
    makeRequest.mockResolvedValue(
      new Response(JSON.stringify({ success: true }))
    );
    await commands.execute('jupyterlab-notify:keep-running');
    const [url, init] = makeRequest.mock.calls[0];
    expect(url).toBe('http://localhost/jupyterlab-notify/activity');
    expect(init.method).toBe('POST');
  });

  it('change all', async () => {
    const { commands, change, become } = activate();
    become(1, 1);
    await commands.execute(markAllRead);
    await commands.execute(dismissAll);
    expect(change.mock.calls).toEqual([
      [{ all: true }, { read: true }],
      [{ all: true }, { dismissed: true }]
    ]);
  });
});
