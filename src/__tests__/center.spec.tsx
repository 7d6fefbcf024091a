/**
 * The bell and the panel, without the content of the center, which is loaded later.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { NotificationBell } from '../center/bell';
import { CenterPanel } from '../center/panel';
import type { INotificationModel } from '../tokens';

const trans = nullTranslator.load('jupyterlab_notify');

class Model {
  counts = { inbox: 0, unread: 0, dismissed: 0, snoozed: 0 };

  stateChanged = new Signal<this, void>(this);
}

async function drawn(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 20));
}

describe('NotificationBell', () => {
  let model: Model;
  let bell: NotificationBell;
  let open = false;
  let toggled = 0;

  beforeEach(async () => {
    model = new Model();
    toggled = 0;
    open = false;
    bell = new NotificationBell({
      model: model as unknown as INotificationModel,
      trans,
      isOpen: () => open,
      toggle: () => toggled++
    });
    Widget.attach(bell, document.body);
    await drawn();
  });

  afterEach(() => {
    bell.dispose();
  });

  const button = () => bell.node.querySelector('button')!;

  it.each([
    [0, null, 'Notifications'],
    [4, '4', 'Notifications, 4 unread'],
    [99, '99', 'Notifications, 99 unread'],
    [100, '99+', 'Notifications, 100 unread']
  ])('shows and says %i unread', async (unread, badge, label) => {
    model.counts = { ...model.counts, unread };
    jest.useFakeTimers();
    model.stateChanged.emit();
    jest.runOnlyPendingTimers();
    jest.useRealTimers();
    await drawn();
    expect(
      bell.node.querySelector('.jp-NotifyBell-badge')?.textContent ?? null
    ).toBe(badge);
    expect(button().getAttribute('aria-label')).toBe(label);
  });

  it.each([
    [0, 'Notifications, do not disturb'],
    [4, 'Notifications, 4 unread, do not disturb']
  ])('says that nothing rings, with %i unread', async (unread, label) => {
    model.counts = { ...model.counts, unread };
    bell.silent = true;
    await drawn();
    expect(button().getAttribute('aria-label')).toBe(label);
    expect(button().title).toBe(label);
    expect(button().className).toContain('jp-mod-silent');
    bell.silent = false;
    await drawn();
    expect(button().getAttribute('aria-label')).not.toContain('disturb');
    expect(button().className).not.toContain('jp-mod-silent');
  });

  it('is pressed while the center is open', async () => {
    expect(button().getAttribute('aria-pressed')).toBe('false');
    open = true;
    bell.update();
    await drawn();
    expect(button().getAttribute('aria-pressed')).toBe('true');
  });

  it('is a button that takes the focus', () => {
    bell.focus();
    expect(document.activeElement).toBe(button());
    button().click();
    expect(toggled).toBe(1);
  });
});

describe('CenterPanel', () => {
  const make = (hide = () => undefined as void) =>
    new CenterPanel({
      model: new Model() as unknown as INotificationModel,
      actions: {} as any,
      rendermime: {} as any,
      trans,
      commands: new CommandRegistry(),
      shell: undefined as never,
      hide,
      leave: () => undefined
    });

  it('is empty while it was never in sight', async () => {
    const panel = make();
    panel.hide();
    Widget.attach(panel, document.body);
    await drawn();
    expect(panel.node.textContent).toBe('');
    panel.dispose();
  });

  it('keeps a request until the center is there to take it, once', () => {
    const panel = make();
    const request = { id: 'a', focus: true, read: true };
    panel.request(request);
    expect(panel.takeRequest()).toEqual(request);
    expect(panel.takeRequest()).toBeUndefined();
    panel.dispose();
  });

  it('is put away by its close, not destroyed', () => {
    let hidden = 0;
    const panel = make(() => {
      hidden++;
    });
    panel.hide();
    Widget.attach(panel, document.body);
    panel.close();
    expect(hidden).toBe(1);
    expect(panel.isAttached).toBe(true);
    panel.dispose();
  });
});
