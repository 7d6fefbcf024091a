import { NotificationManager } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';

import { ThisTab } from '../center/thisTab';
import { type IShared, Shared } from '../components/context';
import { markToast } from '../ownToasts';
import { Times } from '../text/times';

describe('ThisTab', () => {
  const trans = nullTranslator.load('jupyterlab_notify');
  let manager: NotificationManager;
  let host: HTMLElement;
  let left: jest.Mock;

  beforeEach(() => {
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    manager = new NotificationManager();
    host = document.createElement('div');
    left = jest.fn();
    document.body.append(host);
    const shared = { trans, times: new Times(trans) } as unknown as IShared;
    act(() =>
      createRoot(host).render(
        <Shared.Provider value={shared}>
          <ThisTab now={new Date()} manager={manager} onLeave={left} />
        </Shared.Provider>
      )
    );
  });

  afterEach(() => host.remove());

  const notify = (...args: Parameters<NotificationManager['notify']>) =>
    act(() => void manager.notify(...args));

  const press = (label: string) =>
    act(() =>
      [...host.querySelectorAll('button')]
        .find(button => button.textContent === label)!
        .click()
    );

  it('keeps what its button prevents from being closed, and closes the others', () => {
    const pressed: string[] = [];
    const action = (label: string, stays: boolean) => ({
      label,
      callback: (event: MouseEvent) => {
        pressed.push(label);
        if (stays) {
          event.preventDefault();
        }
      }
    });
    notify('asks', 'info', { actions: [action('Look', true)] });
    notify('tells', 'info', { actions: [action('Reload', false)] });
    press('Look');
    press('Reload');
    expect(pressed).toEqual(['Look', 'Reload']);
    expect(manager.notifications.map(({ message }) => message)).toEqual([
      'asks'
    ]);
  });

  it('leaves out our own toasts, and clears none of them', () => {
    notify('ours', 'info', { data: markToast('id') });
    notify('sums up', 'info', { data: markToast('') });
    expect(host.textContent).toBe('');
    notify('of another extension', 'info', { data: { id: 'id' } });
    // As JupyterLab's own command does.
    notify('without anything', 'info', { actions: null } as any);
    expect(host.querySelectorAll('li')).toHaveLength(2);
    press('Clear');
    expect(manager.count).toBe(2);
    expect(host.textContent).toBe('');
  });

  it('hands the focus on to what is left, and out when nothing is', () => {
    const cross = (message: string) =>
      [...host.querySelectorAll('li')]
        .find(item => item.textContent!.includes(message))!
        .querySelector<HTMLElement>('button[aria-label="Dismiss"]')!;
    for (const message of ['first', 'second', 'third']) {
      notify(message, 'info', { autoClose: false });
    }
    for (const [gone, next] of [
      ['second', 'first'],
      ['first', 'third']
    ]) {
      act(() => cross(gone).focus());
      act(() => cross(gone).click());
      expect(document.activeElement).toBe(cross(next));
    }
    expect(left).not.toHaveBeenCalled();
    act(() => cross('third').click());
    expect(left).toHaveBeenCalledTimes(1);
    // The focus was elsewhere when these went.
    notify('fourth', 'info', { autoClose: false });
    act(() => manager.dismiss());
    expect(left).toHaveBeenCalledTimes(1);
  });

  it('gives long runs of letters that join places to break', () => {
    notify('\u0e33'.repeat(1000), 'info', {});
    expect(host.textContent).toContain('\u0e33\u200b\u0e33');
  });

  it('shows hidden characters of a text, and runs nothing of it', () => {
    notify('<img src=x onerror=alert(1)> \u202egnp', 'warning', {});
    expect(host.querySelector('img')).toBeNull();
    expect(host.textContent).toContain(
      '<img src=x onerror=alert(1)> \\u202egnp'
    );
  });
});
